"""`summary`: whole tables and returned totals, compared with `summary.json` (written from Paddle).

The number behind a layer's type counts such layers in the process, so tables are compared with each
type's numbers taken relative to its first in the table.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import dualgraph as dg
import dualgraph.nn.functional as F
from dualgraph import nn
from tests.parity.samples import needs

EXPECTED: dict[str, Any] = json.loads(Path(__file__).with_name("summary.json").read_text())


class DynamicMLP(nn.Layer):
    """The network whose hidden layer is there for half of the calls."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.linear1 = nn.Linear(input_size, hidden_size)
        self.linear2 = nn.Linear(hidden_size, hidden_size)
        self.linear3 = nn.Linear(hidden_size, 1)

    def forward(self, inputs: Any) -> Any:
        x = F.relu(self.linear1(inputs))
        if dg.rand([1]) > 0.5:
            x = F.relu(self.linear2(x))
        return self.linear3(x)


class TextModel(nn.Layer):
    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(50, 8)
        self.norm = nn.LayerNorm(8)
        self.out = nn.Linear(8, 4)

    def forward(self, ids: Any) -> Any:
        return self.out(self.norm(self.embedding(ids)).mean(1))


class Nested(nn.Layer):
    """Two inputs, two outputs, and a layer that is shared by two places."""

    def __init__(self) -> None:
        super().__init__()
        self.shared = nn.Linear(4, 4)
        self.a = nn.Sequential(self.shared, nn.Tanh())
        self.head = nn.Linear(8, 2)

    def forward(self, x: Any, y: Any) -> Any:
        return self.head(dg.concat([self.a(x), self.shared(y)], -1)), x


