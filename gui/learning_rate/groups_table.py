"""The parameter groups of a run, one under the other: what is in force, and what can be asked for."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from engine.messages.events import LREvent
from gui.core.translation import tr
from gui.learning_rate.group_row import GroupRow, GroupState


class GroupsTable(QWidget):
    """A row a group; hidden where there is only one.

    Signals:
        command_wanted(Command): of a row.
        schedule_wanted(str): another plan is wanted for the group of this name.
        clicked(str): the person pointed at a group.
    """

    command_wanted = Signal(object)
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
        """The groups of a run that begins, with their numbers of parameters where they are known."""
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
        """The plots' colours of groups, in order; they begin again where there are more groups."""
        self._colours = colours
        for index, row in enumerate(self.rows.values()):
            if colours:
                row.show_color(colours[index % len(colours)])

    def set_enabled_because(self, reason: str | None) -> None:
        """Let the person act (None), or say in every tooltip why not."""
        self._reason = reason
        for row in self.rows.values():
            row.set_enabled_because(reason)

    def show_chosen(self, group: str | None) -> None:
        """Which group the controls below act on; None: all of them."""
        for name, row in self.rows.items():
            row.show_chosen(name == group)

    def say(self, group: str, text: str) -> None:
        """Why what was asked of ``group`` was refused."""
        if group in self.rows:
            self.rows[group].say(text, error=True)

    def is_typed(self) -> bool:
        """Whether something is typed and not sent."""
        return any(row.is_typed() for row in self.rows.values())

    def drop(self) -> None:
        """Forget what is typed."""
        for row in self.rows.values():
            row.drop()

    def _add(self, name: str, parameters: int | None) -> None:
        row = self.rows[name] = GroupRow(name, parameters)
        row.set_enabled_because(self._reason)
        row.command_wanted.connect(self.command_wanted)
        row.schedule_wanted.connect(self.schedule_wanted)
        row.clicked.connect(self.clicked)
        self._column.addWidget(row)
