"""Planned curves: asked for on a worker thread, shown in the plots and panels when they arrive."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from PySide6.QtCore import QObject, Signal

from engine.common.position import Position
from engine.messages.commands import Command, SetSchedule
from engine.messages.events import BranchEvent, EpochEvent, LREvent, StartEvent
from engine.messages.preview import Curve, CurveQuery
from engine.recipe.recipe import Recipe
from engine.schedules import ScheduleSpec
from engine.training import queries
from gui.core.current_run import CurrentRun
from gui.core.task_runner import Failure, Task, TaskRunner
from gui.core.translation import said
from gui.learning_rate.panel import LRPanel
from gui.plots.stack import PlotStack
from gui.schedule.group_schedules import Schedules
from gui.schedule.panel import SchedulePanel
from gui.schedule.projection import Course, course_of, rest_of
from gui.schedule.projection_text import end_words, floor_words, next_cut, plan_words

PLAN, PENDING = "plan", "pending"


class Preview(QObject):
    """Draws what is planned: before the start the recipe's curve, in mid-run the plan ahead and what is pending.

    Signals:
        drawn(): a curve that the person waits for is in the plot.
        judged(str | None): why the recipe's schedule cannot be run to its end, or None.
        planned(Curve): the curve of the recipe, or of the run as it will go on.
        moved(): the recipe is another one, or the run stands elsewhere: curves of other schedules are to be renewed.
    """

    drawn = Signal()
    judged = Signal(object)
    planned = Signal(object)
    moved = Signal()

    def __init__(
        self,
        schedule: SchedulePanel,
        lr_panel: LRPanel,
        plots: PlotStack,
        runs: CurrentRun,
        tasks: TaskRunner,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._model = runs.model
        runs.listen(self._on_run, StartEvent, BranchEvent)
        runs.listen(self._on_epoch, EpochEvent)
        runs.listen(self._on_lrs, LREvent)
        self._schedule, self._lr_panel, self._plots = schedule, lr_panel, plots
        self._tasks = tasks
        self._lrs: LREvent | None = None
        self._recipe: Recipe | None = None
        self._batches = 1  # of the run, or of the recipe as soon as a curve of it has come
        self._names: tuple[str, ...] = ("all",)
        self._history: list[dict[str, float]] = []
        self._pending: Command | None = None
        self._plan_ends = ""
        self._course: Course | None = None
        self._whole: Curve | None = None  # of that course, from where it was asked for

    # -- before the start

    def show_recipe(self, recipe: Recipe | None, group_names: Sequence[str]) -> None:
        """Ask for the whole curve of ``recipe``; None (it is wrong somewhere) takes the curve away."""
        self._lrs, self._pending, self._recipe, self._course = None, None, recipe, None
        self._plan_ends = ""
        self._plots.lr.set_note("")
        if recipe is None:
            self._tasks.cancel(PLAN)
            self._plots.set_projected(None)
            self._schedule.set_problem(None)
            self._schedule.set_warnings([])
            self._schedule.set_preview("")
            self.moved.emit()
            return
        names = self._names = tuple(group_names)

        def work(task: Task) -> Curve:
            batches = queries.batches_per_epoch(recipe.data)
            query = CurveQuery(
                key=PLAN, recipe=recipe, group_names=names, steps_per_epoch=batches, epochs=recipe.epochs
            )
            return queries.curve(query, task.cancelled)

        self._submit(PLAN, work)
        self.moved.emit()

    def sparkline(self, spec: ScheduleSpec, recipe: Recipe) -> None:
        """Ask for a small curve of ``spec`` for the picker."""
        name = spec.model_dump()["name"]
        one = recipe.model_copy(update={"schedule": spec, "groups": ()})
        names = tuple(map(str, range(spec.group_count() or 1)))
        query = CurveQuery(key=name, recipe=one, group_names=names, epochs=recipe.epochs, steps_per_epoch=self._batches)

        def show(curve: Curve) -> None:
            if not curve.problem:
                self._schedule.set_sparkline(name, curve.x, curve.lr)

        self._tasks.submit(partial(_draw, query), show, lambda _: None, lane="curves", key=f"spark {name}")

    # -- in mid-run

    def _on_run(self, event: StartEvent | BranchEvent) -> None:
        self._recipe, self._batches, self._course = self._model.recipe, self._model.batches_per_epoch, None
        self._history = [epoch.metrics() for epoch in event.history]
        self.set_pending(None)

    def _on_epoch(self, event: EpochEvent) -> None:
        self._history.append(event.metrics())

    def _on_lrs(self, lrs: LREvent) -> None:
        """Show how the current LRs go on."""
        self._lrs = lrs
        course = course_of(lrs)
        if course != self._course:
            self._course, self._whole = course, None
            self._ask(PLAN, None, None)
        elif self._whole is not None:  # else it is on its way
            self._show_rest(self._whole)
        self.moved.emit()

    def set_pending(self, intervention: Command | None, at: Position | None = None) -> None:
        """Draw what ``act`` would bring (from ``at`` on), dotted; None takes it back."""
        before, self._pending = self._pending, intervention
        if before is not None and not isinstance(intervention, SetSchedule):
            self._say_plan()
        if intervention is None:
            self._tasks.cancel(PENDING)
            self._plots.set_pending(None)
            self._lr_panel.show_floor(None)
        else:
            self._ask(PENDING, intervention, at)
            self._lr_panel.show_floor(floor_words(self._lrs, intervention))

    @property
    def pending(self) -> Command | None:
        """The change that is drawn dotted."""
        return self._pending

    def query(self, key: str, intervention: Command | None = None, at: Position | None = None) -> CurveQuery | None:
        """The question what the rates will be if ``act`` comes into force at ``at``; None where there is no run.

        Before the start it is what they would be if the schedule of ``act`` were the recipe's.
        """
        lrs, recipe = self._lrs, self._recipe
        if recipe is None:
            return None
        if lrs is None:
            if isinstance(intervention, SetSchedule):
                lr = intervention.lr if isinstance(intervention.lr, float) else recipe.optimizer.lr
                optimizer = recipe.optimizer.model_copy(update={"lr": lr})
                recipe = (
                    Schedules.of_recipe(recipe).put(intervention.group, intervention.schedule, self._names).onto(recipe)
                )
                recipe = recipe.model_copy(update={"optimizer": optimizer})
            return CurveQuery(
                key=key,
                recipe=recipe,
                group_names=self._names,
                steps_per_epoch=self._batches,
                epochs=recipe.epochs,
            )
        return CurveQuery(
            key=key,
            recipe=recipe,
            group_names=tuple(lrs.groups),
            steps_per_epoch=self._batches,
            epochs=lrs.epochs,
            control=lrs.control,
            position=lrs.position,
            intervention=intervention,
            applies_at=max(at, lrs.position) if at is not None else None,
            history=tuple(self._history),
        )

    def _ask(self, kind: str, intervention: Command | None, at: Position | None) -> None:
        query = self.query(kind, intervention, at) if self._lrs is not None else None
        if query is not None:
            self._submit(kind, partial(_draw, query))

    def _submit(self, kind: str, work: Callable[[Task], Curve]) -> None:
        done = self._take_plan if kind == PLAN else self._show_pending
        self._tasks.submit(work, done, self._failed, lane="curves", key=kind)

    # -- curves that were computed

    def _failed(self, failure: Failure) -> None:
        self._schedule.set_problem(said(failure.problem))

    def _take_plan(self, curve: Curve) -> None:
        self._show_rest(curve)
        self.drawn.emit()
        self.planned.emit(curve)

    def _show_rest(self, curve: Curve) -> None:
        """What of the plan's ``curve`` is ahead of the run; asked for again where it came to differ."""
        rest = rest_of(curve, self._lrs) if self._lrs is not None and not curve.problem else curve
        if rest is None:
            self._whole = None
            self._ask(PLAN, None, None)
        else:
            self._whole = curve
            self._show_plan(rest)

    def _show_plan(self, curve: Curve) -> None:
        self._batches = curve.steps_per_epoch
        self._schedule.set_batches(curve.steps_per_epoch)
        self._plots.set_projected(curve if curve.x.size else None)
        self._plan_ends = end_words(curve)
        if self._lrs is None:
            self._say_of_schedule(curve)
            self.judged.emit(said(curve.problem) if curve.problem else None)
            return
        self._lr_panel.show_plan(plan_words(self._lrs, curve))
        self._plots.lr.set_note(next_cut(self._lrs) or "")
        if not isinstance(self._pending, SetSchedule):
            self._schedule.set_preview(self._plan_ends)

    def _say_plan(self) -> None:
        """The schedule's panel speaks of the plan in force again."""
        schedule = self._schedule
        schedule.set_problem(None)
        schedule.set_warnings([])
        schedule.set_preview(self._plan_ends)

    def _say_of_schedule(self, curve: Curve) -> None:
        schedule = self._schedule
        schedule.set_problem(said(curve.problem) if curve.problem else None, curve.field)
        schedule.set_warnings([said(w) for w in curve.warnings])
        schedule.set_preview(end_words(curve))

    def _show_pending(self, curve: Curve) -> None:
        self._plots.set_pending(curve if curve.x.size else None)
        self.drawn.emit()
        if isinstance(self._pending, SetSchedule):
            self._say_of_schedule(curve)
        else:
            self._lr_panel.show_warning(said(curve.problem) if curve.problem else _first(curve.warnings))


def _draw(query: CurveQuery, task: Task) -> Curve:
    return queries.curve(query, task.cancelled)


def _first(warnings: Sequence[str]) -> str | None:
    return said(warnings[0]) if warnings else None
