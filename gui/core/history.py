"""The history of a run as the plots need it. Imports no Qt.

Every position is kept in *epochs completed*: batch b of epoch n (of N batches) is trained from ``n-1 + b/N`` on and its
loss stands at ``n-1 + (b+1)/N``; the metrics of epoch n stand at n. Steps and seconds are functions of that position.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from engine.messages.events import EpochEvent, StepsEvent
from gui.core.abandoned import MOST, POINTS, AbandonedBranch
from gui.core.column import Column
from gui.core.smoothing import Average

Axis = Literal["epochs", "steps", "time"]
AXES: Final[tuple[Axis, ...]] = ("epochs", "steps", "time")
METRICS: Final = ("train_loss", "val_loss", "train_accuracy", "val_accuracy")

FloatArray = npt.NDArray[np.float64]


class RunHistory:
    """What happened so far, step by step and epoch by epoch.

    Columns: ``x`` and ``loss`` and ``smoothed`` a step; ``lr_x`` and ``rates`` (one column a group) a change of the
    learning rate, in force from ``lr_x`` on, NaN where it is not known; ``epoch_x``, ``metrics`` (by name) and
    ``epoch_lrs`` (first, min, max: [groups] each) an epoch.

    ``abandoned`` are the roads that the run left when it went back, the newest last.

    Versions: ``version`` moves with every change, ``epoch_version`` when an epoch came or went, ``generation`` when
    something was taken away or recomputed.

    Args:
        clock: seconds from a steady clock; what passes between two reports is the time that their steps took.
    """

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock = clock
        self._smoothing = 0.0
        self.version = self.epoch_version = self.generation = 0
        self.batches_per_epoch = 0
        self._empty()

    def _empty(self) -> None:
        self.x, self.loss, self.smoothed = Column(), Column(np.float32), Column()
        self.lr_x = Column()
        self.lrs: list[Column] = []
        self.epoch_x = Column()
        self.metrics = {name: Column() for name in METRICS}
        self.epoch_lrs: list[tuple[list[float], list[float], list[float]]] = []
        self._average = Average(self._smoothing)
        self._moment_x, self._moment_seconds = Column(), Column()
        self._known_to = 0.0
        self._reported: float | None = None
        self._standing = False
        self.abandoned: list[AbandonedBranch] = []

    @property
    def position(self) -> float:
        """Epochs completed, with the share of the one under way."""
        return max(self._known_to, 0.0)

    @property
    def seconds(self) -> float:
        """Seconds trained so far, pauses left out."""
        return float(self._moment_seconds.last) if len(self._moment_seconds) else 0.0

    @property
    def smoothing(self) -> float:
        """The smoothing factor of the loss, 0 to 0.99."""
        return self._smoothing

    @smoothing.setter
    def smoothing(self, factor: float) -> None:
        if factor != self._smoothing:
            self._average = Average(factor)
            self._smoothing = factor
            self._smooth_again()

    def lrs_at(self, x: float) -> list[float]:
        """The LR of each group of the batch that begins at ``x`` (epochs completed); empty or NaN if not known."""
        row = int(np.searchsorted(self.lr_x.values, x + 1e-9, side="right")) - 1
        return [float(column.values[row]) for column in self.lrs] if row >= 0 else []

    def stand(self, standing: bool) -> None:
        """The run stands still (or goes on): the time until the next report does not count as training."""
        self._standing = standing
        self._reported = None if standing else self._clock()

    def clear(self) -> None:
        """Forget the run."""
        self._empty()
        self._taken_away()

    def restore(
        self,
        history: Sequence[EpochEvent],
        batches_per_epoch: int | None = None,
        steps: Sequence[StepsEvent] = (),
    ) -> None:
        """Begin with the epochs of a resumed run, and what is known of its batches (in order).

        Where nothing is known of an epoch's batches, its rate is drawn as it was at the first.
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
            self._moment(self._known_to, float(self.to_axis(self._known_to, "time")))
        self._taken_away()

    def append_steps(self, event: StepsEvent, batches_per_epoch: int) -> None:
        """Add the steps of a report. Steps that were there already (before a rewind) are replaced."""
        self.batches_per_epoch = batches_per_epoch
        if not len(event.loss):
            return
        begin = event.epoch - 1 + event.batch / batches_per_epoch
        if begin < self._known_to - 0.25 / batches_per_epoch:
            self.truncate(event.epoch, event.batch)
        self._add_steps(event)
        self._moment(begin, self.seconds)
        self._moment(self._known_to, self.seconds + self._since_report())
        self.version += 1

    def append_epoch(self, event: EpochEvent) -> None:
        """Add an epoch's metrics. An epoch that was there already (before a rewind) is replaced."""
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
        """A branch: the run goes on before ``batch`` (from 0) of ``epoch`` (from 1); drop what lies after."""
        share = 1 / self.batches_per_epoch if self.batches_per_epoch else 1.0
        at = epoch - 1 + batch * share
        edge = at + share / 4
        abandoned_line = self._ghost(edge)
        if abandoned_line is not None:
            self.abandoned = [*self.abandoned, abandoned_line][-MOST:]
        kept = int(np.searchsorted(self.x.values, edge))
        for column in (self.x, self.loss, self.smoothed):
            column.truncate(kept)
        rows = int(np.searchsorted(self.lr_x.values, at - share / 4))
        self.lr_x.truncate(rows)
        for column in self.lrs:
            column.truncate(rows)
        self._keep_epochs(edge)
        seconds = float(self.to_axis(at, "time")) if len(self._moment_x) else 0.0
        moments = int(np.searchsorted(self._moment_x.values, edge))
        self._moment_x.truncate(moments)
        self._moment_seconds.truncate(moments)
        self._known_to = min(self._known_to, at)
        if np.isfinite(seconds):
            self._moment(at, seconds)
        self._smooth_again()
        self._taken_away()

    def _ghost(self, at: float) -> AbandonedBranch | None:
        """What lies beyond ``at``, with the last of each before it, so that the lines begin there; None for nothing."""
        if self.position <= at:
            return None
        steps = max(0, int(np.searchsorted(self.x.values, at, side="right")) - 1)
        x = self.x.values[steps:]
        thin = np.unique(np.linspace(0, max(0, len(x) - 1), min(len(x), POINTS)).astype(int))
        rows = max(0, int(np.searchsorted(self.lr_x.values, at, side="right")) - 1)
        epochs = max(0, int(np.searchsorted(self.epoch_x.values, at, side="right")) - 1)
        return AbandonedBranch(
            end=self.position,
            x=x[thin].copy(),
            loss=self.smoothed.values[steps:][thin].astype(np.float64),
            lr_x=np.maximum(self.lr_x.values[rows:], at),
            lrs=tuple(column.values[rows:].astype(np.float64) for column in self.lrs),
            epoch_x=self.epoch_x.values[epochs:].copy(),
            metrics={name: column.values[epochs:].copy() for name, column in self.metrics.items()},
        )

    def to_axis(self, x: npt.ArrayLike, axis: Axis) -> FloatArray:
        """Positions in epochs completed, as epochs, steps or seconds trained; NaN where that is not known.

        Time that has not come yet is foretold at the average pace so far.
        """
        given = np.asarray(x, np.float64)
        if axis == "epochs":
            return given
        if axis == "steps":
            return given * (self.batches_per_epoch or np.nan)
        known, seconds = self._moment_x.values, self._moment_seconds.values
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
        known, seconds = self._moment_x.values, self._moment_seconds.values
        pace = self._pace()
        if not pace:
            return np.full_like(given, np.nan)
        return np.asarray(np.interp(given, seconds, known) + np.maximum(0.0, given - seconds[-1]) / pace)

    def _pace(self) -> float:
        """Seconds an epoch, 0 while it is not known."""
        if not len(self._moment_x) or self._moment_x.last <= 0:
            return 0.0
        return self.seconds / self._moment_x.last

    def _since_report(self) -> float:
        now, before = self._clock(), self._reported
        self._reported = None if self._standing else now
        return now - before if before is not None else 0.0

    def _moment(self, x: float, seconds: float) -> None:
        if not len(self._moment_x):
            self._moment_x.append(0.0)
            self._moment_seconds.append(0.0)
        self._moment_x.append(max(x, self._moment_x.last))
        self._moment_seconds.append(max(seconds, self.seconds))

    def _change_lrs(self, starts: FloatArray, lr: FloatArray) -> None:
        if not self.lrs:
            self.lrs = [Column() for _ in range(lr.shape[1])]
        if lr.shape[1] != len(self.lrs):
            raise ValueError(f"the run has {len(self.lrs)} parameter groups, but the report has {lr.shape[1]} rates")
        before = np.array([column.last for column in self.lrs])
        changed = (lr != np.vstack([before, lr[:-1]])).any(axis=1)
        if changed.any():
            self.lr_x.append(starts[changed])
            for column, values in zip(self.lrs, lr.T, strict=True):
                column.append(values[changed])

    def _lr_gap(self, begin: float) -> None:
        """Between what was known and ``begin`` the rate is not known: leave a gap there."""
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
        self._moment(float(event.epoch), seconds)

    def _keep_epochs(self, edge: float) -> None:
        kept = int(np.searchsorted(self.epoch_x.values, edge, side="right"))
        for column in (self.epoch_x, *self.metrics.values()):
            column.truncate(kept)
        del self.epoch_lrs[kept:]

    def _smooth_again(self) -> None:
        self._average = Average(self._smoothing)
        self.smoothed.replace(self._average.feed(self.loss.values))
        self.version += 1
        self.generation += 1

    def _taken_away(self) -> None:
        self.version += 1
        self.epoch_version += 1
        self.generation += 1
