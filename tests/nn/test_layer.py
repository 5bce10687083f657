"""Layer: attributes that register themselves, walks, hooks, modes, state dicts, text."""

from __future__ import annotations

import copy
import pickle
import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import dualgraph as dg
from dualgraph import nn


class Net(nn.Layer):
    """A linear layer under a name."""

    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(2, 2)

    def forward(self, x: Any) -> Any:
        return self.fc(x)


def parameter(*shape: int) -> Any:
    return nn.Layer().create_parameter(list(shape))


def parameter_outside(**options: Any) -> Any:
    return dg.create_parameter([1], "float32", **options)


def array(value: float, *shape: int) -> Any:
    return np.full(shape, value, "float32")


# ---- attributes ----------------------------------------------------------------------------------


def test_parameters_layers_and_tensors_register_themselves() -> None:
    layer = Net()
    layer.gain = parameter(3)
    layer.seen = dg.zeros([2])
    assert list(layer._parameters) == ["gain"]
    assert list(layer._sub_layers) == ["fc"]
    assert list(layer._buffers) == ["seen"]
    assert "gain" not in layer.__dict__


def test_a_tensor_attribute_is_a_buffer_that_is_not_saved() -> None:
    layer = Net()
    layer.seen = dg.zeros([2])
    assert list(layer.state_dict()) == ["fc.weight", "fc.bias"]
    assert [name for name, _ in layer.named_buffers()] == ["seen"]


def test_a_registered_buffer_is_saved_unless_asked_not_to_and_stays_so_when_reassigned() -> None:
    layer = Net()
    layer.register_buffer("kept", dg.zeros([2]))
    layer.register_buffer("lost", dg.zeros([2]), persistable=False)
    layer.kept = dg.ones([3])
    assert list(layer.state_dict()) == ["kept", "fc.weight", "fc.bias"]
    assert layer.kept.shape == [3]


@pytest.mark.parametrize("what", ["parameter", "layer", "buffer"])
def test_what_is_registered_can_be_set_to_none_and_back_but_not_to_a_number(what: str) -> None:
    layer = nn.Layer()
    value = {"parameter": parameter(2), "layer": nn.ReLU(), "buffer": dg.ones([2])}[what]
    layer.part = value
    layer.part = None
    assert layer.part is None
    layer.part = value
    assert layer.part is value
    with pytest.raises(TypeError, match="part"):
        layer.part = 3
    assert layer.part is value


def test_a_parameter_is_not_replaced_by_a_plain_tensor() -> None:
    layer = Net()
    with pytest.raises(TypeError, match="Parameter"):
        layer.fc.weight = dg.ones([2, 2])
    assert isinstance(layer.fc.weight, nn.Parameter)


def test_deleting_an_attribute_takes_it_out_of_the_state() -> None:
    layer = Net()
    del layer.fc
    assert layer.state_dict() == {}
    with pytest.raises(AttributeError, match="fc"):
        _ = layer.fc


def test_parts_before_init_are_refused_with_the_remedy() -> None:
    class Early(nn.Layer):
        def __init__(self) -> None:
            self.fc = nn.Linear(1, 1)

    with pytest.raises(ValueError, match=re.escape("super().__init__()")):
        Early()


def test_plain_attributes_before_init_stay() -> None:
    class Early(nn.Layer):
        def __init__(self) -> None:
            self.size = 3
            super().__init__()

    assert Early().size == 3


def test_a_missing_attribute_names_the_class_and_the_attribute() -> None:
    with pytest.raises(AttributeError, match=r"'Net'.*'missing'"):
        _ = Net().missing


def test_dir_lists_the_parts() -> None:
    layer = Net()
    layer.gain = parameter(1)
    assert {"fc", "gain", "forward"} <= set(dir(layer))


@pytest.mark.parametrize(
    ("name", "error"), [("a.b", KeyError), ("", KeyError), (3, TypeError), ("fc", KeyError)]
)
def test_names_that_cannot_be_attributes_are_refused(name: Any, error: type[Exception]) -> None:
    layer = Net()
    with pytest.raises(error):
        layer.register_buffer(name, dg.ones([1]))
    with pytest.raises(error):
        layer.add_parameter(name, parameter(1))


