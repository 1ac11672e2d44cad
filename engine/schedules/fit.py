"""Fit a schedule to a run whose length has changed, so that both end together again."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final, Literal, NamedTuple

from engine.schedules.base import ScheduleSpec
from engine.schedules.composed import SequentialLR
from engine.schedules.custom import ExpressionSpec
from engine.schedules.cyclic import CosineAnnealingWarmRestarts, OneCycleLR
from engine.schedules.drawn import Drawn
from engine.schedules.ordered import (
    CosineAnnealingLR,
    ExponentialLR,
    LinearLR,
    MultiStepLR,
    PolynomialLR,
    StepLR,
)

_MAX_COUNT: Final = 10_000_000


class FittedSchedule(NamedTuple):
    """A schedule of the same kind, and where it starts: here, or as if from epoch 1 (``replay``)."""

    schedule: ScheduleSpec
    start: Literal["here", "replay"]


class _Remaining(NamedTuple):
    """The positions of a schedule: ``done`` so far, and those that remain, ``planned`` before and ``now``."""

    done: int
    planned: int
    now: int

    def scale(self, positions: float) -> int:
        """A count of ``positions`` of the planned rest, in proportion to the rest that there is now."""
        return min(max(1, round(positions * self.now / self.planned)), _MAX_COUNT)


def fit_schedule(schedule: ScheduleSpec, span: int, done: int, added: int) -> FittedSchedule | None:
    """Fit the rest of ``schedule`` to the rest of the run.

    Args:
        schedule: the schedule of one group.
        span: positions (epochs or batches) that the schedule was made for.
        done: how many of them are over when the new schedule starts.
        added: how many positions longer the run is now; negative if it is shorter.

    Returns:
        The new schedule, or None if the schedule does not depend on the length of the run or is already at its end.
    """
    remaining = _Remaining(done, span - done, span - done + added)
    if added == 0 or remaining.planned < 1 or remaining.now < 1:
        return None
    if isinstance(schedule, (OneCycleLR, SequentialLR, ExpressionSpec)):
        whole = _refit_whole(schedule, span, added)
        return None if whole is None else FittedSchedule(whole, "replay")
    refit = _REFIT.get(type(schedule))
    changes = refit(schedule, remaining) if refit is not None else {}
    return FittedSchedule(schedule.model_copy(update=changes), "here") if changes else None


def _refit_whole(schedule: ScheduleSpec, span: int, added: int) -> ScheduleSpec | None:
    """Fit a schedule that has to be run from its beginning to a run that is ``added`` positions longer."""
    if isinstance(schedule, OneCycleLR):
        return schedule.model_copy(update=dict.fromkeys(("total_steps", "epochs", "steps_per_epoch")))
    if isinstance(schedule, ExpressionSpec):
        return schedule if any(re.search(r"\bepochs\b", text) for text in schedule.lr_lambda) else None
    assert isinstance(schedule, SequentialLR)
    start = schedule.milestones[-1] if schedule.milestones else 0
    last = schedule.schedulers[-1]
    fitted = fit_schedule(last, span - start, 0, added)  # a warm-up keeps its length: only the last stage changes
    if fitted is None:
        return None
    return schedule.model_copy(update={"schedulers": (*schedule.schedulers[:-1], fitted.schedule)})


def _step(schedule: StepLR, remaining: _Remaining) -> dict[str, Any]:
    return {"step_size": remaining.scale(schedule.step_size)}


def _multi_step(schedule: MultiStepLR, remaining: _Remaining) -> dict[str, Any]:
    ahead = [remaining.scale(m - remaining.done) for m in schedule.milestones if m > remaining.done]
    return {"milestones": tuple(ahead)} if ahead else {}


def _scale_end(field: str) -> Callable[[Any, _Remaining], dict[str, Any]]:
    """For schedules that end after as many positions as ``field`` says."""

    def refit(schedule: Any, remaining: _Remaining) -> dict[str, Any]:
        ahead = getattr(schedule, field) - remaining.done
        return {field: remaining.scale(ahead)} if ahead > 0 else {}

    return refit


def _linear(schedule: LinearLR, remaining: _Remaining) -> dict[str, Any]:
    """A decay continues from the current LR to the same end. A warm-up does not depend on the length of the run."""
    start, end, total = schedule.start_factor, schedule.end_factor, schedule.total_iters
    if end >= start or total <= remaining.done:
        return {}
    changes: dict[str, Any] = {"total_iters": remaining.scale(total - remaining.done)}
    if remaining.done:  # the new line starts at the current LR
        changes |= {"start_factor": 1.0, "end_factor": end / (start + (end - start) * remaining.done / total)}
    return changes


def _exponential(schedule: ExponentialLR, remaining: _Remaining) -> dict[str, Any]:
    """The LR at the end of the run stays the same."""
    gamma = float(f"{schedule.gamma ** (remaining.planned / remaining.now):.6g}")
    return {"gamma": min(max(gamma, 1e-6), 10.0)}


def _drawn(schedule: Drawn, remaining: _Remaining) -> dict[str, Any]:
    # points count epochs, also where the other counts are batches
    ahead = [(x, lr) for x, lr in schedule.points if x > remaining.done]
    if not ahead or schedule.interval != "epoch":
        return {}
    scaled = ((round((x - remaining.done) * remaining.now / remaining.planned, 6), lr) for x, lr in ahead)
    return {"points": ((0.0, schedule.lr_at(remaining.done)), *scaled)}


def _restarts(schedule: CosineAnnealingWarmRestarts, remaining: _Remaining) -> dict[str, Any]:
    return {"T_0": remaining.scale(schedule.T_0)}


_REFIT: Final[dict[type[ScheduleSpec], Callable[[Any, _Remaining], dict[str, Any]]]] = {
    StepLR: _step,
    MultiStepLR: _multi_step,
    LinearLR: _linear,
    ExponentialLR: _exponential,
    PolynomialLR: _scale_end("total_iters"),
    CosineAnnealingLR: _scale_end("T_max"),
    CosineAnnealingWarmRestarts: _restarts,
    Drawn: _drawn,
}
