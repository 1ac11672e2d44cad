"""Growing columns of numbers that can be reduced to a given number of points. Imports no Qt."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

BLOCK = 64

FloatArray = npt.NDArray[np.float64]
IndexArray = npt.NDArray[np.intp]


class Column:
    """Numbers in a buffer that doubles when full.

    Minima and maxima of blocks of 64 are kept, so that a curve of a million points is drawn from a few thousand
    numbers. NaN is a gap: it is a minimum or maximum only if a whole block is NaN.
    """

    def __init__(self, dtype: npt.DTypeLike = np.float64) -> None:
        self._data: npt.NDArray[Any] = np.empty(1024, dtype)
        self._low: npt.NDArray[Any] = np.empty(16, dtype)
        self._high: npt.NDArray[Any] = np.empty(16, dtype)
        self._length = 0
        self._blocks = 0

    def __len__(self) -> int:
        return self._length

    @property
    def values(self) -> npt.NDArray[Any]:
        """The numbers, as a read-only view. It is not updated by later appends."""
        view = self._data[: self._length]
        view.flags.writeable = False
        return view

    @property
    def last(self) -> float:
        """The newest number; NaN if there is none."""
        return float(self._data[self._length - 1]) if self._length else float("nan")

    def append(self, new: npt.ArrayLike) -> None:
        """Append a number, or a row of numbers."""
        row = np.asarray(new, self._data.dtype)
        needed = self._length + row.size
        self._data = _grown(self._data, self._length, needed)
        self._data[self._length : needed] = row
        self._length = needed

    def truncate(self, length: int) -> None:
        """Keep the first ``length`` numbers."""
        self._length = min(self._length, max(0, length))
        self._blocks = min(self._blocks, self._length // BLOCK)

    def replace(self, values: npt.ArrayLike) -> None:
        """Replace all numbers by ``values``."""
        self.truncate(0)
        self.append(values)

    def envelope(self, first: int, stop: int, most: int) -> tuple[IndexArray, npt.NDArray[Any]]:
        """Positions and numbers of rows ``first`` to ``stop``, at most about ``most`` of them.

        If there are more rows, they are divided into bins, of which each gives its minimum and maximum. The width of a
        bin is a power of two, and bins are counted from row 0, so that the curve does not shimmer while rows are added.
        """
        first, stop = max(0, first), min(stop, self._length)
        if stop - first <= max(2, most):
            return np.arange(first, max(first, stop)), self._data[first:stop].copy()
        width = _bin_width(stop - first, most)
        starts = np.arange(first // width * width, stop, width)
        if width < BLOCK:
            rows = self._data[starts[0] : stop]
            low, high = _extremes(rows, starts - starts[0])
        else:
            lows, highs = self._block_extremes()
            at = starts // BLOCK
            end = -(-stop // BLOCK)
            low = np.fmin.reduceat(lows[at[0] : end], at - at[0])
            high = np.fmax.reduceat(highs[at[0] : end], at - at[0])
        where = np.repeat(starts, 2)
        where[1::2] += width // 2
        shown = np.empty(where.size, self._data.dtype)
        shown[0::2], shown[1::2] = low, high
        return np.clip(where, first, stop - 1), shown

    def sample(self, first: int, stop: int, most: int) -> tuple[IndexArray, npt.NDArray[Any]]:
        """Positions and numbers of evenly spaced rows, including the newest; for smooth columns."""
        first, stop = max(0, first), min(stop, self._length)
        if stop - first <= max(2, most):
            return np.arange(first, max(first, stop)), self._data[first:stop].copy()
        width = _bin_width(stop - first, 2 * most)
        where = np.append(np.arange(first // width * width + width, stop - 1, width), stop - 1)
        where = np.insert(where, 0, first)
        return where, self._data[where]

    def _block_extremes(self) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
        """Minima and maxima of all blocks, including the incomplete last one."""
        whole = self._length // BLOCK
        needed = whole + 1
        self._low = _grown(self._low, self._blocks, needed)
        self._high = _grown(self._high, self._blocks, needed)
        if whole > self._blocks:
            rows = self._data[self._blocks * BLOCK : whole * BLOCK].reshape(-1, BLOCK)
            self._low[self._blocks : whole] = np.fmin.reduce(rows, axis=1)
            self._high[self._blocks : whole] = np.fmax.reduce(rows, axis=1)
            self._blocks = whole
        rest = self._data[whole * BLOCK : self._length]
        if not rest.size:
            return self._low[:whole], self._high[:whole]
        self._low[whole], self._high[whole] = np.fmin.reduce(rest), np.fmax.reduce(rest)
        return self._low[:needed], self._high[:needed]


def _grown(data: npt.NDArray[Any], kept: int, needed: int) -> npt.NDArray[Any]:
    if needed <= data.size:
        return data
    larger = np.empty(max(needed, 2 * data.size), data.dtype)
    larger[:kept] = data[:kept]
    return larger


def _bin_width(rows: int, most: int) -> int:
    width = 1
    while rows * 2 > width * most:
        width *= 2
    return max(2, width)


def _extremes(rows: npt.NDArray[Any], starts: IndexArray) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    return np.fmin.reduceat(rows, starts), np.fmax.reduceat(rows, starts)
