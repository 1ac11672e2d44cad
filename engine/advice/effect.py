"""The effect of a change: how validation moved since."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from engine.messages.events import EpochEvent

Moment = tuple[int, int]
"""(epoch from 1, batch from 0): before that batch."""


@dataclass(frozen=True)
class Effect:
    """How validation metrics changed.

    Attributes:
        val_loss: difference of the validation loss.
        val_accuracy: difference of the validation accuracy, which is 0 to 1.
        epochs: the number of epochs since the change.
        over: whether the next change ended them.
    """

    val_loss: float
    val_accuracy: float
    epochs: int
    over: bool


def effect(history: Sequence[EpochEvent], since: Moment, until: Moment | None = None) -> Effect | None:
    """The effect of the change at ``since`` up to ``until``.

    The last epoch before the change is compared with the last one before ``until``. For a change within an epoch, that
    epoch counts as its first.

    Args:
        history: the completed epochs, in order.
        since: the position of the change.
        until: the position of the next change, not before ``since``; None for the latest epoch.

    Returns:
        The effect; None if no epoch ended before the change, none since, or a loss is not finite.
    """
    if not history:
        return None
    first = history[0].epoch
    last = history[-1].epoch if until is None else min(history[-1].epoch, until[0] - 1)
    before = since[0] - 1
    if before < first or last <= before:
        return None
    then, now = history[before - first], history[last - first]
    moved = now.val_loss - then.val_loss
    if not math.isfinite(moved):
        return None
    return Effect(moved, now.val_accuracy - then.val_accuracy, last - before, until is not None)
