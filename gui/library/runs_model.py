"""The Qt model of the table of runs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Final

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt, Signal
from PySide6.QtGui import QFont, QGuiApplication, QIcon, QPalette

from engine.library import Overview
from gui.core.lr_text import lr_text
from gui.core.translation import tr
from gui.library.run_list import (
    COLUMNS,
    EDITABLE,
    LR,
    NAME,
    NOTE,
    NUMBERS,
    STATE,
    TAGS,
    WHEN,
    arranged,
    column_names,
    column_tips,
    name_of,
    run_state_colour,
    text_of,
)
from gui.widgets.labels import as_tip
from gui.widgets.state_chip import dot_icon

Index = QModelIndex | QPersistentModelIndex
_AGE: Final = timedelta(minutes=1)  # after which ages read differently


class RunsModel(QAbstractTableModel):
    """Runs, one per row.

    Signals:
        typed(str, int, str): run, column and text that the person entered; shown once the library has saved it.
    """

    typed = Signal(str, int, str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._runs: list[tuple[Overview, int]] = []
        self._names: dict[str, str] = {}
        self._own = ""
        self._now = datetime.now()
        self._column, self._descending = WHEN, True
        self.editable = True

    def show_runs(self, runs: Sequence[Overview], names: dict[str, str], own: str, now: datetime) -> None:
        """Show ``runs``. ``names`` are the names of all runs, by id; ``own`` is the run that this window shows."""
        made = arranged(runs, self._column, self._descending)
        alike = [(r.row.id, d) for r, d in made] == [(r.row.id, d) for r, d in self._runs]
        same = alike and (made, names, own) == (self._runs, self._names, self._own) and now - self._now < _AGE
        if same:
            return  # painting costs training time
        if not alike:
            self.beginResetModel()
        self._runs, self._names, self._own, self._now = made, names, own, now
        if not alike:
            self.endResetModel()
        elif made:
            self.dataChanged.emit(self.index(0, 0), self.index(len(made) - 1, COLUMNS - 1))

    def run(self, row: int) -> Overview:
        """The run in ``row``."""
        return self._runs[row][0]

    def row_of(self, run: str) -> int | None:
        """The row of the run with this id, or None."""
        return next((row for row, (known, _) in enumerate(self._runs) if known.row.id == run), None)

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        """Sort the rows by ``column`` and keep the selection."""
        self._column, self._descending = column, order == Qt.SortOrder.DescendingOrder
        self.layoutAboutToBeChanged.emit()
        before = self.persistentIndexList()
        runs = [self.run(index.row()).row.id for index in before]
        self._runs = arranged([run for run, _ in self._runs], self._column, self._descending)
        places = {run.row.id: row for row, (run, _) in enumerate(self._runs)}
        after = [self.index(places[run], index.column()) for run, index in zip(runs, before, strict=True)]
        self.changePersistentIndexList(before, after)
        self.layoutChanged.emit()

    # -- the Qt interface

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own default
        """The number of runs shown."""
        return 0 if parent.isValid() else len(self._runs)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own default
        """The number of columns."""
        return 0 if parent.isValid() else COLUMNS

    def flags(self, index: Index) -> Qt.ItemFlag:
        """Name, tags and note can be edited, outside the recycle bin."""
        flags = super().flags(index)
        if index.isValid() and index.column() in EDITABLE and self.editable:
            flags |= Qt.ItemFlag.ItemIsEditable
        return flags

    def setData(self, index: Index, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:
        """Request another name, note or tags; it is shown once the library has saved it."""
        if not index.isValid() or role != Qt.ItemDataRole.EditRole:
            return False
        run, text = self.run(index.row()), str(value).strip()
        if text != self._typed(run, index.column()) and (text or index.column() != NAME):
            self.typed.emit(run.row.id, index.column(), text)
        return True

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """The data of a cell for ``role``."""
        if not index.isValid():
            return None
        (run, depth), column = self._runs[index.row()], index.column()
        if role == Qt.ItemDataRole.DisplayRole:
            text = text_of(run, column, self._now)
            if column == NAME and run.row.parent is not None:
                return "    " * max(0, depth - 1) + f"↳ {text}"
            return text
        if role == Qt.ItemDataRole.EditRole:
            return self._typed(run, column)
        if role == Qt.ItemDataRole.DecorationRole and column == STATE:
            return _dot(run_state_colour(run.row.state))
        if role == Qt.ItemDataRole.TextAlignmentRole and column in NUMBERS:
            return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        if role == Qt.ItemDataRole.FontRole and column == NAME and run.row.id == self._own:
            font = QFont()
            font.setBold(True)
            return font
        if role == Qt.ItemDataRole.ForegroundRole and text_of(run, column, self._now) == "–":
            return QGuiApplication.palette().color(QPalette.ColorRole.PlaceholderText)
        if role == Qt.ItemDataRole.ToolTipRole:
            return as_tip(self._tip(run, column))
        return None

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """The columns' titles."""
        if orientation != Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return column_names()[section]
        if role == Qt.ItemDataRole.ToolTipRole:
            return as_tip(column_tips().get(section, ""))
        if role == Qt.ItemDataRole.TextAlignmentRole and section in NUMBERS:
            return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        return None

    def _typed(self, run: Overview, column: int) -> str:
        return run.row.notes if column == NOTE else text_of(run, column, self._now)

    def _tip(self, run: Overview, column: int) -> str:
        row = run.row
        if column == NAME:
            return self._origin(run)
        if column == STATE:
            return self._about_state(run)
        if column == WHEN:
            return datetime.fromtimestamp(row.updated).strftime("%Y-%m-%d %H:%M:%S")
        if column == LR and len(run.lr) > 1:
            return ", ".join(map(lr_text, run.lr))
        if column in (NOTE, TAGS) and self.editable:
            return (row.notes if column == NOTE else ", ".join(row.tags)) or tr("Double-click to edit.")
        return text_of(run, column, self._now)

    def _origin(self, run: Overview) -> str:
        row = run.row
        if row.parent is None or row.branch is None:
            return tr("{name} ({run})", name=name_of(run), run=row.id)
        epoch, batch = row.branch.epoch, row.branch.batch
        parent = self._names.get(row.parent, row.parent)
        if batch:
            return tr("Branch of {parent}, from epoch {epoch}, batch {batch}", parent=parent, epoch=epoch, batch=batch)
        if epoch == 1:
            return tr("Branch of {parent}, from its start", parent=parent)
        return tr("Branch of {parent}, from the end of epoch {epoch}", parent=parent, epoch=epoch - 1)

    def _about_state(self, run: Overview) -> str:
        if run.row.live and run.row.id != self._own:
            return tr("This run is open in another window or program.")
        if run.row.state == "interrupted":
            return tr("The program ended while this run was training. It can be resumed from its newest checkpoint.")
        if run.row.state == "abandoned":
            return tr("Training continued in a branch of this run. The run itself can still be resumed.")
        return ""


@cache
def _dot(colour: str) -> QIcon:
    return dot_icon(colour)
