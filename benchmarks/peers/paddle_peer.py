"""Paddle, eager."""

import paddle  # type: ignore[import-not-found]

from benchmarks.peers import paddle_like
from benchmarks.workload import Workloads

LIBRARY = paddle


def load(threads: int) -> Workloads:
    """All workloads; Paddle takes its threads from the environment."""
    paddle.set_device("cpu")
    return paddle_like.workloads(paddle)
