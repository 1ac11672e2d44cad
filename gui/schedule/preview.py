"""Curves of LRs: requested from the task runner, and shown in the plots and panels when they arrive."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

import numpy as np
from PySide6.QtCore import QObject, QTimer, Signal

from engine.common.position import Position
from engine.messages.commands import Command, SetSchedule
from engine.messages.events import BranchEvent, LREvent, StartEvent
from engine.messages.preview import Curve, CurveQuery
from engine.recipe.recipe import Recipe
from engine.schedules import ScheduleSpec
from engine.training import queries
from gui.core.current_run import CurrentRun
from gui.core.task_runner import Failure, Task, TaskRunner
from gui.core.translation import said, tr
from gui.learning_rate.panel import LRPanel
from gui.plots.stack import PlotStack
from gui.schedule.group_schedules import Schedules
from gui.schedule.panel import SchedulePanel
from gui.schedule.text import ends_text, floor_text, next_cut, schedule_text

PROJECTED, PENDING = "projected", "pending"
SLOW_MS = 500
"""Milliseconds after which a curve that is not there yet is announced."""

Course = tuple[str, ...]


def course_of(lrs: LREvent) -> Course:
    """What determines the projected LR of each group; it stays equal until an intervention changes it."""
    return tuple(schedule.course for schedule in lrs.schedules)


def rest_of(curve: Curve, lrs: LREvent) -> Curve | None:
    """The part of ``curve`` from the position of ``lrs`` on; None if its LRs there are not those of ``lrs``.

    A thinned curve does not have every LR, so there only LRs that wait for a metric are compared.
    """
    here = lrs.epoch - 1 + lrs.batch / curve.steps_per_epoch
    row = int(np.searchsorted(curve.x, here + 1e-9, side="right")) - 1
    if row < 0:
        return None
    drawn = zip(curve.lr[row].tolist(), lrs.lr, lrs.schedules, strict=True)
    if any(then != now for then, now, schedule in drawn if not curve.thinned or schedule.waits_for_metric):
        return None
    x = np.concatenate([[here], curve.x[row + 1 :]])
    return replace(curve, x=x, lr=np.concatenate([[lrs.lr], curve.lr[row + 1 :]]))


class Preview(QObject):
    """Shows the scheduled LR of the recipe before the start, and the projected and the pending LR of a run.

    Signals:
        curve_shown(): a curve that the user may wait for is in the plot.
        recipe_checked(str | None): why the recipe's schedule cannot be run to its end, or None.
        projected(Curve): the curve of the recipe, or of the run from its position on.
        outdated(): the recipe or the run's position changed, so that curves of other schedules must be requested again.
    """

    curve_shown = Signal()
    recipe_checked = Signal(object)
    projected = Signal(object)
    outdated = Signal()

    def __init__(
        self,
        schedule: SchedulePanel,
        lr_panel: LRPanel,
        plots: PlotStack,
        current_run: CurrentRun,
        tasks: TaskRunner,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._model = current_run.model
        current_run.listen(self._on_run, StartEvent, BranchEvent)
        current_run.listen(self._on_lrs, LREvent)
        self._schedule, self._lr_panel, self._plots = schedule, lr_panel, plots
        self._tasks = tasks
        self._recipe: Recipe | None = None  # that is being set up, and the names of its groups
        self._group_names: tuple[str, ...] = ("all",)
        self._batches = 1  # an epoch's; of the recipe once a curve of it has arrived
        self._pending: Command | None = None
        self._ends_text = ""
        self._course: Course | None = None
        self._curve: Curve | None = None  # the whole curve of that course, from where it was requested on
        self._slow = QTimer(self)  # until a curve that takes long is announced
        self._slow.setSingleShot(True)
        self._slow.setInterval(SLOW_MS)
        self._slow.timeout.connect(self._announce)

    # -- before the start

    def show_recipe(self, recipe: Recipe | None, group_names: Sequence[str]) -> None:
        """Request the whole curve of ``recipe``; None (the recipe is not valid) removes the curve."""
        self._pending, self._recipe, self._course = None, recipe, None
        self._ends_text = ""
        self._plots.lr.set_note("")
        if recipe is None:
            self._tasks.cancel(PROJECTED)
            self._arrived()
            self._plots.set_projected(None)
            self._schedule.set_problem(None)
            self._schedule.set_warnings([])
            self._schedule.set_preview("")
            self.outdated.emit()
            return
        names = self._group_names = tuple(group_names)

        def work(task: Task) -> Curve:
            batches = queries.batches_per_epoch(recipe.data)
            query = CurveQuery(
                key=PROJECTED, recipe=recipe, group_names=names, steps_per_epoch=batches, epochs=recipe.epochs
            )
            return queries.curve(query, task.cancelled)

        self._submit(PROJECTED, work)
        self.outdated.emit()

    def sparkline(self, spec: ScheduleSpec, recipe: Recipe) -> None:
        """Request a small curve of ``spec`` for the picker."""
        name = spec.model_dump()["name"]
        one = recipe.model_copy(update={"schedule": spec, "groups": ()})
        query = CurveQuery(
            key=name,
            recipe=one,
            group_names=tuple(map(str, range(spec.group_count() or 1))),
            epochs=recipe.epochs,
            steps_per_epoch=self._batches_per_epoch,
        )

        def show(curve: Curve) -> None:
            if not curve.problem:
                self._schedule.set_sparkline(name, curve.x, curve.lr)

        self._tasks.submit(partial(_compute, query), show, lambda _: None, lane="curves", key=f"spark {name}")

    @property
    def _batches_per_epoch(self) -> int:
        return self._model.batches_per_epoch if self._model.shown else self._batches

    # -- during a run

    def _on_run(self, event: StartEvent | BranchEvent) -> None:
        self._course = None
        self.set_pending(None)

    def _on_lrs(self, lrs: LREvent) -> None:
        """Show the projected LR."""
        course = course_of(lrs)
        if course != self._course:
            self._course, self._curve = course, None
            self._request(PROJECTED, None, None)
        elif self._curve is not None:  # else it is being computed
            self._show_rest(self._curve)
        self.outdated.emit()

    def set_pending(self, command: Command | None, position: Position | None = None) -> None:
        """Draw the LR that the pending ``command`` would give from ``position`` on, dotted; None removes it."""
        before, self._pending = self._pending, command
        if before is not None and not isinstance(command, SetSchedule):
            self._restore_texts()
        if command is None:
            self._tasks.cancel(PENDING)
            self._plots.set_pending(None)
            self._lr_panel.show_floor(None)
        else:
            self._request(PENDING, command, position)
            self._lr_panel.show_floor(floor_text(self._model.lrs, command))

    @property
    def pending(self) -> Command | None:
        """The pending command whose curve is shown dotted."""
        return self._pending

    def query(self, key: str, command: Command | None = None, position: Position | None = None) -> CurveQuery | None:
        """The query for the LRs if ``command`` is applied at ``position``; None if there is neither run nor recipe.

        Before the start: for the LRs if the schedule of ``command`` were the recipe's.
        """
        model = self._model
        lrs, recipe = model.lrs, model.recipe or self._recipe
        if recipe is None:
            return None
        if lrs is None:
            names = tuple(model.groups) or self._group_names
            if isinstance(command, SetSchedule):
                lr = command.lr if isinstance(command.lr, float) else recipe.optimizer.lr
                optimizer = recipe.optimizer.model_copy(update={"lr": lr})
                recipe = Schedules.of_recipe(recipe).put(command.group, command.schedule, names).onto(recipe)
                recipe = recipe.model_copy(update={"optimizer": optimizer})
            return CurveQuery(
                key=key,
                recipe=recipe,
                group_names=names,
                steps_per_epoch=self._batches_per_epoch,
                epochs=recipe.epochs,
            )
        return CurveQuery(
            key=key,
            recipe=recipe,
            group_names=tuple(lrs.groups),
            steps_per_epoch=self._batches_per_epoch,
            epochs=lrs.epochs,
            control=lrs.control,
            position=lrs.position,
            intervention=command,
            applies_at=max(position, lrs.position) if position is not None else None,
            history=tuple(model.metrics),
        )

    def _request(self, key: str, command: Command | None, position: Position | None) -> None:
        query = self.query(key, command, position) if self._model.lrs is not None else None
        if query is not None:
            self._submit(key, partial(_compute, query))

    def _submit(self, key: str, work: Callable[[Task], Curve]) -> None:
        done = self._on_projected if key == PROJECTED else self._show_pending
        if key == PROJECTED:
            self._slow.start()
        self._tasks.submit(work, done, self._on_failure, lane="curves", key=key)

    # -- results

    def _announce(self) -> None:
        """Say that the curve is being computed, in place of another recipe's; a million epochs take a while."""
        if not self._model.shown:
            self._plots.set_projected(None)
            self._plots.lr.set_empty_text(tr("Computing the schedule's curve…"))

    def _arrived(self) -> None:
        self._slow.stop()
        self._plots.lr.set_empty_text(None)

    def _on_failure(self, failure: Failure) -> None:
        self._arrived()
        self._schedule.set_problem(said(failure.problem))

    def _on_projected(self, curve: Curve) -> None:
        self._arrived()
        self._show_rest(curve)
        self.curve_shown.emit()
        self.projected.emit(curve)

    def _show_rest(self, curve: Curve) -> None:
        """Show the part of the projected ``curve`` after the run's position; request it again if the LR differs."""
        lrs = self._model.lrs
        rest = rest_of(curve, lrs) if lrs is not None and not curve.problem else curve
        if rest is None:
            self._curve = None
            self._request(PROJECTED, None, None)
        else:
            self._curve = curve
            self._show_projected(rest)

    def _show_projected(self, curve: Curve) -> None:
        self._batches = curve.steps_per_epoch
        self._schedule.set_batches(curve.steps_per_epoch)
        self._plots.set_projected(curve if curve.x.size else None)
        self._ends_text = ends_text(curve)
        lrs = self._model.lrs
        if lrs is None:
            self._show_texts(curve)
            self.recipe_checked.emit(said(curve.problem) if curve.problem else None)
            return
        self._lr_panel.show_schedule_text(schedule_text(lrs, curve))
        self._plots.lr.set_note(next_cut(lrs) or "")
        if not isinstance(self._pending, SetSchedule):
            self._schedule.set_preview(self._ends_text)

    def _restore_texts(self) -> None:
        """Show the texts of the current schedule in the schedule panel again."""
        self._schedule.set_problem(None)
        self._schedule.set_warnings([])
        self._schedule.set_preview(self._ends_text)

    def _show_texts(self, curve: Curve) -> None:
        """Show the problem, the warnings and the ends of ``curve`` in the schedule panel."""
        schedule = self._schedule
        schedule.set_problem(said(curve.problem) if curve.problem else None, curve.field)
        schedule.set_warnings([said(w) for w in curve.warnings])
        schedule.set_preview(ends_text(curve))

    def _show_pending(self, curve: Curve) -> None:
        self._plots.set_pending(curve if curve.x.size else None)
        self.curve_shown.emit()
        if isinstance(self._pending, SetSchedule):
            self._show_texts(curve)
        else:
            warning = said(curve.warnings[0]) if curve.warnings else None
            self._lr_panel.show_warning(said(curve.problem) if curve.problem else warning)


def _compute(query: CurveQuery, task: Task) -> Curve:
    return queries.curve(query, task.cancelled)