def test_adding_checks_what_is_added() -> None:
    layer = nn.Layer()
    with pytest.raises(TypeError, match="Tensor"):
        layer.register_buffer("x", 3)
    with pytest.raises(TypeError, match="Parameter"):
        layer.add_parameter("x", dg.ones([1]))
    with pytest.raises(TypeError, match="Layer"):
        layer.add_sublayer("x", 3)
    assert layer.add_parameter("x", None) is None
    assert layer.x is None


def test_a_sublayer_may_have_any_name() -> None:
    layer = nn.Layer()
    relu = nn.ReLU()
    assert layer.add_sublayer("a.b", relu) is relu
    layer.add_sublayer(3, nn.Tanh())
    assert list(layer._sub_layers) == ["a.b", "3"]


# ---- names ---------------------------------------------------------------------------------------


def test_names_count_per_class_and_parameters_are_named_after_their_layer() -> None:
    first, second = nn.Linear(1, 1), nn.Linear(1, 1)
    number = int(first.full_name().rpartition("_")[2])
    assert first.full_name() == f"linear_{number}"
    assert second.full_name() == f"linear_{number + 1}"
    assert first.weight.name == f"linear_{number}.w_0"
    assert first.bias.name == f"linear_{number}.b_0"


def test_a_scope_replaces_the_class_name() -> None:
    first, second = nn.Layer("my_scope"), nn.Layer("my_scope")
    assert first.full_name().startswith("my_scope_")
    assert first.full_name() != second.full_name()


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (lambda: nn.BatchNorm1D(1), "batch_norm1d"),
        (nn.LeakyReLU, "leaky_re_lu"),
        (nn.BCEWithLogitsLoss, "bce_with_logits_loss"),
        (nn.Dropout2D, "dropout2d"),
        (lambda: nn.LayerNorm(1), "layer_norm"),
        (nn.ReLU6, "re_lu6"),
        (nn.GELU, "gelu"),
    ],
)
def test_class_names_become_snake_case(make: Any, name: str) -> None:
    assert re.fullmatch(rf"{name}_\d+", make().full_name())


# ---- making parameters ---------------------------------------------------------------------------


def test_create_parameter_gives_weights_xavier_and_biases_zeros() -> None:
    layer = nn.Layer()
    weight, bias = layer.create_parameter([4, 5]), layer.create_parameter([5], is_bias=True)
    assert not weight.stop_gradient
    assert np.abs(weight.numpy()).max() <= (6 / 9) ** 0.5
    assert bias.tolist() == [0.0] * 5
    assert [weight.name.rpartition(".")[2], bias.name.rpartition(".")[2]] == ["w_0", "b_0"]


@pytest.mark.parametrize("shape", [(2, 3), [2, 3], np.array([2, 3]), [np.int64(2), 3]])
def test_create_parameter_takes_shapes_of_any_kind(shape: Any) -> None:
    assert nn.Layer().create_parameter(shape).shape == [2, 3]


def test_create_parameter_reads_its_attribute() -> None:
    layer = nn.Layer()
    assert layer.create_parameter([1], attr=False) is None
    assert layer.create_parameter([1], attr="own_name").name == "own_name"
    assert layer.create_parameter([1], attr=nn.initializer.Constant(4.0)).item() == 4.0
    attr = dg.ParamAttr(learning_rate=0.5, trainable=False, need_clip=False)
    frozen = layer.create_parameter([1], attr=attr)
    assert frozen.stop_gradient
    assert not frozen.trainable
    assert frozen.optimize_attr == {"learning_rate": 0.5}
    assert not frozen.need_clip
    with pytest.raises(TypeError, match="ParamAttr"):
        layer.create_parameter([1], attr=3)


def test_a_chosen_name_belongs_to_one_parameter() -> None:
    assert nn.Linear(1, 1, weight_attr=dg.ParamAttr(name="chosen")).weight.name == "chosen"
    with pytest.raises(ValueError, match="chosen"):
        nn.Linear(1, 1, weight_attr=dg.ParamAttr(name="chosen"))
    with pytest.raises(ValueError, match="chosen"):
        dg.create_parameter([1], "float32", name="chosen")


def test_parameters_made_outside_of_layers_are_named_alike() -> None:
    assert re.fullmatch(r"create_parameter_\d+\.w_0", parameter_outside().name)
    assert parameter_outside(is_bias=True).name.endswith(".b_0")


