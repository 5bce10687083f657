"""A network whose middle layer is there for half of the calls.

Each forward pass tosses a coin and goes through the second layer only if it falls heads, so the
network has two structures: one of 99,073 parameters, one of 33,281. Run it with `python
examples/dynamic_mlp.py`; `python -m dualgraph` trains the same network and shows what it did.
"""

from __future__ import annotations

import numpy as np

import dualgraph as dg
import dualgraph.nn.functional as F
from dualgraph import Tensor

SAMPLES, BATCH, INPUTS, HIDDEN = 1000, 64, 128, 256


class DynamicMLP(dg.nn.Layer):
    """Two or three linear layers, as the coin falls. Input [..., INPUTS], output [..., 1]."""

    def __init__(self, inputs: int = INPUTS, hidden: int = HIDDEN) -> None:
        super().__init__()
        self.linear1 = dg.nn.Linear(inputs, hidden)
        self.linear2 = dg.nn.Linear(hidden, hidden)
        self.linear3 = dg.nn.Linear(hidden, 1)

    def forward(self, x: Tensor) -> Tensor:
        """The prediction for each row of x."""
        x = F.relu(self.linear1(x))
        if dg.rand([1]) > 0.5:
            x = F.relu(self.linear2(x))
        return self.linear3(x)


class Training:
    """The network with its data, loss and optimizer; `step` trains it on one random batch."""

    def __init__(self, seed: int = 0, learning_rate: float = 0.01) -> None:
        dg.seed(seed)
        self.random = np.random.default_rng(seed)
        self.x = self.random.standard_normal((SAMPLES, INPUTS), dtype=np.float32)
        self.y = self.random.standard_normal((SAMPLES, 1), dtype=np.float32)
        self.model = DynamicMLP()
        self.loss = dg.nn.MSELoss()
        self.optimizer = dg.optimizer.SGD(learning_rate, parameters=self.model.parameters())

    def batch(self) -> tuple[Tensor, Tensor]:
        """BATCH random samples."""
        rows = self.random.choice(SAMPLES, BATCH, replace=False)
        return dg.to_tensor(self.x[rows]), dg.to_tensor(self.y[rows])

    def step(self, x: Tensor, y: Tensor) -> Tensor:
        """One training step; returns the loss."""
        loss = self.loss(self.model(x), y)
        loss.backward()
        self.optimizer.step()
        self.optimizer.clear_grad()
        return loss


def main(steps: int = 3000) -> None:
    training = Training()
    for t in range(steps):
        loss = training.step(*training.batch())
        if t % 200 == 0:
            print(t, loss.item())
    dg.summary(training.model, (INPUTS,))


if __name__ == "__main__":
    main()
