"""Drawing with the mouse: the control points of a drawn curve, and the curve ahead as something to bend."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence
from typing import Any, Final

from PySide6.QtCore import QObject, QPointF, Qt, Signal
from PySide6.QtGui import QKeyEvent

from engine.recipe.recipe import LR_MAX
from gui.core.translation import tr
from gui.plots.bubble import Bubble
from gui.plots.canvas import Canvas
from gui.plots.coordinates import Coordinates
from gui.plots.items import ControlPoints
from gui.plots.projection import Projection
from gui.plots.text import value_text
from gui.theme.theme import Colors

Point = tuple[float, float]

_REACH: Final = 9.0  # pixels about a point
_NEAR: Final = 6.0  # pixels beside the line
_LEAST: Final = 0.01  # epochs between two points
_FACTOR: Final = 1.05  # of one press of an arrow key
_KEYS: Final = {
    Qt.Key.Key_Left: (-1.0, 1.0),
    Qt.Key.Key_Right: (1.0, 1.0),
    Qt.Key.Key_Up: (0.0, _FACTOR),
    Qt.Key.Key_Down: (0.0, 1 / _FACTOR),
}


class Drawing(QObject):
    """Takes the mouse before the view does, while there is something to draw.

    Points are pairs of epochs completed and LR; the position tells which point is meant.

    Signals:
        moved(at, x, lr): the point that stood at ``at`` shall stand at ``x`` with the LR ``lr``.
        added(x, lr), removed(x).
        bent(group, x, lr): the curve ahead of ``group`` shall pass through ``x`` and ``lr``.
        dragging(bool): a drag of either began or ended.
        touched(): other points are to be drawn, so a frame is due.
        changed(): after each movement and click, when the plot should be drawn at once.

    Args:
        canvas: what the mouse is over.
        coordinates: where positions and LRs are on it.
        plan: the curve ahead, which can be bent.
        pending: the curve that the points make, once it is known.
        bubble: says where a point is while it is dragged.
    """

    moved = Signal(float, float, float)
    added = Signal(float, float)
    removed = Signal(float)
    bent = Signal(int, float, float)
    dragging = Signal(bool)
    touched = Signal()
    changed = Signal()

    def __init__(
        self, canvas: Canvas, coordinates: Coordinates, plan: Projection, pending: Projection, bubble: Bubble
    ) -> None:
        super().__init__(canvas)
        self._view, self._coordinates, self._bubble = canvas.view, coordinates, bubble
        self._plan, self._pending = plan, pending
        self.points: list[Point] = []
        self.snap = True
        self.bendable = False
        self._left = 0.0
        self._grabbed: float | None = None
        self._bent: tuple[int, float, float] | None = None
        self._chosen: float | None = None
        self.item = ControlPoints()
        self._view.addItem(self.item, ignoreBounds=True)
        self._view.tool = self
        canvas.hovered.connect(self._on_hover)

    def show_points(self, points: Sequence[Point], left: float = 0.0) -> None:
        """The points to draw with, none where nothing is drawn; none may stand before ``left``."""
        self.points, self._left = list(points), left
        if self._chosen is not None and self._index(self._chosen) is None:
            self._chosen = None
        self.touched.emit()

    @property
    def under_way(self) -> bool:
        """Whether something is being dragged."""
        return self._grabbed is not None or self._bent is not None

    def lrs(self) -> list[float]:
        """The LRs that the axis must have room for."""
        return [lr for _, lr in self.points] + ([self._bent[2]] if self._bent else [])

    def draw(self, colors: Colors) -> None:
        """Bring the points to where they belong, while the view and the axis may have changed."""
        shown = [(x, lr) for _, x, lr in [self._bent]] if self._bent else self.points
        marks = [self._coordinates.point(x, lr).toTuple() for x, lr in shown]
        chosen = None if self._chosen is None else self._index(self._chosen)
        self.item.set_points([m for m in marks if math.isfinite(sum(m))], chosen, colors.pending, colors.plot)

    # What the view asks ----------------------------------------------------------------------------------------------

    def drag(self, ev: Any) -> bool:
        """Move a point, or bend the curve."""
        if ev.isStart() and not self._take(ev.buttonDownScenePos()):
            return False
        if not self.under_way:
            return False
        ev.accept()
        finished = bool(ev.isFinish())
        free = bool(ev.modifiers() & Qt.KeyboardModifier.ControlModifier)
        if ev.isStart():
            self.dragging.emit(True)
        if self._grabbed is not None:
            x, lr = self._bounded(self._grabbed, self._x(ev.scenePos(), free), self._coordinates.lr_at(ev.scenePos()))
            before, self._grabbed, self._chosen = self._grabbed, x, x
            self.points = [(x, lr) if point[0] == before else point for point in self.points]
            self.moved.emit(before, x, lr)
        elif self._bent is not None:
            group, x, _ = self._bent
            lr = min(self._coordinates.lr_at(ev.scenePos()), LR_MAX)
            self._bent = (group, x, lr)
            self.bent.emit(group, x, lr)
        self._say(ev.scenePos(), x, lr)
        if finished:
            self._grabbed, self._bent = None, None
            self._bubble.hide()
            self.dragging.emit(False)
        self.changed.emit()
        return True

    def click(self, ev: Any) -> bool:
        """Choose, add or remove a point."""
        if not self.points:
            return False
        spot = ev.scenePos()
        here = self._point_at(spot)
        if ev.button() == Qt.MouseButton.RightButton:
            if here is not None:
                self.removed.emit(here)
            return here is not None
        if here is not None:
            self._chosen = here
        elif ev.double() or self._line_at(spot) is not None:
            free = bool(ev.modifiers() & Qt.KeyboardModifier.ControlModifier)
            x, lr = self._x(spot, free), min(self._coordinates.lr_at(spot), LR_MAX)
            if x < self._left:
                return bool(ev.double())
            if self._index(x) is not None and not ev.double():
                return False
            self._chosen = x
            self.added.emit(x, lr)
        else:
            return False
        self.changed.emit()
        return True

    def key(self, ev: QKeyEvent) -> bool:
        """Remove the chosen point, or move it with the arrows."""
        index = None if self._chosen is None else self._index(self._chosen)
        if index is None or self.under_way:
            return False
        x, lr = self.points[index]
        if ev.key() in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            self.removed.emit(x)
            return True
        step = _KEYS.get(Qt.Key(ev.key()))
        if step is None:
            return False
        to, rate = self._bounded(x, x + step[0], float(f"{lr * step[1]:.3g}"))
        self._chosen = to
        self.moved.emit(x, to, rate)
        return True

    # Inside ----------------------------------------------------------------------------------------------------------

    def _take(self, spot: QPointF) -> bool:
        self._grabbed = self._point_at(spot)
        if self._grabbed is None and self.bendable and not self.points:
            group = self._line_at(spot)
            x = max(round(self._x(spot, free=True)), math.floor(self._coordinates.series.position) + 1)
            if group is not None and x <= self._plan.end:
                self._bent = (group, float(x), self._coordinates.lr_at(spot))
        return self.under_way

    def _bounded(self, at: float, x: float, lr: float) -> Point:
        """Where a point that stands at ``at`` may be: between its neighbours."""
        others = [p for p, _ in self.points if p != at]
        place = bisect_left(others, at)
        least = 1.0 if self.snap and x == round(x) else _LEAST
        low = others[place - 1] + least if place else self._left
        high = others[place] - least if place < len(others) else math.inf
        return (min(max(x, low), high) if low <= high else at), min(lr, LR_MAX)

    def _x(self, spot: QPointF, free: bool) -> float:
        """The position under ``spot`` in epochs, at a whole one where points snap."""
        x = self._coordinates.epochs_at(spot)
        if not math.isfinite(x):
            return self._left
        return float(round(x)) if self.snap and not free else round(x, 2)

    def _index(self, x: float) -> int | None:
        return next((i for i, (at, _) in enumerate(self.points) if at == x), None)

    def _point_at(self, spot: QPointF) -> float | None:
        """The position of the point under ``spot``."""
        where = self._coordinates
        here = where.pixel(self._view.mapSceneToView(spot))
        best, nearest = None, _REACH
        for x, lr in self.points:
            there = where.pixel(where.point(x, lr))
            distance = math.hypot(there.x() - here.x(), there.y() - here.y())
            if distance <= nearest:
                best, nearest = x, distance
        return best

    def _line_at(self, spot: QPointF) -> int | None:
        """The group whose line ahead runs under ``spot``."""
        where = self._coordinates
        curve = self._pending if self._pending.known and self.points else self._plan
        x = where.epochs_at(spot)
        if not math.isfinite(x) or x < where.series.position:
            return None
        here = where.pixel(self._view.mapSceneToView(spot)).y()
        for group in range(len(curve.lines)):
            lr = curve.at(group, x)
            if math.isfinite(lr) and abs(where.pixel(where.point(x, lr)).y() - here) <= _NEAR:
                return group
        return None

    def _say(self, spot: QPointF, x: float, lr: float) -> None:
        words = tr("{epochs} epochs: {lr}", epochs=f"{x:.6g}", lr=value_text(lr))
        self._bubble.say(words, spot)

    def _on_hover(self, spot: QPointF | None) -> None:
        if self.under_way:
            return
        shape = Qt.CursorShape.ArrowCursor
        if spot is not None and self._view.sceneBoundingRect().contains(spot):
            if self.points:
                if self._point_at(spot) is not None:
                    shape = Qt.CursorShape.SizeAllCursor
                elif self._line_at(spot) is not None:
                    shape = Qt.CursorShape.CrossCursor
            elif self.bendable and self._line_at(spot) is not None:
                shape = Qt.CursorShape.SizeVerCursor
        view = self._view
        if shape != view.cursor().shape():
            view.setCursor(shape)
            bends = shape == Qt.CursorShape.SizeVerCursor
            view.setToolTip(tr("Drag to bend the curve from here on; nothing happens before Apply.") if bends else "")
