"""`Layer` itself: parameters, buffers, names, state dicts, hooks, modes, printing; containers."""

from __future__ import annotations

import copy
import re
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import dualgraph as dg
from dualgraph import nn
from tests.parity.samples import needs

t = dg.to_tensor


class Sample(nn.Layer):
    """Parameters, buffers of both kinds, a plain tensor, a sublayer, a list, a number."""

    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(2, 3)
        self.w = self.create_parameter([2])
        self.b = self.create_parameter([1], is_bias=True)
        self.register_buffer("kept", t([1.0]))
        self.register_buffer("passing", t([2.0]), persistable=False)
        self.plain = t([3.0])
        self.list = nn.LayerList([nn.ReLU(), nn.Linear(3, 1)])
        self.number = 5

    def forward(self, x: Any) -> Any:
        return self.fc(x)


def new_parameter() -> Any:
    return dg.create_parameter([1], "float32")


# ---- what a layer holds --------------------------------------------------------------------------

PARAMETERS = ["w", "b", "fc.weight", "fc.bias", "list.1.weight", "list.1.bias"]
STATE = ["w", "b", "kept", "fc.weight", "fc.bias", "list.1.weight", "list.1.bias"]


def test_names_come_own_first_then_sublayers() -> None:
    s = Sample()
    assert [n for n, _ in s.named_parameters()] == PARAMETERS
    assert [n for n, _ in s.named_parameters(include_sublayers=False)] == ["w", "b"]
    assert [n for n, _ in s.named_parameters(prefix="q")] == [f"q.{n}" for n in PARAMETERS]
    assert list(s.state_dict()) == STATE
    assert [n for n, _ in s.named_buffers()] == ["kept", "passing", "plain"]
    assert [n for n, _ in s.named_children()] == ["fc", "list"]
    assert [n for n, _ in s.named_sublayers()] == ["fc", "list", "list.0", "list.1"]
    assert next(iter(s.named_sublayers(include_self=True))) == ("", s)
    assert [type(c).__name__ for c in s.children()] == ["Linear", "LayerList"]
    assert (len(s.sublayers()), len(s.parameters()), len(s.buffers())) == (4, 6, 3)


def test_parameters_are_named_after_their_layer() -> None:
    s = Sample()
    number = re.fullmatch(r"sample_(\d+)", s.full_name())
    assert number
    fc, last = s.fc.full_name(), s.list[1].full_name()
    assert re.fullmatch(r"linear_\d+", fc)
    assert [p.name for p in s.parameters()] == [
        f"sample_{number[1]}.w_0",
        f"sample_{number[1]}.b_0",
        f"{fc}.w_0",
        f"{fc}.b_0",
        f"{last}.w_0",
        f"{last}.b_0",
    ]
    assert int(last.partition("_")[2]) == int(fc.partition("_")[2]) + 1


def test_param_attr_names_a_parameter_once() -> None:
    assert nn.Linear(2, 3, weight_attr="parity_v").weight.name == "parity_v"
    attr = dg.ParamAttr(name="parity_w")
    assert nn.Linear(2, 3, weight_attr=attr).weight.name == "parity_w"
    with pytest.raises(ValueError, match=r"parity_w"):
        nn.Linear(2, 3, weight_attr=dg.ParamAttr(name="parity_w"))


def test_a_shared_layer_counts_once_except_in_the_state_dict() -> None:
    a = nn.Linear(2, 2)
    net = nn.Sequential(a, a)
    assert (len(net.parameters()), len(net.sublayers())) == (2, 1)
    assert [n for n, _ in net.named_parameters()] == ["0.weight", "0.bias"]
    assert list(net.state_dict()) == ["0.weight", "0.bias", "1.weight", "1.bias"]


# ---- attributes ----------------------------------------------------------------------------------


