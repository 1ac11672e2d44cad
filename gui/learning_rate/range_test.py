"""The LR range test in the window: posts its commands, and shows the run's events in its panel."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from engine.common.lifecycle import State
from engine.messages.commands import CancelFind, FindLR
from engine.messages.events import (
    CommandEvent,
    EndEvent,
    Event,
    LoadingEvent,
    RangeTestEvent,
    RangeTestProgressEvent,
    StartEvent,
    StateEvent,
)
from engine.recipe.recipe import Recipe
from engine.recipe.user_code import Allowed
from engine.training import queries
from gui.core.current_run import CurrentRun
from gui.core.task_runner import Failure, Task, TaskRunner
from gui.core.translation import said, tr
from gui.learning_rate.panel import LRPanel

if TYPE_CHECKING:
    from gui.learning_rate.range_test_panel import RangeTestPanel

_BEFORE_START: Final = "range test before the start"
_TESTABLE: Final[frozenset[State]] = frozenset({"ready", "training", "paused"})


class RangeTestController(QObject):
    """Owns the window of the range test.

    During a run, the run makes the test. Before the start, the task runner makes it with the recipe in the forms, and
    a suggestion that is used goes into the recipe.

    Signals:
        finished(RangeTestEvent): the result of a test before the start.
        recipe_wanted(Recipe): the forms should show this recipe.
    """

    finished = Signal(object)
    recipe_wanted = Signal(object)

    def __init__(
        self,
        window: QWidget,
        current_run: CurrentRun,
        tasks: TaskRunner,
        *,
        recipe: Callable[[], Recipe | None],
        first_error: Callable[[], str | None],
        allowed: Callable[[], Allowed],
        lr_panel: LRPanel,
        show_side: Callable[[QWidget], None],
    ) -> None:
        """Connect the range test.

        Args:
            window: the parent of the range test's window.
            current_run: the current run.
            tasks: runs a test before the start.
            recipe: the recipe in the forms; None if it is not valid. Call ``validate`` when it changes.
            first_error: why it is not valid; None if it is.
            allowed: the Python files that may be run.
            lr_panel: where a suggested LR becomes the pending change.
            show_side: brings a panel on the right to the front.
        """
        super().__init__(window)
        self._window, self._tasks = window, tasks
        self._current_run, self._model = current_run, current_run.model
        self._recipe, self._first_error, self._allowed = recipe, first_error, allowed
        self._lr_panel, self._show_side = lr_panel, show_side
        self._command: int | None = None  # the id of the newest FindLR
        self._cancelled = False
        self._why_not: str | None = None
        self._panel: RangeTestPanel | None = None
        current_run.listen(
            self._on_event,
            LoadingEvent,
            StartEvent,
            StateEvent,
            RangeTestProgressEvent,
            RangeTestEvent,
            CommandEvent,
            EndEvent,
        )

    @property
    def panel(self) -> RangeTestPanel:
        """The window of the range test, created on first use."""
        if self._panel is None:
            from gui.learning_rate.range_test_panel import RangeTestPanel

            self._panel = RangeTestPanel(self._window)
            self._panel.start_wanted.connect(self._start)
            self._panel.cancel_wanted.connect(self._cancel)
            self._panel.use_wanted.connect(self._use)
            self.validate()
        return self._panel

    def open(self) -> None:
        """Bring the window of the range test to the front."""
        self.panel.show()
        self.validate()
        self.panel.raise_()
        self.panel.activateWindow()

    def _start(self, settings: FindLR) -> None:
        self._command, self._cancelled = None, False
        if not self._model.shown and not self._current_run.active:
            self._start_before_run(settings)
            return
        self._command = self._current_run.post(settings)  # a run that has just ended rejects it before post returns
        if not self._command:
            self.panel.show_problem(tr("There is no run."))

    def _start_before_run(self, settings: FindLR) -> None:
        recipe = self._recipe()
        if recipe is None:
            self.panel.show_problem(said(self._first_error() or ""))
            return

        allowed = self._allowed()

        def work(task: Task) -> RangeTestEvent:
            return queries.find_lr(recipe, settings, task.progress, task.cancelled, allowed)

        self.panel.show_progress(0, 0)
        self._tasks.submit(
            work, self._on_result, self._on_failure, lane="torch", key=_BEFORE_START, progress=self._on_progress
        )

    def _cancel(self) -> None:
        self._cancelled = True
        if self._model.shown:
            self._current_run.post(CancelFind())
        else:
            self._tasks.cancel(_BEFORE_START)
            self.panel.show_problem(tr("The LR range test was cancelled."), error=False)

    def cancel_before_start(self) -> None:
        """Cancel a test before the start: a run begins, and would wait for it."""
        if self._panel is not None and self._panel.running and not self._model.shown:
            self._tasks.cancel(_BEFORE_START)
            self._panel.show_problem(tr("The LR range test was cancelled: the run begins."), error=False)

    def _use(self, lr: float) -> None:
        if self._model.shown:
            self._show_side(self._lr_panel)
            self._lr_panel.stage_lr(lr)
        else:
            recipe = self._recipe()
            from engine.advice.lr_suggestions import with_lr

            changed = with_lr(recipe, lr) if recipe is not None else None
            if changed is None:
                self.panel.show_problem(tr("This schedule has its own LRs: set them there."), error=False)
                return
            self.recipe_wanted.emit(changed)
        self._window.activateWindow()

    def validate(self) -> None:
        """Before the start, allow a test if the recipe in the forms is valid."""
        if self._panel is None:
            return
        if not self._model.shown and not self._current_run.active:
            self._why_not = self._first_error()
        self._panel.set_enabled_because(said(self._why_not) if self._why_not else None)

    def _allow(self, why_not: str | None) -> None:
        self._why_not = why_not
        if self._panel is not None:
            self._panel.set_enabled_because(why_not)

    def _on_progress(self, what: str, done: int, total: int) -> None:
        if self.panel.running:
            self.panel.show_progress(done if not what else 0, total if not what else 0)

    def _on_result(self, result: RangeTestEvent) -> None:
        if not self._model.shown:
            self.panel.show_result(result)
            self.finished.emit(result)

    def _on_failure(self, failure: Failure) -> None:
        if not self._model.shown:
            problem = said(failure.problem)
            self.panel.show_problem(
                tr("{field}: {text}", field=failure.field, text=problem) if failure.field else problem
            )

    def _on_event(self, event: Event) -> None:
        match event:
            case LoadingEvent():
                self._allow(tr("The run is being loaded."))
                self.cancel_before_start()
            case StartEvent():
                if self._panel is not None:
                    self._panel.clear()
            case StateEvent(state=state):
                self._allow(None if state in _TESTABLE else _why_not(state))
            case RangeTestProgressEvent(id=self._command):
                self.panel.show_progress(event.done, event.total)
            case RangeTestEvent(id=self._command):
                self.panel.show_result(event)
            case CommandEvent(status="rejected") if event.name == "find_lr" and self._command in (None, event.id):
                reason = said(event.reason or "")
                text = tr("{reason}.", reason=reason[:1].upper() + reason[1:])
                self.panel.show_problem(text, error=not self._cancelled)
            case EndEvent():
                self._allow(tr("The run has ended."))


def _why_not(state: State) -> str:
    if state == "diverged":
        return tr("The loss diverged. Go back or resume first.")
    return tr("The run has ended.")
