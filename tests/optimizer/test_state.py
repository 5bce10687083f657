"""What an optimizer saves and loads, and what it refuses to be made of."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import dualgraph as dg
from dualgraph import optimizer as opt
from dualgraph.nn import ClipGradByNorm, Parameter
from tests.optimizer.common import give

# ---- state dicts ---------------------------------------------------------------------------------


def stepped(**options: Any) -> tuple[Any, Any]:
    """An Adam that has moved one of its two parameters once."""
    p, q = Parameter([1.0, 2.0], name="p"), Parameter([1.0], name="q")
    optimizer = opt.Adam(0.1, parameters=[p, q], **options)
    give(p, np.ones(2))
    optimizer.step()
    return optimizer, p


def test_state_is_named_after_parameter_and_accumulator() -> None:
    optimizer, _ = stepped()
    keys = ["p_moment1_0", "p_moment2_0", "p_beta1_pow_acc_0", "p_beta2_pow_acc_0"]
    state = optimizer.state_dict()
    assert list(state) == keys
    assert [v.name for v in state.values()] == keys
    assert all(v.persistable for v in state.values())


def test_the_name_of_the_optimizer_is_in_the_middle() -> None:
    optimizer, _ = stepped(name="mine", amsgrad=True)
    assert "p_mine_moment2_max_0" in optimizer.state_dict()


def test_state_dict_hands_out_the_state_itself() -> None:
    optimizer, p = stepped()
    moment = optimizer.state_dict()["p_moment1_0"]
    give(p, np.ones(2))
    optimizer.step()
    assert moment.tolist() == pytest.approx([0.19, 0.19])
    assert moment.inplace_version == 2


def test_loading_copies_and_may_come_before_the_first_step() -> None:
    state = {k: v.numpy() for k, v in stepped()[0].state_dict().items()}
    p, q = Parameter([1.0, 2.0], name="p"), Parameter([1.0], name="q")
    optimizer = opt.Adam(0.1, parameters=[p, q])
    optimizer.set_state_dict(state)
    give(p, np.ones(2))
    give(q, np.ones(1))
    optimizer.step()
    assert state["p_moment1_0"].tolist() == pytest.approx([0.1, 0.1])
    loaded = optimizer.state_dict()
    assert loaded["p_moment1_0"].tolist() == pytest.approx([0.19, 0.19])
    assert loaded["q_moment1_0"].tolist() == pytest.approx([0.1])  # which had none: it starts anew


def test_state_saved_under_another_number_is_found() -> None:
    """Paddle numbers the states of a process's second optimizer from 1."""
    state = {k[:-1] + "7": v.numpy() + 1 for k, v in stepped()[0].state_dict().items()}
    optimizer, _ = stepped()
    optimizer.load_state_dict(state)
    assert optimizer.state_dict()["p_moment1_0"].tolist() == pytest.approx([1.1, 1.1])


def test_a_count_saved_once_for_each_element_is_read_as_paddle_writes_it() -> None:
    p = Parameter([1.0, 2.0], name="p")
    optimizer = opt.NAdam(0.1, parameters=[p])
    full = {k: np.full(2, 0.5, np.float32) for k in ("moment1", "moment2", "mu_product")}
    full |= {k: np.full(2, 0.25, np.float32) for k in ("momentum_decay_pow", "beta2_pow")}
    optimizer.set_state_dict({f"p_{k}_0": v for k, v in full.items()})
    state = optimizer.state_dict()
    assert (state["p_mu_product_0"].tolist(), state["p_moment1_0"].tolist()) == ([0.5], [0.5, 0.5])


def test_the_scheduler_is_saved_and_loaded() -> None:
    schedulers = [opt.lr.StepDecay(0.5, 1, 0.5) for _ in range(2)]
    first, second = (opt.SGD(s, [Parameter([1.0])]) for s in schedulers)
    schedulers[0].step()
    second.set_state_dict(first.state_dict())
    assert (first.state_dict()["LR_Scheduler"]["last_epoch"], second.get_lr()) == (1, 0.25)
    with pytest.raises(ValueError, match="expected LR_Scheduler among them"):
        second.set_state_dict({})
    opt.SGD(opt.lr.LambdaDecay(0.5, float), [Parameter([1.0])]).set_state_dict({})


