"""What may stand where in a composed schedule, and why the rest may not: PyTorch's rules, in words."""

from __future__ import annotations

from collections.abc import Sequence

from engine.schedules import ChainedScheduler, ComposedSpec, ReduceLROnPlateau, ScheduleSpec, SequentialLR
from gui.core.translation import tr


def refused(whole: type[ComposedSpec], index: int) -> dict[type[ScheduleSpec], str]:
    """The schedules that cannot be stage ``index`` (from 0) of a ``whole``, and why."""
    found: dict[type[ScheduleSpec], str] = {
        ReduceLROnPlateau: tr("Not within another schedule: PyTorch gives it no metric there.")
    }
    if index and whole is SequentialLR:
        late = tr("Within a SequentialLR it can only come first: PyTorch cannot begin it later.")
        found |= {SequentialLR: late, ChainedScheduler: late}
    return found


def why_not(whole: type[ComposedSpec], kinds: Sequence[type[ScheduleSpec]], index: int) -> dict[str, str]:
    """Why stage ``index`` of a ``whole`` of these ``kinds`` cannot go ``earlier``, ``later``, or cannot ``remove``."""
    found: dict[str, str] = {}
    fixed = whole is SequentialLR and issubclass(kinds[0], ComposedSpec)
    late = tr("A schedule made of others can only come first in a SequentialLR: PyTorch cannot begin it later.")
    if len(kinds) == 1:
        found["remove"] = tr("One stage must stay.")
    if index == 0:
        found["earlier"] = tr("It is the first.")
    elif index == 1 and fixed:
        found["earlier"] = late
    if index == len(kinds) - 1:
        found["later"] = tr("It is the last.")
    elif index == 0 and fixed:
        found["later"] = late
    return found
