"""Drawing a schedule: the points in the editor and on the plot, curves to start from, and the curve ahead when bent."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final

from PySide6.QtCore import QObject, QTimer
from PySide6.QtWidgets import QTabWidget, QWidget

from engine.messages.events import EndEvent, Event, LREvent, StartEvent
from engine.messages.preview import Curve
from engine.schedules import Drawn
from engine.training import queries
from gui.core.current_run import CurrentRun
from gui.core.task_runner import Task, TaskRunner
from gui.plots.lr import LRPlot
from gui.schedule.drawn_editor import PointsEditor
from gui.schedule.panel import SchedulePanel
from gui.schedule.pending_change import PendingChange
from gui.widgets.forms import SpecForm

LIKE, BENT = "drawn like", "drawn to bend"
PACE_MS: Final = 40
"""How often a drag reaches the editor and the planner."""


class DrawingController(QObject):
    """Keeps the drawn points true on both sides, and turns other curves into points.

    A bent curve is staged as a schedule: the plan ahead in few points, with the point that was dragged among them.
    """

    def __init__(
        self,
        panel: SchedulePanel,
        plot: LRPlot,
        side: QTabWidget,
        show_side: Callable[[QWidget], None],
        runs: CurrentRun,
        change: PendingChange,
        tasks: TaskRunner,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._side, self._show_side, self._tasks = side, show_side, tasks
        self._panel, self._plot, self._drawing = panel, plot, plot.drawing_tool
        self._points: PointsEditor | None = None
        self._lrs: LREvent | None = None
        self._groups: list[str] = []
        self._origin = 0.0
        self._move: tuple[float, float, float] | None = None
        self._bend: tuple[float, float] | None = None
        self._like: Drawn | None = None  # what is bent, and the group that it is of
        self._bent_group: str | None = None
        self._pace = QTimer(self)
        self._pace.setSingleShot(True)
        self._pace.setInterval(PACE_MS)
        self._pace.timeout.connect(self._flush)
        self._panel.editor.shown.connect(self._look)
        self._panel.editor.draw_from.clicked.connect(self._draw_from)
        side.currentChanged.connect(self._show)
        change.begins.connect(self._begin_at)
        self._drawing.moved.connect(self._on_moved)
        self._drawing.added.connect(lambda x, lr: self._intervention(lambda points: points.insert_point(x, lr)))
        self._drawing.removed.connect(lambda x: self._intervention(lambda points: points.delete_point(x)))
        self._drawing.bent.connect(self._on_bent)
        self._drawing.dragging.connect(self._on_dragging)
        runs.listen(self._on_event, StartEvent, EndEvent, LREvent)
        self._look()

    # -- the points, in the editor and on the plot

    def _look(self) -> None:
        """The editor shows another schedule, perhaps."""
        form = self._panel.editor.form
        editor = form.editor("points") if self._panel.editor.kind is Drawn and isinstance(form, SpecForm) else None
        points = editor if isinstance(editor, PointsEditor) else None
        if points is not None and points is not self._points:
            points.offer_plot()
            points.shown.connect(self._show)
        self._points = points
        self._place()
        self._show()

    def _place(self) -> None:
        if self._points is not None:
            self._points.place(self._origin, _in_force(self._lrs, self._group()))

    def _show(self) -> None:
        """Bring the points to the plot while their editor is in sight, and say what else can be done there."""
        points = self._points
        shown = points is not None and points.drawing() and self._panel.isEnabled() and self._in_front()
        self._drawing.snap = points is None or points.snap.isChecked()
        self._drawing.show_points(points.points() if points is not None and shown else [], self._origin)
        self._drawing.bendable = self._lrs is not None and not shown

    def _group(self) -> int:
        """The place of the group whose schedule is edited; of all groups, the first."""
        group = self._panel.group()
        return self._groups.index(group) if group in self._groups else 0

    def _in_front(self) -> bool:
        area = self._side.currentWidget()
        return area is not None and area.isAncestorOf(self._panel)

    def _begin_at(self, origin: float) -> None:
        if origin != self._origin:
            self._origin = origin
            self._place()
            self._show()

    # -- what the mouse does

    def _intervention(self, intervention: Callable[[PointsEditor], None]) -> None:
        self._flush()
        if self._points is not None:
            intervention(self._points)

    def _on_moved(self, at: float, x: float, lr: float) -> None:
        self._move = (at if self._move is None else self._move[0], x, lr)
        if not self._pace.isActive():
            self._pace.start()

    def _on_bent(self, group: int, x: float, lr: float) -> None:
        if self._bend is None and self._plot.projected.curve is not None:
            self._like = None
            self._bent_group = self._groups[group] if len(self._groups) > 1 else None
            work = partial(_like, self._plot.projected.curve, group)
            self._tasks.submit(work, self._bend_like, lambda _: None, lane="curves", key=BENT)
        self._bend = (x, lr)
        if not self._pace.isActive():
            self._pace.start()

    def _on_dragging(self, begun: bool) -> None:
        if not begun:
            self._flush()
            if self._like is not None:
                self._bend = None
            self._show()

    def _flush(self) -> None:
        """Have done what the drag asked for last."""
        self._pace.stop()
        move, self._move = self._move, None
        if move is not None and self._points is not None:
            self._points.move_point(*move)
        if self._bend is not None and self._like is not None:
            x, lr = self._bend
            points = tuple(sorted([*(p for p in self._like.points if p[0] != x), (x, lr)]))
            scale = self._like.scale if lr > 0 else "linear"
            if self._bent_group != self._panel.group():
                self._panel.look_at(self._bent_group)
            self._stage(self._like.model_copy(update={"points": points, "scale": scale}))

    def _draw_from(self) -> None:
        """Ask for the points of the schedule that is edited."""
        ahead = self._plot.pending if self._plot.pending.known else self._plot.projected
        if ahead.curve is not None and ahead.known:
            work = partial(_like, ahead.curve, self._group())
            self._tasks.submit(work, self._stage, lambda _: None, lane="curves", key=LIKE)

    def _stage(self, spec: Drawn) -> None:
        """Bring ``spec``, which counts the run's epochs, into the editor."""
        self._show_side(self._panel)
        self._panel.stage(spec.after(self._origin) if self._origin > 0 else spec)
        if self._points is not None:
            self._points.fix()

    # -- answers and events

    def _bend_like(self, spec: Drawn) -> None:
        if self._bend is not None:
            self._like = spec
            self._flush()
            if not self._drawing.is_dragging:
                self._bend = None

    def _on_event(self, event: Event) -> None:
        if isinstance(event, StartEvent):
            self._groups = event.groups
        elif isinstance(event, EndEvent):
            self._lrs = None
        elif isinstance(event, LREvent):
            self._lrs = event
        self._place()
        self._show()


def _like(curve: Curve, group: int, _task: Task) -> Drawn:
    return queries.drawn_like(curve, group)


def _in_force(lrs: LREvent | None, group: int) -> tuple[tuple[tuple[float, float], ...], float] | None:
    """The points of the drawn schedule in force, and where it began, in the run's epochs."""
    if lrs is None:
        return None
    schedule = lrs.schedules[group]
    return (schedule.spec.points, schedule.began) if isinstance(schedule.spec, Drawn) else None
