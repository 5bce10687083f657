"""Gradients: modes, the reverse pass, gradients on request, user-written ops."""

from dualgraph.autograd.functional import backward, grad
from dualgraph.autograd.mode import enable_grad, is_grad_enabled, no_grad, set_grad_enabled
from dualgraph.autograd.py_layer import PyLayer, PyLayerContext

__rooms__ = ("mode", "engine", "functional", "py_layer")

__all__ = [
    "PyLayer",
    "PyLayerContext",
    "backward",
    "enable_grad",
    "grad",
    "is_grad_enabled",
    "no_grad",
    "set_grad_enabled",
]
