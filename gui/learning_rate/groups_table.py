"""The parameter groups of a run as rows: the current LR, schedule and state of each, and fields to change them."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from engine.messages.events import LREvent
from gui.core.translation import tr
from gui.learning_rate.group_row import GroupRow, GroupState


class GroupsTable(QWidget):
    """One row a group; hidden if there is only one.

    Signals:
        command_wanted(Command): of a row.
        change_wanted(str, Change): the LR of this group is to continue like this, once the user has applied it.
        schedule_wanted(str): the user wants to change the schedule of this group.
        clicked(str): the user clicked the row of this group.
    """

    command_wanted = Signal(object)
    change_wanted = Signal(str, str)
    schedule_wanted = Signal(str)
    clicked = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.rows: dict[str, GroupRow] = {}
        self._colours: Sequence[str] = ()
        self._reason: str | None = None
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(6)
        self.setAccessibleName(tr("Parameter groups"))
        self.hide()

    def begin(self, names: Sequence[str], parameters: Sequence[int]) -> None:
        """Show the groups of a new run, with their numbers of parameters where known."""
        for row in self.rows.values():
            self._column.removeWidget(row)
            row.hide()
            row.deleteLater()
        self.rows = {}
        if len(names) > 1:
            known = list(parameters) if len(parameters) == len(names) else [None] * len(names)
            for name, count in zip(names, known, strict=True):
                self._add(name, count)
        self.set_colours(self._colours)
        self.setVisible(bool(self.rows))

    def show_lrs(self, event: LREvent) -> None:
        """Show what an event confirmed."""
        if list(self.rows) != event.groups:
            return
        frozen = event.frozen or [False] * len(event.groups)
        for index, row in enumerate(self.rows.values()):
            row.show_state(
                GroupState(
                    name=row.name,
                    lr=event.lr[index],
                    scheduled=event.scheduled[index],
                    holding=event.holding[index],
                    touched=event.touched[index],
                    frozen=frozen[index],
                    schedule=event.schedules[index].spec,
                    last=not frozen[index] and sum(frozen) == len(frozen) - 1,
                )
            )

    def set_colours(self, colours: Sequence[str]) -> None:
        """Use the plots' colours of groups, in order; they repeat if there are more groups."""
        self._colours = colours
        for index, row in enumerate(self.rows.values()):
            if colours:
                row.show_color(colours[index % len(colours)])

    def set_enabled_because(self, reason: str | None) -> None:
        """Enable the controls (None), or disable them with ``reason`` as their tooltips."""
        self._reason = reason
        for row in self.rows.values():
            row.set_enabled_because(reason)

    def show_chosen(self, group: str | None) -> None:
        """Mark the group that the controls below change; None: all of them."""
        for name, row in self.rows.items():
            row.show_chosen(name == group)

    def show_problem(self, group: str, text: str) -> None:
        """Show why a command for ``group`` was rejected."""
        if group in self.rows:
            self.rows[group].show_note(text, error=True)

    def is_typed(self) -> bool:
        """Whether something is typed and not applied."""
        return any(row.is_typed() for row in self.rows.values())

    def discard(self) -> None:
        """Discard what is typed."""
        for row in self.rows.values():
            row.discard()

    def _add(self, name: str, parameters: int | None) -> None:
        row = self.rows[name] = GroupRow(name, parameters)
        row.set_enabled_because(self._reason)
        row.command_wanted.connect(self.command_wanted)
        row.change_wanted.connect(self.change_wanted)
        row.schedule_wanted.connect(self.schedule_wanted)
        row.clicked.connect(self.clicked)
        self._column.addWidget(row)
