"""What is drawn in a plot: curves, grid and markers. Each is painted in a fraction of a millisecond."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt
import pyqtgraph as pg
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QPolygonF

from gui.core.column import FloatArray
from gui.theme.theme import mixed

MANY: Final = 2000
"""A curve of more points is drawn 1 pixel wide and without antialiasing."""
_DOTS: Final = 90  # points, up to which each has a dot
_DOT: Final = 3.0  # radius of a dot in pixels
_INSET: Final = 2.0  # pixels between the view's edge, which clips, and the markers' flags
_ABANDONED_SHARE: Final = 0.38  # of a curve's color in that of an abandoned branch


def pen(color: str, width: float = 1.0, style: Qt.PenStyle = Qt.PenStyle.SolidLine) -> QPen:
    """A pen whose width is in pixels at any scale."""
    made = QPen(QColor(color), width, style)
    made.setCosmetic(True)
    return made


class Trace(pg.PlotCurveItem):  # type: ignore[misc]
    """A curve: 2 pixels wide and antialiased while it is short, 1 pixel wide and aliased when it is long.

    Args:
        thin: always 1 pixel wide and aliased: for noise, which takes fifty times as long wide and antialiased.
        dots: a dot at each point while there are few.
        dashes: dash, gap, dash and so on, in widths of the line; none for a solid line.
    """

    def __init__(self, *, thin: bool = False, dots: bool = False, dashes: Sequence[float] = ()) -> None:
        super().__init__(connect="finite")
        self._thin, self._dots, self._dashes = thin, dots, list(dashes)
        self._color = "#000000"
        self.setSegmentedLineMode("on" if thin else "auto")

    def set_color(self, color: str) -> None:
        """Draw in ``color``, which is opaque: blending takes longer than drawing."""
        self._color = color
        self._update_pen()

    def show_points(self, x: npt.ArrayLike, y: npt.ArrayLike, *, smooth: bool = True) -> None:
        """Draw a line through the points (both [points]); ``smooth=False`` keeps the edges of steps sharp."""
        xs, ys = np.asarray(x, np.float64), np.asarray(y, np.float64)
        self.opts["antialias"] = smooth and not self._thin and xs.size <= MANY
        self.setData(xs, ys, connect="finite")
        self._update_pen()

    def _update_pen(self) -> None:
        count = 0 if self.xData is None else len(self.xData)
        width = 1.0 if self._thin or count > MANY else 2.0
        made = pen(self._color, width)
        if self._dashes:
            made.setDashPattern(self._dashes)
        current = self.opts["pen"]
        if not isinstance(current, QPen) or made != current:
            self.setPen(made)

    def pixelPadding(self) -> float:
        """Room for the dots."""
        return float(super().pixelPadding()) + (4 if self._dots else 0)

    def paint(self, p: QPainter, opt: Any, widget: Any) -> None:
        """Paint the line, then its dots in pixels."""
        super().paint(p, opt, widget)
        if not self._dots or self.xData is None or not 0 < len(self.xData) <= _DOTS:
            return
        known = np.isfinite(self.yData)
        pairs = zip(self.xData[known].tolist(), self.yData[known].tolist(), strict=True)
        # The view's scale does not apply to a cosmetic pen's width but does to its round cap: dots are drawn in pixels.
        to_pixels = p.worldTransform()
        p.save()
        p.resetTransform()
        p.setRenderHint(QPainter.RenderHint.Antialiasing, True)
        p.setPen(Qt.PenStyle.NoPen)
        p.setBrush(QColor(self._color))
        for x, y in pairs:
            p.drawEllipse(to_pixels.map(QPointF(x, y)), _DOT, _DOT)
        p.restore()


class AbandonedTrace(Trace):
    """The same curve of all abandoned branches, faint and behind the run's own."""

    def __init__(self) -> None:
        super().__init__(thin=True)
        self.setZValue(-30)

    def set_faint(self, color: str, background: str) -> None:
        """Draw in ``color``, blended into ``background``."""
        self.set_color(mixed(color, background, _ABANDONED_SHARE))

    def show_branches(self, branches: Iterable[tuple[FloatArray, FloatArray]]) -> None:
        """Draw each branch's x and y (both [points]), with a gap between one branch and the next."""
        gap = np.array([np.nan])
        pairs = [(x, y) for x, y in branches if len(x)]
        xs = [part for x, _ in pairs for part in (x, gap)]
        ys = [part for _, y in pairs for part in (y, gap)]
        self.setVisible(bool(pairs))
        self.show_points(np.concatenate(xs) if xs else gap[:0], np.concatenate(ys) if ys else gap[:0], smooth=False)


