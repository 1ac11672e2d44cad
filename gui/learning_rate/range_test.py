"""The search for a rate in the window: from its panel to the run, and from the run's events to its panel."""

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
from engine.training import queries
from gui.core.current_run import CurrentRun
from gui.core.task_runner import Failure, Task, TaskRunner
from gui.core.translation import said, tr
from gui.learning_rate.panel import LRPanel
from gui.run_bar.transport import Transport
from gui.setup.panel import SetupPanel

if TYPE_CHECKING:
    from gui.learning_rate.range_test_panel import FinderPanel

_BEFORE: Final = "rate before the start"
_SEARCHED: Final[frozenset[State]] = frozenset({"ready", "training", "paused"})


class RangeTestController(QObject):
    """Owns the finder's window. Connect what shall open it to ``open``.

    In a run the search is the run's. Before the start it is made on the worker, in the run that the recipe would
    begin, and a suggestion that is wanted goes into the recipe.

    Signals:
        found(RangeTestEvent): what a search before the start found.
        recipe_wanted(Recipe): the forms should show this recipe instead.
    """

    found = Signal(object)
    recipe_wanted = Signal(object)

    def __init__(
        self,
        window: QWidget,
        runs: CurrentRun,
        tasks: TaskRunner,
        in_run: Callable[[], bool],
        *,
        setup: SetupPanel,
        transport: Transport,
        lr_panel: LRPanel,
        show_side: Callable[[QWidget], None],
    ) -> None:
        """Connect the range test.

        Args:
            window: the parent of the range test's window.
            runs: the current run.
            tasks: runs a test before the start.
            in_run: whether a run is shown, rather than a recipe that is being set up.
            setup: the forms with the recipe.
            transport: its buttons cancel a test before the start.
            lr_panel: where a suggested LR is staged.
            show_side: brings a panel on the right to the front.
        """
        super().__init__(window)
        self._window, self._runs, self._tasks, self._in_run = window, runs, tasks, in_run
        self._setup, self._lr_panel, self._show_side = setup, lr_panel, show_side
        self._search: int | None = None
        self._called_off = False
        self._why_not: str | None = None
        self._panel: FinderPanel | None = None
        runs.listen(
            self._show,
            LoadingEvent,
            StartEvent,
            StateEvent,
            RangeTestProgressEvent,
            RangeTestEvent,
            CommandEvent,
            EndEvent,
        )
        setup.recipe_changed.connect(self._judge)
        for begins in (transport.start, transport.run_epoch):
            begins.connect(self._make_way)

    @property
    def panel(self) -> FinderPanel:
        """The finder's window, which is made when it is first asked for."""
        if self._panel is None:
            from gui.learning_rate.range_test_panel import FinderPanel

            self._panel = FinderPanel(self._window)
            self._panel.find_wanted.connect(self._find)
            self._panel.cancel_wanted.connect(self._cancel)
            self._panel.use_wanted.connect(self._use)
            self._judge()
        return self._panel

    def open(self) -> None:
        """Bring the finder's window to the front."""
        self.panel.show()
        self._judge()
        self.panel.raise_()
        self.panel.activateWindow()

    def _find(self, settings: FindLR) -> None:
        self._search, self._called_off = None, False
        if not self._in_run() and not self._runs.active:
            self._find_before_start(settings)
            return
        self._search = self._runs.post(settings)  # which a run that has just ended refuses before it returns
        if not self._search:
            self.panel.show_problem(tr("There is no run."))

    def _find_before_start(self, settings: FindLR) -> None:
        recipe = self._setup.recipe()
        if recipe is None:
            self.panel.show_problem(said(self._setup.first_error() or ""))
            return

        def work(task: Task) -> RangeTestEvent:
            return queries.find_lr(recipe, settings, task.progress, task.cancelled)

        self.panel.show_progress(0, 0)
        self._tasks.submit(
            work, self._found_before_start, self._failed, lane="torch", key=_BEFORE, progress=self._progressed
        )

    def _cancel(self) -> None:
        self._called_off = True
        if self._in_run():
            self._runs.post(CancelFind())
        else:
            self._tasks.cancel(_BEFORE)
            self.panel.show_problem(tr("The LR range test was cancelled."), error=False)

    def _make_way(self) -> None:
        """A run begins, which waits for a search of what was in the forms."""
        if self._panel is not None and self._panel.searching and not self._in_run():
            self._tasks.cancel(_BEFORE)
            self._panel.show_problem(tr("The LR range test was cancelled: the run begins."), error=False)

    def _use(self, lr: float) -> None:
        if self._in_run():
            self._show_side(self._lr_panel)
            self._lr_panel.stage_lr(lr)
        else:
            recipe = self._setup.recipe()
            from engine.advice.lr_suggestions import with_lr

            changed = with_lr(recipe, lr) if recipe is not None else None
            if changed is None:
                self.panel.show_problem(tr("This schedule has its own LRs: set them there."), error=False)
                return
            self.recipe_wanted.emit(changed)
        self._window.activateWindow()

    def _judge(self) -> None:
        """Before the start, what is in the forms can be searched if it can be trained."""
        if self._panel is None:
            return
        if not self._in_run() and not self._runs.active:
            self._why_not = self._setup.first_error()
        self._panel.set_enabled_because(said(self._why_not) if self._why_not else None)

    def _allow(self, why_not: str | None) -> None:
        self._why_not = why_not
        if self._panel is not None:
            self._panel.set_enabled_because(why_not)

    def _progressed(self, what: str, done: int, total: int) -> None:
        if self.panel.searching:
            self.panel.show_progress(done if not what else 0, total if not what else 0)

    def _found_before_start(self, found: RangeTestEvent) -> None:
        if not self._in_run():
            self.panel.show_finding(found)
            self.found.emit(found)

    def _failed(self, failure: Failure) -> None:
        if not self._in_run():
            problem = said(failure.problem)
            self.panel.show_problem(
                tr("{field}: {text}", field=failure.field, text=problem) if failure.field else problem
            )

    def _show(self, event: Event) -> None:
        match event:
            case LoadingEvent():
                self._allow(tr("The run is being loaded."))
                self._make_way()
            case StartEvent():
                if self._panel is not None:
                    self._panel.clear()
            case StateEvent(state=state):
                self._allow(None if state in _SEARCHED else _why_not(state))
            case RangeTestProgressEvent(id=self._search):
                self.panel.show_progress(event.done, event.total)
            case RangeTestEvent(id=self._search):
                self.panel.show_finding(event)
            case CommandEvent(status="rejected") if event.name == "find_lr" and self._search in (None, event.id):
                reason = said(event.reason or "")
                text = tr("{reason}.", reason=reason[:1].upper() + reason[1:])
                self.panel.show_problem(text, error=not self._called_off)
            case EndEvent():
                self._allow(tr("The run has ended."))


def _why_not(state: State) -> str:
    if state == "diverged":
        return tr("The loss diverged. Go back or resume first.")
    return tr("The run has ended.")
