"""The points of a drawn curve as rows of a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QTableView, QWidget

from gui.core.translation import tr
from gui.widgets.fields import float_text, read_float

Index = QModelIndex | QPersistentModelIndex
Row = tuple[Any, Any]


class PointsModel(QAbstractTableModel):
    """Rows of (epochs completed, LR) as typed: text if it is not a number.

    Signals:
        edited(int, int, object): the user changed the cell at row and column to this value.
    """

    edited = Signal(int, int, object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._rows: list[Row] = []

    def show_rows(self, rows: Sequence[Row]) -> None:
        """Show ``rows``."""
        if len(rows) == len(self._rows):
            self._rows = list(rows)
            self.dataChanged.emit(self.index(0, 0), self.index(len(rows) - 1, 1))
            return
        self.beginResetModel()
        self._rows = list(rows)
        self.endResetModel()

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own default
        """The number of points."""
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own default
        """Two: position and LR."""
        return 0 if parent.isValid() else 2

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """A cell's text: rounded for display, exact for editing."""
        value = self._rows[index.row()][index.column()]
        if role == Qt.ItemDataRole.EditRole:
            return float_text(value) if isinstance(value, float) else str(value)
        if role == Qt.ItemDataRole.DisplayRole:
            return float_text(float(f"{value:.5g}")) if isinstance(value, float) else str(value)
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        return None

    def setData(self, index: Index, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:
        """Emit what was typed; ``show_rows`` then brings it into the table."""
        if role != Qt.ItemDataRole.EditRole or str(value).strip() == self.data(index, Qt.ItemDataRole.EditRole):
            return False
        self.edited.emit(index.row(), index.column(), read_float(str(value).strip().replace(",", ".")))
        return True

    def flags(self, index: Index) -> Qt.ItemFlag:
        """Every cell can be edited."""
        return super().flags(index) | Qt.ItemFlag.ItemIsEditable

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """The columns' titles."""
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return (tr("Epochs completed"), tr("LR"))[section]
        return super().headerData(section, orientation, role)


class PointsTable(QTableView):
    """A table of points.

    Signals:
        delete_wanted(): the user pressed Delete or Backspace.
    """

    delete_wanted = Signal()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Emit ``delete_wanted`` for Delete and Backspace."""
        if event.key() in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            self.delete_wanted.emit()
        else:
            super().keyPressEvent(event)
