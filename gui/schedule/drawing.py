"""Drawing a schedule: its points in the editor and on the plot, other curves as points, and the projected LR bent."""

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
from gui.schedule.drawn_editor import CurrentLine, PointsEditor
from gui.schedule.panel import SchedulePanel
from gui.schedule.pending_change import PendingChange
from gui.widgets.forms import SpecForm

FROM_CURVE, BENT = "drawn from a curve", "bent"
DRAG_MS: Final = 40
"""The shortest time between two updates of the editor and the curve during a drag."""


class DrawingController(QObject):
    """Keeps the points in the editor and on the plot the same, and turns other curves into points.

    A bent curve becomes the pending schedule: the projected LR in few points, with the dragged point among them.
    """

    def __init__(
        self,
        panel: SchedulePanel,
        plot: LRPlot,
        side: QTabWidget,
        show_side: Callable[[QWidget], None],
        current_run: CurrentRun,
        change: PendingChange,
        tasks: TaskRunner,
        parent: QObject | None = None,
    ) -> None:
        """``side`` holds ``panel``, and ``show_side`` brings a panel in it to the front."""
        super().__init__(parent)
        self._side, self._show_side, self._tasks = side, show_side, tasks
        self._panel, self._plot, self._drawing = panel, plot, plot.drawing_tool
        self._model = current_run.model
        self._points: PointsEditor | None = None
        self._here = 0.0  # where a schedule that starts here would start
        self._move: tuple[float, float, float] | None = None
        self._bend: tuple[float, float] | None = None
        self._bent: Drawn | None = None  # the curve that is bent, before, and its group
        self._bent_group: str | None = None
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(DRAG_MS)
        self._timer.timeout.connect(self._flush)
        self._panel.editor.shown.connect(self._on_form)
        self._panel.editor.draw_from.clicked.connect(self._draw_from)
        side.currentChanged.connect(self._show)
        change.origin_changed.connect(self._set_origin)
        self._drawing.moved.connect(self._on_moved)
        self._drawing.added.connect(lambda x, lr: self._edit(lambda points: points.insert_point(x, lr)))
        self._drawing.removed.connect(lambda x: self._edit(lambda points: points.delete_point(x)))
        self._drawing.bent.connect(self._on_bent)
        self._drawing.dragging.connect(self._on_dragging)
        current_run.listen(self._on_event, StartEvent, EndEvent, LREvent)
        self._on_form()

    # -- the points, in the editor and on the plot

    def _on_form(self) -> None:
        """The editor may show another form."""
        form = self._panel.editor.form
        editor = form.editor("points") if self._panel.editor.kind is Drawn and isinstance(form, SpecForm) else None
        points = editor if isinstance(editor, PointsEditor) else None
        if points is not None and points is not self._points:
            points.offer_plot()
            points.shown.connect(self._show)
        self._points = points
        self._show_origin()
        self._show()

    @property
    def _origin(self) -> float:
        """Where the edited schedule would start, in epochs of the run."""
        return 0.0 if self._panel.pending.from_start() else self._here

    def _show_origin(self) -> None:
        if self._points is not None:
            again = self._panel.pending.differs()  # then the current points, too, count from the new start
            current = None if again else _current_line(self._model.live_lrs, self._group())
            self._points.set_origin(self._origin, current)

    def _show(self) -> None:
        """Show the points on the plot while their editor is visible, and say whether the curve can be bent."""
        points = self._points
        shown = points is not None and points.drawing() and self._panel.isEnabled() and self._in_front()
        self._drawing.snap = points is None or points.snap.isChecked()
        self._drawing.show_points(points.points() if points is not None and shown else [], self._origin)
        self._drawing.bendable = self._model.live_lrs is not None and not shown

    def _group(self) -> int:
        """The index of the group whose schedule is edited; 0 for all groups."""
        group, names = self._panel.group(), list(self._model.groups)
        return names.index(group) if group in names else 0

    def _in_front(self) -> bool:
        area = self._side.currentWidget()
        return area is not None and area.isAncestorOf(self._panel)

    def _set_origin(self, origin: float) -> None:
        self._here = origin
        self._show_origin()
        self._show()

    # -- mouse

    def _edit(self, edit: Callable[[PointsEditor], None]) -> None:
        self._flush()
        if self._points is not None:
            edit(self._points)

    def _on_moved(self, before: float, x: float, lr: float) -> None:
        self._move = (before if self._move is None else self._move[0], x, lr)
        if not self._timer.isActive():
            self._timer.start()

    def _on_bent(self, group: int, x: float, lr: float) -> None:
        if self._bend is None and self._plot.projected.curve is not None:
            self._bent = None
            names = self._model.groups
            self._bent_group = names[group] if len(names) > 1 else None
            work = partial(_drawn_like, self._plot.projected.curve, group)
            self._tasks.submit(work, self._on_bendable, lambda _: None, lane="curves", key=BENT)
        self._bend = (x, lr)
        if not self._timer.isActive():
            self._timer.start()

    def _on_dragging(self, started: bool) -> None:
        if not started:
            self._flush()
            if self._bent is not None:
                self._bend = None
            self._show()

    def _flush(self) -> None:
        """Apply the newest movement of the drag."""
        self._timer.stop()
        move, self._move = self._move, None
        if move is not None and self._points is not None:
            self._points.move_point(*move)
        if self._bend is not None and self._bent is not None:
            x, lr = self._bend
            points = tuple(sorted([*(p for p in self._bent.points if p[0] != x), (x, lr)]))
            scale = self._bent.scale if lr > 0 else "linear"
            if self._bent_group != self._panel.group():
                self._panel.choose_group(self._bent_group)
            self._stage(self._bent.model_copy(update={"points": points, "scale": scale}))

    def _draw_from(self) -> None:
        """Request the points of the schedule that is edited."""
        curve = self._plot.pending if self._plot.pending.known else self._plot.projected
        if curve.curve is not None and curve.known:
            work = partial(_drawn_like, curve.curve, self._group())
            self._tasks.submit(work, self._stage, lambda _: None, lane="curves", key=FROM_CURVE)

    def _stage(self, spec: Drawn) -> None:
        """Show ``spec``, whose points count the run's epochs, in the editor as the pending schedule."""
        self._show_side(self._panel)
        self._panel.stage(spec.after(self._origin) if self._origin > 0 else spec)
        if self._points is not None:
            self._points.fix()

    # -- results and events

    def _on_bendable(self, spec: Drawn) -> None:
        if self._bend is not None:
            self._bent = spec
            self._flush()
            if not self._drawing.is_dragging:
                self._bend = None

    def _on_event(self, _: Event) -> None:
        self._show_origin()
        self._show()


def _drawn_like(curve: Curve, group: int, _task: Task) -> Drawn:
    return queries.drawn_like(curve, group)


def _current_line(lrs: LREvent | None, group: int) -> CurrentLine | None:
    """The current schedule if it is drawn."""
    if lrs is None:
        return None
    schedule = lrs.schedules[group]
    return CurrentLine(schedule.spec, schedule.began) if isinstance(schedule.spec, Drawn) else None
