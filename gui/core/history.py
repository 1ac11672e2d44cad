"""The history of a run as the plots need it. Imports no Qt.

Every position is kept in *epochs completed*: batch b of epoch n (of N batches) is trained from ``n-1 + b/N`` on and its
loss stands at ``n-1 + (b+1)/N``; the metrics of epoch n stand at n. Steps and seconds are functions of that position.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from engine.messages.events import EpochEvent, StepsEvent
from gui.core.column import Column
from gui.core.smoothing import Average

Axis = Literal["epochs", "steps", "time"]
AXES: Final[tuple[Axis, ...]] = ("epochs", "steps", "time")
METRICS: Final = ("train_loss", "val_loss", "train_accuracy", "val_accuracy")

MAX_ABANDONED: Final = 5
"""The number of abandoned branches that are kept; the oldest is removed first."""
MAX_POINTS: Final = 1000
"""The largest number of batch losses that are kept of an abandoned branch."""

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class AbandonedBranch:
    """The part of a run after the position that it went back to. Positions are in epochs completed.

    Attributes:
        end: the position that the branch had reached.
        x: positions of the smoothed batch losses [points], thinned out to at most ``MAX_POINTS``.
        loss: the smoothed batch losses [points].
        lr_x: positions at which the LR changed [changes].
        lrs: the LR from each ``lr_x`` on [changes], one array a group.
        epoch_x: the epochs that were completed [epochs].
        metrics: the metrics of those epochs [epochs], by name.
    """

    end: float
    x: FloatArray
    loss: FloatArray
    lr_x: FloatArray
    lrs: tuple[FloatArray, ...]
    epoch_x: FloatArray
    metrics: dict[str, FloatArray]


class RunHistory:
    """The losses, LRs and metrics of a run so far, by step and by epoch.

    Columns:
        x, loss, smoothed: one row a step; the position at which the step ended, its loss, and the smoothed loss.
        lr_x, lrs: one row a change of the LR; ``lrs`` has one column a group, with the LR from ``lr_x`` on, NaN where
            it is not known.
        epoch_x, metrics, epoch_lrs: one row an epoch; ``metrics`` by name, ``epoch_lrs`` as (first, min, max), a list
            with one value a group each.

    Attributes:
        abandoned: the branches that the run abandoned when it went back, the newest last.
        version: increases with every change.
        epoch_version: increases when an epoch is added or removed.
        generation: increases when rows are removed or recomputed.

    Args:
        clock: the time in seconds, from any zero. The time between two reports is what their steps took.
    """

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock = clock
        self._smoothing = 0.0
        self.version = self.epoch_version = self.generation = 0
        self._empty()

    def _empty(self) -> None:
        self.x, self.loss, self.smoothed = Column(), Column(np.float32), Column()
        self.lr_x = Column()
        self.lrs: list[Column] = []
        self.epoch_x = Column()
        self.metrics = {name: Column() for name in METRICS}
        self.epoch_lrs: list[tuple[list[float], list[float], list[float]]] = []
        self._average = Average(self._smoothing)
        self._time_x, self._time_seconds = Column(), Column()  # the training time at some positions
        self._known_to = 0.0
        self.batches_per_epoch = 0  # not known
        self._reported: float | None = None  # when the last report came; None while the run is paused
        self._paused = False
        self.abandoned: list[AbandonedBranch] = []

    @property
    def position(self) -> float:
        """Epochs completed, with the fraction of the current one."""
        return max(self._known_to, 0.0)

    @property
    def seconds(self) -> float:
        """Training time so far in seconds, without pauses."""
        return float(self._time_seconds.last) if len(self._time_seconds) else 0.0

    @property
    def smoothing(self) -> float:
        """The smoothing factor of the loss, 0 to 0.99."""
        return self._smoothing

    @smoothing.setter
    def smoothing(self, factor: float) -> None:
        if factor != self._smoothing:
            self._average = Average(factor)
            self._smoothing = factor
            self._recompute_smoothing()

    def lrs_at(self, x: float) -> list[float]:
        """The LR of each group for the batch that starts at ``x`` (epochs completed); empty or NaN if not known."""
        row = int(np.searchsorted(self.lr_x.values, x + 1e-9, side="right")) - 1
        return [float(column.values[row]) for column in self.lrs] if row >= 0 else []

    def set_paused(self, paused: bool) -> None:
        """Say whether the run is paused: then the time until the next report is not training time."""
        self._paused = paused
        self._reported = None if paused else self._clock()

    def clear(self) -> None:
        """Remove everything."""
        self._empty()
        self._count_rebuild()

    def restore(
        self,
        history: Sequence[EpochEvent],
        batches_per_epoch: int | None = None,
        steps: Sequence[StepsEvent] = (),
    ) -> None:
        """Start with the epochs of a resumed run, and the steps that are known (in order).

        An epoch whose steps are not known gets the LR of its first batch.
        """
        self._empty()
        if batches_per_epoch is not None:
            self.batches_per_epoch = batches_per_epoch
        of_epoch: dict[int, list[StepsEvent]] = {}
        for report in steps:
            of_epoch.setdefault(report.epoch, []).append(report)
        for event in history:
            known = of_epoch.pop(event.epoch, [])
            if not known or known[0].batch:
                self._lr_gap(event.epoch - 1.0)
                self._change_lrs(np.array([event.epoch - 1.0]), np.array([event.lr]))
            for report in known:
                self._add_steps(report)
            self._add_epoch(event, self.seconds + event.seconds)
        for report in (report for known in of_epoch.values() for report in known):
            self._add_steps(report)
        if self._pace():
            self._add_time(self._known_to, float(self.to_axis(self._known_to, "time")))
        self._count_rebuild()

    def append_steps(self, event: StepsEvent, batches_per_epoch: int) -> None:
        """Add the steps of a report. Steps from before a rewind at the same positions are replaced."""
        self.batches_per_epoch = batches_per_epoch
        if not len(event.loss):
            return
        begin = event.epoch - 1 + event.batch / batches_per_epoch
        if begin < self._known_to - 0.25 / batches_per_epoch:
            self.truncate(event.epoch, event.batch)
        self._add_steps(event)
        self._add_time(begin, self.seconds)
        self._add_time(self._known_to, self.seconds + self._since_report())
        self.version += 1

    def append_epoch(self, event: EpochEvent) -> None:
        """Add an epoch's metrics. The same epoch from before a rewind is replaced."""
        if len(self.epoch_x) and event.epoch <= self.epoch_x.last:
            self._keep_epochs(event.epoch - 1.0)
            self.generation += 1
        if self._known_to < event.epoch - 0.5 / max(1, self.batches_per_epoch):
            self._lr_gap(event.epoch - 1.0)
            self._change_lrs(np.array([event.epoch - 1.0]), np.array([event.lr]))
            self._add_epoch(event, self.seconds + event.seconds)
        else:
            self._add_epoch(event, self.seconds + self._since_report())
        self.version += 1
        self.epoch_version += 1

    def truncate(self, epoch: int, batch: int = 0) -> None:
        """Go back to just before ``batch`` (from 0) of ``epoch`` (from 1); what comes after is an abandoned branch."""
        share = 1 / self.batches_per_epoch if self.batches_per_epoch else 1.0
        start = epoch - 1 + batch * share
        edge = start + share / 4
        branch = self._branch_after(edge)
        if branch is not None:
            self.abandoned = [*self.abandoned, branch][-MAX_ABANDONED:]
        kept = int(np.searchsorted(self.x.values, edge))
        for column in (self.x, self.loss, self.smoothed):
            column.truncate(kept)
        rows = int(np.searchsorted(self.lr_x.values, start - share / 4))
        self.lr_x.truncate(rows)
        for column in self.lrs:
            column.truncate(rows)
        self._keep_epochs(edge)
        seconds = float(self.to_axis(start, "time")) if len(self._time_x) else 0.0
        kept_times = int(np.searchsorted(self._time_x.values, edge))
        self._time_x.truncate(kept_times)
        self._time_seconds.truncate(kept_times)
        self._known_to = min(self._known_to, start)
        if np.isfinite(seconds):
            self._add_time(start, seconds)
        self._recompute_smoothing()
        self._count_rebuild()

    def _branch_after(self, start: float) -> AbandonedBranch | None:
        """What comes after ``start``, and the row before it so that the lines start there; None if there is nothing."""
        if self.position <= start:
            return None
        steps = max(0, int(np.searchsorted(self.x.values, start, side="right")) - 1)
        x = self.x.values[steps:]
        thin = np.unique(np.linspace(0, max(0, len(x) - 1), min(len(x), MAX_POINTS)).astype(int))
        rows = max(0, int(np.searchsorted(self.lr_x.values, start, side="right")) - 1)
        epochs = max(0, int(np.searchsorted(self.epoch_x.values, start, side="right")) - 1)
        return AbandonedBranch(
            end=self.position,
            x=x[thin].copy(),
            loss=self.smoothed.values[steps:][thin].astype(np.float64),
            lr_x=np.maximum(self.lr_x.values[rows:], start),
            lrs=tuple(column.values[rows:].astype(np.float64) for column in self.lrs),
            epoch_x=self.epoch_x.values[epochs:].copy(),
            metrics={name: column.values[epochs:].copy() for name, column in self.metrics.items()},
        )

    def to_axis(self, x: npt.ArrayLike, axis: Axis) -> FloatArray:
        """Convert positions in epochs completed to epochs, steps or seconds of training; NaN where not known.

        Future seconds are estimated from the average pace so far.
        """
        given = np.asarray(x, np.float64)
        if axis == "epochs":
            return given
        if axis == "steps":
            return given * (self.batches_per_epoch or np.nan)
        known, seconds = self._time_x.values, self._time_seconds.values
        pace = self._pace()
        if not pace:
            return np.full_like(given, np.nan)
        return np.asarray(np.interp(given, known, seconds) + np.maximum(0.0, given - known[-1]) * pace)

    def from_axis(self, value: npt.ArrayLike, axis: Axis) -> FloatArray:
        """The inverse of ``to_axis``."""
        given = np.asarray(value, np.float64)
        if axis == "epochs":
            return given
        if axis == "steps":
            return given / (self.batches_per_epoch or np.nan)
        known, seconds = self._time_x.values, self._time_seconds.values
        pace = self._pace()
        if not pace:
            return np.full_like(given, np.nan)
        return np.asarray(np.interp(given, seconds, known) + np.maximum(0.0, given - seconds[-1]) / pace)

    def _pace(self) -> float:
        """Seconds an epoch, 0 if not known."""
        if not len(self._time_x) or self._time_x.last <= 0:
            return 0.0
        return self.seconds / self._time_x.last

    def _since_report(self) -> float:
        now, before = self._clock(), self._reported
        self._reported = None if self._paused else now
        return now - before if before is not None else 0.0

    def _add_time(self, x: float, seconds: float) -> None:
        if not len(self._time_x):
            self._time_x.append(0.0)
            self._time_seconds.append(0.0)
        self._time_x.append(max(x, self._time_x.last))
        self._time_seconds.append(max(seconds, self.seconds))

    def _change_lrs(self, starts: FloatArray, lr: FloatArray) -> None:
        if not self.lrs:
            self.lrs = [Column() for _ in range(lr.shape[1])]
        if lr.shape[1] != len(self.lrs):
            raise ValueError(f"the run has {len(self.lrs)} parameter groups, but the report has {lr.shape[1]} LRs")
        before = np.array([column.last for column in self.lrs])
        changed = (lr != np.vstack([before, lr[:-1]])).any(axis=1)
        if changed.any():
            self.lr_x.append(starts[changed])
            for column, values in zip(self.lrs, lr.T, strict=True):
                column.append(values[changed])

    def _lr_gap(self, begin: float) -> None:
        """Leave a gap from the end of what is known to ``begin``: the LR there is not known."""
        if self.lrs and begin > self._known_to + 1e-9:
            self.lr_x.append(self._known_to)
            for column in self.lrs:
                column.append(np.nan)

    def _add_steps(self, event: StepsEvent) -> None:
        count, per_epoch = len(event.loss), self.batches_per_epoch
        first = (event.epoch - 1) * per_epoch + event.batch
        ends = (first + np.arange(1, count + 1, dtype=np.float64)) / per_epoch
        loss = np.asarray(event.loss, np.float64)
        self.x.append(ends)
        self.loss.append(loss)
        self.smoothed.append(self._average.feed(loss))
        self._lr_gap(first / per_epoch)
        starts = (first + np.arange(count, dtype=np.float64)) / per_epoch
        self._change_lrs(starts, np.asarray(event.lr, np.float64).reshape(count, -1))
        self._known_to = float(ends[-1])

    def _add_epoch(self, event: EpochEvent, seconds: float) -> None:
        self.epoch_x.append(float(event.epoch))
        for name, value in event.metrics().items():
            self.metrics[name].append(value if np.isfinite(value) else np.nan)
        self.epoch_lrs.append((list(event.lr), list(event.lr_min), list(event.lr_max)))
        self._known_to = max(self._known_to, float(event.epoch))
        self._add_time(float(event.epoch), seconds)

    def _keep_epochs(self, edge: float) -> None:
        kept = int(np.searchsorted(self.epoch_x.values, edge, side="right"))
        for column in (self.epoch_x, *self.metrics.values()):
            column.truncate(kept)
        del self.epoch_lrs[kept:]

    def _recompute_smoothing(self) -> None:
        self._average = Average(self._smoothing)
        self.smoothed.replace(self._average.feed(self.loss.values))
        self.version += 1
        self.generation += 1

    def _count_rebuild(self) -> None:
        self.version += 1
        self.epoch_version += 1
        self.generation += 1
