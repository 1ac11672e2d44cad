"""The plot of an LR range test: faintly the loss at each LR, boldly the smoothed loss, and the suggestions as lines."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QLabel, QVBoxLayout, QWidget

from engine.messages.events import RangeTestEvent
from gui.core.column import FloatArray
from gui.core.translation import tr
from gui.plots.axes import PositionAxis, Ticks, ValueAxis, log_ticks, value_text
from gui.plots.canvas import Canvas
from gui.plots.header import LegendEntry, PlotHeader
from gui.plots.items import Grid, Trace, pen
from gui.theme.theme import DARK, LIGHT, Colors, is_dark, mixed, restyle

_COLUMN: Final = 62  # pixels of a tick's text
_SHOWN: Final = 0.9  # of the losses; the rest may be out of sight because of divergence


class LRAxis(PositionAxis):
    """A horizontal axis of LRs; the view's coordinate is the exponent."""

    def tickValues(self, minVal: float, maxVal: float, size: float) -> Ticks:  # noqa: N803 - pyqtgraph's names
        """Round LRs, at most one per 62 pixels."""
        return [(1.0, log_ticks(minVal, maxVal, max(2, int(size / _COLUMN))))]

    def tickStrings(self, values: list[float], scale: float, spacing: float) -> list[str]:
        """Numbers without SI prefixes."""
        return [value_text(10**x) for x in values]


