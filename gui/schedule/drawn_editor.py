"""The points of a drawn schedule as a table. The same points are edited with the mouse on the plot."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pydantic import ValidationError
from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QAbstractItemView,
    QCheckBox,
    QHBoxLayout,
    QHeaderView,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from engine.schedules import Drawn
from gui.core.translation import tr
from gui.schedule.points_table import PointsModel, PointsTable, Row
from gui.widgets.fields import EMPTY, Editor

Point = tuple[float, float]
Line = Callable[[], dict[str, Any]]

_ROWS: Final = (3, 8)
_STEP: Final = 5.0


@dataclass(frozen=True)
class CurrentLine:
    """The current schedule of the run, which is drawn, and where it began, in epochs of the run."""

    spec: Drawn
    began: float


class PointsEditor(Editor):
    """The points of a ``Drawn``, shown and edited in epochs of the run.

    The points of a schedule count from its start. Once the user has edited them, they are fixed on the plot: a
    schedule that starts later gets the rest of the line.

    Args:
        line: returns the other fields of the ``Drawn``, which say how the points are joined.

    Signals:
        shown(): the points changed, or whether the plot shows them.
    """

    shown = Signal()
    has_own_label = True
    full_width = True
    note_lines = 2

    def __init__(self, line: Line = dict, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._line = line
        self._rows: list[Row] = []  # counted from ``_start``
        self._start = self._origin = 0.0
        self._fixed = False
        self._current: CurrentLine | None = None
        self.model = PointsModel(self)
        self.table = PointsTable()
        self.on_plot = QPushButton(tr("Draw on the plot"))
        self.snap = QCheckBox(tr("Snap to epochs"))
        self.add, self.remove = QPushButton(tr("Add")), QPushButton(tr("Remove"))
        self._build()
        self.model.edited.connect(self._edit_cell)
        self.table.delete_wanted.connect(self._remove_chosen)
        self.table.selectionModel().selectionChanged.connect(self._show_buttons)
        self.add.clicked.connect(self._add_after)
        self.remove.clicked.connect(self._remove_chosen)
        self.on_plot.toggled.connect(self.shown)
        self.snap.toggled.connect(self.shown)

    # For the form --------------------------------------------------------------------------------------------------

    def raw(self) -> Any:
        """The points, counted from the schedule's start."""
        if not self._rows:
            return EMPTY
        return tuple(self._rest()) if self._fixed or self._continues() else tuple(self._rows)

    def show_value(self, value: Any) -> None:
        """Show points that count from the schedule's start. No signal except ``shown``."""
        self._rows, self._fixed = list(value or ()), False
        self._update_start()
        self._show()

    def control(self) -> QWidget:
        """The widget that takes the focus."""
        return self.table

    # For the plot ------------------------------------------------------------------------------------------------

    def points(self) -> list[Point]:
        """The points in epochs of the run, none before the origin; empty while one of them is not a number."""
        rows = [(x + self._origin, lr) for x, lr in self._rest() if isinstance(x, float)]
        return rows if _numbers(rows) else []

    @property
    def origin(self) -> float:
        """The schedule's start, in epochs of the run."""
        return self._origin

    def offer_plot(self) -> None:
        """Show the controls for a plot that shows the points."""
        self.on_plot.show()
        self.snap.show()

    def drawing(self) -> bool:
        """Whether the points should be shown on the plot."""
        return self.on_plot.isChecked()

    def move_point(self, before: float, x: float, lr: float) -> None:
        """Move the point at the position ``before``, as an edit."""
        rows = self.points()
        if any(row[0] == before for row in rows):
            self._edit(sorted([*(row for row in rows if row[0] not in (before, x)), (x, lr)]))

    def insert_point(self, x: float, lr: float) -> None:
        """Add a point, as an edit; it replaces a point at the same position."""
        self._edit(sorted([*(p for p in self.points() if p[0] != x), (x, lr)]))

    def delete_point(self, x: float) -> None:
        """Remove the point at the position ``x``, as an edit; the last point stays."""
        rows = [row for row in self.points() if row[0] != x]
        if rows:
            self._edit(rows)

    def set_origin(self, origin: float, current: CurrentLine | None = None) -> None:
        """Set the schedule's start in epochs of the run; ``current``: the current schedule, if it is not to restart."""
        if (origin, current) == (self._origin, self._current):
            return
        before = self.raw()
        self._origin, self._current = origin, current
        self._update_start()
        self._show()
        if self.raw() != before:
            self.edited.emit()

    def fix(self) -> None:
        """Fix the points on the plot, wherever the schedule starts from now on."""
        if _numbers(self._rows):
            self._rows, self._start, self._fixed = self._absolute(), 0.0, True

    # Internal --------------------------------------------------------------------------------------------------------

    def _update_start(self) -> None:
        if not self._fixed:
            current = self._current if self._is_current() else None
            self._start = self._origin if current is None else current.began

    def _is_current(self) -> bool:
        """Whether the points are those of the current schedule."""
        return self._current is not None and tuple(self._rows) == self._current.spec.points

    def _continues(self) -> bool:
        """Whether the points are those of the current schedule, but joined in another way from the origin on."""
        if self._fixed or self._current is None or not self._is_current():
            return False
        return any(getattr(self._current.spec, name) != value for name, value in self._line().items())

    def _absolute(self) -> list[Row]:
        return [(x + self._start if isinstance(x, float) else x, lr) for x, lr in self._rows]

    def _rest(self) -> list[Row]:
        """The rest of the line from the origin on, counted from there."""
        past = self._origin - self._start
        if not _numbers(self._rows) or self._rows[0][0] >= past:
            return [(x - past if isinstance(x, float) else x, lr) for x, lr in self._rows]
        try:
            spec = Drawn.model_validate({"points": tuple(self._rows), **self._line()})
        except ValidationError:
            return [(max(0.0, x - past), lr) for x, lr in self._rows]
        return list(spec.after(past).points)

    def _edit(self, rows: list[Row]) -> None:
        """Use ``rows``, in epochs of the run, as an edit."""
        self._rows, self._start, self._fixed = rows, 0.0, True
        self._show()
        self.edited.emit()

    def _edit_cell(self, row: int, column: int, value: Any) -> None:
        rows = self._shown_rows()
        cell = list(rows[row])
        cell[column] = value
        rows[row] = (cell[0], cell[1])
        self._edit(sorted(rows) if _numbers(rows) else rows)

    def _add_after(self) -> None:
        """Add a point on the line, half-way to the next one; after the last one, a few epochs later."""
        rows = self.points()
        if not rows:
            self._edit([(self._origin, 0.01)])
            return
        chosen = self.table.selectionModel().selectedRows()
        row = min(chosen[-1].row() if chosen else max(0, len(rows) - 2), len(rows) - 1)
        left = rows[row][0]
        x = left + _STEP if row == len(rows) - 1 else (left + rows[row + 1][0]) / 2
        if self.snap.isChecked() and (row == len(rows) - 1 or rows[row + 1][0] - left >= 2):
            x = float(round(x))
        self.insert_point(x, self._lr_at(rows, x))
        self.table.selectRow(row + 1)

    def _lr_at(self, rows: list[Row], x: float) -> float:
        try:
            return float(f"{Drawn.model_validate({'points': tuple(rows), **self._line()}).lr_at(x):.3g}")
        except ValidationError:
            return float(rows[-1][1])

    def _remove_chosen(self) -> None:
        chosen = {index.row() for index in self.table.selectionModel().selectedRows()}
        rows = [row for n, row in enumerate(self._shown_rows()) if n not in chosen]
        if rows and chosen:
            self._edit(rows)
            self.table.selectRow(min(*chosen, len(rows) - 1))

    def _shown_rows(self) -> list[Row]:
        if not self._fixed:
            return self._absolute()
        return [(x + self._origin if isinstance(x, float) else x, lr) for x, lr in self._rest()]

    def _show(self) -> None:
        rows = self._shown_rows()
        self.model.show_rows(rows)
        least, most = _ROWS
        count = min(max(len(rows), least), most)
        height = (
            self.table.verticalHeader().defaultSectionSize() * count + self.table.horizontalHeader().sizeHint().height()
        )
        self.table.setFixedHeight(height + 4)
        self._show_buttons()
        self.shown.emit()

    def _show_buttons(self) -> None:
        chosen = len(self.table.selectionModel().selectedRows())
        can = 0 < chosen < self.model.rowCount()
        self.remove.setEnabled(can)
        why = (
            tr("Remove the selected points (Delete)")
            if can
            else tr("Select a point in the table first; the last one cannot be removed")
        )
        self.remove.setToolTip(why)

    def _build(self) -> None:
        self.table.setModel(self.model)
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.horizontalHeader().setSectionResizeMode(0, QHeaderView.ResizeMode.ResizeToContents)
        self.table.horizontalHeader().setSectionResizeMode(1, QHeaderView.ResizeMode.Stretch)
        self.table.verticalHeader().hide()
        self.table.verticalHeader().setDefaultSectionSize(self.fontMetrics().lineSpacing() + 8)
        self.table.setTabKeyNavigation(False)
        self.table.setAccessibleName(tr("Points of the curve"))
        self.on_plot.setCheckable(True)
        self.on_plot.setChecked(True)
        self.on_plot.setToolTip(
            tr(
                "<qt>Show the points on the plot: drag them; click the line or double-click beside it to add one; "
                "right-click one, or press Delete, to remove it.</qt>"
            )
        )
        self.snap.setChecked(True)
        self.snap.setToolTip(
            tr("<qt>Points moved with the mouse snap to whole epochs; hold Ctrl to place them anywhere.</qt>")
        )
        self.add.setToolTip(tr("Add a point after the selected one"))
        for widget in (self.on_plot, self.snap):
            widget.hide()
        top, bottom = QHBoxLayout(), QHBoxLayout()
        top.addWidget(self.on_plot, 1)
        top.addWidget(self.snap)
        bottom.addWidget(self.add)
        bottom.addWidget(self.remove)
        bottom.addStretch(1)
        for button in (self.on_plot, self.snap, self.add, self.remove):
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)  # a click leaves Space to start and pause
        column = QVBoxLayout()
        column.setSpacing(4)
        column.addLayout(top)
        column.addWidget(self.table)
        column.addLayout(bottom)
        self.line.addLayout(column, 1)


def _numbers(rows: Sequence[Row]) -> bool:
    return bool(rows) and all(isinstance(value, float) for row in rows for value in row)