def test_attributes_keep_their_kind() -> None:
    s = Sample()
    for name in ("fc", "w", "kept"):
        with pytest.raises(TypeError):
            setattr(s, name, 5)
    s.fc = nn.ReLU()
    s.kept = t([9.0])
    s.w = None
    assert [n for n, _ in s.named_parameters()] == ["b", "list.1.weight", "list.1.bias"]
    assert s.state_dict()["kept"].tolist() == [9.0]
    del s.fc
    assert [n for n, _ in s.named_children()] == ["list"]
    with pytest.raises(AttributeError):
        _ = s.nope


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda s: s.add_parameter("p", t([1.0])), TypeError),
        (lambda s: s.add_parameter("number", new_parameter()), KeyError),
        (lambda s: s.add_parameter("a.b", new_parameter()), KeyError),
        (lambda s: s.register_buffer("a.b", t([1.0])), KeyError),
        (lambda s: s.register_buffer("number", t([1.0])), KeyError),
        (lambda s: s.register_buffer("z", 5), TypeError),
        (lambda s: s.register_buffer(3, t([1.0])), TypeError),
        (lambda s: nn.Layer()(1), NotImplementedError),
        (lambda s: nn.Sequential(nn.ReLU())[1], IndexError),
        (lambda s: nn.LayerList([nn.ReLU()])[1], IndexError),
    ],
)
def test_registration_refuses(call: Callable[[Any], Any], error: Any) -> None:
    with pytest.raises(error):
        call(Sample())


@pytest.mark.ours("Paddle raises AssertionError")
@pytest.mark.parametrize(
    "call",
    [
        lambda: Sample().add_sublayer("k", 5),
        lambda: nn.Sequential(5),
        lambda: nn.LayerList([5]),
    ],
)
def test_sublayers_must_be_layers(call: Callable[[], Any]) -> None:
    with pytest.raises(TypeError):
        call()


def test_adding_returns_what_was_added() -> None:
    s, p, r = Sample(), new_parameter(), nn.ReLU()
    assert s.add_parameter("p", p) is p
    assert s.add_sublayer("k", r) is r
    assert s.k is r


def test_assigning_before_init_is_a_value_error() -> None:
    class Forgetful(nn.Layer):
        def __init__(self) -> None:
            self.fc = nn.Linear(2, 2)

    with pytest.raises(ValueError, match=r"super\(\)\.__init__\(\)"):
        Forgetful()


# ---- state dicts ---------------------------------------------------------------------------------


def test_state_dict_holds_the_parameters_themselves() -> None:
    layer = nn.Linear(2, 2)
    assert layer.state_dict()["weight"] is layer.weight


def test_loading_reports_what_is_missing_and_what_is_not_wanted() -> None:
    s = Sample()
    one = np.ones((2, 3), "float32")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        missing, unexpected = s.set_state_dict({"fc.weight": one, "zzz": t([1.0])})
        assert missing == [n for n in STATE if n != "fc.weight"]
        assert unexpected == ["zzz"]
        assert s.fc.weight.numpy().tolist() == one.tolist()
        missing, unexpected = s.set_state_dict({"fc.weight": np.zeros((3, 3), "float32")})
        assert (missing, unexpected) == (STATE, ["fc.weight"])
    assert s.fc.weight.numpy().tolist() == one.tolist()


@pytest.mark.parametrize("name", ["set_state_dict", "set_dict", "load_dict"])
def test_loading_copies_values(name: str) -> None:
    first, second = Sample(), Sample()
    before = second.fc.weight
    assert getattr(second, name)(first.state_dict()) == ([], [])
    assert second.fc.weight is before
    assert second.fc.weight.tolist() == first.fc.weight.tolist()


def test_deepcopy_gives_new_parameters() -> None:
    first = nn.Sequential(nn.Linear(2, 2), nn.Sequential(nn.Linear(2, 2)))
    second = copy.deepcopy(first)
    assert second[0].weight is not first[0].weight
    assert second[0].weight.tolist() == first[0].weight.tolist()
    assert not {p.name for p in first.parameters()} & {p.name for p in second.parameters()}


