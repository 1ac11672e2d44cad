"""The end of the line as something to take hold of: dragged up and down, it says which LR it stands at."""

from __future__ import annotations

import math
from typing import Final

from PySide6.QtCore import QObject, QPointF, Qt, Signal

from engine.recipe.recipe import LR_MAX
from gui.core.translation import tr
from gui.plots.bubble import Bubble
from gui.plots.canvas import Canvas
from gui.plots.coordinates import Coordinates
from gui.plots.ends import Box
from gui.plots.items import Handle
from gui.plots.text import value_text
from gui.theme.theme import Colors

_ROOM: Final = 8


class Grip(QObject):
    """The handle at the end of the line.

    Signals:
        dragged(lr, hold): the LR it is being dragged to, and whether Shift asks to keep it.
        dragging(bool): the drag began or ended.
        changed(): after each movement, when the plot should be drawn at once.
    """

    dragged = Signal(float, bool)
    dragging = Signal(bool)
    changed = Signal()

    def __init__(self, canvas: Canvas, coordinates: Coordinates, bubble: Bubble) -> None:
        super().__init__(canvas)
        self._coordinates, self._bubble = coordinates, bubble
        self.staged: float | None = None
        self.under_way = False
        self.handle = Handle(self._on_drag)
        self.handle.setToolTip(tr("Drag to set the LR from now on; with Shift it is kept. Escape drops the change."))
        self.handle.setVisible(False)
        canvas.view.addItem(self.handle, ignoreBounds=True)

    def place(self, now: float, lr: float, color: str, colors: Colors) -> None:
        """Stand at ``now`` (epochs) and ``lr``, or at what is staged; not at all where there is no LR.

        ``color`` is that of the line, for a handle at which nothing is staged.
        """
        shown = lr if self.staged is None else self.staged
        visible = math.isfinite(lr) and math.isfinite(shown)
        self.handle.setVisible(visible)
        if visible:
            self.handle.set_colors(color if self.staged is None else colors.pending, colors.plot)
            self.handle.setPos(self._coordinates.point(now, shown))

    def boxes(self) -> list[Box]:
        """What words must not cover."""
        if not self.handle.isVisible():
            return []
        spot = self._coordinates.pixel(self.handle.pos())
        return [Box(spot.x() - _ROOM, spot.y() - _ROOM, spot.x() + _ROOM, spot.y() + _ROOM)]

    def _on_drag(self, scene: QPointF, finished: bool, modifiers: Qt.KeyboardModifier) -> None:
        began, self.under_way = not self.under_way, not finished
        hold = bool(modifiers & Qt.KeyboardModifier.ShiftModifier)
        self.staged = min(self._coordinates.lr_at(scene), LR_MAX)
        lr = value_text(self.staged)
        if finished:
            self._bubble.hide()
        else:
            self._bubble.say(tr("{lr}, kept", lr=lr) if hold else lr, scene)
        if began:
            self.dragging.emit(True)
        self.dragged.emit(self.staged, hold)
        if finished:
            self.dragging.emit(False)
        self.changed.emit()