class ViewItem(pg.GraphicsObject):  # type: ignore[misc]
    """An item that covers the whole view and is repainted whenever the view moves."""

    def viewRangeChanged(self) -> None:
        """Follow the view."""
        self.prepareGeometryChange()
        self.update()

    def boundingRect(self) -> QRectF:
        """The whole view."""
        return QRectF(self.viewRect()) if self.getViewBox() is not None else QRectF()


class Grid(ViewItem):
    """Thin lines at the ticks of both axes. (pyqtgraph's own grid takes ten times as long as all curves together.)"""

    def __init__(self, bottom: pg.AxisItem, left: pg.AxisItem) -> None:
        super().__init__()
        self._bottom, self._left = bottom, left
        self._pen = pen("#cccccc")
        self._strip = QColor("#eeeeee")
        self.setZValue(-100)

    def set_colors(self, grid: str, strip: str) -> None:
        """Set the colours of the lines and of the strip for 0."""
        self._pen, self._strip = pen(grid), QColor(strip)
        self.update()

    def paint(self, p: QPainter, *_args: Any) -> None:
        """Paint with two calls: one fill and one batch of lines."""
        view, rect = self.getViewBox(), self.boundingRect()
        zero = getattr(self._left, "zero_at", None)
        if zero is not None:
            strip_top = self._left.strip_top()
            p.fillRect(QRectF(rect.left(), rect.top(), rect.width(), strip_top - rect.top()), self._strip)
        lines: list[QPointF] = []
        for _, values in self._bottom.tickValues(rect.left(), rect.right(), view.width()):
            for x in values:
                lines += (QPointF(x, rect.top()), QPointF(x, rect.bottom()))
        for _, values in self._left.tickValues(rect.top(), rect.bottom(), view.height()):
            for y in values:
                if y != zero:
                    lines += (QPointF(rect.left(), y), QPointF(rect.right(), y))
        p.setPen(self._pen)
        p.drawLines(lines)


MarkerKind = Literal["intervention", "schedule"]
"""What happened: a person intervened, or the schedule changed the LR."""


@dataclass(frozen=True, kw_only=True)
class Marker:
    """A marked position.

    Args:
        x: the position in epochs completed.
        kind: what happened there.
        text: the tooltip, as rich text.
        id: what a click on the marker reports.
    """

    x: float
    kind: MarkerKind
    text: str
    id: object


class MarkerLines(ViewItem):
    """All markers of a plot as one item: a dashed line each, with a small flag at the top."""

    def __init__(self) -> None:
        super().__init__()
        self._lines: list[tuple[float, Marker]] = []
        self._colors = {"intervention": QColor("#aa0000"), "schedule": QColor("#888888")}
        self.setZValue(-50)

    def set_colors(self, intervention: str, schedule: str) -> None:
        """Set the colours of the two kinds."""
        self._colors = {"intervention": QColor(intervention), "schedule": QColor(schedule)}
        self.update()

    def set_lines(self, lines: list[tuple[float, Marker]]) -> None:
        """Show the markers, each with its x in the view's coordinates."""
        self._lines = lines
        self.update()

    def nearest(self, x: float, distance: float) -> Marker | None:
        """The marker nearest to ``x``, at most ``distance`` away (both in the view's coordinates)."""
        best = min(self._lines, key=lambda line: abs(line[0] - x), default=None)
        return best[1] if best is not None and abs(best[0] - x) <= distance else None

    def paint(self, p: QPainter, *_args: Any) -> None:
        """Paint the dashed lines, then the flags in pixels."""
        rect = self.boundingRect()
        shown = [(x, m.kind) for x, m in self._lines if rect.left() <= x <= rect.right()]
        if not shown:
            return
        to_pixels = p.worldTransform()
        for kind in ("schedule", "intervention"):
            here = [x for x, k in shown if k == kind]
            if not here:
                continue
            line = QPen(self._colors[kind], 1.0, Qt.PenStyle.CustomDashLine)
            line.setDashPattern([1, 3] if kind == "schedule" else [3, 3])
            line.setCosmetic(True)
            p.setPen(line)
            p.drawLines([point for x in here for point in (QPointF(x, rect.top()), QPointF(x, rect.bottom()))])
            p.save()
            p.resetTransform()
            p.setRenderHint(QPainter.RenderHint.Antialiasing, True)
            p.setPen(Qt.PenStyle.NoPen)
            p.setBrush(self._colors[kind])
            size = 4.5 if kind == "intervention" else 3.5
            for x in here:
                top = to_pixels.map(QPointF(x, rect.bottom())) + QPointF(0, _INSET)
                corners = [QPointF(-size, 0), QPointF(size, 0), QPointF(0, size * 1.5)]
                p.drawPolygon(QPolygonF([top + corner for corner in corners]))
            p.restore()
