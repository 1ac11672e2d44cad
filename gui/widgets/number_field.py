"""A line edit for a number."""

from __future__ import annotations

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QLineEdit


class NumberField(QLineEdit):
    """A line edit for a number, which has no spaces: Space starts and pauses the run, as it does elsewhere."""

    def event(self, event: QEvent) -> bool:
        """Leave Space to the window's shortcuts."""
        if (
            event.type() == QEvent.Type.ShortcutOverride
            and isinstance(event, QKeyEvent)
            and event.key() == Qt.Key.Key_Space
        ):
            event.ignore()
            return False
        return super().event(event)

    def show_number(self, text: str) -> None:
        """Show ``text``, from its first digit where it does not fit."""
        self.setText(text)
        self.setCursorPosition(0)
