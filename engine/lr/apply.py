"""Interventions on the learning rate, as the trainer, the preview and ``main.py lr`` all carry them out."""

from __future__ import annotations

from collections.abc import Sequence

from engine.common.text import Text
from engine.lr.control import LRControl
from engine.messages.commands import ReleaseLR, ScaleLR, SetLR, SetSchedule

LRIntervention = SetLR | ScaleLR | ReleaseLR | SetSchedule


def apply_to_lr(lr: LRControl, intervention: LRIntervention, history: Sequence[dict[str, float]]) -> Text | None:
    """Carry out ``act`` on ``rate``; returns a warning for the person, or None.

    Args:
        rate: changed in place, or left alone where the act is refused.
        act: what the hand does.
        history: the metrics of the epochs so far, for a schedule "as if from epoch 1".

    Raises:
        Rejected: the act cannot be carried out; says why.
    """
    match intervention:
        case SetLR():
            return lr.set_lr(intervention.lr, intervention.then, intervention.group)
        case ScaleLR():
            return lr.scale_lr(intervention.factor, intervention.then, intervention.group)
        case ReleaseLR():
            lr.release_lr(intervention.group)
            return None
        case SetSchedule():
            lr.swap(
                intervention.schedule,
                intervention.lr,
                intervention.group,
                history if intervention.start == "replay" else None,
            )
            return next(iter(intervention.schedule.warnings()), None)
