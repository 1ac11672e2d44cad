"""Learning rates as staircases, and the vertical scale that has room for 0. Imports no Qt."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gui.core.column import Column

FloatArray = npt.NDArray[np.float64]


class Stairs:
    """A rate in force from each position on, cut to what is in sight.

    Args:
        x: positions in epochs completed, rising.
        y: the rate from there on; NaN where there is none.

    ``last_change`` is the position from which a planned curve's last rate is in force.
    """

    last_change = float("nan")

    def __init__(self, x: Column, y: Column) -> None:
        self._x, self._y = x, y

    @classmethod
    def of(cls, x: npt.ArrayLike, y: npt.ArrayLike) -> Stairs:
        """From plain arrays."""
        xs, ys = Column(), Column()
        xs.append(x)
        ys.append(y)
        made = cls(xs, ys)
        changed = np.flatnonzero(ys.values[1:] != ys.values[:-1])
        made.last_change = float(xs.values[changed[-1] + 1 if changed.size else 0])
        return made

    def at(self, x: float) -> float:
        """The rate in force at ``x``, NaN before the first."""
        row = int(np.searchsorted(self._x.values, x + 1e-9, side="right")) - 1
        return float(self._y.values[row]) if row >= 0 else float("nan")

    def between(self, low: float, high: float, most: int) -> tuple[FloatArray, FloatArray]:
        """Corners of the staircase from ``low`` to ``high``: positions and rates; past ``most`` steps, its envelope."""
        x = self._x.values
        if not len(x) or high <= low:
            return np.empty(0), np.empty(0)
        first = max(0, int(np.searchsorted(x, low, side="right")) - 1)
        stop = int(np.searchsorted(x, high, side="left"))
        if stop <= first:
            stop = first + 1
        rows, values = self._y.envelope(first, stop, most)
        starts = np.maximum(x[rows], low)
        if stop - first > most:
            return starts, values
        return np.repeat(np.append(starts, high), 2)[1:-1], np.repeat(values, 2)


@dataclass(frozen=True)
class Scale:
    """Rates to coordinates: plain, or exponents with 0 in a strip at the bottom whose middle is ``zero_at``."""

    log: bool
    low: float
    high: float
    zero_at: float | None = None

    def coordinates(self, lrs: npt.ArrayLike) -> FloatArray:
        """Where the rates stand."""
        given = np.asarray(lrs, np.float64)
        if not self.log:
            return given
        made = np.log10(given, out=np.full_like(given, np.nan), where=given > 0)
        if self.zero_at is not None:
            top = self.strip_top
            made = np.where(given > 0, np.maximum(made, top), made)
            made[given == 0] = self.zero_at
        return made

    @property
    def strip_top(self) -> float:
        """Where the strip for 0 ends."""
        return self.low if self.zero_at is None else 2 * self.zero_at - self.low

    def lr_at(self, y: float) -> float:
        """The rate at a coordinate, 0 in the strip, with two significant digits."""
        if not self.log:
            return float(f"{max(0.0, y):.2g}")
        if self.zero_at is not None and y < self.strip_top:
            return 0.0
        return float(f"{10**y:.2g}")


def scale_for(lrs: FloatArray, *, log: bool) -> Scale | None:
    """The scale that shows ``rates``, or None if there are none.

    A curve that ends near 0 (the last steps of a cosine) does not stretch the axis without end: rates under a
    ten-thousandth of the largest count only if they are no rarer than one in fifty.
    """
    known = lrs[np.isfinite(lrs) & (lrs >= 0)]
    if not known.size:
        return None
    positive = known[known > 0]
    if not log:
        top = float(known.max()) or 1.0
        return Scale(False, -0.04 * top, 1.14 * top)
    if not positive.size:
        return Scale(True, -4.0, -1.0, -3.8)
    most = float(positive.max())
    least = max(float(positive.min()), min(float(np.quantile(positive, 0.02)), most * 1e-4))
    low, high = float(np.log10(least)), float(np.log10(most))
    span = max(high - low, 0.8)
    middle = (low + high) / 2
    low, high = middle - span * 0.6, middle + span * 0.64
    if (known == 0).any():
        strip = 0.13 * (high - low)
        return Scale(True, low - strip, high, low - strip / 2)
    return Scale(True, low, high)