def test_parameters_follow_the_default_dtype_and_a_layer_that_was_made_with_another() -> None:
    dg.set_default_dtype("float64")
    try:
        assert nn.Layer().create_parameter([1]).dtype == dg.float64
        assert nn.Linear(1, 1).weight.dtype == dg.float64
    finally:
        dg.set_default_dtype("float32")
    assert nn.Layer(dtype="float64").create_parameter([1]).dtype == dg.float64
    assert nn.Layer().create_parameter([1], dtype="float16").dtype == dg.float16


def test_an_initializer_that_writes_in_place_may_fill_a_parameter() -> None:
    def fill(tensor: Any) -> None:
        tensor[:] = 3.0

    assert nn.Layer().create_parameter([2], attr=dg.ParamAttr(initializer=fill)).tolist() == [3, 3]


def test_trainable_is_the_opposite_of_stop_gradient() -> None:
    weight = parameter(2)
    weight.trainable = False
    assert weight.stop_gradient
    weight.stop_gradient = False
    assert weight.trainable


# ---- walking -------------------------------------------------------------------------------------


def test_walks_go_parents_first_in_the_order_of_assignment() -> None:
    net = nn.Sequential(Net(), nn.ReLU())
    assert [name for name, _ in net.named_sublayers()] == ["0", "0.fc", "1"]
    names = [name for name, _ in net.named_sublayers(prefix="p", include_self=True)]
    assert names == ["p", "p.0", "p.0.fc", "p.1"]
    assert [name for name, _ in net.named_children()] == ["0", "1"]
    assert net.sublayers(include_self=True)[0] is net
    assert [name for name, _ in net.named_parameters("p")] == ["p.0.fc.weight", "p.0.fc.bias"]
    assert Net().parameters(include_sublayers=False) == []


def test_shared_parts_are_walked_once_but_saved_under_each_name() -> None:
    shared = nn.Linear(2, 2)
    net = nn.Sequential(shared, shared)
    assert len(net.parameters()) == 2
    assert len(list(net.children())) == 1
    assert list(net.state_dict()) == ["0.weight", "0.bias", "1.weight", "1.bias"]
    names = [name for name, _ in net.named_parameters(remove_duplicate=False)]
    assert names == ["0.weight", "0.bias", "1.weight", "1.bias"]


def test_tied_weights_are_one_parameter() -> None:
    net = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    net[1].weight = net[0].weight
    assert [name for name, _ in net.named_parameters()] == ["0.weight", "0.bias", "1.bias"]


def test_apply_visits_children_before_their_parents() -> None:
    order: list[str] = []
    net = nn.Sequential(nn.ReLU(), nn.Sequential(nn.Tanh()))
    assert net.apply(lambda layer: order.append(type(layer).__name__)) is net
    assert order == ["ReLU", "Tanh", "Sequential", "Sequential"]


def test_parts_are_found_by_dotted_name() -> None:
    net = nn.Sequential(Net())
    assert net.get_sublayer("0.fc") is net[0].fc
    assert net.get_parameter("0.fc.weight") is net[0].fc.weight
    with pytest.raises(AttributeError):
        net.get_parameter("0.fc.missing")
    net.set_sublayer("0.fc", nn.Identity())
    assert isinstance(net[0].fc, nn.Identity)
    assert [name for name, _ in net.named_modules(prefix="p")] == ["p", "p.0", "p.0.fc"]
    assert list(net.modules()) == net.sublayers(include_self=True)
    heads = nn.LayerDict({"keys": nn.ReLU()})
    assert heads.get_sublayer("keys") is heads["keys"]


# ---- modes ---------------------------------------------------------------------------------------


def test_train_and_eval_reach_every_layer_and_return_the_layer() -> None:
    net = nn.Sequential(nn.Dropout(), nn.Sequential(nn.Dropout()))
    assert net.eval() is net
    assert not any(layer.training for layer in net.sublayers(include_self=True))
    assert net.train() is net
    assert all(layer.training for layer in net.sublayers(include_self=True))


# ---- hooks ---------------------------------------------------------------------------------------


