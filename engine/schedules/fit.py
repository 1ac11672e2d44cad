"""A schedule that was made for another length, stretched or pressed so that its rest fills what is left of the run."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final, Literal, NamedTuple

from engine.schedules.base import ScheduleSpec
from engine.schedules.composed import SequentialLR
from engine.schedules.custom import WrittenSpec
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

_MOST: Final = 10_000_000


class Fitted(NamedTuple):
    """A schedule of the same kind, and where it starts: here, or as if from epoch 1."""

    schedule: ScheduleSpec
    start: Literal["here", "replay"]


class _Rest(NamedTuple):
    """Positions of a plan: ``passed`` before it is taken over, and left after that, as planned and by the run."""

    passed: int
    planned: int
    left: int

    def count(self, positions: float) -> int:
        """What becomes of a count of ``positions`` of the rest."""
        return min(max(1, round(positions * self.left / self.planned)), _MOST)


def fitted(schedule: ScheduleSpec, span: int, passed: int, more: int) -> Fitted | None:
    """The schedule of the same kind that fills the run again, or None where its length does not matter or is past.

    Args:
        schedule: the plan of one group.
        span: the positions (epochs, or batches) that it was made for.
        passed: of those, the ones that are over when the new one begins.
        more: by how many positions the run is longer now; below 0 where it is shorter.
    """
    rest = _Rest(passed, span - passed, span - passed + more)
    if more == 0 or rest.planned < 1 or rest.left < 1:
        return None
    if isinstance(schedule, (OneCycleLR, SequentialLR, WrittenSpec)):
        whole = _whole(schedule, span, more)
        return None if whole is None else Fitted(whole, "replay")
    change = _CHANGES.get(type(schedule))
    changes = change(schedule, rest) if change is not None else {}
    return Fitted(schedule.model_copy(update=changes), "here") if changes else None


def _whole(schedule: ScheduleSpec, span: int, more: int) -> ScheduleSpec | None:
    """Of schedules that must be seen from their beginning: the same for a run that is ``more`` longer."""
    if isinstance(schedule, OneCycleLR):  # which takes its length from the run
        return schedule
    if isinstance(schedule, WrittenSpec):
        return schedule if any(re.search(r"\bepochs\b", text) for text in schedule.lr_lambda) else None
    assert isinstance(schedule, SequentialLR)
    start = schedule.milestones[-1] if schedule.milestones else 0
    last = schedule.schedulers[-1]
    found = fitted(last, span - start, 0, more)  # a warm-up stays as long as it was: the last stage takes it all
    if found is None:
        return None
    return schedule.model_copy(update={"schedulers": (*schedule.schedulers[:-1], found.schedule)})


def _step(schedule: StepLR, rest: _Rest) -> dict[str, Any]:
    return {"step_size": rest.count(schedule.step_size)}


def _multi_step(schedule: MultiStepLR, rest: _Rest) -> dict[str, Any]:
    ahead = [rest.count(m - rest.passed) for m in schedule.milestones if m > rest.passed]
    return {"milestones": tuple(ahead)} if ahead else {}


def _to_the_end(field: str) -> Callable[[Any, _Rest], dict[str, Any]]:
    def changes(schedule: Any, rest: _Rest) -> dict[str, Any]:
        ahead = getattr(schedule, field) - rest.passed
        return {field: rest.count(ahead)} if ahead > 0 else {}

    return changes


def _linear(schedule: LinearLR, rest: _Rest) -> dict[str, Any]:
    """The line goes on down from the rate in force; a warm-up is no matter of the run's length."""
    start, end, total = schedule.start_factor, schedule.end_factor, schedule.total_iters
    if end >= start or total <= rest.passed:
        return {}
    changes: dict[str, Any] = {"total_iters": rest.count(total - rest.passed)}
    if rest.passed:  # the new line begins where the old one is now
        changes |= {"start_factor": 1.0, "end_factor": end / (start + (end - start) * rest.passed / total)}
    return changes


def _exponential(schedule: ExponentialLR, rest: _Rest) -> dict[str, Any]:
    """The same rate at the end."""
    return {"gamma": min(max(float(f"{schedule.gamma ** (rest.planned / rest.left):.6g}"), 1e-6), 10.0)}


def _drawn(schedule: Drawn, rest: _Rest) -> dict[str, Any]:
    # points count epochs, whatever the interval: their share of what is left is the same
    ahead = [(x, lr) for x, lr in schedule.points if x > rest.passed]
    if not ahead or schedule.interval != "epoch":
        return {}
    moved = ((round((x - rest.passed) * rest.left / rest.planned, 6), lr) for x, lr in ahead)
    return {"points": ((0.0, schedule.lr_at(rest.passed)), *moved)}


def _restarts(schedule: CosineAnnealingWarmRestarts, rest: _Rest) -> dict[str, Any]:
    return {"T_0": rest.count(schedule.T_0)}


_CHANGES: Final[dict[type[ScheduleSpec], Callable[[Any, _Rest], dict[str, Any]]]] = {
    StepLR: _step,
    MultiStepLR: _multi_step,
    LinearLR: _linear,
    ExponentialLR: _exponential,
    PolynomialLR: _to_the_end("total_iters"),
    CosineAnnealingLR: _to_the_end("T_max"),
    CosineAnnealingWarmRestarts: _restarts,
    Drawn: _drawn,
}
