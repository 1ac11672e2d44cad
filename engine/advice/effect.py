"""What a change brought: the metrics from before it beside those after it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from engine.messages.events import EpochEvent

Moment = tuple[int, int]
"""(epoch from 1, batch from 0): before that batch."""


@dataclass(frozen=True)
class Effect:
    """How validation moved in the ``epochs`` whole epochs since a change; ``over``: the next change ended that."""

    val_loss: float
    val_accuracy: float
    epochs: int
    over: bool


def effect(history: Sequence[EpochEvent], since: Moment, until: Moment | None = None) -> Effect | None:
    """What followed the change at ``since``, up to the one at ``until`` or, with None, to the newest epoch.

    The epoch that ended last before the change is compared with the one that ended last before ``until``. (Of a change
    in mid-epoch that epoch counts as its first.) None where there is nothing to compare: no epoch had ended before,
    none has ended since, or a loss is not finite.

    Args:
        history: the epochs that ended, in order.
        since: the moment of the change.
        until: the moment of the next change, not before ``since``.
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
