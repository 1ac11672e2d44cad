"""The rest of the hand: groups, optimizer and length, from events to their panels, and back as commands."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from engine.messages.commands import Command, ScaleLR, SetLR
from engine.messages.events import CommandEvent, EndEvent, LREvent, StartEvent, StateEvent
from engine.schedules import FittedSchedule, fit_schedule
from gui.core.current_run import CurrentRun
from gui.core.frame_clock import FrameClock
from gui.core.translation import tr
from gui.learning_rate.optimizer import GroupOptimizer
from gui.learning_rate.panel import LRPanel
from gui.schedule.panel import SchedulePanel
from gui.theme.theme import Colors


@dataclass(frozen=True)
class _Fit:
    """A schedule fitted to the run, the epochs that it was made for, and whose it is; None: every group's."""

    found: FittedSchedule
    made_for: int
    group: str | None = None


class LRController(QObject):
    """Shows in the hand's panel what events confirmed of groups, optimizer and length; posts what is asked there."""

    def __init__(
        self,
        lr_panel: LRPanel,
        schedule: SchedulePanel,
        show_side: Callable[[QWidget], None],
        runs: CurrentRun,
        clock: FrameClock,
    ) -> None:
        """``show_side`` brings a panel on the right to the front."""
        super().__init__(lr_panel)
        self._lr_panel, self._schedule, self._show_side, self._runs = lr_panel, schedule, show_side, runs
        self._model = runs.model
        self._shown: LREvent | None = None
        self._fitting: _Fit | None = None
        self._refusals: dict[int, Callable[[str], None]] = {}
        lr_panel.command_wanted.connect(runs.post)
        lr_panel.table.command_wanted.connect(self._ask_of_group)
        lr_panel.table.schedule_wanted.connect(schedule.look_at)
        lr_panel.optimizer.command_wanted.connect(lambda command: self._ask(command, lr_panel.optimizer.show_problem))
        lr_panel.length.command_wanted.connect(lambda command: self._ask(command, lr_panel.length.show_problem))
        lr_panel.length.fit_wanted.connect(self._fit)
        lr_panel.group_chosen.connect(lambda _: self._show_length())
        self._model.changed.connect(self._on_changed)
        runs.listen(self._on_start, StartEvent)
        runs.listen(self._on_end, EndEvent)
        runs.listen(self._on_state, StateEvent)
        runs.listen(self._on_lrs, LREvent)
        runs.listen(self._on_command, CommandEvent)
        clock.register(self._paint)

    def show_colours(self, colours: Colors) -> None:
        """The theme's colours of groups, as the plots use them."""
        self._lr_panel.table.set_colours(colours.groups)

    # -- what is asked

    def _ask(self, command: Any, refused: Callable[[str], None]) -> None:
        self._refusals[self._runs.post(command)] = refused

    def _ask_of_group(self, command: Command) -> None:
        group: str = command.group  # type: ignore[attr-defined]
        if command.command in ("freeze", "unfreeze"):  # type: ignore[attr-defined]
            self._ask(command, lambda reason: self._lr_panel.table.say(group, reason))
        else:
            self._runs.post(command)  # type: ignore[arg-type]  # the hand says itself why a rate was refused

    def _fit(self) -> None:
        """Bring the schedule, fitted to what is left of the run, into the editor."""
        if self._fitting is not None:
            found, group, schedule = self._fitting.found, self._fitting.group, self._schedule
            self._show_side(schedule)
            schedule.look_at(group)
            schedule.pending.replay.setChecked(found.start == "replay")
            schedule.stage(found.schedule)

    # -- events

    def _on_start(self, event: StartEvent) -> None:
        self._refusals.clear()
        self._lr_panel.set_enabled_because(None)
        self._lr_panel.table.begin(event.groups, event.group_parameters)
        self._lr_panel.optimizer.begin(event.recipe.optimizer.name)

    def _on_end(self, event: EndEvent) -> None:
        if self._model.end is event:  # else the run was not loaded
            self._lr_panel.set_enabled_because(tr("The run has ended."))

    def _on_changed(self) -> None:
        if not self._model.shown:
            self._lr_panel.clear()

    def _on_state(self, event: StateEvent) -> None:
        self._show_length()

    def _on_lrs(self, event: LREvent) -> None:
        self._show_lrs()
        self._lr_panel.optimizer.show_values(_optimizers(event))
        self._show_length()

    def _on_command(self, event: CommandEvent) -> None:
        if event.status == "queued" or self._model.loading:
            return
        refused = self._refusals.pop(event.id, None)
        if refused is not None and event.status == "rejected":
            refused(event.reason or "")
        if event.name in ("set_lr", "scale_lr", "release_lr"):
            self._lr_panel.show_warning(event.reason or event.warning)
            if event.hold:
                kind = SetLR if event.name == "set_lr" else ScaleLR
                self._lr_panel.offer_hold(kind.model_validate(event.command))

    # -- what is shown

    def _paint(self) -> bool:
        """Show the LRs of the newest batch, where a schedule moves them within an epoch; whether anything changed."""
        if self._model.current_lrs is self._shown or self._lr_panel.is_pending():
            return False
        self._show_lrs()
        return True

    def _show_lrs(self) -> None:
        lrs = self._shown = self._model.current_lrs
        if lrs is not None:
            self._lr_panel.table.show_lrs(lrs)
            self._lr_panel.show_lrs(lrs.groups, lrs.lr, lrs.scheduled, lrs.holding, lrs.touched)

    def _show_length(self) -> None:
        model = self._model
        if model.lrs is None:
            return
        epoch = model.position.epoch
        done = min(epoch - 1, model.epochs)
        self._lr_panel.length.show_length(model.epochs, done, max(1, epoch if model.mid_epoch else epoch - 1))
        self._fitting = self._fitted(model.lrs)
        fit = self._fitting
        self._lr_panel.length.offer_fit(None if fit is None else fit.made_for, None if fit is None else fit.group)

    def _fitted(self, lrs: LREvent) -> _Fit | None:
        """The schedule that would fill the run again: of all groups if it is the same, or of one that has one."""
        found = {}
        for group, schedule in zip(lrs.groups, lrs.schedules, strict=True):
            per_epoch = schedule.spec.interval == "epoch"
            passed = schedule.position + (per_epoch and self._model.mid_epoch)  # it begins at the next epoch's start
            more = (lrs.epochs - schedule.epochs) * (1 if per_epoch else lrs.steps_per_epoch)
            found[group] = fit_schedule(schedule.spec, schedule.span, passed, more), schedule.epochs
        if len(set(map(repr, found.values()))) == 1:
            fit, made_for = next(iter(found.values()))
            return None if fit is None else _Fit(fit, made_for)
        chosen = self._lr_panel.group()
        order = [chosen] if chosen is not None else list(found)
        return next((_Fit(fit, epochs, name) for name in order for fit, epochs in (found[name],) if fit), None)


def _optimizers(lrs: LREvent) -> list[GroupOptimizer]:
    found = []
    for name, values, cycled, schedule in zip(lrs.groups, lrs.optimizer, lrs.cycled, lrs.schedules, strict=True):
        found.append(GroupOptimizer(name, values, schedule.name if cycled else None))
    return found
