"""Rules on one schedule, whether the recipe's or a group's own: what it does within the length of the run."""

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
"""An ExponentialLR with a smaller gamma loses nine tenths of the rate within 22 epochs (the tutorial's limit)."""
GAMMA_USUAL: Final = 0.95
"""The least of the usual ones; a long run needs more."""
LITTLE: Final = 0.1
"""A share of the rate that is "nothing" only for a long run; a short one with a small gamma never gets there."""
LANDING: Final = 0.01
"""Where a decay is aimed instead: two cuts of 0.1, as the published recipes of image networks end (He et al. 2016)."""
T_MAX_LONG: Final = 1.1
"""Up to this many times the run, a cosine still ends within 2% of its bottom."""
T_MAX_SHORT: Final = 0.9
"""Down to this share of the run, a cosine has climbed back by less than 3% at the end."""
STEPWISE_SHARE: Final = 0.05
"""Counts below this share of the run's steps were probably meant as epochs: an epoch is seldom under 20 steps."""
PATIENCE_MOST: Final = 10
"""PyTorch's own patience, suggested where the run is long enough for it."""
FIRST_TO_CUT: Final = 3
"""Epoch 1 is the best, patience + 1 worse ones follow, and the next trains with the cut rate."""


@dataclass(frozen=True)
class Span:
    """What a schedule runs over: the epochs, the steps in one (None: not known), and the rate that it starts from.

    ``own`` is the length in the schedule's own count, of a stage that is not there for the whole run.
    """

    epochs: int
    steps_per_epoch: int | None
    lr: float
    own: int | None = None

    def length(self, spec: ScheduleSpec) -> int | None:
        """The run in the schedule's own count; None where it is not known."""
        if self.own is not None:
            return self.own
        if spec.interval == "epoch":
            return self.epochs
        return None if self.steps_per_epoch is None else self.epochs * self.steps_per_epoch


@dataclass(frozen=True)
class Finding:
    """What is odd about a schedule, and the one that would do better, if there is one to name."""

    text: Text
    reason: Text
    better: ScheduleSpec | None = None
    label: Text | None = None


def aimed_gamma(cuts: int, share: float = LANDING) -> float:
    """The factor that leaves ``share`` of the rate after ``cuts`` cuts, to three digits."""
    return float(f"{share ** (1 / max(1, cuts)):.3g}")


def cuts_within(spec: ScheduleSpec, length: int) -> int:
    """How often StepLR, MultiStepLR or ExponentialLR multiplies by gamma before the run's end; 0 for the others."""
    if isinstance(spec, StepLR):
        return (length - 1) // spec.step_size
    if isinstance(spec, MultiStepLR):
        return sum(milestone < length for milestone in spec.milestones)
    return length - 1 if isinstance(spec, ExponentialLR) else 0


def stepwise(spec: ScheduleSpec, span: Span) -> Finding | None:
    """A schedule whose counts are epochs, stepped once per batch."""
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
    return Finding(
        Text("{name} counts batches, not epochs", name=name),
        Text(
            "The schedule is stepped once per batch, and the run has {length} of them: {per_epoch} an epoch. What was "
            "meant for epochs is over {per_epoch} times as soon.",
            length=length,
            per_epoch=span.steps_per_epoch,
        ),
        spec.model_copy(update={"interval": "epoch"}),
        Text("Step once per epoch"),
    )


