"""What a ready-made choice of parameter groups asks for: a factor, or a moment."""

from __future__ import annotations

from typing import Any, Literal

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from engine.recipe.recipe import GroupSpec
from gui.core.translation import tr
from gui.schedule.pending import labelled
from gui.setup.group_presets import DECAY, decaying, frozen_backbone, head_and_rest
from gui.setup.outline import Outline
from gui.widgets.field_text import to_text
from gui.widgets.fields import IntegerEditor, LineEditor, read_float

Mode = Literal["one", "head", "layers", "thaw", "patterns"]


class PresetFields(QWidget):
    """The factor from block to block, and the epochs that a backbone stays frozen; which is shown, the choice says.

    Signals:
        edited(): the person changed one of them.
    """

    edited = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._epochs, self._own_thaw = 30, False
        self.factor, self.thaw = LineEditor(read_float, to_text), IntegerEditor(1, 1_000_000, "")
        self.factor.show_value(DECAY)
        self.factor.edit.setToolTip(
            tr("Each block's LR is that of the next block times this. Allowed: more than 0, at most 1.")
        )
        self.thaw.edit.setToolTip(tr("So many epochs only the last layers learn; then the backbone does as well."))
        self.factor.edit.setAccessibleName(tr("Factor a block"))
        self.thaw.edit.setAccessibleName(tr("Unfreeze after epoch"))
        self._factor_row = labelled(tr("Factor a block"), self.factor)
        self._thaw_row = labelled(tr("Unfreeze after epoch"), self.thaw)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self._factor_row)
        column.addWidget(self._thaw_row)
        self.factor.edited.connect(self.edited)
        self.thaw.edited.connect(self._thaw_edited)
        self.set_epochs(30)
        self.show_mode("one")

    def show_mode(self, mode: Mode) -> None:
        """Show what ``mode`` asks for."""
        self._factor_row.setVisible(mode == "layers")
        self._thaw_row.setVisible(mode == "thaw")
        self.setVisible(mode in ("layers", "thaw"))

    def set_epochs(self, epochs: int) -> None:
        """The run's length, which an unedited moment follows. No signal."""
        self._epochs = epochs
        if not self._own_thaw:
            self.thaw.show_value(self._usual_thaw())

    def show_thaw(self, after: int) -> None:
        """Show after how many epochs the backbone is unfrozen. No signal."""
        self.thaw.show_value(after)
        self._own_thaw = after != self._usual_thaw()

    def made(self, mode: Mode, network: str, outline: Outline, base: float | None) -> tuple[GroupSpec, ...] | None:
        """The groups of ``mode``; None where a field is wrong or the network's modules are not known."""
        if self.problem(mode) is not None:
            return None
        if mode == "layers":
            return decaying(network, outline, base, self.factor.raw())
        return (frozen_backbone if mode == "thaw" else head_and_rest)(network, outline, base)

    def problem(self, mode: Mode) -> str | None:
        """What is wrong with what ``mode`` asks for."""
        raw = self.factor.raw()
        if mode == "layers" and not (isinstance(raw, float) and 0 < raw <= 1):
            return tr("the factor must be more than 0 and at most 1")
        return self.thaw_problem(self.thaw.raw()) if mode == "thaw" else None

    def thaw_problem(self, after: Any) -> str | None:
        """Why a group cannot be unfrozen after so many epochs, or None."""
        if self._epochs < 2:
            return tr("with one epoch nothing can be unfrozen on the way")
        if isinstance(after, int) and 1 <= after < self._epochs:
            return None
        return tr("it can be unfrozen after epoch 1 to {last}, the last but one", last=self._epochs - 1)

    def _usual_thaw(self) -> int:
        return max(1, min(5, self._epochs // 6))

    def _thaw_edited(self) -> None:
        self._own_thaw = True
        self.edited.emit()
