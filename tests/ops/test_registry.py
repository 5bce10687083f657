"""What must hold for every op: shown on the samples that each family gives of its calls."""

from __future__ import annotations

import importlib
import pkgutil
import zlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import pytest

import dualgraph as dg
from dualgraph import Tensor
from dualgraph.ops.registry import OPS, Op
from dualgraph.tape import Spec, thread
from dualgraph.tensor import wrap
from tests.ops import samples
from tests.ops.derivatives import check_derivatives
from tests.ops.samples.base import Arr, Sample

Array = np.ndarray[Any, Any]


def _families() -> dict[str, list[Sample]]:
    """Samples of all families, by op."""
    found: dict[str, list[Sample]] = {}
    for module in pkgutil.iter_modules(samples.__path__):
        family = importlib.import_module(f"tests.ops.samples.{module.name}")
        for name, described in getattr(family, "SAMPLES", {}).items():
            found.setdefault(name, []).extend(described)
    return found


SAMPLES = _families()


def samples_where(applies: Callable[[str, Sample], bool]) -> pytest.MarkDecorator:
    """Run a test on the samples that it applies to."""
    cases = [
        pytest.param(name, sample, id=f"{name}-{i}")
        for name, described in sorted(SAMPLES.items())
        for i, sample in enumerate(described)
        if applies(name, sample)
    ]
    return pytest.mark.parametrize(("name", "sample"), cases)


def is_floating(arr: Arr) -> bool:
    """Whether an input is drawn from the reals."""
    return arr.dtype == "float64" and arr.ints is None and not arr.bools


every_sample = samples_where(lambda _name, _sample: True)
referenced = samples_where(lambda _name, sample: sample.reference is not None)
differentiable = samples_where(lambda _name, sample: sample.grad)
smooth = samples_where(
    lambda _name, sample: sample.grad and any(is_floating(arr) for arr in sample.inputs)
)
expandable = samples_where(lambda name, _sample: name in OPS and OPS[name].expand is not None)
special = samples_where(
    lambda _name, sample: (
        sample.special and any(is_floating(arr) and 0 not in arr.shape for arr in sample.inputs)
    )
)


class Seen:
    """A recorder that keeps every act of one op."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.acts: list[tuple[Op, Sequence[Any], dict[str, Any], tuple[Tensor, ...]]] = []
        self.written = False

    def on_apply(
        self, op: Op, inputs: Sequence[Any], attrs: dict[str, Any], outputs: tuple[Tensor, ...]
    ) -> None:
        if op.name == self.name:
            self.acts.append((op, inputs, attrs, outputs))

    def on_write(
        self, op: Op, targets: tuple[Tensor, ...], inputs: Sequence[Any], attrs: dict[str, Any]
    ) -> None:
        self.written |= op.name == self.name

    def on_set_value(self, target: Tensor, value: Any) -> None: ...

    def on_concretize(self, tensor: Tensor) -> None: ...


def drawn(sample: Sample, seed: int) -> list[Array]:
    """Arrays as the sample describes them; the same for the same seed."""
    rng = np.random.default_rng(seed)
    return [_array(arr, rng) for arr in sample.inputs]


def _array(arr: Arr, rng: np.random.Generator) -> Array:
    if arr.bools:
        return rng.integers(0, 2, arr.shape).astype(bool)
    if arr.ints is not None:
        return rng.integers(*arr.ints, arr.shape)
    size = int(np.prod(arr.shape))
    # Evenly spread, so that no two are equal or nearly so, and in random order.
    spread = (rng.permutation(size) + rng.uniform(0.2, 0.8, size)) / max(size, 1)
    values = arr.low + (arr.high - arr.low) * spread
    for kink in arr.kinks:
        near = np.abs(values - kink) < 1e-2
        values[near] = kink + np.where(values[near] >= kink, 1e-2, -1e-2)
    return values.reshape(arr.shape).astype(arr.dtype)


def seed_of(name: str) -> int:
    """A seed that is the same in every run."""
    return zlib.crc32(name.encode())


def run(sample: Sample, arrays: Sequence[Array]) -> list[Array]:
    """The outputs of the sample's call as arrays."""
    return as_arrays(sample.call(*map(dg.to_tensor, arrays)))