def test_hooks_run_in_order_and_may_replace_inputs_and_outputs() -> None:
    layer = nn.Identity()
    seen: list[str] = []

    def before(_layer: Any, inputs: Any) -> Any:
        seen.append("before")
        return inputs[0] + 1

    def after(_layer: Any, inputs: Any, output: Any) -> Any:
        seen.append("after")
        assert isinstance(inputs, tuple)
        return output * 10

    first = layer.register_forward_pre_hook(before)
    last = layer.register_forward_post_hook(after)
    assert layer(dg.to_tensor(1.0)).item() == 20.0
    assert seen == ["before", "after"]
    first.remove()
    first.remove()
    assert layer(dg.to_tensor(1.0)).item() == 10.0
    last.remove()
    assert layer(dg.to_tensor(1.0)).item() == 1.0


def test_hooks_that_return_nothing_change_nothing() -> None:
    layer = nn.Identity()
    layer.register_forward_pre_hook(lambda _layer, _inputs: None)
    layer.register_forward_post_hook(lambda _layer, _inputs, _output: None)
    assert layer(dg.to_tensor(2.0)).item() == 2.0


def test_a_prepended_hook_runs_first() -> None:
    layer = nn.Identity()
    seen: list[int] = []
    layer.register_forward_pre_hook(lambda _layer, _inputs: seen.append(1))
    layer.register_forward_pre_hook(lambda _layer, _inputs: seen.append(0), prepend=True)
    layer(dg.ones([1]))
    assert seen == [0, 1]


def test_hooks_with_kwargs_see_and_replace_them() -> None:
    class Scale(nn.Layer):
        def forward(self, x: Any, by: float = 1.0) -> Any:
            return x * by

    layer = Scale()
    layer.register_forward_pre_hook(
        lambda _layer, inputs, kwargs: (inputs, {"by": kwargs["by"] + 1}), with_kwargs=True
    )
    layer.register_forward_post_hook(
        lambda _layer, _inputs, kwargs, output: output + kwargs["by"], with_kwargs=True
    )
    assert layer(dg.to_tensor(2.0), by=2.0).item() == 9.0


def test_forward_must_be_defined() -> None:
    with pytest.raises(NotImplementedError, match="forward"):
        nn.Layer()(1)


# ---- state ---------------------------------------------------------------------------------------


def test_a_state_dict_holds_the_tensors_themselves() -> None:
    net = Net()
    assert net.state_dict()["fc.weight"] is net.fc.weight
    loose = net.state_dict(keep_vars=False)["fc.weight"]
    assert loose.stop_gradient
    assert loose.tolist() == net.fc.weight.tolist()


def test_a_state_dict_round_trip_restores_values_in_place() -> None:
    net, other = Net(), Net()
    weight = other.fc.weight
    assert other.set_state_dict(net.state_dict()) == ([], [])
    assert other.fc.weight is weight
    assert weight.tolist() == net.fc.weight.tolist()


def test_loading_takes_arrays_and_lists() -> None:
    net = Net()
    net.set_state_dict({"fc.weight": array(3.0, 2, 2), "fc.bias": [1, 2]})
    assert net.fc.weight.tolist() == [[3.0, 3.0], [3.0, 3.0]]
    assert net.fc.bias.tolist() == [1.0, 2.0]


def test_loading_another_dtype_is_refused_before_anything_has_changed() -> None:
    net = Net()
    before = net.fc.weight.tolist()
    with pytest.raises(TypeError, match=r"fc\.bias.*float64"):
        net.set_state_dict({"fc.weight": array(1.0, 2, 2), "fc.bias": np.ones([2])})
    assert net.fc.weight.tolist() == before


def test_loading_reports_what_is_missing_what_is_not_wanted_and_what_does_not_fit() -> None:
    net = Net()
    before = net.fc.weight.tolist()
    with pytest.warns(UserWarning, match="fc.bias is not found"):
        missing, unexpected = net.set_state_dict({"fc.weight": array(1.0, 2, 2), "other": 1})
    assert (missing, unexpected) == (["fc.bias"], ["other"])
    state = {"fc.weight": array(1.0, 3, 2), "fc.bias": array(1.0, 2)}
    with pytest.warns(UserWarning, match=r"shape \[3, 2\].*expected shape is \[2, 2\]"):
        missing, _ = net.set_state_dict(state)
    assert missing == ["fc.weight"]
    assert net.fc.weight.tolist() != before
    assert net.fc.bias.tolist() == [1.0, 1.0]


