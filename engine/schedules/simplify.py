"""Approximate any curve of learning rates by a drawn schedule with few points."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from engine.schedules.base import Interval
from engine.schedules.drawn import Drawn

TOLERANCE: Final = 0.02
"""Largest error anywhere, relative to the LR there."""
MAX_POINTS: Final = 30
"""Most points of the result; a curve that needs more has a larger error."""
MAX_SAMPLES: Final = 2000
"""Most positions of the curve that are looked at."""
MIN_SHARE: Final = 1e-3
"""Below this share of the largest LR, errors are relative to the share and not to the LR."""

FloatArray = npt.NDArray[np.float64]


def drawn_from(x: FloatArray, lr: FloatArray) -> Drawn:
    """A drawn schedule that approximates a curve.

    Of straight or smooth lines on a log or linear axis, the result has those that need the fewest points. Its points
    count epochs as ``x`` does.

    Args:
        x: epochs completed [points], each the start of the LR beside it. The last is the end of the run.
        lr: LRs [points]. The last repeats the one before it.

    Raises:
        ValueError: the curve has no points.
    """
    if not len(x):
        raise ValueError("a curve without points cannot be drawn")
    interval: Interval = "step" if len(x) > 2 and float(np.median(np.diff(x[:-1]))) < 0.999 else "epoch"
    starts = x[:-1] if len(x) > 1 else x
    if interval == "epoch":
        starts = np.floor(starts + 1e-9)  # in mid-epoch, the current epoch is the first
    rows = _rows_at_changes(lr[: len(starts)])
    candidates = [
        _approximate(starts[rows], lr[rows], scale, smooth)
        for scale in (("log", "linear") if (lr > 0).all() else ("linear",))
        for smooth in (False, True)
    ]
    best = min(candidates, key=lambda c: (c.error > TOLERANCE, len(c.points) if c.error <= TOLERANCE else c.error))
    return Drawn(points=best.points, scale=best.scale, smooth=best.smooth, interval=interval)


@dataclass(frozen=True)
class _Approximation:
    points: tuple[tuple[float, float], ...]
    scale: Literal["log", "linear"]
    smooth: bool
    error: float


def _rows_at_changes(lr: FloatArray) -> npt.NDArray[np.intp]:
    """The rows on both sides of every change of the LR, and both ends; at most about MAX_SAMPLES of them."""
    changes = np.flatnonzero(lr[1:] != lr[:-1])
    rows = np.unique(np.concatenate([[0], changes, changes + 1, [len(lr) - 1]]))
    if len(rows) > MAX_SAMPLES:
        rows = np.unique(np.concatenate([rows[:: math.ceil(len(rows) / MAX_SAMPLES)], rows[-1:]]))
    return np.asarray(rows, np.intp)


def _approximate(x: FloatArray, lr: FloatArray, scale: Literal["log", "linear"], smooth: bool) -> _Approximation:
    """Add the row with the largest error until all are small enough; then drop the rows that are not needed."""
    lrs = np.array([float(f"{value:.4g}") for value in lr])
    kept = [0] if len(x) == 1 else [0, len(x) - 1]
    errors = _errors(x, lr, lrs, kept, scale, smooth)
    while float(errors.max()) > TOLERANCE and len(kept) < min(MAX_POINTS, len(x)):
        kept = sorted({*kept, int(errors.argmax())})
        errors = _errors(x, lr, lrs, kept, scale, smooth)
    allowed = max(TOLERANCE, float(errors.max()))
    for row in kept[1:-1]:
        fewer = [k for k in kept if k != row]
        if float(_errors(x, lr, lrs, fewer, scale, smooth).max()) <= allowed:
            kept = fewer
    error = float(_errors(x, lr, lrs, kept, scale, smooth).max())
    return _Approximation(tuple((float(x[k]), float(lrs[k])) for k in kept), scale, smooth, error)


def _errors(x: FloatArray, lr: FloatArray, lrs: FloatArray, kept: list[int], scale: str, smooth: bool) -> FloatArray:
    """The relative error at each of ``x`` of the curve through the ``kept`` rows."""
    ys = np.log(lrs[kept]) if scale == "log" else lrs[kept]
    if smooth and len(kept) > 1:
        from scipy.interpolate import PchipInterpolator

        interpolated = np.asarray(PchipInterpolator(x[kept], ys)(x))
    else:
        interpolated = np.interp(x, x[kept], ys)
    values = np.exp(interpolated) if scale == "log" else interpolated
    errors = np.abs(values - lr) / np.maximum(lr, MIN_SHARE * float(lr.max()) or 1.0)
    errors[kept] = 0.0
    return np.asarray(errors)
