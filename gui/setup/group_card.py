"""The form of one parameter group with patterns of module names."""

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
"""Pixels by which a card's form is indented."""


class GroupCard(QFrame):
    """Edits one group.

    Signals:
        changed(): the user changed the group or what is wrong with it.
        removed(): the user removed the group.
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
        self.unfreeze = IntegerEditor(1, 1_000_000, tr("never"))
        self.unfreeze.edit.setAccessibleName(tr("Unfreeze after epoch"))
        self.unfreeze.edit.setToolTip(
            tr("The group is frozen for this many epochs, then trained. Empty: it stays frozen.")
        )
        self._unfreeze_row = labelled(tr("until after epoch"), self.unfreeze)
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
        column.addWidget(self._unfreeze_row)
        self.form.changed.connect(self._changed)
        self.unfreeze.edited.connect(self.changed)
        self.set_number(number)
        self._fit_unfreeze()

    def show_group(self, spec: GroupSpec, unfreeze: int | None) -> None:
        """Show ``spec`` and the epoch after which it is unfrozen, without a signal."""
        self.form.set_value(spec)
        self.unfreeze.show_value(unfreeze)
        self._fit_unfreeze()

    def unfreeze_after(self) -> Any:
        """The epoch after which the group is unfrozen, as typed; None if it never is or is not frozen."""
        raw = self.unfreeze.raw()
        return None if raw is EMPTY or not self.form.editor("frozen").raw() else raw

    def set_number(self, number: int) -> None:
        """Set the number of the group, from 1."""
        self.title.setText(tr("Group {number}", number=number))
        self.remove.setAccessibleName(tr("Remove group {number}", number=number))
        self.remove.setToolTip(tr("Remove this group; its modules then belong to rest"))

    def set_label_width(self, pixels: int) -> None:
        """Align with the forms above."""
        self.form.set_label_width(pixels - INSET)

    def _changed(self) -> None:
        self._fit_unfreeze()
        self.changed.emit()

    def _fit_unfreeze(self) -> None:
        self._unfreeze_row.setVisible(bool(self.form.editor("frozen").raw()))
