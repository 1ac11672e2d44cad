"""What of a batch may reach the weights: a loss that is a number, and not one that has exploded."""

from __future__ import annotations

import math
import re
from typing import Final

from torch import Tensor

from engine.common.text import Text
from engine.recipe.recipe import GuardSpec

_LARGEST: Final = 3.4028234663852886e38  # the largest float32 there is: what no number passes


class Guard:
    """The rule of a run: it judges losses, on the device and in words."""

    def __init__(self, spec: GuardSpec) -> None:
        self.limit = spec.loss_limit

    def passes(self, loss: Tensor) -> Tensor:
        """Whether the batch with this loss (0-dimensional, float32) may be learned from; decided on its device.

        No synchronisation: the answer (0-dimensional, bool) stays where the loss is.
        """
        return loss <= (_LARGEST if self.limit is None else self.limit)  # which neither NaN nor infinity is

    def objects_to(self, loss: float) -> bool:
        """Whether ``loss`` is one that does not pass."""
        return not (math.isfinite(loss) and (self.limit is None or loss <= self.limit))

    def batch_words(self, loss: float, epoch: int, batch: int) -> Text:
        """Why the batch was not learned from."""
        if not self.objects_to(loss):
            return Text(
                "the gradients were too large for float16 in epoch {epoch}, batch {batch}, unscaled as they are; that "
                "update was not made",
                epoch=epoch,
                batch=batch,
            )
        if not math.isfinite(loss) or self.limit is None:
            return Text(
                "the loss was not finite in epoch {epoch}, batch {batch}; that update was not made",
                epoch=epoch,
                batch=batch,
            )
        return Text(
            "the loss was {loss} in epoch {epoch}, batch {batch}, above the limit of {limit}; that update was not made",
            loss=short(loss),
            epoch=epoch,
            batch=batch,
            limit=short(self.limit),
        )

    def epoch_words(self, train_loss: float, val_loss: float, epoch: int) -> Text | None:
        """What is wrong with an epoch's losses; None where nothing is."""
        if not (math.isfinite(train_loss) and math.isfinite(val_loss)):
            return Text("the loss of epoch {epoch} is not finite", epoch=epoch)
        if self.limit is None or not self.objects_to(val_loss):
            return None
        return Text(
            "the validation loss of epoch {epoch} is {loss}, above the limit of {limit}",
            loss=short(val_loss),
            epoch=epoch,
            limit=short(self.limit),
        )


def short(value: float) -> str:
    """A loss or a limit as a person writes it: 1000, 1234.5, 1.2e14."""
    text = f"{value:.3g}" if value >= 1e6 else f"{value:.6g}"
    return re.sub(r"e\+0*", "e", text)
