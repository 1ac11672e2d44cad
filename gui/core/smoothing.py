"""An exponential moving average with bias correction. Imports no Qt."""

from __future__ import annotations

from functools import cached_property

import numpy as np
import numpy.typing as npt

_CHUNK = 256

FloatArray = npt.NDArray[np.float64]


class Average:
    """An exponential moving average with bias correction, updated with any number of values at a time.

    Args:
        factor: the weight of the previous average, from 0 (no smoothing) to 0.99.

    A NaN leaves the average unchanged.
    """

    def __init__(self, factor: float) -> None:
        if not 0 <= factor <= 0.99:
            raise ValueError(f"factor: must be from 0 to 0.99; it is {factor}")
        self.factor = factor
        self._sum = 0.0
        self._weight = 0.0

    @cached_property
    def _decay(self) -> FloatArray:
        return self.factor ** np.arange(1, _CHUNK + 1, dtype=np.float64)

    @cached_property
    def _weights(self) -> FloatArray:
        """Row i holds the weights of the chunk's values 0 to i, so that a chunk is one matrix product instead of a
        loop.
        """
        powers = self.factor ** np.arange(_CHUNK + 1, dtype=np.float64)
        lag = np.subtract.outer(np.arange(_CHUNK), np.arange(_CHUNK))
        return np.where(lag >= 0, (1 - self.factor) * powers[np.maximum(lag, 0)], 0.0)

    def feed(self, values: npt.ArrayLike) -> FloatArray:
        """The averages after each of ``values`` [n]; NaN before the first number."""
        given = np.asarray(values, np.float64)
        known = np.isfinite(given)
        sums, self._sum = self._run(np.where(known, given, 0.0), self._sum)
        weights, self._weight = self._run(known.astype(np.float64), self._weight)
        found = np.full(given.size, np.nan)
        np.divide(sums, weights, out=found, where=weights > 1e-12)
        return found

    def _run(self, values: FloatArray, start: float) -> tuple[FloatArray, float]:
        rows = -(-values.size // _CHUNK)
        if not rows:
            return values, start
        if rows == 1:
            size = values.size
            out = self._weights[:size, :size] @ values + start * self._decay[:size]
            return out, float(out[-1])
        padded = np.zeros(rows * _CHUNK)
        padded[: values.size] = values
        inside = padded.reshape(rows, _CHUNK) @ self._weights.T
        carried = np.empty(rows)
        for row, end in enumerate(inside[:, -1].tolist()):
            carried[row] = start
            start = end + start * float(self._decay[-1])
        out = (inside + np.outer(carried, self._decay)).reshape(-1)[: values.size]
        return out, float(out[-1])
