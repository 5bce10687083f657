"""Tensors: printing, attributes, conversions, sharing of memory, in-place ops, parameters."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import dualgraph as dg

INF, NAN = float("inf"), float("nan")


def t(data: Any, dtype: str | None = None) -> Any:
    return dg.to_tensor(data, dtype=dtype)


def leaf(*values: float) -> Any:
    return dg.to_tensor(list(map(float, values)), stop_gradient=False)


# ---- printing ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda: t(1.5), "shape=[], dtype=float32| 1.50000000"),
        (lambda: t([1.5]), "shape=[1], dtype=float32| [1.50000000]"),
        (lambda: t(3), "shape=[], dtype=int64| 3"),
        (lambda: t([3]), "shape=[1], dtype=int64| [3]"),
        (lambda: t(True), "shape=[], dtype=bool| True"),
        (
            lambda: t([[1.0, 2], [3, 4.5]]),
            "shape=[2, 2], dtype=float32| [[1.        , 2.        ],| [3.        , 4.50000000]]",
        ),
        (lambda: t([[1, 2], [3, 4]]), "shape=[2, 2], dtype=int64| [[1, 2],| [3, 4]]"),
        (lambda: t([True, False]), "shape=[2], dtype=bool| [True , False]"),
        (lambda: t([[True], [False]]), "shape=[2, 1], dtype=bool| [[True ],| [False]]"),
        (lambda: t([[1.0, 2.0]], "float64"), "shape=[1, 2], dtype=float64| [[1., 2.]]"),
        (lambda: t([0.1], "float64"), "shape=[1], dtype=float64| [0.10000000]"),
        (lambda: t([1.0, 2.0], "float16"), "shape=[2], dtype=float16| [1., 2.]"),
        (lambda: t([1.0, NAN, INF]), "shape=[3], dtype=float32| [1.  , nan , inf.]"),
        (lambda: t([-INF, 1]), "shape=[2], dtype=float32| [-inf.,  1.  ]"),
        (lambda: t([NAN, NAN]), "shape=[2], dtype=float32| [nan, nan]"),
        (lambda: t([1e10, 1.0]), "shape=[2], dtype=float32| [10000000000., 1.          ]"),
        (lambda: t([1e-10, 1.0]), "shape=[2], dtype=float32| [0.00000000, 1.        ]"),
        (lambda: t([100000.0, 0.001]), "shape=[2], dtype=float32| [100000.   , 0.00100000]"),
        (
            lambda: t([-1.0, 20, 3.25]),
            "shape=[3], dtype=float32| [-1.       ,  20.      , 3.25000000]",
        ),
        (lambda: t([1, -20, 300], "int32"), "shape=[3], dtype=int32| [ 1 , -20, 300]"),
        (lambda: t([1], "uint8"), "shape=[1], dtype=uint8| [1]"),
        (lambda: t([1 / 3, 2 / 3]), "shape=[2], dtype=float32| [0.33333334, 0.66666669]"),
        (lambda: t(1e-5), "shape=[], dtype=float32| 0.00001000"),
        (lambda: t(123456789.0), "shape=[], dtype=float32| 123456792."),
        (lambda: dg.zeros([0]), "shape=[0], dtype=float32| []"),
        (lambda: dg.zeros([2, 0]), "shape=[2, 0], dtype=float32| [[],| []]"),
        (
            lambda: dg.ones([2, 2, 2]),
            "shape=[2, 2, 2], dtype=float32| [[[1., 1.],| [1., 1.]],|| [[1., 1.],| [1., 1.]]]",
        ),
        (
            lambda: dg.arange(1200),
            "shape=[1200], dtype=int64| [0   , 1   , 2   , ..., 1197, 1198, 1199]",
        ),
        (lambda: dg.zeros([2000]), "shape=[2000], dtype=float32| [0., 0., 0., ..., 0., 0., 0.]"),
        (
            lambda: dg.ones([1100, 2]),
            "shape=[1100, 2], dtype=float32| [[1., 1.],| [1., 1.],| [1., 1.],| ...,"
            "| [1., 1.],| [1., 1.],| [1., 1.]]",
        ),
        (
            lambda: dg.arange(30.0),
            "shape=[30], dtype=float32"
            "| [0. , 1. , 2. , 3. , 4. , 5. , 6. , 7. , 8. , 9. , 10., 11., 12., 13.,"
            "| 14., 15., 16., 17., 18., 19., 20., 21., 22., 23., 24., 25., 26., 27.,| 28., 29.]",
        ),
    ],
)
def test_repr(make: Callable[[], Any], expected: str) -> None:
    """`|` stands for a line break with the indentation that numpy-like nesting asks for."""
    head, *body = expected.split("|")
    text = repr(make())
    assert str(make()) == text
    first, *rest = text.split("\n")
    assert first == f"Tensor({head}, place=Place(cpu), stop_gradient=True,"
    assert [line.strip() for line in rest] == [
        re.sub(r"^\s", "", line).strip() for line in body[:-1]
    ] + [body[-1].strip() + ")"]


def test_repr_indents_by_nesting_and_leaves_a_blank_line_between_matrices() -> None:
    assert repr(dg.ones([2, 2, 2])) == (
        "Tensor(shape=[2, 2, 2], dtype=float32, place=Place(cpu), stop_gradient=True,\n"
        "       [[[1., 1.],\n         [1., 1.]],\n\n        [[1., 1.],\n         [1., 1.]]])"
    )


def test_repr_of_a_large_matrix_is_summarised_both_ways() -> None:
    assert repr(dg.arange(1200.0).reshape([100, 12])) == (
        "Tensor(shape=[100, 12], dtype=float32, place=Place(cpu), stop_gradient=True,\n"
        "       [[0.   , 1.   , 2.   , ..., 9.   , 10.  , 11.  ],\n"
        "        [12.  , 13.  , 14.  , ..., 21.  , 22.  , 23.  ],\n"
        "        [24.  , 25.  , 26.  , ..., 33.  , 34.  , 35.  ],\n"
        "        ...,\n"
        "        [1164., 1165., 1166., ..., 1173., 1174., 1175.],\n"
        "        [1176., 1177., 1178., ..., 1185., 1186., 1187.],\n"
        "        [1188., 1189., 1190., ..., 1197., 1198., 1199.]])"
    )


def test_repr_of_what_needs_gradients() -> None:
    x = leaf(1, 2)
    head = "Tensor(shape=[2], dtype=float32, place=Place(cpu), stop_gradient=False,\n"
    assert repr(x) == head + "       [1., 2.])"
    assert repr(x * x) == head + "       [1., 4.])"
    assert repr(dg.nn.Linear(3, 2).bias) == "Parameter containing:\n" + head + "       [0., 0.])"


def test_format_of_a_0d_tensor_is_that_of_its_number() -> None:
    assert f"{t(1.5)}|{t(1.5):.2f}|{t(3):04d}" == "1.5|1.50|0003"
    assert f"{t([1.5])}" == repr(t([1.5]))
    with pytest.raises(TypeError):
        f"{t([1.5, 2]):.3f}"


@pytest.fixture
def print_options() -> Iterator[Callable[..., None]]:
    yield dg.set_printoptions
    dg.set_printoptions(precision=8, threshold=1000, edgeitems=3, linewidth=80, sci_mode=False)


def test_print_options(print_options: Callable[..., None]) -> None:
    print_options(precision=3, threshold=5, edgeitems=1, linewidth=40)
    assert repr(dg.arange(10.0)).endswith("\n       [0., ..., 9.])")
    print_options(sci_mode=True)
    assert repr(t([1.5, 2])).endswith("\n       [1.500e+00, 2.000e+00])")


# ---- attributes and conversions ------------------------------------------------------------------


def test_attributes() -> None:
    x = t([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    assert isinstance(x.shape, list)
    assert (x.shape, x.ndim, x.dim(), x.size) == ([2, 3], 2, 2, 6)
    assert (x.numel().item(), x.numel().shape) == (6, [])
    assert x.T.tolist() == [[1.0, 4.0], [2.0, 5.0], [3.0, 6.0]]
    assert str(x.place) == "Place(cpu)"
    assert (x.is_leaf, x.stop_gradient, x.grad, x.persistable) == (True, True, None, False)
    assert x.element_size() == 4
    assert x.dtype == dg.float32
    assert str(x.dtype).endswith(".float32")
    assert dg.is_tensor(x)
    assert not dg.is_tensor(1)
    assert isinstance(x, dg.Tensor)


def test_shape_is_a_copy_and_read_only() -> None:
    x = dg.ones([2, 3])
    x.shape.append(4)
    assert x.shape == [2, 3]
    with pytest.raises(AttributeError):
        x.shape = [3, 2]
    with pytest.raises(AttributeError):
        _ = x.no_such_attribute


def test_names_count_up() -> None:
    assert re.fullmatch(r"generated_tensor_\d+", t([1.0]).name)
    assert re.fullmatch(r"eager_tmp_\d+", (t([1.0]) + 1).name)
    x = t([1.0])
    x.name = "mine"
    assert x.name == "mine"


def test_item() -> None:
    x = t([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    assert [x.item(0), x.item(5), x.item(1, 2), t(2.5).item(), t([2.5]).item()] == [
        1.0,
        6.0,
        6.0,
        2.5,
        2.5,
    ]
    assert [type(t(v).item()) for v in (1.5, 3, True)] == [float, int, bool]


@pytest.mark.parametrize("args", [(), (6,), (1, 3), (0, 0, 0)])
def test_item_of_a_wrong_position_raises(args: tuple[int, ...]) -> None:
    with pytest.raises((ValueError, IndexError)):
        dg.ones([2, 3]).item(*args)


def test_conversions_of_0d() -> None:
    assert (float(t(2.5)), int(t(2.5)), bool(t(2.5)), complex(t(2.5))) == (2.5, 2, True, 2.5 + 0j)
    assert [1, 2, 3][t(1)] == 2
    assert list(range(t(3))) == [0, 1, 2]
    assert (t(1).tolist(), t(1).numpy().shape) == (1, ())


@pytest.mark.ours("numpy 2.4 breaks Paddle's conversion of one-element tensors that are not 0-d")
def test_conversions_of_one_element() -> None:
    assert (float(t([2.5])), int(t([[2.7]])), bool(t([0.0]))) == (2.5, 2, False)
    assert [1, 2, 3][t([1])] == 2
    assert list(range(t([3]))) == [0, 1, 2]


@pytest.mark.ours("Paddle raises AssertionError")
@pytest.mark.parametrize("convert", [float, int, bool, lambda x: x.__index__()])
def test_conversions_of_many_elements_raise(convert: Callable[[Any], Any]) -> None:
    with pytest.raises((ValueError, TypeError)):
        convert(dg.ones([2]))


@pytest.mark.ours("Paddle raises AssertionError")
def test_the_truth_of_many_or_no_elements_is_a_value_error() -> None:
    for shape in ([2], [0]):
        with pytest.raises(ValueError, match=r"."):
            bool(dg.ones(shape))


@pytest.mark.ours("Paddle raises AssertionError")
def test_0d_has_no_length_and_cannot_be_iterated() -> None:
    with pytest.raises(TypeError):
        len(t(1))
    with pytest.raises(TypeError):
        list(t(1))


def test_length_iteration_containment_and_hash() -> None:
    x = t([[1.0, 2.0], [3.0, 4.0]])
    assert len(x) == 2
    assert [row.tolist() for row in x] == [[1.0, 2.0], [3.0, 4.0]]
    assert len({x, x + 0}) == 2
    assert t(5.0) in list(t([5.0]))


def test_numpy_and_arrays() -> None:
    x = t([[1.0, 2.0], [3.0, 4.0]])
    assert x.tolist() == [[1.0, 2.0], [3.0, 4.0]]
    assert x.numpy().dtype == np.float32
    assert np.asarray(x).dtype == np.float32
    assert np.array(x, dtype="float64").dtype == np.float64
    assert np.array([t(1), t(2)]).tolist() == [1, 2]
    x.numpy()[0, 0] = 9
    assert x.tolist()[0] == [1.0, 2.0]


def test_numpy_of_what_needs_gradients_is_allowed() -> None:
    assert (leaf(1, 2) * 2).numpy().tolist() == [2.0, 4.0]


def test_astype_cpu_and_to() -> None:
    x = t([1.0])
    assert x.astype("float32") is x
    assert x.cpu() is x
    assert x.clone() is not x
    assert x.to("float64").dtype == dg.float64
    assert x.to("cpu").tolist() == [1.0]
    assert x.astype(dg.int32).tolist() == [1]


def test_tensor_class_makes_tensors() -> None:
    assert dg.Tensor([1, 2]).tolist() == [1.0, 2.0]
    assert dg.Tensor(2, 3).shape == [2, 3]


def test_deepcopy_and_extra_attributes() -> None:
    x = leaf(1, 2)
    y = copy.deepcopy(x)
    y.detach().fill_(5.0)
    assert (x.tolist(), y.tolist(), y.stop_gradient) == ([1.0, 2.0], [5.0, 5.0], False)
    x.mine = 3
    assert x.mine == 3


def test_assigning_grad_and_stop_gradient() -> None:
    x = leaf(1, 2)
    x.grad = t([1.0, 1.0])
    (x * x).sum().backward()
    assert x.grad.tolist() == [3.0, 5.0]
    x.grad = None
    assert x.grad is None
    with pytest.raises((TypeError, ValueError)):
        x.grad = 1.0
    with pytest.raises(TypeError):
        x.stop_gradient = 1


# ---- set_value -----------------------------------------------------------------------------------


def test_set_value_takes_arrays_and_tensors() -> None:
    x = leaf(1, 2)
    x.set_value(np.array([3.0, 4.0], "float32"))
    assert x.tolist() == [3.0, 4.0]
    x.set_value(dg.zeros([2]))
    assert (x.tolist(), x.stop_gradient) == ([0.0, 0.0], False)


@pytest.mark.ours("Paddle raises AssertionError")
@pytest.mark.parametrize(
    "value",
    [np.ones(2), np.ones((2, 1), "float32"), np.ones(3, "float32"), np.ones(2, "int32"), "a"],
    ids=str,
)
def test_set_value_refuses_other_shapes_and_dtypes_and_keeps_the_value(value: Any) -> None:
    x = leaf(1, 2)
    with pytest.raises((ValueError, TypeError)):
        x.set_value(value)
    assert x.tolist() == [1.0, 2.0]


@pytest.mark.ours("Paddle bumps no version")
def test_set_value_bumps_the_version() -> None:
    x = t([1.0])
    x.set_value(np.zeros(1, "float32"))
    assert x.inplace_version == 1


# ---- sharing of memory ---------------------------------------------------------------------------

VIEWS: dict[str, Callable[[Any], Any]] = {
    "slice": lambda a: a[1:2],
    "negative step": lambda a: a[::-1],
    "row": lambda a: a[1],
    "element": lambda a: a[1, 1],
    "reshape": lambda a: a.reshape([4]),
    "transpose": lambda a: a.transpose([1, 0]),
    "T": lambda a: a.T,
    "flatten": lambda a: a.flatten(),
    "squeeze": lambda a: a.unsqueeze(0).squeeze(0),
    "unsqueeze": lambda a: a.unsqueeze(0),
    "unbind": lambda a: a.unbind(0)[1],
    "iteration": lambda a: list(a)[1],
    "detach": lambda a: a.detach(),
    "view": lambda a: a.view([4]),
}
COPIES: dict[str, Callable[[Any], Any]] = {
    "split": lambda a: a.split(2)[1],
    "chunk": lambda a: a.chunk(2)[1],
    "expand": lambda a: a.expand([2, 2, 2]),
    "list": lambda a: a[[1]],
    "clone": lambda a: a.clone(),
    "to_tensor": lambda a: dg.to_tensor(a.numpy()),
    "assign": dg.assign,
    "mask": lambda a: a[dg.ones([2, 2]).astype("bool")],
}


@pytest.mark.parametrize("name", VIEWS)
def test_views_write_through_both_ways(name: str) -> None:
    a = t([[1.0, 2.0], [3.0, 4.0]])
    v = VIEWS[name](a)
    v.fill_(9.0)
    assert 9.0 in a.numpy()
    a.fill_(7.0)
    assert (v.numpy() == 7.0).all()


@pytest.mark.parametrize("name", COPIES)
def test_copies_are_their_own(name: str) -> None:
    a = t([[1.0, 2.0], [3.0, 4.0]])
    COPIES[name](a).fill_(9.0)
    assert a.tolist() == [[1.0, 2.0], [3.0, 4.0]]


def test_to_tensor_copies_its_array() -> None:
    n = np.array([1.0, 2.0], "float32")
    a = t(n)
    n[0] = 9
    assert a.tolist() == [1.0, 2.0]


def test_augmented_assignment_rebinds_but_an_indexed_one_writes() -> None:
    a = t([1.0, 2.0])
    b = a
    a += 1
    assert (a.tolist(), b.tolist()) == ([2.0, 3.0], [1.0, 2.0])
    a[0] += 5
    assert a.tolist() == [7.0, 3.0]


# ---- in-place ops --------------------------------------------------------------------------------

IN_PLACE: dict[str, tuple[Callable[[Any], Any], list[float]]] = {
    "add_": (lambda x: x.add_(t([1.0, 1.0])), [2.0, 3.0]),
    "subtract_": (lambda x: x.subtract_(t([1.0, 1.0])), [0.0, 1.0]),
    "multiply_": (lambda x: x.multiply_(t([3.0, 3.0])), [3.0, 6.0]),
    "scale_": (lambda x: x.scale_(2.0), [2.0, 4.0]),
    "clip_": (lambda x: x.clip_(0.0, 1.5), [1.0, 1.5]),
    "zero_": (lambda x: x.zero_(), [0.0, 0.0]),
    "fill_": (lambda x: x.fill_(3.0), [3.0, 3.0]),
    "index": (lambda x: x.__setitem__(0, 5.0), [5.0, 2.0]),
}


@pytest.mark.parametrize("name", IN_PLACE)
def test_in_place_ops_write_and_bump_the_version(name: str) -> None:
    run, expected = IN_PLACE[name]
    x = t([1.0, 2.0])
    out = run(x)
    assert out is x or name == "index"
    assert (x.tolist(), x.inplace_version) == (expected, 1)


@pytest.mark.parametrize("name", IN_PLACE)
def test_in_place_on_a_leaf_that_needs_gradients_is_a_value_error(name: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        IN_PLACE[name][0](leaf(1, 2))


@pytest.mark.ours("Paddle raises after having changed the value")
@pytest.mark.parametrize("name", IN_PLACE)
def test_a_refused_in_place_op_changes_nothing(name: str) -> None:
    x = leaf(1, 2)
    with pytest.raises(ValueError, match=r"."):
        IN_PLACE[name][0](x)
    assert (x.tolist(), x.inplace_version) == ([1.0, 2.0], 0)


def test_in_place_on_a_leaf_is_allowed_under_no_grad() -> None:
    x = leaf(1, 2)
    with dg.no_grad():
        x.add_(t([1.0, 1.0]))
    assert (x.tolist(), x.stop_gradient, x.is_leaf) == ([2.0, 3.0], False, True)


def test_views_share_one_version() -> None:
    a = t([1.0, 2.0])
    d, v = a.detach(), a[0:1]
    v.zero_()
    d.add_(d)
    assert (a.inplace_version, d.inplace_version, v.inplace_version) == (2, 2, 2)
    assert a.clone().inplace_version == 0


@pytest.mark.parametrize(
    ("change", "gradient", "value"),
    [
        (lambda x, y: y.add_(t([1.0, 1.0])), [2.0, 2.0], [3.0, 5.0]),
        (lambda x, y: y.__setitem__(0, 7.0), [0.0, 2.0], [7.0, 4.0]),
        (lambda x, y: y.__setitem__(0, x[1]), [0.0, 3.0], [2.0, 4.0]),
    ],
)
def test_gradients_through_in_place_ops(
    change: Any, gradient: list[float], value: list[float]
) -> None:
    x = leaf(1, 2)
    y = x * 2
    change(x, y)
    y.sum().backward()
    assert (x.grad.tolist(), y.tolist()) == (gradient, value)


def square_then_change_the_factor(y: Any) -> Any:
    z = y * y
    y.add_(t([1.0, 1.0]))
    return z


def exp_then_change_the_result(y: Any) -> Any:
    z = dg.exp(y)
    out = z.sum()
    z.zero_()
    return out


def relu_then_change_the_result(y: Any) -> Any:
    z = dg.nn.functional.relu(y)
    out = z * 1
    z.zero_()
    return out


@pytest.mark.parametrize(
    "run", [square_then_change_the_factor, exp_then_change_the_result, relu_then_change_the_result]
)
def test_backward_through_an_overwritten_value_is_a_runtime_error(
    run: Callable[[Any], Any],
) -> None:
    out = run(leaf(1, 2) * 2)
    with pytest.raises(RuntimeError):
        out.sum().backward()


def test_values_that_backward_does_not_need_may_be_overwritten() -> None:
    x = leaf(1, 2)
    y = x * 2
    z = y + y
    y.add_(t([1.0, 1.0]))
    z.sum().backward()
    assert x.grad.tolist() == [4.0, 4.0]


def test_adding_in_place_what_needs_gradients_makes_the_target_need_them() -> None:
    x, y = t([1.0, 2.0]), leaf(3, 4)
    x.add_(y)
    assert (x.stop_gradient, x.is_leaf) == (False, False)
    x.sum().backward()
    assert y.grad.tolist() == [1.0, 1.0]


# ---- parameters ----------------------------------------------------------------------------------


def test_parameters() -> None:
    p = dg.create_parameter([2], "float32")
    assert (p.stop_gradient, p.is_leaf, p.persistable, p.trainable) == (False, True, True, True)
    p.trainable = False
    assert p.stop_gradient
    p.stop_gradient = False
    assert p.trainable
    assert dg.create_parameter([2], "float32", is_bias=True).tolist() == [0.0, 0.0]
    three = dg.nn.initializer.Constant(3.0)
    named = dg.create_parameter([2], "float32", name="mine", default_initializer=three)
    assert (named.name, named.tolist()) == ("mine", [3.0, 3.0])
