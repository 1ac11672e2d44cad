"""The log: the events of the run, newest last."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from PySide6.QtCore import QItemSelection, QPoint, Qt, Signal
from PySide6.QtGui import QAction, QGuiApplication, QKeySequence, QResizeEvent, QShowEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QHeaderView,
    QMenu,
    QPushButton,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from engine.messages.events import CommandEvent, Event
from gui.core.translation import tr
from gui.log.model import EFFECT, LIMIT, NOTE, POSITION, TEXT, TIME, LogEntry, LogModel, entry_of
from gui.widgets.intervention_text import CHANGING, restore_lr_commands
from gui.widgets.labels import label, set_available

_TEXT_DIGITS: Final = 28  # the least width of the text column, in digits


class _Table(QTableView):
    """A table whose text column takes the width that the others leave, and more where that is too little to read."""

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.fit_text()

    def fit_text(self, resized: int | None = None) -> None:
        """Fit the text column after column ``resized`` (None: the table) got another width."""
        if resized == TEXT or self.model() is None:
            return
        others = sum(self.columnWidth(column) for column in range(self.model().columnCount()) if column != TEXT)
        least = self.fontMetrics().horizontalAdvance("0") * _TEXT_DIGITS
        self.setColumnWidth(TEXT, max(least, self.viewport().width() - others))


class LogPanel(QWidget):
    """A table of interventions, changes by the schedule, and what happened to the run.

    Signals:
        restore_lr(CommandEvent): the LR is to be what it was before this command (see ``restore_lr_commands``).
        go_back(CommandEvent): the run is to go back to just before this command, in a new branch.
        selected(int): the line with this id was selected, so that its marker in the plots can be shown.
        note_wanted(int, str): this note was typed in the line with this id; ``set_note`` shows it once it is recorded.
    """

    restore_lr = Signal(object)
    go_back = Signal(object)
    selected = Signal(int)
    note_wanted = Signal(int, str)

    def __init__(self, parent: QWidget | None = None, limit: int = LIMIT) -> None:
        super().__init__(parent)
        self._groups: tuple[str, ...] = ()
        self._signals_selection = True
        self._model = LogModel(self, limit)
        self._model.note_typed.connect(self.note_wanted)
        self._table = _Table()
        self._table.setModel(self._model)
        self._set_up_table()
        self._note = label("", "hint")
        self._note.hide()
        self._empty = label(
            tr("Your interventions, changes by the schedule and saved checkpoints are listed here."), "hint", wrap=True
        )
        self._empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._restore = QPushButton(tr("Restore LR"))
        self._restore.clicked.connect(self._on_restore_lr)
        self._before = QPushButton(tr("Go back…"))
        self._before.clicked.connect(self._on_go_back)
        foot = QHBoxLayout()
        foot.setContentsMargins(8, 0, 8, 6)
        foot.addWidget(self._restore)
        foot.addWidget(self._before)
        foot.addWidget(self._note)
        foot.addStretch(1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        layout.addWidget(self._empty, 1)
        layout.addWidget(self._table, 1)
        layout.addLayout(foot)
        self._on_change()

    def showEvent(self, event: QShowEvent) -> None:
        """Scroll to the newest line."""
        super().showEvent(event)
        self._table.scrollToBottom()

    def show_groups(self, groups: list[str]) -> None:
        """Set the names of the run's parameter groups, in order, which the commands that restore an LR name."""
        self._groups = tuple(groups)
        self._on_change()

    def add(self, event: Event, when: datetime | None) -> int | None:
        """Add a line for ``event`` and return its id; None for an event that the log leaves out.

        ``when`` is local time, None for an event from before the run was opened.
        """
        entry = entry_of(event, when)
        if entry is None:
            return None
        bar = self._table.verticalScrollBar()
        at_end = bar.value() >= bar.maximum()
        entry_id = self._model.append(entry)
        if at_end:
            self._table.scrollToBottom()
        if self._model.dropped:
            self._note.setText(
                tr(
                    "The log keeps {most} lines; the oldest {n} were removed.",
                    most=self._model.limit,
                    n=self._model.dropped,
                )
            )
        self._on_change()
        return entry_id

    def line_of(self, event: Event) -> int | None:
        """The id of the newest line of an event equal to ``event``, or None."""
        return self._model.line_of(event)

    def event_of(self, entry_id: int) -> Event | None:
        """The event of the line with this id; None if the line was removed."""
        row = self._model.row_of(entry_id)
        return self._model.entry(row).event if row is not None else None

    def set_effect(self, entry_id: int, text: str, tip: str) -> None:
        """Set the effect in a line, in short, and as a full sentence for the tooltip."""
        self._model.set_effect(entry_id, text, tip)

    def set_note(self, entry_id: int, text: str) -> None:
        """Set the note in a line."""
        self._model.set_note(entry_id, text)

    def clear(self) -> None:
        """Remove all lines."""
        self._model.clear()
        self._on_change()

    def select(self, entry_id: int) -> None:
        """Select and show the line with this id, as a click on its marker does; nothing if it was removed."""
        row = self._model.row_of(entry_id)
        if row is None:
            return
        self._signals_selection = False
        self._table.selectRow(row)
        self._table.scrollTo(self._model.index(row, 0))
        self._signals_selection = True

    def model(self) -> LogModel:
        """The lines."""
        return self._model

    def _set_up_table(self) -> None:
        table, behaviour = self._table, QAbstractItemView.SelectionBehavior
        table.setSelectionBehavior(behaviour.SelectRows)
        table.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        table.setShowGrid(False)
        table.setWordWrap(False)
        table.setTabKeyNavigation(False)
        table.setFrameShape(QTableView.Shape.NoFrame)
        table.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        table.verticalHeader().hide()
        table.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        table.verticalHeader().setDefaultSectionSize(table.fontMetrics().height() + 8)
        header = table.horizontalHeader()
        header.setHighlightSections(False)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        metrics = table.fontMetrics()
        table.setColumnWidth(TIME, metrics.horizontalAdvance("00:00:00") + 24)
        table.setColumnWidth(POSITION, metrics.horizontalAdvance(tr("Epoch.batch")) + 24)
        table.setColumnWidth(
            EFFECT,
            metrics.horizontalAdvance(
                tr("val loss {before} -> {after} ({epochs} epochs)", before="0.0123", after="0.0123", epochs=30)
            )
            + 24,
        )
        table.setColumnWidth(NOTE, metrics.horizontalAdvance("0") * 18)
        header.sectionResized.connect(table.fit_text)
        table.setEditTriggers(QAbstractItemView.EditTrigger.DoubleClicked)
        table.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        table.customContextMenuRequested.connect(self._show_menu)
        table.selectionModel().selectionChanged.connect(self._on_selected)
        self._copy = QAction(tr("Copy"), table)
        self._copy.setShortcut(QKeySequence(QKeySequence.StandardKey.Copy))
        self._copy.setShortcutContext(Qt.ShortcutContext.WidgetShortcut)
        self._copy.triggered.connect(self._copy_lines)
        self._edit_note = QAction(tr("Note…"), table)
        self._edit_note.setShortcut(QKeySequence(Qt.Key.Key_F2))
        self._edit_note.setShortcutContext(Qt.ShortcutContext.WidgetShortcut)
        self._edit_note.triggered.connect(self._begin_note)
        table.addActions([self._copy, self._edit_note])

    def _rows(self) -> list[int]:
        return sorted(index.row() for index in self._table.selectionModel().selectedRows())

    def _lr_change(self) -> CommandEvent | None:
        """The selected command, if it changed an LR that can be restored."""
        rows = self._rows()
        entry: LogEntry | None = self._model.entry(rows[0]) if len(rows) == 1 else None
        event = entry.event if entry else None
        return event if isinstance(event, CommandEvent) and restore_lr_commands(event, self._groups) else None

    def _on_change(self) -> None:
        empty = self._model.rowCount() == 0
        self._empty.setVisible(empty)
        self._table.setVisible(not empty)
        self._note.setVisible(bool(self._model.dropped))
        why_not = None if self._lr_change() else tr("Choose a line with a change of an LR.")
        set_available(self._restore, why_not, tr("Set the LR to what it was before this change."))
        why_not = None if self._change() else tr("Choose a line with one of your changes.")
        set_available(
            self._before, why_not, tr("Go back to just before this change, in a new branch. This run is kept.")
        )

    def _change(self) -> CommandEvent | None:
        """The selected command, if it changed the training."""
        rows = self._rows()
        event = self._model.entry(rows[0]).event if len(rows) == 1 else None
        done = isinstance(event, CommandEvent) and event.status == "applied" and event.name in CHANGING
        return event if done and isinstance(event, CommandEvent) else None

    def _on_selected(self, chosen: QItemSelection, _before: QItemSelection) -> None:
        self._on_change()
        rows = self._rows()
        if self._signals_selection and len(rows) == 1 and not chosen.isEmpty():
            self.selected.emit(self._model.id_of(rows[0]))

    def _on_restore_lr(self) -> None:
        event = self._lr_change()
        if event is not None:
            self.restore_lr.emit(event)

    def _on_go_back(self) -> None:
        event = self._change()
        if event is not None:
            self.go_back.emit(event)

    def _begin_note(self) -> None:
        rows = self._rows()
        if len(rows) == 1 and self._model.entry(rows[0]).takes_note:
            index = self._model.index(rows[0], NOTE)
            self._table.setCurrentIndex(index)
            self._table.edit(index)

    def _copy_lines(self) -> None:
        QGuiApplication.clipboard().setText("\n".join(self._model.entry(row).line() for row in self._rows()))

    def _show_menu(self, at: QPoint) -> None:
        if not self._rows():
            return
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addAction(self._copy)
        rows = self._rows()
        self._edit_note.setEnabled(len(rows) == 1 and self._model.entry(rows[0]).takes_note)
        menu.addAction(self._edit_note)
        back = menu.addAction(tr("Restore LR"))
        back.setEnabled(self._lr_change() is not None)
        back.triggered.connect(self._on_restore_lr)
        before = menu.addAction(tr("Go back…"))
        before.setEnabled(self._change() is not None)
        before.triggered.connect(self._on_go_back)
        menu.popup(self._table.viewport().mapToGlobal(at))
