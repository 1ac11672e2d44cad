"""Divergence: which losses are masked, why, and the last position from before them."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from typing import NamedTuple

from engine.common.position import Position
from engine.common.text import Text
from engine.recipe.recipe import GuardSpec


class Guard:
    """Decides which losses are masked, and says why."""

    def __init__(self, spec: GuardSpec) -> None:
        self.limit = spec.loss_limit

    def masks(self, loss: float) -> bool:
        """Whether a batch with this loss may not update the weights."""
        return not (math.isfinite(loss) and (self.limit is None or loss <= self.limit))

    def batch_text(self, loss: float, epoch: int, batch: int) -> Text:
        """Why the update of a batch was masked."""
        if not self.masks(loss):
            return Text(
                "the gradients were too large for float16 in epoch {epoch}, batch {batch}, even unscaled; that update "
                "was skipped",
                epoch=epoch,
                batch=batch,
            )
        if not math.isfinite(loss) or self.limit is None:
            return Text(
                "the loss was not finite in epoch {epoch}, batch {batch}; that update was skipped",
                epoch=epoch,
                batch=batch,
            )
        return Text(
            "the loss was {loss} in epoch {epoch}, batch {batch}, above the limit of {limit}; that update was skipped",
            loss=short(loss),
            epoch=epoch,
            batch=batch,
            limit=short(self.limit),
        )

    def epoch_text(self, train_loss: float, val_loss: float, epoch: int) -> Text | None:
        """Why an epoch's losses are a divergence, or None where they are not."""
        if not (math.isfinite(train_loss) and math.isfinite(val_loss)):
            return Text("the loss of epoch {epoch} is not finite", epoch=epoch)
        if self.limit is None or not self.masks(val_loss):
            return None
        return Text(
            "the validation loss of epoch {epoch} is {loss}, above the limit of {limit}",
            loss=short(val_loss),
            epoch=epoch,
            limit=short(self.limit),
        )


class Divergence(NamedTuple):
    """A loss that the guard masked, and why, as a sentence; weights from before the batch ``at`` are good."""

    at: Position
    text: Text


class DivergenceTracker:
    """Knows where a run began to diverge.

    A divergence right at the position where the last one was noticed is the same one: it began with it.
    """

    def __init__(self) -> None:
        self._began: Position | None = None
        self._noticed: Position | None = None

    def add(self, divergence: Divergence, noticed: Position) -> Position:
        """Add ``divergence``, noticed when the run was at ``noticed``. Returns where it began."""
        if self._began is None or divergence.at != self._noticed:
            self._began = divergence.at
        self._noticed = noticed
        return self._began


def newest_good(positions: Iterable[Position], began: Position) -> Position | None:
    """The newest of ``positions`` whose weights are from before the divergence; None without one.

    Weights from right before the masked batch produced its loss, so they do not count, unless they are an epoch's end:
    that was validated.
    """
    return max((at for at in positions if at < began or (at == began and at.batch == 0)), default=None)


def short(value: float) -> str:
    """A loss or a limit for a person: 1000, 1234.5, 1.2e14."""
    text = f"{value:.3g}" if value >= 1e6 else f"{value:.6g}"
    return re.sub(r"e\+0*", "e", text)
