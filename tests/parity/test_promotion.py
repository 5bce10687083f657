"""Result dtypes of binary ops: tensor with tensor, 0-d tensor, Python scalar, array."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import dualgraph as dg
from tests.parity.codes import CODES, Function, cases, check, code_of, ones

OPERATORS: dict[str, Function] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "//": operator.floordiv,
    "%": operator.mod,
    "**": operator.pow,
    "@": operator.matmul,
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    ">=": operator.ge,
    "maximum": dg.maximum,
    "minimum": dg.minimum,
}


# ---- tensor with tensor --------------------------------------------------------------------------

#             b   u1  i1  i2  i4  i8  f2  f4  f8      both sides of the same type
SAME = {
    "+": "    b   u1  i1  i2  i4  i8  f2* f4  f8",
    "-": "    ?   u1* i1* i2  i4  i8  f2* f4  f8",
    "*": "    b   u1* i1* i2* i4  i8  f2* f4  f8",
    "/": "    ?   f4  f4  f4  f4  f4  f2* f4  f8",
    "//": "   ?   u1  i1  i2  i4  i8  f2  f4  f8",
    "%": "    ?   u1* i1* i2* i4  i8  f2* f4  f8",
    "**": "   ?   u1* i1* i2* i4  i8  f2* f4  f8",
    "==": "   b   b   b   b   b   b   b   b   b",
    "!=": "   b   b   b   b   b   b   b   b   b",
    "<": "    b   b   b   b   b   b   b   b   b",
    ">=": "   b   b   b   b   b   b   b   b   b",
    "maximum": "? u1* i1* i2* i4  i8  f2* f4  f8",
    "minimum": "? u1* i1* i2* i4  i8  f2* f4  f8",
}
WIDER_FLOAT = {
    "f2 f4": "f4",
    "f2 f8": "f8",
    "f4 f8": "f8",
    "f4 f2": "f4",
    "f8 f2": "f8",
    "f8 f4": "f8",
}


def pair_cell(op: str, x: str, y: str) -> str:
    """Unequal types: only float with float is accepted, and gives the wider one."""
    if x == y:
        return SAME[op].split()[CODES.index(x)]
    wider = WIDER_FLOAT.get(f"{x} {y}", "-")
    return "b" if wider != "-" and op in ("==", "!=", "<", ">=") else wider


@pytest.mark.parametrize(
    ("op", "x", "y", "expected"),
    cases([(op, x, y, pair_cell(op, x, y)) for op in SAME for x in CODES for y in CODES]),
)
def test_tensor_with_tensor(op: str, x: str, y: str, expected: str) -> None:
    check(expected, lambda: OPERATORS[op](ones([2, 2], x), ones([2, 2], y)))


# matmul takes its first operand's type and casts the second; int @ float truncates: unchecked
MATMUL = """
   b   u1  i1  i2  i4  i8  f2  f4  f8
b  ?   ?   ?   ?   ?   ?   ?   ?   ?
u1 ?   ?   ?   ?   ?   ?   ?   ?   ?
i1 ?   ?   ?   ?   ?   ?   ?   ?   ?
i2 ?   ?   ?   ?   ?   ?   ?   ?   ?
i4 ?   ?   ?   ?   i4  i4  ?   ?   ?
i8 ?   ?   ?   ?   i8  i8  ?   ?   ?
f2 ?   ?   ?   ?   ?   ?   f2* ?   ?
f4 f4  f4  f4  f4  f4  f4  f4  f4  f4
f8 f8  f8  f8  f8  f8  f8  f8  f8  f8
"""


def grid(table: str) -> list[tuple[str, str, str]]:
    """The (row, column, cell) triples of a table with a header line."""
    header, *rows = [line.split() for line in table.strip().splitlines()]
    return [(row[0], x, cell) for row in rows for x, cell in zip(header, row[1:], strict=True)]


@pytest.mark.parametrize(("x", "y", "expected"), cases(grid(MATMUL)))
def test_matmul(x: str, y: str, expected: str) -> None:
    check(expected, lambda: ones([2, 2], x) @ ones([2, 2], y))


# ---- tensor with 0-d tensor ---------------------------------------------------------------------
# A 0-d tensor counts as a scalar: it decides only if of a higher kind (bool < int < float).

BOTH_0D = """
   b   u1  i1  i2  i4  i8  f2  f4  f8
