"""What is said of the batches, now and then: the device is synchronised only when something is reported."""

from __future__ import annotations

import time

import numpy as np
import torch
from torch import Tensor

from engine.commands import At
from engine.events import StepsEvent

REPORT_SECONDS = 0.1


class StepReports:
    """Collects losses (on the device) and rates of batches until it is time to report them."""

    def __init__(self) -> None:
        self._losses: list[Tensor] = []
        self._finite: list[Tensor] = []
        self._rates: list[list[float]] = []
        self._first: At | None = None
        self._images = 0
        self._seconds = 0.0
        self._last = time.monotonic()

    def add(self, at: At, loss: Tensor, finite: Tensor, rates: list[float], images: int, seconds: float) -> None:
        """One batch was trained, at ``at``, with ``rates``, in ``seconds``."""
        if self._first is None:
            self._first = at
        self._losses.append(loss)
        self._finite.append(finite)
        self._rates.append(rates)
        self._images += images
        self._seconds += seconds

    @property
    def is_time(self) -> bool:
        """Whether the last report is long enough ago."""
        return time.monotonic() - self._last >= REPORT_SECONDS

    def take(self) -> StepsEvent | None:
        """The report of what was added since the last one (synchronises the device), or None."""
        self._last = time.monotonic()
        if self._first is None:
            return None
        losses = torch.stack(self._losses).float().cpu().numpy()
        finite = torch.stack(self._finite).cpu().numpy()
        event = StepsEvent(
            epoch=self._first.epoch,
            batch=self._first.batch,
            loss=np.where(finite, losses, np.float32("nan")),
            lr=np.array(self._rates, dtype=np.float64),
            images_per_second=self._images / self._seconds if self._seconds else 0.0,
            skipped=int((~finite).sum()),
        )
        self._losses, self._finite, self._rates, self._first = [], [], [], None
        self._images, self._seconds = 0, 0.0
        return event