def as_arrays(outputs: Any) -> list[Array]:
    """Outputs of a call as a list of arrays."""
    several = outputs if isinstance(outputs, (list, tuple)) else [outputs]
    return [out.numpy() if isinstance(out, Tensor) else np.asarray(out) for out in several]


def recorded(name: str, sample: Sample, arrays: Sequence[Array]) -> Seen:
    """The acts of one op during the sample's call."""
    seen = Seen(name)
    tensors = [dg.to_tensor(a) for a in arrays]
    dg.seed(11)
    thread.mode.recorder = seen
    try:
        sample.call(*tensors)
    finally:
        thread.mode.recorder = None
    return seen


def laid_out_otherwise(array: Array) -> Iterator[Array]:
    """The same values in other memory orders."""
    backwards = tuple(slice(None, None, -1) for _ in array.shape)
    every_other = tuple(slice(None, None, 2) for _ in array.shape)
    gaps = np.zeros([2 * n for n in array.shape], array.dtype)
    gaps[every_other] = array
    yield np.array(array, order="F")
    # A 0-d array that is indexed becomes a scalar.
    yield np.asarray(np.asarray(array[backwards]).copy()[backwards])
    yield np.asarray(gaps[every_other])


def test_every_op_has_samples() -> None:
    assert sorted(set(OPS) - set(SAMPLES)) == []


def test_samples_are_of_ops_that_exist() -> None:
    assert sorted(set(SAMPLES) - set(OPS)) == []


@every_sample
def test_sample_runs_the_op_it_is_filed_under(name: str, sample: Sample) -> None:
    seen = recorded(name, sample, drawn(sample, seed_of(name)))
    assert seen.acts or seen.written


@referenced
def test_forward_equals_the_reference(name: str, sample: Sample) -> None:
    assert sample.reference is not None
    arrays = drawn(sample, seed_of(name))
    with np.errstate(all="ignore"):
        expected = sample.reference(*arrays)
    wanted = expected if isinstance(expected, (list, tuple)) else [expected]
    for out, reference in zip(run(sample, arrays), wanted, strict=True):
        assert list(out.shape) == list(np.shape(reference))
        np.testing.assert_allclose(out, reference, rtol=1e-10, atol=1e-12)


@smooth
def test_float32_agrees_with_float64_and_stays_float32(name: str, sample: Sample) -> None:
    arrays = drawn(sample, seed_of(name))
    narrow = [a.astype(np.float32) if a.dtype == np.float64 else a for a in arrays]
    wide = [a.astype(np.float64) if a.dtype == np.float32 else a for a in narrow]
    for out, exact in zip(run(sample, narrow), run(sample, wide), strict=True):
        if exact.dtype == np.float64:
            assert out.dtype == np.float32
            size = max(1.0, float(np.max(np.abs(exact[np.isfinite(exact)]), initial=0)))
            np.testing.assert_allclose(out, exact, rtol=2e-4, atol=2e-5 * size)


@every_sample
def test_memory_order_does_not_matter(name: str, sample: Sample) -> None:
    arrays = drawn(sample, seed_of(name))
    dg.seed(5)
    expected = run(sample, arrays)
    for layout in zip(*map(laid_out_otherwise, arrays), strict=True):
        tensors = [dg.to_tensor(a) for a in arrays]
        for tensor, array in zip(tensors, layout, strict=True):
            tensor._data = array
        dg.seed(5)
        for out, reference in zip(as_arrays(sample.call(*tensors)), expected, strict=True):
            np.testing.assert_allclose(out, reference, rtol=1e-9, atol=1e-11)


@every_sample
def test_outputs_share_no_memory_unless_they_are_views(name: str, sample: Sample) -> None:
    seen = recorded(name, sample, drawn(sample, seed_of(name)))
    for op, inputs, _, outputs in seen.acts:
        if op.view:
            continue
        arrays = [x._data for x in inputs if isinstance(x, Tensor)]
        for out in outputs:
            assert not any(np.shares_memory(out._data, a) for a in arrays)
            assert out.size == 0 or out._data.flags.writeable


@every_sample
def test_output_types_are_known_without_values(name: str, sample: Sample) -> None:
    for op, inputs, attrs, outputs in recorded(name, sample, drawn(sample, seed_of(name))).acts:
        if op.dynamic:
            continue
        specs = [Spec(x._data) if isinstance(x, Tensor) else x for x in inputs]
        types = op.output_types(specs, attrs)
        assert types == [(out._data.shape, out._data.dtype) for out in outputs]


