"""What happened in a run, line by line: append-only, and bounded."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, Final, Literal

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt
from PySide6.QtGui import QIcon

from engine.events import (
    BranchEvent,
    CommandEvent,
    DivergedEvent,
    EndEvent,
    Event,
    PlanEvent,
    SavedEvent,
    StateEvent,
    WarningEvent,
)
from gui.panels.acts import describe
from gui.panels.chip import AMBER, BLUE, GREEN, GREY, RED, VIOLET, dot_icon, state_words
from gui.panels.labels import as_tip
from gui.words import said, tr

Kind = Literal["hand", "plan", "saved", "warning", "state"]
Index = QModelIndex | QPersistentModelIndex

TIME, PLACE, TEXT = range(3)
LIMIT: Final = 10_000
_COLOURS: Final[dict[Kind, str]] = {"hand": VIOLET, "plan": BLUE, "saved": GREEN, "warning": AMBER, "state": GREY}


@dataclass(frozen=True, kw_only=True)
class LogEntry:
    """One line. ``place`` is (epoch from 1, batch from 0), None where the event has none; ``when`` is local time."""

    kind: Kind
    text: str
    place: tuple[int, int] | None = None
    when: datetime | None = None
    event: Event | None = None

    @property
    def place_text(self) -> str:
        """The place as "7.12"."""
        return f"{self.place[0]}.{self.place[1]}" if self.place else ""

    def line(self) -> str:
        """The entry as one line to copy: its three columns, with tabs between."""
        time = self.when.strftime("%H:%M:%S") if self.when else ""
        return "\t".join((time, self.place_text, " ".join(self.text.split())))


def entry_of(event: Event, when: datetime | None = None) -> LogEntry | None:
    """``event`` as a line, or None for one that the log leaves out (reports of steps, a command still queued)."""
    match event:
        case CommandEvent(status="queued"):
            return None
        case CommandEvent(epoch=epoch, batch=batch):
            kind: Kind = "warning" if event.status == "rejected" else "hand"
            text = describe(event)
            if event.warning:
                text = tr("{act}. Note: {warning}", act=text, warning=said(event.warning))
        case PlanEvent(epoch=epoch, batch=batch):
            kind, text = "plan", said(event.text)
        case SavedEvent(kind="epoch" | "before"):
            return None  # what is saved by itself is no news
        case SavedEvent(epoch=epoch, batch=batch):
            kind, text = "saved", _saved_words(event)
        case BranchEvent(epoch=epoch, batch=batch):
            kind, text = "state", tr("Went back; from here on this is a new branch, {run}", run=event.run)
        case DivergedEvent(epoch=epoch, batch=batch):
            kind, text = "warning", said(event.text)
        case EndEvent(epoch=epoch, batch=batch):
            kind = "warning" if event.reason in ("failed", "diverged") else "state"
            text = said(event.text) if event.text else state_words(event.reason)
        case StateEvent(state="diverged"):
            return None  # the DivergedEvent says it, with the reason
        case StateEvent(epoch=epoch, batch=batch):
            kind, text = "state", state_words(event.state)
        case WarningEvent():
            text = said(event.text)
            return LogEntry(kind="warning", text=text[:1].upper() + text[1:], when=when, event=event)
        case _:
            return None
    return LogEntry(kind=kind, text=text, place=(epoch, batch), when=when, event=event)


class LogModel(QAbstractTableModel):
    """The lines as a table of time, place and text. Past ``limit`` lines the oldest tenth is left out."""

    def __init__(self, parent: QObject | None = None, limit: int = LIMIT) -> None:
        super().__init__(parent)
        self.limit = limit
        self._entries: list[LogEntry] = []
        self.dropped = 0

    def append(self, entry: LogEntry) -> int:
        """Add a line and return its id, which stays its own for the run."""
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
        """Start anew, as for another run."""
        self.beginResetModel()
        self._entries.clear()
        self.dropped = 0
        self.endResetModel()

    def entry(self, row: int) -> LogEntry:
        """The line in ``row``."""
        return self._entries[row]

    def row_of(self, entry_id: int) -> int | None:
        """The row of the line with this id, or None where it was left out."""
        row = entry_id - self.dropped
        return row if 0 <= row < len(self._entries) else None

    def id_of(self, row: int) -> int:
        """The id of the line in ``row``."""
        return self.dropped + row

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own default
        """How many lines there are."""
        return 0 if parent.isValid() else len(self._entries)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own default
        """Time, place, text."""
        return 0 if parent.isValid() else 3

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """What the view shows of a cell."""
        if not index.isValid():
            return None
        entry, column = self._entries[index.row()], index.column()
        if role == Qt.ItemDataRole.DisplayRole:
            if column == TIME:
                return entry.when.strftime("%H:%M:%S") if entry.when else ""
            return entry.place_text if column == PLACE else " ".join(entry.text.split())
        if role == Qt.ItemDataRole.DecorationRole and column == TEXT:
            return _icon(entry.kind, entry.event)
        if role == Qt.ItemDataRole.ToolTipRole and column == TEXT:
            return as_tip(entry.text)
        if role == Qt.ItemDataRole.ToolTipRole and column == TIME and entry.when:
            return entry.when.strftime("%Y-%m-%d %H:%M:%S")
        return None

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """The columns' names."""
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return (tr("Time"), tr("Epoch.batch"), tr("What happened"))[section]
        return None


def _saved_words(event: SavedEvent) -> str:
    if event.kind == "asked":
        return tr("Saved as {path}", path=event.path)
    return tr("Snapshot kept at the end of the run")


def _icon(kind: Kind, event: Event | None) -> QIcon:
    bad = isinstance(event, DivergedEvent) or (isinstance(event, EndEvent) and event.reason in ("failed", "diverged"))
    return _dot(RED if bad else _COLOURS[kind])


@cache
def _dot(colour: str) -> QIcon:
    return dot_icon(colour)