# ---- modes, casts, apply -------------------------------------------------------------------------


def test_train_and_eval_reach_every_sublayer() -> None:
    s = Sample()
    assert s.training
    s.eval()
    assert not any(layer.training for layer in s.sublayers(include_self=True))
    s.train()
    assert all(layer.training for layer in s.sublayers(include_self=True))


def test_apply_to_and_clear_gradients() -> None:
    s, seen = Sample(), []
    assert s.apply(lambda layer: seen.append(type(layer).__name__)) is s
    assert seen[-1] == "Sample"
    assert sorted(seen) == ["LayerList", "Linear", "Linear", "ReLU", "Sample"]
    s(dg.ones([1, 2])).sum().backward()
    s.clear_gradients()
    assert s.fc.bias.grad.tolist() == [0.0, 0.0, 0.0]
    assert s.to(dtype="float64") is s
    assert s.list[1].weight.dtype == dg.float64


# ---- hooks ---------------------------------------------------------------------------------------


class Doubler(nn.Layer):
    def __init__(self, log: list[Any]) -> None:
        super().__init__()
        self.log = log

    def forward(self, x: Any) -> Any:
        self.log.append("forward")
        return x * 2


def test_hooks_run_in_order_and_may_replace() -> None:
    log: list[Any] = []
    layer = Doubler(log)
    first = layer.register_forward_pre_hook(lambda _, i: log.append(("pre", len(i), i[0].item())))
    layer.register_forward_pre_hook(lambda _, i: (i[0] + 1,))
    layer.register_forward_pre_hook(lambda _, i: log.append(("pre", i[0].item())))
    layer.register_forward_post_hook(lambda _, i, o: log.append(("post", i[0].item(), o.item())))
    layer.register_forward_post_hook(lambda _, i, o: o + 100)
    layer.register_forward_post_hook(lambda _, i, o: log.append(("post", o.item())))
    assert layer(t([1.0])).item() == 104.0
    calls = [("pre", 1, 1.0), ("pre", 2.0), "forward", ("post", 2.0, 4.0), ("post", 104.0)]
    assert log == calls
    first.remove()
    log.clear()
    layer(t([1.0]))
    assert log == calls[1:]


# ---- containers and printing ---------------------------------------------------------------------


