"""How tensors print: as Paddle 3.3.1 prints them, kept as text."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from dualgraph import dtypes, flags
from dualgraph.nn.parameter import Parameter
from dualgraph.ops.interchange import to_tensor
from dualgraph.place import CPU, CUDAPlace
from dualgraph.printing import set_printoptions
from dualgraph.tensor import wrap

# Each case: a name, what the tensor is made of, the options if any, and what Paddle printed.
PRINTED = """\
# a number
> 1.5
shape=[], dtype=float32
1.50000000
# an int
> 3
shape=[], dtype=int64
3
# a bool
> True
shape=[], dtype=bool
True
# a large number
> 123456789.0
shape=[], dtype=float32
123456792.
# a small number
> 1e-9, "float64"
shape=[], dtype=float64
0.00000000
# a negative 0-d
> -2.5
shape=[], dtype=float32
-2.50000000
# whole floats
> [1.0, 2.0, 30.0]
shape=[3], dtype=float32
[1. , 2. , 30.]
# mixed floats
> [[1.0, 2.5], [3.0, -4.0]]
shape=[2, 2], dtype=float32
[[ 1.       , 2.50000000],
 [ 3.       , -4.       ]]
# a sign beside a wider number
> [-1.0, 20.0, 3.25]
shape=[3], dtype=float32
[-1.       ,  20.      , 3.25000000]
# negative zero
> [-0.0, 0.0]
shape=[2], dtype=float32
[-0., 0. ]
# nan and infinities
> [nan, inf, 1.5, -inf]
shape=[4], dtype=float32
[ nan      ,  inf.     , 1.50000000, -inf.     ]
# nan alone
> [nan, nan]
shape=[2], dtype=float32
[nan, nan]
# magnitudes far apart
> [0.001, 100000.0]
shape=[2], dtype=float32
[0.00100000, 100000.   ]
# huge
> [1e10, 1.0]
shape=[2], dtype=float32
[10000000000., 1.          ]
# tiny
> [1e-10, 1.0]
shape=[2], dtype=float32
[0.00000000, 1.        ]
# thirds
> [1 / 3, 2 / 3]
shape=[2], dtype=float32
[0.33333334, 0.66666669]
# float64
> [0.1, 0.25], "float64"
shape=[2], dtype=float64
[0.10000000, 0.25000000]
# float16
> [1.5, 2.0], "float16"
shape=[2], dtype=float16
[1.50000000, 2.        ]
# bfloat16
> [1.5, -0.1], "bfloat16"
shape=[2], dtype=bfloat16
[ 1.50000000, -0.10009766]
# ints of several widths
> [[1, 2], [3, 400]]
shape=[2, 2], dtype=int64
[[1  , 2  ],
 [3  , 400]]
# ints with signs
> [1, -20, 300], "int32"
shape=[3], dtype=int32
[ 1 , -20, 300]
# uint8
> [0, 255], "uint8"
shape=[2], dtype=uint8
[0  , 255]
# bools
> [[True, False], [False, True]]
shape=[2, 2], dtype=bool
[[True , False],
 [False, True ]]
# no elements
> np.zeros((0,), "float32")
shape=[0], dtype=float32
[]
# no columns
> np.zeros((2, 0), "float32")
shape=[2, 0], dtype=float32
[[],
 []]
# no rows of a cube
> np.zeros((2, 0, 3), "float32")
shape=[2, 0, 3], dtype=float32
[[],

 []]
# one axis that breaks
> np.arange(30, dtype="float32")
shape=[30], dtype=float32
[0. , 1. , 2. , 3. , 4. , 5. , 6. , 7. , 8. , 9. , 10., 11., 12., 13.,
 14., 15., 16., 17., 18., 19., 20., 21., 22., 23., 24., 25., 26., 27.,
 28., 29.]
# a cube
> np.ones((2, 2, 2), "float32")
shape=[2, 2, 2], dtype=float32
[[[1., 1.],
  [1., 1.]],

 [[1., 1.],
  [1., 1.]]]
# four axes
> np.arange(8).reshape(2, 2, 1, 2)
shape=[2, 2, 1, 2], dtype=int64
[[[[0, 1]],

  [[2, 3]]],


 [[[4, 5]],

  [[6, 7]]]]
# a long vector
> np.arange(1200)
shape=[1200], dtype=int64
[0   , 1   , 2   , ..., 1197, 1198, 1199]
# a long line of wide numbers
> np.arange(1500, dtype="float32") / 7
shape=[1500], dtype=float32
[0.          , 0.14285715  , 0.28571430  , ..., 213.85714722,
 214.        , 214.14285278]
