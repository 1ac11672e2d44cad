"""A field that shows a confirmed value and asks for another one with Enter."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QWidget

from gui.theme.theme import set_style_property
from gui.widgets.number_field import NumberField


class ConfirmedField(NumberField):
    """Shows the confirmed value. Another text stays until Enter asks for it or Escape discards it.

    Signals:
        typing(str): the person changed the text, or discarded it (then it is the confirmed text).
        entered(str): Enter was pressed on a changed text.
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
        """Set the confirmed text. A text that is being typed stays."""
        self._confirmed = text
        if not self._typed and text != self.text():
            self._show(text)

    def is_typed(self) -> bool:
        """Whether a text other than the confirmed one is typed."""
        return self._typed

    def discard(self) -> None:
        """Show the confirmed text again."""
        if self._typed:
            self._typed = False
            self._show(self._confirmed)
            self.typing.emit(self._confirmed)

    def set_problem(self, problem: str | None) -> None:
        """Mark the text as wrong, also for screen readers; None: as right."""
        self.setAccessibleDescription(problem or "")
        set_style_property(self, "invalid", problem is not None)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Discard the typed text with Escape."""
        if event.key() == Qt.Key.Key_Escape and self._typed:
            self.discard()
        else:
            super().keyPressEvent(event)

    def _show(self, text: str) -> None:
        self.show_number(text)
        if self.hasFocus():
            self.selectAll()  # so that the next digits replace it

    def _on_typed(self, text: str) -> None:
        self._typed = text.strip() != self._confirmed
        self.typing.emit(text)

    def _on_entered(self) -> None:
        if self._typed:
            self.entered.emit(self.text())
