"""Switching the tape on and off: `no_grad`, `enable_grad`, `set_grad_enabled`."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Generator
from types import TracebackType
from typing import Any, TypeVar, overload

from dualgraph.tape import thread

__all__ = ["enable_grad", "is_grad_enabled", "no_grad", "set_grad_enabled"]

F = TypeVar("F", bound=Callable[..., Any])


class _Mode:
    """A gradient mode, as a context manager that may be entered again, and as a decorator."""

    def __init__(self, enabled: bool) -> None:
        self._enabled = enabled
        self._before: list[bool] = []

    def __enter__(self) -> None:
        self._before.append(thread.mode.grad)
        thread.mode.grad = self._enabled

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        thread.mode.grad = self._before.pop()

    def __call__(self, function: F) -> F:
        enabled = self._enabled
        if inspect.isgeneratorfunction(function):
            return _decorated_generator(function, enabled)

        @functools.wraps(function)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            with _Mode(enabled):
                return function(*args, **kwargs)

        return wrapper  # type: ignore[return-value]  # functools.wraps keeps the signature


def _decorated_generator(function: F, enabled: bool) -> F:
    """The mode holds while the generator runs, not while its consumer does."""

    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        with _Mode(enabled):
            generator = function(*args, **kwargs)
        sent = None
        while True:
            try:
                with _Mode(enabled):
                    item = generator.send(sent)
            except StopIteration as stop:
                return stop.value
            sent = yield item

    return wrapper  # type: ignore[return-value]  # functools.wraps keeps the signature


@overload
def no_grad(func: None = None) -> _Mode: ...
@overload
def no_grad(func: F) -> F: ...
def no_grad(func: F | None = None) -> F | _Mode:
    """Compute without recording for gradients; a context manager and a decorator.

    As a decorator it may stand with or without parentheses.

    >>> import dualgraph as dg
    >>> x = dg.to_tensor(2.0, stop_gradient=False)
    >>> with dg.no_grad():
    ...     y = x * x
    >>> y.stop_gradient
    True
    """
    return _Mode(False) if func is None else _Mode(False)(func)


@overload
def enable_grad(func: None = None) -> _Mode: ...
@overload
def enable_grad(func: F) -> F: ...
def enable_grad(func: F | None = None) -> F | _Mode:
    """Record for gradients inside a `no_grad` region; a context manager and a decorator."""
    return _Mode(True) if func is None else _Mode(True)(func)


class set_grad_enabled(_Mode):
    """Set the gradient mode at once, and, used as a context manager, set it back at the end."""

    def __init__(self, mode: bool) -> None:
        super().__init__(bool(mode))
        self._outer = thread.mode.grad
        thread.mode.grad = bool(mode)

    def __enter__(self) -> None:
        self._before.append(self._outer)
        thread.mode.grad = self._enabled

    def __call__(self, function: F) -> F:
        thread.mode.grad = self._outer
        return super().__call__(function)


def is_grad_enabled() -> bool:
    """Whether this thread records for gradients."""
    return thread.mode.grad
