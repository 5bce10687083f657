"""Losses as layers. Each hands its inputs to the function of `functional` that its docstring names.

`reduction` is "mean", "sum" or "none"; ValueError, when the layer is made, for another.
"""

from __future__ import annotations

from dualgraph.errors import message
from dualgraph.nn import functional as F
from dualgraph.nn.layer import Layer
from dualgraph.tensor import Tensor

__all__ = [
    "BCELoss",
    "BCEWithLogitsLoss",
    "CTCLoss",
    "CrossEntropyLoss",
    "GaussianNLLLoss",
    "HuberLoss",
    "KLDivLoss",
    "L1Loss",
    "Loss",
    "MSELoss",
    "NLLLoss",
    "PoissonNLLLoss",
    "SmoothL1Loss",
]


class Loss(Layer):
    """What losses share: how to reduce the losses of all elements to one."""

    _reductions: tuple[str, ...] = ("mean", "sum", "none")

    def __init__(self, reduction: str = "mean", name: str | None = None) -> None:
        super().__init__()
        if reduction not in self._reductions:
            given = f"reduction is {reduction!r}"
            expected = f"expected one of {', '.join(self._reductions)}"
            raise ValueError(message(type(self).__name__, given, expected))
        self.reduction = reduction
        self.name = name


class MSELoss(Loss):
    """`functional.mse_loss`: the squared difference.

    >>> import dualgraph as dg
    >>> dg.nn.MSELoss()(dg.to_tensor([1.0, 2.0]), dg.to_tensor([1.0, 4.0])).item()
    2.0
    """

    def __init__(self, reduction: str = "mean") -> None:
        super().__init__(reduction)

    def forward(self, input: Tensor, label: Tensor) -> Tensor:
        return F.mse_loss(input, label, self.reduction)


class L1Loss(Loss):
    """`functional.l1_loss`: the absolute difference."""

    def forward(self, input: Tensor, label: Tensor) -> Tensor:
        return F.l1_loss(input, label, self.reduction)


class SmoothL1Loss(Loss):
    """`functional.smooth_l1_loss`: quadratic for differences up to `delta`, linear beyond."""

    def __init__(
        self,
        reduction: str = "mean",
        delta: float = 1.0,
        is_huber: bool = True,
        name: str | None = None,
    ) -> None:
        super().__init__(reduction, name)
        self.delta = delta
        self.is_huber = is_huber

    def forward(self, input: Tensor, label: Tensor) -> Tensor:
        return F.smooth_l1_loss(input, label, self.reduction, self.delta, self.is_huber)


HuberLoss = SmoothL1Loss


class CrossEntropyLoss(Loss):
    """`functional.cross_entropy`: of logits, with class numbers or class probabilities as labels.

    >>> import dualgraph as dg
    >>> loss = dg.nn.CrossEntropyLoss()
    >>> round(loss(dg.zeros([2, 4]), dg.to_tensor([0, 3])).item(), 4)
    1.3863
    """

    def __init__(
        self,
        weight: Tensor | None = None,
        ignore_index: int = -100,
        reduction: str = "mean",
        soft_label: bool = False,
        axis: int = -1,
        use_softmax: bool = True,
        label_smoothing: float = 0.0,
        name: str | None = None,
    ) -> None:
        super().__init__(reduction, name)
        self.weight = weight
        self.ignore_index = ignore_index
        self.soft_label = soft_label
        self.axis = axis
        self.use_softmax = use_softmax
        self.label_smoothing = label_smoothing

    def forward(self, input: Tensor, label: Tensor) -> Tensor:
        return F.cross_entropy(
            input,
            label,
            weight=self.weight,
            ignore_index=self.ignore_index,
            reduction=self.reduction,
            soft_label=self.soft_label,
            axis=self.axis,
            use_softmax=self.use_softmax,
            label_smoothing=self.label_smoothing,
        )


