"""A small curve without axes: the shape of a schedule."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPalette, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

_MOST_POINTS = 400


def shape(x: np.ndarray, lr: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """LRs (``lr`` [points] or [points, groups], each from ``x`` [points] on) as step lines within 0 to 1, one a group.

    Points are thinned to a few hundred. Without points, or with an LR that is not finite, the list is empty.
    """
    lrs = np.asarray(lr, dtype=float)
    lrs = lrs[:, None] if lrs.ndim == 1 else lrs
    x = np.asarray(x, dtype=float)
    if len(x) < 2 or not np.isfinite(lrs).all() or x[-1] <= x[0]:
        return []
    every = max(1, len(x) // _MOST_POINTS)
    keep = np.unique(np.append(np.arange(0, len(x), every), len(x) - 1))
    across = (x[keep] - x[0]) / (x[-1] - x[0])
    high = lrs.max()
    lines = []
    for column in lrs[keep].T:
        level = column / high if high > 0 else column
        lines.append((np.repeat(across, 2)[1:], np.repeat(level, 2)[:-1]))
    return lines


def paint_curve(painter: QPainter, rect: QRectF, lines: list[tuple[np.ndarray, np.ndarray]], palette: QPalette) -> None:
    """Draw lines of ``shape`` into ``rect``, with a baseline at 0 that is drawn without a curve too."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    base = QColor(palette.color(QPalette.ColorRole.Text))
    base.setAlphaF(0.25)
    painter.setPen(QPen(base, 1))
    painter.drawLine(rect.bottomLeft(), rect.bottomRight())
    for n, (across, level) in enumerate(lines):
        color = QColor(palette.color(QPalette.ColorRole.Highlight))
        color.setAlphaF(max(0.35, 1 - 0.25 * n))
        painter.setPen(QPen(color, 1.6, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin))
        left, width, bottom, height = rect.left(), rect.width(), rect.bottom() - 1, rect.height() - 2
        points = [QPointF(left + a * width, bottom - v * height) for a, v in zip(across, level, strict=True)]
        painter.drawPolyline(QPolygonF(points))
    painter.restore()


class Sparkline(QWidget):
    """Shows one curve, none until ``set_curve``."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.lines: list[tuple[np.ndarray, np.ndarray]] = []
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)

    def set_curve(self, lines: list[tuple[np.ndarray, np.ndarray]]) -> None:
        """Show lines of ``shape``."""
        self.lines = lines
        self.update()

    def sizeHint(self) -> QSize:
        """A fixed size."""
        return QSize(64, 34)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the curve."""
        painter = QPainter(self)
        paint_curve(painter, QRectF(self.rect()).adjusted(1, 2, -1, -1), self.lines, self.palette())
        painter.end()