class RangeTestPlot(QFrame):
    """Loss against LR on a logarithmic axis. Follows the palette.

    The legend shows the values at the pointer. Wheel and drag zoom and pan, a double click shows everything again.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "card")
        self.colors: Colors = LIGHT
        self._event: RangeTestEvent | None = None
        self._x: FloatArray = np.empty(0)
        self.header = PlotHeader(tr("Loss vs. learning rate"), self)
        self.left, self.bottom = ValueAxis(), LRAxis()
        self.canvas = Canvas(self.left, self.bottom, self)
        self.view = self.canvas.view
        self.raw, self.smoothed = Trace(thin=True), Trace()
        self.cross = pg.InfiniteLine(angle=90)
        self.lines: dict[str, pg.InfiniteLine] = {}
        self._names = {"bold": tr("Bold"), "steady": tr("Steady")}
        self.grid = Grid(self.bottom, self.left)
        for item in (self.grid, self.raw, self.smoothed, self.cross):
            self.view.addItem(item, ignoreBounds=True)
        for kind, height in (("bold", 0.94), ("steady", 0.84)):
            line = pg.InfiniteLine(angle=90, label="", labelOpts={"position": height})
            line.setVisible(False)
            self.lines[kind] = line
            self.view.addItem(line, ignoreBounds=True)
        self.cross.setVisible(False)
        self._empty = QLabel(tr("The loss at each tested learning rate appears here"), self.canvas)
        self._empty.setProperty("role", "hint")
        self._empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._empty.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        column = QVBoxLayout(self)
        column.setContentsMargins(1, 1, 1, 1)
        column.setSpacing(0)
        column.addWidget(self.header)
        column.addWidget(self.canvas, 1)
        self.canvas.hovered.connect(self._on_hover)
        self.view.fit_requested.connect(self.fit)
        for moved in (self.view.sigXRangeChanged, self.view.sigResized):
            moved.connect(self._place_labels)
        self._follow_palette()
        self.clear()

    def show_result(self, event: RangeTestEvent) -> None:
        """Draw the losses and the suggestions of a range test."""
        self._event, self._x = event, np.log10(event.lr)
        self.raw.show_points(self._x, event.loss)
        self.smoothed.show_points(self._x, event.smoothed)
        for suggestion in event.suggestions:
            line = self.lines[suggestion.kind]
            line.setVisible(suggestion.lr is not None)
            if suggestion.lr is not None:
                line.setPos(math.log10(suggestion.lr))
                name, lr = self._names[suggestion.kind], value_text(suggestion.lr, 3)
                line.label.setFormat(tr("{name}: {lr}", name=name, lr=lr))
        self._show_empty(not len(self._x))
        self.fit()
        self._place_labels()

    def clear(self) -> None:
        """Remove the result."""
        self._event, self._x = None, np.empty(0)
        for trace in (self.raw, self.smoothed):
            trace.show_points([], [])
        for line in self.lines.values():
            line.setVisible(False)
        self._show_empty(True)
        self._on_hover(None)

    def fit(self) -> None:
        """Show all LRs, and the losses except for divergence and single high batches."""
        if self._event is None or not len(self._x):
            return
        event = self._event
        room = max(0.02 * (self._x[-1] - self._x[0]), 1e-3)
        self.view.setXRange(self._x[0] - room, self._x[-1] + room, padding=0)
        top = max(float(np.quantile(row, _SHOWN)) for row in (event.loss, event.smoothed))
        bottom = float(event.loss.min())
        span = max(top - bottom, 0.02 * abs(top), 1e-9)
        # Room at the top for the labels and for the beginning of the divergence.
        self.view.setYRange(bottom - 0.06 * span, top + 0.35 * span, padding=0)

    def changeEvent(self, event: QEvent) -> None:
        """Follow the palette."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "_empty"):
            self._follow_palette()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep the text of an empty plot centred."""
        super().resizeEvent(event)
        self._empty.setGeometry(self.canvas.rect())

    def _show_empty(self, empty: bool) -> None:
        self._empty.setVisible(empty)
        self.grid.setVisible(not empty)
        for axis in (self.left, self.bottom):
            axis.setStyle(showValues=not empty)

    def _place_labels(self) -> None:
        """Put each line's label on its outer side, where the other line does not cross it, if it fits there."""
        (low, high), _ = self.view.viewRange()
        pixel = float(self.view.viewPixelSize()[0])
        shown = sorted((line for line in self.lines.values() if line.isVisible()), key=lambda line: line.value())
        for index, line in enumerate(shown):
            width = line.label.boundingRect().width() * pixel
            outer_left = index == 0 and len(shown) > 1
            left = line.value() - width > low if outer_left else line.value() + width > high
            side = (1, 0.5) if left else (0, 0.5)
            line.label.anchors = [side, side]
            line.label.updatePosition()

    def _follow_palette(self) -> None:
        colors = self.colors = DARK if is_dark(self.palette()) else LIGHT
        self.canvas.setBackground(colors.plot)
        self.header.legend.apply_theme(colors)
        for axis in (self.left, self.bottom):
            axis.setPen(pen(colors.plot))
            axis.setTextPen(pen(colors.axis))
        self.grid.set_colors(colors.grid, colors.strip)
        faint = mixed(colors.train, colors.plot, 0.45)
        self.raw.set_color(faint)
        self.smoothed.set_color(colors.train)
        self.cross.setPen(pen(colors.cursor))
        for kind, color in (("bold", colors.intervention), ("steady", colors.lr)):
            self.lines[kind].setPen(pen(color, 1.5, Qt.PenStyle.DashLine))
            self.lines[kind].label.setColor(color)
        self.header.legend.set_entries(
            [
                LegendEntry(key="lr", name=tr("LR"), color=colors.cursor),
                LegendEntry(key="smoothed", name=tr("Smoothed loss"), color=colors.train),
                LegendEntry(key="raw", name=tr("Batch loss"), color=faint, line="faint"),
            ]
        )
        restyle(self._empty)

    def _on_hover(self, point: QPointF | None) -> None:
        inside = point is not None and len(self._x) > 0 and self.view.sceneBoundingRect().contains(point)
        self.cross.setVisible(inside)
        if not inside or point is None or self._event is None:
            self.header.legend.set_values({})
            return
        nearest = int(np.argmin(np.abs(self._x - self.view.mapSceneToView(point).x())))
        self.cross.setPos(float(self._x[nearest]))
        columns = {"lr": self._event.lr, "smoothed": self._event.smoothed, "raw": self._event.loss}
        self.header.legend.set_values({key: value_text(float(row[nearest]), 3) for key, row in columns.items()})
