"""The learning rate: what was in force, what is planned, and what a staged change would make of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QPointF, Signal
from PySide6.QtWidgets import QWidget

from engine.messages.preview import Curve
from gui.core.history import Axis, RunHistory
from gui.core.translation import tr
from gui.plots.abandoned import AbandonedTrace
from gui.plots.base import RunPlot
from gui.plots.bubble import Bubble
from gui.plots.coordinates import Coordinates
from gui.plots.drawing import Drawing
from gui.plots.end_handle import Grip
from gui.plots.header import Entry
from gui.plots.items import Trace, pen
from gui.plots.lr_ends import End, EndWords
from gui.plots.projection import CANDIDATES, PENDING, PLAN, Candidate, Part, Projection
from gui.plots.stairs import Stairs, scale_for
from gui.plots.text import value_text
from gui.theme.theme import Colors, mixed


class LRPlot(RunPlot):
    """Learning rate of each group: past solid, plan dashed, pending dotted, candidates in dashes of their own.

    Signals: ``dragged(rate, hold)`` and ``dragging(bool)`` of the end of the line (see ``Grip``; staged, not sent).
    ``drawing`` has those of control points.
    """

    dragged = Signal(float, bool)
    dragging = Signal(bool)
    _told: tuple[object, ...] = ()

    def __init__(self, series: RunHistory, parent: QWidget | None = None) -> None:
        empty = tr("The planned learning rate appears here, and what was in force once training starts")
        super().__init__(tr("Learning rate"), empty, series, parent=parent)
        self.names = ["all"]
        self._active = 0
        self._note = ""
        self.coordinates = Coordinates(self.view, series)
        self._past: list[Trace] = []
        self._left = AbandonedTrace()
        self.view.addItem(self._left, ignoreBounds=True)
        self.plan, self.pending = Projection(self.view, PLAN), Projection(self.view, PENDING)
        self.candidates: list[tuple[Candidate, Projection]] = []
        self._now = pg.InfiniteLine(angle=90)
        self._now.setZValue(-40)
        self._now.setVisible(False)
        self.view.addItem(self._now, ignoreBounds=True)
        self.bubble = Bubble(self.canvas)
        self.ends = EndWords(self.view)
        self.grip = Grip(self.canvas, self.coordinates, self.bubble)
        self.drawing = Drawing(self.canvas, self.coordinates, self.plan, self.pending, self.bubble)
        self.grip.dragged.connect(self.dragged)
        for part in (self.grip, self.drawing):
            part.dragging.connect(self.dragging)
            part.changed.connect(self._draw_now)
        self.drawing.touched.connect(self.touch)
        self._make_curves()
        self.log_button.setChecked(True)

    # What is shown ---------------------------------------------------------------------------------------------------

    def set_group_names(self, names: Sequence[str]) -> None:
        """Names of the parameter groups, in order; at least one."""
        if list(names) != self.names and names:
            self.names = list(names)
            self._active = min(self._active, len(self.names) - 1)
            self._make_curves()
            self.touch()

    def set_plan(self, plan: Curve | None) -> None:
        """The plan, from the run's start or from now on; drawn from now on."""
        self.plan.set_curve(plan)
        self.touch()

    def set_pending(self, pending: Curve | None) -> None:
        """What a staged change would make of the plan; None takes it back, and the handle with it."""
        self.pending.set_curve(pending)
        if pending is None:
            self.grip.staged = None
        self.touch()

    def set_candidates(self, candidates: Sequence[Candidate]) -> None:
        """Schedules to compare with, each over the plan."""
        for _, ahead in self.candidates:
            ahead.clear()
        self.candidates = []
        for candidate in candidates:
            ahead = Projection(self.view, CANDIDATES[candidate.place % len(CANDIDATES)])
            ahead.set_curve(candidate.curve)
            ahead.make_traces([self.candidate_color(candidate.place)] * len(ahead.lines))
            self.candidates.append((candidate, ahead))
        self.touch()

    def set_note(self, note: str) -> None:
        """What the plan waits for, written beside its line; empty: nothing."""
        if note != self._note:
            self._note = note
            self.touch()

    def set_active_group(self, index: int | None) -> None:
        """Which group's line carries the handle; None for all of them (the handle is at the first)."""
        self._active = index or 0
        self.touch()

    def group_colors(self) -> list[str]:
        """One colour a group."""
        if len(self.names) == 1:
            return [self.colors.lr]
        return [self.colors.groups[i % len(self.colors.groups)] for i in range(len(self.names))]

    def candidate_color(self, place: int) -> str:
        """The colour of a candidate."""
        return self.colors.candidates[place % len(self.colors.candidates)]

    # What the base asks ----------------------------------------------------------------------------------------------

    def set_series(self, series: RunHistory) -> None:
        """Show the history of another run."""
        self.coordinates.series = series
        super().set_series(series)

    def set_axis(self, axis: Axis) -> None:
        """Count positions in epochs, steps or seconds."""
        self.coordinates.axis = axis
        super().set_axis(axis)

    def apply_theme(self, colors: Colors) -> None:
        """Draw in ``colors``."""
        super().apply_theme(colors)
        self._color_curves()

    def touch(self) -> None:
        """Something other than the history changed: the words at the ends find their places anew."""
        self._told = ()
        super().touch()

    def is_empty(self) -> bool:
        """Whether there is neither a past nor a plan."""
        return not len(self.series.lr_x) and not any(ahead.known for ahead in self._all_ahead())

    def entries(self) -> list[Entry]:
        """The groups (with one group what the kinds of line mean), what is pending, and the candidates."""
        colors, begun = self.group_colors(), bool(len(self.series.lr_x))
        found = []
        if len(self.names) > 1:
            named = zip(self.names, colors, strict=True)
            found = [Entry(key=str(i), name=name, color=color) for i, (name, color) in enumerate(named)]
        elif begun:
            found = [Entry(key="0", name=tr("in force"), color=colors[0])]
        if len(self.names) == 1 and (self.plan.known or not begun):
            found.append(Entry(key="plan", name=tr("plan"), color=mixed(colors[0], self.colors.plot, 0.7), line="dash"))
        if self.pending.known:
            dotted = self.colors.pending if len(self.names) == 1 else self.colors.muted
            found.append(Entry(key="pending", name=tr("pending"), color=dotted, line="dot"))
        for candidate, _ in self.candidates:
            color, name = self.candidate_color(candidate.place), f"{candidate.key} {candidate.name}"
            found.append(Entry(key=candidate.key, name=name, color=color, line="dash", short=candidate.key))
        return found

    def values_at(self, x: float | None) -> dict[str, str]:
        """The LR of every line at ``x`` epochs, as far as it reaches; without ``x`` now, or where a line begins."""
        now = self.series.position
        where = now if x is None else x
        if len(self.names) > 1:  # the entry of a group is of what was and of what is planned
            values = {str(i): value_text(self.lr_at(i, where)) for i in range(len(self.names))}
        else:
            values = {"0": value_text(self.lr_at(0, where))} if len(self.series.lr_x) and where <= now else {}
            if where >= now:
                values["plan"] = value_text(self.plan.at(0, where))
        others = [("pending", self.pending)] if self.pending.known else []
        for key, ahead in [*others, *((candidate.key, ahead) for candidate, ahead in self.candidates)]:
            at = ahead.begin if x is None else x
            if at >= ahead.begin:
                values[key] = " ".join(value_text(ahead.at(group, at)) for group in range(len(ahead.lines)))
        return values

    def draw(self) -> None:
        """The kinds of line of each group, the line at now, the handles, and the rates at the ends."""
        low, high = self.x_epochs()
        now = self.series.position
        most = self.pixels()
        past = [Stairs(self.series.lr_x, lrs).between(low, min(high, now), most) for lrs in self.series.lrs]
        ahead = [(curve, curve.parts(max(low, now), high, most)) for curve in self._all_ahead()]
        self._choose_scale([lrs for part in (past, *(parts for _, parts in ahead)) for _, lrs in part])
        self._left.show_abandoned(self._abandoned(most))
        self._show(self._past, past)
        for curve, parts in ahead:
            self._show(curve.traces, parts)
        started = now > 0
        self._now.setVisible(started)
        if started:
            self._now.setPos(float(self.series.to_axis(now, self.axis)))
        lr = float("nan") if self.drawing.points else self.lr_at(self._active, now)  # the points take its place
        self.grip.place(now, lr, self.group_colors()[self._active], self.colors)
        self.drawing.draw(self.colors)
        self._write_ends()

    def lr_at(self, group: int, x: float) -> float:
        """The rate of ``group`` that was in force at ``x`` epochs, or is planned there; NaN where neither is known."""
        if x < self.series.position or (x == self.series.position and not self.plan.known):
            lrs = self.series.lrs
            return Stairs(self.series.lr_x, lrs[group]).at(x) if group < len(lrs) else float("nan")
        return self.plan.at(group, x)

    # Inside ----------------------------------------------------------------------------------------------------------

    def _draw_now(self) -> None:
        self.touch()
        self.refresh()

    def _abandoned(self, most: int) -> list[Part]:
        abandoned_branches = [
            Stairs.of(g.lr_x, lrs).between(float(g.lr_x[0]), g.end, most)
            for g in self.series.abandoned
            if len(g.lr_x)
            for lrs in g.lrs
        ]
        return [
            (self.series.to_axis(x, self.axis), self.clamped(self.coordinates.ys_of(lrs)))
            for x, lrs in abandoned_branches
        ]

    def _all_ahead(self) -> list[Projection]:
        return [self.plan, self.pending, *(ahead for _, ahead in self.candidates)]

    def _show(self, traces: Sequence[Trace], parts: Sequence[Part]) -> None:
        for index, trace in enumerate(traces):
            x, lrs = parts[index] if index < len(parts) else (np.empty(0), np.empty(0))
            y = self.clamped(self.coordinates.ys_of(lrs))
            trace.show_points(self.series.to_axis(x, self.axis), y, smooth=False)

    def _choose_scale(self, lrs: list[np.ndarray]) -> None:
        if self.grip.under_way or self.drawing.under_way:
            return
        staged = [self.grip.staged] if self.grip.staged is not None else []
        extra = np.array([*staged, *self.drawing.lrs()], np.float64)
        scale = scale_for(np.concatenate([*lrs, extra]) if lrs else np.empty(0), log=self.log)
        if scale is None:
            return
        self.coordinates.scale = scale
        self.left.set_scale(log=scale.log, zero_at=scale.zero_at)
        if not self._manual_y:
            self.view.setYRange(scale.low, scale.high, padding=0)

    def _make_curves(self) -> None:
        for item in self._past:
            self.view.removeItem(item)
        self._past = [Trace() for _ in self.names]
        for ahead in (self.plan, self.pending):
            ahead.clear()
            ahead.make_traces(self.group_colors())
        for item in self._past:
            self.view.addItem(item, ignoreBounds=True)
        self._color_curves()

    def _color_curves(self) -> None:
        colors = self.group_colors()
        for trace, color in zip(self._past, colors, strict=True):
            trace.set_color(color)
        self.plan.make_traces([mixed(color, self.colors.plot, 0.7) for color in colors])
        self.pending.make_traces([self.colors.pending] if len(colors) == 1 else colors)
        for candidate, ahead in self.candidates:
            ahead.make_traces([self.candidate_color(candidate.place)] * len(ahead.lines))
        self._now.setPen(pen(self.colors.now))
        self._left.set_faint(self.colors.lr, self.colors.plot)

    def _write_ends(self) -> None:
        """The rate at the end of each line, and what the plan waits for."""
        several = len(self.names) > 1
        groups = self.group_colors()
        ends: list[End] = []
        crowded = self.pending.known or bool(self.candidates)
        if self.pending.known:
            colors = groups if several else [self.colors.pending]
            ends += self._ends(self.pending, colors, tr("pending") if crowded else "")
        for candidate, ahead in self.candidates:
            colors = [self.candidate_color(candidate.place)] * len(ahead.lines)
            ends += self._ends(ahead, colors, candidate.key)
        ends += self._ends(self.plan, groups if several else [self.colors.axis], tr("plan") if crowded else "")
        if self._note and self.plan.known:
            ends.insert(0, self._beside_the_plan())
        ends = [end for end in ends if np.isfinite([end.x, end.y, end.since]).all()]  # time may not be known yet
        avoid = self.grip.boxes()
        # The past creeps along under what was planned: while nothing else moves, the words stay where they are.
        seen = (
            tuple(replace(end, x=round(end.x), y=round(end.y), since=round(end.since, -2)) for end in ends),
            tuple(round(box.left, -2) for box in avoid),
            (self.colors.plot, self.view.width(), self.view.height(), *map(tuple, self.view.viewRange())),
        )
        if seen != self._told:
            self._told = seen
            traces = [*self._past, *(trace for ahead in self._all_ahead() for trace in ahead.traces)]
            data = (trace.getData() for trace in traces)
            drawn = [self.coordinates.pixels(x, y) for x, y in data if x is not None and len(x)]
            self.ends.write(ends, drawn, avoid, self.colors.plot)

    def _ends(self, ahead: Projection, colors: Sequence[str], name: str = "") -> list[End]:
        found = []
        for group, color in enumerate(colors[: len(ahead.lines)]):
            lr, since = ahead.last(group), ahead.lines[group].last_change
            xs = self.series.to_axis([max(since, self.series.position), ahead.end], self.axis)
            x, y = self.coordinates.pixels(xs, np.full(2, self.coordinates.y_of(lr)))
            found.append(
                End(x=float(x[1]), y=float(y[1]), since=float(x[0]), lr=value_text(lr), name=name, color=color)
            )
        return found

    def _beside_the_plan(self) -> End:
        """The note as words that end where the view does, at the height of the plan's line."""
        y = self.coordinates.pixel(QPointF(0.0, self.coordinates.y_of(self.plan.last(self._active)))).y()
        right = float(self.view.width()) - 12.0
        return End(x=right, y=y, since=right, lr="", note=self._note, color=self.colors.muted)
