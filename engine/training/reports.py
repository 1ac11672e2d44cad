"""Reports on batches, several times a second: the device is synchronised only for a report."""

from __future__ import annotations

import time
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from engine.common.position import Position
from engine.messages.events import StepsEvent

REPORT_SECONDS = 0.1


class Masked(NamedTuple):
    """A batch that the guard masked: its offset from the first one of the report, and its loss."""

    offset: int
    loss: float


class Report(NamedTuple):
    """The event for some batches, and the first of them that was masked, if one was."""

    event: StepsEvent
    masked: Masked | None


class StepReports:
    """Collects losses (on the device) and LRs of batches until it is time to report them."""

    def __init__(self) -> None:
        self._losses: list[Tensor] = []
        self._passed: list[Tensor] = []
        self._lrs: list[list[float]] = []
        self._first: Position | None = None
        self._images = 0
        self._seconds = 0.0
        self._last = time.monotonic()

    def add(self, at: Position, loss: Tensor, passed: Tensor, lrs: list[float], images: int, seconds: float) -> None:
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

    def take(self) -> Report | None:
        """The report of all batches since the last one, which synchronises the device; None where there are none."""
        self._last = time.monotonic()
        if self._first is None:
            return None
        losses = torch.stack(self._losses).float().cpu().numpy()
        passed = torch.stack(self._passed).cpu().numpy()
        event = StepsEvent(
            epoch=self._first.epoch,
            batch=self._first.batch,
            loss=np.where(passed, losses, np.float32("nan")),
            lr=np.array(self._lrs, dtype=np.float64),
            images_per_second=self._images / self._seconds if self._seconds else 0.0,
            skipped=int((~passed).sum()),
        )
        self._losses, self._passed, self._lrs, self._first = [], [], [], None
        self._images, self._seconds = 0, 0.0
        return Report(event, None if passed.all() else Masked(int(passed.argmin()), float(losses[passed.argmin()])))