def cuts_beyond(spec: ScheduleSpec, span: Span) -> Finding | None:
    """Cuts that lie at or beyond the run's end, and so never come."""
    length = span.length(spec)
    if length is None:
        return None
    if isinstance(spec, StepLR) and spec.step_size >= length and spec.gamma != 1:
        return Finding(
            Text("step_size {size}: the first cut never comes", size=spec.step_size),
            Text("The run ends after {length}, before the first cut: the LR stays the same throughout.", length=length),
            *_offer(spec, "step_size", max(1, length // 3), length > 1),
        )
    if isinstance(spec, MultiStepLR) and spec.milestones[-1] >= length:
        beyond = [m for m in spec.milestones if m >= length]
        within = tuple(m for m in spec.milestones if m < length)
        # where none is left: at a half and three quarters of the run, as He et al. 2016 cut on CIFAR-10
        better = within or tuple(sorted({max(1, length // 2), max(1, length * 3 // 4)}))
        return Finding(
            Text("Milestone {first} is beyond the run's end", first=beyond[0]),
            Text(
                "The run ends after {length}. A cut at milestones from {length} on never comes.",
                length=length,
            ),
            *_offer(spec, "milestones", better, length > 1),
        )
    if isinstance(spec, SequentialLR) and spec.milestones and spec.milestones[-1] >= length:
        reached = tuple(m for m in spec.milestones if m < length)
        return Finding(
            Text("Milestone {first} is beyond the run's end", first=spec.milestones[len(reached)]),
            Text("The run ends after {length}. The schedules from there on never come.", length=length),
            spec.model_copy(
                update={"schedulers": spec.schedulers[: len(reached) + 1], "milestones": reached},
            ),
            Text("Leave them out"),
        )
    return None


def last_stage(spec: ScheduleSpec, span: Span) -> tuple[int, int, Span] | None:
    """Of a SequentialLR that comes to its last schedule: which one that is, from where on, and what it runs over."""
    length = span.length(spec)
    if not isinstance(spec, SequentialLR) or not spec.milestones or length is None:
        return None
    begin = spec.milestones[-1]
    if begin >= length:
        return None
    left = length - begin
    epochs = left if spec.interval == "epoch" else span.epochs
    return len(spec.schedulers) - 1, begin, Span(epochs, span.steps_per_epoch, span.lr, own=left)


def t_max_long(spec: ScheduleSpec, span: Span) -> Finding | None:
    """A cosine that the run's end cuts off before its bottom."""
    length = span.length(spec)
    if not isinstance(spec, CosineAnnealingLR) or length is None or spec.T_max <= T_MAX_LONG * length:
        return None
    at_end = spec.eta_min + (span.lr - spec.eta_min) * (1 + math.cos(math.pi * (length - 1) / spec.T_max)) / 2
    return Finding(
        Text("T_max {t_max} is beyond the run's end", t_max=spec.T_max),
        Text(
            "The run ends after {length}, with the LR still at {lr}: there is no gentle landing. Make T_max the length "
            "of the run.",
            length=length,
            lr=number(float(f"{at_end:.2g}")),
        ),
        *_offer(spec, "T_max", length),
    )


def t_max_short(spec: ScheduleSpec, span: Span) -> Finding | None:
    """A cosine that is past its bottom well before the end, and rises again."""
    length = span.length(spec)
    if not isinstance(spec, CosineAnnealingLR) or length is None or spec.T_max >= T_MAX_SHORT * length:
        return None
    return Finding(
        Text("After T_max {t_max} the LR rises again", t_max=spec.T_max),
        Text(
            "Past T_max the cosine climbs back as slowly as it fell. If one landing is meant, make T_max {length}. If "
            "fresh starts are meant, CosineAnnealingWarmRestarts jumps back up at once.",
            length=length,
        ),
        *_offer(spec, "T_max", length),
    )


def exponential(spec: ScheduleSpec, span: Span) -> Finding | None:
    """A gamma that looks harmless and decays to nothing."""
    if not isinstance(spec, ExponentialLR) or spec.interval == "step" or spec.gamma >= GAMMA_LEAST:
        return None
    left = _left(spec.gamma, span.epochs - 1)
    if left >= LITTLE:
        return None
    percent = number(float(f"{100 * left:.2g}"))
    return Finding(
        Text("gamma {gamma} leaves {percent}% of the LR", gamma=number(spec.gamma), percent=percent),
        Text(
            "Multiplied after every epoch, {gamma} leaves {percent}% of the LR in epoch {epochs}: {lr}. A gamma from "
            "0.95 to 0.99 is usual.",
            gamma=number(spec.gamma),
            percent=percent,
            epochs=span.epochs,
            lr=number(float(f"{span.lr * left:.2g}")),
        ),
        *_offer(spec, "gamma", max(GAMMA_USUAL, aimed_gamma(span.epochs - 1))),
    )


def patience(spec: ScheduleSpec, span: Span) -> Finding | None:
    """A ReduceLROnPlateau that is more patient than the run is long."""
    if not isinstance(spec, ReduceLROnPlateau) or spec.patience + FIRST_TO_CUT <= span.epochs:
        return None
    fitting = min(PATIENCE_MOST, span.epochs // 6)
    return Finding(
        Text("patience {patience}: the LR is never cut", patience=spec.patience),
        Text(
            "It forgives {patience} epochs without improvement, so the first cut could come in epoch {first}. The run "
            "has {epochs}.",
            patience=spec.patience,
            first=spec.patience + FIRST_TO_CUT,
            epochs=span.epochs,
        ),
        *_offer(spec, "patience", fitting, span.epochs >= FIRST_TO_CUT),
    )


def cannot_improve(spec: ScheduleSpec, span: Span) -> Finding | None:
    """A ReduceLROnPlateau that asks for more than its metric can give, or that may not cut."""
    if not isinstance(spec, ReduceLROnPlateau):
        return None
    if spec.min_lr >= span.lr > 0:
        return Finding(
            Text("min_lr {min_lr} forbids every cut", min_lr=number(spec.min_lr)),
            Text(
                "The LR starts at {lr}, and is never cut below min_lr: nothing will happen.",
                lr=number(span.lr),
            ),
            *_offer(spec, "min_lr", 0.0),
        )
    # a loss cannot fall by all of itself; an accuracy is at most 1, so it cannot gain 1, nor double from a half on
    relative = spec.threshold_mode == "rel"
    if spec.threshold < 1 or (spec.mode == "min" and not relative):
        return None
    return Finding(
        Text("threshold {threshold} is never reached", threshold=number(spec.threshold)),
        Text(
            "{monitor} would have to get better by {threshold} at once to count as better, so every epoch counts as "
            "bad and the LR is cut again and again.",
            monitor=spec.monitor,
            threshold=f"{100 * spec.threshold:.0f}%" if relative else number(spec.threshold),
        ),
        *_offer(spec, "threshold", 1e-4),
    )


ScheduleRule = Callable[[ScheduleSpec, Span], Finding | None]
SCHEDULE_RULES: Final[tuple[tuple[str, ScheduleRule], ...]] = (
    ("stepwise", stepwise),
    ("cannot_improve", cannot_improve),
    ("patience", patience),
    ("exponential", exponential),
    ("cuts_beyond", cuts_beyond),
    ("t_max_long", t_max_long),
    ("t_max_short", t_max_short),
)
"""The most urgent first: what spoils a run before what is only odd."""


def _left(gamma: float, cuts: int) -> float:
    """The share of the rate that is left after ``cuts`` cuts; infinite where it grows out of all bounds."""
    try:
        return gamma**cuts
    except OverflowError:
        return math.inf


def _offer(
    spec: ScheduleSpec, field: str, value: float | tuple[int, ...], possible: bool = True
) -> tuple[ScheduleSpec | None, Text | None]:
    """``spec`` with another ``field``, and the words for it; nothing where no value helps."""
    if not possible:
        return None, None
    shown = ", ".join(map(str, value)) if isinstance(value, tuple) else number(value)
    return spec.model_copy(update={field: value}), Text("Set {field} to {value}", field=field, value=shown)