# a tall matrix
> np.ones((600, 2), "float32")
shape=[600, 2], dtype=float32
[[1., 1.],
 [1., 1.],
 [1., 1.],
 ...,
 [1., 1.],
 [1., 1.],
 [1., 1.]]
# a large matrix
> np.arange(1200, dtype="float32").reshape(100, 12)
shape=[100, 12], dtype=float32
[[0.   , 1.   , 2.   , ..., 9.   , 10.  , 11.  ],
 [12.  , 13.  , 14.  , ..., 21.  , 22.  , 23.  ],
 [24.  , 25.  , 26.  , ..., 33.  , 34.  , 35.  ],
 ...,
 [1164., 1165., 1166., ..., 1173., 1174., 1175.],
 [1176., 1177., 1178., ..., 1185., 1186., 1187.],
 [1188., 1189., 1190., ..., 1197., 1198., 1199.]]
# a wide middle is not counted
> np.array([1, 1, 1, 100, 1, 1, 1])
shape=[7], dtype=int64
[1, 1, 1, 100, 1, 1, 1]
# a negative middle is not counted
> np.array([1, 1, 1, -10, 1, 1, 10])
shape=[7], dtype=int64
[1 , 1 , 1 , -10, 1 , 1 , 10]
# precision 3
> [0.125, 1.0]
! precision=3
shape=[2], dtype=float32
[0.125, 1.   ]
# precision 0
> [0.5, 1.5]
! precision=0
shape=[2], dtype=float32
[0, 2]
# threshold 5
> np.arange(10, dtype="float32")
! threshold=5
shape=[10], dtype=float32
[0., 1., 2., ..., 7., 8., 9.]
# one edge item
> np.arange(20).reshape(4, 5)
! threshold=5, edgeitems=1
shape=[4, 5], dtype=int64
[[0 , ..., 4 ],
 ...,
 [15, ..., 19]]
# scientific
> [1.5, -20.0, nan, inf]
! sci_mode=True, precision=3
shape=[4], dtype=float32
[ 1.500e+00, -2.000e+01,  nan      ,  inf      ]
# scientific ints
> [1, 20]
! sci_mode=True
shape=[2], dtype=int64
[1 , 20]
# narrow
> np.arange(8, dtype="float32") / 8
! linewidth=30
shape=[8], dtype=float32
[0.        ,
 0.12500000,
 0.25000000,
 0.37500000,
 0.50000000,
 0.62500000,
 0.75000000,
 0.87500000]
# too narrow for one
> [[1.5, 2.5]]
! linewidth=0
shape=[1, 2], dtype=float32
[[1.50000000,
  2.50000000]]
