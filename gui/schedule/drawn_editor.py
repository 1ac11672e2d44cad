"""The points of a drawn curve, as a table; the plot edits the same points with the mouse."""

from __future__ import annotations

from collections.abc import Callable, Sequence
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


class PointsEditor(Editor):
    """The points of a ``Drawn``, shown and edited by the run's epochs.

    A schedule's points count from where it begins. Once the person has put hands on them they stand still on the plot:
    a plan that begins later takes what is left of the line.

    Args:
        line: the other fields of the ``Drawn`` that is edited, which say how the points are joined.

    Signals:
        shown(): the points, or whether they can be drawn on the plot, are other ones now.
    """

    shown = Signal()
    has_own_label = True
    full_width = True
    note_lines = 2

    def __init__(self, line: Line = dict, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._line = line
        self._rows: list[Row] = []  # counted from ``_begins``
        self._begins = self._origin = 0.0
        self._fixed = False
        self._in_force: tuple[tuple[Row, ...], float] | None = None
        self.model = PointsModel(self)
        self.table = PointsTable()
        self.on_plot = QPushButton(tr("Draw on the plot"))
        self.snap = QCheckBox(tr("Snap to epochs"))
        self.add, self.remove = QPushButton(tr("Add")), QPushButton(tr("Remove"))
        self._build()
        self.model.retyped.connect(self._retyped)
        self.table.delete_wanted.connect(self._remove_chosen)
        self.table.selectionModel().selectionChanged.connect(self._show_buttons)
        self.add.clicked.connect(self._add_after)
        self.remove.clicked.connect(self._remove_chosen)
        self.on_plot.toggled.connect(self.shown)
        self.snap.toggled.connect(self.shown)

    # What a form asks ------------------------------------------------------------------------------------------------

    def raw(self) -> Any:
        """The points, counted from where the schedule begins."""
        if not self._rows:
            return EMPTY
        return tuple(self._left()) if self._fixed else tuple(self._rows)

    def show_value(self, value: Any) -> None:
        """Show points that count from where the schedule begins. No signal but ``shown``."""
        self._rows, self._fixed = list(value or ()), False
        self._place()
        self._show()

    def control(self) -> QWidget:
        """What takes the focus."""
        return self.table

    # What the plot asks ----------------------------------------------------------------------------------------------

    def points(self) -> list[Point]:
        """The points by the run's epochs, none before the origin; empty while one of them is no number."""
        rows = [(x + self._origin, lr) for x, lr in self._left() if isinstance(x, float)]
        return rows if _numbers(rows) else []

    @property
    def origin(self) -> float:
        """Where the schedule would begin, in the run's epochs."""
        return self._origin

    def offer_plot(self) -> None:
        """There is a plot that shows the points."""
        self.on_plot.show()
        self.snap.show()

    def drawing(self) -> bool:
        """Whether the plot shall show the points."""
        return self.on_plot.isChecked()

    def move_point(self, at: float, x: float, lr: float) -> None:
        """Bring the point that stands at ``at`` elsewhere, as the person does."""
        rows = self.points()
        if any(row[0] == at for row in rows):
            self._take(sorted([*(row for row in rows if row[0] not in (at, x)), (x, lr)]))

    def insert_point(self, x: float, lr: float) -> None:
        """Add a point, as the person does; one that stands there already is moved."""
        self._take(sorted([*(p for p in self.points() if p[0] != x), (x, lr)]))

    def delete_point(self, at: float) -> None:
        """Remove the point that stands at ``at``, as the person does; the last one stays."""
        rows = [row for row in self.points() if row[0] != at]
        if rows:
            self._take(rows)

    def place(self, origin: float, in_force: tuple[tuple[Point, ...], float] | None = None) -> None:
        """Where the schedule would begin (the run's epochs), and the drawn one in force with where that one began."""
        if (origin, in_force) == (self._origin, self._in_force):
            return
        before = self.raw()
        self._origin, self._in_force = origin, in_force
        self._place()
        self._show()
        if self.raw() != before:
            self.edited.emit()

    def fix(self) -> None:
        """From now on the points stand still on the plot, wherever the schedule begins."""
        if _numbers(self._rows):
            self._rows, self._begins, self._fixed = self._absolute(), 0.0, True

    # Inside ----------------------------------------------------------------------------------------------------------

    def _place(self) -> None:
        if not self._fixed:
            known = self._in_force is not None and tuple(self._rows) == self._in_force[0]
            self._begins = self._in_force[1] if known and self._in_force else self._origin

    def _absolute(self) -> list[Row]:
        return [(x + self._begins if isinstance(x, float) else x, lr) for x, lr in self._rows]

    def _left(self) -> list[Row]:
        """What is left of the line from the origin on, counted from there."""
        past = self._origin - self._begins
        if not _numbers(self._rows) or self._rows[0][0] >= past:
            return [(x - past if isinstance(x, float) else x, lr) for x, lr in self._rows]
        try:
            spec = Drawn.model_validate({"points": tuple(self._rows), **self._line()})
        except ValidationError:
            return [(max(0.0, x - past), lr) for x, lr in self._rows]
        return list(spec.after(past).points)

    def _take(self, rows: list[Row]) -> None:
        """Rows by the run's epochs, from the person."""
        self._rows, self._begins, self._fixed = rows, 0.0, True
        self._show()
        self.edited.emit()

    def _retyped(self, row: int, column: int, value: Any) -> None:
        rows = self._shown_rows()
        cell = list(rows[row])
        cell[column] = value
        rows[row] = (cell[0], cell[1])
        self._take(sorted(rows) if _numbers(rows) else rows)

    def _add_after(self) -> None:
        """A point half-way to the next one, on the line; after the last one, a little further on."""
        rows = self.points()
        if not rows:
            self._take([(self._origin, 0.01)])
            return
        chosen = self.table.selectionModel().selectedRows()
        at = min(chosen[-1].row() if chosen else max(0, len(rows) - 2), len(rows) - 1)
        left = rows[at][0]
        x = left + _STEP if at == len(rows) - 1 else (left + rows[at + 1][0]) / 2
        if self.snap.isChecked() and (at == len(rows) - 1 or rows[at + 1][0] - left >= 2):
            x = float(round(x))
        self.insert_point(x, self._rate(rows, x))
        self.table.selectRow(at + 1)

    def _rate(self, rows: list[Row], x: float) -> float:
        try:
            return float(f"{Drawn.model_validate({'points': tuple(rows), **self._line()}).lr_at(x):.3g}")
        except ValidationError:
            return float(rows[-1][1])

    def _remove_chosen(self) -> None:
        chosen = {index.row() for index in self.table.selectionModel().selectedRows()}
        rows = [row for n, row in enumerate(self._shown_rows()) if n not in chosen]
        if rows and chosen:
            self._take(rows)
            self.table.selectRow(min(*chosen, len(rows) - 1))

    def _shown_rows(self) -> list[Row]:
        if not self._fixed:
            return self._absolute()
        return [(x + self._origin if isinstance(x, float) else x, lr) for x, lr in self._left()]

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
        why = tr("Remove the chosen points (Delete)") if can else tr("Choose a point in the table first; one must stay")
        self.remove.setToolTip(why)

    def _build(self) -> None:
        self.table.setModel(self.model)
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
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
        self.snap.setToolTip(tr("<qt>Points drawn with the mouse stand at whole epochs; with Ctrl, anywhere.</qt>"))
        self.add.setToolTip(tr("Add a point after the chosen one"))
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
