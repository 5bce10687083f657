"""Optimizers: they move parameters by their gradients. Learning rates over time are in `lr`."""

from dualgraph.optimizer import lr
from dualgraph.optimizer.adam import Adam, AdamW
from dualgraph.optimizer.adam_kin import Adamax, NAdam, RAdam
from dualgraph.optimizer.adaptive import Adadelta, Adagrad, RMSProp
from dualgraph.optimizer.descent import ASGD, SGD, Momentum, Rprop
from dualgraph.optimizer.lamb import Lamb
from dualgraph.optimizer.lbfgs import LBFGS
from dualgraph.optimizer.optimizer import Optimizer

__all__ = [
    "ASGD",
    "LBFGS",
    "SGD",
    "Adadelta",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "Lamb",
    "Momentum",
    "NAdam",
    "Optimizer",
    "RAdam",
    "RMSProp",
    "Rprop",
    "lr",
]

__rooms__ = (
    "lr",
    "checks",
    "updates",
    "slots",
    "optimizer",
    "descent",
    "adam",
    "adam_kin",
    "lamb",
    "adaptive",
    "line_search",
    "lbfgs",
)
