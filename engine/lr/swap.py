"""A new schedule in mid-run: the LR that it starts from, and how it is run forward to now."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from engine.common.errors import Cancelled, Rejected
from engine.common.progress import IsCancelled
from engine.common.text import Text
from engine.lr.scheduled import ScheduledLR
from engine.schedules import ScheduleSpec
from engine.schedules.composed import metric_driven

_SLICE: Final = 10_000
"""Positions between two questions whether to go on."""


def bases_for(schedule: ScheduleSpec, given: float | Sequence[float] | None, otherwise: list[float]) -> list[float]:
    """The LR that ``schedule`` starts from in each chosen group: the one ``given``, or else ``otherwise``.

    Raises:
        Rejected: the schedule brings its own level and a base is given; the counts do not fit; or a base is 0.
    """
    if schedule.ignores_base_lr():
        if given is not None:
            raise Rejected(
                Text(
                    "{schedule} sets its own starting LR, so lr cannot be given; set its own fields and leave lr out",
                    schedule=schedule.model_dump()["name"],
                )
            )
        return otherwise
    if given is None:
        bases = otherwise
    elif isinstance(given, (int, float)):
        bases = [float(given)] * len(otherwise)
    else:
        bases = [float(value) for value in given]
    if len(bases) != len(otherwise):
        raise Rejected(Text("lr lists {given} values for {wanted} group(s)", given=len(bases), wanted=len(otherwise)))
    if 0 in bases:
        raise Rejected(Text("a schedule that starts from an LR of 0 stays at 0; give the LR to start from"))
    return bases


def replay(
    scheduled: ScheduledLR,
    epochs: int,
    steps: int,
    metrics: Sequence[dict[str, float]],
    cancelled: IsCancelled,
) -> None:
    """Step a new ``scheduled`` to now: by ``epochs`` with their ``metrics``, or by ``steps``.

    Raises:
        Cancelled: ``cancelled`` returned true.
    """
    if metric_driven(scheduled.spec) is not None:
        for epoch in range(epochs):
            scheduled.step(metrics[epoch] if epoch < len(metrics) else None)
        return
    total = steps if scheduled.spec.interval == "step" else epochs
    for done in range(0, total, _SLICE):
        if cancelled():
            raise Cancelled
        scheduled.advance(min(_SLICE, total - done))
