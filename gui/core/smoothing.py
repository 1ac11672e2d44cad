"""An exponential moving average that forgets nothing it was told and starts without a bias. Imports no Qt."""

from __future__ import annotations

from functools import cached_property

import numpy as np
import numpy.typing as npt

_CHUNK = 256

FloatArray = npt.NDArray[np.float64]


class Average:
    """Exponential moving average with bias correction, fed in pieces of any size.

    Args:
        factor: 0 (no smoothing) to 0.99, the share of the average that each new number leaves in place.

    A NaN is passed over: the average stays where it was.
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
        """Row i weighs the chunk's numbers 0 to i: a whole chunk is one matrix product, not 256 turns of a loop."""
        powers = self.factor ** np.arange(_CHUNK + 1, dtype=np.float64)
        lag = np.subtract.outer(np.arange(_CHUNK), np.arange(_CHUNK))
        return np.where(lag >= 0, (1 - self.factor) * powers[np.maximum(lag, 0)], 0.0)

    def feed(self, values: npt.ArrayLike) -> FloatArray:
        """The average after each of ``values`` [n]; NaN until the first number that is one."""
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
