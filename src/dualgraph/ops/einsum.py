"""Contractions by labels: sums of products over named axes, two tensors at a time."""

from __future__ import annotations

import functools
import math
from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from dualgraph.errors import message
from dualgraph.ops.apply import apply
from dualgraph.ops.define import as_tensor, axis_of
from dualgraph.ops.linalg import factors, matmul, product
from dualgraph.ops.manipulation import clone, reshape, transpose
from dualgraph.ops.reduction import sum as sum_of
from dualgraph.ops.registry import op
from dualgraph.ops.slicing import diagonal
from dualgraph.tensor import Array, Tensor

__all__ = ["contract", "einsum", "tensordot"]

Labels = tuple[int, ...]


class _Plan(NamedTuple):
    """How a contraction becomes one batched matrix product: the axes of each operand, in groups."""

    x: tuple[Labels, Labels, Labels]  # axes in both and the output; in x alone; summed
    y: tuple[Labels, Labels, Labels]  # axes in both and the output; summed; in y alone
    order: Labels  # where each output axis is found in the product


@functools.lru_cache(maxsize=1024)
def _planned(x: Labels, y: Labels, out: Labels) -> _Plan:
    batch = [a for a in out if a in x and a in y]
    rows = [a for a in out if a in x and a not in y]
    columns = [a for a in out if a in y and a not in x]
    summed = [a for a in x if a in y and a not in out]
    found = [*batch, *rows, *columns]
    return _Plan(
        (_places(x, batch), _places(x, rows), _places(x, summed)),
        (_places(y, batch), _places(y, summed), _places(y, columns)),
        _places(found, out),
    )


def _places(labels: Sequence[int], wanted: Sequence[int]) -> Labels:
    return tuple(labels.index(a) for a in wanted)


def _grouped(shape: Sequence[int], groups: tuple[Labels, Labels, Labels]) -> tuple[int, ...]:
    first, second, third = (math.prod(shape[i] for i in group) for group in groups)
    # Without a batch the product is one of plain matrices.
    return (first, second, third) if groups[0] else (second, third)


def _spread(x: Any, y: Any, plan: _Plan) -> tuple[int, ...]:
    """The product's shape, with groups taken apart into axes again."""
    batch, rows, _ = plan.x
    return (
        *(x.shape[i] for i in batch),
        *(x.shape[i] for i in rows),
        *(y.shape[i] for i in plan.y[2]),
    )


def _contract_type(x: Any, y: Any, *, labels: tuple[Labels, Labels, Labels]) -> Any:
    plan = _planned(*labels)
    shape = _spread(x, y, plan)
    return tuple(shape[i] for i in plan.order), x.dtype


def _contract_by_matmul(x: Tensor, y: Tensor, labels: tuple[Labels, Labels, Labels]) -> Tensor:
    plan = _planned(*labels)
    a = reshape(transpose(x, list(sum(plan.x, ()))), _grouped(x.shape, plan.x))
    b = reshape(transpose(y, list(sum(plan.y, ()))), _grouped(y.shape, plan.y))
    return transpose(reshape(matmul(a, b), _spread(x, y, plan)), list(plan.order))


@op(
    (
        lambda g, _out, _x, y, labels: contract(g, y, labels[2], labels[1], labels[0]),
        lambda g, _out, x, _y, labels: contract(g, x, labels[2], labels[0], labels[1]),
    ),
    expand=_contract_by_matmul,
    infer=_contract_type,
)
def _contract(x: Array, y: Array, *, labels: tuple[Labels, Labels, Labels]) -> Any:
    plan = _planned(*labels)
    a, b = x.transpose(sum(plan.x, ())), y.transpose(sum(plan.y, ()))
    shape = _spread(x, y, plan)
    if plan.x[2] and plan.x[0] and not (plan.x[1] or plan.y[2]) and x.itemsize > 2:
        rows = _grouped(x.shape, plan.x)[::2]
        out = np.vecdot(a.reshape(rows), b.reshape(rows)).reshape(shape)
    elif plan.x[2]:
        out = product(a.reshape(_grouped(x.shape, plan.x)), b.reshape(_grouped(y.shape, plan.y)))
        if out.shape != shape:
            out = out.reshape(shape)
    else:
        ones_x, ones_y = (1,) * len(plan.y[2]), (1,) * len(plan.x[1])
        batch = len(plan.x[0])
        out = np.multiply(
            a.reshape(a.shape + ones_x), b.reshape(b.shape[:batch] + ones_y + b.shape[batch:])
        )
    return out.transpose(plan.order)


def contract(
    x: Tensor, y: Tensor, x_labels: Labels, y_labels: Labels, out_labels: Labels
) -> Tensor:
    """The sums of products of two tensors over the labels that both have and the output has not.

    No label occurs twice in one tensor, equal labels mean equal sizes, and each label occurs in two
    of the three. So the gradient of a contraction is a contraction again, and it is closed under
    differentiation.
    """
    return apply(_contract, (x, y), {"labels": (x_labels, y_labels, out_labels)})


