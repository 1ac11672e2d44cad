"""The fields of a preset of parameter groups: a factor, or an epoch."""

from __future__ import annotations

from typing import Any, Literal

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from engine.recipe.recipe import GroupSpec
from gui.core.translation import tr
from gui.schedule.pending import labelled
from gui.setup.group_presets import DECAY, frozen_backbone, head_and_rest, layer_by_layer
from gui.setup.outline import Outline
from gui.widgets.field_text import to_text
from gui.widgets.fields import IntegerEditor, LineEditor, read_float

GroupsMode = Literal["one", "head", "layers", "unfreeze", "patterns"]


class PresetFields(QWidget):
    """The factor from block to block, and the epoch after which a backbone is unfrozen. Each mode shows one or none.

    Signals:
        edited(): the user changed one of them.
    """

    edited = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._epochs, self._own_unfreeze = 30, False
        self.factor, self.unfreeze = LineEditor(read_float, to_text), IntegerEditor(1, 1_000_000, "")
        self.factor.show_value(DECAY)
        self.factor.edit.setToolTip(
            tr("Each block has the LR of the next block times this factor. Allowed: more than 0, at most 1.")
        )
        self.unfreeze.edit.setToolTip(
            tr("Only the last layers are trained for this many epochs, then the backbone too.")
        )
        self.factor.edit.setAccessibleName(tr("Factor per block"))
        self.unfreeze.edit.setAccessibleName(tr("Unfreeze after epoch"))
        self._factor_row = labelled(tr("Factor per block"), self.factor)
        self._unfreeze_row = labelled(tr("Unfreeze after epoch"), self.unfreeze)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self._factor_row)
        column.addWidget(self._unfreeze_row)
        self.factor.edited.connect(self.edited)
        self.unfreeze.edited.connect(self._unfreeze_edited)
        self.set_epochs(30)
        self.show_mode("one")

    def show_mode(self, mode: GroupsMode) -> None:
        """Show the field of ``mode``, if it has one."""
        self._factor_row.setVisible(mode == "layers")
        self._unfreeze_row.setVisible(mode == "unfreeze")
        self.setVisible(mode in ("layers", "unfreeze"))

    def set_epochs(self, epochs: int) -> None:
        """Set the number of epochs, from which an unedited epoch is derived. No signal."""
        self._epochs = epochs
        if not self._own_unfreeze:
            self.unfreeze.show_value(self._usual_unfreeze())

    def show_unfreeze(self, after: int) -> None:
        """Show the epoch after which the backbone is unfrozen, without a signal."""
        self.unfreeze.show_value(after)
        self._own_unfreeze = after != self._usual_unfreeze()

    def groups(
        self, mode: GroupsMode, network: str, outline: Outline, base: float | None
    ) -> tuple[GroupSpec, ...] | None:
        """The groups of ``mode``; None if a field is wrong or the network's modules are not known."""
        if self.problem(mode) is not None:
            return None
        if mode == "layers":
            return layer_by_layer(network, outline, base, self.factor.raw())
        return (frozen_backbone if mode == "unfreeze" else head_and_rest)(network, outline, base)

    def problem(self, mode: GroupsMode) -> str | None:
        """What is wrong with the field of ``mode``, or None."""
        raw = self.factor.raw()
        if mode == "layers" and not (isinstance(raw, float) and 0 < raw <= 1):
            return tr("the factor must be more than 0 and at most 1")
        return self.unfreeze_problem(self.unfreeze.raw()) if mode == "unfreeze" else None

    def unfreeze_problem(self, after: Any) -> str | None:
        """Why a group cannot be unfrozen after epoch ``after``, or None."""
        if self._epochs < 2:
            return tr("a run of one epoch cannot unfreeze a group")
        if isinstance(after, int) and 1 <= after < self._epochs:
            return None
        return tr("unfreeze after an epoch from 1 to {last}", last=self._epochs - 1)

    def _usual_unfreeze(self) -> int:
        return max(1, min(5, self._epochs // 6))

    def _unfreeze_edited(self) -> None:
        self._own_unfreeze = True
        self.edited.emit()
