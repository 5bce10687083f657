"""The workloads in Paddle's names, for the two libraries that have them: Paddle and dualgraph."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from benchmarks import data
from benchmarks.data import Array
from benchmarks.suite import RECORDED, SMALL_OPS, UPDATES
from benchmarks.workload import Workload, Workloads, repeated


def dynamic_mlp(paddle: Any) -> Any:
    """The seed's network, as its program writes it."""
    functional = paddle.nn.functional

    class MyModel(paddle.nn.Layer):  # type: ignore[misc]
        def __init__(self, input_size: int, hidden_size: int) -> None:
            super().__init__()
            self.linear1 = paddle.nn.Linear(input_size, hidden_size)
            self.linear2 = paddle.nn.Linear(hidden_size, hidden_size)
            self.linear3 = paddle.nn.Linear(hidden_size, 1)

        def forward(self, inputs: Any) -> Any:
            x = self.linear1(inputs)
            x = functional.relu(x)
            if paddle.rand([1]) > 0.5:
                x = self.linear2(x)
                x = functional.relu(x)
            return self.linear3(x)

    return MyModel(data.INPUT, data.HIDDEN)


def seed_step(paddle: Any) -> Workload:
    """Training steps of the network above."""
    model = dynamic_mlp(paddle)
    loss_fn = paddle.nn.MSELoss(reduction="mean")
    optimizer = paddle.optimizer.SGD(
        learning_rate=data.LEARNING_RATE, parameters=model.parameters()
    )

    def restore() -> None:
        for parameter, values in zip(model.parameters(), data.initial_parameters(), strict=True):
            parameter.set_value(values)

    def step(x_batch: Array, y_batch: Array) -> Any:
        x = paddle.to_tensor(x_batch)
        y = paddle.to_tensor(y_batch)
        loss = loss_fn(model(x), y)
        loss.backward()
        optimizer.step()
        optimizer.clear_grad()
        return loss

    return data.coin_workload(step, paddle.seed, lambda: bool(paddle.rand([1]) > 0.5), restore)


def small_ops(paddle: Any, recorded: bool) -> dict[str, Callable[[], Any]]:
    """The calls to time, by name."""
    x, y = (paddle.to_tensor(array) for array in data.small_operands())
    x.stop_gradient = not recorded
    add, exp, relu = paddle.add, paddle.exp, paddle.nn.functional.relu
    return {
        "add": lambda: add(x, y),
        "x + y": lambda: x + y,
        "exp": lambda: exp(x),
        "x * 2.0": lambda: x * 2.0,
        "relu": lambda: relu(x),
    }


def small_op(paddle: Any, name: str, recorded: bool) -> Workload:
    """One of the small ops, again and again."""
    call = small_ops(paddle, recorded)[name]
    return repeated(call, lambda: [float(call().sum())])


def backward_chain(paddle: Any) -> Workload:
    """Y = y * factor from a leaf, and `backward()`."""
    x = paddle.to_tensor(np.ones(16, np.float32))
    x.stop_gradient = False

    def chain() -> None:
        y = x
        for _ in range(data.CHAIN):
            y = y * data.FACTOR
        y.sum().backward()

    def run(repetitions: int) -> None:
        for _ in range(repetitions):
            chain()
            x.clear_grad()

    def check() -> list[float]:
        chain()
        gradient: list[float] = x.grad.tolist()
        x.clear_grad()
        return gradient

    return Workload(check=check, run=run, operations=data.CHAIN)


OPTIMIZERS: dict[str, dict[str, float]] = {
    "SGD": {},
    "Momentum": {"momentum": data.MOMENTUM},
    "Adam": {"beta1": data.BETA1, "beta2": data.BETA2, "epsilon": data.EPSILON},
    "AdamW": {
        "beta1": data.BETA1,
        "beta2": data.BETA2,
        "epsilon": data.EPSILON,
        "weight_decay": data.DECAY,
    },
}


def optimizer(paddle: Any, name: str) -> Workload:
    """One optimizer's step, again and again, from gradients that stay."""
    parameters = dynamic_mlp(paddle).parameters()
    for parameter, values in zip(parameters, data.initial_parameters(), strict=True):
        parameter.set_value(values)
    make = getattr(paddle.optimizer, name)
    update = make(learning_rate=data.LEARNING_RATE, parameters=parameters, **OPTIMIZERS[name])
    for parameter, gradient in zip(parameters, data.fixed_gradients(), strict=True):
        (parameter * paddle.to_tensor(gradient)).sum().backward()
    return data.update_workload(update.step, lambda: [p.numpy() for p in parameters])


def workloads(paddle: Any) -> Workloads:
    """All workloads of a library that has Paddle's names."""
    small = {
        f"small_op/{name}{RECORDED if recorded else ''}": partial(small_op, paddle, name, recorded)
        for recorded in (False, True)
        for name in SMALL_OPS
    }
    return {
        "seed_step/step": partial(seed_step, paddle),
        "backward_chain/op": partial(backward_chain, paddle),
        **small,
        **{f"optimizers/{name}": partial(optimizer, paddle, name) for name in UPDATES},
    }
