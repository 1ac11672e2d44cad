"""Plots that compare runs: loss, learning rate and accuracy over epochs, each run in its own colour."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QEvent, QPointF, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from gui.core.column import FloatArray
from gui.core.translation import tr
from gui.plots.axes import PositionAxis, ValueAxis
from gui.plots.base import finite, log_or_nan
from gui.plots.canvas import Canvas
from gui.plots.header import LegendEntry, PlotHeader
from gui.plots.items import Grid, Trace, pen
from gui.plots.lr_coordinates import scale_for
from gui.plots.lr_curves import StepCurve
from gui.theme.theme import DARK, LIGHT, Colors, is_dark, mixed

_MOST = 4000  # steps of an LR curve


@dataclass(frozen=True, kw_only=True)
class RunCurves:
    """The curves of one run.

    Args:
        epochs: the epochs of the metrics [epochs].
        train_loss, val_loss, train_accuracy, val_accuracy: at the end of each epoch [epochs]; accuracies from 0 to 1.
        x: the positions from which each LR applies, in epochs completed [points].
        lr: the LRs [points, groups].
    """

    epochs: FloatArray
    train_loss: FloatArray
    val_loss: FloatArray
    train_accuracy: FloatArray
    val_accuracy: FloatArray
    x: FloatArray
    lr: FloatArray

    @property
    def end(self) -> float:
        """The run's position in epochs completed."""
        last = float(self.x[-1]) if len(self.x) else 0.0
        return max(last, float(self.epochs[-1])) if len(self.epochs) else last


class OverlayPlot(QFrame):
    """One quantity of several runs.

    Signals:
        cursor_moved(object): the pointer's position in epochs completed (float), or None when it has left.
    """

    cursor_moved = Signal(object)

    def __init__(self, title: str, suffix: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "card")
        self.colors: Colors = LIGHT
        self.header = PlotHeader(title, self)
        self.left, self.bottom = ValueAxis(suffix), PositionAxis()
        self.canvas = Canvas(self.left, self.bottom, self)
        self.view = self.canvas.view
        self.cross = pg.InfiniteLine(angle=90)
        self.cross.setVisible(False)
        self.grid = Grid(self.bottom, self.left)
        self.traces: list[tuple[Trace, int, bool]] = []
        for item in (self.grid, self.cross):
            self.view.addItem(item, ignoreBounds=True)
        column = QVBoxLayout(self)
        column.setContentsMargins(1, 1, 1, 1)
        column.setSpacing(0)
        column.addWidget(self.header)
        column.addWidget(self.canvas, 1)
        self.canvas.hovered.connect(self._on_hover)

    def clear(self) -> None:
        """Remove every curve."""
        for trace, _, _ in self.traces:
            self.view.removeItem(trace)
        self.traces.clear()

    def add(self, run: int, x: FloatArray, y: FloatArray, *, faint: bool = False, steps: bool = False) -> None:
        """Add a curve of the run with this index; ``steps`` keeps its edges sharp."""
        trace = Trace(thin=faint, dots=not faint and not steps)
        trace.show_points(x, y, smooth=not steps)
        self.view.addItem(trace, ignoreBounds=True)
        self.traces.append((trace, run, faint))

    def show_colors(self, colors: Colors, legend: Sequence[LegendEntry]) -> None:
        """Draw in ``colors``."""
        self.canvas.setBackground(colors.plot)
        self.header.legend.apply_theme(colors)
        self.header.legend.set_entries(list(legend))
        for axis in (self.left, self.bottom):
            axis.setPen(pen(colors.plot))
            axis.setTextPen(pen(colors.axis))
        self.grid.set_colors(colors.grid, colors.strip)
        self.cross.setPen(pen(colors.cursor))
        for trace, run, faint in self.traces:
            color = colors.groups[run % len(colors.groups)]
            trace.set_color(mixed(color, colors.plot, 0.45) if faint else color)

    def show_cross(self, x: float | None) -> None:
        """Put the crosshair at ``x``, or hide it."""
        self.cross.setVisible(x is not None)
        if x is not None:
            self.cross.setPos(x)

    def _on_hover(self, point: QPointF | None) -> None:
        inside = point is not None and self.view.sceneBoundingRect().contains(point)
        self.cursor_moved.emit(float(self.view.mapSceneToView(point).x()) if inside and point is not None else None)


