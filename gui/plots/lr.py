"""The learning-rate plot: the current LR so far, the projected LR, and what a pending change would make of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QPointF, Signal
from PySide6.QtWidgets import QWidget

from engine.messages.preview import Curve
from gui.core.column import FloatArray
from gui.core.history import Axis, RunHistory
from gui.core.translation import tr
from gui.plots.axes import value_text
from gui.plots.base import RunPlot
from gui.plots.canvas import ValueLabel
from gui.plots.drawing_tool import DrawingTool
from gui.plots.end_handle import EndHandle
from gui.plots.end_labels import End, EndLabels
from gui.plots.header import LegendEntry
from gui.plots.items import AbandonedTrace, Trace, pen
from gui.plots.lr_coordinates import LRCoordinates, scale_for
from gui.plots.lr_curves import (
    CANDIDATE_DASHES,
    PENDING_DASHES,
    PROJECTED_DASHES,
    Candidate,
    Points,
    Projection,
    StepCurve,
)
from gui.theme.theme import Colors, mixed

_PROJECTED_SHARE = 0.7  # of a line's color in that of its projection


class LRPlot(RunPlot):
    """The LR of each group: the current one solid, projected dashed, pending dotted, candidates in their own dashes.

    Signals:
        dragged(float, bool): the handle at the end of the line was dragged to this LR; true asks to hold it. The LR is
            staged, not sent.
        dragging(bool): a drag of the handle, a point or a curve began or ended.

    ``drawing_tool`` has the signals of points and bent curves.
    """

    dragged = Signal(float, bool)
    dragging = Signal(bool)

    def __init__(self, history: RunHistory, parent: QWidget | None = None) -> None:
        super().__init__(tr("Learning rate"), _empty_text(), history, parent=parent)
        self.group_names = ["all"]
        self._active = 0
        self._note = ""
        self._labelled: tuple[object, ...] = ()  # what the end labels were written for
        self.coordinates = LRCoordinates(self.view, history)
        self._current: list[Trace] = []
        self._abandoned = AbandonedTrace()
        self.view.addItem(self._abandoned, ignoreBounds=True)
        self.projected = Projection(self.view, PROJECTED_DASHES)
        self.pending = Projection(self.view, PENDING_DASHES)
        self.candidates: list[tuple[Candidate, Projection]] = []
        self._now = pg.InfiniteLine(angle=90)
        self._now.setZValue(-40)
        self._now.setVisible(False)
        self.view.addItem(self._now, ignoreBounds=True)
        self.value_label = ValueLabel(self.canvas)
        self.end_labels = EndLabels(self.view)
        self.end_handle = EndHandle(self.canvas, self.coordinates, self.value_label)
        self.drawing_tool = DrawingTool(self.canvas, self.coordinates, self.projected, self.pending, self.value_label)
        self.end_handle.dragged.connect(self.dragged)
        for part in (self.end_handle, self.drawing_tool):
            part.dragging.connect(self.dragging)
            part.changed.connect(self._draw_now)
        self.drawing_tool.redraw_requested.connect(self.request_redraw)
        self._make_traces()
        self.log_button.setChecked(True)

    # What is shown ---------------------------------------------------------------------------------------------------

    def set_group_names(self, names: Sequence[str]) -> None:
        """Set the names of the parameter groups, in order; at least one."""
        if list(names) != self.group_names and names:
            self.group_names = list(names)
            self._active = min(self._active, len(self.group_names) - 1)
            self._make_traces()
            self.request_redraw()

    def set_projected(self, curve: Curve | None) -> None:
        """Set the projected LRs, from the run's start or from now on; they are drawn from now on."""
        self.projected.set_curve(curve)
        self.request_redraw()

    def set_pending(self, curve: Curve | None) -> None:
        """Set the LRs that a pending change would bring; None removes them and puts the handle back."""
        self.pending.set_curve(curve)
        if curve is None:
            self.end_handle.staged = None
        self.request_redraw()

    def set_candidates(self, candidates: Sequence[Candidate]) -> None:
        """Set the schedules to compare, drawn over the projected LRs."""
        for _, projection in self.candidates:
            projection.clear()
        self.candidates = []
        for candidate in candidates:
            projection = Projection(self.view, CANDIDATE_DASHES[candidate.index % len(CANDIDATE_DASHES)])
            projection.set_curve(candidate.curve)
            projection.make_traces([self.candidate_color(candidate.index)] * len(projection.lines))
            self.candidates.append((candidate, projection))
        self.request_redraw()

    def set_empty_text(self, text: str | None) -> None:
        """Write ``text`` where there is no curve; None: what will appear there."""
        self.empty.setText(text or _empty_text())

    def set_note(self, note: str) -> None:
        """Write what the projected LR depends on beside its line; nothing if ``note`` is empty."""
        if note != self._note:
            self._note = note
            self.request_redraw()

    def set_active_group(self, index: int | None) -> None:
        """Put the handle at the line of this group; of all groups (None), at the first."""
        self._active = index or 0
        self.request_redraw()

    def group_colors(self) -> list[str]:
        """One colour a group."""
        if len(self.group_names) == 1:
            return [self.colors.lr]
        return [self.colors.groups[i % len(self.colors.groups)] for i in range(len(self.group_names))]

    def candidate_color(self, index: int) -> str:
        """The colour of the candidate with this index."""
        return self.colors.candidates[index % len(self.colors.candidates)]

    # What RunPlot asks for -------------------------------------------------------------------------------------------

    def set_history(self, history: RunHistory) -> None:
        """Show the history of another run."""
        self.coordinates.history = history
        super().set_history(history)

    def set_axis(self, axis: Axis) -> None:
        """Count positions in epochs, steps or seconds."""
        self.coordinates.axis = axis
        super().set_axis(axis)

    def apply_theme(self, colors: Colors) -> None:
        """Draw in ``colors``."""
        super().apply_theme(colors)
        self._color_traces()

    def request_redraw(self) -> None:
        """Draw again in the next frame, and place the end labels again."""
        self._labelled = ()
        super().request_redraw()

    def is_empty(self) -> bool:
        """Whether there is neither a past nor a projection."""
        return not len(self.history.lr_x) and not any(projection.known for projection in self._projections())

    def entries(self) -> list[LegendEntry]:
        """The groups (of a single group, current and projected), pending, candidates and abandoned branches."""
        colors, begun = self.group_colors(), bool(len(self.history.lr_x))
        found = []
        if len(self.group_names) > 1:
            named = zip(self.group_names, colors, strict=True)
            found = [LegendEntry(key=str(i), name=name, color=color) for i, (name, color) in enumerate(named)]
        elif begun:
            found = [LegendEntry(key="0", name=tr("Current"), color=colors[0])]
        if len(self.group_names) == 1 and (self.projected.known or not begun):
            color = mixed(colors[0], self.colors.plot, _PROJECTED_SHARE)
            found.append(LegendEntry(key="projected", name=tr("Projected"), color=color, line="dash"))
        if self.pending.known:
            color = self.colors.pending if len(self.group_names) == 1 else self.colors.muted
            found.append(LegendEntry(key="pending", name=tr("Pending"), color=color, line="dot"))
        for candidate, _ in self.candidates:
            color, name = self.candidate_color(candidate.index), f"{candidate.key} {candidate.name}"
            found.append(LegendEntry(key=candidate.key, name=name, color=color, line="dash", short=candidate.key))
        return [*found, *self.abandoned_entries()]

    def values_at(self, x: float | None) -> dict[str, str]:
        """The LR of every line at ``x`` epochs, where it has one; for None now, or at the line's beginning."""
        now = self.history.position
        at = now if x is None else x
        if len(self.group_names) > 1:  # a group has one entry for its current and its projected LR
            values = {str(i): value_text(self.lr_at(i, at)) for i in range(len(self.group_names))}
        else:
            values = {"0": value_text(self.lr_at(0, at))} if len(self.history.lr_x) and at <= now else {}
            if at >= now:
                values["projected"] = value_text(self.projected.at(0, at))
        others = [("pending", self.pending)] if self.pending.known else []
        for key, projection in [*others, *((candidate.key, lines) for candidate, lines in self.candidates)]:
            at = projection.begin if x is None else x
            if at >= projection.begin:
                values[key] = " ".join(value_text(projection.at(group, at)) for group in range(len(projection.lines)))
        return values

    def draw(self) -> None:
        """Draw all lines, the position, the handle and the points, and the LRs at the ends of the lines."""
        low, high = self.x_epochs()
        now = self.history.position
        most = self.pixels()
        current = [StepCurve(self.history.lr_x, lrs).between(low, min(high, now), most) for lrs in self.history.lrs]
        to_come = [(projection, projection.points(max(low, now), high, most)) for projection in self._projections()]
        self._choose_scale([lrs for points in (current, *(points for _, points in to_come)) for _, lrs in points])
        self._abandoned.show_branches(self._abandoned_lines(most))
        self._show(self._current, current)
        for projection, points in to_come:
            self._show(projection.traces, points)
        started = now > 0
        self._now.setVisible(started)
        if started:
            self._now.setPos(float(self.history.to_axis(now, self.axis)))
        # While points are drawn there is no handle.
        lr = float("nan") if self.drawing_tool.points else self.lr_at(self._active, now)
        self.end_handle.place(now, lr, self.group_colors()[self._active], self.colors)
        self.drawing_tool.draw(self.colors)
        self._write_end_labels()

    def lr_at(self, group: int, x: float) -> float:
        """The LR that ``group`` had at ``x`` epochs, or is projected to have there; NaN where neither is known."""
        if x < self.history.position or (x == self.history.position and not self.projected.known):
            lrs = self.history.lrs
            return StepCurve(self.history.lr_x, lrs[group]).at(x) if group < len(lrs) else float("nan")
        return self.projected.at(group, x)

    # Internals -------------------------------------------------------------------------------------------------------

    def _draw_now(self) -> None:
        self.request_redraw()
        self.refresh()

    def _abandoned_lines(self, most: int) -> list[Points]:
        lines = [
            StepCurve.of(branch.lr_x, lrs).between(float(branch.lr_x[0]), branch.end, most)
            for branch in self.history.abandoned
            if len(branch.lr_x)
            for lrs in branch.lrs
        ]
        return [(self.history.to_axis(x, self.axis), self.clamped(self.coordinates.ys_of(lrs))) for x, lrs in lines]

    def _projections(self) -> list[Projection]:
        return [self.projected, self.pending, *(projection for _, projection in self.candidates)]

    def _show(self, traces: Sequence[Trace], lines: Sequence[Points]) -> None:
        for index, trace in enumerate(traces):
            x, lrs = lines[index] if index < len(lines) else (np.empty(0), np.empty(0))
            y = self.clamped(self.coordinates.ys_of(lrs))
            trace.show_points(self.history.to_axis(x, self.axis), y, smooth=False)

    def _choose_scale(self, lrs: list[FloatArray]) -> None:
        if self.end_handle.is_dragged or self.drawing_tool.is_dragging:
            return
        staged = [self.end_handle.staged] if self.end_handle.staged is not None else []
        extra = np.array([*staged, *self.drawing_tool.lrs()], np.float64)
        scale = scale_for(np.concatenate([*lrs, extra]) if lrs else np.empty(0), log=self.log)
        if scale is None:
            return
        self.coordinates.scale = scale
        self.left.set_scale(log=scale.log, zero_at=scale.zero_at)
        if not self._manual_y:
            self.view.setYRange(scale.low, scale.high, padding=0)

    def _make_traces(self) -> None:
        for item in self._current:
            self.view.removeItem(item)
        self._current = [Trace() for _ in self.group_names]
        for projection in (self.projected, self.pending):
            projection.clear()
            projection.make_traces(self.group_colors())
        for item in self._current:
            self.view.addItem(item, ignoreBounds=True)
        self._color_traces()

    def _color_traces(self) -> None:
        colors = self.group_colors()
        for trace, color in zip(self._current, colors, strict=True):
            trace.set_color(color)
        self.projected.make_traces([mixed(color, self.colors.plot, _PROJECTED_SHARE) for color in colors])
        self.pending.make_traces([self.colors.pending] if len(colors) == 1 else colors)
        for candidate, projection in self.candidates:
            projection.make_traces([self.candidate_color(candidate.index)] * len(projection.lines))
        self._now.setPen(pen(self.colors.now))
        self._abandoned.set_faint(self.colors.lr, self.colors.plot)

    def _write_end_labels(self) -> None:
        """Write the LR at the end of each line, and the note."""
        several = len(self.group_names) > 1
        groups = self.group_colors()
        ends: list[End] = []
        crowded = self.pending.known or bool(self.candidates)
        if self.pending.known:
            colors = groups if several else [self.colors.pending]
            ends += self._ends(self.pending, colors, tr("Pending"))
        for candidate, projection in self.candidates:
            colors = [self.candidate_color(candidate.index)] * len(projection.lines)
            ends += self._ends(projection, colors, candidate.key)
        colors = groups if several else [self.colors.axis]
        ends += self._ends(self.projected, colors, tr("Projected") if crowded else "")
        if self._note and self.projected.known:
            ends.insert(0, self._note_end())
        ends = [end for end in ends if np.isfinite([end.x, end.y, end.since]).all()]  # time may not be known yet
        avoid = self.end_handle.boxes()
        # The current LR's line grows slowly over the projected one: while nothing else moves, the labels keep still.
        labelled = (
            tuple(replace(end, x=round(end.x), y=round(end.y), since=round(end.since, -2)) for end in ends),
            tuple(round(box.left, -2) for box in avoid),
            (self.colors.plot, self.view.width(), self.view.height(), *map(tuple, self.view.viewRange())),
        )
        if labelled != self._labelled:
            self._labelled = labelled
            traces = [*self._current, *(trace for projection in self._projections() for trace in projection.traces)]
            data = (trace.getData() for trace in traces)
            lines = [self.coordinates.pixels(x, y) for x, y in data if x is not None and len(x)]
            self.end_labels.write(ends, lines, avoid, self.colors.plot)

    def _ends(self, projection: Projection, colors: Sequence[str], name: str) -> list[End]:
        found = []
        for group, color in enumerate(colors[: len(projection.lines)]):
            lr, since = projection.last(group), projection.lines[group].last_change
            xs = self.history.to_axis([max(since, self.history.position), projection.end], self.axis)
            x, y = self.coordinates.pixels(xs, np.full(2, self.coordinates.y_of(lr)))
            found.append(
                End(x=float(x[1]), y=float(y[1]), since=float(x[0]), lr=value_text(lr), name=name, color=color)
            )
        return found

    def _note_end(self) -> End:
        """The note as a label at the right edge of the view, at the height of the projected LR."""
        y = self.coordinates.pixel(QPointF(0.0, self.coordinates.y_of(self.projected.last(self._active)))).y()
        right = float(self.view.width()) - 12.0
        return End(x=right, y=y, since=right, lr="", note=self._note, color=self.colors.muted)


def _empty_text() -> str:
    return tr("The projected and the current learning rate appear here")
