"""The table of runs: column widths, sorting and selection."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import QItemSelectionModel, QModelIndex, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView, QWidget

from gui.core.translation import tr
from gui.library.run_list import (
    ACCURACY,
    COLUMNS,
    DISK,
    EDITABLE,
    EPOCHS,
    LOSS,
    LR,
    NAME,
    NOTE,
    OPTIMIZER,
    SCHEDULE,
    STATE,
    TAGS,
    WHAT,
    WHEN,
)
from gui.library.runs_model import RunsModel


class RunsTable(QTableView):
    """A table of runs, one per row; several can be selected.

    Signals:
        opened(): Enter was pressed, or a cell that cannot be edited was double-clicked.
    """

    opened = Signal()

    def __init__(self, model: RunsModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._runs = model
        self._chosen: list[str] = []
        self.setModel(model)
        self._set_up()
        model.modelAboutToBeReset.connect(self._note_chosen)
        model.modelReset.connect(lambda: self.choose(self._chosen))
        self.doubleClicked.connect(self._clicked_twice)

    def rows(self) -> list[int]:
        """The selected rows, from top to bottom."""
        return sorted(index.row() for index in self.selectionModel().selectedRows())

    def choose(self, runs: Iterable[str]) -> None:
        """Select the runs with these ids, if they are shown."""
        selection = self.selectionModel()
        selection.clearSelection()
        flags = QItemSelectionModel.SelectionFlag
        for place, row in enumerate(row for run in runs if (row := self._runs.row_of(run)) is not None):
            index = self._runs.index(row, NAME)
            if not place:
                selection.setCurrentIndex(index, flags.NoUpdate)
            selection.select(index, flags.Select | flags.Rows)

    def is_edited(self) -> bool:
        """Whether a cell is being edited."""
        return self.state() == QAbstractItemView.State.EditingState

    def edit_cell(self, column: int) -> None:
        """Edit ``column`` of the selected run."""
        rows = self.rows()
        if len(rows) == 1:
            index = self._runs.index(rows[0], column)
            self.setCurrentIndex(index)
            self.scrollTo(index)
            self.edit(index)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Open the selected run on Enter."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and not self.is_edited():
            self.opened.emit()
        else:
            super().keyPressEvent(event)

    def _clicked_twice(self, index: QModelIndex) -> None:
        if index.column() not in EDITABLE or not self._runs.editable:
            self.opened.emit()

    def _note_chosen(self) -> None:
        self._chosen = [self._runs.run(row).row.id for row in self.rows()]

    def _set_up(self) -> None:
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.DoubleClicked)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setTabKeyNavigation(False)
        self.setFrameShape(QTableView.Shape.NoFrame)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.setAccessibleName(tr("Runs"))
        self.verticalHeader().hide()
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.verticalHeader().setDefaultSectionSize(self.fontMetrics().height() + 8)
        header = self.horizontalHeader()
        header.setHighlightSections(False)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        header.setSortIndicator(WHEN, Qt.SortOrder.DescendingOrder)
        self.setSortingEnabled(True)
        samples = {
            NAME: "0" * 17,
            STATE: tr("Branched") + "00",
            WHAT: "digits, small_cnn",
            OPTIMIZER: tr("Optimizer"),
            SCHEDULE: "MultiStepLR000",
            EPOCHS: "00/000",
            ACCURACY: tr("Best acc."),
            LOSS: tr("Best loss"),
            LR: "0.00000",
            WHEN: tr("{n} minutes ago", n=59),
            TAGS: "0" * 9,
            NOTE: "0" * 10,
            DISK: "000.0 MB",
        }
        for column in range(COLUMNS):
            self.setColumnWidth(column, self.fontMetrics().horizontalAdvance(samples[column]) + 18)
        header.setSectionResizeMode(NOTE, QHeaderView.ResizeMode.Stretch)
        header.setMinimumSectionSize(48)
