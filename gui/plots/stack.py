"""The three plots of a run over one x axis, with one crosshair."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Literal

import numpy as np
from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QLabel, QSplitter, QToolButton, QVBoxLayout, QWidget

from engine.messages.preview import Curve
from gui.core.history import AXES, Axis, RunHistory
from gui.core.translation import tr
from gui.plots.accuracy import AccuracyPlot
from gui.plots.base import RunPlot
from gui.plots.items import Marker
from gui.plots.loss import LossPlot
from gui.plots.lr import LRPlot
from gui.plots.text import duration_text
from gui.theme.theme import LIGHT, Colors

_HOVER = 1 / 25
_MARGIN = 0.01  # So that the dots and the handle at either end are whole.


class PlotStack(QWidget):
    """Loss, learning rate and accuracy of a run.

    Signals: ``marker_clicked(id)`` and ``menu_opening(QMenu, x, id)`` of any plot (see ``RunPlot``);
    ``dragged(float, bool)`` and ``dragging(bool)`` of the learning rate (see ``LRPlot``); ``axis_changed(str)``;
    ``touched`` something changed that is worth a frame (connect it to ``FrameClock.poke``).
    """

    marker_clicked = Signal(object)
    menu_opening = Signal(object, float, object)
    dragged = Signal(float, bool)
    dragging = Signal(bool)
    axis_changed = Signal(str)
    touched = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._series = RunHistory()
        self._epochs = 30
        self._axis: Axis = "epochs"
        self._following = True
        self._markers: list[Marker] = []
        self._hovered = 0.0
        self._cursor: float | None = None
        self._awaited: float | None = None
        self.loss = LossPlot(self._series, self)
        self.lr = LRPlot(self._series, self)
        self.accuracy = AccuracyPlot(self._series, self)
        self.plots: tuple[RunPlot, ...] = (self.loss, self.lr, self.accuracy)

        self.splitter = QSplitter(Qt.Orientation.Vertical, self)
        self.splitter.setHandleWidth(8)
        self.splitter.setChildrenCollapsible(False)
        for plot, share in zip(self.plots, (2, 2, 1), strict=True):
            self.splitter.addWidget(plot)
            self.splitter.setStretchFactor(self.splitter.count() - 1, share)
            plot.cursor_moved.connect(self._on_cursor)
            plot.x_moved.connect(self._on_x_moved)
            plot.fit_wanted.connect(self.fit)
            plot.marker_clicked.connect(self.marker_clicked)
            plot.menu_opening.connect(self.menu_opening)
            plot.touched.connect(self.touched)
        self.splitter.setSizes([400, 400, 290])
        for plot in self.plots[:-1]:
            plot.canvas.hideAxis("bottom")
            plot.fit_button.hide()
        self.accuracy.fit_button.hide()
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
        self._readout.setProperty("role", "muted")
        row.addWidget(self._readout, 1)
        self._choice = QButtonGroup(self)
        tips = {
            "epochs": (tr("Epochs"), tr("Count in epochs completed")),
            "steps": (tr("Steps"), tr("Count in steps (batches)")),
            "time": (tr("Time"), tr("Count in time trained, pauses left out")),
        }
        for index, axis in enumerate(AXES):
            button = self._segment(*tips[axis], checkable=True)
            button.setChecked(axis == self._axis)
            self._choice.addButton(button, index)
            row.addWidget(button)
        self._choice.idClicked.connect(lambda index: self.set_axis(AXES[index]))
        row.addSpacing(8)
        fit = self._segment(tr("Fit"), tr("Show the whole run (or double-click a plot)"), checkable=False)
        fit.clicked.connect(self.fit)
        row.addWidget(fit)
        return row

    def _segment(self, text: str, tip: str, *, checkable: bool) -> QToolButton:
        button = QToolButton(self)
        button.setText(text)
        button.setToolTip(tip)
        button.setAccessibleDescription(tip)
        button.setCheckable(checkable)
        button.setProperty("role", "segment")
        return button

    # What is shown ---------------------------------------------------------------------------------------------------

    def set_series(self, series: RunHistory) -> None:
        """Show another run."""
        self._series = series
        for plot in self.plots:
            plot.set_series(series)
        self.fit()

    def set_epochs(self, epochs: int) -> None:
        """The length of the run, which the x axis shows until the person zooms."""
        self._epochs = max(1, epochs)
        self.touched.emit()

    def set_group_names(self, names: Sequence[str]) -> None:
        """Names of the parameter groups, in order."""
        self.lr.set_group_names(names)

    def set_plan(self, plan: Curve | None) -> None:
        """The plan, drawn dashed from now on."""
        self.lr.set_plan(plan)

    def set_pending(self, pending: Curve | None) -> None:
        """What a staged change would make of it, drawn dotted; None takes it back."""
        self.lr.set_pending(pending)

    def add_marker(self, x_epochs: float, kind: Literal["intervention", "plan"], text: str, id: object) -> None:
        """Mark a moment: ``text`` is its tooltip, ``id`` what a click on it reports."""
        self._markers.append(Marker(x=x_epochs, kind=kind, text=text, id=id))
        self._share_markers()

    def retell_markers(self, texts: Mapping[object, str]) -> None:
        """Give markers new tooltips, by the ids that a click on them reports."""
        self._markers = [replace(m, text=texts.get(m.id, m.text)) for m in self._markers]
        self._share_markers()

    def clear_markers(self) -> None:
        """Take every marker away."""
        self._markers.clear()
        self._share_markers()

    def _share_markers(self) -> None:
        for plot in self.plots:
            plot.set_markers(self._markers)

    @property
    def axis(self) -> Axis:
        """What the x axis counts."""
        return self._axis

    def set_axis(self, axis: Axis) -> None:
        """Count positions in epochs, steps or time. The same stretch of the run stays in sight."""
        if axis == self._axis:
            return
        low, high = self.loss.x_epochs()
        self._axis = axis
        self._choice.button(AXES.index(axis)).setChecked(True)
        for plot in self.plots:
            plot.set_axis(axis)
        self._on_cursor(None)
        stretch = self._series.to_axis([low, high], axis)
        if not self._following and np.isfinite(stretch).all():
            self._set_x_range(*stretch.tolist())
        self.axis_changed.emit(axis)

    def fit(self) -> None:
        """Show the whole run and follow it."""
        self._following = True
        for plot in self.plots:
            plot.fit_y()

    def apply_theme(self, colors: Colors) -> None:
        """Draw in ``colors``."""
        for plot in self.plots:
            plot.apply_theme(colors)

    def paints(self) -> list[Callable[[], bool]]:
        """To be called one after the other: draw what changed, and say whether anything had. Nothing while unseen."""
        return [self._prepare, *(partial(self._draw, plot) for plot in self.plots)]

    def refresh(self) -> bool:
        """Draw what changed since the last call; whether anything had. Nothing while it cannot be seen."""
        drawn = [paint() for paint in self.paints()]
        return any(drawn)

    # Inside ----------------------------------------------------------------------------------------------------------

    def _draw(self, plot: RunPlot) -> bool:
        return self.isVisible() and plot.refresh()

    def _prepare(self) -> bool:
        if not self.isVisible():
            return False
        for index, axis in enumerate(AXES):
            known = bool(np.isfinite(self._series.to_axis(0.0, axis)))
            self._choice.button(index).setEnabled(known)
        if self._awaited != self._cursor:
            self._hovered = 0.0
            self._on_cursor(self._awaited)
        if self._following:
            end = self._end()
            self._set_x_range(-_MARGIN * end, (1 + _MARGIN) * end)
        return False

    def _end(self) -> float:
        """The right edge while following: the run's end, a little rounded in time so that it keeps still."""
        last = max(float(self._epochs), self._series.position)
        end = float(self._series.to_axis(last, self._axis))
        if not np.isfinite(end) or end <= 0:
            return last
        if self._axis != "time":
            return end
        shown = self.loss.x_range[1] / (1 + _MARGIN)
        return shown if 0.9 * shown <= end <= shown else end * 1.05

    def _set_x_range(self, low: float, high: float) -> None:
        for plot in self.plots:
            plot.set_x_range(low, high)

    def _on_x_moved(self, low: float, high: float) -> None:
        self._following = False
        for plot in self.plots:
            plot.set_x_range(low, high)
            plot.refresh()

    def _on_cursor(self, value: float | None) -> None:
        now = time.perf_counter()
        self._awaited = value
        if value is not None and now - self._hovered < _HOVER:
            self.touched.emit()
            return
        self._hovered = now if value is not None else 0.0
        self._cursor = value
        for plot in self.plots:
            plot.set_cursor(value)
        self._readout.setText(self._where(value))

    def _where(self, value: float | None) -> str:
        """The crosshair's position in words."""
        if value is None:
            return {"epochs": tr("Epochs completed"), "steps": tr("Steps"), "time": tr("Time trained")}[self._axis]
        x = float(self._series.from_axis(value, self._axis))
        if not np.isfinite(x) or x < 0:
            return ""
        parts = [tr("epoch {epoch}", epoch=int(x) + 1)]
        count = self._series.batches_per_epoch
        if count:
            parts.append(tr("batch {batch} of {count}", batch=int((x % 1) * count), count=count))
            parts.append(tr("step {step}", step=int(x * count)))
        seconds = float(self._series.to_axis(x, "time"))
        if np.isfinite(seconds):
            parts.append(duration_text(seconds))
        return "  ·  ".join(parts)