@expandable
def test_expansion_gives_what_the_op_gives(
    name: str, sample: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    op = OPS[name]
    forward = op.forward
    runs: list[tuple[list[Any], dict[str, Any], Any]] = []

    def watched(*arrays: Any, **attrs: Any) -> Any:
        before = [a.copy() if isinstance(a, np.ndarray) else a for a in arrays]
        result = forward(*arrays, **attrs)
        # An update overwrites its first arrays and returns nothing.
        given = tuple(a.copy() for a in arrays if isinstance(a, np.ndarray))
        runs.append((before, attrs, given if result is None else result))
        return result

    monkeypatch.setattr(op, "forward", watched)
    dg.seed(11)
    sample.call(*map(dg.to_tensor, drawn(sample, seed_of(name))))
    monkeypatch.undo()
    if not runs:
        pytest.skip("the op wrote to a part of its tensor, by its own means")
    for before, attrs, result in runs:
        inputs = [wrap(a) if isinstance(a, np.ndarray) else a for a in before]
        assert op.expand is not None
        expanded = op.expand(*inputs, **attrs)
        several = expanded if isinstance(expanded, (list, tuple)) else [expanded]
        results = result if isinstance(result, tuple) else (result,)
        for out, simple in zip(results, several, strict=False):
            assert simple._data.dtype == np.asarray(out).dtype
            np.testing.assert_allclose(simple.numpy(), out, rtol=1e-9, atol=1e-11)


@differentiable
def test_derivatives_agree_with_finite_differences(name: str, sample: Sample) -> None:
    arrays = drawn(sample, seed_of(name))
    floating = [a.dtype == np.float64 for a in arrays]
    check_derivatives(
        sample.call, arrays, floating, sample.order, np.random.default_rng(seed_of(name))
    )


@differentiable
def test_gradients_are_the_same_whether_differentiable_or_not(name: str, sample: Sample) -> None:
    """A plain backward pass runs fused formulas, one that goes on the tape runs simple ops."""
    arrays = drawn(sample, seed_of(name))
    found = []
    for create_graph in (False, True):
        dg.seed(7)
        inputs = [dg.to_tensor(a, stop_gradient=a.dtype != np.float64) for a in arrays]
        wanted = [x for x in inputs if not x.stop_gradient]
        outputs = sample.call(*inputs)
        several = outputs if isinstance(outputs, (list, tuple)) else [outputs]
        floating = [out for out in several if not out.stop_gradient]
        found.append(dg.grad(floating, wanted, create_graph=create_graph, allow_unused=True))
    for plain, taped in zip(*found, strict=True):
        assert (plain is None) == (taped is None)
        if plain is not None and taped is not None:
            np.testing.assert_allclose(plain.numpy(), taped.numpy(), rtol=1e-9, atol=1e-11)


@differentiable
def test_float32_gradients_are_float32_and_of_the_input_shape(name: str, sample: Sample) -> None:
    arrays = drawn(sample, seed_of(name))
    inputs = [
        dg.to_tensor(a.astype(np.float32), stop_gradient=False)
        if a.dtype == np.float64
        else dg.to_tensor(a)
        for a in arrays
    ]
    outputs = sample.call(*inputs)
    several = outputs if isinstance(outputs, (list, tuple)) else [outputs]
    floating = [out for out in several if not out.stop_gradient]
    before = [x.numpy() for x in inputs]
    dg.autograd.backward(floating)
    for x, value in zip(inputs, before, strict=True):
        np.testing.assert_array_equal(x.numpy(), value)
        if x.grad is not None:
            assert (x.grad.shape, x.grad.dtype) == (x.shape, x.dtype)
            assert not any(np.shares_memory(x.grad._data, y._data) for y in inputs)


@special
def test_nan_and_infinity_raise_nothing(name: str, sample: Sample) -> None:
    arrays = drawn(sample, seed_of(name))
    floating = [a for a in arrays if a.dtype == np.float64 and a.size]
    for value in (np.nan, np.inf, -np.inf):
        for array in floating:
            array.flat[0] = value
        run(sample, arrays)