"""

FACTS = ", place=Place(cpu), stop_gradient=True,\n       "


def cases() -> list[Any]:
    found = []
    for case in PRINTED.split("# ")[1:]:
        name, made_of, *rest = case.rstrip("\n").split("\n")
        options = rest.pop(0)[2:] if rest[0].startswith("! ") else ""
        found.append(pytest.param(made_of[2:], options, *rest[:1], rest[1:], id=name))
    return found


@pytest.fixture(autouse=True)
def _options_are_restored() -> Iterator[None]:
    before = flags.snapshot()
    yield
    for name, value in before.items():
        flags.set(name, value)


def evaluated(expression: str) -> Any:
    return eval(expression, {"np": np, "nan": np.nan, "inf": np.inf, "to_tensor": to_tensor})


@pytest.mark.parametrize(("made_of", "options", "head", "lines"), cases())
def test_a_tensor_prints_as_in_paddle(
    made_of: str, options: str, head: str, lines: list[str]
) -> None:
    set_printoptions(**evaluated(f"dict({options})"))
    x = evaluated(f"to_tensor({made_of})")
    values = "\n".join(lines).replace("\n", "\n       ").replace("       \n", "\n")
    assert repr(x) == str(x) == f"Tensor({head}{FACTS}{values})"


def test_what_needs_gradients_says_so() -> None:
    assert (
        repr(to_tensor([1.0], stop_gradient=False)).splitlines()[0].endswith("stop_gradient=False,")
    )


def test_a_parameter_says_what_it_is() -> None:
    expected = "Parameter containing:\n" + repr(to_tensor([0.5], stop_gradient=False))
    assert repr(Parameter([0.5])) == expected


def test_summarising_begins_beyond_the_threshold() -> None:
    assert "..." not in repr(to_tensor(np.zeros(1000)))
    assert "..." in repr(to_tensor(np.zeros(1001)))


def test_many_empty_rows_are_summarised() -> None:
    """Paddle prints them all, which takes for ever where there are many."""
    assert repr(to_tensor(np.zeros((10**7, 0)))).count("[]") == 6


def test_a_view_prints_what_it_shows() -> None:
    x = to_tensor(np.arange(6.0).reshape(2, 3)[::-1].T)
    assert repr(x).endswith("[[3., 0.],\n        [4., 1.],\n        [5., 2.]])")


# ---- options -------------------------------------------------------------------------------------


def test_options_that_are_not_given_stay() -> None:
    set_printoptions(precision=2)
    set_printoptions(edgeitems=1)
    set_printoptions()
    assert repr(to_tensor([0.125])).endswith("[0.12])")


@pytest.mark.parametrize(
    ("options", "kind"),
    [
        ({"precision": -1}, ValueError),
        ({"edgeitems": 0}, ValueError),
        ({"linewidth": -5}, ValueError),
        ({"precision": 2.0}, TypeError),
        ({"threshold": "9"}, TypeError),
        ({"precision": True}, TypeError),
        ({"sci_mode": 1}, TypeError),
        ({"edgeitems": 2, "threshold": None, "sci_mode": "yes"}, TypeError),
    ],
)
def test_refused_options_change_nothing(options: dict[str, Any], kind: type[Exception]) -> None:
    before = flags.snapshot()
    with pytest.raises(kind, match=r"^\[set_printoptions\] "):
        set_printoptions(**options)
    assert flags.snapshot() == before


# ---- properties ----------------------------------------------------------------------------------

DTYPES = [d.numpy for d in dtypes.ALL if d is not dtypes.bfloat16]
SHAPES = arrays.array_shapes(min_dims=0, max_dims=5, min_side=0, max_side=9)
ANY_ARRAY = arrays.arrays(st.sampled_from(DTYPES), SHAPES)
OPTIONS = st.fixed_dictionaries(
    {
        "precision": st.integers(0, 20),
        "threshold": st.integers(0, 100),
        "edgeitems": st.integers(1, 4),
        "linewidth": st.integers(0, 100),
        "sci_mode": st.booleans(),
    }
)


@given(ANY_ARRAY, OPTIONS)
def test_every_tensor_prints(array: np.ndarray[Any, Any], options: dict[str, Any]) -> None:
    set_printoptions(**options)
    text = repr(to_tensor(array))
    head = f"Tensor(shape={list(array.shape)}, dtype={array.dtype.name}, place="
    assert text.startswith(head)
    values = text.split("\n", 1)[1]
    assert values.count("[") == values.count("]")
    assert text == repr(wrap(np.array(array, order="F")))


@given(arrays.arrays(np.float32, SHAPES, elements=st.floats(width=16)))
def test_bfloat16_prints_as_its_values_in_float32(array: np.ndarray[Any, Any]) -> None:
    half = to_tensor(array, "bfloat16")
    wide = to_tensor(half.numpy().astype(np.float32))
    assert repr(half) == repr(wide).replace("dtype=float32", "dtype=bfloat16")


@given(arrays.arrays(np.int64, arrays.array_shapes(max_dims=3, max_side=7)))
def test_what_is_not_summarised_can_be_read_back(array: np.ndarray[Any, Any]) -> None:
    values = repr(to_tensor(array)).split("\n", 1)[1].rstrip(")")
    assert evaluated(values.strip()) == array.tolist()


@given(st.integers(1, 200), st.integers(20, 120))
def test_lines_stay_within_the_width(size: int, width: int) -> None:
    set_printoptions(linewidth=width)
    lines = repr(to_tensor(np.full(size, 1.5))).splitlines()[1:]
    assert all(len(line.rstrip(",)]")) <= width for line in lines)


# ---- formats, dtypes, places ---------------------------------------------------------------------


def test_format_of_a_0d_tensor_is_that_of_its_number() -> None:
    x, n = to_tensor(1.5), to_tensor(3)
    assert f"{x} {x:.3f} {x:>6} {n:04d} {to_tensor(True)}" == "1.5 1.500    1.5 0003 True"
    assert "%.1f %d" % (x, n) == "1.5 3"  # noqa: UP031  # the older way goes through other doors


def test_format_of_several_elements_is_the_repr_and_takes_no_specification() -> None:
    for x in (to_tensor([1.5]), to_tensor([[1, 2]])):
        assert f"{x}" == repr(x)
        with pytest.raises(TypeError):
            f"{x:.3f}"


def test_dtypes_and_places_print_their_names() -> None:
    assert repr(dtypes.float32) == str(dtypes.float32) == f"{dtypes.float32}" == "dualgraph.float32"
    assert repr(CPU) == repr(copy.copy(CPU)) == repr(CUDAPlace(1)) == "Place(cpu)"
