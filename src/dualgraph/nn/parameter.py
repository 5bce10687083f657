"""Parameters: the tensors a network learns, and the attributes that say how."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from dualgraph import naming
from dualgraph.autograd.mode import no_grad
from dualgraph.dtypes import DTypeLike, as_numpy, is_floating
from dualgraph.errors import describe, message
from dualgraph.tensor import Tensor, to_array

if TYPE_CHECKING:
    from dualgraph.regularizer import WeightDecayRegularizer

__all__ = ["ParamAttr", "Parameter", "make_parameter"]

Initializer = Callable[[Tensor], Any]


class Parameter(Tensor):
    """A tensor that is learnt: `stop_gradient` is False unless it is not trainable.

    Assigned to an attribute of a Layer, it becomes one of the layer's parameters.
    """

    persistable = True

    def __init__(
        self,
        data: Any,
        dtype: DTypeLike | None = None,
        name: str | None = None,
        trainable: bool = True,
    ) -> None:
        self._data = to_array(data, dtype)
        self._name = name or naming.unique("parameter")
        self.optimize_attr: dict[str, Any] = {"learning_rate": 1.0}
        self.regularizer: WeightDecayRegularizer | None = None
        self.need_clip = True
        self.is_distributed = False
        # Integer parameters exist (quantised weights); they are never trainable.
        self._stop = not trainable or not is_floating(self._data.dtype)

    def __repr__(self) -> str:
        return "Parameter containing:\n" + super().__repr__()

    def __reduce__(self) -> tuple[Any, ...]:
        state = {
            k: self.__dict__[k] for k in ("optimize_attr", "regularizer", "need_clip", "_stop")
        }
        return _restored, (self.numpy(), self.name, state)


def _restored(array: np.ndarray[Any, Any], name: str, state: dict[str, Any]) -> Parameter:
    parameter = Parameter(array, name=name)
    parameter.__dict__.update(state)
    return parameter


class ParamAttr:
    """How a layer should make one of its parameters.

    `learning_rate` multiplies the optimizer's; `regularizer` replaces the optimizer's for this
    parameter; `need_clip=False` leaves the parameter out of gradient clipping. TypeError for
    attributes of a wrong type.
    """

    def __init__(
        self,
        name: str | None = None,
        initializer: Initializer | None = None,
        learning_rate: float = 1.0,
        regularizer: WeightDecayRegularizer | None = None,
        trainable: bool = True,
        do_model_average: bool = True,
        need_clip: bool = True,
    ) -> None:
        _check("name", name, str, type(None))
        _check("learning_rate", learning_rate, int, float)
        for what, flag in (
            ("trainable", trainable),
            ("do_model_average", do_model_average),
            ("need_clip", need_clip),
        ):
            _check(what, flag, bool)
        self.name = name
        self.initializer = initializer
        self.learning_rate = learning_rate
        self.regularizer = regularizer
        self.trainable = trainable
        self.do_model_average = do_model_average
        self.need_clip = need_clip

    @staticmethod
    def of(attr: Any) -> ParamAttr | None:
        """What a layer's `weight_attr` or `bias_attr` means: a ParamAttr, or None for no parameter.

        None means the defaults, a string a name, an initializer an initializer, False no parameter.
        """
        if attr is False:
            return None
        if attr is None or attr is True:
            return ParamAttr()
        if isinstance(attr, ParamAttr):
            return attr
        if isinstance(attr, str):
            return ParamAttr(name=attr)
        if hasattr(attr, "grad_term"):
            return ParamAttr(regularizer=attr)
        if callable(attr):
            return ParamAttr(initializer=attr)
        raise TypeError(
            message(
                "ParamAttr",
                f"{describe(attr)} is given",
                "expected a ParamAttr, a name, an initializer or False",
            )
        )


def _check(what: str, value: Any, *kinds: type) -> None:
    if not isinstance(value, kinds):
        expected = " or ".join(kind.__name__ for kind in kinds)
        raise TypeError(
            message("ParamAttr", f"{what} is {describe(value)}", f"expected {expected}")
        )


def make_parameter(
    shape: Sequence[int],
    dtype: DTypeLike | None,
    attr: ParamAttr,
    name: str,
    initializer: Initializer,
) -> Parameter:
    """A parameter of a shape, filled by `attr`'s initializer or else the given one.

    ValueError if `attr` has a name that a parameter has had before.
    """
    parameter = Parameter(
        np.zeros(tuple(shape), as_numpy(dtype)), name=attr.name or name, trainable=attr.trainable
    )
    parameter.optimize_attr = {"learning_rate": attr.learning_rate}
    parameter.regularizer = attr.regularizer
    parameter.need_clip = attr.need_clip
    with no_grad():
        (attr.initializer or initializer)(parameter)
    if attr.name:
        naming.claim(attr.name)
    return parameter