def tensordot(x: Tensor, y: Tensor, axes: Any = 2, name: str | None = None) -> Tensor:
    """The sums of products of x and y over pairs of axes.

    `axes` is a number n (the last n of x with the first n of y), a list of axes for both, or two
    lists; a shorter one goes on as the longer does. An axis of size 1 broadcasts. ValueError for
    sizes that do not fit.

    >>> import dualgraph as dg
    >>> dg.tensordot(dg.ones([2, 3, 4]), dg.ones([4, 3, 5]), axes=[[1, 2], [1, 0]]).shape
    [2, 5]
    """
    x, y = factors("tensordot", x, y)
    xs, ys = _paired_axes(x, y, axes)
    x_labels = list(range(x.ndim))
    y_labels = list(range(x.ndim, x.ndim + y.ndim))
    for i, j in zip(xs, ys, strict=True):
        y_labels[j] = x_labels[i]
    out = [a for a in x_labels if a not in y_labels] + [a for a in y_labels if a not in x_labels]
    return _contracted("tensordot", [(x, tuple(x_labels)), (y, tuple(y_labels))], tuple(out))


def _paired_axes(x: Tensor, y: Tensor, axes: Any) -> tuple[list[int], list[int]]:
    if isinstance(axes, Tensor):
        axes = axes.tolist()
    if isinstance(axes, (int, np.integer)):
        if not 0 <= axes <= min(x.ndim, y.ndim):
            given = f"axes is {axes}, x is {x.shape}, y is {y.shape}"
            raise ValueError(message("tensordot", given, "expected 0 to the fewer axes of the two"))
        return list(range(x.ndim - int(axes), x.ndim)), list(range(int(axes)))
    both = [each.tolist() if isinstance(each, Tensor) else each for each in axes]
    if not both or isinstance(both[0], (int, np.integer)):
        both = [both, both]
    xs, ys = list(both[0]), list(both[1]) if len(both) > 1 else []
    xs, ys = xs + ys[len(xs) :], ys + xs[len(ys) :]
    found = (
        [axis_of("tensordot", a, x.ndim) for a in xs],
        [axis_of("tensordot", a, y.ndim) for a in ys],
    )
    if any(len(set(each)) != len(each) for each in found):
        raise ValueError(message("tensordot", f"axes is {axes}", "expected each axis once"))
    return found


def einsum(equation: str, *operands: Tensor) -> Tensor:
    """The sums of products that an equation names: `"bij,bjk->bik"` is a batch of matrix products.

    A letter per axis; a letter that the output lacks is summed, one that occurs twice in an operand
    takes a diagonal, `...` stands for axes that broadcast. Without `->` the output has the letters
    that occur once, in alphabetical order. Axes of size 1 broadcast. ValueError for an equation
    that does not fit the operands. Several operands are contracted two at a time, in the order
    numpy's `einsum_path` finds.

    >>> import dualgraph as dg
    >>> x = dg.to_tensor([[1.0, 2.0], [3.0, 4.0]])
    >>> dg.einsum("ij,ij->i", x, x).tolist(), dg.einsum("ii", x).item()
    ([5.0, 25.0], 5.0)
    """
    if len(operands) == 1 and isinstance(operands[0], (list, tuple)):
        operands = tuple(operands[0])
    xs = [as_tensor("einsum", x, f"operand {i}") for i, x in enumerate(operands)]
    terms, out = _parsed(equation, tuple(x.ndim for x in xs))
    xs[1:] = [factors("einsum", xs[0], x)[1] for x in xs[1:]]
    return _contracted("einsum", [_diagonals(x, t) for x, t in zip(xs, terms, strict=True)], out)


def _wrong(equation: str, why: str) -> ValueError:
    return ValueError(message("einsum", f"the equation is {equation!r}", why))


@functools.lru_cache(maxsize=256)
def _parsed(equation: str, ndims: tuple[int, ...]) -> tuple[list[Labels], Labels]:
    """The labels of each operand and of the output; those of `...` are negative."""
    left, arrow, right = equation.replace(" ", "").partition("->")
    terms = left.split(",")
    if len(terms) != len(ndims):
        raise _wrong(equation, f"it names {len(terms)} operands, {len(ndims)} are given")
    labels = [_labels(equation, term, ndim) for term, ndim in zip(terms, ndims, strict=True)]
    dots = max((-min(each, default=0) for each in labels), default=0)
    if arrow:
        out = _labels(equation, right, None, dots if "..." in right else 0)
    else:
        counts = Counter(a for each in labels for a in each)
        letters = sorted(a for a, count in counts.items() if count == 1 and a >= 0)
        out = (*range(-dots, 0), *letters)
    known = {a for each in labels for a in each}
    if len(set(out)) != len(out) or not known.issuperset(out):
        raise _wrong(equation, "expected each letter of the output once, and in an operand")
    return labels, out


