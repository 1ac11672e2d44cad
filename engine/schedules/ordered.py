"""Ordered schedules without cycles: the learning rate is a function of the position alone."""

from __future__ import annotations

import math
from typing import Annotated, ClassVar, Final, Literal

from pydantic import Field, field_validator

from engine.common.errors import SpecError
from engine.common.text import Text, number
from engine.schedules.base import COUNTS, ScheduleSpec, UpcomingChange, usual

Gamma = Annotated[float, Field(gt=0, le=10)]
_LARGEST_EXPONENT: Final = 700.0  # exp of it is near the largest float


def stays_finite(base: float, factor: float, times: int) -> bool:
    """Whether ``base`` is far from overflowing after ``times`` multiplications by ``factor``."""
    return factor <= 1 or math.log(max(base, 1.0)) + times * math.log(factor) < _LARGEST_EXPONENT


class Constant(ScheduleSpec):
    """The same learning rate in every epoch."""

    family: ClassVar[Literal["ordered"]] = "ordered"
    formula: ClassVar[str] = "lr"
    when: ClassVar[str] = "A baseline to compare with, or a run in which you set the LR yourself."
    docs: ClassVar[str] = "torch.optim.lr_scheduler.LambdaLR with a multiplier of 1"
    bounded: ClassVar[bool] = True

    name: Literal["Constant"] = "Constant"