def test_master_weights_are_saved_and_loaded() -> None:
    p = Parameter(np.ones(2, np.float16), name="p")
    first, second = (opt.Adam(0.1, parameters=[p], multi_precision=True) for _ in range(2))
    give(p, np.ones(2))
    first.step()
    state = first.state_dict()
    assert "p_fp32_master_0_moment1_0" in state
    second.set_state_dict(state)
    assert second.state_dict()["master_weights"]["p"].tolist() == pytest.approx([0.9, 0.9])


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (
            {"p_moment1_0": np.ones(3, np.float32)},
            r"p_moment1_0 is float32 \[3\]; expected float32",
        ),
        ({"p_moment1_0": np.ones(2)}, r"p_moment1_0 is float64 \[2\]"),
        ({"p_moment1_0": None}, "p_moment1_0 missing"),
    ],
)
def test_a_state_that_does_not_fit_changes_nothing(change: Any, complaint: str) -> None:
    optimizer, _ = stepped()
    state = {k: v.numpy() + 1 for k, v in optimizer.state_dict().items()} | change
    before = {k: v.tolist() for k, v in optimizer.state_dict().items()}
    with pytest.raises(ValueError, match=complaint):
        optimizer.set_state_dict({k: v for k, v in state.items() if v is not None})
    assert {k: v.tolist() for k, v in optimizer.state_dict().items()} == before


def test_a_state_of_other_parameters_is_refused() -> None:
    state = stepped()[0].state_dict()
    optimizer = opt.Adam(0.1, parameters=[Parameter([1.0], name="other")])
    with pytest.raises(ValueError, match="for other parameters"):
        optimizer.set_state_dict(state)


def test_a_parameter_of_another_dtype_or_shape_no_longer_fits_its_state() -> None:
    optimizer, p = stepped()
    p._become(np.ones(2))
    give(p, np.ones(2))
    with pytest.raises(ValueError, match=r"p is float64 \[2\]; its state is for float32 \[2\]"):
        optimizer.step()
    plain = opt.SGD(0.5, [p])
    plain.step()
    p._become(np.ones(3, np.float32))
    give(p, np.ones(3))
    plain.step()
    assert p.tolist() == [0.5, 0.5, 0.5]


