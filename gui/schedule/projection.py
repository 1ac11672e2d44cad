"""What is left of a projected curve when the run has moved on: the same curve, and nothing to compute. Qt-free."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from engine.messages.events import LREvent
from engine.messages.preview import Curve

Course = tuple[str, ...]


def course_of(lrs: LREvent) -> Course:
    """What decides the rest of the curve of all groups: equal until somebody intervenes."""
    return tuple(schedule.course for schedule in lrs.schedules)


def rest_of(curve: Curve, lrs: LREvent) -> Curve | None:
    """``curve`` from where the run stands on; None where it does not hold there the rates in force."""
    here = lrs.epoch - 1 + lrs.batch / curve.steps_per_epoch
    place = int(np.searchsorted(curve.x, here + 1e-9, side="right")) - 1
    if place < 0 or curve.lr[place].tolist() != lrs.lr:
        return None
    x, lr = curve.x[place:], curve.lr[place:]
    if x[0] != here:
        x = np.concatenate([[here], x[1:]])
    return replace(curve, x=x, lr=lr)
