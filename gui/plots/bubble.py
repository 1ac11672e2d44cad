"""A few words beside the pointer, while it drags something in a plot."""

from __future__ import annotations

from PySide6.QtCore import QPointF, Qt
from PySide6.QtWidgets import QLabel

from gui.plots.canvas import Canvas


class Bubble(QLabel):
    """A few words beside the pointer."""

    def __init__(self, canvas: Canvas) -> None:
        super().__init__(canvas)
        self._canvas = canvas
        self.setProperty("role", "chip")
        self.setProperty("tone", "accent")
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.hide()

    def say(self, text: str, scene: QPointF) -> None:
        """Show ``text`` beside a point of the scene, within the canvas."""
        self.setText(text)
        self.adjustSize()
        at = self._canvas.mapFromScene(scene)
        room = self._canvas.rect().adjusted(2, 2, -2 - self.width(), -2 - self.height())
        x, y = at.x() + 16, at.y() - 26
        self.move(min(max(x, room.left()), room.right()), min(max(y, room.top()), room.bottom()))
        self.show()
