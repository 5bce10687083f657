"""PyTorch, eager."""

from collections.abc import Callable
from functools import partial
from typing import Any

import torch  # type: ignore[import-not-found]
from torch import nn

from benchmarks import data
from benchmarks.data import Array
from benchmarks.suite import RECORDED, SMALL_OPS, UPDATES
from benchmarks.workload import Workload, Workloads, repeated

LIBRARY = torch


class MyModel(nn.Module):  # type: ignore[misc]
    """The seed's network, as a PyTorch user writes it."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.linear1 = nn.Linear(input_size, hidden_size)
        self.linear2 = nn.Linear(hidden_size, hidden_size)
        self.linear3 = nn.Linear(hidden_size, 1)

    def forward(self, inputs: Any) -> Any:
        x = nn.functional.relu(self.linear1(inputs))
        if torch.rand(1) > 0.5:
            x = nn.functional.relu(self.linear2(x))
        return self.linear3(x)


def assign(parameters: list[Any], arrays: list[Array]) -> None:
    """Copy [in, out] arrays into parameters, whose weights are [out, in]."""
    with torch.no_grad():
        for parameter, values in zip(parameters, arrays, strict=True):
            parameter.copy_(torch.from_numpy(values.T))


def seed_step() -> Workload:
    """Training steps of the network above."""
    model = MyModel(data.INPUT, data.HIDDEN)
    loss_fn = nn.MSELoss(reduction="mean")
    optimizer = torch.optim.SGD(model.parameters(), lr=data.LEARNING_RATE)

    def restore() -> None:
        assign(list(model.parameters()), data.initial_parameters())

    def step(x_batch: Array, y_batch: Array) -> Any:
        # torch.tensor copies, as Paddle's to_tensor does.
        x = torch.tensor(x_batch)
        y = torch.tensor(y_batch)
        loss = loss_fn(model(x), y)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        return loss.detach()

    return data.coin_workload(step, torch.manual_seed, lambda: bool(torch.rand(1) > 0.5), restore)


def small_ops(recorded: bool) -> dict[str, Callable[[], Any]]:
    """The calls to time, by name."""
    x, y = (torch.from_numpy(array) for array in data.small_operands())
    x.requires_grad_(recorded)
    return {
        "add": lambda: torch.add(x, y),
        "x + y": lambda: x + y,
        "exp": lambda: torch.exp(x),
        "x * 2.0": lambda: x * 2.0,
        "relu": lambda: nn.functional.relu(x),
    }


def small_op(name: str, recorded: bool) -> Workload:
    """One of the small ops, again and again."""
    call = small_ops(recorded)[name]
    return repeated(call, lambda: [float(call().detach().sum())])


def backward_chain() -> Workload:
    """Y = y * factor from a leaf, and `backward()`."""
    x = torch.ones(16, requires_grad=True)

    def chain() -> None:
        y = x
        for _ in range(data.CHAIN):
            y = y * data.FACTOR
        y.sum().backward()

    def run(repetitions: int) -> None:
        for _ in range(repetitions):
            chain()
            x.grad = None

    def check() -> list[float]:
        chain()
        gradient: list[float] = x.grad.tolist()
        x.grad = None
        return gradient

    return Workload(check=check, run=run, operations=data.CHAIN)


BETAS = (data.BETA1, data.BETA2)
OPTIMIZERS: dict[str, Callable[[list[Any]], Any]] = {
    "SGD": lambda p: torch.optim.SGD(p, lr=data.LEARNING_RATE),
    "Momentum": lambda p: torch.optim.SGD(p, lr=data.LEARNING_RATE, momentum=data.MOMENTUM),
    "Adam": lambda p: torch.optim.Adam(p, data.LEARNING_RATE, BETAS, data.EPSILON),
    "AdamW": lambda p: torch.optim.AdamW(p, data.LEARNING_RATE, BETAS, data.EPSILON, data.DECAY),
}


def optimizer(name: str) -> Workload:
    """One optimizer's step, again and again, from gradients that stay."""
    parameters = list(MyModel(data.INPUT, data.HIDDEN).parameters())
    assign(parameters, data.initial_parameters())
    for parameter, gradient in zip(parameters, data.fixed_gradients(), strict=True):
        parameter.grad = torch.from_numpy(gradient.T.copy())
    update = OPTIMIZERS[name](parameters)
    return data.update_workload(update.step, lambda: [p.detach().numpy() for p in parameters])


def load(threads: int) -> Workloads:
    """All workloads, with as many threads inside an op as the other peers have."""
    torch.set_num_threads(threads)
    small = {
        f"small_op/{name}{RECORDED if recorded else ''}": partial(small_op, name, recorded)
        for recorded in (False, True)
        for name in SMALL_OPS
    }
    return {
        "seed_step/step": seed_step,
        "backward_chain/op": backward_chain,
        **small,
        **{f"optimizers/{name}": partial(optimizer, name) for name in UPDATES},
    }
