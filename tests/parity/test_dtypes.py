"""Dtypes of unary maths, reductions, creation functions and casts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import dualgraph as dg
from tests.parity.codes import CODES, NAMES, cases, code_of, ones

# ---- unary maths ---------------------------------------------------------------------------------

FLOATING = """exp log sqrt rsqrt sin cos tan tanh reciprocal log1p log2 log10 expm1 erf sinh cosh
asin acos atan"""
KEEPING = "abs sign floor ceil round square trunc neg"


@pytest.mark.parametrize("name", FLOATING.split())
def test_mathematics_on_integers_gives_float32(name: str) -> None:
    run = getattr(dg, name)
    for code, expected in {"i4": "f4", "i8": "f4", "f4": "f4", "f8": "f8"}.items():
        assert code_of(run(ones([2], code))) == expected, code


@pytest.mark.ours("Paddle's CPU build has no kernel for these types")
@pytest.mark.parametrize("name", FLOATING.split())
def test_mathematics_on_small_types(name: str) -> None:
    run = getattr(dg, name)
    for code, expected in {"u1": "f4", "i1": "f4", "i2": "f4", "f2": "f2"}.items():
        assert code_of(run(ones([2], code))) == expected, code


@pytest.mark.parametrize("name", KEEPING.split())
def test_rounding_and_the_like_keep_the_type(name: str) -> None:
    for code in ("i4", "i8", "f4", "f8"):
        assert code_of(getattr(dg, name)(ones([2], code))) == code


@pytest.mark.ours("Paddle's CPU build has no kernel for these types")
@pytest.mark.parametrize("name", KEEPING.split())
def test_rounding_and_the_like_keep_small_types(name: str) -> None:
    for code in ("u1", "i1", "i2", "f2"):
        assert code_of(getattr(dg, name)(ones([2], code))) == code


@pytest.mark.parametrize("name", ["isnan", "isinf", "isfinite"])
def test_float_tests_are_bool(name: str) -> None:
    for code in ("i4", "i8", "f2", "f4", "f8"):
        assert code_of(getattr(dg, name)(ones([2], code))) == "b"


def test_sigmoid_of_integers_is_float32_and_negation_wraps() -> None:
    assert code_of(dg.nn.functional.sigmoid(ones([2], "i8"))) == "f4"
    assert (-dg.to_tensor([1], dtype="uint8")).tolist() == [255]
    assert abs(dg.to_tensor([-1])).tolist() == [1]


def test_clip_follows_its_bounds_on_integers() -> None:
    x = dg.to_tensor([0, 1, 5], dtype="int32")
    assert code_of(dg.clip(x, 1, 3)) == "i4"
    assert code_of(dg.clip(x, 0.5, 1.5)) == "f4"
    assert code_of(dg.clip(x.astype("float64"), 0, 1)) == "f8"


# ---- reductions ----------------------------------------------------------------------------------

#                   b   u1  i1  i2  i4  i8  f2  f4  f8
REDUCED = {
    "sum": "        i8  u1  i1  i2  i8  i8  f2  f4  f8",
    "mean": "       ?   ?   ?   ?   i4  i8  f2* f4  f8",
    "prod": "       ?   u1* i1* i2* i4  i8  f2* f4  f8",
    "max": "        ?   u1* i1* i2* i4  i8  f2* f4  f8",
    "min": "        ?   u1* i1* i2* i4  i8  f2* f4  f8",
    "amax": "       ?   u1* i1* i2* i4  i8  f2* f4  f8",
    "amin": "       ?   u1* i1* i2* i4  i8  f2* f4  f8",
    "any": "        b   b*  b*  b*  b   b   b*  b   b",
    "all": "        b   b*  b*  b*  b   b   b*  b   b",
    "argmax": "     ?   i8  i8* i8  i8  i8  i8* i8  i8",
    "argmin": "     ?   i8  i8* i8  i8  i8  i8* i8  i8",
    "cumsum": "     ?   i8  i8  i8  i8  i8  f2* f4  f8",
    "logsumexp": "  ?   f4  f4  f4  f4  f4  f2* f4  f8",
    "std": "        ?   ?   ?   ?   f4  f4  f2* f4  f8",
    "var": "        ?   ?   ?   ?   i4  i8  f2* f4  f8",
    "nansum": "     ?   ?   ?   ?   i8  i8  f2* f4  f8",
    "nanmean": "    ?   ?   ?   ?   f4  f4  f2* f4  f8",
    "count_nonzero": "i8 i8 i8  i8  i8  i8  i8  i8  i8",
    "norm": "       ?   ?   ?   ?   ?   ?   f2* f4  f8",
    "sort": "       ?   u1  i1* i2  i4  i8  f2  f4  f8",
    "argsort": "    ?   i8  i8* i8  i8  i8  i8  i8  i8",
    "numel": "      i8  i8  i8  i8  i8  i8  i8  i8  i8",
}


@pytest.mark.parametrize(
    ("name", "x", "expected"),
    cases(
        [(n, x, c) for n, row in REDUCED.items() for x, c in zip(CODES, row.split(), strict=True)]
    ),
)
def test_reduction(name: str, x: str, expected: str) -> None:
    assert code_of(getattr(dg, name)(ones([2, 2], x))) == expected


def test_sum_takes_a_dtype() -> None:
    for code in CODES:
        assert code_of(dg.sum(ones([2], code), dtype="float64")) == "f8"


def test_argmax_takes_a_dtype_and_topk_gives_int64_indices() -> None:
    assert code_of(dg.argmax(dg.ones([2]), dtype="int32")) == "i4"
    for code in ("i4", "i8", "f4", "f8"):
        values, indices = dg.topk(ones([3], code), 1)
        assert (code_of(values), code_of(indices)) == (code, "i8")


# ---- creation ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "expected", "shape"),
    [
        (True, "b", []),
        (3, "i8", []),
        (1.5, "f4", []),
        ([True], "b", [1]),
        ([1], "i8", [1]),
        ([1.0], "f4", [1]),
        ([1, 2.0], "f4", [2]),
        ([True, 1], "i8", [2]),
        ([True, 1.5], "f4", [2]),
        ([[1, 2], [3.0, 4]], "f4", [2, 2]),
        ((), "f4", [0]),
        ([], "f4", [0]),
        ((1, 2), "i8", [2]),
        (np.float32(1), "f4", []),
        (np.float64(1), "f8", []),
        (np.int32(1), "i4", []),
        (np.int64(1), "i8", []),
        (np.bool_(True), "b", []),
        (np.ones(2), "f8", [2]),
        (np.ones(2, "float32"), "f4", [2]),
        (np.ones(2, "float16"), "f2", [2]),
        (np.ones(2, "int32"), "i4", [2]),
        (np.ones(2, "uint8"), "u1", [2]),
        (np.ones((2, 0)), "f8", [2, 0]),
        ([np.float64(1.0)], "f4", [1]),
        ([np.int32(1)], "i8", [1]),
        ([np.ones(2)], "f4", [1, 2]),
        (2**40, "i8", []),
    ],
    ids=repr,
)
def test_to_tensor(data: Any, expected: str, shape: list[int]) -> None:
    x = dg.to_tensor(data)
    assert (code_of(x), x.shape) == (expected, shape)
    assert x.stop_gradient


def test_to_tensor_of_tensors() -> None:
    x = dg.to_tensor([dg.ones([2]), dg.zeros([2])])
    assert (x.tolist(), code_of(x)) == ([[1.0, 1.0], [0.0, 0.0]], "f4")
    assert dg.to_tensor([dg.to_tensor(1), 2]).tolist() == [1, 2]


@pytest.mark.parametrize(
    ("data", "dtype", "expected"),
    [
        (3, "float32", 3.0),
        (3.7, "int32", 3),
        ([1.5, 2], "float64", [1.5, 2.0]),
        ([0, 2], "bool", [False, True]),
    ],
)
def test_to_tensor_with_a_dtype(data: Any, dtype: str, expected: Any) -> None:
    x = dg.to_tensor(data, dtype=dtype)
    assert str(x.dtype).endswith(dtype)
    assert x.tolist() == expected


@pytest.mark.parametrize("data", ["a", None, {}], ids=repr)
def test_to_tensor_of_other_things_is_a_type_error(data: Any) -> None:
    with pytest.raises(TypeError):
        dg.to_tensor(data)


def test_to_tensor_of_ragged_or_mixed_lists_raises() -> None:
    with pytest.raises(ValueError, match=r"."):
        dg.to_tensor([[1, 2], [3]])
    with pytest.raises((TypeError, ValueError)):
        dg.to_tensor([1, "a"])
    with pytest.raises((TypeError, ValueError)):
        dg.to_tensor(np.ones(2, "uint32"))
    with pytest.raises(TypeError):
        dg.to_tensor([1], dtype="foo")


@pytest.mark.parametrize(
    ("make", "expected", "values"),
    [
        (lambda: dg.zeros([2]), "f4", [0.0, 0.0]),
        (lambda: dg.zeros([2], "int32"), "i4", [0, 0]),
        (lambda: dg.ones([2], dtype=None), "f4", [1.0, 1.0]),
        (lambda: dg.full([2], 7), "f4", [7.0, 7.0]),
        (lambda: dg.full([2], True), "b", [True, True]),
        (lambda: dg.full([2], dg.to_tensor(7)), "f4", [7.0, 7.0]),
        (lambda: dg.full([2], 7, "int32"), "i4", [7, 7]),
        (lambda: dg.full([2], 2.5, "int64"), "i8", [2, 2]),
        (lambda: dg.full([], 7), "f4", 7.0),
        (lambda: dg.arange(3), "i8", [0, 1, 2]),
        (lambda: dg.arange(3.0), "f4", [0.0, 1.0, 2.0]),
        (lambda: dg.arange(0, 3.0), "f4", [0.0, 1.0, 2.0]),
        (lambda: dg.arange(0, 1, 0.5), "f4", [0.0, 0.5]),
        (lambda: dg.arange(3, dtype="int32"), "i4", [0, 1, 2]),
        (lambda: dg.arange(dg.to_tensor(3)), "i8", [0, 1, 2]),
        (lambda: dg.arange(dg.to_tensor(3.0)), "f4", [0.0, 1.0, 2.0]),
        (lambda: dg.arange(0), "i8", []),
        (lambda: dg.arange(5, 0), "i8", []),
        (lambda: dg.arange(5, 0, -2), "i8", [5, 3, 1]),
        (lambda: dg.linspace(0, 1, 5), "f4", [0.0, 0.25, 0.5, 0.75, 1.0]),
        (lambda: dg.linspace(0, 10, 5, dtype="int32"), "i4", [0, 2, 5, 7, 10]),
        (lambda: dg.linspace(0, 10, 5, "float64"), "f8", [0.0, 2.5, 5.0, 7.5, 10.0]),
        (lambda: dg.linspace(0, 1, 1), "f4", [0.0]),
        (lambda: dg.eye(2), "f4", [[1.0, 0.0], [0.0, 1.0]]),
        (lambda: dg.eye(2, 3, "int64"), "i8", [[1, 0, 0], [0, 1, 0]]),
        (lambda: dg.zeros_like(dg.to_tensor([1])), "i8", [0]),
        (lambda: dg.ones_like(dg.to_tensor([1]), "float32"), "f4", [1.0]),
        (lambda: dg.full_like(dg.to_tensor([1]), 2.5), "i8", [2]),
        (lambda: dg.full_like(dg.to_tensor([1.5]), 2), "f4", [2.0]),
        (lambda: dg.tril(dg.ones([2, 2], "int64")), "i8", [[1, 0], [1, 1]]),
        (lambda: dg.diag(dg.to_tensor([1, 2])), "i8", [[1, 0], [0, 2]]),
        (lambda: dg.nn.functional.one_hot(dg.to_tensor([1]), 3), "f4", [[0.0, 1.0, 0.0]]),
        (lambda: dg.numel(dg.ones([2, 3])), "i8", 6),
        (lambda: dg.nonzero(dg.to_tensor([0.0, 1.0])), "i8", [[1]]),
        (lambda: dg.allclose(dg.ones([2]), dg.ones([2])), "b", True),
        (lambda: dg.equal_all(dg.ones([2]), dg.zeros([2])), "b", False),
        (lambda: dg.meshgrid(dg.to_tensor([1]), dg.to_tensor([2]))[0], "i8", [[1]]),
        (lambda: dg.assign([1]), "i8", [1]),
        (lambda: dg.assign([1.5]), "f8", [1.5]),
        (lambda: dg.assign(np.ones(2, "float32")), "f4", [1.0, 1.0]),
    ],
)
def test_creation(make: Callable[[], Any], expected: str, values: Any) -> None:
    x = make()
    assert (code_of(x), x.tolist()) == (expected, values)


@pytest.mark.parametrize(
    ("make", "expected", "shape"),
    [
        (lambda: dg.rand([2]), "f4", [2]),
        (lambda: dg.rand([2], "float64"), "f8", [2]),
        (lambda: dg.randn([2]), "f4", [2]),
        (lambda: dg.randn([2], "float64"), "f8", [2]),
        (lambda: dg.uniform([2]), "f4", [2]),
        (lambda: dg.uniform([2], "float64"), "f8", [2]),
        (lambda: dg.normal(shape=[2]), "f4", [2]),
        (lambda: dg.normal(0.0, 1.0, [2]), "f4", [2]),
        (lambda: dg.standard_normal([2]), "f4", [2]),
        (lambda: dg.randint(5), "i8", [1]),
        (lambda: dg.randint(0, 5, [2]), "i8", [2]),
        (lambda: dg.randint(0, 5, [2], "int32"), "i4", [2]),
        (lambda: dg.randperm(4), "i8", [4]),
        (lambda: dg.randperm(4, "int32"), "i4", [4]),
        (lambda: dg.bernoulli(dg.full([2], 0.5)), "f4", [2]),
        (lambda: dg.multinomial(dg.full([3], 0.3)), "i8", [1]),
        (lambda: dg.empty([2]), "f4", [2]),
        (lambda: dg.empty([2], "int64"), "i8", [2]),
        (lambda: dg.empty_like(dg.to_tensor([1])), "i8", [1]),
    ],
)
def test_random_and_empty(make: Callable[[], Any], expected: str, shape: list[int]) -> None:
    x = make()
    assert (code_of(x), x.shape) == (expected, shape)


@pytest.mark.parametrize("args", [(0,), (5, 5), (5, 0)])
def test_randint_of_an_empty_range_is_a_value_error(args: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"."):
        dg.randint(*args)


def test_arange_with_step_zero_is_a_value_error() -> None:
    with pytest.raises(ValueError, match=r"."):
        dg.arange(0, 5, 0)


def test_the_default_dtype_governs_floats_without_a_type() -> None:
    dg.set_default_dtype("float64")
    try:
        made = [
            dg.to_tensor(1.5),
            dg.zeros([2]),
            dg.full([2], 7),
            dg.rand([2]),
            dg.eye(2),
            dg.arange(3.0),
        ]
        kept = [dg.to_tensor(np.float32(1)), dg.ones([2], "float32") * 1.5]
        integer = dg.to_tensor(3)
    finally:
        dg.set_default_dtype("float32")
    assert [code_of(x) for x in made] == ["f8"] * 6
    assert [code_of(x) for x in kept] == ["f4"] * 2
    assert code_of(integer) == "i8"


@pytest.mark.parametrize("dtype", ["int32", "bool", "foo"])
def test_the_default_dtype_must_be_floating(dtype: str) -> None:
    with pytest.raises(TypeError):
        dg.set_default_dtype(dtype)


# ---- casts ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("x", CODES)
@pytest.mark.parametrize("y", CODES)
def test_every_cast_exists(x: str, y: str) -> None:
    cast = ones([2], x).astype(NAMES[y])
    assert code_of(cast) == y
    assert cast.astype("float32").tolist() == [1.0, 1.0]


def test_casts_of_values() -> None:
    x = dg.to_tensor([-1.7, 0.0, 2.9])
    assert x.astype("int32").tolist() == [-1, 0, 2]
    assert x.astype("bool").tolist() == [True, False, True]
    assert x.cast(dg.float64).dtype == dg.float64
    assert dg.cast(x, "int64").tolist() == [-1, 0, 2]
    with pytest.raises(TypeError):
        x.astype("foo")


def test_bfloat16_stores_and_casts() -> None:
    if dg.__name__ == "dualgraph":
        pytest.importorskip("ml_dtypes")
    x = dg.to_tensor([1.0, 1.00390625, 1.01171875, -3.14159]).astype("bfloat16")
    assert x.dtype == dg.bfloat16
    assert x.astype("float32").tolist() == [1.0, 1.0, 1.015625, -3.140625]
    assert dg.ones([2], "float32").astype(dg.bfloat16).astype("float64").tolist() == [1.0, 1.0]
