"""The schedule panel: edits the recipe's schedule before the start, and the pending schedule during a run."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from engine.messages.commands import SetSchedule
from engine.schedules import FittedSchedule, LambdaLR, ScheduleSpec, StepLR
from gui.core.translation import said, tr
from gui.schedule.candidate_list import CandidateList
from gui.schedule.context import Context
from gui.schedule.editor import ScheduleEditor
from gui.schedule.group_schedules import Schedules
from gui.schedule.pending import PendingControls
from gui.schedule.target import ScheduleTarget
from gui.schedule.text import why_no_base
from gui.widgets.hint_label import HintLabel
from gui.widgets.labels import heading


class SchedulePanel(QWidget):
    """Edits a schedule; during a run, a pending one with Apply and Discard.

    Signals:
        schedule_changed(object): the edited ScheduleSpec, or None while it is not valid; after an edit, or because an
            unedited field followed the epochs. ``schedules`` has those of all groups. Not after ``set_schedules``.
        pending_changed(object): during a run, the SetSchedule that Apply would send, or None; after every change.
        apply_requested(object): the SetSchedule to apply.
        discard_requested(): the pending schedule was discarded, and the form shows the confirmed one again.
        base_lr_wanted(object): before the start, the LR that the optimizer must have (1.0), or None for its own.
        sparkline_wanted(object): a ScheduleSpec whose curve should be given to ``set_sparkline``.
    """

    schedule_changed = Signal(object)
    pending_changed = Signal(object)
    apply_requested = Signal(object)
    discard_requested = Signal()
    base_lr_wanted = Signal(object)
    sparkline_wanted = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._epochs, self._done, self._running = 30, 0, False
        self._lrs: tuple[float, ...] = (0.01,)
        self._groups: tuple[str, ...] = ("all",)
        self._schedules = Schedules(StepLR(step_size=10, gamma=0.5))  # the recipe's, or the current ones
        self._confirmed: ScheduleSpec = self._schedules.shared  # of the edited group
        self._confirmed_gives: Any = None  # what its expression gives
        self._began: tuple[float, ...] = ()  # where the current schedule of each group started
        self._sent: tuple[SetSchedule, bool] | None = None  # the command without an answer yet, and whether at once
        self._reported: tuple[Schedules, ScheduleSpec | None] = (self._schedules, None)
        self._base_wanted, self._preview_text = False, ""
        self._problem: str | None = None
        self._problem_at = ""
        self._batches: int | None = None
        self._waiting: str | None = None
        self._warnings: list[str] = []
        self.title, self.target, self.editor = heading(""), ScheduleTarget(), ScheduleEditor()
        self.preview, self.notes, self.pending = HintLabel(lines=3), HintLabel(lines=0), PendingControls()
        self.candidates = CandidateList()
        column = QVBoxLayout(self)
        column.setContentsMargins(10, 10, 10, 10)
        column.setSpacing(6)
        for widget in (self.title, self.target, self.editor, self.preview, self.pending, self.notes, self.candidates):
            column.addWidget(widget)
        column.addStretch(1)
        self._connect()
        self.set_schedules(self._schedules)
        self._show_mode()

    @property
    def running(self) -> bool:
        """Whether a run is under way, so that the edited schedule is a pending one."""
        return self._running

    def group(self) -> str | None:
        """The group whose schedule is edited; None: all groups."""
        return self.target.group()

    def schedule(self) -> ScheduleSpec | None:
        """The edited schedule, or None while it is not valid."""
        return self.editor.value()

    def schedules(self) -> Schedules:
        """The recipe's schedules of all groups, as they were last valid; during a run, the current ones."""
        return self._schedules

    def differs(self) -> bool:
        """Whether, during a run, the edited schedule differs from the current one."""
        spec = self.schedule()
        other_use = isinstance(spec, LambdaLR) and self.editor.gives.raw() != self._confirmed_gives
        return self._running and (spec != self._confirmed or other_use or self.pending.differs())

    def command(self) -> SetSchedule | None:
        """The command that Apply sends, or None while it is not valid."""
        spec = self.schedule()
        if spec is None or self.pending.problem() is not None:
            return None
        lr = 1.0 if self.editor.gives_lr() else self.pending.base_lr()
        start = "replay" if self.pending.from_start() else "here"
        return SetSchedule.model_validate({"schedule": spec, "start": start, "lr": lr, "group": self.group()})

    def choose_group(self, group: str | None) -> None:
        """Edit the schedule of ``group`` (None: of all groups), as if the user had chosen it."""
        if group is None or group in self._groups:
            self.target.picker.choose(group)

    def stage(self, spec: ScheduleSpec) -> None:
        """Show ``spec`` as if the user had chosen and edited it."""
        self.editor.stage(spec)

    def stage_fit(self, fit: FittedSchedule, group: str | None) -> None:
        """Show the schedule of ``group`` (None: of all groups) fitted to the run, as if the user had edited it."""
        self.choose_group(group)
        self.pending.replay.setChecked(fit.start == "replay")
        self.stage(fit.schedule)

    def show_command(self, command: SetSchedule) -> None:
        """Show the schedule of ``command``, as if the user had edited it."""
        self.choose_group(command.group)
        self.pending.show_choice(command.start == "replay", command.lr)
        self.editor.gives.show_value("lr" if command.lr == 1.0 else "multiplier")
        self.editor.stage(command.schedule)
        if self._running and not self.differs():
            self._restart()

    def discard(self) -> None:
        """Discard the edited schedule and show the current one."""
        self.set_problem(None)
        self.set_warnings([])
        self.set_preview("")
        self.set_schedules(self._schedules, self._began)
        self.discard_requested.emit()

    def show_waiting(self, text: str | None) -> None:
        """Show that the pending schedule was sent and waits for its position; None: it does not wait any more."""
        self._waiting = text
        self._show_texts()

    def set_schedule(self, spec: ScheduleSpec) -> None:
        """Show one schedule for all groups, as ``set_schedules`` does."""
        self.set_schedules(Schedules(spec))

    def set_schedules(self, schedules: Schedules, began: Sequence[float] = ()) -> None:
        """Show the recipe's schedules, or the current ones; call ``set_context`` first. No signal.

        Args:
            schedules: of all groups.
            began: where the current schedule of each group started, in epochs completed.
        """
        self.pending.reset()
        self._sent, self._began = None, tuple(began)
        self._schedules = schedules
        self._show_group()
        self._reported, self._base_wanted = (schedules, self.schedule()), self.editor.gives_lr()
        self._update_context(follow=False)
        self._refresh()

    def set_context(self, epochs: int, epochs_done: int, lr: float | Sequence[float], running: bool) -> None:
        """Set the run's length, the epochs completed, the current LR (of each group), and whether a run is under way.

        Fields that the user did not edit follow the number of epochs; during a run, of the remaining epochs.
        """
        before = (self._epochs, self._done, self._running)
        self._epochs, self._done, self._running = epochs, epochs_done, running
        self._lrs = tuple(lr) if isinstance(lr, Sequence) else (lr,)
        if running != before[2]:
            self._show_mode()
        if before != (epochs, epochs_done, running):
            self._update_context(follow=self._may_follow())
            self._refresh()
        self.pending.show_current_lrs(self._base_lrs())

    def set_group_names(self, names: Sequence[str]) -> None:
        """Set the parameter groups, in order."""
        if tuple(names) == self._groups:
            return
        self._schedules = self._schedules.renamed(self._groups, names)
        self._groups = tuple(names)
        self.target.show_groups(names)
        self._update_context(follow=False)
        self._refresh()

    def set_batches(self, batches: int | None) -> None:
        """Set the number of batches in an epoch, for schedules that are stepped once a batch; None: not known yet."""
        if batches != self._batches:
            self._batches = batches
            self._update_context(follow=self._may_follow())

    def set_sparkline(self, name: str, x: np.ndarray, lr: np.ndarray) -> None:
        """Show the curve of the schedule ``name``: LRs ``lr`` [points] or [points, groups], each from ``x`` on."""
        self.editor.set_sparkline(name, x, lr)

    def set_preview(self, text: str) -> None:
        """Show ``text`` about the LRs that the schedule gives."""
        self._preview_text = text
        self._show_texts()

    def set_problem(self, text: str | None, field: str = "") -> None:
        """Show why the schedule gives no curve or was rejected, and because of which field; None: it gives one."""
        if text is not None:
            self._sent = None
        self._problem, self._problem_at = text, f"{field} {text or ''}"  # either may name a stage
        self._show_texts()

    def set_warnings(self, warnings: list[str]) -> None:
        """Show the warnings of the schedule's curve."""
        self._warnings = list(warnings)
        self._show_texts()

    def _connect(self) -> None:
        self.target.chosen.connect(self._group_chosen)
        self.target.shared_wanted.connect(self._remove_own)
        self.editor.changed.connect(self._edited)
        self.editor.sparkline_wanted.connect(self.sparkline_wanted)
        self.pending.start_changed.connect(self._start_edited)
        self.pending.base_changed.connect(self._base_edited)
        self.pending.when_changed.connect(self._publish_pending)
        self.pending.applied.connect(self._apply)
        self.pending.discarded.connect(self.discard)
        self.pending.restart_wanted.connect(self._restart)

    def _base_lrs(self) -> tuple[float, ...]:
        """The current LR of the edited group, or of each group."""
        group = self.group()
        if group is None or len(self._lrs) != len(self._groups):
            return self._lrs
        return (self._lrs[self._groups.index(group)],)

    def _confirmed_began(self) -> float:
        """Where the current schedule of the edited group started, in epochs completed."""
        group = self.group()
        index = 0 if group is None or len(self._began) != len(self._groups) else self._groups.index(group)
        return self._began[index] if self._began else 0.0

    def _show_group(self) -> None:
        """Show the schedule of the edited group. An expression with a base LR of 1 gives the LR itself."""
        spec = self._confirmed = self._schedules.of(self.group(), self._groups)
        gives_lr = isinstance(spec, LambdaLR) and self._base_lrs()[0] == 1.0 and not self._schedules.own
        self.editor.set_value(spec, None if spec == self.schedule() else gives_lr)
        self._confirmed_gives = self.editor.gives.raw()

    def _may_follow(self) -> bool:
        """Whether unedited fields follow the epochs: not while the form shows the current schedule of a run."""
        return not self._running or self.editor.kind is not type(self._confirmed)

    def _update_context(self, follow: bool) -> None:
        """Set the editor's context: how long a new schedule would last, and where it would start.

        With ``follow``, unedited fields fit it; before the start, those of all groups' schedules.
        """
        here, group, before = self._running and not self.pending.from_start(), self.group(), self.editor.context
        done = self._done if self.differs() else self._confirmed_began()
        context = Context(
            span=max(1, self._epochs - self._done) if here else self._epochs,
            lr=self._base_lrs()[0],
            done=done if here else None,
            groups=self._groups if group is None else (group,),
            batches=self._batches,
        )
        self.editor.allow_giving_lr(self._running or group is None)
        moved = self.editor.set_context(context, follow)
        if not self._running:
            if follow:
                self._schedules = self._schedules.each(lambda spec: context.refit(spec, before))
            if moved and (spec := self.schedule()) is not None:
                self._schedules = self._schedules.adjusted(group, spec)
        if moved or (follow and not self._running and self._schedules != self._reported[0]):
            self._changed()

    def _group_chosen(self) -> None:
        """Edit the schedule of another group; during a run, a pending schedule is for that group now."""
        if self._running and self.differs():
            self._confirmed = self._schedules.of(self.group(), self._groups)
        else:
            self._show_group()
        self.pending.show_current_lrs(self._base_lrs())
        self._update_context(follow=False)
        self._changed()

    def _remove_own(self) -> None:
        self._schedules = self._schedules.without(self.group())
        self._show_group()
        self._changed()

    def _edited(self) -> None:
        spec = self.schedule()
        if not isinstance(self._reported[1], self.editor.kind):
            self._problem, self._warnings = None, []
        if spec is not None and not self._running:
            self._schedules = self._schedules.put(self.group(), spec, self._groups)
        self._update_context(follow=False)
        self._changed()

    def _start_edited(self) -> None:
        self._update_context(follow=True)
        self._refresh()
        self._publish_pending()

    def _base_edited(self) -> None:
        self._update_context(follow=False)
        self._publish_pending()

    def _changed(self) -> None:
        """Emit the edited schedule and request its curve, if it changed."""
        spec = self.schedule()
        self._refresh()
        if self.editor.gives_lr() != self._base_wanted:
            self._base_wanted = self.editor.gives_lr()
            if not self._running:
                self.base_lr_wanted.emit(1.0 if self._base_wanted else None)
        if (self._schedules, spec) != self._reported:
            self._reported = (self._schedules, spec)
            self.schedule_changed.emit(spec)
            if spec is not None:
                self.sparkline_wanted.emit(spec)
        self._publish_pending()

    def _publish_pending(self) -> None:
        self._show_texts()
        if self._running:
            self.pending_changed.emit(self.command())

    def _apply(self) -> None:
        command = self.command()
        if command is not None:
            self._sent = command, self.pending.at_once()
            self._show_texts()
            self.apply_requested.emit(command)

    def _restart(self) -> None:
        """Make it the pending change that the current schedule starts again."""
        self.pending.choose_restart()
        self._update_context(follow=False)
        self._changed()

    def _show_mode(self) -> None:
        self.pending.setVisible(self._running)

    def _refresh(self) -> None:
        """Update the controls and the texts to the edited schedule."""
        self.pending.lock_base(why_no_base(self.schedule(), self.editor.gives_lr(), self.pending.from_start()))
        self._show_texts()

    def _show_texts(self) -> None:
        """Show the problem, the warnings and the title of the edited schedule, and whether it can be applied."""
        differs = self.differs()
        self.title.setText(tr("Schedule: change not applied yet") if differs else tr("Schedule"))
        why_shared = None
        if self.editor.gives_lr() and not self._running:
            why_shared = tr("The expression gives the LR of all groups. Each group can have its own expression.")
        self.target.show_schedules(self._schedules, self._groups, why_shared, self._running)
        problem = self._show_problem()
        self.preview.show_text(problem or self._preview_text, error=problem is not None)
        spec = self.schedule()
        warnings = [said(w) for w in spec.warnings()] if spec else []
        notes = [f"⚠ {text}" for text in [*warnings, *self._warnings]]
        self.notes.show_text("\n".join([*([self._waiting] if self._waiting else []), *notes]))
        unfinished = tr("a field above is not valid") if spec is None else None
        self.pending.offer_discard(None if differs else tr("Nothing is pending: this is the current schedule."))
        differ = self.group() is None and self._schedules.differ(self._groups)
        self.pending.offer_restart(
            tr("Use for all groups") if differ else tr("Restart from here"),
            tr("Apply or discard the pending change first.") if differs else None,
            tr("Starts this schedule again from its beginning, with the current LR. It is pending until you apply it."),
        )
        self.pending.allow(problem or unfinished, self._why_nothing_to_apply(differs))

    def _why_nothing_to_apply(self, differs: bool) -> str | None:
        if self._sent is not None and self._sent == (self.command(), self.pending.at_once()):
            return tr("It is sent already, and not applied yet.")
        if differs:
            return None
        again = self.pending.restart.text()
        return tr("This is the current schedule. Change it first, or choose “{again}”.", again=again)

    def _show_problem(self) -> str | None:
        """Show the curve's problem beside the stage that it names; returns it, with its group's name."""
        named = [name for name in self._groups if name not in ("all", "rest")]
        found = re.match(r"groups\[(\d+)\]", self._problem_at)
        group = named[int(found[1])] if found and int(found[1]) < len(named) else None
        here = group is None or group == self.group()
        self.editor.set_error(self._problem_at, self._problem if here else None)
        if group is None or self._problem is None:
            return self._problem
        return tr("{group}: {problem}", group=group, problem=self._problem)
