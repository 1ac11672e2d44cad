"""Which checkpoints are kept."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, TypeVar

from engine.library.rows import CheckpointRow, Kind


class Measured(Protocol):
    """What has the metrics of an epoch."""

    @property
    def metrics(self) -> dict[str, float]:  # noqa: D102
        ...


M = TypeVar("M", bound=Measured)
Monitor = Literal["val_loss", "val_accuracy", "train_loss", "train_accuracy"]


@dataclass(frozen=True, kw_only=True)
class Retention:
    """What of a run's checkpoints is kept, and how much all of them may take.

    Args:
        last: epoch ends, the newest; also the stops, and the moments saved within a long epoch.
        best: epoch ends, the best by ``monitor``.
        monitor: the metric that says which epoch was best.
        before: moments before an intervention, the newest; None keeps all.
        minutes: how often a moment within a long epoch is saved; 0: never.
        limit_bytes: what all checkpoints may take together before that is warned of; None: anything.
        memory_bytes: what may wait in memory for a slow disk.
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

    def thinned(self, checkpoints: Sequence[CheckpointRow]) -> list[CheckpointRow]:
        """Those of one run's ``checkpoints`` (oldest first) that are kept no longer. What was asked for always is."""

        def of(kind: Kind) -> list[CheckpointRow]:
            return [s for s in checkpoints if s.kind == kind]

        ends = of("epoch")
        kept = {s.path for s in (*newest(ends, self.last), *self.best_of(ends), *newest(of("stop"), self.last))}
        kept |= {s.path for s in newest(of("before"), self.before)}
        # A moment within an epoch is there for a crash: once the epoch's end stands it is of no more use.
        after_end = checkpoints[
            max((i for i, s in enumerate(checkpoints) if s.kind in ("epoch", "stop")), default=-1) + 1 :
        ]
        kept |= {s.path for s in newest([s for s in after_end if s.kind == "timed"], 1)}
        return [s for s in checkpoints if s.path not in kept and s.kind != "asked"]

    def best_of(self, ends: Iterable[M]) -> list[M]:
        """The best of the epoch ends whose metric is known and finite, the best first, of equals the older."""
        sign = -1.0 if self.monitor.endswith("accuracy") else 1.0
        known = [s for s in ends if math.isfinite(s.metrics.get(self.monitor, math.nan))]
        return sorted(known, key=lambda s: sign * s.metrics[self.monitor])[: self.best]


def newest(checkpoints: Sequence[CheckpointRow], count: int | None) -> Sequence[CheckpointRow]:
    """The last ``count`` of them, or all."""
    if count is None:
        return checkpoints
    return checkpoints[-count:] if count > 0 else ()


def size_words(count: int) -> str:
    """A number of bytes as a person says it."""
    size, unit = float(count), "bytes"
    for unit in ("bytes", "kB", "MB", "GB", "TB"):
        if size < 1000 or unit == "TB":
            break
        size /= 1000
    return f"{size:.0f} {unit}" if unit in ("bytes", "kB") else f"{size:.1f} {unit}"
