"""Drawing with the mouse in the learning-rate plot: the points of a drawn curve, and the projected curve to bend."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence
from typing import Any, Final

from PySide6.QtCore import QObject, QPointF, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QPainter, QPen

from engine.recipe.recipe import LR_MAX
from gui.core.translation import tr
from gui.plots.axes import value_text
from gui.plots.canvas import Canvas, ValueLabel
from gui.plots.items import ViewItem
from gui.plots.lr_coordinates import LRCoordinates
from gui.plots.lr_curves import Projection
from gui.theme.theme import Colors

Point = tuple[float, float]
"""Epochs completed and LR."""

_AROUND_POINT: Final = 9.0  # pixels from a point in which the mouse is on it
_BESIDE_LINE: Final = 6.0  # pixels from the line, likewise
_LEAST: Final = 0.01  # epochs between two points
_FACTOR: Final = 1.05  # by which an arrow key changes the LR
_KEYS: Final = {
    Qt.Key.Key_Left: (-1.0, 1.0),
    Qt.Key.Key_Right: (1.0, 1.0),
    Qt.Key.Key_Up: (0.0, _FACTOR),
    Qt.Key.Key_Down: (0.0, 1 / _FACTOR),
}


class ControlPoints(ViewItem):
    """The points of a drawn curve: rings, the selected one filled."""

    def __init__(self) -> None:
        super().__init__()
        self._points: list[tuple[float, float]] = []
        self._selected: int | None = None
        self._color, self._background = QColor("#000000"), QColor("#ffffff")
        self.setZValue(60)

    def set_points(self, points: list[tuple[float, float]], selected: int | None, color: str, background: str) -> None:
        """Show ``points``, in the view's coordinates; ``selected`` is the index of the selected one."""
        self._points, self._selected = points, selected
        self._color, self._background = QColor(color), QColor(background)
        self.update()

    def paint(self, p: QPainter, *_args: Any) -> None:
        """Paint the points in pixels, at the same size on any scale."""
        rect, to_pixels = self.boundingRect(), p.worldTransform()
        p.save()
        p.resetTransform()
        p.setRenderHint(QPainter.RenderHint.Antialiasing, True)
        for index, (x, y) in enumerate(self._points):
            if rect.left() <= x <= rect.right():
                selected = index == self._selected
                p.setPen(QPen(self._color, 2.0))
                p.setBrush(self._color if selected else self._background)
                radius = 5.5 if selected else 4.5
                p.drawEllipse(to_pixels.map(QPointF(x, y)), radius, radius)
        p.restore()