class WithParameter(nn.Layer):
    """A parameter of its own beside a sublayer: the table shows layers without sublayers only."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = self.create_parameter([4])
        self.linear = nn.Linear(4, 4)

    def forward(self, x: Any) -> Any:
        return self.linear(x) * self.scale


class Doubler(nn.Layer):
    def forward(self, x: Any) -> Any:
        return x * 2


def frozen() -> Any:
    net = nn.Sequential(nn.Linear(4, 4), nn.Identity())
    net[0].weight.stop_gradient = True
    return net


def mlp() -> Any:
    return nn.Sequential(nn.Linear(16, 32), nn.ReLU(), nn.Linear(32, 4))


def normalised() -> Any:
    return nn.Sequential(nn.Linear(4, 6), nn.BatchNorm1D(6), nn.Dropout(0.5), nn.Linear(6, 2))


# name: what makes the network, how the coin falls, arguments of summary
Case = tuple[Callable[[], Any], float, tuple[Any, ...], dict[str, Any]]
CASES: dict[str, Case] = {
    "mlp": (mlp, 0.0, ((1, 16),), {}),
    "dynamic heads": (lambda: DynamicMLP(128, 256), 0.9, (128,), {}),
    "dynamic tails": (lambda: DynamicMLP(128, 256), 0.1, (128,), {}),
    "dynamic batch": (lambda: DynamicMLP(128, 256), 0.9, ([(4, 128)],), {}),
    "dynamic unknown batch": (lambda: DynamicMLP(128, 256), 0.1, ((-1, 128),), {}),
    "dynamic none batch": (lambda: DynamicMLP(128, 256), 0.1, ((None, 128),), {}),
    "text int64": (TextModel, 0.0, ((2, 5),), {"dtypes": "int64"}),
    "text int32": (TextModel, 0.0, ((2, 5),), {"dtypes": ["int32"]}),
    "batch norm and dropout": (normalised, 0.0, ((3, 4),), {}),
    "nested": (Nested, 0.0, ([(1, 4), (1, 4)],), {}),
    "nested dtypes": (Nested, 0.0, ([(3, 4), (3, 4)],), {"dtypes": ["float32", "float32"]}),
    "frozen": (frozen, 0.0, ((2, 4),), {}),
    "own parameter": (WithParameter, 0.0, ((2, 4),), {}),
    "no parameters": (Doubler, 0.0, ((2, 4),), {}),
    "one layer": (lambda: nn.Linear(4, 4), 0.0, ((2, 4),), {}),
    "wide": (lambda: nn.Sequential(nn.Linear(400, 5000), nn.ReLU()), 0.0, ((64, 400),), {}),
    "three axes": (lambda: nn.Linear(4, 4), 0.0, ((2, 3, 4),), {}),
    "convolution": (
        lambda: nn.Sequential(nn.Conv2D(3, 8, 3), nn.ReLU(), nn.Flatten(), nn.Linear(288, 10)),
        0.0,
        ((1, 3, 8, 8),),
        {},
    ),
    "lstm": (lambda: nn.LSTM(4, 8), 0.0, ((2, 5, 4),), {}),
}


def force_coin(monkeypatch: pytest.MonkeyPatch, value: float) -> None:
    """A draw of shape [1] gives `value`; other draws are left alone."""
    draw = dg.rand

    def rand(shape: Any, *args: Any, **kwargs: Any) -> Any:
        return dg.to_tensor([value]) if list(shape) == [1] else draw(shape, *args, **kwargs)

    monkeypatch.setattr(dg, "rand", rand)


def relative(text: str) -> list[str]:
    """The lines of a table, with layer numbers relative to the first of their type."""
    first: dict[str, int] = {}
    lines = []
    for line in text.splitlines():
        row = re.fullmatch(r" *(\w+)-(\d+) *", line[:15])
        if row:
            number = int(row[2]) - first.setdefault(row[1], int(row[2])) + 1
            name = f"{row[1]}-{number}"
            line = f"{name:^15}" + line[15:]
        lines.append(line)
    return lines


LATER = {"convolution": needs("Conv2D"), "lstm": needs("LSTM")}


@pytest.mark.parametrize("name", [pytest.param(n, marks=LATER.get(n, ())) for n in CASES])
def test_table_and_totals(
    name: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    make, coin, args, kwargs = CASES[name]
    net = make()
    force_coin(monkeypatch, coin)
    totals = dg.summary(net, *args, **kwargs)
    assert relative(capsys.readouterr().out) == EXPECTED[name]["table"]
    assert totals == EXPECTED[name]["totals"]


def test_one_layer_of_a_table_in_full(capsys: pytest.CaptureFixture[str]) -> None:
    dg.summary(mlp(), (1, 16))
    lines = relative(capsys.readouterr().out)
    assert lines[:4] == [
        "-" * 75,
        " Layer (type)       Input Shape          Output Shape         Param #    ",
        "=" * 75,
        "   Linear-1          [[1, 16]]             [1, 32]              544      ",
    ]
    assert lines[-1] == ""


@pytest.mark.ours("Paddle returns numpy integers")
def test_totals_are_plain_integers(capsys: pytest.CaptureFixture[str]) -> None:
    print(dg.summary(mlp(), (1, 16)))
    assert capsys.readouterr().out.endswith("{'total_params': 676, 'trainable_params': 676}\n")


def test_input_may_be_given_itself(capsys: pytest.CaptureFixture[str]) -> None:
    totals = dg.summary(mlp(), input=dg.ones([1, 16]))
    assert relative(capsys.readouterr().out) == EXPECTED["mlp"]["table"]
    assert totals == EXPECTED["mlp"]["totals"]


def test_summary_restores_the_mode_and_leaves_no_hook(capsys: pytest.CaptureFixture[str]) -> None:
    net = normalised()
    net.train()
    net[2].eval()
    dg.summary(net, (3, 4))
    assert (net.training, net[1].training) == (True, True)
    assert net[1]._mean.tolist() == [0.0] * 6
    capsys.readouterr()
    net(dg.ones([3, 4]))
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("args", [(), ((0, 16),), ((1, 17),)], ids=str)
def test_sizes_that_do_not_work_are_value_errors(args: tuple[Any, ...]) -> None:
    with pytest.raises(ValueError, match=r"."):
        dg.summary(mlp(), *args)


def test_an_input_too_few_is_a_type_error() -> None:
    with pytest.raises(TypeError):
        dg.summary(Nested(), [(1, 4)])
