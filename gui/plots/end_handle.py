"""The handle at the end of the current LR's line, which is dragged up and down to stage another LR."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Final

import pyqtgraph as pg
from PySide6.QtCore import QObject, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPen

from engine.recipe.recipe import LR_MAX
from gui.core.translation import tr
from gui.plots.axes import value_text
from gui.plots.canvas import Canvas, ValueLabel
from gui.plots.end_labels import Box
from gui.plots.lr_coordinates import LRCoordinates
from gui.theme.theme import Colors

_ROOM: Final = 8  # pixels around the handle that labels must not cover


class HandleItem(pg.GraphicsObject):  # type: ignore[misc]
    """A disc that is dragged up and down. Calls ``moved(position in the scene, finished, modifier keys)``."""

    def __init__(self, moved: Callable[[QPointF, bool, Qt.KeyboardModifier], None]) -> None:
        super().__init__()
        self._moved = moved
        self._fill, self._rim = QColor("#000000"), QColor("#ffffff")
        self._hovered = False
        self.setFlag(self.GraphicsItemFlag.ItemIgnoresTransformations)
        self.setCursor(Qt.CursorShape.SizeVerCursor)
        self.setZValue(50)

    def set_colors(self, fill: str, rim: str) -> None:
        """Set the colours of the disc and of its rim."""
        self._fill, self._rim = QColor(fill), QColor(rim)
        self.update()

    def boundingRect(self) -> QRectF:
        """In pixels around the position, larger than the disc so that it is easy to grab."""
        return QRectF(-11, -11, 22, 22)

    def paint(self, p: QPainter, *_args: Any) -> None:
        """Paint a disc with a rim in the plot's background."""
        p.setRenderHint(QPainter.RenderHint.Antialiasing, True)
        p.setPen(QPen(self._rim, 2.0))
        p.setBrush(self._fill)
        radius = 7.0 if self._hovered else 5.5
        p.drawEllipse(QPointF(0, 0), radius, radius)

    def hoverEvent(self, ev: Any) -> None:
        """Claim the drag, so that the view does not pan."""
        self._hovered = not ev.isExit() and bool(ev.acceptDrags(Qt.MouseButton.LeftButton))
        self.update()

    def mouseDragEvent(self, ev: Any) -> None:
        """Report where the pointer is."""
        if ev.button() != Qt.MouseButton.LeftButton:
            ev.ignore()
            return
        ev.accept()
        self._moved(ev.scenePos(), bool(ev.isFinish()), ev.modifiers())


class EndHandle(QObject):
    """The handle, the value beside the pointer while it is dragged, and the LR that is staged.

    Signals:
        dragged(float, bool): the LR under the pointer, and whether Shift is pressed, which asks to hold it.
        dragging(bool): a drag began or ended.
        changed(): after each movement, when the plot should be drawn at once.
    """

    dragged = Signal(float, bool)
    dragging = Signal(bool)
    changed = Signal()

    def __init__(self, canvas: Canvas, coordinates: LRCoordinates, value_label: ValueLabel) -> None:
        super().__init__(canvas)
        self._coordinates, self._value_label = coordinates, value_label
        self.staged: float | None = None
        self.is_dragged = False
        self.item = HandleItem(self._on_drag)
        self.item.setToolTip(
            tr("Drag to set the LR from now on; with Shift, hold it there. Escape discards the change.")
        )
        self.item.setVisible(False)
        canvas.view.addItem(self.item, ignoreBounds=True)

    def place(self, now: float, lr: float, color: str, colors: Colors) -> None:
        """Put the handle at ``now`` (epochs completed) and the staged LR, else ``lr``; hide it where ``lr`` is NaN.

        ``color`` is that of the line, for a handle at which nothing is staged.
        """
        shown = lr if self.staged is None else self.staged
        visible = math.isfinite(lr) and math.isfinite(shown)
        self.item.setVisible(visible)
        if visible:
            self.item.set_colors(color if self.staged is None else colors.pending, colors.plot)
            self.item.setPos(self._coordinates.point(now, shown))

    def boxes(self) -> list[Box]:
        """What labels must not cover."""
        if not self.item.isVisible():
            return []
        at = self._coordinates.pixel(self.item.pos())
        return [Box(at.x() - _ROOM, at.y() - _ROOM, at.x() + _ROOM, at.y() + _ROOM)]

    def _on_drag(self, scene: QPointF, finished: bool, modifiers: Qt.KeyboardModifier) -> None:
        began, self.is_dragged = not self.is_dragged, not finished
        hold = bool(modifiers & Qt.KeyboardModifier.ShiftModifier)
        self.staged = min(self._coordinates.lr_at(scene), LR_MAX)
        lr = value_text(self.staged)
        if finished:
            self._value_label.hide()
        else:
            self._value_label.show_at(tr("{lr}, held", lr=lr) if hold else lr, scene)
        if began:
            self.dragging.emit(True)
        self.dragged.emit(self.staged, hold)
        if finished:
            self.dragging.emit(False)
        self.changed.emit()
