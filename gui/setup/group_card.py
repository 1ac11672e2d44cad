"""One parameter group of patterns, as it is set up."""

from __future__ import annotations

from typing import Any, Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QToolButton, QVBoxLayout

from engine.recipe.recipe import GroupSpec
from gui.core.translation import tr
from gui.schedule.pending import labelled
from gui.widgets.field_text import to_text
from gui.widgets.fields import EMPTY, IntegerEditor, LineEditor, read_float
from gui.widgets.forms import SpecForm

INSET: Final = 9
"""Pixels by which a card's form stands in from the forms above it."""


class GroupCard(QFrame):
    """Edits one group.

    Signals:
        changed(): the group, or what is wrong with it, is another; by the person.
        removed(): it is not wanted any more.
    """

    changed = Signal()
    removed = Signal()

    def __init__(self, values: dict[str, Any], number: int) -> None:
        super().__init__()
        self.setProperty("role", "card")
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self.form = SpecForm(
            GroupSpec,
            values,
            only=("name", "modules", "lr", "frozen"),
            editors={"lr": LineEditor(read_float, to_text, tr("the optimizer's"))},
        )
        self.thaw = IntegerEditor(1, 1_000_000, tr("never"))
        self.thaw.edit.setAccessibleName(tr("Unfreeze after epoch"))
        self.thaw.edit.setToolTip(
            tr("So many epochs the group stays frozen; then it trains as well. Empty: it stays frozen.")
        )
        self._thaw_row = labelled(tr("until after epoch"), self.thaw)
        self.title = QLabel()
        self.remove = QToolButton()
        self.remove.setText("✕")
        self.remove.setAutoRaise(True)
        self.remove.setProperty("role", "quiet")
        self.remove.setFocusPolicy(Qt.FocusPolicy.TabFocus)  # a click leaves Space to start and pause
        self.remove.clicked.connect(self.removed)
        head = QHBoxLayout()
        head.addWidget(self.title, 1)
        head.addWidget(self.remove)
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 4, 8, 2)
        column.setSpacing(2)
        column.addLayout(head)
        column.addWidget(self.form)
        column.addWidget(self._thaw_row)
        self.form.changed.connect(self._changed)
        self.thaw.edited.connect(self.changed)
        self.set_number(number)
        self._show_thaw()

    def show_group(self, spec: GroupSpec, thaw: int | None) -> None:
        """Show ``spec``, and after how many epochs it is unfrozen. No signal."""
        self.form.set_value(spec)
        self.thaw.show_value(thaw)
        self._show_thaw()

    def thaws_after(self) -> Any:
        """The epochs after which the group is unfrozen, as typed; None where it never is, or is not frozen."""
        raw = self.thaw.raw()
        return None if raw is EMPTY or not self.form.editor("frozen").raw() else raw

    def set_number(self, number: int) -> None:
        """Where the group stands, from 1."""
        self.title.setText(tr("Group {number}", number=number))
        self.remove.setAccessibleName(tr("Remove group {number}", number=number))
        self.remove.setToolTip(tr("Remove this group; its modules go to the rest"))

    def set_label_width(self, pixels: int) -> None:
        """Align with the forms above."""
        self.form.set_label_width(pixels - INSET)

    def _changed(self) -> None:
        self._show_thaw()
        self.changed.emit()

    def _show_thaw(self) -> None:
        self._thaw_row.setVisible(bool(self.form.editor("frozen").raw()))
