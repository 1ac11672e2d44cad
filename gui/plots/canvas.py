"""The canvas of a plot: what the mouse does there, and nothing that paints."""

from __future__ import annotations

from typing import Any, Protocol

from PySide6.QtCore import QEvent, QPoint, QPointF, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent
from PySide6.QtWidgets import QToolTip, QWidget

from gui.plots.axes import PositionAxis, ValueAxis
from gui.plots.pyqtgraph_setup import pg


class Tool(Protocol):
    """What takes the mouse or a key before the view does. Each says whether it took it."""

    def drag(self, ev: Any) -> bool:
        """A drag goes on (pyqtgraph's event)."""

    def click(self, ev: Any) -> bool:
        """A click, or the second one of a double click (pyqtgraph's event)."""

    def key(self, ev: QKeyEvent) -> bool:
        """A key was pressed."""


class RunView(pg.ViewBox):  # type: ignore[misc]
    """Wheel and drag act on x; over the vertical axis, or with Ctrl, on y.

    Signals: ``moved(axis)`` (0 or 1) when the person zoomed or panned, ``fit_wanted`` on a double click,
    ``menu_wanted(QPoint)`` on a right click (position on the screen), ``pressed(QPointF)`` on a left click (position
    in the scene).
    """

    moved = Signal(int)
    fit_wanted = Signal()
    menu_wanted = Signal(QPoint)
    pressed = Signal(QPointF)

    def __init__(self) -> None:
        super().__init__(enableMenu=False)
        self.tool: Tool | None = None
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
        """Fit on a double click, a menu on a right click."""
        ev.accept()
        if self.tool is not None and self.tool.click(ev):
            return
        if ev.button() == Qt.MouseButton.RightButton:
            self.menu_wanted.emit(ev.screenPos().toPoint())
        elif ev.double():
            self.fit_wanted.emit()
        else:
            self.pressed.emit(ev.scenePos())


def _axis(ev: Any, axis: int | None) -> int:
    if axis is not None:
        return axis
    return 1 if ev.modifiers() & Qt.KeyboardModifier.ControlModifier else 0


class Canvas(pg.PlotWidget):  # type: ignore[misc]
    """The drawing area. Signals: ``hovered(QPointF | None)``, the pointer in the scene or None when it has left."""

    hovered = Signal(object)

    def __init__(self, left: ValueAxis, bottom: PositionAxis, parent: QWidget | None = None) -> None:
        self.view = RunView()
        super().__init__(parent, viewBox=self.view, axisItems={"left": left, "bottom": bottom}, enableMenu=False)
        self.plotItem.hideButtons()
        self.plotItem.setContentsMargins(0, 4, 16, 0)
        self.setFrameShape(self.Shape.NoFrame)
        self.setMinimumHeight(40)
        self.setAntialiasing(False)

    def mouseMoveEvent(self, ev: QMouseEvent) -> None:
        """Tell where the pointer is."""
        super().mouseMoveEvent(ev)
        self.hovered.emit(self.mapToScene(ev.position().toPoint()))

    def keyPressEvent(self, ev: QKeyEvent) -> None:
        """Ask the tool first."""
        if self.view.tool is None or not self.view.tool.key(ev):
            super().keyPressEvent(ev)

    def viewportEvent(self, ev: QEvent) -> bool:
        """Leave a tip that is shown alone: where no item has one, a scene takes it away when the pointer rests."""
        if ev.type() == QEvent.Type.ToolTip and QToolTip.isVisible():
            return True
        return bool(super().viewportEvent(ev))

    def leaveEvent(self, ev: QEvent) -> None:
        """Tell that it has left."""
        super().leaveEvent(ev)
        self.hovered.emit(None)
