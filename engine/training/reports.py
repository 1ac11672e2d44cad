"""Reports on batches, several times a second."""

from __future__ import annotations

import time

import numpy as np

from engine.common.position import Position
from engine.messages.events import StepsEvent

REPORT_SECONDS = 0.1


class StepReports:
    """Collects losses and LRs of batches until it is time to report them."""

    def __init__(self) -> None:
        self._losses: list[float] = []
        self._passed: list[bool] = []
        self._lrs: list[list[float]] = []
        self._first: Position | None = None
        self._images = 0
        self._seconds = 0.0
        self._last = time.monotonic()

    def add(self, at: Position, loss: float, passed: bool, lrs: list[float], images: int, seconds: float) -> None:
        """Add the batch that was trained ``at`` a position, with one LR per group, in ``seconds``."""
        if self._first is None:
            self._first = at
        self._losses.append(loss)
        self._passed.append(passed)
        self._lrs.append(lrs)
        self._images += images
        self._seconds += seconds

    @property
    def is_time(self) -> bool:
        """Whether the next report is due."""
        return time.monotonic() - self._last >= REPORT_SECONDS

    def take(self) -> StepsEvent | None:
        """The event for all batches since the last one; None where there are none."""
        self._last = time.monotonic()
        if self._first is None:
            return None
        passed = np.array(self._passed)
        event = StepsEvent(
            epoch=self._first.epoch,
            batch=self._first.batch,
            loss=np.where(passed, np.array(self._losses, dtype=np.float32), np.float32("nan")),
            lr=np.array(self._lrs, dtype=np.float64),
            images_per_second=self._images / self._seconds if self._seconds else 0.0,
            skipped=int((~passed).sum()),
        )
        self._losses, self._passed, self._lrs, self._first = [], [], [], None
        self._images, self._seconds = 0, 0.0
        return event
