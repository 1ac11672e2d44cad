"""Estimates the time that is left of a run. Qt-free."""

from __future__ import annotations

from collections import deque

from engine.messages.events import EpochEvent, StepsEvent


class Pace:
    """Estimates the time left from the last few epochs, or from the newest batches before the first epoch ends."""

    def __init__(self) -> None:
        self._epochs: deque[float] = deque(maxlen=3)
        self._batch_seconds: float | None = None

    def clear(self) -> None:
        """Forget everything, for another run."""
        self._epochs.clear()
        self._batch_seconds = None

    def steps(self, event: StepsEvent, batch_size: int) -> None:
        """Take in a report of batches."""
        if event.images_per_second > 0:
            self._batch_seconds = batch_size / event.images_per_second

    def epoch(self, event: EpochEvent) -> None:
        """Take in an epoch that ended."""
        self._epochs.append(event.seconds)

    def left(self, epochs_done: float, epochs: int, batches_per_epoch: int) -> float | None:
        """Seconds left when ``epochs_done`` of ``epochs`` are completed, fractions included; None if not known."""
        ahead = max(0.0, epochs - epochs_done)
        if self._epochs:
            return ahead * sum(self._epochs) / len(self._epochs)
        if self._batch_seconds is not None:
            return ahead * batches_per_epoch * self._batch_seconds
        return None