def _labels(equation: str, term: str, ndim: int | None, dots: int = 0) -> Labels:
    head, ellipsis, tail = term.partition("...")
    letters = head + tail
    if not (letters.isascii() and (letters.isalpha() or not letters)):
        raise _wrong(equation, f"expected letters, or '...' once, in {term!r}")
    if ndim is not None:
        dots = ndim - len(letters)
        if dots < 0 or (dots and not ellipsis):
            raise _wrong(equation, f"{term!r} names {len(letters)} axes, the operand has {ndim}")
    # Counted from the right, so that axes that '...' stands for in several operands line up.
    return (*map(ord, head), *range(-dots, 0), *map(ord, tail))


def _diagonals(x: Tensor, labels: Labels) -> tuple[Tensor, Labels]:
    """Take the diagonal of axes of equal labels."""
    while len(set(labels)) != len(labels):
        twice = next(a for a in labels if labels.count(a) > 1)
        i = labels.index(twice)
        j = labels.index(twice, i + 1)
        if x.shape[i] != x.shape[j]:
            given = f"{chr(twice)!r} stands for sizes {x.shape[i]} and {x.shape[j]} of one operand"
            raise ValueError(message("einsum", given))
        x = diagonal(x, 0, i, j)
        labels = (*(a for k, a in enumerate(labels) if k not in (i, j)), twice)
    return x, labels


def _contracted(name: str, terms: list[tuple[Tensor, Labels]], out: Labels) -> Tensor:
    """Contract terms two at a time until one is left."""
    sizes = _sizes(name, terms)
    terms = [_without_ones(x, labels, sizes) for x, labels in terms]
    if len(terms) == 1:
        return _alone(*terms[0], out)
    for pair in _pairs(tuple(labels for _, labels in terms), out, tuple(sorted(sizes.items()))):
        chosen = [terms[i] for i in pair]
        terms = [term for i, term in enumerate(terms) if i not in pair]
        needed = {*out, *(a for _, labels in terms for a in labels)}
        (x, xs), (y, ys) = chosen
        x, xs = _summed(x, xs, needed.union(ys))
        y, ys = _summed(y, ys, needed.union(xs))
        kept = tuple(a for a in dict.fromkeys(xs + ys) if a in needed) if terms else out
        terms.append((contract(x, y, xs, ys, kept), kept))
    return terms[0][0]


def _sizes(name: str, terms: Sequence[tuple[Tensor, Labels]]) -> dict[int, int]:
    """The size of each label; axes of size 1 go with any."""
    sizes: dict[int, int] = {}
    for x, labels in terms:
        for label, size in zip(labels, x._data.shape, strict=True):
            known = sizes.get(label, 1)
            if known == 1:
                sizes[label] = size
            elif size not in (1, known):
                shapes = ", ".join(str(each.shape) for each, _ in terms)
                what = f"axes of sizes {known} and {size} go together"
                raise ValueError(message(name, f"given shapes {shapes}", what))
    return sizes


def _without_ones(x: Tensor, labels: Labels, sizes: dict[int, int]) -> tuple[Tensor, Labels]:
    """Drop axes of size 1 that broadcast: a sum of products is the same without them."""
    shape = x._data.shape
    kept = [i for i, (a, n) in enumerate(zip(labels, shape, strict=True)) if n == sizes[a]]
    if len(kept) == len(labels):
        return x, labels
    return reshape(x, [shape[i] for i in kept]), tuple(labels[i] for i in kept)


def _summed(x: Tensor, labels: Labels, needed: set[int]) -> tuple[Tensor, Labels]:
    """Sum x over the axes whose labels nobody needs."""
    axes = [i for i, a in enumerate(labels) if a not in needed]
    if not axes:
        return x, labels
    return sum_of(x, axes, dtype=x.dtype), tuple(a for a in labels if a in needed)


def _alone(x: Tensor, labels: Labels, out: Labels) -> Tensor:
    """A single term, summed and with its axes in order, in memory of its own."""
    kept, kept_labels = _summed(x, labels, set(out))
    if kept_labels != out:
        kept = transpose(kept, list(_places(kept_labels, out)))
    return clone(kept) if kept_labels == labels else kept


@functools.lru_cache(maxsize=256)
def _pairs(
    terms: tuple[Labels, ...], out: Labels, sizes: tuple[tuple[int, int], ...]
) -> list[tuple[int, ...]]:
    """Which two terms to contract at each step; their product goes to the end of the list."""
    if len(terms) == 2:
        return [(0, 1)]
    # numpy's labels are numbers below 52.
    names = {label: i for i, (label, _) in enumerate(sizes)}
    size = dict(sizes)
    operands: list[Any] = []
    for labels in terms:
        operands += [np.broadcast_to(0.0, [size[a] for a in labels]), [names[a] for a in labels]]
    path, _ = np.einsum_path(*operands, [names[a] for a in out], optimize="greedy")
    pairs: list[tuple[int, ...]] = []
    count = len(terms)
    for first, second, *rest in map(sorted, path[1:]):
        # Where numpy sees no gain in an order it takes several at once: one after the other, here.
        pairs.append((first, second))
        pairs += [(place - done, count - done) for done, place in enumerate(rest, 2)]
        count -= 1 + len(rest)
    return pairs