class DrawingTool(QObject):
    """Receives the mouse before the view does, while there are points to draw with or a curve to bend.

    A point is identified by its position.

    Signals:
        moved(float, float, float): the point at the first position is to be at the second position with this LR.
        added(float, float): a point is to be added at this position and LR.
        removed(float): the point at this position is to be removed.
        bent(int, float, float): the projected curve of this group is to pass through this position and LR.
        dragging(bool): a drag of a point or a curve began or ended.
        redraw_requested(): other points are to be drawn in the next frame.
        changed(): after each movement and click, when the plot should be drawn at once.

    Args:
        canvas: the canvas whose mouse and keys the tool receives.
        coordinates: where positions and LRs are on it.
        projected: the curve that can be bent.
        pending: the curve through the points, once it is known.
        value_label: shows the position and the LR while something is dragged.
    """

    moved = Signal(float, float, float)
    added = Signal(float, float)
    removed = Signal(float)
    bent = Signal(int, float, float)
    dragging = Signal(bool)
    redraw_requested = Signal()
    changed = Signal()

    def __init__(
        self,
        canvas: Canvas,
        coordinates: LRCoordinates,
        projected: Projection,
        pending: Projection,
        value_label: ValueLabel,
    ) -> None:
        super().__init__(canvas)
        self._view, self._coordinates, self._value_label = canvas.view, coordinates, value_label
        self._projected, self._pending = projected, pending
        self.points: list[Point] = []
        self.snap = True
        """Whether points are put at whole epochs (with Ctrl, anywhere)."""
        self.bendable = False
        """Whether the projected curve can be bent while there are no points."""
        self._earliest = 0.0
        self._dragged: float | None = None
        self._bent: tuple[int, float, float] | None = None
        self._selected: float | None = None
        self.item = ControlPoints()
        self._view.addItem(self.item, ignoreBounds=True)
        self._view.tool = self
        canvas.hovered.connect(self._on_hover)

    def show_points(self, points: Sequence[Point], earliest: float = 0.0) -> None:
        """Show the points to draw with, by position; none while nothing is drawn. None may be before ``earliest``."""
        self.points, self._earliest = list(points), earliest
        if self._selected is not None and self._index(self._selected) is None:
            self._selected = None
        self.redraw_requested.emit()

    @property
    def is_dragging(self) -> bool:
        """Whether something is being dragged."""
        return self._dragged is not None or self._bent is not None

    def lrs(self) -> list[float]:
        """The LRs that the axis must have room for."""
        return [lr for _, lr in self.points] + ([self._bent[2]] if self._bent else [])

    def draw(self, colors: Colors) -> None:
        """Draw the points in ``colors``, after the view or the axis may have changed."""
        shown = [(x, lr) for _, x, lr in [self._bent]] if self._bent else self.points
        points = [self._coordinates.point(x, lr).toTuple() for x, lr in shown]
        selected = None if self._selected is None else self._index(self._selected)
        self.item.set_points([p for p in points if math.isfinite(sum(p))], selected, colors.pending, colors.plot)

    # The mouse and the keys ------------------------------------------------------------------------------------------

    def drag(self, ev: Any) -> bool:
        """Move a point, or bend the curve."""
        if ev.isStart() and not self._grab(ev.buttonDownScenePos()):
            return False
        if not self.is_dragging:
            return False
        ev.accept()
        finished = bool(ev.isFinish())
        free = bool(ev.modifiers() & Qt.KeyboardModifier.ControlModifier)
        if ev.isStart():
            self.dragging.emit(True)
        if self._dragged is not None:
            x, lr = self._bounded(self._dragged, self._x(ev.scenePos(), free), self._coordinates.lr_at(ev.scenePos()))
            before, self._dragged, self._selected = self._dragged, x, x
            self.points = [(x, lr) if point[0] == before else point for point in self.points]
            self.moved.emit(before, x, lr)
        elif self._bent is not None:
            group, x, _ = self._bent
            lr = min(self._coordinates.lr_at(ev.scenePos()), LR_MAX)
            self._bent = (group, x, lr)
            self.bent.emit(group, x, lr)
        self._value_label.show_at(tr("At {epochs} epochs: {lr}", epochs=f"{x:.6g}", lr=value_text(lr)), ev.scenePos())
        if finished:
            self._dragged, self._bent = None, None
            self._value_label.hide()
            self.dragging.emit(False)
        self.changed.emit()
        return True

    def click(self, ev: Any) -> bool:
        """Select, add or remove a point."""
        if not self.points:
            return False
        at = ev.scenePos()
        point = self._point_at(at)
        if ev.button() == Qt.MouseButton.RightButton:
            if point is not None:
                self.removed.emit(point)
            return point is not None
        if point is not None:
            self._selected = point
        elif ev.double() or self._line_at(at) is not None:
            free = bool(ev.modifiers() & Qt.KeyboardModifier.ControlModifier)
            x, lr = self._x(at, free), min(self._coordinates.lr_at(at), LR_MAX)
            if x < self._earliest:
                return bool(ev.double())
            if self._index(x) is not None and not ev.double():
                return False
            self._selected = x
            self.added.emit(x, lr)
        else:
            return False
        self.changed.emit()
        return True

    def key(self, ev: QKeyEvent) -> bool:
        """Remove the selected point, or move it with the arrow keys."""
        index = None if self._selected is None else self._index(self._selected)
        if index is None or self.is_dragging:
            return False
        x, lr = self.points[index]
        if ev.key() in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            self.removed.emit(x)
            return True
        step = _KEYS.get(Qt.Key(ev.key()))
        if step is None:
            return False
        new_x, new_lr = self._bounded(x, x + step[0], float(f"{lr * step[1]:.3g}"))
        self._selected = new_x
        self.moved.emit(x, new_x, new_lr)
        return True

    # Internals -------------------------------------------------------------------------------------------------------

    def _grab(self, at: QPointF) -> bool:
        self._dragged = self._point_at(at)
        if self._dragged is None and self.bendable and not self.points:
            group = self._line_at(at)
            x = max(round(self._x(at, free=True)), math.floor(self._coordinates.history.position) + 1)
            if group is not None and x <= self._projected.end:
                self._bent = (group, float(x), self._coordinates.lr_at(at))
        return self.is_dragging

    def _bounded(self, before: float, x: float, lr: float) -> Point:
        """``x`` and ``lr`` limited to where the point at ``before`` may be: between its neighbours."""
        others = [p for p, _ in self.points if p != before]
        index = bisect_left(others, before)
        least = 1.0 if self.snap and x == round(x) else _LEAST
        low = others[index - 1] + least if index else self._earliest
        high = others[index] - least if index < len(others) else math.inf
        return (min(max(x, low), high) if low <= high else before), min(lr, LR_MAX)

    def _x(self, at: QPointF, free: bool) -> float:
        """The position at ``at`` in epochs, rounded to a whole one if points snap and ``free`` is not set."""
        x = self._coordinates.epochs_at(at)
        if not math.isfinite(x):
            return self._earliest
        return float(round(x)) if self.snap and not free else round(x, 2)

    def _index(self, x: float) -> int | None:
        return next((i for i, (at, _) in enumerate(self.points) if at == x), None)

    def _point_at(self, at: QPointF) -> float | None:
        """The position of the point at ``at``."""
        coordinates = self._coordinates
        here = coordinates.pixel(self._view.mapSceneToView(at))
        best, nearest = None, _AROUND_POINT
        for x, lr in self.points:
            there = coordinates.pixel(coordinates.point(x, lr))
            distance = math.hypot(there.x() - here.x(), there.y() - here.y())
            if distance <= nearest:
                best, nearest = x, distance
        return best

    def _line_at(self, at: QPointF) -> int | None:
        """The group whose curve runs through ``at``, also up or down a step, after the run's position."""
        coordinates = self._coordinates
        curve = self._pending if self._pending.known and self.points else self._projected
        x = coordinates.epochs_at(at)
        if not math.isfinite(x) or x < coordinates.history.position:
            return None
        here = coordinates.pixel(self._view.mapSceneToView(at)).y()
        beside = [coordinates.epochs_at(at + QPointF(pixels, 0)) for pixels in (-_BESIDE_LINE, 0, _BESIDE_LINE)]
        for group in range(len(curve.lines)):
            lrs = [(x, curve.at(group, x)) for x in beside if math.isfinite(x)]
            ys = [coordinates.pixel(coordinates.point(x, lr)).y() for x, lr in lrs if math.isfinite(lr)]
            if ys and min(ys) - _BESIDE_LINE <= here <= max(ys) + _BESIDE_LINE:
                return group
        return None

    def _on_hover(self, at: QPointF | None) -> None:
        if self.is_dragging:
            return
        shape = Qt.CursorShape.ArrowCursor
        if at is not None and self._view.sceneBoundingRect().contains(at):
            if self.points:
                if self._point_at(at) is not None:
                    shape = Qt.CursorShape.SizeAllCursor
                elif self._line_at(at) is not None:
                    shape = Qt.CursorShape.CrossCursor
            elif self.bendable and self._line_at(at) is not None:
                shape = Qt.CursorShape.SizeVerCursor
        view = self._view
        if shape != view.cursor().shape():
            view.setCursor(shape)
            bends = shape == Qt.CursorShape.SizeVerCursor
            view.setToolTip(tr("Drag to bend the curve. Nothing changes until you choose Apply.") if bends else "")