class NLLLoss(Loss):
    """`functional.nll_loss`: the negative log-probability of each label."""

    def __init__(
        self,
        weight: Tensor | None = None,
        ignore_index: int = -100,
        reduction: str = "mean",
        name: str | None = None,
    ) -> None:
        super().__init__(reduction, name)
        self._weight = weight
        self._ignore_index = ignore_index

    def forward(self, input: Tensor, label: Tensor) -> Tensor:
        return F.nll_loss(input, label, self._weight, self._ignore_index, self.reduction)


class KLDivLoss(Loss):
    """`functional.kl_div`: the Kullback-Leibler divergence of log-probabilities from probabilities.

    `reduction` may also be "batchmean": the sum over all, divided by the size of the first axis.
    """

    _reductions = ("mean", "sum", "none", "batchmean")

    def __init__(self, reduction: str = "mean", log_target: bool = False) -> None:
        super().__init__(reduction)
        self.log_target = log_target

    def forward(self, input: Tensor, label: Tensor) -> Tensor:
        return F.kl_div(input, label, self.reduction, self.log_target)


class BCELoss(Loss):
    """`functional.binary_cross_entropy`: of probabilities, with labels from 0 to 1."""

    def __init__(
        self, weight: Tensor | None = None, reduction: str = "mean", name: str | None = None
    ) -> None:
        super().__init__(reduction, name)
        self.weight = weight

    def forward(self, input: Tensor, label: Tensor) -> Tensor:
        return F.binary_cross_entropy(input, label, self.weight, self.reduction)


class BCEWithLogitsLoss(Loss):
    """`functional.binary_cross_entropy_with_logits`: of logits, with labels from 0 to 1.

    >>> import dualgraph as dg
    >>> round(dg.nn.BCEWithLogitsLoss()(dg.zeros([3]), dg.ones([3])).item(), 4)
    0.6931
    """

    def __init__(
        self,
        weight: Tensor | None = None,
        reduction: str = "mean",
        pos_weight: Tensor | None = None,
        name: str | None = None,
    ) -> None:
        super().__init__(reduction, name)
        self.weight = weight
        self.pos_weight = pos_weight

    def forward(self, logit: Tensor, label: Tensor) -> Tensor:
        return F.binary_cross_entropy_with_logits(
            logit, label, self.weight, self.reduction, self.pos_weight
        )


class CTCLoss(Loss):
    """`functional.ctc_loss`: of unaligned sequences, with `blank` for "no label here"."""

    def __init__(
        self, blank: int = 0, reduction: str = "mean", zero_infinity: bool = False
    ) -> None:
        super().__init__(reduction)
        self.blank = blank
        self.zero_infinity = zero_infinity

    def forward(
        self,
        log_probs: Tensor,
        labels: Tensor,
        input_lengths: Tensor,
        label_lengths: Tensor,
        norm_by_times: bool = False,
    ) -> Tensor:
        return F.ctc_loss(
            log_probs,
            labels,
            input_lengths,
            label_lengths,
            self.blank,
            self.reduction,
            norm_by_times=norm_by_times,
            zero_infinity=self.zero_infinity,
        )


class GaussianNLLLoss(Loss):
    """`functional.gaussian_nll_loss`: of normal distributions, given their means and variances."""

    def __init__(
        self,
        full: bool = False,
        epsilon: float = 1e-6,
        reduction: str = "mean",
        name: str | None = None,
    ) -> None:
        super().__init__(reduction, name)
        self.full = full
        self.epsilon = epsilon

    def forward(self, input: Tensor, label: Tensor, variance: Tensor) -> Tensor:
        return F.gaussian_nll_loss(input, label, variance, self.full, self.epsilon, self.reduction)


class PoissonNLLLoss(Loss):
    """`functional.poisson_nll_loss`: of Poisson distributions, given rates or their logarithms."""

    def __init__(
        self,
        log_input: bool = True,
        full: bool = False,
        epsilon: float = 1e-8,
        reduction: str = "mean",
        name: str | None = None,
    ) -> None:
        super().__init__(reduction, name)
        self.log_input = log_input
        self.full = full
        self.epsilon = epsilon

    def forward(self, input: Tensor, label: Tensor) -> Tensor:
        return F.poisson_nll_loss(
            input, label, self.log_input, self.full, self.epsilon, self.reduction
        )
