"""Learning-rate schedulers: what the rate is at each epoch, as plain Python floats.

A scheduler is called for the present rate and stepped once per epoch or per training step, by the
user. Most follow a closed formula of the epoch; cosine annealing and `LinearLR` go from one rate to
the next when stepped without an argument, so that a rate that was changed on the way is kept.
"""

from dualgraph.optimizer.lr.base import LRScheduler
from dualgraph.optimizer.lr.cyclic import (
    CosineAnnealingDecay,
    CosineAnnealingWarmRestarts,
    CyclicLR,
    OneCycleLR,
)
from dualgraph.optimizer.lr.decay import (
    ExponentialDecay,
    InverseTimeDecay,
    LambdaDecay,
    MultiplicativeDecay,
    MultiStepDecay,
    NaturalExpDecay,
    NoamDecay,
    PiecewiseDecay,
    PolynomialDecay,
    StepDecay,
)
from dualgraph.optimizer.lr.plateau import ReduceOnPlateau
from dualgraph.optimizer.lr.warmup import LinearLR, LinearWarmup

__all__ = [
    "CosineAnnealingDecay",
    "CosineAnnealingWarmRestarts",
    "CyclicLR",
    "ExponentialDecay",
    "InverseTimeDecay",
    "LRScheduler",
    "LambdaDecay",
    "LinearLR",
    "LinearWarmup",
    "MultiStepDecay",
    "MultiplicativeDecay",
    "NaturalExpDecay",
    "NoamDecay",
    "OneCycleLR",
    "PiecewiseDecay",
    "PolynomialDecay",
    "ReduceOnPlateau",
    "StepDecay",
]

__rooms__ = ("base", "decay", "cyclic", "warmup", "plateau")
