"""The epochs that a run has completed, as the rules read them: in columns, however many there are."""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from typing import get_args

import numpy as np

from engine.messages.events import EpochEvent
from engine.schedules.adaptive import Monitor


class History:
    """Completed epochs, in order; grows by ``append``. Its length is their number."""

    def __init__(self, epochs: Iterable[EpochEvent] = ()) -> None:
        self.highest = 0.0
        """The highest rate of any group so far."""
        self._numbers, self._leads = array("q"), array("d")
        self._metrics = {name: array("d") for name in get_args(Monitor)}
        for event in epochs:
            self.append(event)

    def append(self, event: EpochEvent) -> None:
        """Add the next epoch."""
        self.highest = max(self.highest, max(event.lr_max, default=0.0))
        self._numbers.append(event.epoch)
        self._leads.append(max(event.lr, default=0.0))
        for name, value in event.metrics().items():
            self._metrics[name].append(value)

    def __len__(self) -> int:
        return len(self._numbers)

    def number(self, index: int) -> int:
        """The number, from 1, of the epoch at ``index``."""
        return self._numbers[index]

    def metric(self, name: str) -> np.ndarray:
        """A metric of each epoch [epochs], as it stands now. Raises KeyError: no schedule can monitor ``name``."""
        return np.array(self._metrics[name])

    def leads(self) -> np.ndarray:
        """The fastest group's rate at the first batch of each epoch [epochs], as it stands now."""
        return np.array(self._leads)