# ---- arguments -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "options", "error", "complaint"),
    [
        ("SGD", {"learning_rate": 1}, TypeError, "learning_rate is int 1; expected a float"),
        ("SGD", {"learning_rate": None}, ValueError, "learning_rate is None"),
        ("SGD", {"parameters": None}, TypeError, "give model.parameters()"),
        ("SGD", {"parameters": []}, ValueError, "parameters is empty"),
        ("SGD", {"parameters": {}}, TypeError, "parameters is a dict"),
        ("SGD", {"parameters": [1.0]}, TypeError, "parameter 0 is float 1.0; expected a Tensor"),
        ("SGD", {"parameters": [{"param": []}]}, ValueError, "expected 'params' among them"),
        ("SGD", {"parameters": [{"params": set()}]}, TypeError, "give a list"),
        ("SGD", {"parameters": [{"params": []}, 1]}, TypeError, r"parameters\[1\] is int 1"),
        ("SGD", {"grad_clip": 1.0}, TypeError, "grad_clip is float 1.0; expected a ClipGrad"),
        ("SGD", {"weight_decay": "x"}, TypeError, "weight_decay is str 'x'"),
        ("Momentum", {"momentum": None}, ValueError, "momentum is None; expected a number"),
        ("Momentum", {"momentum": "x"}, TypeError, "momentum is str 'x'"),
        ("Momentum", {"use_nesterov": "yes"}, TypeError, "expected a bool"),
        ("Adam", {"beta1": 1.0}, ValueError, "beta1 is 1.0; expected at least 0 and less than 1"),
        ("Adam", {"beta2": -0.1}, ValueError, "beta2 is -0.1"),
        ("Adam", {"beta2": float("nan")}, ValueError, "beta2 is nan"),
        ("Adam", {"epsilon": -1.0}, ValueError, "epsilon is -1.0; expected 0 or more"),
        ("AdamW", {"weight_decay": None}, TypeError, "weight_decay is NoneType None"),
        ("AdamW", {"lr_ratio": 0.5}, TypeError, "lr_ratio is float 0.5; expected a function"),
        ("AdamW", {"apply_decay_param_fun": "w"}, TypeError, "expected a function or None"),
        ("RMSProp", {"rho": -1.0}, ValueError, "rho is -1.0"),
        ("RMSProp", {"epsilon": None}, ValueError, "epsilon is None"),
        ("Adagrad", {"initial_accumulator_value": -1.0}, ValueError, "expected 0 or more"),
        ("NAdam", {"learning_rate": -0.1}, ValueError, "learning_rate is -0.1"),
        ("Rprop", {"etas": (0.5, 0.9)}, ValueError, r"expected 0 < etas\[0\] < 1 < etas\[1\]"),
        ("Rprop", {"etas": 0.5}, TypeError, "etas is float 0.5; expected two numbers"),
        ("Rprop", {"learning_rate": 99.0}, ValueError, "its range 1e-05 to 50.0"),
        ("ASGD", {"batch_num": 0}, ValueError, "batch_num is 0; expected 1 or more"),
        ("ASGD", {"batch_num": 1.5}, TypeError, "batch_num is 1.5; expected an int"),
    ],
)
def test_an_argument_that_makes_no_sense_is_named(
    kind: str, options: dict[str, Any], error: Any, complaint: str
) -> None:
    arguments = {"learning_rate": 0.1, "parameters": [Parameter([1.0])]} | options
    with pytest.raises(error, match=rf"^\[{kind}\] .*{complaint}"):
        getattr(opt, kind)(**arguments)


def test_options_of_groups_are_checked_too() -> None:
    p = Parameter([1.0])
    wrong: list[tuple[dict[str, Any], Any, str]] = [
        ({"beta1": 2.0}, ValueError, "beta1 is 2.0"),
        ({"weight_decay": "x"}, TypeError, "weight_decay is str"),
        ({"grad_clip": 1}, TypeError, "grad_clip is int 1"),
        ({"learning_rate": dg.to_tensor(1.0)}, TypeError, "a factor to the optimizer's"),
    ]
    for options, error, complaint in wrong:
        with pytest.raises(error, match=complaint):
            opt.Adam(0.1, parameters=[{"params": [p], **options}])
    with pytest.raises(ValueError, match="a parameter of another group"):
        opt.Adam(0.1, parameters=[{"params": [p]}, {"params": p}])


def test_a_gradient_that_does_not_fit_stops_the_step_before_it_begins() -> None:
    a, b = Parameter([1.0], name="a"), Parameter([1.0], name="b")
    optimizer = opt.Adam(
        0.1, parameters=[{"params": a}, {"params": b}], grad_clip=ClipGradByNorm(1.0)
    )
    for p in (a, b):
        give(p, np.ones(1))
    b.grad._data = np.ones(2, np.float32)
    with pytest.raises(
        ValueError, match=r"parameter b is float32 \[1\], its gradient float32 \[2\]"
    ):
        optimizer.step()
    assert (
        a.tolist(),
        optimizer.state_dict().get("a_moment1_0", dg.to_tensor([0.0])).tolist(),
    ) == (
        [1.0],
        [0.0],
    )


def test_the_base_class_updates_nothing() -> None:
    p = Parameter([1.0])
    give(p, np.ones(1))
    with pytest.raises(NotImplementedError, match="use SGD, Adam or another"):
        opt.Optimizer(0.1, [p]).step()


def test_arguments_that_change_nothing_are_taken() -> None:
    p = Parameter([1.0])
    opt.Adam(0.1, parameters=[p], lazy_mode=True, use_multi_tensor=True)
    opt.AdamW(0.1, parameters=(p,), lazy_mode=True, use_lowprecision_moment=True)
    opt.Momentum(0.1, parameters=iter([p]), use_multi_tensor=True)
