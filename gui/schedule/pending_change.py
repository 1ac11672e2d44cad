"""The change that is being prepared: a staged rate, or another schedule; drawn, sent, and perhaps taken back."""

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
    """Keeps the dotted curve and the schedule editor true to what would come into force, and where.

    Signals:
        begins(float): where the edited schedule would begin, in epochs completed; 0 before the start.
    """

    begins = Signal(float)

    def __init__(
        self,
        schedule: SchedulePanel,
        lr_panel: LRPanel,
        runs: CurrentRun,
        preview: Preview,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._schedule, self._lr_panel = schedule, lr_panel
        self._runs, self._preview, self._model = runs, preview, runs.model
        self._lrs: LREvent | None = None
        self._staged: Command | None = None
        self._swap: SetSchedule | None = None
        self._edited = True  # whether the editor may still hold another plan than the one in force
        self._waiting: int | None = None  # the command with a new plan that waits for its moment, and that moment
        self._waiting_at = Position(epoch=1)
        self._withdrawn: set[int] = set()
        self._model.changed.connect(self._on_changed)
        runs.listen(self._on_start, StartEvent)
        runs.listen(self._on_lrs, LREvent)
        runs.listen(self._on_command, CommandEvent)
        runs.listen(self._on_branch, BranchEvent)
        runs.listen(self._on_end, EndEvent)
        lr_panel.staged.connect(self._stage)
        schedule.pending_changed.connect(self._edit)
        schedule.apply_requested.connect(self._apply)
        schedule.drop_requested.connect(self._drop)

    def _forget(self) -> None:
        """Another run, or none: nothing is prepared and nothing waits."""
        self._lrs, self._staged, self._swap = None, None, None
        self._wait_no_more()
        self._withdrawn.clear()
        self._edited = True
        self._preview.set_pending(None)
        self._lr_panel.drop()
        self._lr_panel.show_warning(None)
        self.begins.emit(0.0)

    def drop(self) -> None:
        """Forget the staged rate, or else the schedule that is being prepared; what was sent stays."""
        alone = self._staged is None
        self._lr_panel.drop()
        if alone and self._swap is not None and self._waiting is None:
            self._schedule.drop()

    def beginning(self, command: SetSchedule) -> Position:
        """Where a new plan would begin: at once, or at the start of the next epoch."""
        if self._waiting is not None:
            return self._waiting_at
        now = self._model.position
        at_once = self._schedule.pending.at_once() or command.schedule.interval == "step"
        if at_once or not self._model.mid_epoch or self._lrs is None or now.epoch >= self._lrs.epochs:
            return now
        return Position(epoch=now.epoch + 1)

    # -- events

    def _on_start(self, event: StartEvent) -> None:
        self._forget()
        self._schedule.set_group_names(event.groups)

    def _on_end(self, event: EndEvent) -> None:
        if self._model.end is event:  # else the run was not loaded
            self._forget()
            self._schedule.setEnabled(False)
            self._schedule.setToolTip(tr("The run has ended. New sets up another one."))

    def _on_branch(self, _: BranchEvent) -> None:
        self._renew()  # the current schedule may be an older one again

    def _renew(self) -> None:
        """The current schedule is another one: the next LRs bring it into the editor."""
        self._edited, self._swap = True, None
        self._draw()

    def _on_lrs(self, lrs: LREvent) -> None:
        self._schedule.setEnabled(True)
        self._schedule.setToolTip("")
        self._lrs = lrs
        self._show_context()
        if self._edited:
            self._edited = False
            self._schedule.set_schedules(_in_force(lrs))
        self._redraw()

    def _on_changed(self) -> None:
        if not self._model.shown:
            self._forget()
            return
        self._show_context()
        self._redraw()

    def _on_command(self, event: CommandEvent) -> None:
        if event.name != "set_schedule" or event.status == "queued":
            return
        if event.id == self._waiting:
            self._wait_no_more()
        if event.status == "applied":
            self._schedule.set_problem(None)
            self._renew()
        elif event.id not in self._withdrawn:
            self._schedule.set_problem(said(event.reason or ""))

    # -- what the person does

    def _stage(self, command: Command | None) -> None:
        self._staged = command
        self._draw()

    def _edit(self, command: SetSchedule | None) -> None:
        self._swap = None
        if command is not None and self._lrs is not None:
            self._swap = command if self._schedule.differs() else None
        self._draw()
        self._tell_beginning()

    def _apply(self, command: SetSchedule) -> None:
        self._withdraw()
        at = self.beginning(command)
        if at <= self._model.position:
            self._runs.post(command)
            return
        self._waiting, self._waiting_at = self._runs.post(command, at), at
        text = tr("Sent: it starts with epoch {epoch}. Discard withdraws it.", epoch=at.epoch)
        self._schedule.show_waiting(text)

    def _drop(self) -> None:
        self._withdraw()
        self._edit(None)

    def _withdraw(self) -> None:
        """Take back the new plan that waits for its moment, if there is one."""
        if self._waiting is not None:
            self._withdrawn.add(self._waiting)
            self._runs.post(Withdraw(id=self._waiting))
            self._wait_no_more()

    def _wait_no_more(self) -> None:
        self._waiting = None
        self._schedule.show_waiting(None)

    # -- what is shown

    def _draw(self) -> None:
        """Have the change drawn from where it would be in force."""
        if self._staged is not None:
            self._preview.set_pending(self._staged, self._model.position)
        elif self._swap is not None:
            self._preview.set_pending(self._swap, self.beginning(self._swap))
        else:
            self._preview.set_pending(None)

    def _redraw(self) -> None:
        if self._staged is not None or self._swap is not None:
            self._draw()

    def _show_context(self) -> None:
        """Tell the schedule editor where a new plan would begin: here, or at the start of the next epoch."""
        if self._lrs is None:
            return
        epoch, schedule = self._model.position.epoch, self._schedule
        done = epoch if self._model.mid_epoch else epoch - 1
        schedule.set_context(self._lrs.epochs, done, self._lrs.lr, True)
        schedule.pending.offer_epoch(done + 1 if epoch <= done < self._lrs.epochs else None)
        self._tell_beginning()

    def _tell_beginning(self) -> None:
        """Tell from where the edited schedule would count."""
        command = self._schedule.command()
        if self._lrs is None or command is None or command.start == "replay":
            self.begins.emit(0.0)
            return
        at = self.beginning(command)
        counts_epochs = command.schedule.interval == "epoch"  # then the one under way is the first
        self.begins.emit(at.epoch - 1 + (0.0 if counts_epochs else at.batch / self._lrs.steps_per_epoch))


def _in_force(lrs: LREvent) -> Schedules:
    """The plans that the groups are on."""
    return Schedules.in_force({group: schedule.spec for group, schedule in zip(lrs.groups, lrs.schedules, strict=True)})
