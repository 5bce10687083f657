"""What an optimizer keeps for each parameter, and how that is named, saved and loaded."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

import numpy as np

from dualgraph.errors import describe, message
from dualgraph.tensor import Array, Tensor, concretize, wrap

__all__ = ["Slot", "Slots", "Start"]

Start: TypeAlias = "Callable[[Tensor], dict[str, Array]]"

_MASTER = "_fp32_master_0"


class Slot:
    """The state of one parameter: the tensor that updates move, and its accumulators by name.

    That tensor is the parameter itself, or for half precision a float32 twin of it.
    """

    __slots__ = ("accumulators", "dtype", "param", "shape", "targets", "work")

    def __init__(self, param: Tensor, work: Tensor, accumulators: dict[str, Tensor]) -> None:
        self.param = param
        self.shape, self.dtype = param._data.shape, param._data.dtype
        self.work = work
        self.accumulators = accumulators
        self.targets = (work, *accumulators.values())


class Slots:
    """The slots of all parameters moved so far. `start(p)` gives first values of accumulators."""

    def __init__(self, owner: str, name: str | None, masters: bool) -> None:
        self._owner = owner
        self._infix = "" if name is None else f"{name}_"
        self._masters = masters  # whether float32 twins are kept from step to step
        self._held: dict[Tensor, Slot] = {}

    def get(self, p: Tensor, start: Start) -> Slot:
        """The slot of a parameter, made if it has none; ValueError if its state does not fit."""
        slot = self._held.get(p)
        if slot is not None:
            array = p._data
            if array.shape == slot.shape and array.dtype == slot.dtype:
                return slot
            if slot.accumulators:
                given = f"parameter {p.name} is {describe(p)}"
                state = f"its state is for {np.dtype(slot.dtype).name} {list(slot.shape)}"
                remedy = "make a new optimizer after changing parameters"
                raise ValueError(message(self._owner, given, state, remedy))
        slot = self._held[p] = self._made(p, start)
        return slot

    def __getitem__(self, p: Tensor) -> Slot:
        return self._held[p]

    def _made(self, p: Tensor, start: Start) -> Slot:
        low = p._data.dtype.itemsize < 4
        work = wrap(p._data.astype(np.float32)) if low else p
        if low:
            work.name = f"{p.name}{_MASTER}"
        accumulators = {}
        for name, array in start(work).items():
            tensor = accumulators[name] = wrap(array)
            tensor.name = self._key(p, name)
            tensor.persistable = True
        return Slot(p, work, accumulators)

    def _key(self, p: Tensor, name: str) -> str:
        master = _MASTER if self._masters and p._data.dtype.itemsize < 4 else ""
        return f"{p.name}{master}_{self._infix}{name}_0"

    def state_dict(self) -> dict[str, Any]:
        """The accumulators by name, kind after kind; float32 twins under "master_weights"."""
        kinds = {name: None for slot in self._held.values() for name in slot.accumulators}
        state: dict[str, Any] = {
            self._key(p, kind): slot.accumulators[kind]
            for kind in kinds
            for p, slot in self._held.items()
            if kind in slot.accumulators
        }
        masters = {p.name: slot.work for p, slot in self._held.items() if slot.work is not p}
        if masters and self._masters:
            state["master_weights"] = masters
        return state

    def plan(
        self, state: Mapping[str, Any], starts: Iterable[tuple[Tensor, Start]]
    ) -> Callable[[], None]:
        """Check a saved state against the parameters, and return what loads it.

        A parameter that the state knows nothing of starts anew. ValueError if it knows of none, or
        only a part of a parameter's accumulators, or has another shape or dtype.
        """
        saved = {
            _stem(k): v for k, v in state.items() if k not in ("LR_Scheduler", "master_weights")
        }
        masters = state.get("master_weights", {})
        found: list[tuple[Tensor, Start, dict[str, Array]]] = []
        kinds = False
        for p, start in starts:
            blank = start(wrap(np.zeros(p._data.shape, _work_dtype(p))))
            kinds = kinds or bool(blank)
            keys = {name: self._key(p, name) for name in blank}
            missing = [key for key in keys.values() if _stem(key) not in saved]
            if len(missing) < len(keys):
                if missing:
                    raise self._wrong(f"{', '.join(missing)} missing in the state")
                values = {n: self._fit(keys[n], saved[_stem(keys[n])], blank[n]) for n in blank}
                if self._masters and p.name in masters and p._data.dtype.itemsize < 4:
                    twin = np.zeros(p._data.shape, np.float32)
                    values[_MASTER] = self._fit(f"{p.name}{_MASTER}", masters[p.name], twin)
                found.append((p, start, values))
        if saved and kinds and not found:
            raise self._wrong(
                f"the state has {', '.join(list(saved)[:3])}, …, for other parameters"
            )
        return lambda: self._load(found)

    def _wrong(self, given: str) -> ValueError:
        remedy = "load a state that was saved for the same parameters and class"
        return ValueError(message(f"{self._owner}.set_state_dict", given, "", remedy))

    def _fit(self, key: str, value: Any, blank: Array) -> Array:
        """A saved value as an array of the accumulator's shape and dtype."""
        array = concretize(value) if isinstance(value, Tensor) else np.asarray(value)
        if blank.shape == (1,) and array.size > 1 and np.all(array == array.flat[0]):
            array = array.flat[:1]  # a count that was saved once for each element
        if array.shape != blank.shape or array.dtype != blank.dtype:
            raise self._wrong(f"{key} is {describe(array)}; expected {describe(blank)}")
        return array

    def _load(self, found: list[tuple[Tensor, Start, dict[str, Array]]]) -> None:
        known = {p for p, _, _ in found}
        self._held = {p: slot for p, slot in self._held.items() if p in known}
        for p, start, values in found:
            slot = self.get(p, start)
            for name, array in values.items():
                target = slot.work if name == _MASTER else slot.accumulators[name]
                target.set_value(array)


def _work_dtype(p: Tensor) -> np.dtype[Any]:
    dtype = p._data.dtype
    return np.dtype(np.float32) if dtype.itemsize < 4 else dtype


def _stem(key: str) -> str:
    """A name without the numbers that make it unique in a process."""
    return re.sub(r"_\d+$", "", re.sub(r"_fp32_master_\d+_", f"{_MASTER}_", key))
