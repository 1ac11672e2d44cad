"""Optimizer specs with PyTorch's names and parameters, without torch.

To add one, add a class here and list it in ``OPTIMIZERS``: forms, recipes, commands and advice are made from it. The
optimizer itself is the class of the same name in ``torch.optim``. See https://docs.pytorch.org/docs/stable/optim.html
for what each parameter does.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Final, Literal

from pydantic import Field, model_validator

from engine.common.errors import SpecError
from engine.common.spec import Spec
from engine.schedules.base import advanced, usual

LR_MAX: Final = 1000.0
LearningRate = Annotated[float, Field(ge=0, le=LR_MAX)]


class OptimizerSpec(Spec):
    """The base of all optimizer specs. Fields have PyTorch's parameter names and defaults.

    The docstring of a subclass is its description in the window, ``when`` says what it is good for. ``starting_values``
    are the LR of a new recipe in the window and the other values that are not PyTorch's default there; ``changeable``
    names the hyperparameters that can be changed while a run trains; ``usual_weight_decay`` is what the advice suggests
    against overfitting.
    """

    if TYPE_CHECKING:
        name: str  # a Literal in each subclass

    when: ClassVar[str]
    starting_values: ClassVar[Mapping[str, float]]
    changeable: ClassVar[tuple[str, ...]]
    usual_weight_decay: ClassVar[float] = 5e-4  # since Krizhevsky et al. 2012

    lr: LearningRate
    weight_decay: float = Field(
        0.0,
        ge=0,
        le=100,
        title="weight_decay",
        description="Weight decay (L2 penalty).",
        json_schema_extra=usual(0, 0.01),
    )

    def starting_lrs(self) -> tuple[float, float]:
        """The lowest and the highest usual starting LR for these values."""
        return self.starting_values["lr"], self.starting_values["lr"]


_WITHOUT_MOMENTUM: Final = 10.0
Betas = tuple[Annotated[float, Field(ge=0, lt=1)], Annotated[float, Field(ge=0, lt=1)]]
_EPS: Final[dict[str, Any]] = {"title": "eps", "json_schema_extra": advanced(), "gt": 0, "le": 1}


def _fused() -> Any:
    return Field(
        False,
        title="fused",
        description="Use the fused implementation: a little faster, with slightly different rounding.",
        json_schema_extra=advanced(),
    )


class SGD(OptimizerSpec):
    """Stochastic gradient descent, optionally with momentum."""

    when: ClassVar[str] = "Simple, and good with momentum 0.9. Start near LR 0.01."
    starting_values: ClassVar[Mapping[str, float]] = {"lr": 0.01, "momentum": 0.9}
    changeable: ClassVar[tuple[str, ...]] = ("weight_decay", "momentum", "dampening", "nesterov")

    name: Literal["SGD"] = "SGD"
    lr: LearningRate = Field(
        1e-3, title="Learning rate", description="Size of the update steps.", json_schema_extra=usual(0.001, 0.1)
    )
    momentum: float = Field(
        0.0,
        ge=0,
        lt=1,
        title="momentum",
        description="Share of the previous step that is added to the next.",
        json_schema_extra=usual(0.8, 0.95),
    )
    dampening: float = Field(
        0.0, ge=0, le=1, title="dampening", description="Dampening for momentum.", json_schema_extra=advanced()
    )
    nesterov: bool = Field(
        False,
        title="nesterov",
        description="Use Nesterov momentum; needs momentum and no dampening.",
    )
    fused: bool = _fused()

    def starting_lrs(self) -> tuple[float, float]:
        """Without momentum ten times the LR is usual too: momentum 0.9 makes the steps 1 / (1 - 0.9) times as long."""
        lr = self.starting_values["lr"]
        return lr, lr * _WITHOUT_MOMENTUM if self.momentum == 0 else lr

    @model_validator(mode="after")
    def _nesterov_needs_momentum(self) -> SGD:
        if self.nesterov and (self.momentum == 0 or self.dampening != 0):
            raise SpecError("nesterov", "needs a momentum above 0 and a dampening of 0")
        return self


class Adam(OptimizerSpec):
    """Adapts the step size of each weight to running averages of its gradient."""

    when: ClassVar[str] = "Works with a wide range of LRs. Start near LR 0.001."
    starting_values: ClassVar[Mapping[str, float]] = {"lr": 0.001}
    changeable: ClassVar[tuple[str, ...]] = ("weight_decay", "betas", "eps")

    name: Literal["Adam"] = "Adam"
    lr: LearningRate = Field(
        1e-3, title="Learning rate", description="Size of the update steps.", json_schema_extra=usual(1e-4, 3e-3)
    )
    betas: Betas = Field(
        (0.9, 0.999), title="betas", description="Decay of the running averages of the gradient and of its square."
    )
    eps: float = Field(1e-8, description="Added to the denominator for numerical stability.", **_EPS)
    amsgrad: bool = Field(
        False,
        title="amsgrad",
        description="Use the AMSGrad variant: divide by the largest average so far.",
        json_schema_extra=advanced(),
    )
    fused: bool = _fused()


class AdamW(OptimizerSpec):
    """Adam with decoupled weight decay."""

    when: ClassVar[str] = "Like Adam, with weight decay independent of the gradients. Start near LR 0.001."
    starting_values: ClassVar[Mapping[str, float]] = {"lr": 0.001}
    changeable: ClassVar[tuple[str, ...]] = ("weight_decay", "betas", "eps")
    usual_weight_decay: ClassVar[float] = 0.05  # decoupled, it takes about a hundred times as much (Loshchilov 2019)

    name: Literal["AdamW"] = "AdamW"
    lr: LearningRate = Field(
        1e-3, title="Learning rate", description="Size of the update steps.", json_schema_extra=usual(1e-4, 3e-3)
    )
    betas: Betas = Field(
        (0.9, 0.999), title="betas", description="Decay of the running averages of the gradient and of its square."
    )
    eps: float = Field(1e-8, description="Added to the denominator for numerical stability.", **_EPS)
    weight_decay: float = Field(
        0.01,
        ge=0,
        le=100,
        title="weight_decay",
        description="Weight decay, applied to the weights directly.",
        json_schema_extra=usual(0, 0.1),
    )
    amsgrad: bool = Field(
        False,
        title="amsgrad",
        description="Use the AMSGrad variant: divide by the largest average so far.",
        json_schema_extra=advanced(),
    )
    fused: bool = _fused()


class RMSprop(OptimizerSpec):
    """Divides each gradient by a running average of its magnitude."""

    when: ClassVar[str] = "An older adaptive method. Start near LR 0.001."
    starting_values: ClassVar[Mapping[str, float]] = {"lr": 0.001}  # its updates are of Adam's size
    changeable: ClassVar[tuple[str, ...]] = ("weight_decay", "momentum", "alpha", "eps")

    name: Literal["RMSprop"] = "RMSprop"
    lr: LearningRate = Field(
        1e-2, title="Learning rate", description="Size of the update steps.", json_schema_extra=usual(1e-4, 1e-2)
    )
    alpha: float = Field(
        0.99, ge=0, lt=1, title="alpha", description="Decay of the running average of the squared gradient."
    )
    eps: float = Field(1e-8, description="Added to the denominator for numerical stability.", **_EPS)
    momentum: float = Field(
        0.0, ge=0, lt=1, title="momentum", description="Share of the previous step that is added to the next."
    )
    centered: bool = Field(
        False,
        title="centered",
        description="Divide by an estimate of the gradient's standard deviation instead.",
        json_schema_extra=advanced(),
    )


_CLASSES: Final = (SGD, Adam, AdamW, RMSprop)
OPTIMIZERS: Final[dict[str, type[OptimizerSpec]]] = {kind.__name__: kind for kind in _CLASSES}
"""By name, in the order of the window's list."""


def changeable_fields() -> dict[str, Any]:
    """The type, with its limits, of every optimizer's hyperparameters that can be changed while a run trains."""
    kinds: dict[str, Any] = {}
    for spec in OPTIMIZERS.values():
        for name in spec.changeable:
            field = spec.model_fields[name]
            kinds.setdefault(name, Annotated[field.annotation, *field.metadata] if field.metadata else field.annotation)
    return kinds
