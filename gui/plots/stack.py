"""The three plots of a run with one x axis and one crosshair."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial

import numpy as np
from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QLabel, QSplitter, QVBoxLayout, QWidget

from engine.messages.preview import Curve
from gui.core.history import AXES, Axis, RunHistory
from gui.core.translation import tr
from gui.plots.accuracy import AccuracyPlot
from gui.plots.axes import clock_text
from gui.plots.base import RunPlot
from gui.plots.header import segment_button
from gui.plots.items import Marker, MarkerKind
from gui.plots.loss import LossPlot
from gui.plots.lr import LRPlot
from gui.theme.theme import LIGHT, Colors, set_style_property

_HOVER = 1 / 25  # seconds between two updates of the crosshair, at least
_LOWEST = 102  # pixels of a plot with its header: less shows no curve
_MARGIN = 0.01  # of the x range on either side, so that dots and the handle at the ends are not clipped


class PlotStack(QWidget):
    """Loss, learning rate and accuracy of a run.

    Signals:
        marker_clicked(object), menu_opening(QMenu, float, object): of any plot; see ``RunPlot``.
        dragged(float, bool), dragging(bool): of the learning rate; see ``LRPlot``.
        redraw_requested(): something changed that is to be drawn in the next frame.
    """

    marker_clicked = Signal(object)
    menu_opening = Signal(object, float, object)
    dragged = Signal(float, bool)
    dragging = Signal(bool)
    redraw_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._history = RunHistory()
        self._epochs = 30
        self._axis: Axis = "epochs"
        self._following = True
        self._markers: list[Marker] = []
        self._cursor_time = 0.0
        self._cursor: float | None = None
        self._next_cursor: float | None = None
        self.loss = LossPlot(self._history, self)
        self.lr = LRPlot(self._history, self)
        self.accuracy = AccuracyPlot(self._history, self)
        self.plots: tuple[RunPlot, ...] = (self.loss, self.lr, self.accuracy)

        self.splitter = QSplitter(Qt.Orientation.Vertical, self)
        self.splitter.setHandleWidth(8)
        self.splitter.setChildrenCollapsible(False)
        for plot, share in zip(self.plots, (2, 2, 1), strict=True):
            self.splitter.addWidget(plot)
            self.splitter.setStretchFactor(self.splitter.count() - 1, share)
            plot.cursor_moved.connect(self._on_cursor)
            plot.x_moved.connect(self._on_x_moved)
            plot.y_moved.connect(partial(self._light_fit, True))
            plot.fit_requested.connect(self.fit)
            plot.marker_clicked.connect(self.marker_clicked)
            plot.menu_opening.connect(self.menu_opening)
            plot.redraw_requested.connect(self.redraw_requested)
            plot.setMinimumHeight(_LOWEST)
        self.splitter.setSizes([400, 400, 290])
        for plot in self.plots[:-1]:
            plot.canvas.hideAxis("bottom")
        self.lr.dragged.connect(self.dragged)
        self.lr.dragging.connect(self.dragging)

        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addWidget(self.splitter, 1)
        column.addLayout(self._axis_row())
        self._on_cursor(None)
        self.apply_theme(LIGHT)

    def _axis_row(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setContentsMargins(10, 0, 4, 0)
        row.setSpacing(2)
        self._readout = QLabel(self)
        self._readout.setProperty("role", "hint")
        row.addWidget(self._readout, 1)
        self._choice = QButtonGroup(self)
        texts = {
            "epochs": (tr("Epochs"), tr("Show completed epochs on the x axis")),
            "steps": (tr("Steps"), tr("Show steps (batches) on the x axis")),
            "time": (tr("Time"), tr("Show the training time without pauses on the x axis")),
        }
        for index, axis in enumerate(AXES):
            button = segment_button(self, *texts[axis], checkable=True)
            button.setChecked(axis == self._axis)
            self._choice.addButton(button, index)
            row.addWidget(button)
        self._choice.idClicked.connect(lambda index: self.set_axis(AXES[index]))
        row.addSpacing(8)
        self.fit_button = segment_button(self, tr("Fit"), tr("Show the whole run (or double-click a plot)"))
        self.fit_button.clicked.connect(self.fit)
        row.addWidget(self.fit_button)
        return row

    # What is shown ---------------------------------------------------------------------------------------------------

    def set_history(self, history: RunHistory) -> None:
        """Show another run."""
        self._history = history
        for plot in self.plots:
            plot.set_history(history)
        self.fit()

    def set_epochs(self, epochs: int) -> None:
        """Set the length of the run, which the x axis shows until the person zooms."""
        self._epochs = max(1, epochs)
        self.redraw_requested.emit()

    def set_group_names(self, names: Sequence[str]) -> None:
        """Set the names of the parameter groups, in order."""
        self.lr.set_group_names(names)

    def set_projected(self, curve: Curve | None) -> None:
        """Set the projected LRs, drawn dashed from now on."""
        self.lr.set_projected(curve)

    def set_pending(self, curve: Curve | None) -> None:
        """Set the LRs that a pending change would bring, drawn dotted; None removes them."""
        self.lr.set_pending(curve)

    def add_marker(self, x: float, kind: MarkerKind, text: str, id: object) -> None:
        """Mark the position ``x`` (epochs completed); the rest as in ``Marker``."""
        self._markers.append(Marker(x=x, kind=kind, text=text, id=id))
        self._share_markers()

    def set_marker_texts(self, texts: Mapping[object, str]) -> None:
        """Set the tooltips of the markers with these ids."""
        self._markers = [replace(m, text=texts.get(m.id, m.text)) for m in self._markers]
        self._share_markers()

    def clear_markers(self) -> None:
        """Remove all markers."""
        self._markers.clear()
        self._share_markers()

    def _share_markers(self) -> None:
        for plot in self.plots:
            plot.set_markers(self._markers)

    @property
    def axis(self) -> Axis:
        """What the x axis shows."""
        return self._axis

    def set_axis(self, axis: Axis) -> None:
        """Show epochs, steps or time on the x axis. The same part of the run stays visible."""
        if axis == self._axis:
            return
        low, high = self.loss.x_epochs()
        self._axis = axis
        self._choice.button(AXES.index(axis)).setChecked(True)
        for plot in self.plots:
            plot.set_axis(axis)
        self._on_cursor(None)
        shown = self._history.to_axis([low, high], axis)
        if not self._following and np.isfinite(shown).all():
            self._set_x_range(*shown.tolist())

    def fit(self) -> None:
        """Show the whole run and follow it."""
        self._following = True
        self._light_fit(False)
        for plot in self.plots:
            plot.fit_y()

    def apply_theme(self, colors: Colors) -> None:
        """Draw in ``colors``."""
        for plot in self.plots:
            plot.apply_theme(colors)

    def paints(self) -> list[Callable[[], bool]]:
        """Functions to call in order: each draws what changed, and returns whether anything had. Hidden, none draws."""
        return [self._prepare, *(partial(self._draw, plot) for plot in self.plots)]

    def refresh(self) -> bool:
        """Draw what changed since the last call and return whether anything had. Hidden, it draws nothing."""
        drawn = [paint() for paint in self.paints()]
        return any(drawn)

    # Internals -----------------------------------------------------------------------------------------------------

    def _draw(self, plot: RunPlot) -> bool:
        return self.isVisible() and plot.refresh()

    def _prepare(self) -> bool:
        if not self.isVisible():
            return False
        for index, axis in enumerate(AXES):
            known = bool(np.isfinite(self._history.to_axis(0.0, axis)))
            self._choice.button(index).setEnabled(known)
        if self._next_cursor != self._cursor:
            self._cursor_time = 0.0
            self._on_cursor(self._next_cursor)
        if self._following:
            end = self._end()
            self._set_x_range(-_MARGIN * end, (1 + _MARGIN) * end)
        return False

    def _end(self) -> float:
        """The right edge while following: the run's end. In time it is an estimate, which moves in steps."""
        last = max(float(self._epochs), self._history.position)
        end = float(self._history.to_axis(last, self._axis))
        if not np.isfinite(end) or end <= 0:
            return last
        if self._axis != "time":
            return end
        shown = self.loss.x_range[1] / (1 + _MARGIN)
        return shown if 0.9 * shown <= end <= shown else end * 1.05

    def _set_x_range(self, low: float, high: float) -> None:
        for plot in self.plots:
            plot.set_x_range(low, high)

    def _light_fit(self, lit: bool) -> None:
        """Whether the button stands out, because the person zoomed or panned."""
        set_style_property(self.fit_button, "tone", "accent" if lit else "")

    def _on_x_moved(self, low: float, high: float) -> None:
        self._following = False
        self._light_fit(True)
        for plot in self.plots:
            plot.set_x_range(low, high)
            plot.refresh()

    def _on_cursor(self, value: float | None) -> None:
        now = time.perf_counter()
        self._next_cursor = value
        if value is not None and now - self._cursor_time < _HOVER:
            self.redraw_requested.emit()
            return
        self._cursor_time = now if value is not None else 0.0
        self._cursor = value
        for plot in self.plots:
            plot.set_cursor(value)
        self._readout.setText(self._position_text(value))

    def _position_text(self, value: float | None) -> str:
        """The crosshair's position; without one, what the x axis shows."""
        if value is None:
            return {"epochs": tr("Completed epochs"), "steps": tr("Steps"), "time": tr("Training time")}[self._axis]
        x = float(self._history.from_axis(value, self._axis))
        if not np.isfinite(x) or x < 0:
            return ""
        parts = [tr("Epoch {epoch}", epoch=int(x) + 1)]
        count = self._history.batches_per_epoch
        if count:
            parts.append(tr("batch {batch} of {count}", batch=int((x % 1) * count), count=count))
            parts.append(tr("step {step}", step=int(x * count)))
        seconds = float(self._history.to_axis(x, "time"))
        if np.isfinite(seconds):
            parts.append(clock_text(seconds))
        return "  ·  ".join(parts)
