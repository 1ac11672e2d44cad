"""Chooses the parameter groups that a command is for: a row of buttons, or a list if they do not fit."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QSignalBlocker, Signal
from PySide6.QtWidgets import QButtonGroup, QComboBox, QHBoxLayout, QPushButton, QSizePolicy, QWidget

from gui.core.translation import tr
from gui.widgets.labels import button_text

_ROOM: Final = 280  # pixels for the buttons: the width of the right column


class GroupPicker(QWidget):
    """[All | head | rest]. Hidden if there is one group.

    Signals:
        chosen(): ``group()`` changed.
    """

    chosen = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._names: list[str] = []
        self._index = 0
        self._buttons = QButtonGroup(self)
        self._buttons.idClicked.connect(self._choose)
        self._list = QComboBox()
        self._list.setAccessibleName(tr("Parameter group"))
        self._list.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self._list.activated.connect(self._choose)
        self._layout = QHBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(2)
        self._layout.addWidget(self._list)
        self.hide()

    def show_groups(self, names: list[str]) -> None:
        """Offer ``names``. The chosen group stays chosen if it is among them, else All is."""
        if names == self._names:
            return
        before = self.group()
        self._names = list(names)
        for button in self._buttons.buttons():
            self._buttons.removeButton(button)
            self._layout.removeWidget(button)
            button.deleteLater()
        texts = [tr("All"), *names]
        for index, text in enumerate(texts):
            button = QPushButton(button_text(text))
            button.setCheckable(True)
            button.setMinimumWidth(self.fontMetrics().horizontalAdvance(text) + 16)
            self._buttons.addButton(button, index)
            self._layout.addWidget(button)
        fits = sum(self.fontMetrics().horizontalAdvance(text) + 26 for text in texts) <= _ROOM
        for button in self._buttons.buttons():
            button.setVisible(fits)
        with QSignalBlocker(self._list):
            self._list.clear()
            self._list.addItems([tr("All groups"), *names])
        self._list.setVisible(not fits)
        self._mark(1 + names.index(before) if before in names else 0)
        self.setVisible(len(names) > 1)

    def group(self) -> str | None:
        """The name of the chosen group; None for all of them or if there is only one."""
        return self._names[self._index - 1] if self._index and len(self._names) > 1 else None

    def choose(self, name: str | None) -> None:
        """Choose a group, or all of them (None). It does nothing while there are no groups."""
        if self._names:
            self._choose(0 if name is None else 1 + self._names.index(name))

    def set_tip(self, tip: str) -> None:
        """Set the tooltip."""
        for widget in (self._list, *self._buttons.buttons()):
            widget.setToolTip(tip)

    def _choose(self, index: int) -> None:
        changed = index != self._index
        self._mark(index)
        if changed:
            self.chosen.emit()

    def _mark(self, index: int) -> None:
        self._index = index
        self._buttons.button(index).setChecked(True)
        with QSignalBlocker(self._list):
            self._list.setCurrentIndex(index)
