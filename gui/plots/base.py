"""The base of the three plots: canvas, header, axes, crosshair, markers, and drawing only what changed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyqtgraph as pg
from PySide6.QtCore import QCoreApplication, QEvent, QPoint, QPointF, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QLabel, QMenu, QToolTip, QVBoxLayout, QWidget

from gui.core.column import FloatArray
from gui.core.history import Axis, RunHistory
from gui.core.translation import tr
from gui.plots.axes import PositionAxis, ValueAxis
from gui.plots.canvas import Canvas
from gui.plots.header import LegendEntry, PlotHeader
from gui.plots.items import Grid, Marker, MarkerLines, pen
from gui.theme.theme import LIGHT, Colors, mixed, restyle

_MARKER_DISTANCE = 6  # pixels from a marker in which the mouse is on it
_FLAGS = 16.0  # pixels above the curves, for the markers' flags


class RunPlot(QFrame):
    """One plot of a run's history.

    Signals:
        cursor_moved(object): the pointer's position on the x axis, or None when it has left.
        x_moved(float, float): the person zoomed or panned to this x range.
        y_moved(): the person zoomed or panned the vertical axis.
        fit_requested(): the person asked to see the whole run.
        marker_clicked(object): the id of the marker that was clicked.
        menu_opening(QMenu, float, object): the context menu is about to open at this position in epochs completed, on
            the marker of this id or on none (None). Others may add to it.
        redraw_requested(): something other than the history changed and is to be drawn in the next frame.
    """

    cursor_moved = Signal(object)
    x_moved = Signal(float, float)
    y_moved = Signal()
    fit_requested = Signal()
    marker_clicked = Signal(object)
    menu_opening = Signal(object, float, object)
    redraw_requested = Signal()

    def __init__(
        self, title: str, empty: str, history: RunHistory, *, suffix: str = "", parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setProperty("role", "card")
        self.colors: Colors = LIGHT
        self.axis: Axis = "epochs"
        self.history = history
        self._drawn_version = -1
        self._dirty = True
        self._manual_y = False
        self._shown_empty: bool | None = None
        self._cursor: float | None = None
        self._markers: list[Marker] = []

        self.header = PlotHeader(title, self)
        self.left, self.bottom = ValueAxis(suffix), PositionAxis()
        self.canvas = Canvas(self.left, self.bottom, self)
        self.view = self.canvas.view
        self.grid = Grid(self.bottom, self.left)
        self.marker_lines = MarkerLines()
        self.cross = pg.InfiniteLine(angle=90)
        self.cross.setVisible(False)
        self.cross.setZValue(40)
        for item in (self.grid, self.marker_lines, self.cross):
            self.view.addItem(item, ignoreBounds=True)
        self.empty = QLabel(empty, self.canvas)
        self.empty.setProperty("role", "hint")
        self.empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.empty.setWordWrap(True)
        self.empty.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)

        column = QVBoxLayout(self)
        column.setContentsMargins(1, 1, 1, 1)
        column.setSpacing(0)
        column.addWidget(self.header)
        column.addWidget(self.canvas, 1)

        self.log_button = self.header.add_button(tr("Log axis"), tr("Logarithmic vertical axis"), checkable=True)
        self.log_button.toggled.connect(self._on_log)
        self.canvas.hovered.connect(self._on_hover)
        self.view.moved.connect(self._on_moved)
        self.view.fit_requested.connect(self.fit_requested)
        self.view.menu_requested.connect(self._on_menu)
        self.view.pressed.connect(self._on_pressed)
        self.set_x_range(0.0, 30.0)

    # What each plot defines ----------------------------------------------------------------------------------------

    def draw(self) -> None:
        """Update the curves to the history, the x range and the scale."""
        raise NotImplementedError

    def entries(self) -> list[LegendEntry]:
        """The entries of the legend."""
        raise NotImplementedError

    def values_at(self, x: float | None) -> dict[str, str]:
        """The legend's values at ``x`` (epochs completed) by the entries' keys, or the newest ones for None."""
        raise NotImplementedError

    def version(self) -> int:
        """A number that changes whenever what this plot shows of the history does."""
        return self.history.version

    def is_empty(self) -> bool:
        """Whether there is nothing to draw."""
        raise NotImplementedError

    # What the stack sets -------------------------------------------------------------------------------------------

    def set_history(self, history: RunHistory) -> None:
        """Show the history of another run."""
        self.history = history
        self._drawn_version = -1
        self._manual_y = False
        self.request_redraw()

    def set_axis(self, axis: Axis) -> None:
        """Count positions in epochs, steps or seconds."""
        self.axis = axis
        self.bottom.set_kind(axis)
        self.request_redraw()

    def set_x_range(self, low: float, high: float) -> None:
        """Show positions ``low`` to ``high`` of the chosen axis."""
        if high > low and (low, high) != self.x_range:
            self.view.setXRange(low, high, padding=0)
            self._dirty = True

    @property
    def x_range(self) -> tuple[float, float]:
        """The positions that are shown."""
        low, high = self.view.viewRange()[0]
        return float(low), float(high)

    def set_markers(self, markers: Sequence[Marker]) -> None:
        """Mark these positions."""
        self._markers = list(markers)
        self.request_redraw()

    def set_cursor(self, value: float | None) -> None:
        """Put the crosshair at ``value`` on the chosen axis, or hide it."""
        self._cursor = value
        self.cross.setVisible(value is not None)
        if value is not None:
            self.cross.setPos(value)
        self._show_values()

    def fit_y(self) -> None:
        """Choose the vertical range automatically again."""
        self._manual_y = False
        self.request_redraw()

    def apply_theme(self, colors: Colors) -> None:
        """Draw in ``colors``."""
        self.colors = colors
        self.canvas.setBackground(colors.plot)
        self.header.legend.apply_theme(colors)
        for axis in (self.left, self.bottom):
            axis.setPen(pen(colors.plot))
            axis.setTextPen(pen(colors.axis))
        self.grid.set_colors(colors.grid, colors.strip)
        self.marker_lines.set_colors(colors.intervention, colors.schedule_marker)
        self.cross.setPen(pen(colors.cursor))
        restyle(self.empty)
        self.request_redraw()

    def request_redraw(self) -> None:
        """Draw again in the next frame, because something other than the history changed."""
        self._dirty = True
        self.redraw_requested.emit()

    def refresh(self) -> bool:
        """Draw if anything changed since the last call, and return whether it had."""
        if not self._dirty and self._drawn_version == self.version():
            return False
        self._dirty = False
        self._drawn_version = self.version()
        self.header.legend.set_entries(self.entries())
        positions = self.history.to_axis([m.x for m in self._markers], self.axis).tolist()
        self.marker_lines.set_lines([(x, m) for x, m in zip(positions, self._markers, strict=True) if np.isfinite(x)])
        empty = self.is_empty()
        if empty != self._shown_empty:
            self._shown_empty = empty
            self.empty.setVisible(empty)
            self.left.setStyle(showValues=not empty)
        self.draw()
        self._show_values()
        self.flush()
        return True

    def flush(self) -> None:
        """Send the scene's changed regions to its view now.

        The scene would send them in a queued call after the frame, and painting them would not be measured.
        """
        QCoreApplication.sendPostedEvents(self.canvas.scene(), QEvent.Type.MetaCall.value)

    # Helpers for the subclasses ------------------------------------------------------------------------------------

    @property
    def log(self) -> bool:
        """Whether the vertical axis is logarithmic."""
        return bool(self.left.log)

    def pixels(self) -> int:
        """The width of the drawing area, at least 50."""
        return max(50, int(self.view.width()))

    def x_epochs(self) -> tuple[float, float]:
        """The positions that are shown, in epochs completed."""
        low, high = self.history.from_axis(self.x_range, self.axis).tolist()
        return (low, high) if low == low and high == high else (0.0, 0.0)

    def visible(self, x: FloatArray) -> tuple[int, int]:
        """First and stop of the visible rows of ``x`` (epochs completed, rising), with one more on either side."""
        low, high = self.x_epochs()
        first, stop = int(np.searchsorted(x, low)), int(np.searchsorted(x, high, side="right"))
        return max(0, first - 1), min(len(x), stop + 1)

    def scaled(self, values: npt.ArrayLike) -> FloatArray:
        """The vertical coordinates of ``values``: the values, or on a log axis their exponents (NaN for 0 and less)."""
        given = np.asarray(values, np.float64)
        return log_or_nan(given) if self.log else given

    def show_y(self, low: float, high: float) -> None:
        """Show the coordinates ``low`` to ``high`` with a margin.

        The range stays as it is while it fits: another one needs new ticks, and a curve that keeps still reads better.
        """
        if self._manual_y or not (np.isfinite(low) and np.isfinite(high)):
            return
        span = max(high - low, 0.02 if self.log else max(abs(high) * 0.02, 1e-9))
        now_low, now_high = (float(v) for v in self.view.viewRange()[1])
        room = span * min(0.25, max(0.08, _FLAGS / max(1.0, float(self.view.height()))))
        above = room / 2 if self._markers else 0.0
        if now_low <= low and high + above <= now_high and span > 0.7 * (now_high - now_low):
            return
        middle = (low + high) / 2
        self.view.setYRange(middle - span * 0.58, middle + span * 0.5 + room, padding=0)

    def clamped(self, y: FloatArray) -> FloatArray:
        """``y`` limited to one height beyond the visible range, because an extreme spike takes long to draw."""
        low, high = (float(v) for v in self.view.viewRange()[1])
        return np.clip(y, low - (high - low), high + (high - low))

    def train_val_entries(self) -> list[LegendEntry]:
        """Legend entries with the keys "train" and "val"."""
        return [
            LegendEntry(key="train", name=tr("Training"), short=tr("Train"), color=self.colors.train),
            LegendEntry(key="val", name=tr("Validation"), short=tr("Val"), color=self.colors.val),
        ]

    def abandoned_entries(self) -> list[LegendEntry]:
        """A legend entry if the run has abandoned branches, else none."""
        if not self.history.abandoned:
            return []
        color, name = mixed(self.colors.axis, self.colors.plot, 0.5), tr("Abandoned branch")
        return [LegendEntry(key="abandoned", name=name, short=tr("Abandoned"), color=color, line="faint")]

    # Internals -----------------------------------------------------------------------------------------------------

    def _show_values(self) -> None:
        x = None
        if self._cursor is not None:
            x = float(self.history.from_axis(self._cursor, self.axis))
        self.header.legend.set_values(self.values_at(x))

    def _on_log(self, log: bool) -> None:
        self.left.set_scale(log=log)
        self.fit_y()
        self.refresh()

    def _on_hover(self, point: QPointF | None) -> None:
        inside = point is not None and self.view.sceneBoundingRect().contains(point)
        if not inside or point is None:
            self.cursor_moved.emit(None)
            return
        marker = self._marker_at(point)
        if marker is not None and marker.text:
            at = self.canvas.viewport().mapToGlobal(self.canvas.mapFromScene(point))
            QToolTip.showText(at, marker.text, self.canvas)
        elif QToolTip.isVisible():
            QToolTip.hideText()
        self.cursor_moved.emit(float(self.view.mapSceneToView(point).x()))

    def _marker_at(self, point: QPointF) -> Marker | None:
        x = self.view.mapSceneToView(point).x()
        distance = abs(self.view.mapSceneToView(point + QPointF(_MARKER_DISTANCE, 0)).x() - x)
        return self.marker_lines.nearest(float(x), float(distance))

    def _on_pressed(self, point: QPointF) -> None:
        marker = self._marker_at(point)
        if marker is not None:
            self.marker_clicked.emit(marker.id)

    def _on_moved(self, axis: int) -> None:
        if axis == 0:
            self.x_moved.emit(*self.x_range)
        else:
            self._manual_y = True
            self.y_moved.emit()
        self.request_redraw()
        self.refresh()

    def _on_menu(self, at: QPoint) -> None:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addAction(tr("Show the whole run"), self.fit_requested.emit)
        if not self.log_button.isHidden():
            action = menu.addAction(tr("Logarithmic axis"), self.log_button.toggle)
            action.setCheckable(True)
            action.setChecked(self.log_button.isChecked())
        point = self.canvas.mapToScene(self.canvas.mapFromGlobal(at))
        marker = self._marker_at(point)
        x = float(self.history.from_axis(self.view.mapSceneToView(point).x(), self.axis))
        self.menu_opening.emit(menu, x, marker.id if marker is not None else None)
        menu.popup(at)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Draw again: the number of points depends on the width."""
        super().resizeEvent(event)
        self.empty.setGeometry(self.canvas.rect().adjusted(70, 0, -20, -10))
        self.request_redraw()

    def showEvent(self, event: Any) -> None:
        """Draw what changed while the plot was hidden."""
        super().showEvent(event)
        self.request_redraw()


def log_or_nan(values: FloatArray) -> FloatArray:
    """The logarithm to base 10 of ``values``; NaN for 0 and less."""
    return np.log10(values, out=np.full_like(values, np.nan), where=values > 0)


def finite(*arrays: npt.ArrayLike) -> FloatArray:
    """The finite numbers of all ``arrays``, as one array [n]."""
    joined = np.concatenate([np.asarray(array, np.float64).reshape(-1) for array in arrays])
    return np.asarray(joined[np.isfinite(joined)])
