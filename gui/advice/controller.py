"""What the rules of advice look at, collected from the window and the run; and their advice, shown and done."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Final

import numpy as np
from PySide6.QtCore import QObject, QTimer, Signal

from engine.messages.commands import ScaleLR, SetLR, SetSchedule
from engine.messages.events import (
    BranchEvent,
    CommandEvent,
    EndEvent,
    EpochEvent,
    LREvent,
    RangeTestEvent,
    StartEvent,
    StepsEvent,
)
from engine.messages.preview import Curve
from engine.recipe.recipe import Recipe
from engine.schedules import ScheduleSpec
from gui.advice.panel import AdvicePanel
from gui.core.current_run import CurrentRun
from gui.main_window import MainWindow
from gui.schedule.projection import rest_of

if TYPE_CHECKING:
    from engine.advice import Advice, History

LOSSES_KEPT: Final = 1000
"""Batches that the rules look back on: the first epochs of a small set, the last moments of a large one."""
AFTER_EPOCH_MS: Final = 500
"""The rules are asked at most so often while a run trains, however fast its epochs are."""
SETTLE_MS: Final = 150
"""A recipe's new curve comes within this time; until it does, and while somebody types, the old advice stays."""


class AdviceController(QObject):
    """Keeps an ``AdvicePanel`` true: of the recipe before the start, of the run while it trains.

    The rules are asked when an epoch ended, when the hand acted, when a finder answered and when the recipe changed:
    never for a batch.

    Signals:
        recipe_wanted(Recipe): before the start, the forms should show this recipe instead.
    """

    recipe_wanted = Signal(object)

    def __init__(
        self,
        window: MainWindow,
        runs: CurrentRun,
        panel: AdvicePanel,
        in_run: Callable[[], bool],
        stage_schedule: Callable[[ScheduleSpec], None],
        parent: QObject | None = None,
    ) -> None:
        """Watch ``window`` and ``runs``.

        Args:
            window: whose forms hold the recipe, and whose hand a rate is staged in.
            runs: whose events tell of the run.
            panel: where the advice is shown; the caller has placed it.
            in_run: whether a run is shown, rather than a recipe that is being set up.
            stage_schedule: brings a schedule into the editor as the pending change.
            parent: Qt's.
        """
        super().__init__(parent)
        self._window, self._runs, self._panel = window, runs, panel
        self._in_run, self._stage_schedule = in_run, stage_schedule
        self._run = ""
        self._ended = False
        self._lrs: LREvent | None = None
        self._recipe: Recipe | None = None  # of the run
        self._history: History | None = None
        self._losses: deque[float] = deque(maxlen=LOSSES_KEPT)
        self._position = (1, 0)
        self._weight_decay: float | None = None
        self._valley: float | None = None
        self._curve: Curve | None = None
        self._settle = QTimer(self)
        self._settle.setSingleShot(True)
        self._settle.timeout.connect(self.refresh)
        runs.listen(self._on_start, StartEvent)
        runs.listen(self._on_steps, StepsEvent)
        runs.listen(self._on_epoch, EpochEvent)
        runs.listen(self._on_command, CommandEvent)
        runs.listen(self._on_lr, LREvent)
        runs.listen(self._on_branch, BranchEvent)
        runs.listen(self.take_finding, RangeTestEvent)
        runs.listen(self._on_end, EndEvent)
        window.setup.recipe_changed.connect(lambda: self._settle.start(SETTLE_MS))
        panel.do_wanted.connect(self._do)

    def show_curve(self, curve: Curve) -> None:
        """Take in the curve of the recipe, or of the run as it will go on."""
        self._curve = curve
        if not self._in_run():
            self.refresh()

    def refresh(self) -> None:
        """Ask the rules again. For whoever brings another recipe into the forms, which say nothing of that."""
        self._settle.stop()
        if not self._in_run():
            if self._recipe is not None:
                self._forget()
            recipe = self._window.setup.recipe()
            self._panel.show_advice(self._of_recipe(recipe) if recipe is not None else [])
        else:
            self._panel.show_advice(self._of_run())

    def take_finding(self, event: RangeTestEvent) -> None:
        """Remember the valley that a search found."""
        found = [s.lr for s in event.suggestions if s.kind == "valley" and s.lr is not None]
        if found:
            self._valley = found[0]
            self._settle.start(SETTLE_MS)

    # -- what the rules look at

    def _of_recipe(self, recipe: Recipe) -> list[Advice]:
        from engine.advice import for_recipe  # the rules come when there is something to judge, not at the start

        curve = self._curve
        if curve is None or not len(curve.x):
            return for_recipe(recipe)
        steps = None
        if len(curve.x) > 1 and curve.x[1] - curve.x[0] < 1:  # one point a batch: some schedule is stepped so
            steps = round(1 / float(curve.x[1] - curve.x[0]))
        return for_recipe(recipe, steps_per_epoch=steps, scheduled_x=curve.x, scheduled_lr=curve.lr)

    def _of_run(self) -> list[Advice]:
        from engine.advice import RunView, for_run

        recipe, lrs, history = self._recipe, self._lrs, self._history
        if recipe is None or lrs is None or history is None or self._ended:
            return []
        curve = rest_of(self._curve, lrs) if self._curve is not None and len(self._curve.x) else None
        view = RunView(
            recipe=recipe,
            epochs=lrs.epochs,
            position=self._position,
            lr=tuple(lrs.lr),
            history=history,
            losses=np.array(self._losses, np.float64),
            **({"projected_x": curve.x, "projected_lr": curve.lr} if curve is not None else {}),
            schedule=lrs.schedules[0].spec,
            weight_decay=self._weight_decay,
            suggested_lr=self._valley,
        )
        return for_run(view)

    def _forget(self) -> None:
        """The run is not shown any more."""
        self._recipe, self._lrs, self._run, self._valley = None, None, "", None
        self._panel.forget()

    # -- events

    def _on_start(self, event: StartEvent) -> None:
        if self._run and event.run != self._run:
            self._forget()
        self._recipe = event.recipe
        self._run, self._ended, self._lrs = event.run, False, None
        self._position = (event.epoch, event.batch)
        self._begin(event.history, event.interventions)

    def _on_branch(self, event: BranchEvent) -> None:
        self._run, self._position = event.run, (event.epoch, event.batch)
        self._begin(event.history, event.interventions)

    def _begin(self, history: Iterable[EpochEvent], lr_panel: Iterable[CommandEvent]) -> None:
        from engine.advice import History

        self._history = History(history)
        self._losses.clear()
        self._curve, self._weight_decay = None, None
        for command in lr_panel:
            self._note_optimizer(command)
        self._settle.start(SETTLE_MS)

    def _on_steps(self, event: StepsEvent) -> None:
        self._losses.extend(event.loss.tolist())

    def _on_epoch(self, event: EpochEvent) -> None:
        if self._history is not None:
            self._history.append(event)
        self._position = (event.epoch + 1, 0)
        if not self._settle.isActive():
            self._settle.start(AFTER_EPOCH_MS)

    def _on_lr(self, event: LREvent) -> None:
        self._lrs, self._position = event, max(self._position, (event.epoch, event.batch))

    def _on_command(self, event: CommandEvent) -> None:
        if event.status != "applied":
            return
        if event.lr != event.lr_before:
            self._losses.clear()  # what the old rate did is no reason to act again
        self._note_optimizer(event)
        self._settle.start(SETTLE_MS)

    def _note_optimizer(self, event: CommandEvent) -> None:
        if event.status == "applied" and event.name == "set_optimizer" and event.command.get("group") is None:
            self._weight_decay = event.command.get("weight_decay", self._weight_decay)

    def _on_end(self, event: EndEvent) -> None:
        self._ended = True
        self.refresh()

    # -- doing it

    def _do(self, advice: Advice) -> None:
        from engine.advice import RecipeChange

        window, do = self._window, advice.action
        if isinstance(do, RecipeChange):
            recipe = window.setup.recipe()
            if recipe is not None and not self._in_run():
                self.recipe_wanted.emit(do.applied(recipe))
                self._settle.start(SETTLE_MS)
        elif isinstance(do, (SetLR, ScaleLR)):
            self._stage(do)
        elif isinstance(do, SetSchedule):
            window.show_side(window.schedule)
            self._stage_schedule(do.schedule)
        elif do is not None:
            self._runs.post(do)  # type: ignore[arg-type]

    def _stage(self, command: SetLR | ScaleLR) -> None:
        """Bring the rate into the hand, for whichever group is chosen there; Apply is the person's."""
        if self._lrs is None:
            return
        lr_panel, groups = self._window.lr_panel, self._lrs.groups
        chosen = (
            [groups.index(name)] if (name := lr_panel.group()) in groups and name is not None else range(len(groups))
        )
        now = max(self._lrs.lr[i] for i in chosen)
        self._window.show_side(lr_panel)
        lr_panel.stage_lr(command.lr if isinstance(command, SetLR) else float(f"{now * command.factor:.12g}"))