def test_containers() -> None:
    net = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 2))
    assert list(net.state_dict()) == ["0.weight", "0.bias", "2.weight", "2.bias"]
    assert len(net) == 3
    assert net[-1] is net[2]
    assert [type(layer).__name__ for layer in net[0:2]] == ["Linear", "ReLU"]
    assert isinstance(net[0:2], nn.Sequential)
    named = nn.Sequential(("a", nn.Linear(2, 3)), ("b", nn.ReLU()))
    assert list(named.state_dict()) == ["a.weight", "a.bias"]
    layers = nn.LayerList([nn.ReLU()])
    layers.append(nn.Tanh())
    assert [type(layer).__name__ for layer in layers] == ["ReLU", "Tanh"]
    assert list(nn.LayerDict({"x": nn.ReLU()}).keys()) == ["x"]
    assert list(nn.ParameterList([new_parameter()]).state_dict()) == ["0"]


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: nn.Linear(3, 2), "Linear(in_features=3, out_features=2, dtype=float32)"),
        pytest.param(
            lambda: nn.Conv2D(3, 8, 3),
            "Conv2D(3, 8, kernel_size=[3, 3], data_format=NCHW)",
            marks=needs("Conv2D"),
        ),
        pytest.param(
            lambda: nn.Conv2D(3, 8, 3, stride=2, padding=1, bias_attr=False),
            "Conv2D(3, 8, kernel_size=[3, 3], stride=[2, 2], padding=1, data_format=NCHW)",
            marks=needs("Conv2D"),
        ),
        (
            lambda: nn.Embedding(5, 3, padding_idx=0),
            "Embedding(5, 3, padding_idx=0, sparse=False, scale_grad_by_freq=False)",
        ),
        (
            lambda: nn.BatchNorm1D(4),
            "BatchNorm1D(num_features=4, momentum=0.9, epsilon=1e-05, data_format=NCL)",
        ),
        (
            lambda: nn.BatchNorm2D(4),
            "BatchNorm2D(num_features=4, momentum=0.9, epsilon=1e-05)",
        ),
        (lambda: nn.LayerNorm(4), "LayerNorm(normalized_shape=[4], epsilon=1e-05)"),
        (lambda: nn.LayerNorm([2, 4]), "LayerNorm(normalized_shape=[2, 4], epsilon=1e-05)"),
        (lambda: nn.GroupNorm(2, 4), "GroupNorm(num_groups=2, num_channels=4, epsilon=1e-05)"),
        (
            lambda: nn.Dropout(0.3),
            "Dropout(p=0.3, axis=None, mode=upscale_in_train, inplace=False)",
        ),
        (
            lambda: nn.Dropout(0.3, axis=1, mode="downscale_in_infer"),
            "Dropout(p=0.3, axis=1, mode=downscale_in_infer, inplace=False)",
        ),
        pytest.param(
            lambda: nn.MaxPool2D(2),
            "MaxPool2D(kernel_size=2, stride=None, padding=0)",
            marks=needs("MaxPool2D"),
        ),
        pytest.param(
            lambda: nn.AvgPool2D(2),
            "AvgPool2D(kernel_size=2, stride=None, padding=0)",
            marks=needs("AvgPool2D"),
        ),
        pytest.param(
            lambda: nn.AdaptiveAvgPool2D(1),
            "AdaptiveAvgPool2D(output_size=1)",
            marks=needs("AdaptiveAvgPool2D"),
        ),
        (nn.Identity, "Identity()"),
        (nn.Flatten, "Flatten()"),
        (nn.CrossEntropyLoss, "CrossEntropyLoss()"),
        pytest.param(lambda: nn.LSTMCell(3, 4), "LSTMCell(3, 4)", marks=needs("LSTMCell")),
        pytest.param(
            lambda: nn.LSTM(3, 4),
            "LSTM(3, 4\n  (0): RNN(\n    (cell): LSTMCell(3, 4)\n  )\n)",
            marks=needs("LSTM"),
        ),
        (lambda: nn.LayerDict({"x": nn.ReLU()}), "LayerDict(\n  (x): ReLU()\n)"),
        (
            Sample,
            "Sample(\n"
            "  (fc): Linear(in_features=2, out_features=3, dtype=float32)\n"
            "  (list): LayerList(\n"
            "    (0): ReLU()\n"
            "    (1): Linear(in_features=3, out_features=1, dtype=float32)\n"
            "  )\n"
            ")",
        ),
    ],
)
def test_repr(make: Callable[[], Any], text: str) -> None:
    assert repr(make()) == text


@pytest.mark.parametrize(
    ("make", "names"),
    [
        pytest.param(
            lambda: nn.LSTM(2, 3),
            ["weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0"],
            marks=needs("LSTM"),
        ),
        pytest.param(
            lambda: nn.MultiHeadAttention(4, 2),
            [f"{n}_proj.{p}" for n in ("q", "k", "v", "out") for p in ("weight", "bias")],
            marks=needs("MultiHeadAttention"),
        ),
    ],
)
def test_parameter_names_of_larger_layers(make: Callable[[], Any], names: list[str]) -> None:
    assert [n for n, _ in make().named_parameters()] == names


@needs("LSTM")
def test_lstm_state_dict_lists_each_weight_twice() -> None:
    cell = [f"0.cell.{n}" for n in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")]
    flat = ["weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0"]
    assert list(nn.LSTM(2, 3).state_dict()) == flat + cell
