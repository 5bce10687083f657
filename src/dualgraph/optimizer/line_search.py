"""How far to go along a direction: a search for a point that meets the strong Wolfe conditions."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from dualgraph.tensor import Array

__all__ = ["Point", "cubic_minimum", "strong_wolfe"]

_DECREASE = 1e-4  # how much of the decrease that the slope promises is asked for
_CURVATURE = 0.9  # how much of the slope may be left
_MOST = 25  # evaluations


@dataclass(frozen=True)
class Point:
    """A point on the line: how far, the loss and gradient there, the slope along it."""

    t: float
    loss: float
    grad: Array
    slope: float


def cubic_minimum(a: Point, b: Point, bounds: tuple[float, float] | None = None) -> float:
    """Where the cubic through the losses and slopes of two points is least, within bounds.

    The bounds are the points unless given. The middle of the bounds if the cubic has no minimum.
    """
    if a.t > b.t:
        a, b = b, a
    low, high = bounds or (a.t, b.t)
    width = b.t - a.t
    if width > 0:
        bend = a.slope + b.slope - 3 * (b.loss - a.loss) / width
        square = bend * bend - a.slope * b.slope
        if square >= 0:
            root = math.sqrt(square)
            below = b.slope - a.slope + 2 * root
            if below != 0:
                return min(max(b.t - width * (b.slope + root - bend) / below, low), high)
    return (low + high) / 2


def strong_wolfe(
    evaluate: Callable[[float], Point], start: Point, t: float, tolerance: float
) -> tuple[Point, int]:
    """The best point found from `t` on, and the number of evaluations.

    `tolerance` is the least width of a bracket. Source: Nocedal and Wright, "Numerical
    optimization", 2006, algorithms 3.5 and 3.6.
    """
    last, here = start, evaluate(t)
    count = 0
    while count < _MOST:
        if _too_high(here, start) or (count > 1 and here.loss >= last.loss):
            return _zoom(evaluate, start, last, here, tolerance, count)
        if _flat(here, start):
            return here, count + 1
        if here.slope >= 0:
            return _zoom(evaluate, start, last, here, tolerance, count)
        reach = (here.t + 0.01 * (here.t - last.t), here.t * 10)
        last, here = here, evaluate(cubic_minimum(last, here, reach))
        count += 1
    return (start if start.loss <= here.loss else here), count + 1


def _too_high(point: Point, start: Point) -> bool:
    # A promise below the losses' own precision is none.
    promised = start.grad.dtype.type(start.loss + _DECREASE * point.t * start.slope)
    return point.loss > float(promised)


def _flat(point: Point, start: Point) -> bool:
    return abs(point.slope) <= -_CURVATURE * start.slope


def _zoom(
    evaluate: Callable[[float], Point],
    start: Point,
    a: Point,
    b: Point,
    tolerance: float,
    count: int,
) -> tuple[Point, int]:
    """Narrow a bracket that holds a good point; `best` is its end with the lower loss."""
    best, other = (a, b) if a.loss <= b.loss else (b, a)
    stuck = False
    while count < _MOST and abs(a.t - b.t) >= tolerance:
        low, high = min(a.t, b.t), max(a.t, b.t)
        t, stuck = _inside(cubic_minimum(a, b), low, high, stuck)
        here = evaluate(t)
        count += 1
        if _too_high(here, start) or here.loss >= best.loss:
            other = here
            if best.loss > other.loss:
                best, other = other, best
        else:
            if _flat(here, start):
                return here, count + 1
            if here.slope * (other.t - best.t) >= 0:
                other = best
            best = here
        a, b = best, other
    return best, count + 1


def _inside(t: float, low: float, high: float, stuck: bool) -> tuple[float, bool]:
    """Keep a guess off the ends of the bracket if it was near one before, or is on one."""
    margin = 0.1 * (high - low)
    if min(high - t, t - low) >= margin:
        return t, False
    if stuck or t >= high or t <= low:
        return (high - margin if abs(t - high) < abs(t - low) else low + margin), False
    return t, True
