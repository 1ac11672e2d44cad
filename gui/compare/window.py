"""The window that compares runs: their curves in common plots, and a table of differences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QGridLayout,
    QHeaderView,
    QSplitter,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from engine.library.comparison import ComparedRun
from gui.compare.rows import ComparisonRow, rows_of
from gui.core.lr_text import lr_text
from gui.core.translation import tr
from gui.plots.lr_curves import StepCurve
from gui.plots.overlay import OverlayPlots, RunCurves, run_colors
from gui.theme.theme import is_dark
from gui.widgets.labels import ElidedLabel, Readout, as_tip, label
from gui.widgets.state_chip import Dot, dot_icon


class Legend(QWidget):
    """Each run's colour and name, and its values at the pointer or at its end."""

    def __init__(self, runs: Sequence[ComparedRun], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._runs = list(runs)
        self.dots = [Dot() for _ in runs]
        self.values = [[Readout() for _ in range(4)] for _ in runs]
        grid = QGridLayout(self)
        grid.setContentsMargins(4, 0, 4, 0)
        grid.setHorizontalSpacing(14)
        grid.setVerticalSpacing(2)
        for column, title in enumerate((tr("Epoch"), tr("Val loss"), tr("LR"), tr("Val accuracy"))):
            head = label(title, "hint")
            head.setAlignment(Qt.AlignmentFlag.AlignRight)
            head.setMinimumWidth(84)
            grid.addWidget(head, 0, 2 + column)
        for row, (run, dot, values) in enumerate(zip(runs, self.dots, self.values, strict=True), 1):
            grid.addWidget(dot, row, 0)
            grid.addWidget(ElidedLabel(run.name), row, 1)
            for column, value in enumerate(values):
                value.setAlignment(Qt.AlignmentFlag.AlignRight)
                grid.addWidget(value, row, 2 + column)
        grid.setColumnStretch(1, 1)
        self.show_at(None)

    def show_colors(self, colors: Sequence[str]) -> None:
        """The runs' colours."""
        for dot, color in zip(self.dots, colors, strict=False):
            dot.show_color(color)

    def show_at(self, x: float | None) -> None:
        """Show the values at ``x`` (epochs completed), or at each run's end."""
        for run, values in zip(self._runs, self.values, strict=True):
            for readout, text in zip(values, _values(run, x), strict=True):
                readout.setText(text)


class CompareWindow(QDialog):
    """Two to six runs: plots of loss, learning lr_shown and accuracy, a legend, and a table of differences."""

    def __init__(self, runs: Sequence[ComparedRun], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        runs = _with_distinct_names(runs)
        self.setWindowTitle(tr("Compare {n} runs", n=len(runs)))
        self.setWindowFlag(Qt.WindowType.WindowMaximizeButtonHint, True)
        self.plots = OverlayPlots([_curves(run) for run in runs])
        self.legend = Legend(runs)
        self.table = _table(runs, rows_of(runs))
        self.plots.cursor_moved.connect(self.legend.show_at)
        above = QWidget()
        column = QVBoxLayout(above)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        column.addWidget(self.plots, 1)
        column.addWidget(self.legend)
        split = QSplitter(Qt.Orientation.Vertical)
        split.setChildrenCollapsible(False)
        split.addWidget(above)
        split.addWidget(self.table)
        split.setStretchFactor(0, 3)
        split.setStretchFactor(1, 2)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(10, 10, 10, 10)
        layout.addWidget(split)
        self.resize(1080, 700)
        self._follow_palette()

    def changeEvent(self, event: QEvent) -> None:
        """Follow a change between light and dark."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "table"):
            self._follow_palette()

    def _follow_palette(self) -> None:
        colors = run_colors(is_dark(self.palette()))
        self.legend.show_colors(colors)
        for place in range(self.table.columnCount() - 1):
            item = self.table.horizontalHeaderItem(place + 1)
            if item is not None:
                item.setIcon(dot_icon(colors[place % len(colors)]))
        ground = self.palette().color(QPalette.ColorRole.AlternateBase)
        for row in range(self.table.rowCount()):
            heading = self.table.item(row, 0)
            if heading is not None and self.table.columnSpan(row, 0) > 1:
                heading.setBackground(QColor(ground))


def _with_distinct_names(runs: Sequence[ComparedRun]) -> list[ComparedRun]:
    """``runs``, with the id added to a name that several runs have: a branch has its parent's name."""
    names = [run.name for run in runs]
    return [replace(r, name=f"{r.name} ({r.run})") if names.count(r.name) > 1 else r for r in runs]


def _table(runs: Sequence[ComparedRun], rows: Sequence[ComparisonRow]) -> QTableWidget:
    table = QTableWidget(len(rows), 1 + len(runs))
    table.setHorizontalHeaderLabels([tr("Difference"), *(run.name for run in runs)])
    table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
    table.setSelectionMode(QAbstractItemView.SelectionMode.ContiguousSelection)
    table.setShowGrid(False)
    table.setWordWrap(False)
    table.setFrameShape(QTableWidget.Shape.NoFrame)
    table.setMinimumHeight(120)
    table.verticalHeader().hide()
    table.verticalHeader().setDefaultSectionSize(table.fontMetrics().height() + 8)
    header = table.horizontalHeader()
    header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
    header.setHighlightSections(False)
    header.setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
    header.setSectionResizeMode(0, QHeaderView.ResizeMode.ResizeToContents)
    for place, row in enumerate(rows):
        title = QTableWidgetItem(row.title)
        table.setItem(place, 0, title)
        if row.heading:
            font = title.font()
            font.setBold(True)
            title.setFont(font)
            table.setSpan(place, 0, 1, 1 + len(runs))
        for column, value in enumerate(row.values, 1):
            item = QTableWidgetItem(value)
            item.setToolTip(as_tip(value))
            table.setItem(place, column, item)
    return table


def _curves(run: ComparedRun) -> RunCurves:
    def of(name: str) -> np.ndarray:
        return np.array([getattr(event, name) for event in run.history], np.float64)

    return RunCurves(
        epochs=of("epoch"),
        train_loss=of("train_loss"),
        val_loss=of("val_loss"),
        train_accuracy=of("train_accuracy"),
        val_accuracy=of("val_accuracy"),
        x=run.x,
        lr=run.lr,
    )


def _values(run: ComparedRun, x: float | None) -> tuple[str, str, str, str]:
    """Epoch, validation loss, LR and validation accuracy of ``run`` at ``x``, or at its end."""
    event = run.history[-1] if run.history else None
    lr = run.lr[-1, 0] if run.lr.size else float("nan")
    if x is not None:
        event = next((e for e in run.history if e.epoch == round(x)), None)
        inside = run.lr.size and 0 <= x <= max(len(run.history), float(run.x[-1]))
        lr = StepCurve.of(run.x, run.lr[:, 0]).at(x) if inside else float("nan")
    lr_shown = lr_text(float(lr), 3) if np.isfinite(lr) else "–"
    if event is None:
        return "–", "–", lr_shown, "–"
    return str(event.epoch), f"{event.val_loss:.4g}", lr_shown, f"{event.val_accuracy:.2%}"
