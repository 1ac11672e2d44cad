"""The one schedule editor: of the recipe before the start, of a pending plan in mid-run."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from engine.messages.commands import SetSchedule
from engine.schedules import LambdaLR, ScheduleSpec, StepLR
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
    """Edits a schedule; in mid-run, a pending plan with Apply and Drop.

    Signals:
        schedule_changed(object): the ScheduleSpec that is edited, or None while it is wrong; by the person, or because
            a default followed the epochs. ``schedules`` has those of all groups. Not after ``set_schedules``.
        pending_changed(object): in mid-run, the SetSchedule that Apply would send, or None; after every change.
        apply_requested(object): a SetSchedule.
        drop_requested(): the pending plan is dropped; the form is back at what ``set_schedules`` brought last.
        base_lr_wanted(object): before the start, the LR that the optimizer must have (1.0), or None for its own.
        sparkline_wanted(object): a ScheduleSpec whose curve ``set_sparkline`` should bring.
    """

    schedule_changed = Signal(object)
    pending_changed = Signal(object)
    apply_requested = Signal(object)
    drop_requested = Signal()
    base_lr_wanted = Signal(object)
    sparkline_wanted = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._epochs, self._done, self._running = 30, 0, False
        self._lrs: tuple[float, ...] = (0.01,)
        self._groups: tuple[str, ...] = ("all",)
        self._schedules = Schedules(StepLR(step_size=10, gamma=0.5))  # the recipe's, or the plans in force
        self._confirmed: ScheduleSpec = self._schedules.shared  # what the group that is edited is on
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
        whole = QVBoxLayout(self)
        whole.setContentsMargins(10, 10, 10, 10)
        whole.setSpacing(6)
        for widget in (self.title, self.target, self.editor, self.preview, self.pending, self.notes, self.candidates):
            whole.addWidget(widget)
        whole.addStretch(1)
        self._connect()
        self.set_schedules(self._schedules)
        self._show_mode()

    @property
    def running(self) -> bool:
        """Whether a run is under way, so that what is edited is a pending plan."""
        return self._running

    def group(self) -> str | None:
        """The group whose schedule is edited; None: that of all groups."""
        return self.target.group()

    def schedule(self) -> ScheduleSpec | None:
        """The schedule as edited, or None while it is wrong."""
        return self.editor.value()

    def schedules(self) -> Schedules:
        """Before the start, the schedules of all groups, as last they were right."""
        return self._schedules

    def differs(self) -> bool:
        """Whether, in mid-run, Apply would bring another plan than the one in force."""
        return self._running and (self.schedule() != self._confirmed or self.pending.differs())

    def command(self) -> SetSchedule | None:
        """What Apply sends, or None while something is wrong."""
        spec = self.schedule()
        if spec is None or self.pending.problem() is not None:
            return None
        lr = 1.0 if self.editor.gives_lr() else self.pending.base_lr()
        start = "replay" if self.pending.from_start() else "here"
        return SetSchedule.model_validate({"schedule": spec, "start": start, "lr": lr, "group": self.group()})

    def look_at(self, group: str | None) -> None:
        """Edit the schedule of ``group``, as if the person had chosen it."""
        if group is None or group in self._groups:
            self.target.picker.choose(group)

    def stage(self, spec: ScheduleSpec) -> None:
        """Show ``spec`` as if the person had chosen and filled it in."""
        self.editor.stage(spec)

    def take(self, command: SetSchedule) -> None:
        """Show what ``command`` would bring, as if the person had chosen it."""
        self.look_at(command.group)
        self.pending.show_choice(command.start == "replay", command.lr)
        self.editor.gives.show_value("lr" if command.lr == 1.0 else "multiplier")
        self.editor.stage(command.schedule)

    def drop(self) -> None:
        """Forget what is edited: the schedule in force stands here again."""
        self.set_problem(None)
        self.set_warnings([])
        self.set_preview("")
        self.set_schedules(self._schedules)
        self.drop_requested.emit()

    def show_waiting(self, text: str | None) -> None:
        """Say that the pending plan was sent and waits for its moment; None: it waits no more."""
        self._waiting = text
        self._show_words()

    def set_schedule(self, spec: ScheduleSpec) -> None:
        """Show one schedule for all groups, as ``set_schedules`` does."""
        self.set_schedules(Schedules(spec))

    def set_schedules(self, schedules: Schedules) -> None:
        """Show the recipe's schedules, or the plans in force; ``set_context`` first. No signal."""
        self.pending.reset()
        self._schedules = schedules
        self._show_group()
        self._reported, self._base_wanted = (schedules, self.schedule()), self.editor.gives_lr()
        self._place(follow=False)
        self._refresh()

    def set_context(self, epochs: int, epochs_done: int, lr: float | Sequence[float], running: bool) -> None:
        """The run's length, the epochs completed, the LR in force (of each group), and whether the run has begun.

        Counts that nobody edited follow the epochs (before the start all of them, in mid-run those that are left).
        """
        before = (self._epochs, self._done, self._running)
        self._epochs, self._done, self._running = epochs, epochs_done, running
        self._lrs = tuple(lr) if isinstance(lr, Sequence) else (lr,)
        if running != before[2]:
            self._show_mode()
        if before != (epochs, epochs_done, running):
            self._place(follow=self._may_follow())
            self._refresh()
        self.pending.set_lr_in_force(self._base_lrs())

    def set_group_names(self, names: Sequence[str]) -> None:
        """The parameter groups, in order."""
        if tuple(names) == self._groups:
            return
        self._schedules = self._schedules.renamed(self._groups, names)
        self._groups = tuple(names)
        self.target.show_groups(names)
        self._place(follow=False)
        self._refresh()

    def set_batches(self, batches: int | None) -> None:
        """How many batches make an epoch, for schedules that are stepped once a batch; None: not known yet."""
        if batches != self._batches:
            self._batches = batches
            self._place(follow=self._may_follow())

    def set_sparkline(self, name: str, x: np.ndarray, lr: np.ndarray) -> None:
        """The curve of the schedule ``name``: rates ``lr`` [points] or [points, groups] in force from ``x`` on."""
        self.editor.set_sparkline(name, x, lr)

    def set_preview(self, text: str) -> None:
        """What the schedule gives: the LR at the next epoch, at the end of the run."""
        self._preview_text = text
        self._show_words()

    def set_problem(self, text: str | None, field: str = "") -> None:
        """Why the planner refuses the schedule, and because of which field; or None."""
        self._problem, self._problem_at = text, f"{field} {text or ''}"  # either may name a stage
        self._show_words()

    def set_warnings(self, warnings: list[str]) -> None:
        """What the planner warns of."""
        self._warnings = list(warnings)
        self._show_words()

    def _connect(self) -> None:
        self.target.chosen.connect(self._group_chosen)
        self.target.shared_wanted.connect(self._as_all)
        self.editor.changed.connect(self._edited)
        self.editor.sparkline_wanted.connect(self.sparkline_wanted)
        self.pending.start_changed.connect(self._start_edited)
        self.pending.base_changed.connect(self._pending)
        self.pending.moment_changed.connect(self._pending)
        self.pending.applied.connect(self._apply)
        self.pending.dropped.connect(self.drop)

    def _base_lrs(self) -> tuple[float, ...]:
        """The LR in force of the group that is edited, or of each."""
        group = self.group()
        if group is None or len(self._lrs) != len(self._groups):
            return self._lrs
        return (self._lrs[self._groups.index(group)],)

    def _show_group(self) -> None:
        """Show the schedule of the group that is edited. An expression on a base LR of 1 gives the LR itself."""
        spec = self._confirmed = self._schedules.of(self.group(), self._groups)
        gives_lr = isinstance(spec, LambdaLR) and self._base_lrs()[0] == 1.0 and not self._schedules.own
        self.editor.set_value(spec, None if spec == self.schedule() else gives_lr)

    def _may_follow(self) -> bool:
        """In mid-run the form shows the plan in force until the person chooses another: it must not drift."""
        return not self._running or self.editor.kind is not type(self._confirmed)

    def _place(self, follow: bool) -> None:
        """Tell the editor what a new plan would last, and where it would begin; before the start, all plans follow."""
        here, group, before = self._running and not self.pending.from_start(), self.group(), self.editor.context
        context = Context(
            span=max(1, self._epochs - self._done) if here else self._epochs,
            lr=self._base_lrs()[0],
            done=self._done if here else None,
            groups=self._groups if group is None else (group,),
            batches=self._batches,
        )
        self.editor.let_give_lr(self._running or group is None)
        moved = self.editor.set_context(context, follow)
        if not self._running:
            if follow:
                self._schedules = self._schedules.each(lambda spec: context.refit(spec, before))
            if moved and (spec := self.schedule()) is not None:
                self._schedules = self._schedules.followed(group, spec)
        if moved or (follow and not self._running and self._schedules != self._reported[0]):
            self._changed()

    def _group_chosen(self) -> None:
        """Another group's schedule is edited; in mid-run a change that is being prepared is for that one now."""
        if self._running and self.differs():
            self._confirmed = self._schedules.of(self.group(), self._groups)
        else:
            self._show_group()
        self.pending.set_lr_in_force(self._base_lrs())
        self._place(follow=False)
        self._changed()

    def _as_all(self) -> None:
        self._schedules = self._schedules.without(self.group())
        self._show_group()
        self._changed()

    def _edited(self) -> None:
        spec = self.schedule()
        if not isinstance(self._reported[1], self.editor.kind):
            self._problem, self._warnings = None, []
        if spec is not None and not self._running:
            self._schedules = self._schedules.put(self.group(), spec, self._groups)
        self._changed()

    def _start_edited(self) -> None:
        self._place(follow=True)
        self._refresh()
        self._pending()

    def _changed(self) -> None:
        """The schedule may be another now: say so, and ask for its curve."""
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
        self._pending()

    def _pending(self) -> None:
        self._show_words()
        if self._running:
            self.pending_changed.emit(self.command())

    def _apply(self) -> None:
        command = self.command()
        if command is not None:
            self.apply_requested.emit(command)

    def _show_mode(self) -> None:
        self.pending.setVisible(self._running)

    def _refresh(self) -> None:
        """Show what the chosen schedule allows, and its words."""
        self.pending.lock_base(why_no_base(self.schedule(), self.editor.gives_lr(), self.pending.from_start()))
        self._show_words()

    def _show_words(self) -> None:
        """Show what has been said of the schedule: by itself, by the planner, and whether it is in force."""
        differs = self.differs()
        self.title.setText(tr("Schedule: change not applied yet") if differs else tr("Schedule"))
        why_shared = None
        if self.editor.gives_lr() and not self._running:
            why_shared = tr("The expression gives the LR itself, of all groups; each can have a line of its own.")
        self.target.show_schedules(self._schedules, self._groups, why_shared, self._running)
        problem = self._told_problem()
        self.preview.show_text(problem or self._preview_text, error=problem is not None)
        spec = self.schedule()
        own = [said(w) for w in spec.warnings()] if spec else []
        notes = [f"⚠ {text}" for text in [*own, *self._warnings]]
        self.notes.show_text("\n".join([*([self._waiting] if self._waiting else []), *notes]))
        unfinished = tr("a field above is not valid") if spec is None else None
        self.pending.allow(problem or unfinished)

    def _told_problem(self) -> str | None:
        """The planner's problem, with the group that it is of; also said beside the stage that it names."""
        named = [name for name in self._groups if name not in ("all", "rest")]
        found = re.match(r"groups\[(\d+)\]", self._problem_at)
        group = named[int(found[1])] if found and int(found[1]) < len(named) else None
        here = group is None or group == self.group()
        self.editor.set_error(self._problem_at, self._problem if here else None)
        if group is None or self._problem is None:
            return self._problem
        return tr("{group}: {problem}", group=group, problem=self._problem)
