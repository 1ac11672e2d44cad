"""The LR panel with its groups, optimizer and length: shows what events confirm, and posts commands."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QObject, Signal

from engine.messages.commands import Command, ScaleLR, SetLR
from engine.messages.events import CommandEvent, EndEvent, LREvent, StartEvent, StateEvent
from engine.schedules import FittedSchedule, fit_schedule
from gui.core.current_run import CurrentRun
from gui.core.frame_clock import FrameClock
from gui.core.translation import tr
from gui.learning_rate.optimizer import GroupOptimizer
from gui.learning_rate.panel import LRPanel
from gui.theme.theme import Colors


@dataclass(frozen=True)
class _Fit:
    """A schedule fitted to the run's length, the number of epochs that it was made for, and its group (None: all)."""

    fitted: FittedSchedule
    made_for: int
    group: str | None = None


class LRController(QObject):
    """Shows in the LR panel the confirmed LRs, optimizer and length, and posts the commands of the panel.

    Signals:
        fit_wanted(FittedSchedule, str | None): a schedule of this group (None: of all), fitted to the run's length,
            should be shown in the schedule editor.
    """

    fit_wanted = Signal(object, object)

    def __init__(self, lr_panel: LRPanel, current_run: CurrentRun, clock: FrameClock) -> None:
        super().__init__(lr_panel)
        self._lr_panel, self._current_run, self._model = lr_panel, current_run, current_run.model
        self._fit: _Fit | None = None
        self._on_rejected: dict[int, Callable[[str], None]] = {}  # what shows why a command was rejected, by its id
        lr_panel.command_wanted.connect(current_run.post)
        lr_panel.table.command_wanted.connect(self._post_for_group)
        lr_panel.optimizer.command_wanted.connect(lambda command: self._post(command, lr_panel.optimizer.show_problem))
        lr_panel.length.command_wanted.connect(lambda command: self._post(command, lr_panel.length.show_problem))
        lr_panel.length.fit_wanted.connect(self._want_fit)
        lr_panel.group_chosen.connect(lambda _: self._show_length())
        self._model.changed.connect(self._on_changed)
        current_run.listen(self._on_start, StartEvent)
        current_run.listen(self._on_end, EndEvent)
        current_run.listen(self._on_state, StateEvent)
        current_run.listen(self._on_lrs, LREvent)
        current_run.listen(self._on_command, CommandEvent)
        clock.register(self._paint)

    def show_colours(self, colours: Colors) -> None:
        """Use the theme's colours of the groups, as the plots do."""
        self._lr_panel.table.set_colours(colours.groups)

    # -- commands

    def _post(self, command: Any, show_problem: Callable[[str], None]) -> None:
        self._on_rejected[self._current_run.post(command)] = show_problem

    def _post_for_group(self, command: Command) -> None:
        group: str = command.group  # type: ignore[attr-defined]
        if command.command in ("freeze", "unfreeze"):  # type: ignore[attr-defined]
            self._post(command, lambda reason: self._lr_panel.table.show_problem(group, reason))
        else:
            self._current_run.post(command)  # type: ignore[arg-type]  # the LR panel shows why an LR was rejected

    def _want_fit(self) -> None:
        if self._fit is not None:
            self.fit_wanted.emit(self._fit.fitted, self._fit.group)

    # -- events

    def _on_start(self, event: StartEvent) -> None:
        self._on_rejected.clear()
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
        self._lr_panel.table.show_lrs(self._model.current_lrs or event)  # also what is frozen, and the schedules
        self._show_lrs()
        self._lr_panel.optimizer.show_values(_optimizers(event))
        self._show_length()

    def _on_command(self, event: CommandEvent) -> None:
        if event.status == "queued" or self._model.loading:
            return
        show_problem = self._on_rejected.pop(event.id, None)
        if show_problem is not None and event.status == "rejected":
            show_problem(event.reason or "")
        if event.name in ("set_lr", "scale_lr", "release_lr"):
            self._lr_panel.show_warning(event.reason or event.warning)
            if event.hold:
                kind = SetLR if event.name == "set_lr" else ScaleLR
                self._lr_panel.offer_hold(kind.model_validate(event.command))

    # -- showing

    def _paint(self) -> bool:
        """Show the LRs of the newest batch, if a schedule changes them within an epoch; whether anything changed."""
        return not self._lr_panel.is_pending() and self._show_lrs()

    def _show_lrs(self) -> bool:
        """Show the current LRs; whether they are others than those shown."""
        lrs = self._model.current_lrs
        if lrs is None or not self._lr_panel.show_lrs(lrs.groups, lrs.lr, lrs.scheduled, lrs.holding, lrs.touched):
            return False
        self._lr_panel.table.show_lrs(lrs)
        return True

    def _show_length(self) -> None:
        model = self._model
        if model.lrs is None:
            return
        epoch = model.position.epoch
        done = min(epoch - 1, model.epochs)
        self._lr_panel.length.show_length(model.epochs, done, max(1, epoch if model.mid_epoch else epoch - 1))
        fit = self._fit = self._fitted(model.lrs)
        self._lr_panel.length.offer_fit(None if fit is None else fit.made_for, None if fit is None else fit.group)

    def _fitted(self, lrs: LREvent) -> _Fit | None:
        """The schedule fitted to the run's length: of all groups if it is the same, else of the first that has one."""
        found = {}
        for group, schedule in zip(lrs.groups, lrs.schedules, strict=True):
            per_epoch = schedule.spec.interval == "epoch"
            passed = schedule.position + (per_epoch and self._model.mid_epoch)  # it would start with the next epoch
            more = (lrs.epochs - schedule.epochs) * (1 if per_epoch else lrs.steps_per_epoch)
            found[group] = fit_schedule(schedule.spec, schedule.span, passed, more), schedule.epochs
        if len(set(map(repr, found.values()))) == 1:
            fit, made_for = next(iter(found.values()))
            return None if fit is None else _Fit(fit, made_for)
        chosen = self._lr_panel.group()
        order = [chosen] if chosen is not None else list(found)
        return next((_Fit(fit, epochs, name) for name in order for fit, epochs in (found[name],) if fit), None)


def _optimizers(lrs: LREvent) -> list[GroupOptimizer]:
    groups = zip(lrs.groups, lrs.optimizer, lrs.cycled, lrs.schedules, strict=True)
    return [
        GroupOptimizer(name, values, schedule.name if cycled else None) for name, values, cycled, schedule in groups
    ]
