"""The learning rate: what was in force, what is planned, and what a staged change would make of it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QPointF, Qt, Signal
from PySide6.QtWidgets import QLabel, QWidget

from engine.schedules.query import Curve
from gui.plots.base import RunPlot
from gui.plots.ends import Box, place
from gui.plots.graphs import pg
from gui.plots.header import Entry
from gui.plots.items import Handle, Trace, pen
from gui.plots.stairs import Scale, Stairs, scale_for
from gui.plots.text import value_text
from gui.series import RunSeries
from gui.theme import Colors, mixed
from gui.words import tr

_LR_MAX = 1000.0
_SAME = 6  # pixels between ends that read as one


class RatePlot(RunPlot):
    """Learning rate of each group: past solid, plan dashed, pending dotted.

    Signals: ``dragged(float)`` the rate to which the end of the line is being dragged (staged, not sent); ``dragging``
    (bool) the drag began or ended. ``drag_from`` is the rate from which it started.
    """

    dragged = Signal(float)
    dragging = Signal(bool)

    def __init__(self, series: RunSeries, parent: QWidget | None = None) -> None:
        empty = tr("The planned learning rate appears here, and what was in force once training starts")
        super().__init__(tr("Learning rate"), empty, series, parent=parent)
        self.drag_from = float("nan")
        self._names = ["all"]
        self._plan: Curve | None = None
        self._pending: Curve | None = None
        self._plan_stairs: list[Stairs] = []
        self._pending_stairs: list[Stairs] = []
        self._active = 0
        self._staged: float | None = None
        self._draggable = True
        self._scale = Scale(True, -4.0, -1.0)
        self._past: list[Trace] = []
        self._planned: list[Trace] = []
        self._awaited: list[Trace] = []
        self._ends: list[pg.TextItem] = []
        self._now = pg.InfiniteLine(angle=90)
        self._now.setZValue(-40)
        self._handle = Handle(self._on_drag)
        for item in (self._now, self._handle):
            item.setVisible(False)
            self.view.addItem(item, ignoreBounds=True)
        self._bubble = QLabel(self.canvas)
        self._bubble.setProperty("role", "chip")
        self._bubble.setProperty("tone", "accent")
        self._bubble.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._bubble.hide()
        self._make_curves()
        self.log_button.setChecked(True)

    # What is shown ---------------------------------------------------------------------------------------------------

    def set_group_names(self, names: Sequence[str]) -> None:
        """Names of the parameter groups, in order; at least one."""
        if list(names) != self._names and names:
            self._names = list(names)
            self._active = min(self._active, len(self._names) - 1)
            self._make_curves()
            self.touch()

    def set_plan(self, plan: Curve | None) -> None:
        """The plan, from the run's start or from now on; drawn from now on."""
        self._plan = plan
        self._plan_stairs = _stairs(plan)
        self.touch()

    def set_pending(self, pending: Curve | None) -> None:
        """What a staged change would make of the plan; None takes it back, and the handle with it."""
        self._pending = pending
        self._pending_stairs = _stairs(pending)
        if pending is None:
            self._staged = None
        self.touch()

    def set_active_group(self, index: int | None) -> None:
        """Which group's line carries the handle; None for all of them (the handle is at the first)."""
        self._active = index or 0
        self.touch()

    def set_draggable(self, draggable: bool) -> None:
        """Whether the end of the line can be dragged now."""
        self._draggable = draggable
        self.touch()

    def group_colors(self) -> list[str]:
        """One colour a group."""
        if len(self._names) == 1:
            return [self.colors.lr]
        return [self.colors.groups[i % len(self.colors.groups)] for i in range(len(self._names))]

    # What the base asks ----------------------------------------------------------------------------------------------

    def apply_theme(self, colors: Colors) -> None:
        """Draw in ``colors``."""
        super().apply_theme(colors)
        self._color_curves()

    def is_empty(self) -> bool:
        """Whether there is neither a past nor a plan."""
        return not len(self.series.rate_x) and not self._plan_stairs and not self._pending_stairs

    def entries(self) -> list[Entry]:
        """The groups; with one group what the kinds of line mean."""
        colors = self.group_colors()
        if len(self._names) > 1:
            named = zip(self._names, colors, strict=True)
            found = [Entry(key=str(i), name=name, color=color) for i, (name, color) in enumerate(named)]
        else:
            found = [Entry(key="0", name=tr("in force") if len(self.series.rate_x) else tr("plan"), color=colors[0])]
        if self._pending_stairs:
            dotted = self.colors.pending if len(self._names) == 1 else self.colors.muted
            found.append(Entry(key="pending", name=tr("pending"), color=dotted, line="dot"))
        return found

    def values_at(self, x: float | None) -> dict[str, str]:
        """The rates in force at ``x``, or planned there."""
        where = self.series.position if x is None else x
        values = {str(i): value_text(self._rate(i, where)) for i in range(len(self._names))}
        if self._pending_stairs and x is not None and x >= self.series.position:
            values["pending"] = value_text(self._pending_stairs[0].at(x))
        return values

    def draw(self) -> None:
        """The three kinds of line of each group, the line at now, the handle, and the rates at the end."""
        low, high = self.x_epochs()
        now = self.series.position
        past = self._past_stairs()
        most = self.pixels()
        parts = [
            [stairs.between(low, min(high, now), most) for stairs in past],
            self._ahead(self._plan, self._plan_stairs, most),
            self._ahead(self._pending, self._pending_stairs, most),
        ]
        self._choose_scale([rates for part in parts for _, rates in part])
        for traces, part in zip((self._past, self._planned, self._awaited), parts, strict=True):
            for index, trace in enumerate(traces):
                x, rates = part[index] if index < len(part) else (np.empty(0), np.empty(0))
                y = self.clamped(self._scale.coordinates(rates))
                trace.show_points(self.series.to_axis(x, self.axis), y, smooth=False)
        started = now > 0
        self._now.setVisible(started)
        if started:
            self._now.setPos(float(self.series.to_axis(now, self.axis)))
        self._place_handle(now)
        self._write_ends()

    def _choose_scale(self, rates: list[np.ndarray]) -> None:
        if self._staged is not None and self._bubble.isVisible():
            return
        staged = [np.array([self._staged])] if self._staged is not None else []
        scale = scale_for(np.concatenate([*rates, *staged]) if rates else np.empty(0), log=self.log)
        if scale is None:
            return
        self._scale = scale
        self.left.set_scale(log=scale.log, zero_at=scale.zero_at)
        if not self._manual_y:
            self.view.setYRange(scale.low, scale.high, padding=0)

    # Inside ----------------------------------------------------------------------------------------------------------

    def _past_stairs(self) -> list[Stairs]:
        return [Stairs(self.series.rate_x, rates) for rates in self.series.rates]

    def _ahead(self, curve: Curve | None, lines: list[Stairs], most: int) -> list[tuple[np.ndarray, np.ndarray]]:
        """What is in sight of ``curve`` from now to its end."""
        if curve is None or not lines:
            return []
        low, high = self.x_epochs()
        low, high = max(low, self.series.position), min(high, float(curve.x[-1]))
        return [stairs.between(low, high, most) for stairs in lines]

    def _rate(self, group: int, x: float) -> float:
        if x < self.series.position or (x == self.series.position and not self._plan_stairs):
            past = self._past_stairs()
            return past[group].at(x) if group < len(past) else float("nan")
        if self._plan is not None and len(self._plan.x) and x > self._plan.x[-1]:
            return float("nan")
        return self._plan_stairs[group].at(x) if group < len(self._plan_stairs) else float("nan")

    def _make_curves(self) -> None:
        for item in (*self._past, *self._planned, *self._awaited, *self._ends):
            self.view.removeItem(item)
        count = range(len(self._names))
        self._past = [Trace() for _ in count]
        self._planned = [Trace(style=Qt.PenStyle.DashLine) for _ in count]
        self._awaited = [Trace(style=Qt.PenStyle.CustomDashLine) for _ in count]
        self._ends = [pg.TextItem(anchor=(1, 1)) for _ in count]
        for item in (*self._planned, *self._past, *self._awaited, *self._ends):
            self.view.addItem(item, ignoreBounds=True)
        self._color_curves()

    def _color_curves(self) -> None:
        for index, color in enumerate(self.group_colors()):
            self._past[index].set_color(color)
            self._planned[index].set_color(mixed(color, self.colors.plot, 0.7))
            self._awaited[index].set_color(self.colors.pending if len(self._names) == 1 else color)
        self._now.setPen(pen(self.colors.now))
        self._handle.set_colors(self.group_colors()[self._active], self.colors.plot)

    def _write_ends(self) -> None:
        """The rate at the end of each line, where no line runs."""
        pending = bool(self._pending_stairs)
        curve, lines = (self._pending, self._pending_stairs) if pending else (self._plan, self._plan_stairs)
        drawn = [self._in_pixels(*trace.getData()) for trace in (*self._past, *self._planned, *self._awaited)]
        drawn = [line for line in drawn if len(line[0])]
        taken: list[float] = []
        avoid = self._handle_box()
        for index, text in enumerate(self._ends):
            text.setVisible(False)
            if curve is None or index >= len(lines):
                continue
            rate, since = float(curve.lr[-1, index]), lines[index].last_change
            xs = self.series.to_axis([max(since, self.series.position), curve.x[-1]], self.axis)
            x, y = self._in_pixels(xs, np.full(2, self._scale.coordinates([rate])[0]))
            end = (float(x[1]), float(y[1]))
            # Groups that end at one rate would write over each other: the first says it for all.
            if not np.isfinite(end).all() or any(abs(end[1] - other) < _SAME for other in taken):
                continue
            taken.append(end[1])
            text.setText(tr("ends at {lr}", lr=value_text(rate)))
            color = self.colors.pending if pending else self.colors.axis
            text.setColor(color if len(self._names) == 1 else self.group_colors()[index])
            words = (text.boundingRect().width(), text.boundingRect().height())
            size = (float(self.view.width()), float(self.view.height()))
            spot = place(end, float(x[0]), words, size, drawn, avoid)
            if spot is None or end[0] > size[0] + 1:
                continue
            box, hides = spot
            avoid.append(box)
            text.fill = pg.mkBrush(self.colors.plot if hides else None)
            text.setVisible(True)
            (low, _), (_, top) = self.view.viewRange()
            across, down = (float(length) for length in self.view.viewPixelSize())
            text.setPos(low + box.right * across, top - box.bottom * down)

    def _in_pixels(self, x: np.ndarray | None, y: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
        """Coordinates as pixels from the view's left and from its top."""
        if x is None or y is None:
            return np.empty(0), np.empty(0)
        (low, _), (_, top) = self.view.viewRange()
        across, down = (float(length) for length in self.view.viewPixelSize())
        return (x - low) / across, (top - y) / down

    def _handle_box(self) -> list[Box]:
        if not self._handle.isVisible():
            return []
        spot = self._handle.pos()
        x, y = self._in_pixels(np.array([spot.x()]), np.array([spot.y()]))
        return [Box(float(x[0]) - 8, float(y[0]) - 8, float(x[0]) + 8, float(y[0]) + 8)]

    def _place_handle(self, now: float) -> None:
        rate = self._rate(self._active, now)
        shown = rate if self._staged is None else self._staged
        visible = self._draggable and bool(np.isfinite(shown))
        self._handle.setVisible(visible)
        if visible:
            self._handle.set_colors(
                self.group_colors()[self._active] if self._staged is None else self.colors.pending, self.colors.plot
            )
            y = float(self._scale.coordinates([shown])[0])
            self._handle.setPos(float(self.series.to_axis(now, self.axis)), y)
        if self._staged is None:
            self.drag_from = rate

    def _on_drag(self, scene: QPointF, finished: bool) -> None:
        began = not self._bubble.isVisible()
        y = float(self.view.mapSceneToView(scene).y())
        lr = min(self._scale.rate(y), _LR_MAX)
        self._staged = lr
        self._bubble.setText(value_text(lr))
        self._bubble.adjustSize()
        spot = self.canvas.mapFromScene(scene)
        room = self.canvas.rect().adjusted(2, 2, -2 - self._bubble.width(), -2 - self._bubble.height())
        self._bubble.move(
            min(max(spot.x() + 16, room.left()), room.right()), min(max(spot.y() - 26, room.top()), room.bottom())
        )
        self._bubble.setVisible(not finished)
        if began:
            self.dragging.emit(True)
        self.dragged.emit(lr)
        if finished:
            self.dragging.emit(False)
        self.touch()
        self.refresh()


def _stairs(curve: Curve | None) -> list[Stairs]:
    if curve is None or curve.problem is not None or not len(curve.x):
        return []
    return [Stairs.of(curve.x, curve.lr[:, group]) for group in range(curve.lr.shape[1])]
