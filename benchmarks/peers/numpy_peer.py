"""numpy written by hand: the forward, the backward and the update of one particular network."""

from collections.abc import Callable
from functools import partial

import numpy as np

from benchmarks import data
from benchmarks.data import Array
from benchmarks.suite import RECORDED, SMALL_OPS, UPDATES
from benchmarks.workload import Workload, Workloads, repeated

LIBRARY = np


def descend(p: Array, g: Array) -> None:
    """Plain gradient descent; the gradient is used up."""
    g *= np.float32(data.LEARNING_RATE)
    p -= g


class HandWrittenMlp:
    """The seed's network. Only the parameters that a step used have a gradient and are updated."""

    def __init__(self) -> None:
        self.seed(0)
        self.restore()

    def restore(self) -> None:
        self.w1, self.b1, self.w2, self.b2, self.w3, self.b3 = data.initial_parameters()

    def seed(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)

    def toss(self) -> bool:
        return self.rng.random() > 0.5

    def step(self, x: Array, y: Array) -> float:
        hidden = x @ self.w1
        hidden += self.b1
        np.maximum(hidden, 0.0, out=hidden)
        top = hidden
        deep = self.toss()
        if deep:
            top = hidden @ self.w2
            top += self.b2
            np.maximum(top, 0.0, out=top)
        error = top @ self.w3
        error += self.b3
        error -= y
        loss = float(np.square(error).mean())

        used = [self.w1, self.b1, self.w3, self.b3]
        g = error
        g *= np.float32(2.0 / g.size)
        gw3, gb3 = top.T @ g, g.sum(axis=0)
        g = g * self.w3.T  # a product of a column and a row: broadcasting beats matmul
        g *= top > 0.0
        gradients = [gw3, gb3]
        if deep:
            used[2:2] = [self.w2, self.b2]
            gradients[:0] = [hidden.T @ g, g.sum(axis=0)]
            g = g @ self.w2.T
            g *= hidden > 0.0
        gradients[:0] = [x.T @ g, g.sum(axis=0)]
        for parameter, gradient in zip(used, gradients, strict=True):
            descend(parameter, gradient)
        return loss


def seed_step() -> Workload:
    """Training steps of the network above."""
    model = HandWrittenMlp()
    return data.coin_workload(model.step, model.seed, model.toss, model.restore)


def small_ops() -> dict[str, Callable[[], Array]]:
    """The calls to time, by name."""
    x, y = data.small_operands()
    return {
        "add": lambda: np.add(x, y),
        "x + y": lambda: x + y,
        "exp": lambda: np.exp(x),
        "x * 2.0": lambda: x * 2.0,
        "relu": lambda: np.maximum(x, 0.0),
    }


def small_op(name: str) -> Workload:
    """One of the small ops, again and again."""
    call = small_ops()[name]
    return repeated(call, lambda: [float(call().sum())])


def backward_chain() -> Workload:
    """Y = y * factor, and back again: the gradient is a product of as many factors."""
    x = np.ones(16, np.float32)

    def chain() -> Array:
        y = x
        for _ in range(data.CHAIN):
            y = y * data.FACTOR
        y.sum()
        g = np.ones_like(y)
        for _ in range(data.CHAIN):
            g = g * data.FACTOR
        return g

    def run(repetitions: int) -> None:
        for _ in range(repetitions):
            chain()

    return Workload(check=lambda: chain().tolist(), run=run, operations=data.CHAIN)


def sgd(p: Array, g: Array) -> None:
    """Plain gradient descent that leaves the gradient as it is."""
    p -= data.LEARNING_RATE * g


def momentum(p: Array, g: Array, v: Array) -> None:
    """Polyak's heavy ball."""
    v *= data.MOMENTUM
    v += g
    p -= data.LEARNING_RATE * v


def adam(p: Array, g: Array, m: Array, v: Array, step: int) -> None:
    """Kingma and Ba's Adam, with both corrections drawn into the rate."""
    root = (1.0 - data.BETA2**step) ** 0.5
    rate = data.LEARNING_RATE * root / (1.0 - data.BETA1**step)
    m *= data.BETA1
    m += (1.0 - data.BETA1) * g
    v *= data.BETA2
    v += (1.0 - data.BETA2) * (g * g)
    size = np.sqrt(v)
    size += data.EPSILON * root
    change = m / size
    change *= rate
    p -= change


class HandWrittenUpdates:
    """The parameters with fixed gradients and the states of the four updates."""

    def __init__(self) -> None:
        self.parameters = data.initial_parameters()
        self.gradients = data.fixed_gradients()
        self.first = [np.zeros_like(p) for p in self.parameters]
        self.second = [np.zeros_like(p) for p in self.parameters]
        self.steps = 0

    def sgd(self) -> None:
        for p, g in zip(self.parameters, self.gradients, strict=True):
            sgd(p, g)

    def momentum(self) -> None:
        for p, g, v in zip(self.parameters, self.gradients, self.first, strict=True):
            momentum(p, g, v)

    def adam(self) -> None:
        self.steps += 1
        state = (self.parameters, self.gradients, self.first, self.second)
        for p, g, m, v in zip(*state, strict=True):
            adam(p, g, m, v, self.steps)

    def adamw(self) -> None:
        for p in self.parameters:
            np.multiply(p, 1.0 - data.LEARNING_RATE * data.DECAY, out=p)
        self.adam()


def optimizer(name: str) -> Workload:
    """One of the four updates, again and again."""
    update = HandWrittenUpdates()
    steps = {
        "SGD": update.sgd,
        "Momentum": update.momentum,
        "Adam": update.adam,
        "AdamW": update.adamw,
    }
    return data.update_workload(steps[name], lambda: update.parameters)


def load(threads: int) -> Workloads:
    """All workloads; numpy takes its threads from the environment."""
    small = {f"small_op/{name}": partial(small_op, name) for name in SMALL_OPS}
    # There is nothing to record by hand: the plain op is what a recorded one is measured against.
    recorded = {name + RECORDED: build for name, build in small.items()}
    return {
        "seed_step/step": seed_step,
        "backward_chain/op": backward_chain,
        **small,
        **recorded,
        **{f"optimizers/{name}": partial(optimizer, name) for name in UPDATES},
    }
