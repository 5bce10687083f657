"""Weight decay as a term of the gradient, which an optimizer adds before it steps."""

from __future__ import annotations

from typing import Any

import numpy as np

from dualgraph.errors import describe, message
from dualgraph.ops.apply import apply
from dualgraph.ops.registry import Op, op
from dualgraph.tensor import Array, Tensor

__all__ = ["L1Decay", "L2Decay", "WeightDecayRegularizer"]


@op(name="l1_decay", expand=lambda g, p, coeff: g + p.sign() * coeff)
def _l1_decay(g: Array, p: Array, coeff: float) -> Array:
    out = np.sign(p)
    out *= coeff
    out += g
    return out


@op(name="l2_decay", expand=lambda g, p, coeff: g + p * coeff)
def _l2_decay(g: Array, p: Array, coeff: float) -> Any:
    out = np.multiply(p, coeff)
    out += g
    return out


class WeightDecayRegularizer:
    """Base of the penalties on a parameter's size. Derive from it and write `grad_term`."""

    def grad_term(self, parameter: Tensor) -> Tensor:
        """The gradient of the penalty, like the parameter; what a derived class writes."""
        given = f"{type(self).__name__} has no grad_term"
        raise NotImplementedError(
            message("regularizer", given, "", "write grad_term(self, parameter)")
        )

    def added_to(self, grad: Tensor, parameter: Tensor) -> Tensor:
        """A new gradient: the given one and this penalty's."""
        out: Tensor = grad + self.grad_term(parameter)
        return out


class _Decay(WeightDecayRegularizer):
    """A penalty that is a coefficient times a norm; as cheap as one op."""

    _op: Op

    def __init__(self, coeff: float = 0.0) -> None:
        if not isinstance(coeff, (int, float)):
            given = f"coeff is {describe(coeff)}"
            raise TypeError(message(type(self).__name__, given, "expected an int or float"))
        self._coeff = float(coeff)

    @property
    def coeff(self) -> float:
        """The coefficient of the penalty."""
        return self._coeff

    def added_to(self, grad: Tensor, parameter: Tensor) -> Tensor:
        """A new gradient: the given one and this penalty's."""
        return apply(self._op, (grad, parameter, self._coeff))

    def __repr__(self) -> str:
        return f"{type(self).__name__}, coeff={self._coeff:f}"


class L1Decay(_Decay):
    """The penalty `coeff * sum(|p|)`, which drives weights to zero.

    Its gradient is `coeff * sign(p)`. Given to an optimizer as `weight_decay` it holds for all
    parameters, given to a `ParamAttr` as `regularizer` for that one, in place of the optimizer's.
    TypeError if `coeff` is not a number.

    >>> import dualgraph as dg
    >>> p = dg.nn.Parameter([1.0, -2.0])
    >>> opt = dg.optimizer.SGD(0.5, parameters=[p], weight_decay=dg.regularizer.L1Decay(0.5))
    >>> p.sum().backward()
    >>> opt.step()
    >>> p.tolist()
    [0.25, -2.25]
    """

    _op = _l1_decay

    def grad_term(self, parameter: Tensor) -> Tensor:
        """The gradient of the penalty."""
        term: Tensor = parameter.sign() * self._coeff
        return term


class L2Decay(_Decay):
    """The penalty `coeff / 2 * sum(p * p)`, which keeps weights small; its gradient is `coeff * p`.

    Given to an optimizer as `weight_decay` it holds for all parameters (a plain number means the
    same), given to a `ParamAttr` as `regularizer` for that one, in place of the optimizer's.
    TypeError if `coeff` is not a number.

    >>> import dualgraph as dg
    >>> p = dg.nn.Parameter([1.0, -2.0])
    >>> opt = dg.optimizer.SGD(0.5, parameters=[p], weight_decay=dg.regularizer.L2Decay(0.5))
    >>> p.sum().backward()
    >>> opt.step()
    >>> p.tolist()
    [0.25, -2.0]
    """

    _op = _l2_decay

    def grad_term(self, parameter: Tensor) -> Tensor:
        """The gradient of the penalty."""
        term: Tensor = parameter * self._coeff
        return term
