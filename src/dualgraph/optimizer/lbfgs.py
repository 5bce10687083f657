"""LBFGS: steps by an estimate of the curvature from the last changes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn

import numpy as np

from dualgraph.autograd.mode import enable_grad, no_grad
from dualgraph.errors import describe, message
from dualgraph.nn.clip import ClipGradBase
from dualgraph.optimizer.checks import nonnegative, real
from dualgraph.optimizer.line_search import Point, strong_wolfe
from dualgraph.optimizer.optimizer import Decay, Optimizer, Parameters
from dualgraph.tensor import Array, Tensor, concretize, wrap

__all__ = ["LBFGS"]

_LEAST_CURVATURE = 1e-10


@dataclass
class _History:
    """What is known from earlier iterations; the names are those of Paddle's state."""

    func_evals: int = 0
    n_iter: int = 0
    d: Array | None = None  # the last direction
    alpha: float = 0.0  # how far it was followed
    old_yk: list[Array] = field(default_factory=list)  # changes of the gradient
    old_sk: list[Array] = field(default_factory=list)  # changes of the parameters
    ro: list[float] = field(default_factory=list)  # 1 / (y · s)
    H_diag: float = 1.0
    prev_flat_grad: Array | None = None
    prev_loss: float = 0.0

    def learn(self, grad: Array, size: int) -> None:
        """Take in the change since the last iteration, if the loss is convex along it."""
        assert self.d is not None
        assert self.prev_flat_grad is not None
        y = grad - self.prev_flat_grad
        s = self.d * self.alpha
        curvature = float(y @ s)
        if curvature > _LEAST_CURVATURE:
            if len(self.old_yk) == size:
                del self.old_yk[0], self.old_sk[0], self.ro[0]
            self.old_yk.append(y)
            self.old_sk.append(s)
            self.ro.append(1.0 / curvature)
            self.H_diag = curvature / float(y @ y)

    def direction(self, grad: Array) -> Array:
        """The gradient times the estimated inverse of the curvature: the two-loop recursion."""
        d = -grad
        shares = []
        for y, s, r in zip(self.old_yk[::-1], self.old_sk[::-1], self.ro[::-1], strict=True):
            shares.append(float(s @ d) * r)
            d -= y * shares[-1]
        d *= self.H_diag
        for y, s, r, a in zip(self.old_yk, self.old_sk, self.ro, shares[::-1], strict=True):
            d += s * (a - float(y @ d) * r)
        return d


