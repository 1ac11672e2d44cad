"""A drawn curve with few points, from any planned curve: something to start drawing from."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from engine.schedules.base import Interval
from engine.schedules.drawn import Drawn

CLOSE: Final = 0.02
"""How far the curve may be off anywhere, relative to the rate there."""
MOST: Final = 30
"""Points at most: a curve with more steps is met less closely."""
SAMPLES: Final = 2000
FAINT: Final = 1e-3
"""Rates below this share of the largest are met as closely as this share is, and no closer."""

FloatArray = npt.NDArray[np.float64]


def drawn_from(x: FloatArray, lr: FloatArray) -> Drawn:
    """The drawn curve that gives about the rates ``lr`` [points], in force from ``x`` [points] on.

    Its points count epochs as ``x`` does. The last of ``x`` is the end of the run and repeats the last rate. Of
    straight and smooth, on either axis, it is what needs the fewest points.

    Raises:
        ValueError: there is no rate at all.
    """
    if not len(x):
        raise ValueError("a curve without points cannot be drawn")
    interval: Interval = "step" if len(x) > 2 and float(np.median(np.diff(x[:-1]))) < 0.999 else "epoch"
    at = x[:-1] if len(x) > 1 else x
    if interval == "epoch":
        at = np.floor(at + 1e-9)  # in mid-epoch, the one under way is the first
    rows = _telling(lr[: len(at)])
    made = [
        thinned
        for scale in (("log", "linear") if (lr > 0).all() else ("linear",))
        for smooth in (False, True)
        if (thinned := _thin(at[rows], lr[rows], scale, smooth)) is not None
    ]
    best = min(made, key=lambda t: (t.error > CLOSE, len(t.points) if t.error <= CLOSE else t.error))
    return Drawn(points=best.points, scale=best.scale, smooth=best.smooth, interval=interval)


@dataclass(frozen=True)
class _Thinned:
    points: tuple[tuple[float, float], ...]
    scale: Literal["log", "linear"]
    smooth: bool
    error: float


def _telling(lr: FloatArray) -> npt.NDArray[np.intp]:
    """The rows beside which the rate changes, thinned where they are very many, and both ends."""
    moves = np.flatnonzero(lr[1:] != lr[:-1])
    rows = np.unique(np.concatenate([[0], moves, moves + 1, [len(lr) - 1]]))
    if len(rows) > SAMPLES:
        rows = np.unique(np.concatenate([rows[:: math.ceil(len(rows) / SAMPLES)], rows[-1:]]))
    return np.asarray(rows, np.intp)


def _thin(x: FloatArray, lr: FloatArray, scale: Literal["log", "linear"], smooth: bool) -> _Thinned | None:
    """Take the point where the curve is farthest off, again and again; then leave out what is not needed."""
    lrs = np.array([float(f"{value:.4g}") for value in lr])
    kept = [0] if len(x) == 1 else [0, len(x) - 1]
    error = _off(x, lr, lrs, kept, scale, smooth)
    while float(error.max()) > CLOSE and len(kept) < min(MOST, len(x)):
        kept = sorted({*kept, int(error.argmax())})
        error = _off(x, lr, lrs, kept, scale, smooth)
    most = max(CLOSE, float(error.max()))
    for row in kept[1:-1]:
        fewer = [k for k in kept if k != row]
        if float(_off(x, lr, lrs, fewer, scale, smooth).max()) <= most:
            kept = fewer
    off = float(_off(x, lr, lrs, kept, scale, smooth).max())
    return _Thinned(tuple((float(x[k]), float(lrs[k])) for k in kept), scale, smooth, off)


def _off(x: FloatArray, lr: FloatArray, lrs: FloatArray, kept: list[int], scale: str, smooth: bool) -> FloatArray:
    """How far the curve through the ``kept`` rows is off at each of ``x``."""
    heights = np.log(lrs[kept]) if scale == "log" else lrs[kept]
    if smooth and len(kept) > 1:
        from scipy.interpolate import PchipInterpolator

        between = np.asarray(PchipInterpolator(x[kept], heights)(x))
    else:
        between = np.interp(x, x[kept], heights)
    made = np.exp(between) if scale == "log" else between
    off = np.abs(made - lr) / np.maximum(lr, FAINT * float(lr.max()) or 1.0)
    off[kept] = 0.0
    return np.asarray(off)
