"""The end of the line as something to take hold of: dragged up and down, it says which rate it stands at."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject, QPointF, Qt, Signal
from PySide6.QtWidgets import QLabel, QWidget

from gui.plots.ends import Box
from gui.plots.items import Handle
from gui.plots.text import value_text
from gui.words import tr

if TYPE_CHECKING:
    from gui.plots.rate import RatePlot

LR_MAX: Final = 1000.0
_ROOM: Final = 8


class Bubble(QLabel):
    """A few words beside the pointer."""

    def __init__(self, canvas: QWidget) -> None:
        super().__init__(canvas)
        self._canvas = canvas
        self.setProperty("role", "chip")
        self.setProperty("tone", "accent")
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.hide()

    def say(self, text: str, at: QPointF) -> None:
        """Show ``text`` beside the point ``at`` of the canvas, within it."""
        self.setText(text)
        self.adjustSize()
        room = self._canvas.rect().adjusted(2, 2, -2 - self.width(), -2 - self.height())
        x, y = round(at.x()) + 16, round(at.y()) - 26
        self.move(min(max(x, room.left()), room.right()), min(max(y, room.top()), room.bottom()))
        self.show()


class Grip(QObject):
    """The handle at the end of the line.

    Signals: ``dragged(rate, hold)`` the rate it is being dragged to, and whether Shift asks to keep it; ``dragging``
    (bool) the drag began or ended.
    """

    dragged = Signal(float, bool)
    dragging = Signal(bool)

    def __init__(self, plot: RatePlot) -> None:
        super().__init__(plot)
        self._plot = plot
        self.staged: float | None = None
        self.under_way = False
        self.handle = Handle(self._on_drag)
        self.handle.setToolTip(tr("Drag to set the LR from now on; with Shift it is kept. Escape drops the change."))
        self.handle.setVisible(False)
        plot.view.addItem(self.handle, ignoreBounds=True)

    def place(self, now: float, rate: float, color: str) -> None:
        """Stand at ``now`` (epochs) and ``rate``, or at what is staged; not at all where no rate is."""
        shown = rate if self.staged is None else self.staged
        visible = math.isfinite(rate) and math.isfinite(shown)
        self.handle.setVisible(visible)
        if visible:
            plot = self._plot
            self.handle.set_colors(color if self.staged is None else plot.colors.pending, plot.colors.plot)
            self.handle.setPos(float(plot.series.to_axis(now, plot.axis)), plot.y_of(shown))

    def boxes(self) -> list[Box]:
        """What words must not cover."""
        if not self.handle.isVisible():
            return []
        spot = self._plot.in_pixels(self.handle.pos())
        return [Box(spot.x() - _ROOM, spot.y() - _ROOM, spot.x() + _ROOM, spot.y() + _ROOM)]

    def _on_drag(self, scene: QPointF, finished: bool, modifiers: Qt.KeyboardModifier) -> None:
        plot = self._plot
        began, self.under_way = not self.under_way, not finished
        hold = bool(modifiers & Qt.KeyboardModifier.ShiftModifier)
        self.staged = min(plot.rate_at(scene), LR_MAX)
        lr = value_text(self.staged)
        if finished:
            plot.bubble.hide()
        else:
            plot.bubble.say(tr("{lr}, kept", lr=lr) if hold else lr, plot.canvas.mapFromScene(scene))
        if began:
            self.dragging.emit(True)
        self.dragged.emit(self.staged, hold)
        if finished:
            self.dragging.emit(False)
        plot.touch()
        plot.refresh()