def test_loading_by_tensor_name() -> None:
    net = Net()
    state = {p.name: array(2.0, *p.shape) for p in net.parameters()}
    assert net.set_state_dict(state, use_structured_name=False) == ([], [])
    assert net.fc.bias.tolist() == [2.0, 2.0]


def test_aliases_of_loading() -> None:
    net = Net()
    for load in (net.set_dict, net.load_dict):
        assert load(net.state_dict()) == ([], [])


def test_a_state_dict_hook_sees_the_state() -> None:
    net = Net()
    hook = net.register_state_dict_hook(lambda state: {"fc.weight": state["fc.weight"]})
    assert list(net.state_dict()) == ["fc.weight"]
    hook.remove()
    assert list(net.state_dict()) == ["fc.weight", "fc.bias"]


@given(st.recursive(st.just("leaf"), lambda inner: st.lists(inner, max_size=3), max_leaves=8))
def test_any_tree_of_layers_restores_itself(tree: Any) -> None:
    def build(node: Any) -> nn.Layer:
        return nn.Linear(1, 2) if node == "leaf" else nn.LayerList([build(n) for n in node])

    net, other = build(tree), build(tree)
    assert other.set_state_dict(net.state_dict()) == ([], [])
    values = {key: value.tolist() for key, value in net.state_dict().items()}
    assert {key: value.tolist() for key, value in other.state_dict().items()} == values
    assert [key for key, _ in net.named_parameters()] == list(values)


# ---- gradients -----------------------------------------------------------------------------------


def test_clear_gradients_leaves_zeros_or_none() -> None:
    net = Net()
    net(dg.ones([1, 2])).sum().backward()
    assert net.fc.weight.grad.tolist() == [[1.0, 1.0], [1.0, 1.0]]
    net.clear_gradients()
    assert net.fc.weight.grad.tolist() == [[0.0, 0.0], [0.0, 0.0]]
    net.clear_gradients(set_to_zero=False)
    assert net.fc.weight.grad is None


# ---- conversion ----------------------------------------------------------------------------------


@pytest.mark.parametrize("convert", [lambda n: n.to(dtype="float64"), lambda n: n.double()])
def test_conversion_casts_floating_parts_in_place(convert: Any) -> None:
    net = Net()
    net.register_buffer("count", dg.zeros([1], "int64"))
    weight, values = net.fc.weight, net.fc.weight.tolist()
    assert convert(net) is net
    assert net.fc.weight is weight
    assert weight.dtype == dg.float64
    assert weight.tolist() == values
    assert net.count.dtype == dg.int64
    assert "dtype=float64" in repr(net)
    out = net(dg.ones([1, 2], "float64"))
    out.sum().backward()
    assert weight.grad.dtype == dg.float64


def test_to_a_device_is_the_layer_itself() -> None:
    net = Net()
    assert net.to("cpu") is net
    assert net.cpu() is net


def test_a_deep_copy_shares_nothing() -> None:
    net = Net()
    twin = copy.deepcopy(net)
    twin.fc.weight.set_value(array(0.0, 2, 2))
    assert net.fc.weight.tolist() != twin.fc.weight.tolist()
    assert isinstance(twin.fc.weight, nn.Parameter)
    assert twin.fc.weight.name != net.fc.weight.name
    assert twin.fc.bias.optimize_attr is not net.fc.bias.optimize_attr


def test_a_layer_can_be_pickled() -> None:
    net = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1D(2))
    twin = pickle.loads(pickle.dumps(net))
    values = {key: value.tolist() for key, value in net.state_dict().items()}
    assert {key: value.tolist() for key, value in twin.state_dict().items()} == values
    assert [p.stop_gradient for p in twin.parameters()] == [False, False, False, False, True, True]


# ---- text ----------------------------------------------------------------------------------------


def test_text_of_nested_layers() -> None:
    class Named(nn.Layer):
        def __init__(self) -> None:
            super().__init__()
            self.fc = nn.ReLU()

        def extra_repr(self) -> str:
            return "a=1"

    assert repr(nn.Sequential(Net(), Named())) == (
        "Sequential(\n"
        "  (0): Net(\n"
        "    (fc): Linear(in_features=2, out_features=2, dtype=float32)\n"
        "  )\n"
        "  (1): Named(a=1\n"
        "    (fc): ReLU()\n"
        "  )\n"
        ")"
    )
