"""The effect of a change: validation before it and since."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from engine.common.position import Position
from engine.messages.events import EpochEvent


@dataclass(frozen=True)
class Effect:
    """Validation metrics before and after a change.

    Attributes:
        loss: the validation loss before and after.
        accuracy: the validation accuracy before and after, 0 to 1.
        epochs: the number of epochs in between.
        complete: whether they end at the next change, so that the effect is final.
    """

    loss: tuple[float, float]
    accuracy: tuple[float, float]
    epochs: int
    complete: bool


def effect(history: Sequence[EpochEvent], since: Position, until: Position | None = None) -> Effect | None:
    """The effect of the change at ``since`` up to ``until``.

    The last epoch before the change is compared with the last one before ``until``. For a change within an epoch, that
    epoch counts as its first.

    Args:
        history: the completed epochs, in order.
        since: the position of the change.
        until: that of the next change, not before ``since``; None for the latest epoch.

    Returns:
        The effect; None if no epoch ended before the change, none since, or a loss is not finite.
    """
    if not history:
        return None
    first = history[0].epoch
    last = history[-1].epoch if until is None else min(history[-1].epoch, until.epoch - 1)
    before = since.epoch - 1
    if before < first or last <= before:
        return None
    old, new = history[before - first], history[last - first]
    if not math.isfinite(old.val_loss) or not math.isfinite(new.val_loss):
        return None
    return Effect((old.val_loss, new.val_loss), (old.val_accuracy, new.val_accuracy), last - before, until is not None)