class LBFGS(Optimizer):
    """The limited-memory BFGS method, for losses without noise.

    `step(closure)` runs up to `max_iter` iterations. `closure()` clears the gradients, computes the
    loss, runs backward and returns the loss. An iteration moves by `learning_rate` times the
    direction, or with `line_search_fn="strong_wolfe"` as far as a line search says. It ends early
    once the greatest gradient is at most `tolerance_grad`, the greatest change or the change of the
    loss at most `tolerance_change`, or `max_eval` evaluations (5/4 of `max_iter`) are made.
    `history_size` changes are remembered. TypeError or ValueError for arguments that make no sense;
    also for `weight_decay` and `grad_clip`, which would not fit the loss that is searched. Source:
    Liu and Nocedal, "On the limited memory BFGS method for large scale optimization", 1989.

    >>> import dualgraph as dg
    >>> p = dg.nn.Parameter([3.0, -2.0])
    >>> opt = dg.optimizer.LBFGS(line_search_fn="strong_wolfe", parameters=[p])
    >>> def closure():
    ...     opt.clear_grad()
    ...     loss = ((p - 1.0) * (p - 1.0)).sum()
    ...     loss.backward()
    ...     return loss
    >>> opt.step(closure).item()
    13.0
    >>> [round(x, 4) for x in p.tolist()]
    [1.0, 1.0]
    """

    def __init__(
        self,
        learning_rate: float = 1.0,
        max_iter: int = 20,
        max_eval: int | None = None,
        tolerance_grad: float = 1e-7,
        tolerance_change: float = 1e-9,
        history_size: int = 100,
        line_search_fn: str | None = None,
        parameters: Parameters = None,
        weight_decay: Decay = None,
        grad_clip: ClipGradBase | None = None,
        name: str | None = None,
    ) -> None:
        real("LBFGS", "learning_rate", learning_rate)
        nonnegative("LBFGS", "tolerance_grad", tolerance_grad)
        nonnegative("LBFGS", "tolerance_change", tolerance_change)
        max_eval = max_iter * 5 // 4 if max_eval is None else max_eval
        counts = {"max_iter": max_iter, "max_eval": max_eval, "history_size": history_size}
        for what, count in counts.items():
            _check_count(what, count)
        if line_search_fn not in (None, "strong_wolfe"):
            given = f"line_search_fn is {line_search_fn!r}"
            raise ValueError(message("LBFGS", given, "expected None or 'strong_wolfe'"))
        for what, option in (("weight_decay", weight_decay), ("grad_clip", grad_clip)):
            if option is not None:
                remedy = "add the term to the loss in the closure"
                raise ValueError(message("LBFGS", f"{what} is given", "expected None", remedy))
        super().__init__(float(learning_rate), parameters, None, None, name)
        self._max_iter, self._max_eval, self._history_size = max_iter, max_eval, history_size
        self._tolerance_grad, self._tolerance_change = tolerance_grad, tolerance_change
        self._searches = line_search_fn is not None
        self._params = [p for group in self._groups for p in group["params"]]
        self._history = _History()

    def step(self, closure: Callable[[], Tensor]) -> Tensor:  # type: ignore[override]  # a closure
        """Run iterations, and return the loss before the first; TypeError for no function."""
        if not callable(closure):
            given = f"closure is {describe(closure)}"
            raise TypeError(message("LBFGS.step", given, "expected a function returning the loss"))
        with no_grad():
            return self._iterate(closure)

    def _iterate(self, closure: Callable[[], Tensor]) -> Tensor:
        first = self._evaluate(closure)
        loss, grad = float(first), self._flat_gradient()
        evaluations = 1
        if _greatest(grad) <= self._tolerance_grad:
            self._history.func_evals += 1
            return first
        for iteration in range(1, self._max_iter + 1):
            slope = self._aim(loss, grad)
            if slope > -self._tolerance_change:
                break
            before = loss
            if self._searches:
                loss, grad, count = self._search(closure, Point(0.0, loss, grad, slope))
            else:
                count = int(iteration < self._max_iter)
                loss, grad = self._follow(closure, loss, grad, count)
            evaluations += count
            if self._is_done(loss - before, grad) or evaluations >= self._max_eval:
                break
        self._history.func_evals += evaluations
        return first

    def _aim(self, loss: float, grad: Array) -> float:
        """Choose the direction and how far to go at first; returns the slope along it."""
        history = self._history
        history.n_iter += 1
        reach = self.get_lr()
        if history.n_iter == 1:
            history.d = -grad
            reach *= min(1.0, 1.0 / float(np.abs(grad).sum()))
        else:
            history.learn(grad, self._history_size)
            history.d = history.direction(grad)
        history.alpha, history.prev_flat_grad, history.prev_loss = reach, grad, loss
        return float(grad @ history.d)

    def _follow(
        self, closure: Callable[[], Tensor], loss: float, grad: Array, count: int
    ) -> tuple[float, Array]:
        """Go where aimed, and look there unless nobody will ask."""
        self._place(self._values(), self._history.alpha)
        if not count:
            return loss, grad
        return float(self._evaluate(closure)), self._flat_gradient()

    def _search(self, closure: Callable[[], Tensor], start: Point) -> tuple[float, Array, int]:
        """Go along the direction as far as is best."""
        history, origin = self._history, self._values()
        d = history.d
        assert d is not None

        def evaluate(t: float) -> Point:
            self._place(origin, t)
            loss, grad = float(self._evaluate(closure)), self._flat_gradient()
            return Point(t, loss, grad, float(grad @ d))

        width = self._tolerance_change / max(_greatest(d), np.finfo(np.float64).tiny)
        best, count = strong_wolfe(evaluate, start, history.alpha, width)
        history.alpha = best.t
        self._place(origin, best.t)
        return best.loss, best.grad, count

    def _is_done(self, change: float, grad: Array) -> bool:
        history = self._history
        assert history.d is not None
        return (
            _greatest(grad) <= self._tolerance_grad
            or _greatest(history.d) * abs(history.alpha) <= self._tolerance_change
            or abs(change) < self._tolerance_change
        )

    # -- parameters as one vector ------------------------------------------------------------------

    @staticmethod
    def _evaluate(closure: Callable[[], Tensor]) -> Tensor:
        with enable_grad():
            loss = closure()
        if not isinstance(loss, Tensor):
            given = f"closure returned {describe(loss)}"
            raise TypeError(message("LBFGS.step", given, "expected the loss, a Tensor"))
        return loss

    def _flat_gradient(self) -> Array:
        parts = (p.grad for p in self._params)
        return np.concatenate(
            [
                np.zeros(p.size, p._data.dtype) if g is None else concretize(g).reshape(-1)
                for p, g in zip(self._params, parts, strict=True)
            ]
        )

    def _values(self) -> Array:
        return np.concatenate([concretize(p).reshape(-1) for p in self._params])

    def _place(self, origin: Array, t: float) -> None:
        """Set the parameters to the origin plus t times the direction."""
        values = origin + self._history.d * t  # type: ignore[operator]  # there is a direction by now
        start = 0
        for p in self._params:
            part = values[start : start + p.size].reshape(p._data.shape)
            p.set_value(part.astype(p._data.dtype, copy=False))
            start += p.size

    # -- state -------------------------------------------------------------------------------------

    def state_dict(self) -> dict[str, Any]:
        """What is known from earlier iterations, under "state": numbers, tensors, lists of them."""
        if not self._history.n_iter:
            return {"state": {}}
        return {"state": {k: _as_tensors(v) for k, v in vars(self._history).items()}}

    def set_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Load what `state_dict` gave; ValueError, and nothing has changed, if it does not fit."""
        state = state_dict.get("state")
        if not isinstance(state, Mapping) or (state and set(state) < set(vars(_History()))):
            given = f"the state has the keys {list(state_dict)[:8]}"
            raise ValueError(
                message("LBFGS.set_state_dict", given, "expected what state_dict gave")
            )
        history = _History(**{k: _as_arrays(state[k]) for k in vars(_History()) if k in state})
        size = sum(p.size for p in self._params)
        vectors = [history.d, history.prev_flat_grad, *history.old_yk, *history.old_sk]
        if any(v is not None and v.shape != (size,) for v in vectors):
            given = "the state is of other parameters"
            raise ValueError(message("LBFGS.set_state_dict", given, f"expected {size} elements"))
        self._history = history

    load_state_dict = set_state_dict

    def minimize(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Not for LBFGS, which must evaluate the loss again and again: NotImplementedError."""
        given = "LBFGS cannot work from one loss"
        raise NotImplementedError(message("LBFGS.minimize", given, "", "call step(closure)"))


def _check_count(name: str, value: Any) -> None:
    if not isinstance(value, int):
        raise TypeError(message("LBFGS", f"{name} is {describe(value)}", "expected an int"))
    if value < 1:
        raise ValueError(message("LBFGS", f"{name} is {value}", "expected 1 or more"))


def _greatest(x: Array) -> float:
    return float(np.max(np.abs(x), initial=0))


def _as_tensors(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return wrap(value.copy())
    return [_as_tensors(item) for item in value] if isinstance(value, list) else value


def _as_arrays(value: Any) -> Any:
    if isinstance(value, Tensor):
        return concretize(value).copy()
    return [_as_arrays(item) for item in value] if isinstance(value, list) else value
