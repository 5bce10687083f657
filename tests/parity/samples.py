"""Small tensors for the tests of manipulation and indexing, and how results are compared."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import dualgraph as dg

t = dg.to_tensor


def needs(layer: str) -> pytest.MarkDecorator:
    """The mark of a case that waits for a layer which is not in the library yet."""
    return pytest.mark.skipif(not hasattr(dg.nn, layer), reason=f"nn.{layer} is not there yet")


def a() -> Any:
    return t([[0, 1, 2], [3, 4, 5]])


def x() -> Any:
    return t([[3.0, 1.0, 2.0], [0.5, -1.0, 4.0]])


def b() -> Any:
    return dg.arange(24).reshape([2, 3, 4])


def v() -> Any:
    return t([5.0, 3.0, 8.0, 1.0])


def s() -> Any:
    return t(7.0)


def check(found: Any, expected: Any) -> None:
    """A tensor against ("dtype shape", values), tensors against a list of those, else as it is."""
    if isinstance(found, dg.Tensor):
        spec, values = expected
        assert f"{str(found.dtype).rpartition('.')[2]} {list(found.shape)}" == spec
        np.testing.assert_allclose(found.numpy(), np.reshape(values, found.shape), rtol=1e-6)
    elif isinstance(found, (list, tuple)) and found and isinstance(found[0], dg.Tensor):
        assert len(found) == len(expected)
        for one, wanted in zip(found, expected, strict=True):
            check(one, wanted)
    else:
        assert found == expected
