"""Acts of the hand on the learning rate, as the trainer, the preview and ``main.py lr`` all carry them out."""

from __future__ import annotations

from collections.abc import Sequence

from engine.commands import ReleaseLR, ScaleLR, SetLR, SetSchedule
from engine.rate import RateControl
from engine.words import Words

RateAct = SetLR | ScaleLR | ReleaseLR | SetSchedule


def act_on_rate(rate: RateControl, act: RateAct, history: Sequence[dict[str, float]]) -> Words | None:
    """Carry out ``act`` on ``rate``; returns a warning for the person, or None.

    Args:
        rate: changed in place, or left alone where the act is refused.
        act: what the hand does.
        history: the metrics of the epochs so far, for a schedule "as if from epoch 1".

    Raises:
        Rejected: the act cannot be carried out; says why.
    """
    match act:
        case SetLR():
            return rate.set_lr(act.lr, act.then, act.group)
        case ScaleLR():
            return rate.scale_lr(act.factor, act.then, act.group)
        case ReleaseLR():
            rate.release_lr(act.group)
            return None
        case SetSchedule():
            rate.swap(act.schedule, act.lr, act.group, history if act.start == "replay" else None)
            return next(iter(act.schedule.warnings()), None)