class StepLR(ScheduleSpec):
    """Multiplies the learning rate by gamma every step_size epochs."""

    family: ClassVar[Literal["ordered"]] = "ordered"
    formula: ClassVar[str] = "lr × gamma^⌊(n-1) / step_size⌋"
    when: ClassVar[str] = "Simple tasks: a high LR first, then lower in equal stages."
    docs: ClassVar[str] = "torch.optim.lr_scheduler.StepLR"
    discrete: ClassVar[bool] = True

    name: Literal["StepLR"] = "StepLR"
    step_size: int = Field(
        ge=1,
        le=10_000_000,
        title="step_size",
        description="Epochs between two reductions of the LR.",
        json_schema_extra={**usual(5, 30), **COUNTS},
    )
    gamma: Gamma = Field(
        0.1,
        title="gamma",
        description="What the LR is multiplied by at each reduction.",
        json_schema_extra=usual(0.1, 0.5),
    )

    def usable_throughout(self, base: float, last: int, span: int) -> bool:
        """Whether it does not overflow."""
        return stays_finite(base, self.gamma, last // self.step_size)

    def next_change(self, position: int, lr: float) -> UpcomingChange:
        """At the next multiple of step_size."""
        reason = Text("×{gamma}, step_size {step_size}", gamma=number(self.gamma), step_size=self.step_size)
        return UpcomingChange((position // self.step_size + 1) * self.step_size, lr * self.gamma, reason)


class MultiStepLR(ScheduleSpec):
    """Multiplies the learning rate by gamma when the number of completed epochs reaches a milestone."""

    family: ClassVar[Literal["ordered"]] = "ordered"
    formula: ClassVar[str] = "lr × gamma^(milestones ≤ n-1)"
    when: ClassVar[str] = "Simple tasks for which the best epochs to lower the LR are known."
    docs: ClassVar[str] = "torch.optim.lr_scheduler.MultiStepLR"
    discrete: ClassVar[bool] = True

    name: Literal["MultiStepLR"] = "MultiStepLR"
    milestones: tuple[Annotated[int, Field(ge=1, le=10_000_000)], ...] = Field(
        min_length=1,
        max_length=1000,
        title="milestones",
        description="Completed epochs after which the LR is reduced, in increasing order: 15, 30, 45.",
        json_schema_extra=COUNTS,
    )
    gamma: Gamma = Field(
        0.1,
        title="gamma",
        description="What the LR is multiplied by at each reduction.",
        json_schema_extra=usual(0.1, 0.5),
    )

    @field_validator("milestones")
    @classmethod
    def _check_order(cls, value: tuple[int, ...]) -> tuple[int, ...]:
        if list(value) != sorted(value):
            raise SpecError("", f"must be in increasing order; it is {list(value)}")
        return value

    def usable_throughout(self, base: float, last: int, span: int) -> bool:
        """Whether it does not overflow."""
        return stays_finite(base, self.gamma, len(self.milestones))

    def next_change(self, position: int, lr: float) -> UpcomingChange | None:
        """At the next milestone."""
        ahead = [milestone for milestone in self.milestones if milestone > position]
        if not ahead:
            return None
        factor = self.gamma ** ahead.count(ahead[0])
        return UpcomingChange(
            ahead[0], lr * factor, Text("×{gamma}, milestone {at}", gamma=number(factor), at=ahead[0])
        )


class ConstantLR(ScheduleSpec):
    """Multiplies the learning rate by factor in the first total_iters epochs."""

    family: ClassVar[Literal["ordered"]] = "ordered"
    formula: ClassVar[str] = "lr × factor while n-1 < total_iters, then lr"
    when: ClassVar[str] = "A first stage at a fixed, lower LR, before another schedule or changes of your own."
    docs: ClassVar[str] = "torch.optim.lr_scheduler.ConstantLR"
    bounded: ClassVar[bool] = True
    discrete: ClassVar[bool] = True

    name: Literal["ConstantLR"] = "ConstantLR"
    factor: float = Field(
        1.0 / 3,
        gt=0,
        le=1,
        title="factor",
        description="What the LR is multiplied by in the first total_iters epochs.",
        json_schema_extra=usual(0.01, 0.5),
    )
    total_iters: int = Field(
        5,
        ge=1,
        le=10_000_000,
        title="total_iters",
        description="Epochs at the reduced LR.",
        json_schema_extra={**usual(1, 10), **COUNTS},
    )

    def next_change(self, position: int, lr: float) -> UpcomingChange | None:
        """At total_iters, after which the LR is no longer multiplied by factor."""
        if position >= self.total_iters:
            return None
        factor = 1.0 / self.factor
        reason = Text("×{factor}, total_iters {total_iters}", factor=number(factor), total_iters=self.total_iters)
        return UpcomingChange(self.total_iters, lr * factor, reason)


class LinearLR(ScheduleSpec):
    """Changes the learning rate linearly from start_factor to end_factor times its value in total_iters epochs."""

    family: ClassVar[Literal["ordered"]] = "ordered"
    formula: ClassVar[str] = "lr × (start_factor + (end_factor - start_factor) min(1, (n-1) / total_iters))"
    when: ClassVar[str] = "A warm-up: a low LR in the first epochs, rising to the full LR."
    docs: ClassVar[str] = "torch.optim.lr_scheduler.LinearLR"
    bounded: ClassVar[bool] = True

    name: Literal["LinearLR"] = "LinearLR"
    start_factor: float = Field(
        1.0 / 3,
        gt=0,
        le=1,
        title="start_factor",
        description="What the LR is multiplied by in the first epoch.",
        json_schema_extra=usual(0.001, 0.3),
    )
    end_factor: float = Field(
        1.0,
        ge=0,
        le=1,
        title="end_factor",
        description="What the LR is multiplied by after total_iters epochs.",
        json_schema_extra=usual(0.5, 1),
    )
    total_iters: int = Field(
        5,
        ge=1,
        le=10_000_000,
        title="total_iters",
        description="Epochs from start_factor to end_factor.",
        json_schema_extra={**usual(1, 10), **COUNTS},
    )


class ExponentialLR(ScheduleSpec):
    """Multiplies the learning rate by gamma after every epoch."""

    family: ClassVar[Literal["ordered"]] = "ordered"
    formula: ClassVar[str] = "lr × gamma^(n-1)"
    when: ClassVar[str] = "A smooth, steady decay. gamma near 1: 0.9 leaves 4% after 30 epochs."
    docs: ClassVar[str] = "torch.optim.lr_scheduler.ExponentialLR"

    name: Literal["ExponentialLR"] = "ExponentialLR"
    gamma: Gamma = Field(
        title="gamma",
        description="What the LR is multiplied by after every epoch.",
        json_schema_extra=usual(0.95, 0.99),
    )

    def usable_throughout(self, base: float, last: int, span: int) -> bool:
        """Whether it does not overflow."""
        return stays_finite(base, self.gamma, last)


class PolynomialLR(ScheduleSpec):
    """Decays the learning rate to 0 in total_iters epochs, along a polynomial of the given power."""

    family: ClassVar[Literal["ordered"]] = "ordered"
    formula: ClassVar[str] = "lr × (1 - min(n-1, total_iters) / total_iters)^power"
    when: ClassVar[str] = "Complex tasks with a known number of epochs. Common in segmentation, with power 0.9."
    docs: ClassVar[str] = "torch.optim.lr_scheduler.PolynomialLR"
    bounded: ClassVar[bool] = True

    name: Literal["PolynomialLR"] = "PolynomialLR"
    total_iters: int = Field(
        5,
        ge=1,
        le=10_000_000,
        title="total_iters",
        description="Epochs until the LR is 0; usually the epochs of the run.",
        json_schema_extra=COUNTS,
    )
    power: float = Field(
        1.0,
        ge=0,
        le=100,
        title="power",
        description="1: a straight line. Above 1: a fast decay first, a slow one at the end.",
        json_schema_extra=usual(0.9, 2),
    )


class CosineAnnealingLR(ScheduleSpec):
    """Anneals the learning rate to eta_min along half a cosine in T_max epochs. After T_max it rises again."""

    family: ClassVar[Literal["ordered"]] = "ordered"
    formula: ClassVar[str] = "eta_min + (lr - eta_min) (1 + cos(π (n-1) / T_max)) / 2"
    when: ClassVar[str] = "Complex tasks with a known number of epochs: long at a high LR, slow at the end."
    docs: ClassVar[str] = "torch.optim.lr_scheduler.CosineAnnealingLR (Loshchilov and Hutter, SGDR, 2017)"
    bounded: ClassVar[bool] = True

    name: Literal["CosineAnnealingLR"] = "CosineAnnealingLR"
    T_max: int = Field(
        ge=1,
        le=10_000_000,
        title="T_max",
        description="Epochs from the top to the bottom of the cosine; usually the epochs of the run.",
        json_schema_extra=COUNTS,
    )
    eta_min: float = Field(
        0.0, ge=0, le=1000, title="eta_min", description="Minimum LR.", json_schema_extra=usual(0, 1e-4)
    )
