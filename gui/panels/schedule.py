"""The one schedule editor: of the recipe before the start, of a pending plan in mid-run."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from engine.commands import SetSchedule
from engine.schedules import LambdaLR, ScheduleSpec, StepLR
from gui.notes import Note, heading
from gui.panels.pending import PendingControls
from gui.panels.schedule_editor import ScheduleEditor
from gui.panels.schedule_forms import Context
from gui.panels.schedule_words import why_no_base
from gui.words import said, tr


class SchedulePanel(QWidget):
    """Edits a schedule; in mid-run, a pending plan with Apply and Drop.

    Signals:
        schedule_changed(object): the ScheduleSpec, or None while it is wrong; by the person, or because a default
            followed the epochs. Not after ``set_schedule``.
        pending_changed(object): in mid-run, the SetSchedule that Apply would send, or None; after every change.
        apply_requested(object): a SetSchedule.
        drop_requested(): the pending plan is dropped; the form is back at what ``set_schedule`` brought last.
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
        self._epochs, self._done, self._lr, self._running = 30, 0, 0.01, False
        self._groups: tuple[str, ...] = ("all",)
        self._confirmed: ScheduleSpec = StepLR(step_size=10, gamma=0.5)
        self._reported: ScheduleSpec | None = None
        self._base_wanted, self._preview_text = False, ""
        self._problem: str | None = None
        self._problem_at = ""
        self._batches: int | None = None
        self._waiting: str | None = None
        self._warnings: list[str] = []
        self.title, self.editor = heading(""), ScheduleEditor()
        self.preview, self.notes, self.pending = Note(lines=3), Note(lines=0), PendingControls()
        whole = QVBoxLayout(self)
        whole.setContentsMargins(10, 10, 10, 10)
        whole.setSpacing(6)
        for widget in (self.title, self.editor, self.preview, self.pending, self.notes):
            whole.addWidget(widget)
        whole.addStretch(1)
        self._connect()
        self.set_schedule(self._confirmed)
        self._show_mode()

    def schedule(self) -> ScheduleSpec | None:
        """The schedule as edited, or None while it is wrong."""
        return self.editor.value()

    def command(self) -> SetSchedule | None:
        """What Apply sends, or None while something is wrong."""
        spec = self.schedule()
        if spec is None or self.pending.problem() is not None:
            return None
        lr = 1.0 if self.editor.gives_lr() else self.pending.base_lr()
        start = "replay" if self.pending.from_start() else "here"
        return SetSchedule.model_validate({"schedule": spec, "start": start, "lr": lr})

    def stage(self, spec: ScheduleSpec) -> None:
        """Show ``spec`` as if the person had chosen and filled it in."""
        self.editor.stage(spec)

    def show_waiting(self, text: str | None) -> None:
        """Say that the pending plan was sent and waits for its moment; None: it waits no more."""
        self._waiting = text
        self._show_words()

    def set_schedule(self, spec: ScheduleSpec) -> None:
        """Show the recipe's schedule, or the plan in force; ``set_context`` first. No signal.

        An expression on a base LR of 1 gives the LR itself, and is shown so.
        """
        self.pending.reset()
        gives_lr = None if spec == self.schedule() else isinstance(spec, LambdaLR) and self._lr == 1.0
        self._confirmed = spec
        self.editor.set_value(spec, gives_lr)
        self._reported, self._base_wanted = spec, self.editor.gives_lr()
        self._place(follow=False)
        self._refresh()

    def set_context(self, epochs: int, epochs_done: int, lr: float, running: bool) -> None:
        """The run's length, the epochs completed, the LR in force, and whether the run has begun.

        Counts that nobody edited follow the epochs (before the start all of them, in mid-run those that are left).
        """
        before = (self._epochs, self._done, self._running)
        self._epochs, self._done, self._lr, self._running = epochs, epochs_done, lr, running
        if running != before[2]:
            self._show_mode()
        if before != (epochs, epochs_done, running):
            self._place(follow=self._may_follow())
            self._refresh()
        self.pending.set_lr_in_force(lr)

    def set_group_names(self, names: list[str]) -> None:
        """The parameter groups, in order."""
        self._groups = tuple(names)
        self._place(follow=False)

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
        self._problem, self._problem_at = text, field or text or ""
        self._show_words()

    def set_warnings(self, warnings: list[str]) -> None:
        """What the planner warns of."""
        self._warnings = list(warnings)
        self._show_words()

    def _connect(self) -> None:
        self.editor.changed.connect(self._edited)
        self.editor.sparkline_wanted.connect(self.sparkline_wanted)
        self.pending.start_changed.connect(self._start_edited)
        self.pending.base_changed.connect(self._pending)
        self.pending.moment_changed.connect(self._pending)
        self.pending.applied.connect(self._apply)
        self.pending.dropped.connect(self._drop)

    def _may_follow(self) -> bool:
        """In mid-run the form shows the plan in force until the person chooses another: it must not drift."""
        return not self._running or self.editor.kind is not type(self._confirmed)

    def _place(self, follow: bool) -> None:
        """Tell the editor what a new plan would last, and where it would begin."""
        here = self._running and not self.pending.from_start()
        span = max(1, self._epochs - self._done) if here else self._epochs
        done = self._done if here else None
        context = Context(span=span, lr=self._lr, done=done, groups=self._groups, batches=self._batches)
        if self.editor.set_context(context, follow):
            self._changed()

    def _edited(self) -> None:
        if type(self._reported) is not self.editor.kind:
            self._problem, self._warnings = None, []
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
        if spec != self._reported:
            self._reported = spec
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

    def _drop(self) -> None:
        self.set_problem(None)
        self.set_warnings([])
        self.set_preview("")
        self.set_schedule(self._confirmed)
        self.drop_requested.emit()

    def _show_mode(self) -> None:
        self.pending.setVisible(self._running)

    def _refresh(self) -> None:
        """Show what the chosen schedule allows, and its words."""
        self.pending.lock_base(why_no_base(self.schedule(), self.editor.gives_lr(), self.pending.from_start()))
        self._show_words()

    def _show_words(self) -> None:
        """Show what has been said of the schedule: by itself, by the planner, and whether it is in force."""
        differs = self._running and (self.schedule() != self._confirmed or self.pending.differs())
        self.title.setText(tr("Schedule: change not applied yet") if differs else tr("Schedule"))
        problem = self._problem
        self.editor.blame(self._problem_at, problem)
        self.preview.say(problem or self._preview_text, error=problem is not None)
        spec = self.schedule()
        own = [said(w) for w in spec.warnings()] if spec else []
        notes = [f"⚠ {text}" for text in [*own, *self._warnings]]
        self.notes.say("\n".join([*([self._waiting] if self._waiting else []), *notes]))
        unfinished = tr("a field above is wrong") if spec is None else None
        self.pending.allow(problem or unfinished)
