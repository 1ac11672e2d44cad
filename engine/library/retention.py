"""Which checkpoints are kept."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from engine.library.rows import CheckpointRow, Kind
from engine.schedules.adaptive import Monitor


class Measured(Protocol):
    """Anything with the metrics of an epoch."""

    @property
    def metrics(self) -> dict[str, float]:  # noqa: D102
        ...


M = TypeVar("M", bound=Measured)


@dataclass(frozen=True, kw_only=True)
class Retention:
    """Which of a run's checkpoints are kept, and how much space all checkpoints may take.

    Args:
        last: number of newest epoch ends to keep; also of stops.
        best: number of best epoch ends to keep, by ``monitor``.
        monitor: the metric that decides which epoch was best.
        before: number of newest checkpoints from before an intervention to keep; None: all.
        minutes: minutes between two checkpoints within a long epoch; 0: none.
        limit_bytes: size of all checkpoints above which a warning is given; None: no limit.
        memory_bytes: size of the checkpoints that may wait in memory for a slow disk.
    """

    last: int = 3
    best: int = 1
    monitor: Monitor = "val_loss"
    before: int | None = None
    minutes: float = 10.0
    limit_bytes: int | None = 20 * 1000**3
    memory_bytes: int = 1024**3

    def __post_init__(self) -> None:
        counts = (self.last - 1, self.best, self.before or 0, self.limit_bytes or 0, self.memory_bytes)
        if min(counts) < 0 or not 0 <= self.minutes < math.inf:
            raise ValueError("last is 1 or more; the others are 0 or more, and finite")

    def expired(self, checkpoints: Sequence[CheckpointRow]) -> list[CheckpointRow]:
        """Those of one run's ``checkpoints`` (oldest first) that are not kept. Those that a person saved always are."""

        def of(kind: Kind) -> list[CheckpointRow]:
            return [s for s in checkpoints if s.kind == kind]

        ends = of("epoch")
        kept = {s.path for s in (*newest(ends, self.last), *self.best_of(ends), *newest(of("stop"), self.last))}
        kept |= {s.path for s in newest(of("before"), self.before)}
        # A checkpoint within an epoch is for a crash: once there is one of the epoch's end, it is not needed.
        after_end = checkpoints[
            max((i for i, s in enumerate(checkpoints) if s.kind in ("epoch", "stop")), default=-1) + 1 :
        ]
        kept |= {s.path for s in newest([s for s in after_end if s.kind == "timed"], 1)}
        return [s for s in checkpoints if s.path not in kept and s.kind != "asked"]

    def best_of(self, ends: Iterable[M]) -> list[M]:
        """The best of the epoch ends whose metric is known and finite, best first; of equal ones the older first."""
        sign = -1.0 if self.monitor.endswith("accuracy") else 1.0
        known = [s for s in ends if math.isfinite(s.metrics.get(self.monitor, math.nan))]
        return sorted(known, key=lambda s: sign * s.metrics[self.monitor])[: self.best]


def newest(checkpoints: Sequence[CheckpointRow], count: int | None) -> Sequence[CheckpointRow]:
    """The last ``count`` of them; all for None."""
    if count is None:
        return checkpoints
    return checkpoints[-count:] if count > 0 else ()


def size_text(count: int) -> str:
    """A number of bytes for a person: 2.3 MB."""
    size, unit = float(count), "bytes"
    for unit in ("bytes", "kB", "MB", "GB", "TB"):
        if size < 1000 or unit == "TB":
            break
        size /= 1000
    return f"{size:.0f} {unit}" if unit in ("bytes", "kB") else f"{size:.1f} {unit}"
