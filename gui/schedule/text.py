"""A schedule in words: its course in the run, and why parts of the editor are not available."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from engine.messages.commands import Command, ScaleLR, SetLR
from engine.messages.events import LREvent
from engine.messages.preview import Curve
from engine.schedules import CyclicLR, Drawn, OneCycleLR, ScheduleSpec
from engine.schedules.composed import metric_driven
from gui.core.lr_text import lr_text
from gui.core.translation import tr


def _lrs_text(lrs: Sequence[float]) -> str:
    return ", ".join(lr_text(float(lr), 4) for lr in lrs)


def ends_text(curve: Curve) -> str:
    """The first and the last LR of the curve."""
    if not curve.x.size:
        return ""
    first, last = int(curve.x[0]) + 1, max(1, round(float(curve.x[-1])))
    return tr(
        "Epoch {first}: {begin}. Epoch {last}: {end}.",
        first=first,
        begin=_lrs_text(curve.lr[0]),
        last=last,
        end=_lrs_text(curve.lr[-1]),
    )


def schedule_text(lrs: LREvent, curve: Curve) -> str:
    """The current schedule in a line: its name (or each group's, if they differ), and how the LR changes next.

    Args:
        lrs: the current LRs.
        curve: the projected LR.
    """
    names = {group: schedule.name for group, schedule in zip(lrs.groups, lrs.schedules, strict=True)}
    alike = len(set(names.values())) == 1
    name = next(iter(names.values())) if alike else ", ".join(f"{group} {kind}" for group, kind in names.items())
    if all(lrs.holding):
        return tr("Held. Return to schedule continues with {name}.", name=name)
    cut = next_cut(lrs) if alike else None
    if cut is not None:
        return tr("Schedule: {name}. {what}.", name=name, what=cut[:1].upper() + cut[1:])
    changes = [schedule.next_change for schedule in lrs.schedules]
    if len(changes) == 1 and changes[0] is not None:
        change = changes[0]
        return tr(
            "Schedule: {name}, {lr} from epoch {epoch}", name=name, lr=lr_text(change.lr, 4), epoch=int(change.x) + 1
        )
    if not len(curve.x):
        return tr("Schedule: {name}", name=name)
    changed = (curve.lr != curve.lr[0]).any(axis=1)
    if not changed.any():
        return tr("Schedule: {name}, constant to the end", name=name)
    epoch = math.ceil(curve.x[int(changed.argmax())])  # at the start of an epoch, also if the LR changes each batch
    if epoch >= curve.x[-1]:
        return tr("Schedule: {name}, {lr} at the end", name=name, lr=_lrs_text(curve.lr[-1]))
    lr = curve.lr[int(np.searchsorted(curve.x, epoch, side="right")) - 1]
    return tr("Schedule: {name}, {lr} from epoch {epoch}", name=name, lr=_lrs_text(lr), epoch=epoch + 1)


def next_cut(lrs: LREvent, group: int = 0) -> str | None:
    """When ReduceLROnPlateau cuts the LR of ``group`` next; None if no metric decides that now."""
    spec, plateau = metric_driven(lrs.schedules[group].spec), lrs.schedules[group].plateau
    if plateau is None or spec is None or lrs.holding[group]:
        return None
    if plateau.at_floor:
        return tr("at its floor: no further cut")
    if plateau.limit is None:
        return tr(
            "×{factor} after {n} epochs in which {metric} is no better",
            factor=spec.factor,
            n=plateau.epochs_left,
            metric=spec.monitor,
        )
    values = {
        "factor": lr_text(spec.factor, 4),
        "n": plateau.epochs_left,
        "metric": spec.monitor,
        "limit": lr_text(plateau.limit, 4),
        "bad": plateau.bad_epochs,
        "patience": plateau.patience,
    }
    if spec.mode == "min":
        return tr("×{factor} after {n} more epochs with {metric} not below {limit} ({bad} bad of {patience})", **values)
    return tr("×{factor} after {n} more epochs with {metric} not above {limit} ({bad} bad of {patience})", **values)


def floor_text(lrs: LREvent | None, command: Command) -> str | None:
    """The lower limit of the curve if ``command`` scales it; None if it does not, or there is no limit."""
    if lrs is None or not isinstance(command, (SetLR, ScaleLR)) or command.then == "hold":
        return None
    floors = []
    for group, schedule, lr, scheduled in zip(lrs.groups, lrs.schedules, lrs.lr, lrs.scheduled, strict=True):
        floor = getattr(schedule.spec, "eta_min", None) or getattr(schedule.spec, "min_lr", None)
        if command.group not in (None, group) or not floor or not scheduled:
            continue
        new = command.lr if isinstance(command, SetLR) else lr * command.factor
        floors.append(new * floor / scheduled)
    return tr("The floor of the curve becomes {floor}.", floor=_lrs_text(floors)) if floors else None


def run_epochs(field: str, value: int | Sequence[int], done: int) -> str:
    """The epochs of the run that the schedule's count ``value`` means, if the schedule starts after ``done`` epochs."""
    if isinstance(value, int):
        if field == "step_size":
            return tr("first cut after epoch {epoch}", epoch=done + value)
        return tr("{field} {count} = epoch {epoch}", field=field, count=value, epoch=done + value)
    if len(value) == 1:
        return tr("milestone {count} = epoch {epoch}", count=value[0], epoch=done + value[0])
    return tr(
        "milestones {counts} = epochs {epochs}",
        counts=", ".join(map(str, value)),
        epochs=", ".join(str(done + v) for v in value),
    )


def why_no_base(spec: ScheduleSpec | None, gives_lr: bool, from_start: bool) -> str | None:
    """Why no base LR can be given for a pending schedule; None if one can.

    Args:
        spec: the schedule, or None while it is not valid.
        gives_lr: whether its expression gives the LR itself.
        from_start: whether the schedule starts as if from epoch 1.
    """
    if gives_lr:
        return tr("The expression gives the LR itself: the base is 1.")
    if spec is not None and spec.ignores_base_lr():
        return tr("{name} has its own start LR.", name=type(spec).__name__)
    return tr("“As if from epoch 1” starts from the recipe's LR.") if from_start else None


def why_no_warm_up(kind: type[ScheduleSpec], spec: ScheduleSpec | None, gives_lr: bool) -> str | None:
    """Why no warm-up can be put before a schedule of ``kind``; None if one can.

    Args:
        kind: the schedule's class.
        spec: the schedule, or None while it is not valid.
        gives_lr: whether its expression gives the LR itself.
    """
    if kind is OneCycleLR:
        return tr("OneCycleLR begins with its own warm-up.")
    if spec is None:
        return tr("a field above is not valid")
    if isinstance(spec, (CyclicLR, Drawn)):
        if spec.group_count() is not None:
            return tr("Each group begins at its own LR.")
        first = spec.base_lr if isinstance(spec, CyclicLR) else spec.lr_at(0.0)
        return None if first else tr("It begins at an LR of 0.")
    return tr("The expression gives the LR itself, which a warm-up would scale.") if gives_lr else None
