"""The canvas of a plot: what the mouse and the keys do there, and the label beside the pointer."""

from __future__ import annotations

from typing import Any, Protocol

import pyqtgraph as pg
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent
from PySide6.QtWidgets import QLabel, QToolTip, QWidget

from gui.plots.axes import PositionAxis, ValueAxis


class MouseTool(Protocol):
    """Receives the mouse and the keys before the view does. Each method returns whether it handled the event."""

    def drag(self, ev: Any) -> bool:
        """Handle a step of a drag (pyqtgraph's event)."""

    def click(self, ev: Any) -> bool:
        """Handle a click, or the second one of a double click (pyqtgraph's event)."""

    def key(self, ev: QKeyEvent) -> bool:
        """Handle a key press."""


class PlotView(pg.ViewBox):  # type: ignore[misc]
    """Wheel and drag zoom and pan x; over the vertical axis, or with Ctrl, y.

    Signals:
        moved(int): the person zoomed or panned axis 0 (x) or 1 (y).
        fit_requested(): a double click.
        menu_requested(QPoint): a right click, at this position on the screen.
        pressed(QPointF): a left click, at this position in the scene.
    """

    moved = Signal(int)
    fit_requested = Signal()
    menu_requested = Signal(QPoint)
    pressed = Signal(QPointF)

    def __init__(self) -> None:
        super().__init__(enableMenu=False)
        self.tool: MouseTool | None = None
        self.disableAutoRange()

    def wheelEvent(self, ev: Any, axis: int | None = None) -> None:
        """Zoom about the pointer."""
        chosen = _axis(ev, axis)
        super().wheelEvent(ev, chosen)
        self.moved.emit(chosen)

    def mouseDragEvent(self, ev: Any, axis: int | None = None) -> None:
        """Pan with the left button."""
        if ev.button() != Qt.MouseButton.LeftButton:
            ev.ignore()
            return
        if axis is None and self.tool is not None and self.tool.drag(ev):
            return
        chosen = _axis(ev, axis)
        super().mouseDragEvent(ev, chosen)
        self.moved.emit(chosen)

    def mouseClickEvent(self, ev: Any) -> None:
        """Ask to fit on a double click and for a menu on a right click."""
        ev.accept()
        if self.tool is not None and self.tool.click(ev):
            return
        if ev.button() == Qt.MouseButton.RightButton:
            self.menu_requested.emit(ev.screenPos().toPoint())
        elif ev.double():
            self.fit_requested.emit()
        else:
            self.pressed.emit(ev.scenePos())


def _axis(ev: Any, axis: int | None) -> int:
    if axis is not None:
        return axis
    return 1 if ev.modifiers() & Qt.KeyboardModifier.ControlModifier else 0


class Canvas(pg.PlotWidget):  # type: ignore[misc]
    """The drawing area with its axes.

    Signals:
        hovered(object): the pointer's position in the scene (QPointF), or None when it has left.
    """

    hovered = Signal(object)

    def __init__(self, left: ValueAxis, bottom: PositionAxis, parent: QWidget | None = None) -> None:
        self.view = PlotView()
        super().__init__(parent, viewBox=self.view, axisItems={"left": left, "bottom": bottom}, enableMenu=False)
        self.plotItem.hideButtons()
        self.plotItem.setContentsMargins(0, 4, 16, 6)  # room for half a tick label below the plot
        self.setFrameShape(self.Shape.NoFrame)
        self.setMinimumHeight(40)
        self.setAntialiasing(False)

    def mouseMoveEvent(self, ev: QMouseEvent) -> None:
        """Report where the pointer is."""
        super().mouseMoveEvent(ev)
        self.hovered.emit(self.mapToScene(ev.position().toPoint()))

    def keyPressEvent(self, ev: QKeyEvent) -> None:
        """Offer the key to the tool first."""
        if self.view.tool is None or not self.view.tool.key(ev):
            super().keyPressEvent(ev)

    def viewportEvent(self, ev: QEvent) -> bool:
        """Keep a visible tooltip: the scene would hide it when the pointer rests where no item has one."""
        if ev.type() == QEvent.Type.ToolTip and QToolTip.isVisible():
            return True
        return bool(super().viewportEvent(ev))

    def leaveEvent(self, ev: QEvent) -> None:
        """Report that the pointer has left."""
        super().leaveEvent(ev)
        self.hovered.emit(None)


class ValueLabel(QLabel):
    """A short text beside the pointer, shown while something in the plot is dragged."""

    def __init__(self, canvas: Canvas) -> None:
        super().__init__(canvas)
        self._canvas = canvas
        self.setProperty("role", "chip")
        self.setProperty("tone", "accent")
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.hide()

    def show_at(self, text: str, scene: QPointF) -> None:
        """Show ``text`` beside a point of the scene, within the canvas."""
        self.setText(text)
        self.adjustSize()
        at = self._canvas.mapFromScene(scene)
        room = self._canvas.rect().adjusted(2, 2, -2 - self.width(), -2 - self.height())
        x, y = at.x() + 16, at.y() - 26
        self.move(min(max(x, room.left()), room.right()), min(max(y, room.top()), room.bottom()))
        self.show()
