"""The schedule in words: where its curve begins and ends, what it does next, and what a metric would make it do."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from engine.messages.commands import Command, ScaleLR, SetLR
from engine.messages.events import LREvent
from engine.messages.preview import Curve
from engine.schedules import ReduceLROnPlateau
from gui.core.lr_text import lr_text
from gui.core.translation import tr


def _lrs_text(lrs: Sequence[float]) -> str:
    return ", ".join(lr_text(float(lr), 4) for lr in lrs)


def end_words(curve: Curve) -> str:
    """The curve's first rate and its last."""
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


def plan_words(lrs: LREvent, curve: Curve) -> str:
    """The plan in a line: its name (or each group's, where they differ), and what it does next."""
    names = {group: schedule.name for group, schedule in zip(lrs.groups, lrs.schedules, strict=True)}
    alike = len(set(names.values())) == 1
    name = next(iter(names.values())) if alike else ", ".join(f"{group} {kind}" for group, kind in names.items())
    if all(lrs.holding):
        return tr("Held. Return to schedule continues with {name}.", name=name)
    waits = next_cut(lrs) if alike else None
    if waits is not None:
        return tr("Schedule: {name}. {what}.", name=name, what=waits[:1].upper() + waits[1:])
    changes = [schedule.next_change for schedule in lrs.schedules]
    if len(changes) == 1 and changes[0] is not None:
        change = changes[0]
        return tr(
            "Schedule: {name}, {lr} from epoch {epoch}", name=name, lr=lr_text(change.lr, 4), epoch=int(change.x) + 1
        )
    if not len(curve.x):
        return tr("Schedule: {name}", name=name)
    moved = (curve.lr != curve.lr[0]).any(axis=1)
    if not moved.any():
        return tr("Schedule: {name}, constant to the end", name=name)
    epoch = math.ceil(curve.x[int(moved.argmax())])  # a schedule that moves each batch is named at whole epochs
    if epoch >= curve.x[-1]:
        return tr("Schedule: {name}, {lr} at the end", name=name, lr=_lrs_text(curve.lr[-1]))
    lr = curve.lr[int(np.searchsorted(curve.x, epoch, side="right")) - 1]
    return tr("Schedule: {name}, {lr} from epoch {epoch}", name=name, lr=_lrs_text(lr), epoch=epoch + 1)


def next_cut(lrs: LREvent, group: int = 0) -> str | None:
    """What would make a metric-driven plan cut the rate of ``group`` next; None where no metric drives it now."""
    spec, plateau = lrs.schedules[group].spec, lrs.schedules[group].plateau
    if plateau is None or not isinstance(spec, ReduceLROnPlateau) or lrs.holding[group]:
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


def floor_words(lrs: LREvent | None, intervention: Command) -> str | None:
    """Where the floor of the curve would lie after a staged change that keeps the curve's shape, if it has one."""
    if lrs is None or not isinstance(intervention, (SetLR, ScaleLR)) or intervention.then == "hold":
        return None
    floors = []
    for group, schedule, lr, scheduled in zip(lrs.groups, lrs.schedules, lrs.lr, lrs.scheduled, strict=True):
        floor = getattr(schedule.spec, "eta_min", None) or getattr(schedule.spec, "min_lr", None)
        if intervention.group not in (None, group) or not floor or not scheduled:
            continue
        new = intervention.lr if isinstance(intervention, SetLR) else lr * intervention.factor
        floors.append(new * floor / scheduled)
    return tr("The floor of the curve becomes {floor}.", floor=_lrs_text(floors)) if floors else None
