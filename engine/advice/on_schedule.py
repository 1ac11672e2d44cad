"""Rules on one schedule, the recipe's or a group's own: whether it fits the length of the run."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from engine.common.text import Text, number
from engine.schedules import (
    CosineAnnealingLR,
    ExponentialLR,
    MultiStepLR,
    ReduceLROnPlateau,
    ScheduleSpec,
    SequentialLR,
    StepLR,
)

GAMMA_LEAST: Final = 0.9
"""With a smaller gamma, ExponentialLR lowers the LR to a tenth within 22 epochs (the tutorial's limit)."""
GAMMA_USUAL: Final = 0.95
"""The lowest usual value; a long run needs a higher one."""
LITTLE: Final = 0.1
"""Share of the LR below which too little is left. A short run with a small gamma stays above it."""
FINAL_SHARE: Final = 0.01
"""Share of the LR that a suggested decay leaves: two cuts of 0.1, as published recipes have it (He et al. 2016)."""
T_MAX_LONG: Final = 1.1
"""Up to this multiple of the run, a cosine still ends within 2% of its lowest LR."""
T_MAX_SHORT: Final = 0.9
"""Down to this share of the run, a cosine has risen by less than 3% at the end."""
STEPWISE_SHARE: Final = 0.05
"""Counts below this share of the run's steps were probably meant as epochs: an epoch seldom has under 20 steps."""
DEFAULT_PATIENCE: Final = 10
"""PyTorch's default, suggested if the run is long enough."""
FIRST_REDUCTION: Final = 3
"""The earliest epoch with a reduced LR is patience + 3: epoch 1 is the best, and patience + 1 worse ones follow."""


@dataclass(frozen=True)
class Span:
    """The part of a run in which a schedule is active.

    Attributes:
        epochs: its epochs.
        steps_per_epoch: batches per epoch; None if not known.
        lr: the LR that the schedule starts from.
        stage_length: for a stage of a sequence, its length in epochs or, if it is stepped per batch, in batches.
    """

    epochs: int
    steps_per_epoch: int | None
    lr: float
    stage_length: int | None = None

    def length(self, spec: ScheduleSpec) -> int | None:
        """The length in epochs or, if ``spec`` is stepped per batch, in batches; None if not known."""
        if self.stage_length is not None:
            return self.stage_length
        if spec.interval == "epoch":
            return self.epochs
        return None if self.steps_per_epoch is None else self.epochs * self.steps_per_epoch


@dataclass(frozen=True)
class ScheduleProblem:
    """What is wrong with a schedule, and a better one with its button's label, if there is one."""

    text: Text
    reason: Text
    better: ScheduleSpec | None = None
    label: Text | None = None


def aimed_gamma(cuts: int, share: float = FINAL_SHARE) -> float:
    """The gamma that leaves ``share`` of the LR after ``cuts`` cuts, to three digits."""
    return float(f"{share ** (1 / max(1, cuts)):.3g}")


def cuts_within(spec: ScheduleSpec, length: int) -> int:
    """How often StepLR, MultiStepLR or ExponentialLR multiplies by gamma before the run ends; 0 for the others."""
    if isinstance(spec, StepLR):
        return (length - 1) // spec.step_size
    if isinstance(spec, MultiStepLR):
        return sum(milestone < length for milestone in spec.milestones)
    return length - 1 if isinstance(spec, ExponentialLR) else 0


def stepwise(spec: ScheduleSpec, span: Span) -> ScheduleProblem | None:
    """A schedule that is stepped once per batch has counts that were probably meant as epochs."""
    length = span.length(spec)
    if spec.interval == "epoch" or length is None or span.steps_per_epoch is None:
        return None
    if isinstance(spec, CosineAnnealingLR):
        name, count, over = "T_max", spec.T_max, True
    elif isinstance(spec, MultiStepLR):
        name, count, over = "milestones", spec.milestones[-1], True
    elif isinstance(spec, StepLR):
        name, count, over = "step_size", spec.step_size, _left(spec.gamma, cuts_within(spec, length)) < 1e-3
    elif isinstance(spec, ExponentialLR):
        name, count, over = "gamma", 1, _left(spec.gamma, length - 1) < 1e-3
    else:
        return None
    if not over or count >= STEPWISE_SHARE * length:
        return None
    return ScheduleProblem(
        Text("{name} counts batches, not epochs", name=name),
        Text(
            "The schedule is stepped once per batch: {per_epoch} times an epoch, {length} times in the run. Values "
            "meant for epochs take effect {per_epoch} times too early.",
            length=length,
            per_epoch=span.steps_per_epoch,
        ),
        spec.model_copy(update={"interval": "epoch"}),
        Text("Step once per epoch"),
    )


def cuts_beyond(spec: ScheduleSpec, span: Span) -> ScheduleProblem | None:
    """Milestones or steps that the run never reaches."""
    length = span.length(spec)
    if length is None:
        return None
    if isinstance(spec, StepLR) and spec.step_size >= length and spec.gamma != 1:
        return ScheduleProblem(
            Text("step_size {size} is never reached", size=spec.step_size),
            Text(
                "The run ends after {length} {unit}, before the first step, so the LR stays constant.",
                length=length,
                unit=_unit(spec),
            ),
            *_offer(spec, "step_size", max(1, length // 3), length > 1),
        )
    if isinstance(spec, MultiStepLR) and spec.milestones[-1] >= length:
        beyond = [m for m in spec.milestones if m >= length]
        within = tuple(m for m in spec.milestones if m < length)
        # if none is left: at half and three quarters of the run, as He et al. 2016 for CIFAR-10
        better = within or tuple(sorted({max(1, length // 2), max(1, length * 3 // 4)}))
        return ScheduleProblem(
            Text("Milestone {milestone} is never reached", milestone=beyond[0]),
            Text(
                "The run ends after {length} {unit}. Milestones from {length} on have no effect.",
                length=length,
                unit=_unit(spec),
            ),
            *_offer(spec, "milestones", better, length > 1),
        )
    if isinstance(spec, SequentialLR) and spec.milestones and spec.milestones[-1] >= length:
        reached = tuple(m for m in spec.milestones if m < length)
        return ScheduleProblem(
            Text("Milestone {milestone} is never reached", milestone=spec.milestones[len(reached)]),
            Text(
                "The run ends after {length} {unit}. The schedules after that milestone are never used.",
                length=length,
                unit=_unit(spec),
            ),
            spec.model_copy(
                update={"schedulers": spec.schedulers[: len(reached) + 1], "milestones": reached},
            ),
            Text("Remove unused schedules"),
        )
    return None


def last_stage(spec: ScheduleSpec, span: Span) -> tuple[int, int, Span] | None:
    """The index, start and span of the last schedule of a SequentialLR; None if the run does not reach it."""
    length = span.length(spec)
    if not isinstance(spec, SequentialLR) or not spec.milestones or length is None:
        return None
    begin = spec.milestones[-1]
    if begin >= length:
        return None
    left = length - begin
    epochs = left if spec.interval == "epoch" else span.epochs
    return len(spec.schedulers) - 1, begin, Span(epochs, span.steps_per_epoch, span.lr, stage_length=left)


def t_max_long(spec: ScheduleSpec, span: Span) -> ScheduleProblem | None:
    """The run ends before a cosine reaches its lowest LR."""
    length = span.length(spec)
    if not isinstance(spec, CosineAnnealingLR) or length is None or spec.T_max <= T_MAX_LONG * length:
        return None
    at_end = spec.eta_min + (span.lr - spec.eta_min) * (1 + math.cos(math.pi * (length - 1) / spec.T_max)) / 2
    return ScheduleProblem(
        Text("T_max {t_max} is longer than the run", t_max=spec.T_max),
        Text(
            "The run ends after {length} {unit} with the LR still at {lr}. Set T_max to the length of the run.",
            length=length,
            unit=_unit(spec),
            lr=number(float(f"{at_end:.2g}")),
        ),
        *_offer(spec, "T_max", length),
    )


def t_max_short(spec: ScheduleSpec, span: Span) -> ScheduleProblem | None:
    """A cosine reaches its lowest LR long before the end of the run, and rises again."""
    length = span.length(spec)
    if not isinstance(spec, CosineAnnealingLR) or length is None or spec.T_max >= T_MAX_SHORT * length:
        return None
    return ScheduleProblem(
        Text("The LR rises again after T_max {t_max}", t_max=spec.T_max),
        Text(
            "After T_max the cosine rises as slowly as it fell. For a single decay, set T_max to {length}. For "
            "restarts, use CosineAnnealingWarmRestarts, which goes back to the initial LR at once.",
            length=length,
        ),
        *_offer(spec, "T_max", length),
    )


def exponential(spec: ScheduleSpec, span: Span) -> ScheduleProblem | None:
    """The gamma of an ExponentialLR is so small that too little of the LR is left."""
    if not isinstance(spec, ExponentialLR) or spec.interval == "step" or spec.gamma >= GAMMA_LEAST:
        return None
    left = _left(spec.gamma, span.epochs - 1)
    if left >= LITTLE:
        return None
    percent = number(float(f"{100 * left:.2g}"))
    return ScheduleProblem(
        Text("gamma {gamma} leaves {percent}% of the LR", gamma=number(spec.gamma), percent=percent),
        Text(
            "The LR is multiplied by gamma after every epoch, and is {lr} in epoch {epochs}. Usual values of gamma are "
            "0.95 to 0.99.",
            lr=number(float(f"{span.lr * left:.2g}")),
            epochs=span.epochs,
        ),
        *_offer(spec, "gamma", max(GAMMA_USUAL, aimed_gamma(span.epochs - 1))),
    )


def patience(spec: ScheduleSpec, span: Span) -> ScheduleProblem | None:
    """The patience of a ReduceLROnPlateau is longer than the run."""
    if not isinstance(spec, ReduceLROnPlateau) or spec.patience + FIRST_REDUCTION <= span.epochs:
        return None
    fitting = min(DEFAULT_PATIENCE, span.epochs // 6)
    return ScheduleProblem(
        Text("patience {patience} is too long for this run", patience=spec.patience),
        Text(
            "The LR can be reduced in epoch {first} at the earliest. The run has {epochs} epochs.",
            first=spec.patience + FIRST_REDUCTION,
            epochs=span.epochs,
        ),
        *_offer(spec, "patience", fitting, span.epochs >= FIRST_REDUCTION),
    )


def cannot_improve(spec: ScheduleSpec, span: Span) -> ScheduleProblem | None:
    """A ReduceLROnPlateau has a min_lr that prevents reductions, or a threshold that cannot be reached."""
    if not isinstance(spec, ReduceLROnPlateau):
        return None
    if spec.min_lr >= span.lr > 0:
        return ScheduleProblem(
            Text("min_lr {min_lr} prevents every reduction", min_lr=number(spec.min_lr)),
            Text(
                "The LR starts at {lr} and is never reduced below min_lr, so the schedule has no effect.",
                lr=number(span.lr),
            ),
            *_offer(spec, "min_lr", 0.0),
        )
    # a loss cannot fall by 100%; an accuracy is at most 1, so it can neither rise by 1 nor double from 0.5 on
    relative = spec.threshold_mode == "rel"
    if spec.threshold < 1 or (spec.mode == "min" and not relative):
        return None
    return ScheduleProblem(
        Text("threshold {threshold} cannot be reached", threshold=number(spec.threshold)),
        Text(
            "{monitor} would have to improve by {threshold} at once, so every epoch counts as bad and the LR is "
            "reduced again and again.",
            monitor=spec.monitor,
            threshold=f"{100 * spec.threshold:.0f}%" if relative else number(spec.threshold),
        ),
        *_offer(spec, "threshold", 1e-4),
    )


ScheduleRule = Callable[[ScheduleSpec, Span], ScheduleProblem | None]
SCHEDULE_RULES: Final[tuple[tuple[str, ScheduleRule], ...]] = (
    ("stepwise", stepwise),
    ("cannot_improve", cannot_improve),
    ("patience", patience),
    ("exponential", exponential),
    ("cuts_beyond", cuts_beyond),
    ("t_max_long", t_max_long),
    ("t_max_short", t_max_short),
)
"""The most urgent first: what ruins a run comes before what is only unusual."""


def _unit(spec: ScheduleSpec) -> Text:
    return Text("epochs") if spec.interval == "epoch" else Text("batches")


def _left(gamma: float, cuts: int) -> float:
    """The share of the LR that is left after ``cuts`` cuts; infinite on overflow."""
    try:
        return gamma**cuts
    except OverflowError:
        return math.inf


def _offer(
    spec: ScheduleSpec, field: str, value: float | tuple[int, ...], possible: bool = True
) -> tuple[ScheduleSpec | None, Text | None]:
    """``spec`` with ``field`` set to ``value``, and its button's label; None if no value helps."""
    if not possible:
        return None, None
    shown = ", ".join(map(str, value)) if isinstance(value, tuple) else number(value)
    return spec.model_copy(update={field: value}), Text("Set {field} to {value}", field=field, value=shown)