b  b   u1  i1  i2  i4  i8  f2* f4  f8
u1 u1  u1  i2  i2  i4  i8  f2* f4  f8
i1 i1  i2  i1  i2  i4  i8  f2* f4  f8
i2 i2  i2  i2  i2  i4  i8  f2* f4  f8
i4 i4  i4  i4  i4  i4  i8  f2* f4  f8
i8 i8  i8  i8  i8  i8  i8  f2* f4  f8
f2 f2* f2* f2* f2* f2* f2* f2* f4  f8
f4 f4  f4  f4  f4  f4  f4  f4  f4  f8
f8 f8  f8  f8  f8  f8  f8  f8  f8  f8
"""
SHAPED_WITH_0D = """
   b   u1  i1  i2  i4  i8  f2  f4  f8
b  b   u1  i1  i2  i4  i8  f2* f4  f8
u1 u1  u1  u1  u1  u1  u1  f2* f4  f8
i1 i1  i1  i1  i1  i1  i1  f2* f4  f8
i2 i2  i2  i2  i2  i2  i2  f2* f4  f8
i4 i4  i4  i4  i4  i4  i4  f2* f4  f8
i8 i8  i8  i8  i8  i8  i8  f2* f4  f8
f2 f2* f2* f2* f2* f2* f2* f2* f2* f2*
f4 f4  f4  f4  f4  f4  f4  f4  f4  f4
f8 f8  f8  f8  f8  f8  f8  f8  f8  f8
"""


@pytest.mark.parametrize(("x", "y", "expected"), cases(grid(BOTH_0D)))
def test_0d_plus_0d(x: str, y: str, expected: str) -> None:
    check(expected, lambda: ones([], x) + ones([], y))


@pytest.mark.parametrize(("x", "y", "expected"), cases(grid(SHAPED_WITH_0D)))
def test_shaped_plus_0d_and_the_reverse(x: str, y: str, expected: str) -> None:
    check(expected, lambda: ones([2], x) + ones([], y))
    check(expected, lambda: ones([], y) + ones([2], x))


WITH_KERNELS = ("i4", "i8", "f4", "f8")


@pytest.mark.parametrize("op", ["-", "*", "%", "**"])
def test_other_arithmetic_treats_0d_as_addition_does(op: str) -> None:
    run = OPERATORS[op]
    for x, y, expected in grid(SHAPED_WITH_0D):
        if x in WITH_KERNELS and y in WITH_KERNELS:
            check(expected, lambda x=x, y=y: run(ones([2], x), ones([], y)))
            check(expected, lambda x=x, y=y: run(ones([], y), ones([2], x)))


@pytest.mark.parametrize("x", WITH_KERNELS)
@pytest.mark.parametrize("y", WITH_KERNELS)
def test_division_with_0d_is_floating_and_comparison_is_bool(x: str, y: str) -> None:
    expected = x if x[0] == "f" else (y if y[0] == "f" else "f4")
    check(expected, lambda: ones([2], x) / ones([], y))
    for op in ("==", "!=", "<", ">="):
        check("b", lambda op=op: OPERATORS[op](ones([2], x), ones([], y)))
        check("b", lambda op=op: OPERATORS[op](ones([], y), ones([2], x)))


@pytest.mark.parametrize(("x", "y", "expected"), grid(BOTH_0D.replace("*", " ")))
def test_floor_division_by_0d_uses_the_table_of_two_0d(x: str, y: str, expected: str) -> None:
    if (x, y) != ("b", "b"):
        check(expected, lambda: ones([2], x) // ones([], y))


@pytest.mark.parametrize("op", ["maximum", "minimum"])
@pytest.mark.parametrize(
    ("x", "y", "expected"),
    [("i4", "i8", "-"), ("f4", "i8", "-"), ("f4", "f8", "f8"), ("f8", "f4", "f8")],
)
def test_maximum_and_minimum_give_0d_no_privilege(op: str, x: str, y: str, expected: str) -> None:
    check(expected, lambda: OPERATORS[op](ones([2], x), ones([], y)))


@pytest.mark.parametrize(
    ("x", "y", "expected"),
    [("b", "b", "b"), ("i4", "i4", "i4"), ("f4", "f8", "f8"), ("i4", "f4", "-"), ("i4", "i8", "-")],
)
def test_where(x: str, y: str, expected: str) -> None:
    check(expected, lambda: dg.where(dg.to_tensor([True, False]), ones([2], x), ones([2], y)))


@pytest.mark.parametrize("join", [dg.concat, dg.stack])
@pytest.mark.parametrize(("x", "y"), [("i4", "i8"), ("f4", "f8"), ("f4", "i8"), ("b", "i8")])
def test_concat_and_stack_promote_nothing(join: Function, x: str, y: str) -> None:
    with pytest.raises((TypeError, ValueError)):
        join([ones([2], x), ones([2], y)])


@pytest.mark.parametrize("op", [operator.and_, operator.or_, operator.xor])
def test_bitwise_operators_keep_the_type_and_refuse_mixtures(op: Function) -> None:
    for code in ("b", "u1", "i1", "i2", "i4", "i8"):
        assert code_of(op(ones([2], code), ones([2], code))) == code
    with pytest.raises((TypeError, ValueError)):
        op(ones([2], "i4"), ones([2], "i8"))


# ---- tensor with Python scalar -------------------------------------------------------------------

#              True 2   1.5
SCALAR = {
    "b": "     ?    i8  f4",
    "u1": "    u1   u1  f4",
    "i1": "    i1   i1  f4",
    "i2": "    i2   i2  f4",
    "i4": "    i4   i4  f4",
    "i8": "    i8   i8  f4",
    "f2": "    f2   f2  f2",
    "f4": "    f4   f4  f4",
    "f8": "    f8   f8  f8",
}
SCALARS = (True, 2, 1.5)
NO_KERNEL = {  # pairs of type and scalar that Paddle's CPU build cannot compute, either way round
    "+": {"f2 True"},
    "-": {"u1 True", "i1 True", "f2 True"},
    "*": {"u1 True", "i1 True", "i2 True", "f2 True"},
    "%": {"u1 True", "i1 True", "i2 True", "u1 2", "i1 2", "i2 2", "f2 True", "f2 2", "f2 1.5"},
}
NO_KERNEL["**"] = NO_KERNEL["%"]


def scalar_rows(op: str) -> list[tuple[Any, ...]]:
    out = []
    for x, row in SCALAR.items():
        for scalar, cell in zip(SCALARS, row.split(), strict=True):
            star = "*" if f"{x} {scalar}" in NO_KERNEL.get(op, ()) else ""
            out.append((op, x, scalar, cell + star))
    return out


@pytest.mark.parametrize(
    ("op", "x", "scalar", "expected"),
    cases([row for op in ("+", "-", "*", "//", "%", "**") for row in scalar_rows(op)]),
)
@pytest.mark.parametrize("shape", [[2], []], ids=["shaped", "0d"])
def test_scalar_on_either_side(
    op: str, x: str, scalar: Any, expected: str, shape: list[int]
) -> None:
    check(expected, lambda: OPERATORS[op](ones(shape, x), scalar))
    check(expected, lambda: OPERATORS[op](scalar, ones(shape, x)))


@pytest.mark.parametrize("scalar", SCALARS)
@pytest.mark.parametrize("x", ["u1", "i1", "i2", "i4", "i8", "f4", "f8"])
def test_true_division_with_a_scalar_is_floating(x: str, scalar: Any) -> None:
    expected = x if x[0] == "f" else "f4"
    check(expected, lambda: ones([2], x) / scalar)
    check(expected, lambda: scalar / ones([2], x))


@pytest.mark.parametrize("scalar", SCALARS)
@pytest.mark.parametrize("x", CODES)
def test_comparison_with_a_scalar_is_bool(x: str, scalar: Any) -> None:
    for op in ("==", "!=", "<", ">="):
        check("b", lambda op=op: OPERATORS[op](ones([2], x), scalar))
        check("b", lambda op=op: OPERATORS[op](scalar, ones([2], x)))


@pytest.mark.parametrize("name", ["add", "subtract", "multiply", "divide", "maximum", "minimum"])
def test_named_functions_want_tensors_not_scalars(name: str) -> None:
    with pytest.raises((TypeError, ValueError)):
        getattr(dg, name)("1", dg.to_tensor([1.0]))


@pytest.mark.ours("Paddle returns the tensor unchanged")
@pytest.mark.parametrize("op", ["+", "-", "*", "/", "//", "%", "**", "<"])
def test_arithmetic_with_a_string_is_a_type_error(op: str) -> None:
    with pytest.raises(TypeError):
        OPERATORS[op](dg.to_tensor([1.0, 2.0]), "a")


@pytest.mark.parametrize("op", ["+", "-"])
@pytest.mark.parametrize("other", [None, [1.0, 2.0]], ids=str)
def test_arithmetic_with_none_or_a_list_is_a_type_error(op: str, other: Any) -> None:
    with pytest.raises(TypeError):
        OPERATORS[op](dg.to_tensor([1.0, 2.0]), other)


def test_comparison_with_none_is_a_plain_bool() -> None:
    x = dg.to_tensor([1])
    assert (x == None) is False  # noqa: E711
    assert (x != None) is True  # noqa: E711


@pytest.mark.parametrize(("dtype", "expected"), [("float32", "f4"), ("float64", "f8")])
def test_numpy_arrays_count_as_tensors_on_either_side(dtype: str, expected: str) -> None:
    x, a = dg.to_tensor([1.0, 2.0]), np.array([1.0, 2.0], dtype)
    for sum_ in (x + a, a + x):
        assert isinstance(sum_, dg.Tensor)
        assert code_of(sum_) == expected
        assert sum_.tolist() == [2.0, 4.0]


# ---- values that depend on the rules -------------------------------------------------------------


@pytest.mark.parametrize(
    ("run", "expected"),
    [
        (lambda t: t([7, -7, 7, -7]) // t([2, 2, -2, -2]), [3, -4, -4, 3]),
        (lambda t: t([7, -7, 7, -7]) % t([2, 2, -2, -2]), [1, 1, -1, -1]),
        (lambda t: t([7.0, -7, 7, -7]) // t([2.0, 2, -2, -2]), [3.0, -4.0, -4.0, 3.0]),
        (lambda t: t([7.5, -7.5, 7.5, -7.5]) % t([2.0, 2, -2, -2]), [1.5, 0.5, -0.5, -1.5]),
        (lambda t: t([1.0, -1.0]) // t([0.0, 0.0]), [np.inf, -np.inf]),
        (lambda t: t([1]) / t([0]), [np.inf]),
        (lambda t: t([True]) + t([True]), [True]),
        (lambda t: t([True]) + 1, [2]),
        (lambda t: t([3]) * 1.5, [4.5]),
        (lambda t: 2 - t([3]), [-1]),
        (lambda t: 2 ** t([3]), [8]),
        (lambda t: -7 // t([2]), [-4]),
        (lambda t: 7 % t([2]), [1]),
        (lambda t: 1 / t([2]), [0.5]),
        (lambda t: ~t([5]), [-6]),
        (lambda t: ~t([True, False]), [False, True]),
        (lambda t: t([5]) << t([1]), [10]),
        (lambda t: t([5]) ^ t([1]), [4]),
        (lambda t: t([1]) == 1.5, [False]),
        (lambda t: t([1]) < t(1.5), [True]),
        (lambda t: t([1, 2]) + t(1.5), [2.5, 3.5]),
        (lambda t: t([1, 2], dtype="int32") + t(3), [4, 5]),
        (lambda t: t([200], dtype="uint8") + 100, [44]),
        (lambda t: t([200], dtype="uint8") * 2, [144]),
        (lambda t: t([1, 2]) @ t([3, 4]), 11),
        (lambda t: t([[1.5, 2.0], [3.0, 4.0]]) @ t([[1, 2], [3, 4]]), [[7.5, 11.0], [15.0, 22.0]]),
        (lambda t: t([4], dtype="int32") ** 0.5, [2.0]),
    ],
)
def test_values(run: Callable[[Any], Any], expected: Any) -> None:
    assert run(dg.to_tensor).tolist() == expected


@pytest.mark.ours("Paddle raises its own EnforceNotMet")
@pytest.mark.parametrize("op", [operator.floordiv, operator.mod])
@pytest.mark.parametrize("zero", [0, "tensor"])
def test_integer_division_by_zero_raises(op: Function, zero: Any) -> None:
    divisor = dg.to_tensor([0]) if zero == "tensor" else zero
    with pytest.raises((ZeroDivisionError, ValueError)):
        op(dg.to_tensor([1]), divisor)


@pytest.mark.parametrize("op", [operator.add, operator.eq, operator.lt, dg.maximum])
def test_shapes_that_do_not_broadcast_are_a_value_error(op: Function) -> None:
    with pytest.raises(ValueError, match=r"."):
        op(dg.ones([2, 3]), dg.ones([2, 4]))


@pytest.mark.parametrize(
    ("x", "y"), [([2, 3], [2, 3]), ([], []), ([2], []), ([2, 3], [2])], ids=str
)
def test_matmul_of_shapes_that_do_not_meet_is_a_value_error(x: list[int], y: list[int]) -> None:
    with pytest.raises(ValueError, match=r"."):
        dg.ones(x) @ dg.ones(y)
