"""From a schedule's spec to PyTorch's own scheduler object."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch.optim import Optimizer, lr_scheduler

from engine.schedules import (
    Constant,
    CosineAnnealingLR,
    ExponentialLR,
    LambdaLR,
    MultiStepLR,
    ReduceLROnPlateau,
    ScheduleSpec,
    StepLR,
)
from engine.schedules.expression import Expression, ExpressionError

AnyScheduler = lr_scheduler.LRScheduler


class PlanError(ValueError):
    """A schedule that cannot be run to the end; the message says where and why."""


@dataclass(frozen=True)
class Length:
    """The run as it was when the plan was made: what ``epochs`` and ``steps_per_epoch`` mean in an expression."""

    epochs: int
    steps_per_epoch: int


def build_scheduler(spec: ScheduleSpec, optimizer: Optimizer, length: Length) -> AnyScheduler:
    """PyTorch's scheduler for ``spec``, on an optimizer with one parameter group.

    Raises:
        PlanError: an expression has no value at the first position.
    """
    return _BUILDERS[type(spec)](spec, optimizer, length)


def _options(spec: ScheduleSpec, *without: str) -> dict[str, Any]:
    return spec.model_dump(exclude={"name", "interval", *without})


def _plain(scheduler: Any) -> Callable[[ScheduleSpec, Optimizer, Length], AnyScheduler]:
    def build(spec: ScheduleSpec, optimizer: Optimizer, length: Length) -> AnyScheduler:
        made: AnyScheduler = scheduler(optimizer, **_options(spec))
        return made

    return build


def _plateau(spec: ScheduleSpec, optimizer: Optimizer, length: Length) -> AnyScheduler:
    return lr_scheduler.ReduceLROnPlateau(optimizer, **_options(spec, "monitor"))


def _constant(spec: ScheduleSpec, optimizer: Optimizer, length: Length) -> AnyScheduler:
    return lr_scheduler.LambdaLR(optimizer, lambda _: 1.0)


def _multi_step(spec: ScheduleSpec, optimizer: Optimizer, length: Length) -> AnyScheduler:
    assert isinstance(spec, MultiStepLR)
    return lr_scheduler.MultiStepLR(optimizer, milestones=list(spec.milestones), gamma=spec.gamma)


def _lambda(spec: ScheduleSpec, optimizer: Optimizer, length: Length) -> AnyScheduler:
    assert isinstance(spec, LambdaLR)
    expression = Expression(spec.lr_lambda[0])
    per_epoch = spec.interval == "epoch"

    def multiplier(position: int) -> float:
        names = {
            "epoch": float(position),
            "step": float(position * length.steps_per_epoch if per_epoch else position),
            "epochs": float(length.epochs),
            "steps_per_epoch": float(length.steps_per_epoch),
        }
        try:
            return expression(names)
        except ExpressionError as error:
            raise PlanError(f"at epoch = {position} the expression {expression.text!r} {error}") from None

    return lr_scheduler.LambdaLR(optimizer, multiplier)


_BUILDERS: dict[type[ScheduleSpec], Callable[[ScheduleSpec, Optimizer, Length], AnyScheduler]] = {
    Constant: _constant,
    StepLR: _plain(lr_scheduler.StepLR),
    MultiStepLR: _multi_step,
    ExponentialLR: _plain(lr_scheduler.ExponentialLR),
    CosineAnnealingLR: _plain(lr_scheduler.CosineAnnealingLR),
    ReduceLROnPlateau: _plateau,
    LambdaLR: _lambda,
}