class OverlayPlots(QWidget):
    """Loss, learning rate and accuracy of several runs, side by side with one x range. Follows the palette.

    Signals:
        cursor_moved(object): the pointer's position in epochs completed (float), or None when it has left.
    """

    cursor_moved = Signal(object)

    def __init__(self, runs: Sequence[RunCurves], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._runs = list(runs)
        self.loss, self.lr = OverlayPlot(tr("Loss")), OverlayPlot(tr("Learning rate"))
        self.accuracy = OverlayPlot(tr("Accuracy"), "%")
        self.plots = (self.loss, self.lr, self.accuracy)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(6)
        for plot in self.plots:
            row.addWidget(plot, 1)
            plot.cursor_moved.connect(self._on_cursor)
            plot.view.fit_requested.connect(self.fit)
        for plot in (self.lr, self.accuracy):
            plot.view.setXLink(self.loss.view)
        tip = tr("Logarithmic vertical axis")
        self.log_button = self.loss.header.add_button(tr("Log axis"), tip, checkable=True)
        self.log_button.setChecked(True)
        self.log_button.toggled.connect(self._on_log)
        self._draw()
        self._draw_loss()
        self.fit()
        self._follow_palette()

    def fit(self) -> None:
        """Show every curve whole."""
        end = max((run.end for run in self._runs), default=1.0) or 1.0
        self.loss.view.setXRange(-0.02 * end, 1.02 * end, padding=0)
        self._fit(self.loss, [self._scaled(v) for run in self._runs for v in (run.train_loss, run.val_loss)])
        self._fit(self.accuracy, [100 * v for run in self._runs for v in (run.train_accuracy, run.val_accuracy)])
        scale = self._scale
        if scale is not None:
            self.lr.view.setYRange(scale.low, scale.high, padding=0)

    def changeEvent(self, event: QEvent) -> None:
        """Follow the palette."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "plots"):
            self._follow_palette()

    def _draw(self) -> None:
        known = [run.lr.ravel() for run in self._runs if run.lr.size]
        scale = self._scale = scale_for(np.concatenate(known), log=True) if known else None
        if scale is not None:
            self.lr.left.set_scale(log=scale.log, zero_at=scale.zero_at)
        for index, run in enumerate(self._runs):
            self.accuracy.add(index, run.epochs, 100 * run.train_accuracy, faint=True)
            self.accuracy.add(index, run.epochs, 100 * run.val_accuracy)
            for group in range(run.lr.shape[1] if scale is not None else 0):
                if len(run.x):
                    x, y = StepCurve.of(run.x, run.lr[:, group]).between(float(run.x[0]), run.end, _MOST)
                    if scale is not None:
                        self.lr.add(index, x, scale.coordinates(y), steps=True)

    def _draw_loss(self) -> None:
        self.loss.clear()
        self.loss.left.set_scale(log=self.log_button.isChecked())
        for index, run in enumerate(self._runs):
            self.loss.add(index, run.epochs, self._scaled(run.train_loss), faint=True)
            self.loss.add(index, run.epochs, self._scaled(run.val_loss))

    def _scaled(self, loss: FloatArray) -> FloatArray:
        return log_or_nan(loss) if self.log_button.isChecked() else loss

    def _on_log(self) -> None:
        self._draw_loss()
        self._follow_palette()
        self.fit()

    def _fit(self, plot: OverlayPlot, curves: Sequence[FloatArray]) -> None:
        values = finite(*curves)
        if not values.size:
            return
        low, high = float(values.min()), float(values.max())
        span = max(high - low, 0.02 * max(abs(high), 1e-9))
        plot.view.setYRange(low - 0.06 * span, high + 0.08 * span, padding=0)

    def _follow_palette(self) -> None:
        colors = DARK if is_dark(self.palette()) else LIGHT
        faint = mixed(colors.axis, colors.plot, 0.45)
        both = [
            LegendEntry(key="val", name=tr("Validation"), short=tr("Val"), color=colors.axis),
            LegendEntry(key="train", name=tr("Training"), short=tr("Train"), color=faint, line="faint"),
        ]
        for plot in self.plots:
            plot.show_colors(colors, [] if plot is self.lr else both)

    def _on_cursor(self, x: float | None) -> None:
        shown = x if x is not None and math.isfinite(x) else None
        for plot in self.plots:
            plot.show_cross(shown)
        self.cursor_moved.emit(shown)


def run_colors(dark: bool) -> tuple[str, ...]:
    """The colours of the runs, in order."""
    return (DARK if dark else LIGHT).groups
