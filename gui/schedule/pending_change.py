"""The pending change, an LR or another schedule: drawn, applied or discarded."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from engine.common.position import Position
from engine.messages.commands import Command, SetSchedule, Withdraw
from engine.messages.events import BranchEvent, CommandEvent, EndEvent, LREvent, StartEvent
from gui.core.current_run import CurrentRun
from gui.core.translation import said, tr
from gui.learning_rate.panel import LRPanel
from gui.schedule.group_schedules import Schedules
from gui.schedule.panel import SchedulePanel
from gui.schedule.preview import Preview


class PendingChange(QObject):
    """Keeps the dotted curve and the schedule editor up to date with the pending change and its position.

    Signals:
        origin_changed(float): where a schedule that starts here would start, in epochs completed; 0 before the start.
            Also after every edit, with the same value.
    """

    origin_changed = Signal(float)

    def __init__(
        self,
        schedule: SchedulePanel,
        lr_panel: LRPanel,
        current_run: CurrentRun,
        preview: Preview,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._schedule, self._lr_panel = schedule, lr_panel
        self._current_run, self._preview, self._model = current_run, preview, current_run.model
        self._staged: Command | None = None  # a change of the LR
        self._new_schedule: SetSchedule | None = None
        self._outdated = True  # whether the editor may still show another schedule than the current one
        self._waiting: int | None = None  # the id of a posted schedule that is not applied yet, and its position
        self._waiting_position = Position(epoch=1)
        self._withdrawn: set[int] = set()
        self._model.changed.connect(self._on_changed)
        current_run.listen(self._on_start, StartEvent)
        current_run.listen(self._on_lrs, LREvent)
        current_run.listen(self._on_command, CommandEvent)
        current_run.listen(self._on_branch, BranchEvent)
        current_run.listen(self._on_end, EndEvent)
        lr_panel.staged.connect(self._stage)
        schedule.pending_changed.connect(self._edit)
        schedule.apply_requested.connect(self._apply)
        schedule.discard_requested.connect(self._discard)

    def _reset(self) -> None:
        """Another run, or none: nothing is pending and no command waits."""
        self._staged, self._new_schedule = None, None
        self._clear_waiting()
        self._withdrawn.clear()
        self._outdated = True
        self._preview.set_pending(None)
        self._lr_panel.discard()
        self._lr_panel.show_warning(None)
        self.origin_changed.emit(0.0)

    def discard(self) -> None:
        """Discard the staged LR, or if there is none, the edited schedule; a posted command stays."""
        no_lr_staged = self._staged is None
        self._lr_panel.discard()
        if no_lr_staged and self._new_schedule is not None and self._waiting is None:
            self._schedule.discard()

    def start_position(self, interval: str) -> Position:
        """Where a new schedule that is stepped per ``interval`` would start: at the next batch, or the next epoch."""
        if self._waiting is not None:
            return self._waiting_position
        now, lrs = self._model.position, self._model.live_lrs
        at_once = self._schedule.pending.at_once() or interval == "step"
        if at_once or not self._model.mid_epoch or lrs is None or now.epoch >= lrs.epochs:
            return now
        return Position(epoch=now.epoch + 1)

    # -- events

    def _on_start(self, event: StartEvent) -> None:
        self._reset()
        self._schedule.set_group_names(event.groups)

    def _on_end(self, event: EndEvent) -> None:
        if self._model.end is event:  # else the run was not loaded
            self._reset()
            self._schedule.setEnabled(False)
            self._schedule.setToolTip(tr("The run has ended. New sets up another one."))

    def _on_branch(self, _: BranchEvent) -> None:
        self._expect_schedule()  # an earlier schedule may be the current one again

    def _expect_schedule(self) -> None:
        """The current schedule changed: show it in the editor with the next LRs."""
        self._outdated, self._new_schedule = True, None
        self._draw()

    def _on_lrs(self, lrs: LREvent) -> None:
        self._schedule.setEnabled(True)
        self._schedule.setToolTip("")
        self._show_context()
        if self._outdated:
            self._outdated = False
            specs = {group: schedule.spec for group, schedule in zip(lrs.groups, lrs.schedules, strict=True)}
            self._schedule.set_schedules(Schedules.of_run(specs), [schedule.began for schedule in lrs.schedules])
        self._redraw()

    def _on_changed(self) -> None:
        if not self._model.shown:
            self._reset()
            return
        self._show_context()
        self._redraw()

    def _on_command(self, event: CommandEvent) -> None:
        if event.name != "set_schedule" or event.status == "queued":
            return
        if event.id == self._waiting:
            self._clear_waiting()
        if event.status == "applied":
            self._schedule.set_problem(None)
            self._expect_schedule()
        elif event.id not in self._withdrawn:
            self._schedule.set_problem(said(event.reason or ""))

    # -- editing

    def _stage(self, command: Command | None) -> None:
        self._staged = command
        self._draw()

    def _edit(self, command: SetSchedule | None) -> None:
        self._new_schedule = None
        if command is not None and self._model.live_lrs is not None:
            self._new_schedule = command if self._schedule.differs() else None
        self._draw()
        self._publish_origin()

    def _apply(self, command: SetSchedule) -> None:
        self._withdraw()
        position = self.start_position(command.schedule.interval)
        if position <= self._model.position:
            self._current_run.post(command)
            return
        self._waiting, self._waiting_position = self._current_run.post(command, position), position
        text = tr("Sent: it starts with epoch {epoch}. Discard withdraws it.", epoch=position.epoch)
        self._schedule.show_waiting(text)

    def _discard(self) -> None:
        self._withdraw()
        self._edit(None)

    def _withdraw(self) -> None:
        """Withdraw the posted schedule that is not applied yet, if there is one."""
        if self._waiting is not None:
            self._withdrawn.add(self._waiting)
            self._current_run.post(Withdraw(id=self._waiting))
            self._clear_waiting()

    def _clear_waiting(self) -> None:
        self._waiting = None
        self._schedule.show_waiting(None)

    # -- showing

    def _draw(self) -> None:
        """Draw the pending change from the position at which it would be applied."""
        if self._staged is not None:
            self._preview.set_pending(self._staged, self._model.position)
        elif self._new_schedule is not None:
            position = self.start_position(self._new_schedule.schedule.interval)
            self._preview.set_pending(self._new_schedule, position)
        else:
            self._preview.set_pending(None)

    def _redraw(self) -> None:
        if self._staged is not None or self._new_schedule is not None:
            self._draw()

    def _show_context(self) -> None:
        """Show in the schedule editor where a new schedule would start: here, or at the start of the next epoch."""
        lrs = self._model.live_lrs
        if lrs is None:
            return
        epoch, schedule = self._model.position.epoch, self._schedule
        done = epoch if self._model.mid_epoch else epoch - 1
        schedule.set_context(lrs.epochs, done, lrs.lr, True)
        schedule.pending.offer_epoch(done + 1 if epoch <= done < lrs.epochs else None)
        self._publish_origin()

    def _publish_origin(self) -> None:
        """Emit where a schedule that starts here would count from, also while the edited one is not valid."""
        lrs = self._model.live_lrs
        if lrs is None:
            self.origin_changed.emit(0.0)
            return
        interval = self._schedule.editor.interval()
        start = self.start_position(interval)
        counts_epochs = interval == "epoch"  # then the current epoch is its first
        self.origin_changed.emit(start.epoch - 1 + (0.0 if counts_epochs else start.batch / lrs.steps_per_epoch))
