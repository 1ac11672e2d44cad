"""The optimizers of a recipe, by PyTorch's own names and parameters. Imports no torch."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Final, Literal

from pydantic import Field, model_validator

from engine.common.spec import Spec, SpecError
from engine.schedules.base import advanced, usual

LR_MAX: Final = 1000.0
LearningRate = Annotated[float, Field(ge=0, le=LR_MAX)]


class OptimizerSpec(Spec):
    """What every optimizer spec shares. Fields carry PyTorch's own parameter names."""

    when: ClassVar[str]
    lr: LearningRate
    weight_decay: float = Field(
        0.0,
        ge=0,
        le=100,
        title="weight_decay",
        description="Pull of the weights towards 0.",
        json_schema_extra=usual(0, 0.01),
    )


Betas = tuple[Annotated[float, Field(ge=0, lt=1)], Annotated[float, Field(ge=0, lt=1)]]
_EPS: Final[dict[str, Any]] = {"title": "eps", "json_schema_extra": advanced(), "gt": 0, "le": 1}


def _fused() -> Any:
    return Field(
        False,
        title="fused",
        description="Update all weights in one call: a little faster, with other last digits.",
        json_schema_extra=advanced(),
    )


class SGD(OptimizerSpec):
    """Stochastic gradient descent, with momentum."""

    when: ClassVar[str] = "Simple and strong with momentum 0.9; start near 0.01."
    name: Literal["SGD"] = "SGD"
    lr: LearningRate = Field(
        1e-3, title="Learning rate", description="Size of a step.", json_schema_extra=usual(0.001, 0.1)
    )
    momentum: float = Field(
        0.0,
        ge=0,
        lt=1,
        title="momentum",
        description="Share of the last step kept.",
        json_schema_extra=usual(0.8, 0.95),
    )
    dampening: float = Field(
        0.0, ge=0, le=1, title="dampening", description="Dampening of momentum.", json_schema_extra=advanced()
    )
    nesterov: bool = Field(
        False,
        title="nesterov",
        description="Look ahead along the momentum; needs momentum and no dampening.",
    )
    fused: bool = _fused()

    @model_validator(mode="after")
    def _nesterov_needs_momentum(self) -> SGD:
        if self.nesterov and (self.momentum == 0 or self.dampening != 0):
            raise SpecError("nesterov", "needs a momentum above 0 and a dampening of 0")
        return self


class Adam(OptimizerSpec):
    """Adaptive moments."""

    when: ClassVar[str] = "Forgiving about the rate; start near 0.001."
    name: Literal["Adam"] = "Adam"
    lr: LearningRate = Field(
        1e-3, title="Learning rate", description="Size of a step.", json_schema_extra=usual(1e-4, 3e-3)
    )
    betas: Betas = Field((0.9, 0.999), title="betas", description="Decay of the two moments' averages.")
    eps: float = Field(1e-8, description="Added to the denominator.", **_EPS)
    amsgrad: bool = Field(
        False, title="amsgrad", description="Keep the largest second moment.", json_schema_extra=advanced()
    )
    fused: bool = _fused()


class AdamW(OptimizerSpec):
    """Adam with decoupled weight decay."""

    when: ClassVar[str] = "Adam with a weight decay that does what it says; start near 0.001."
    name: Literal["AdamW"] = "AdamW"
    lr: LearningRate = Field(
        1e-3, title="Learning rate", description="Size of a step.", json_schema_extra=usual(1e-4, 3e-3)
    )
    betas: Betas = Field((0.9, 0.999), title="betas", description="Decay of the two moments' averages.")
    eps: float = Field(1e-8, description="Added to the denominator.", **_EPS)
    weight_decay: float = Field(
        0.01,
        ge=0,
        le=100,
        title="weight_decay",
        description="Pull of the weights towards 0.",
        json_schema_extra=usual(0, 0.1),
    )
    amsgrad: bool = Field(
        False, title="amsgrad", description="Keep the largest second moment.", json_schema_extra=advanced()
    )
    fused: bool = _fused()


class RMSprop(OptimizerSpec):
    """Divides each gradient by a running average of its size."""

    when: ClassVar[str] = "An older adaptive method; start near 0.001."
    name: Literal["RMSprop"] = "RMSprop"
    lr: LearningRate = Field(
        1e-2, title="Learning rate", description="Size of a step.", json_schema_extra=usual(1e-4, 1e-2)
    )
    alpha: float = Field(0.99, ge=0, lt=1, title="alpha", description="Decay of the average.")
    eps: float = Field(1e-8, description="Added to the denominator.", **_EPS)
    momentum: float = Field(0.0, ge=0, lt=1, title="momentum", description="Share of the last step kept.")
    centered: bool = Field(
        False,
        title="centered",
        description="Divide by an estimate of the variance instead.",
        json_schema_extra=advanced(),
    )


OPTIMIZERS: Final[tuple[type[OptimizerSpec], ...]] = (SGD, Adam, AdamW, RMSprop)
AnyOptimizer = Annotated[SGD | Adam | AdamW | RMSprop, Field(discriminator="name")]
