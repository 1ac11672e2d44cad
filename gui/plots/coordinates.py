"""Where positions and learning rates are in the learning-rate plot: in its view, in the scene and in pixels."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF

from gui.core.history import Axis, RunHistory
from gui.plots.canvas import RunView
from gui.plots.ends import Line
from gui.plots.stairs import FloatArray, Scale


class Coordinates:
    """Converts between (epochs completed, LR), the view's coordinates, points of the scene, and pixels of the view.

    Args:
        view: the view in which the curves are.
        series: the history that knows what an epoch is on the other axes.

    ``series``, ``axis`` and ``scale`` (of the LRs) are the plot's, which sets them here when they change.
    """

    def __init__(self, view: RunView, series: RunHistory) -> None:
        self._view = view
        self.series = series
        self.axis: Axis = "epochs"
        self.scale = Scale(True, -4.0, -1.0)

    def point(self, x: float, lr: float) -> QPointF:
        """The view's coordinates of ``x`` epochs and ``lr``; x is NaN where the axis does not know it."""
        return QPointF(float(self.series.to_axis(x, self.axis)), self.y_of(lr))

    def y_of(self, lr: float) -> float:
        """The vertical coordinate of an LR."""
        return float(self.ys_of([lr])[0])

    def ys_of(self, lrs: npt.ArrayLike) -> FloatArray:
        """The vertical coordinates of LRs, of the same shape; NaN where the scale has none."""
        return self.scale.coordinates(lrs)

    def epochs_at(self, scene: QPointF) -> float:
        """The epochs completed at a point of the scene; NaN where the axis does not know them."""
        return float(self.series.from_axis(self._view.mapSceneToView(scene).x(), self.axis))

    def lr_at(self, scene: QPointF) -> float:
        """The LR at a point of the scene, with two significant digits."""
        return self.scale.lr_at(float(self._view.mapSceneToView(scene).y()))

    def pixel(self, point: QPointF) -> QPointF:
        """A point of the view as pixels from its left and its top."""
        x, y = self.pixels(np.array([point.x()]), np.array([point.y()]))
        return QPointF(float(x[0]), float(y[0]))

    def pixels(self, x: FloatArray, y: FloatArray) -> Line:
        """Coordinates of the view as pixels from its left and from its top, both [points]."""
        (low, _), (_, top) = self._view.viewRange()
        across, down = (float(length) for length in self._view.viewPixelSize())
        return (x - low) / across, (top - y) / down
