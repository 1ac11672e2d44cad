"""What the schedule panel says of a plan: where its counts fall in the run, and why it takes no base."""

from __future__ import annotations

from collections.abc import Sequence

from engine.schedules import OneCycleLR, ReduceLROnPlateau, ScheduleSpec
from gui.core.translation import tr


def run_epochs(field: str, value: int | Sequence[int], done: int) -> str:
    """Where a plan's own count ``value`` falls in a run that has ``done`` epochs behind it."""
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
    """Why a pending plan takes no base LR, or None where it does.

    Args:
        spec: the schedule, or None while it is wrong.
        gives_lr: whether its expression gives the LR itself.
        from_start: whether the plan shall run as if from epoch 1.
    """
    if gives_lr:
        return tr("The expression gives the LR itself: the base is 1.")
    if spec is not None and spec.ignores_base_lr():
        return tr("{name} says itself which LR it starts from.", name=type(spec).__name__)
    return tr("As if from epoch 1 means the recipe's LR.") if from_start else None


def why_no_warm_up(kind: type[ScheduleSpec], spec: ScheduleSpec | None, gives_lr: bool) -> str | None:
    """Why no warm-up can be put before a schedule of ``kind``, or None where one can.

    Args:
        kind: the schedule's class.
        spec: the schedule, or None while it is wrong.
        gives_lr: whether its expression gives the LR itself.
    """
    name = kind.__name__
    if kind is ReduceLROnPlateau:
        return tr("Not before {name}: PyTorch gives it no metric within another schedule.", name=name)
    if kind is OneCycleLR:
        return tr("OneCycleLR begins with a warm-up of its own.")
    if spec is None:
        return tr("a field above is not valid")
    if spec.ignores_base_lr():
        return tr("{name} says itself which LR it starts from.", name=name)
    return tr("The expression gives the LR itself: a factor before it would mean another LR.") if gives_lr else None
