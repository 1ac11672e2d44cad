"""Where positions and LRs are in a plot: the vertical scale of LRs, and the coordinates of the learning-rate plot."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF

from gui.core.column import FloatArray
from gui.core.history import Axis, RunHistory
from gui.plots.canvas import PlotView
from gui.plots.lr_curves import Points


@dataclass(frozen=True)
class LRScale:
    """The vertical scale of LRs, from the coordinate ``low`` to ``high``.

    Linear, the coordinate is the LR. Logarithmic, it is the exponent, and ``zero_at`` is the middle of a strip for 0 at
    the bottom; None without a strip.
    """

    log: bool
    low: float
    high: float
    zero_at: float | None = None

    def coordinates(self, lrs: npt.ArrayLike) -> FloatArray:
        """The coordinates of LRs, of the same shape; NaN where the scale has none."""
        given = np.asarray(lrs, np.float64)
        if not self.log:
            return given
        made = np.log10(given, out=np.full_like(given, np.nan), where=given > 0)
        if self.zero_at is not None:
            made = np.where(given > 0, np.maximum(made, self.strip_top), made)
            made[given == 0] = self.zero_at
        return made

    @property
    def strip_top(self) -> float:
        """The coordinate at which the strip for 0 ends."""
        return self.low if self.zero_at is None else 2 * self.zero_at - self.low

    def lr_at(self, y: float) -> float:
        """The LR at a coordinate, with two significant digits; 0 within the strip."""
        if not self.log:
            return float(f"{max(0.0, y):.2g}")
        if self.zero_at is not None and y < self.strip_top:
            return 0.0
        return float(f"{10**y:.2g}")


def scale_for(lrs: FloatArray, *, log: bool) -> LRScale | None:
    """The scale that shows ``lrs`` [n]; None if none of them is finite and at least 0.

    A curve that ends near 0 (the last steps of a cosine) does not stretch a logarithmic scale: LRs below 1e-4 of the
    largest one count only if they are at least one in fifty.
    """
    known = lrs[np.isfinite(lrs) & (lrs >= 0)]
    if not known.size:
        return None
    positive = known[known > 0]
    if not log:
        top = float(known.max()) or 1.0
        return LRScale(False, -0.04 * top, 1.14 * top)
    if not positive.size:
        return LRScale(True, -4.0, -1.0, -3.8)
    most = float(positive.max())
    least = max(float(positive.min()), min(float(np.quantile(positive, 0.02)), most * 1e-4))
    low, high = float(np.log10(least)), float(np.log10(most))
    span = max(high - low, 0.8)
    middle = (low + high) / 2
    low, high = middle - span * 0.6, middle + span * 0.64
    if (known == 0).any():
        strip = 0.13 * (high - low)
        return LRScale(True, low - strip, high, low - strip / 2)
    return LRScale(True, low, high)


class LRCoordinates:
    """Converts between (epochs completed, LR), the view's coordinates, points of the scene, and pixels of the view.

    Args:
        view: the view with the curves.
        history: what epochs are in steps and in time.

    The plot sets ``history``, ``axis`` and ``scale`` whenever its own change.
    """

    def __init__(self, view: PlotView, history: RunHistory) -> None:
        self._view = view
        self.history = history
        self.axis: Axis = "epochs"
        self.scale = LRScale(True, -4.0, -1.0)

    def point(self, x: float, lr: float) -> QPointF:
        """The view's coordinates of ``x`` epochs and ``lr``; x is NaN where the axis has no value for it."""
        return QPointF(float(self.history.to_axis(x, self.axis)), self.y_of(lr))

    def y_of(self, lr: float) -> float:
        """The vertical coordinate of an LR."""
        return float(self.ys_of([lr])[0])

    def ys_of(self, lrs: npt.ArrayLike) -> FloatArray:
        """The vertical coordinates of LRs, of the same shape; NaN where the scale has none."""
        return self.scale.coordinates(lrs)

    def epochs_at(self, scene: QPointF) -> float:
        """The epochs completed at a point of the scene; NaN where the axis has no value for them."""
        return float(self.history.from_axis(self._view.mapSceneToView(scene).x(), self.axis))

    def lr_at(self, scene: QPointF) -> float:
        """The LR at a point of the scene, with two significant digits."""
        return self.scale.lr_at(float(self._view.mapSceneToView(scene).y()))

    def pixel(self, point: QPointF) -> QPointF:
        """A point of the view as pixels from its left and its top."""
        x, y = self.pixels(np.array([point.x()]), np.array([point.y()]))
        return QPointF(float(x[0]), float(y[0]))

    def pixels(self, x: FloatArray, y: FloatArray) -> Points:
        """Coordinates of the view as pixels from its left and from its top, both [points]."""
        (low, _), (_, top) = self._view.viewRange()
        across, down = (float(length) for length in self._view.viewPixelSize())
        return (x - low) / across, (top - y) / down
