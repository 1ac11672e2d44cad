"""What a schedule is edited for: the run, and where in it the schedule would begin."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from engine.schedules import ScheduleSpec
from engine.schedules.base import Interval
from gui.schedule.suggested import suggested


@dataclass(frozen=True, kw_only=True)
class Context:
    """What a schedule is edited for.

    Args:
        span: the epochs that a new one would last; with ``interval``, its positions.
        lr: the LR that it would begin beside.
        done: the epochs that the run has behind it where the schedule's own count begins; None: both count alike.
        groups: the names of the parameter groups that it is for, in order.
        batches: how many make an epoch; None where that is not known yet.
        interval: of a stage, what the whole is stepped by.
        followed: of a stage, whether another takes over at its end.
    """

    span: int = 30
    lr: float = 0.01
    done: int | None = None
    groups: tuple[str, ...] = ("all",)
    batches: int | None = None
    interval: Interval | None = None
    followed: bool = False

    def positions(self, interval: str) -> int:
        """How many positions a schedule stepped once per ``interval`` would have."""
        return self.span if self.interval else self.span * self.per_epoch(interval)

    def values(self, kind: type[ScheduleSpec], interval: str) -> dict[str, Any]:
        """Values for fields of ``kind`` that fit."""
        return suggested(kind, self.positions(interval), self.lr, self.followed, self.per_epoch(interval))

    def refit(self, spec: ScheduleSpec, before: Context) -> ScheduleSpec:
        """``spec``, which was made for ``before``, with the values that suited that suiting this."""
        old, new = before.values(type(spec), spec.interval), self.values(type(spec), spec.interval)
        changes = {f: v for f, v in new.items() if v != old[f] and getattr(spec, f) == old[f]}
        return spec.model_copy(update=changes) if changes else spec

    def per_epoch(self, interval: str) -> int:
        """How many positions of a schedule stepped once per ``interval`` make an epoch."""
        return 1 if interval == "epoch" else self.batches or 1
