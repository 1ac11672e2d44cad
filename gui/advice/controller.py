"""Advice beside the run: the rules are given the recipe or the run, and their advice is shown and applied."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Final

import numpy as np
from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtWidgets import QWidget

from engine.messages.commands import ScaleLR, SetLR, SetSchedule
from engine.messages.events import (
    BranchEvent,
    CommandEvent,
    EndEvent,
    EpochEvent,
    RangeTestEvent,
    StartEvent,
    StepsEvent,
)
from engine.messages.preview import Curve
from engine.recipe.recipe import Recipe
from engine.schedules import ScheduleSpec
from gui.advice.panel import AdvicePanel
from gui.core.current_run import CurrentRun
from gui.learning_rate.panel import LRPanel
from gui.schedule.preview import rest_of
from gui.setup.panel import SetupPanel

if TYPE_CHECKING:
    from engine.advice import Advice, History

LOSSES_KEPT: Final = 1000
"""The number of newest batch losses that the rules look at."""
AFTER_EPOCH_MS: Final = 500
"""The shortest time between two evaluations of the rules while a run trains."""
SETTLE_MS: Final = 150
"""How long the rules wait after a change of the recipe, for its curve and for the end of typing."""


class AdviceController(QObject):
    """Keeps an ``AdvicePanel`` up to date: for the recipe before the start, for the run while it trains.

    The rules are evaluated when an epoch ends, a command is applied, a range test ends, or the recipe changes; never
    for a batch.

    Signals:
        recipe_wanted(Recipe): before the start, a recipe to show in the forms.
    """

    recipe_wanted = Signal(object)

    def __init__(
        self,
        runs: CurrentRun,
        panel: AdvicePanel,
        setup: SetupPanel,
        lr_panel: LRPanel,
        show_side: Callable[[QWidget], None],
        stage_schedule: Callable[[ScheduleSpec], None],
        parent: QObject | None = None,
    ) -> None:
        """Connect ``panel`` to the forms and the run.

        Args:
            runs: the current run.
            panel: where the advice is shown; the caller has placed it.
            setup: the forms with the recipe.
            lr_panel: where an LR is staged.
            show_side: brings a panel on the right to the front.
            stage_schedule: shows a schedule in the editor as the pending change.
            parent: the Qt parent.
        """
        super().__init__(parent)
        self._runs, self._model, self._panel = runs, runs.model, panel
        self._setup, self._lr_panel, self._show_side = setup, lr_panel, show_side
        self._stage_schedule = stage_schedule
        self._run = ""
        self._history: History | None = None
        self._losses: deque[float] = deque(maxlen=LOSSES_KEPT)
        self._weight_decay: float | None = None
        self._suggested: tuple[float, float] | None = None
        self._curve: Curve | None = None
        self._settle = QTimer(self)
        self._settle.setSingleShot(True)
        self._settle.timeout.connect(self.refresh)
        runs.listen(self._on_start, StartEvent)
        runs.listen(self._on_steps, StepsEvent)
        runs.listen(self._on_epoch, EpochEvent)
        runs.listen(self._on_command, CommandEvent)
        runs.listen(self._on_branch, BranchEvent)
        runs.listen(self.take_range_test, RangeTestEvent)
        runs.listen(self._on_end, EndEvent)
        setup.recipe_changed.connect(lambda: self._settle.start(SETTLE_MS))
        panel.do_wanted.connect(self._do)

    def show_curve(self, curve: Curve) -> None:
        """Take in the curve of the recipe, or of the run as it will go on."""
        self._curve = curve
        if not self._model.shown:
            self.refresh()

    def refresh(self) -> None:
        """Evaluate the rules again. For callers that change the recipe in the forms without a signal."""
        self._settle.stop()
        if not self._model.shown:
            if self._run:
                self._forget()
            recipe = self._setup.recipe()
            self._panel.show_advice(self._of_recipe(recipe) if recipe is not None else [])
        else:
            self._panel.show_advice(self._of_run())

    def take_range_test(self, event: RangeTestEvent) -> None:
        """Remember the LRs that an LR range test suggested."""
        found = {s.kind: s.lr for s in event.suggestions if s.lr is not None}
        if len(found) == 2:
            self._suggested = found["steady"], found["bold"]
            self._settle.start(SETTLE_MS)

    # -- what the rules look at

    def _of_recipe(self, recipe: Recipe) -> list[Advice]:
        from engine.advice import for_recipe  # imported when there is something to evaluate, not when the window opens

        curve = self._curve
        if curve is None or not len(curve.x):
            return for_recipe(recipe)
        steps = None
        if len(curve.x) > 1 and curve.x[1] - curve.x[0] < 1:  # one point per batch: a schedule is stepped per batch
            steps = curve.steps_per_epoch
        return for_recipe(recipe, steps_per_epoch=steps, scheduled_x=curve.x, scheduled_lr=curve.lr)

    def _of_run(self) -> list[Advice]:
        from engine.advice import RunView, for_run

        model, history = self._model, self._history
        recipe, lrs = model.recipe, model.lrs
        if recipe is None or lrs is None or history is None or model.end is not None:
            return []
        curve = rest_of(self._curve, lrs) if self._curve is not None and len(self._curve.x) else None
        view = RunView(
            recipe=recipe,
            epochs=lrs.epochs,
            position=model.position,
            lr=tuple(lrs.lr),
            history=history,
            losses=np.array(self._losses, np.float64),
            **({"projected_x": curve.x, "projected_lr": curve.lr} if curve is not None else {}),
            schedule=lrs.schedules[0].spec,
            weight_decay=self._weight_decay,
            suggested_lrs=self._suggested,
        )
        return for_run(view)

    def _forget(self) -> None:
        """The run is not shown any more."""
        self._run, self._suggested = "", None
        self._panel.forget()

    # -- events

    def _on_start(self, event: StartEvent) -> None:
        if self._run and event.run != self._run:
            self._forget()
        self._run = event.run
        self._begin(event.history, event.interventions)

    def _on_branch(self, event: BranchEvent) -> None:
        self._run = event.run
        self._begin(event.history, event.interventions)

    def _begin(self, history: Iterable[EpochEvent], interventions: Iterable[CommandEvent]) -> None:
        from engine.advice import History

        self._history = History(history)
        self._losses.clear()
        self._curve, self._weight_decay = None, None
        for command in interventions:
            self._note_optimizer(command)
        self._settle.start(SETTLE_MS)

    def _on_steps(self, event: StepsEvent) -> None:
        self._losses.extend(event.loss.tolist())

    def _on_epoch(self, event: EpochEvent) -> None:
        if self._history is not None:
            self._history.append(event)
        if not self._settle.isActive():
            self._settle.start(AFTER_EPOCH_MS)

    def _on_command(self, event: CommandEvent) -> None:
        if event.status != "applied":
            return
        if event.lr != event.lr_before:
            self._losses.clear()  # losses with the old LR do not apply to the new one
        self._note_optimizer(event)
        self._settle.start(SETTLE_MS)

    def _note_optimizer(self, event: CommandEvent) -> None:
        if event.status == "applied" and event.name == "set_optimizer" and event.command.get("group") is None:
            self._weight_decay = event.command.get("weight_decay", self._weight_decay)

    def _on_end(self, event: EndEvent) -> None:
        self.refresh()

    # -- applying advice

    def _do(self, advice: Advice) -> None:
        from engine.advice import RecipeChange

        do = advice.action
        if isinstance(do, RecipeChange):
            recipe = self._setup.recipe()
            if recipe is not None and not self._model.shown:
                self.recipe_wanted.emit(do.applied(recipe))
                self._settle.start(SETTLE_MS)
        elif isinstance(do, (SetLR, ScaleLR)):
            self._stage(do)
        elif isinstance(do, SetSchedule):
            self._stage_schedule(do.schedule)
        elif do is not None:
            self._runs.post(do)  # type: ignore[arg-type]

    def _stage(self, command: SetLR | ScaleLR) -> None:
        """Stage the LR in the LR panel, for the group that is chosen there."""
        lrs, lr_panel = self._model.lrs, self._lr_panel
        if lrs is None:
            return
        groups = lrs.groups
        chosen = (
            [groups.index(name)] if (name := lr_panel.group()) in groups and name is not None else range(len(groups))
        )
        now = max(lrs.lr[i] for i in chosen)
        self._show_side(lr_panel)
        lr_panel.stage_lr(command.lr if isinstance(command, SetLR) else float(f"{now * command.factor:.12g}"))
