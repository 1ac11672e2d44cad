"""A field that shows what is in force, and asks for something else by Enter."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QLineEdit, QWidget

from gui.widgets.notes import restyle_as


class ConfirmedField(QLineEdit):
    """Shows the confirmed value; what is typed over it stays until Enter asks for it or Escape drops it.

    Signals:
        typing(str): the person changed the text, or dropped it (the confirmed text again).
        entered(str): Enter was pressed on something typed.
    """

    typing = Signal(str)
    entered = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._confirmed = ""
        self._typed = False
        self.textEdited.connect(self._on_typed)
        self.returnPressed.connect(self._on_entered)

    def show_confirmed(self, text: str) -> None:
        """What is in force now; a text that is being typed stays."""
        self._confirmed = text
        if not self._typed and text != self.text():
            self._show(text)

    def is_typed(self) -> bool:
        """Whether something else than the confirmed value is typed."""
        return self._typed

    def drop(self) -> None:
        """Forget what is typed."""
        if self._typed:
            self._typed = False
            self._show(self._confirmed)
            self.typing.emit(self._confirmed)

    def set_problem(self, problem: str | None) -> None:
        """Mark the text as wrong, for the eye and for a screen reader."""
        self.setAccessibleDescription(problem or "")
        restyle_as(self, "invalid", problem is not None)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Escape drops what is typed."""
        if event.key() == Qt.Key.Key_Escape and self._typed:
            self.drop()
        else:
            super().keyPressEvent(event)

    def _show(self, text: str) -> None:
        self.setText(text)
        if self.hasFocus():
            self.selectAll()  # so that the next digits replace it
        else:
            self.setCursorPosition(0)

    def _on_typed(self, text: str) -> None:
        self._typed = text.strip() != self._confirmed
        self.typing.emit(text)

    def _on_entered(self) -> None:
        if self._typed:
            self.entered.emit(self.text())
