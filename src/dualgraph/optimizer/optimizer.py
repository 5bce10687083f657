"""Optimizer: whose turn it is, with which gradient, rate and state. Subclasses say what it does."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from typing import Any, ClassVar, TypeAlias

import numpy as np

from dualgraph.errors import describe, message
from dualgraph.nn.clip import ClipGradBase
from dualgraph.ops.apply import commit
from dualgraph.optimizer.checks import (
    Check,
    check_clip,
    check_decay,
    check_learning_rate,
    check_parameters,
)
from dualgraph.optimizer.lr.base import LRScheduler
from dualgraph.optimizer.lr.decay import LambdaDecay
from dualgraph.optimizer.slots import Slot, Slots, Start
from dualgraph.optimizer.updates import store
from dualgraph.regularizer import WeightDecayRegularizer
from dualgraph.tape import thread
from dualgraph.tensor import Array, Tensor, storage_of, wrap

__all__ = ["Beta", "Decay", "Hyper", "Optimizer", "Parameters"]

Parameters: TypeAlias = Iterable[Tensor] | Iterable[dict[str, Any]] | None
Decay: TypeAlias = float | WeightDecayRegularizer | None
Beta: TypeAlias = float | Tensor
Hyper: TypeAlias = "dict[str, Any]"
Group: TypeAlias = "dict[str, Any]"
Pairs: TypeAlias = "list[tuple[Tensor, Tensor]]"
Moves: TypeAlias = "list[tuple[Slot, Tensor]]"

_RATES = 1024  # factors of the rate to remember


class Optimizer:
    """Base of the optimizers: moves parameters by their gradients.

    `learning_rate` is a float or an `lr.LRScheduler`. `parameters` is a list of tensors, or of
    dicts with the tensors under "params" and options for them: `learning_rate` there multiplies the
    optimizer's, `weight_decay` and `grad_clip` replace the optimizer's, and so do the
    hyperparameters of the class; a parameter's own `optimize_attr` and `regularizer` count only
    outside of groups. `weight_decay` is a number (an L2Decay) or an `L1Decay` or `L2Decay`, whose
    term is added to clipped gradients. `name` is put into the names of the state.

    TypeError or ValueError name the argument that is wrong; nothing has changed then.

    To derive a class, list its hyperparameters with their checks in `_hyperparameters`, keep them
    in attributes of these names with an underscore before, and write `_accumulators` and `_update`.
    """

    _hyperparameters: ClassVar[dict[str, Check]] = {}
    # Whether a gradient of zeros leaves the parameter and the state as they are.
    _rests_at_zero: ClassVar[bool] = False

    def __init__(
        self,
        learning_rate: float | LRScheduler,
        parameters: Parameters = None,
        weight_decay: Decay = None,
        grad_clip: ClipGradBase | None = None,
        name: str | None = None,
        multi_precision: bool = False,
    ) -> None:
        kind = type(self).__name__
        check_learning_rate(kind, learning_rate)
        plain, groups = check_parameters(kind, parameters)
        self.regularization = check_decay(kind, weight_decay)
        check_clip(kind, grad_clip)
        for group in groups:
            self._check_group(kind, group)
            if "weight_decay" not in self._hyperparameters:
                group.setdefault("weight_decay", self.regularization)
            group.setdefault("grad_clip", grad_clip)
        self._name = name
        self._grad_clip = grad_clip
        self._learning_rate = learning_rate
        self._grouped = bool(groups)
        self._groups = groups or [{"params": plain}]
        self._parameter_list: list[Any] = groups or plain
        self._param_groups = self._parameter_list
        self._multi_precision = bool(multi_precision)
        self._slots = Slots(kind, name, bool(multi_precision))
        # What updates read: a tensor for each dtype and each factor that the rate is taken times.
        self._rates: dict[tuple[np.dtype[Any], float], Tensor] = {}
        self._rate = self.get_lr()

    def _check_group(self, kind: str, group: Group) -> None:
        for option, check in self._hyperparameters.items():
            if option in group:
                check(kind, option, group[option])
        if "weight_decay" in group and "weight_decay" not in self._hyperparameters:
            group["weight_decay"] = check_decay(kind, group["weight_decay"])
        if "grad_clip" in group:
            check_clip(kind, group["grad_clip"])
        factor = group.get("learning_rate", 1.0)
        if not isinstance(factor, (int, float)):
            given = f"learning_rate of a group is {describe(factor)}"
            raise TypeError(message(kind, given, "expected a factor to the optimizer's, a number"))

    def _set(self, **hyperparameters: Any) -> None:
        """Check the hyperparameters of a derived class and keep them."""
        for option, value in hyperparameters.items():
            self._hyperparameters[option](type(self).__name__, option, value)
            setattr(self, f"_{option}", value)

    def _hyper(self, group: Group) -> Hyper:
        """The hyperparameters as they hold for a group now."""
        return {
            option: group[option] if option in group else getattr(self, f"_{option}")
            for option in self._hyperparameters
        }

    # -- what derived classes write ----------------------------------------------------------------

    def _accumulators(self, p: Tensor, hyper: Hyper) -> dict[str, Array]:
        """The state that a parameter starts with, by name; none unless a derived class says so."""
        return {}

    def _update(self, slot: Slot, g: Tensor, rate: Tensor, hyper: Hyper) -> None:
        """Move one parameter and its state, `slot.targets`, by a gradient."""
        given = f"{type(self).__name__} has no _update"
        raise NotImplementedError(message("Optimizer", given, "", "use SGD, Adam or another"))

    # -- stepping ----------------------------------------------------------------------------------

    def step(self) -> None:
        """Move each parameter that is trainable and has a gradient.

        A gradient of zeros counts, None does not. With a `ClipGradByGlobalNorm` the gradients are
        overwritten. ValueError, before anything has changed, if a gradient does not have the shape
        and dtype of its parameter, or the state is for another one.
        """
        self._run([(group, group["params"]) for group in self._groups])

    def _run(self, chosen: list[tuple[Group, list[Tensor]]]) -> Pairs:
        """Look at all parameters, then move those that have a gradient; returns them with it."""
        mode = thread.mode
        before, mode.grad = mode.grad, False
        try:
            self._refresh()
            turns = [self._turn(group, parameters) for group, parameters in chosen]
            for turn in turns:
                self._take(*turn)
        finally:
            mode.grad = before
        return [(slot.param, g) for _, _, moves in turns for slot, g in moves]

    def _turn(self, group: Group, parameters: list[Tensor]) -> tuple[Group, Hyper, Moves]:
        """What is to be done for a group; everything that can be wrong with it is wrong here."""
        hyper = self._hyper(group)
        start = partial(self._accumulators, hyper=hyper)
        slot_of = self._slots.get
        moves = []
        for p in parameters:
            g = p._grad
            if g is None and p._grad_is_zero and self._moves_by_zeros(group, p):
                g = p.grad
            if g is None or p._stop:
                continue
            if g._data.shape != p._data.shape or g._data.dtype != p._data.dtype:
                given = f"parameter {p.name} is {describe(p)}, its gradient {describe(g)}"
                raise ValueError(message(type(self).__name__, given, "expected the same"))
            moves.append((slot_of(p, start), g))
        return group, hyper, moves

    def _moves_by_zeros(self, group: Group, p: Tensor) -> bool:
        """Whether zeros that nobody has looked at have to be made, for the step to take them."""
        plain = self._clip(group) is None and self._regularizer(group, p) is None
        return not (plain and self._rests_at_zero)

    def _take(self, group: Group, hyper: Hyper, moves: Moves) -> None:
        """Clip, regularise, and update each parameter."""
        clip = self._clip(group)
        if clip is not None and moves:
            clipped = clip([(slot.param, g) for slot, g in moves])
            moves = [(self._slots[p], g) for p, g in clipped]
        plain = []
        for slot, g in moves:
            p = slot.param
            decay = self._regularizer(group, p)
            rate = self._rate_for(self._factor(group, p), slot.work._data.dtype)
            if decay is None and slot.work is p:
                plain.append((slot, g, rate))
            else:
                self._move(slot, g, decay, rate, hyper)
        self._update_each(plain, hyper)

    def _update_each(self, moves: list[tuple[Slot, Tensor, Tensor]], hyper: Hyper) -> None:
        """Move several parameters by their gradients and rates."""
        for slot, g, rate in moves:
            self._update(slot, g, rate, hyper)

    def _move(
        self,
        slot: Slot,
        g: Tensor,
        decay: WeightDecayRegularizer | None,
        rate: Tensor,
        hyper: Hyper,
    ) -> None:
        """Update a parameter; one of half precision by way of its float32 twin."""
        p, work = slot.param, slot.work
        if work is not p:
            g = g.astype("float32")
            if not self._multi_precision:
                commit(store, (work,), (p,))
        if decay is not None:
            g = self._decayed(g, work, decay, hyper)
        self._update(slot, g, rate, hyper)
        if work is not p:
            commit(store, (p,), (work,))

    def _decayed(self, g: Tensor, p: Tensor, decay: WeightDecayRegularizer, hyper: Hyper) -> Tensor:
        """The gradient with the term of the weight decay."""
        return decay.added_to(g, p)

    def _clip(self, group: Group) -> ClipGradBase | None:
        clip: ClipGradBase | None = group["grad_clip"] if self._grouped else self._grad_clip
        return clip

    def _regularizer(self, group: Group, p: Tensor) -> WeightDecayRegularizer | None:
        own: Any = group["weight_decay"] if self._grouped else getattr(p, "regularizer", None)
        return self.regularization if own is None else own

    def minimize(
        self,
        loss: Tensor,
        startup_program: Any = None,
        parameters: Iterable[Tensor] | None = None,
        no_grad_set: Iterable[Tensor | str] | None = None,
    ) -> tuple[list[Any], Pairs]:
        """Step with the gradients that `loss.backward()` has left; it does not run backward itself.

        Only the given `parameters`, all by default, and none of `no_grad_set` (tensors or their
        names). Returns an empty list and the (parameter, gradient) pairs. TypeError if the loss is
        not a Tensor.
        """
        if not isinstance(loss, Tensor):
            given = f"loss is {describe(loss)}"
            raise TypeError(message(f"{type(self).__name__}.minimize", given, "expected a Tensor"))
        left_out = {x if isinstance(x, str) else x.name for x in no_grad_set or ()}
        wanted = None if parameters is None else {id(p) for p in parameters}
        chosen = [
            (group, [p for p in group["params"] if wanted is None or id(p) in wanted])
            for group in self._groups
        ]
        if left_out:
            chosen = [(group, [p for p in ps if p.name not in left_out]) for group, ps in chosen]
        return [], self._run(chosen)

    def clear_grad(self, set_to_zero: bool = True) -> None:
        """Set all gradients to zeros, or to None with `set_to_zero=False`.

        A parameter whose gradient is None is left alone by `step`; one of zeros still moves where
        the state (momentum, decay) says so.
        """
        for group in self._groups:
            for p in group["params"]:
                if not p._stop:
                    p.clear_gradient(set_to_zero)

    clear_gradients = clear_grad

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Set all gradients to None, or to zeros with `set_to_none=False`."""
        self.clear_grad(set_to_zero=not set_to_none)

    # -- rate --------------------------------------------------------------------------------------

    def get_lr(self) -> float:
        """The present rate, a Python float."""
        rate = self._learning_rate
        return rate() if isinstance(rate, LRScheduler) else rate

    def set_lr(self, value: float) -> None:
        """Set the rate; TypeError for what is no number, RuntimeError if a scheduler sets it."""
        name = f"{type(self).__name__}.set_lr"
        if not isinstance(value, (int, float)):
            raise TypeError(message(name, f"value is {describe(value)}", "expected a float"))
        if isinstance(self._learning_rate, LRScheduler):
            remedy = "step the scheduler instead"
            raise RuntimeError(message(name, "the rate is a scheduler's", "", remedy))
        self._learning_rate = float(value)
        self._refresh()

    def set_lr_scheduler(self, scheduler: LRScheduler) -> None:
        """Let a scheduler set the rate from now on; TypeError if it is none."""
        if not isinstance(scheduler, LRScheduler):
            given = f"scheduler is {describe(scheduler)}"
            name = f"{type(self).__name__}.set_lr_scheduler"
            raise TypeError(message(name, given, "expected an LRScheduler"))
        self._learning_rate = scheduler
        self._refresh()

    def _refresh(self) -> None:
        """Bring the tensors that updates read to the present rate.

        A recorder is not told: the rate is read when a step runs, it is not part of what a step
        does.
        """
        rate = self.get_lr()
        if rate != self._rate:
            self._rate = rate
            for (dtype, factor), tensor in self._rates.items():
                np.copyto(tensor._data, _rate_array(rate, factor, dtype))
                storage_of(tensor).version += 1

    def _factor(self, group: Group, p: Tensor) -> float:
        """What the rate is multiplied by for a parameter."""
        options = group if self._grouped else getattr(p, "optimize_attr", group)
        factor: float = options.get("learning_rate", 1.0)
        return factor

    def _rate_for(self, factor: float, dtype: np.dtype[Any]) -> Tensor:
        """The rate times a factor, as the tensor that updates of this dtype read."""
        tensor = self._rates.get((dtype, factor))
        if tensor is None:
            if len(self._rates) >= _RATES:
                self._rates.clear()
            tensor = self._rates[dtype, factor] = wrap(_rate_array(self._rate, factor, dtype))
        return tensor

    # -- state -------------------------------------------------------------------------------------

    def state_dict(self) -> dict[str, Any]:
        """The accumulators by name, as `linear_0.w_0_moment1_0`, and the scheduler's state.

        The tensors are the optimizer's own. Parameters that were never moved have none.
        """
        state = self._slots.state_dict()
        if isinstance(self._learning_rate, LRScheduler):
            state["LR_Scheduler"] = self._learning_rate.state_dict()
        return state

    def set_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Load what `state_dict` gave, as tensors or arrays; parameters are found by their names.

        ValueError, before anything has changed, if the state is of other parameters, shapes or
        dtypes, or has no scheduler's state where one is needed.
        """
        load = self._slots.plan(state_dict, self._starts())
        rate = self._learning_rate
        if isinstance(rate, LRScheduler):
            saved = state_dict.get("LR_Scheduler")
            if saved is None and not isinstance(rate, LambdaDecay):
                given = f"the state has the keys {list(state_dict)[:8]}"
                name = f"{type(self).__name__}.set_state_dict"
                raise ValueError(message(name, given, "expected LR_Scheduler among them"))
            if saved:
                rate.set_state_dict(saved)
        load()

    load_state_dict = set_state_dict

    def _starts(self) -> Iterator[tuple[Tensor, Start]]:
        for group in self._groups:
            start = partial(self._accumulators, hyper=self._hyper(group))
            for p in group["params"]:
                yield p, start


def _rate_array(rate: float, factor: float, dtype: np.dtype[Any]) -> Array:
    return np.asarray(np.asarray(rate, dtype) * np.asarray(factor, dtype))
