"""Containers of layers and of parameters."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import dualgraph as dg
from dualgraph import nn


def parameter(*shape: int) -> Any:
    return nn.Layer().create_parameter(list(shape))


class Tagged(nn.Layer):
    """A layer that adds a number."""

    def __init__(self, tag: int) -> None:
        super().__init__()
        self.tag = tag

    def forward(self, x: Any) -> Any:
        return x + self.tag


def tags(layers: Any) -> list[int]:
    return [layer.tag for layer in layers]


EDITS = st.lists(
    st.one_of(
        st.tuples(st.just("append"), st.integers(0, 99)),
        st.tuples(st.just("insert"), st.integers(-4, 4), st.integers(0, 99)),
        st.tuples(st.just("set"), st.integers(-4, 4), st.integers(0, 99)),
        st.tuples(st.just("delete"), st.integers(-4, 4)),
        st.tuples(st.just("pop"), st.integers(-4, 4)),
        st.tuples(st.just("extend"), st.lists(st.integers(0, 99), max_size=3)),
    ),
    max_size=12,
)


def edit(layers: Any, make: Any, step: tuple[Any, ...]) -> None:
    kind, *args = step
    if kind == "append":
        layers.append(make(args[0]))
    elif kind == "insert":
        layers.insert(args[0], make(args[1]))
    elif kind == "set":
        layers[args[0]] = make(args[1])
    elif kind == "delete":
        del layers[args[0]]
    elif kind == "pop":
        layers.pop(args[0])
    else:
        layers.extend([make(tag) for tag in args[0]])


@given(EDITS)
def test_a_layer_list_behaves_as_a_list_and_names_its_layers_by_position(steps: Any) -> None:
    layers, twin = nn.LayerList(), list[int]()
    for step in steps:
        try:
            if step[0] == "insert" and abs(step[1]) > len(twin):
                raise IndexError
            edit(twin, int, step)
        except IndexError:
            with pytest.raises(IndexError):
                edit(layers, Tagged, step)
            continue
        edit(layers, Tagged, step)
        assert tags(layers) == twin
    assert [name for name, _ in layers.named_children()] == [str(i) for i in range(len(twin))]
    assert len(layers) == len(twin)
    for index in range(-len(twin), len(twin)):
        assert layers[index].tag == twin[index]


@given(st.integers(0, 5), st.slices(5))
def test_slices_of_a_layer_list_are_layer_lists(size: int, index: slice) -> None:
    layers = nn.LayerList(Tagged(i) for i in range(size))
    part = layers[index]
    assert isinstance(part, nn.LayerList)
    assert tags(part) == list(range(size))[index]
    del layers[index]
    rest = list(range(size))
    del rest[index]
    assert tags(layers) == rest


def test_a_layer_list_takes_anything_iterable_and_can_be_added() -> None:
    layers = nn.LayerList([Tagged(0)])
    total = layers + nn.LayerList([Tagged(1)])
    assert tags(total) == [0, 1]
    total += [Tagged(2)]
    assert tags(total) == [0, 1, 2]
    assert tags(layers) == [0]
    assert tags(nn.LayerList(None)) == []
    assert layers[np.int64(0)].tag == 0
    assert layers["0"].tag == 0


@pytest.mark.parametrize("index", [1, -2, 99])
def test_an_index_out_of_range_is_an_index_error(index: int) -> None:
    for layers in (nn.LayerList([nn.ReLU()]), nn.Sequential(nn.ReLU())):
        with pytest.raises(IndexError, match="expected -1 to 0"):
            _ = layers[index]
        with pytest.raises(IndexError):
            layers[index] = nn.ReLU()
        with pytest.raises(IndexError):
            del layers[index]


def test_what_is_no_layer_is_refused_and_nothing_changes() -> None:
    layers = nn.LayerList([Tagged(0)])
    wrong: Any = 3
    for change in (
        lambda: layers.append(wrong),
        lambda: layers.extend([Tagged(1), wrong]),
        lambda: layers.insert(0, wrong),
        lambda: layers.__setitem__(0, wrong),
        lambda: nn.LayerList([wrong]),
        lambda: nn.Sequential(wrong),
        lambda: nn.Sequential(nn.ReLU(), ("name", nn.ReLU())),
        lambda: nn.LayerDict({"a": wrong}),
        lambda: nn.ParameterList([wrong]),
        lambda: nn.ParameterList([dg.ones([1])]),
        lambda: nn.ParameterDict({"a": dg.ones([1])}),
    ):
        with pytest.raises(TypeError, match=r"expected a (Layer|Parameter)"):
            change()
    assert tags(layers) == [0]


def test_a_layer_list_cannot_be_called() -> None:
    with pytest.raises(NotImplementedError, match="forward"):
        nn.LayerList([nn.ReLU()])(1)


# ---- Sequential ----------------------------------------------------------------------------------


def test_sequential_runs_its_layers_in_order() -> None:
    net = nn.Sequential(Tagged(1), nn.Sequential(Tagged(10)), Tagged(100))
    assert net(dg.to_tensor(0)).item() == 111
    assert nn.Sequential()(3) == 3


@pytest.mark.parametrize(
    "make",
    [
        lambda a, b: nn.Sequential(("first", a), ("second", b)),
        lambda a, b: nn.Sequential(["first", a], ["second", b]),
        lambda a, b: nn.Sequential(OrderedDict(first=a, second=b)),
        lambda a, b: nn.Sequential({"first": a, "second": b}),
    ],
)
def test_sequential_takes_names(make: Any) -> None:
    a, b = Tagged(1), Tagged(2)
    net = make(a, b)
    assert [name for name, _ in net.named_children()] == ["first", "second"]
    assert net["second"] is b
    assert net[0] is a
    assert net[-1] is b
    assert net.first is a


def test_sequential_can_be_edited() -> None:
    net = nn.Sequential(Tagged(0), Tagged(1), Tagged(2))
    assert tags(net[1:]) == [1, 2]
    net[-1] = Tagged(9)
    assert tags(net) == [0, 1, 9]
    del net[0]
    assert tags(net) == [1, 9]
    assert net.append(Tagged(3)) is net
    assert net.insert(0, Tagged(4)).extend([Tagged(5)]) is net
    assert tags(net) == [4, 1, 9, 3, 5]
    assert list(net._sub_layers) == ["0", "1", "2", "3", "4"]


def test_sequential_registers_parameters_under_positions() -> None:
    net = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1))
    assert list(net.state_dict()) == ["0.weight", "0.bias", "2.weight", "2.bias"]


# ---- LayerDict -----------------------------------------------------------------------------------


def test_a_layer_dict_behaves_as_a_dict() -> None:
    a, b = Tagged(1), Tagged(2)
    layers = nn.LayerDict({"a": a})
    layers["b"] = b
    assert list(layers) == list(layers.keys()) == ["a", "b"]
    assert list(layers.values()) == [a, b]
    assert list(layers.items()) == [("a", a), ("b", b)]
    assert "a" in layers
    assert len(layers) == 2
    assert layers.pop("a") is a
    del layers["b"]
    assert len(layers) == 0
    with pytest.raises(KeyError):
        _ = layers["a"]
    with pytest.raises(KeyError):
        layers.pop("a")


def test_a_layer_dict_is_updated_from_dicts_pairs_and_layer_dicts() -> None:
    layers = nn.LayerDict([("a", Tagged(1))])
    layers.update({"b": Tagged(2)})
    layers.update(nn.LayerDict({"c": Tagged(3)}))
    layers.update([("a", Tagged(4)), ["d", Tagged(5)]])
    assert tags(layers.values()) == [4, 2, 3, 5]
    with pytest.raises(ValueError, match="pair"):
        layers.update([("a",)])
    with pytest.raises(TypeError, match="pairs"):
        layers.update(3)
    layers.clear()
    assert len(layers) == 0


# ---- parameters ----------------------------------------------------------------------------------


def test_a_parameter_list_registers_its_parameters_by_position() -> None:
    first, second, third = parameter(1), parameter(2), parameter(3)
    held = nn.ParameterList([first, second])
    assert held.append(third) is held
    assert list(held.state_dict()) == ["0", "1", "2"]
    assert held[-1] is third
    assert list(held) == [first, second, third]
    held[0] = second
    assert held[0] is second
    assert len(held.parameters()) == 2
    assert list(held[1:]) == [second, third]
    with pytest.raises(IndexError):
        _ = held[3]
    assert repr(held) == "ParameterList()"


def test_a_parameter_dict_registers_its_parameters_by_key() -> None:
    first, second = parameter(1), parameter(2)
    held = nn.ParameterDict({"a": first})
    held["b"] = second
    held.update([("c", first)])
    assert list(held) == list(held.keys()) == ["a", "b", "c"]
    assert held["b"] is second
    assert list(held.items())[2] == ("c", first)
    assert list(held.values()) == [first, second, first]
    assert list(held.state_dict()) == ["a", "b", "c"]
    del held["a"]
    assert "a" not in held
    assert len(held) == 2
    with pytest.raises(KeyError):
        _ = held["a"]
