"""The lines of the log: append-only, and limited in number."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from typing import Any, Final, Literal

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt, Signal
from PySide6.QtGui import QGuiApplication, QIcon, QPalette

from engine.common.position import Position
from engine.messages.events import (
    WITHDRAWN,
    BranchEvent,
    CommandEvent,
    DivergedEvent,
    EndEvent,
    Event,
    SavedEvent,
    ScheduleEvent,
    StateEvent,
    WarningEvent,
)
from engine.messages.notes import about_of, can_have_note
from gui.core.translation import said, tr
from gui.widgets.intervention_text import command_text
from gui.widgets.labels import as_tip
from gui.widgets.state_chip import AMBER, BLUE, GREEN, GREY, RED, VIOLET, dot_icon, state_text

EntryKind = Literal["intervention", "schedule", "saved", "warning", "state"]
Index = QModelIndex | QPersistentModelIndex

TIME, POSITION, TEXT, EFFECT, NOTE = range(5)
LIMIT: Final = 10_000
_COLOURS: Final[dict[EntryKind, str]] = {
    "intervention": VIOLET,
    "schedule": BLUE,
    "saved": GREEN,
    "warning": AMBER,
    "state": GREY,
}


@dataclass(frozen=True, kw_only=True)
class LogEntry:
    """One line of the log.

    Attributes:
        kind: what the line is about, which gives it its colour.
        text: what happened.
        position: where in the run, or None.
        when: local time, or None.
        event: the event that the line is of.
        effect: how the validation loss moved since, in short; set later than the line.
        effect_tip: the same as a full sentence.
        note: why it was done; set later than the line.
    """

    kind: EntryKind
    text: str
    position: Position | None = None
    when: datetime | None = None
    event: Event | None = None
    effect: str = ""
    effect_tip: str = ""
    note: str = ""

    @property
    def takes_note(self) -> bool:
        """Whether there can be a note about it."""
        return isinstance(self.event, CommandEvent) and can_have_note(self.event)

    @property
    def position_text(self) -> str:
        """The position as "7.12"."""
        return f"{self.position.epoch}.{self.position.batch}" if self.position else ""

    def line(self) -> str:
        """The columns, separated by tabs, to copy."""
        time = self.when.strftime("%H:%M:%S") if self.when else ""
        columns = (self.text, self.effect_tip, self.note)
        return "\t".join((time, self.position_text, *(" ".join(text.split()) for text in columns))).rstrip("\t")


def entry_of(event: Event, when: datetime | None = None) -> LogEntry | None:
    """The line of ``event``; None for one that the log leaves out, such as steps and commands still queued."""
    match event:
        case CommandEvent(status="queued"):
            return None
        case CommandEvent(status="applied") if about_of(event) is not None:
            return None  # it is shown in the line of its intervention
        case CommandEvent(position=position):
            refused = event.status == "rejected" and event.reason != WITHDRAWN
            kind: EntryKind = "warning" if refused else "intervention"
            text = command_text(event)
            if event.warning:
                text = tr("{intervention}. Note: {warning}", intervention=text, warning=said(event.warning))
        case ScheduleEvent(position=position):
            kind, text = "schedule", said(event.text)
        case SavedEvent(kind="epoch" | "before"):
            return None  # automatic checkpoints would be too many lines
        case SavedEvent(position=position):
            kind, text = "saved", _saved_text(event)
        case BranchEvent(position=position):
            kind, text = "state", tr("Branched at epoch {epoch}, batch {batch}", epoch=event.epoch, batch=event.batch)
        case DivergedEvent(position=position):
            kind, text = "warning", said(event.text)
        case EndEvent(position=position):
            kind = "warning" if event.reason in ("failed", "diverged") else "state"
            text = said(event.text) if event.text else state_text(event.reason)
        case StateEvent(state="diverged"):
            return None  # the DivergedEvent has a line, with the reason
        case StateEvent(position=position):
            kind, text = "state", state_text(event.state)
        case WarningEvent():
            text = said(event.text)
            return LogEntry(kind="warning", text=text[:1].upper() + text[1:], when=when, event=event)
        case _:
            return None
    return LogEntry(kind=kind, text=text, position=position, when=when, event=event)


class LogModel(QAbstractTableModel):
    """The lines as a table of time, position, text, effect and note. Beyond ``limit`` the oldest tenth is removed.

    Signals:
        note_typed(int, str): this note was typed in the line with this id; ``set_note`` shows it once it is recorded.
    """

    note_typed = Signal(int, str)

    def __init__(self, parent: QObject | None = None, limit: int = LIMIT) -> None:
        super().__init__(parent)
        self.limit = limit
        self._entries: list[LogEntry] = []
        self.dropped = 0

    def append(self, entry: LogEntry) -> int:
        """Add a line and return its id, which it keeps."""
        if len(self._entries) >= self.limit:
            surplus = max(1, self.limit // 10)
            self.beginRemoveRows(QModelIndex(), 0, surplus - 1)
            del self._entries[:surplus]
            self.dropped += surplus
            self.endRemoveRows()
        row = len(self._entries)
        self.beginInsertRows(QModelIndex(), row, row)
        self._entries.append(entry)
        self.endInsertRows()
        return self.dropped + row

    def clear(self) -> None:
        """Remove all lines."""
        self.beginResetModel()
        self._entries.clear()
        self.dropped = 0
        self.endResetModel()

    def entry(self, row: int) -> LogEntry:
        """The line in ``row``."""
        return self._entries[row]

    def row_of(self, entry_id: int) -> int | None:
        """The row of the line with this id, or None if it was removed."""
        row = entry_id - self.dropped
        return row if 0 <= row < len(self._entries) else None

    def id_of(self, row: int) -> int:
        """The id of the line in ``row``."""
        return self.dropped + row

    def line_of(self, event: Event) -> int | None:
        """The id of the newest line of an event equal to ``event``, or None."""
        for row in range(len(self._entries) - 1, -1, -1):
            if self._entries[row].event == event:
                return self.id_of(row)
        return None

    def set_effect(self, entry_id: int, text: str, tip: str) -> None:
        """Set the effect in a line, in short, and as a full sentence."""
        row = self.row_of(entry_id)
        if row is not None:
            self._put(row, EFFECT, replace(self._entries[row], effect=text, effect_tip=tip))

    def set_note(self, entry_id: int, text: str) -> None:
        """Set the note in a line."""
        row = self.row_of(entry_id)
        if row is not None:
            self._put(row, NOTE, replace(self._entries[row], note=text))

    def _put(self, row: int, column: int, entry: LogEntry) -> None:
        if entry != self._entries[row]:
            self._entries[row] = entry
            self.dataChanged.emit(self.index(row, column), self.index(row, column))

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own default
        """How many lines there are."""
        return 0 if parent.isValid() else len(self._entries)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own default
        """Time, position, text, effect, note."""
        return 0 if parent.isValid() else 5

    def flags(self, index: Index) -> Qt.ItemFlag:
        """Notes can be edited."""
        flags = super().flags(index)
        if index.isValid() and index.column() == NOTE and self._entries[index.row()].takes_note:
            flags |= Qt.ItemFlag.ItemIsEditable
        return flags

    def setData(self, index: Index, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:
        """Ask for another note, which is shown once the run has recorded it."""
        if not index.isValid() or role != Qt.ItemDataRole.EditRole:
            return False
        text = str(value).strip()
        if text != self._entries[index.row()].note:
            self.note_typed.emit(self.id_of(index.row()), text)
        return True

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """What the view shows in a cell."""
        if not index.isValid():
            return None
        entry, column = self._entries[index.row()], index.column()
        if role == Qt.ItemDataRole.DisplayRole:
            return self._shown(entry, column)
        if role == Qt.ItemDataRole.EditRole and column == NOTE:
            return entry.note
        if role == Qt.ItemDataRole.DecorationRole and column == TEXT:
            return _icon(entry.kind, entry.event)
        if role == Qt.ItemDataRole.ForegroundRole and column == NOTE and not entry.note:
            return QGuiApplication.palette().color(QPalette.ColorRole.PlaceholderText)
        if role == Qt.ItemDataRole.ToolTipRole:
            return self._tip(entry, column)
        return None

    @staticmethod
    def _shown(entry: LogEntry, column: int) -> str:
        if column == TIME:
            return entry.when.strftime("%H:%M:%S") if entry.when else ""
        if column == NOTE and not entry.note:
            return tr("why?") if entry.takes_note else ""
        texts = {POSITION: entry.position_text, TEXT: entry.text, EFFECT: entry.effect, NOTE: entry.note}
        return " ".join(texts[column].split())

    @staticmethod
    def _tip(entry: LogEntry, column: int) -> str | None:
        if column == TIME and entry.when:
            return entry.when.strftime("%Y-%m-%d %H:%M:%S")
        if column == NOTE and entry.takes_note:
            return as_tip(entry.note or tr("Double-click to note why you did this. The note is kept with the run."))
        texts = {TEXT: entry.text, EFFECT: entry.effect_tip}
        return as_tip(texts[column]) if column in texts else None

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """The columns' names."""
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            names = (tr("Time"), tr("Epoch.batch"), tr("What happened"), tr("Effect"), tr("Note"))
            return names[section]
        return None


def _saved_text(event: SavedEvent) -> str:
    if event.kind == "asked":
        return tr("Saved as {path}", path=event.path)
    return tr("Checkpoint saved where the run was stopped")


def _icon(kind: EntryKind, event: Event | None) -> QIcon:
    bad = isinstance(event, DivergedEvent) or (isinstance(event, EndEvent) and event.reason in ("failed", "diverged"))
    return _dot(RED if bad else _COLOURS[kind])


@cache
def _dot(colour: str) -> QIcon:
    return dot_icon(colour)
