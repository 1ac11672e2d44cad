"""What is drawn in a plot: curves, grid, markers and the handle. Each paints in a fraction of a millisecond."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QPolygonF

from gui.plots.pyqtgraph_setup import pg

MANY: Final = 2000
_DOTS: Final = 90
_DOT: Final = 3.0  # radius in pixels
_INSET: Final = 2.0  # pixels between the view's edge, which cuts, and the flags

FloatArray = npt.NDArray[np.float64]


def pen(color: str, width: float = 1.0, style: Qt.PenStyle = Qt.PenStyle.SolidLine) -> QPen:
    """A pen whose width is in pixels whatever the scale."""
    made = QPen(QColor(color), width, style)
    made.setCosmetic(True)
    return made


class Trace(pg.PlotCurveItem):  # type: ignore[misc]
    """A curve that is 2 pixels wide and smooth while it is short, and 1 pixel and plain when it is long.

    Args:
        thin: always 1 pixel and plain: for noise, which costs fifty times as much wide and antialiased.
        dots: a dot at each point while there are few.
        dashes: dash, gap, dash and so on, in widths of the line; none for a solid one.
    """

    def __init__(self, *, thin: bool = False, dots: bool = False, dashes: Sequence[float] = ()) -> None:
        super().__init__(connect="finite")
        self._thin, self._dots, self._dashes = thin, dots, list(dashes)
        self._color = "#000000"
        self.setSegmentedLineMode("on" if thin else "auto")

    def set_color(self, color: str) -> None:
        """Draw in ``color``, which is opaque: blending costs more than drawing."""
        self._color = color
        self._use_pen()

    def show_points(self, x: npt.ArrayLike, y: npt.ArrayLike, *, smooth: bool = True) -> None:
        """Draw through the points; ``smooth`` False leaves the edges of a staircase crisp."""
        xs, ys = np.asarray(x, np.float64), np.asarray(y, np.float64)
        self.opts["antialias"] = smooth and not self._thin and xs.size <= MANY
        self.setData(xs, ys, connect="finite")
        self._use_pen()

    def _use_pen(self) -> None:
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
        """The line, then its dots in pixels."""
        super().paint(p, opt, widget)
        if not self._dots or self.xData is None or not 0 < len(self.xData) <= _DOTS:
            return
        known = np.isfinite(self.yData)
        pairs = zip(self.xData[known].tolist(), self.yData[known].tolist(), strict=True)
        # A cosmetic pen is spared the view's scale, its round cap is not: the dots are drawn in pixels.
        to_pixels = p.worldTransform()
        p.save()
        p.resetTransform()
        p.setRenderHint(QPainter.RenderHint.Antialiasing, True)
        p.setPen(Qt.PenStyle.NoPen)
        p.setBrush(QColor(self._color))
        for x, y in pairs:
            p.drawEllipse(to_pixels.map(QPointF(x, y)), _DOT, _DOT)
        p.restore()


class _Behind(pg.GraphicsObject):  # type: ignore[misc]
    """An item as large as the view."""

    def viewRangeChanged(self) -> None:
        """The view moved: the item is elsewhere and looks different."""
        self.prepareGeometryChange()
        self.update()

    def boundingRect(self) -> QRectF:
        """The whole view."""
        return QRectF(self.viewRect()) if self.getViewBox() is not None else QRectF()


class Grid(_Behind):
    """Hairlines at the ticks of both axes. (pyqtgraph's own grid takes ten times as long as all curves together.)"""

    def __init__(self, bottom: pg.AxisItem, left: pg.AxisItem) -> None:
        super().__init__()
        self._bottom, self._left = bottom, left
        self._pen = pen("#cccccc")
        self._strip = QColor("#eeeeee")
        self.setZValue(-100)

    def set_colors(self, grid: str, strip: str) -> None:
        """Colours of the hairlines and of the strip for 0."""
        self._pen, self._strip = pen(grid), QColor(strip)
        self.update()

    def paint(self, p: QPainter, *_args: Any) -> None:
        """Two calls: one fill and one batch of lines."""
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


@dataclass(frozen=True, kw_only=True)
class Marker:
    """A moment worth a line: ``x`` in epochs completed, ``kind`` who acted, ``text`` what for, ``id`` whose."""

    x: float
    kind: Literal["intervention", "plan"]
    text: str
    id: object


class MarkerLines(_Behind):
    """All markers of a plot as one item: a fine line each, with a small flag at the top."""

    def __init__(self) -> None:
        super().__init__()
        self._lines: list[tuple[float, Marker]] = []
        self._colors = {"intervention": QColor("#aa0000"), "plan": QColor("#888888")}
        self.setZValue(-50)

    def set_colors(self, intervention: str, plan: str) -> None:
        """Colours of the two kinds."""
        self._colors = {"intervention": QColor(intervention), "plan": QColor(plan)}
        self.update()

    def set_lines(self, lines: list[tuple[float, Marker]]) -> None:
        """The markers with their positions in the view's coordinates."""
        self._lines = lines
        self.update()

    def near(self, x: float, reach: float) -> Marker | None:
        """The marker nearest to ``x``, at most ``reach`` away."""
        best = min(self._lines, key=lambda line: abs(line[0] - x), default=None)
        return best[1] if best is not None and abs(best[0] - x) <= reach else None

    def paint(self, p: QPainter, *_args: Any) -> None:
        """Fine dashes, then the flags in pixels."""
        rect = self.boundingRect()
        shown = [(x, m.kind) for x, m in self._lines if rect.left() <= x <= rect.right()]
        if not shown:
            return
        to_pixels = p.worldTransform()
        for kind in ("plan", "intervention"):
            here = [x for x, k in shown if k == kind]
            if not here:
                continue
            line = QPen(self._colors[kind], 1.0, Qt.PenStyle.CustomDashLine)
            line.setDashPattern([1, 3] if kind == "plan" else [3, 3])
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


class Handle(pg.GraphicsObject):  # type: ignore[misc]
    """A round grip that is dragged up and down. Calls ``moved(position in the scene, finished, modifier keys)``."""

    def __init__(self, moved: Callable[[QPointF, bool, Qt.KeyboardModifier], None]) -> None:
        super().__init__()
        self._moved = moved
        self._fill, self._rim = QColor("#000000"), QColor("#ffffff")
        self._hot = False
        self.setFlag(self.GraphicsItemFlag.ItemIgnoresTransformations)
        self.setCursor(Qt.CursorShape.SizeVerCursor)
        self.setZValue(50)

    def set_colors(self, fill: str, rim: str) -> None:
        """Colours of the disc and of its rim."""
        self._fill, self._rim = QColor(fill), QColor(rim)
        self.update()

    def boundingRect(self) -> QRectF:
        """In pixels about the position, larger than the disc so that it is easy to take hold of."""
        return QRectF(-11, -11, 22, 22)

    def paint(self, p: QPainter, *_args: Any) -> None:
        """A disc with a rim of the plot's background."""
        p.setRenderHint(QPainter.RenderHint.Antialiasing, True)
        p.setPen(QPen(self._rim, 2.0))
        p.setBrush(self._fill)
        radius = 7.0 if self._hot else 5.5
        p.drawEllipse(QPointF(0, 0), radius, radius)

    def hoverEvent(self, ev: Any) -> None:
        """Claim the drag, so that the view does not move instead."""
        self._hot = not ev.isExit() and bool(ev.acceptDrags(Qt.MouseButton.LeftButton))
        self.update()

    def mouseDragEvent(self, ev: Any) -> None:
        """Report where the pointer is."""
        if ev.button() != Qt.MouseButton.LeftButton:
            ev.ignore()
            return
        ev.accept()
        self._moved(ev.scenePos(), bool(ev.isFinish()), ev.modifiers())


class ControlPoints(_Behind):
    """The points of a drawn curve: rings, the chosen one filled."""

    def __init__(self) -> None:
        super().__init__()
        self._points: list[tuple[float, float]] = []
        self._chosen: int | None = None
        self._color, self._ground = QColor("#000000"), QColor("#ffffff")
        self.setZValue(60)

    def set_points(self, points: list[tuple[float, float]], chosen: int | None, color: str, ground: str) -> None:
        """Where they stand in the view's coordinates, which one is chosen, and their colours."""
        self._points, self._chosen = points, chosen
        self._color, self._ground = QColor(color), QColor(ground)
        self.update()

    def paint(self, p: QPainter, *_args: Any) -> None:
        """In pixels, whatever the scale."""
        rect, to_pixels = self.boundingRect(), p.worldTransform()
        p.save()
        p.resetTransform()
        p.setRenderHint(QPainter.RenderHint.Antialiasing, True)
        for index, (x, y) in enumerate(self._points):
            if rect.left() <= x <= rect.right():
                chosen = index == self._chosen
                p.setPen(QPen(self._color, 2.0))
                p.setBrush(self._color if chosen else self._ground)
                p.drawEllipse(to_pixels.map(QPointF(x, y)), 5.5 if chosen else 4.5, 5.5 if chosen else 4.5)
        p.restore()
