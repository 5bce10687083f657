"""dualgraph, eager."""

import dualgraph as dg
from benchmarks.peers import paddle_like
from benchmarks.workload import Workloads

LIBRARY = dg


def load(threads: int) -> Workloads:
    """All workloads; dualgraph takes its threads from the environment, through numpy."""
    return paddle_like.workloads(dg)
