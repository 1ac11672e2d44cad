"""What is published of each group's schedule. Its cost does not grow with the length of the run."""

from __future__ import annotations

import math

from engine.common.position import Position
from engine.lr.control import LRControl
from engine.lr.group import GroupLR
from engine.messages.schedule_view import NextChange, ScheduleView


def schedule_views(control: LRControl, position: Position) -> tuple[ScheduleView, ...]:
    """A view of each group's schedule, in order, in a run that is at ``position``."""
    return tuple(_view(control, group, position) for group in control.groups)


def _view(control: LRControl, group: GroupLR, position: Position) -> ScheduleView:
    scheduled = group.scheduled
    return ScheduleView(
        spec=scheduled.spec,
        base=scheduled.base,
        began=_epochs_completed(control, group, position, 0),
        position=scheduled.position,
        span=scheduled.span,
        epochs=scheduled.length.epochs,
        ended=scheduled.ended,
        next_change=_next_change(control, group, position),
        plateau=scheduled.plateau(),
        course=_course(control, group),
    )


def _epochs_completed(control: LRControl, group: GroupLR, position: Position, schedule_position: int) -> float:
    """Where ``schedule_position`` lies in a run that is at ``position``, in epochs completed."""
    ahead = schedule_position - group.scheduled.position
    if group.scheduled.spec.interval == "epoch":
        return float(position.epoch - 1 + ahead)
    epochs, batch = divmod(position.batch + ahead, control.length.steps_per_epoch)
    return position.epoch - 1 + epochs + batch / control.length.steps_per_epoch


def _next_change(control: LRControl, group: GroupLR, position: Position) -> NextChange | None:
    scheduled = group.scheduled
    if group.hold is not None or scheduled.ended is not None:
        return None
    change = scheduled.spec.next_change(scheduled.position, scheduled.value)
    if change is None or change.lr == scheduled.value or not math.isfinite(change.lr):
        return None
    x = _epochs_completed(control, group, position, change.position)
    return NextChange(x=x, lr=group.following(change.lr), reason=change.reason) if x < control.length.epochs else None


def _course(control: LRControl, group: GroupLR) -> str:
    """A key of all that decides the rest of the curve, but for the run's position.

    The schedule's position is counted from the run's, so an equal schedule that began elsewhere has another key. The
    position does not matter where a metric drives the schedule, or it has ended: then the curve is level.
    """
    scheduled, length = group.scheduled, control.length
    done = control.epochs_done if scheduled.spec.interval == "epoch" else control.steps_done
    counts = scheduled.monitor is None and scheduled.ended is None
    made = (scheduled.spec_json, scheduled.base, scheduled.length, scheduled.span, scheduled.ended)
    changed = (group.hold, group.set_to, group.scheduled_then)
    return repr((length, made, scheduled.position - done if counts else None, changed))
