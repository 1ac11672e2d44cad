"""The one schedule editor: of the recipe before the start, of a pending plan in mid-run."""

from __future__ import annotations

from typing import Final

import numpy as np
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from engine.commands import SetSchedule
from engine.schedules import (
    SCHEDULES,
    Constant,
    LambdaLR,
    MultiplicativeLR,
    ReduceLROnPlateau,
    ScheduleSpec,
    StepLR,
)
from gui.fields import ChoiceEditor
from gui.forms import SpecForm
from gui.notes import Note, heading
from gui.panels.composed import SpecWords
from gui.panels.expressions import ExpressionsEditor
from gui.panels.pending import PendingControls, labelled
from gui.panels.schedule_picker import LISTED, SchedulePicker, suggested
from gui.panels.schedule_words import run_epochs, why_no_base
from gui.words import said, tr

LR_ITSELF: Final = "0.01 - 0.0009*epoch if epoch < 10 else 0.001"
"""The first expression where it gives the LR itself."""
MULTIPLIER: Final = "0.95**epoch"


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
        self._confirmed: ScheduleSpec = StepLR(step_size=10, gamma=0.5)
        self._kind: type[ScheduleSpec] = StepLR
        self._own: set[tuple[str, str]] = set()
        self._reported: ScheduleSpec | None = None
        self._base_wanted, self._preview_text = False, ""
        self._problem: str | None = None
        self._waiting: str | None = None
        self._warnings: list[str] = []
        self.title, self.picker, self.when = heading(""), SchedulePicker(), Note(lines=0)
        self.expressions, self.factors = ExpressionsEditor(), ExpressionsEditor()
        self.gives = ChoiceEditor(
            ("multiplier", "lr"), {"multiplier": tr("a multiplier of the LR"), "lr": tr("the LR itself")}
        )
        self.forms = {kind.__name__: self._form(kind) for kind in SCHEDULES}
        self.preview, self.notes, self.pending = Note(lines=3), Note(lines=0), PendingControls()
        self._build()
        self._connect()
        self.set_schedule(self._confirmed)
        self._show_mode()

    def schedule(self) -> ScheduleSpec | None:
        """The schedule as edited, or None while it is wrong."""
        spec: ScheduleSpec | None = self._active().value()
        return spec

    def command(self) -> SetSchedule | None:
        """What Apply sends, or None while something is wrong."""
        spec = self.schedule()
        if spec is None or self.pending.problem() is not None:
            return None
        lr = 1.0 if self.gives_lr() else self.pending.base_lr()
        start = "replay" if self.pending.from_start() else "here"
        return SetSchedule.model_validate({"schedule": spec, "start": start, "lr": lr})

    def gives_lr(self) -> bool:
        """Whether an expression is chosen that gives the LR itself, so that its base must be 1."""
        return self._kind is LambdaLR and bool(self.gives.raw() == "lr")

    def stage(self, spec: ScheduleSpec) -> None:
        """Show ``spec`` as if the person had chosen and filled it in."""
        self._kind = type(spec)
        self._own |= {(self._kind.__name__, name) for name in self._kind.model_fields}
        self._active().set_value(spec)
        self._changed()

    def show_waiting(self, text: str | None) -> None:
        """Say that the pending plan was sent and waits for its moment; None: it waits no more."""
        self._waiting = text
        self._show_words()

    def set_schedule(self, spec: ScheduleSpec) -> None:
        """Show the recipe's schedule, or the plan in force; ``set_context`` first. No signal.

        An expression on a base LR of 1 gives the LR itself, and is shown so.
        """
        self.pending.reset()
        if spec != self.schedule():
            self.gives.show_value("lr" if isinstance(spec, LambdaLR) and self._lr == 1.0 else "multiplier")
        self._confirmed, self._kind = spec, type(spec)
        fitting = suggested(self._kind, self._span(), self._lr)
        self._own = {(self._kind.__name__, name) for name, value in fitting.items() if getattr(spec, name) != value}
        self._active().set_value(spec)
        self._reported, self._base_wanted = spec, self.gives_lr()
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
            # In mid-run the form shows the plan in force until the person chooses another: it must not drift.
            if not running or self._kind is not type(self._confirmed):
                self._follow()
            self._refresh()
        self.pending.set_lr_in_force(lr)

    def set_group_names(self, names: list[str]) -> None:
        """The parameter groups, in order."""
        for kind, editor in ((LambdaLR, self.expressions), (MultiplicativeLR, self.factors)):
            if editor.set_group_names(names):
                self.forms[kind.__name__].set_fields({})
                if self._kind is kind:
                    self._changed()

    def set_sparkline(self, name: str, x: np.ndarray, lr: np.ndarray) -> None:
        """The curve of the schedule ``name``: rates ``lr`` [points] or [points, groups] in force from ``x`` on."""
        self.picker.set_curve(name, x, lr)

    def set_preview(self, text: str) -> None:
        """What the schedule gives: the LR at the next epoch, at the end of the run."""
        self._preview_text = text
        self._show_words()

    def set_problem(self, text: str | None) -> None:
        """Why the planner refuses the schedule, or None."""
        self._problem = text
        self._show_words()

    def set_warnings(self, warnings: list[str]) -> None:
        """What the planner warns of."""
        self._warnings = list(warnings)
        self._show_words()

    def _form(self, kind: type[ScheduleSpec]) -> SpecForm | SpecWords:
        if kind.composed:
            return SpecWords()
        expressions = {LambdaLR: self.expressions, MultiplicativeLR: self.factors}
        special = {"lr_lambda": expressions[kind]} if kind in expressions else {}
        return SpecForm(kind, suggested(kind, self._epochs), editors=special)

    def _build(self) -> None:
        self.forms["LambdaLR"].set_hint(
            "lr_lambda", tr("epoch is 0 before the first epoch. For example: 0.95**epoch, or 1 if epoch < 10 else 0.1")
        )
        self._gives_row = labelled(tr("It gives"), self.gives)
        self.gives.combo.setAccessibleName(tr("What the expression gives"))
        self.gives.combo.setToolTip(
            tr(
                "<qt>A multiplier: the LR is the base LR times the expression, as in PyTorch.<br>"
                "The LR itself: the base LR becomes 1, so what you write is the LR.</qt>"
            )
        )
        whole = QVBoxLayout(self)
        whole.setContentsMargins(10, 10, 10, 10)
        whole.setSpacing(6)
        for widget in (self.title, self.picker, self.when, self._gives_row, *self.forms.values()):
            whole.addWidget(widget)
        whole.addWidget(self.preview)
        whole.addWidget(self.pending)
        whole.addWidget(self.notes)
        whole.addStretch(1)

    def _connect(self) -> None:
        self.picker.chosen.connect(self._choose)
        self.picker.opening.connect(self._ask_sparklines)
        for name, form in self.forms.items():
            form.field_edited.connect(lambda field, name=name: self._field_edited(name, field))
            form.changed.connect(self._changed)
        self.gives.edited.connect(self._gives_edited)
        self.pending.start_changed.connect(self._start_edited)
        self.pending.base_changed.connect(self._pending)
        self.pending.moment_changed.connect(self._pending)
        self.pending.applied.connect(self._apply)
        self.pending.dropped.connect(self._drop)

    def _active(self) -> SpecForm | SpecWords:
        return self.forms[self._kind.__name__]

    def _span(self) -> int:
        """The epochs that a new plan would last."""
        left = self._running and not self.pending.from_start()
        return max(1, self._epochs - self._done) if left else self._epochs

    def _choose(self, kind: type[ScheduleSpec]) -> None:
        if kind is self._kind:
            return
        self._kind = kind
        self._problem, self._warnings = None, []
        self._follow()
        self._changed()

    def _follow(self) -> None:
        """Bring the counts that nobody edited up to the epochs."""
        name = self._kind.__name__
        if self._kind in (LambdaLR, MultiplicativeLR):
            return
        values = suggested(self._kind, self._span(), self._lr)
        before = self.schedule()
        self._active().set_fields({f: v for f, v in values.items() if (name, f) not in self._own})
        if self.schedule() != before and self._reported == before:
            self._changed()

    def _field_edited(self, name: str, field: str) -> None:
        self._own.add((name, field))
        if (name, field) == (ReduceLROnPlateau.__name__, "monitor"):
            form = self.forms[name]
            assert isinstance(form, SpecForm)
            better = "max" if str(form.editor("monitor").raw()).endswith("accuracy") else "min"
            form.set_fields({"mode": better})

    def _gives_edited(self) -> None:
        text = self.expressions.raw()
        if text in ((LR_ITSELF,), (MULTIPLIER,)):
            self.forms["LambdaLR"].set_fields({"lr_lambda": (LR_ITSELF if self.gives_lr() else MULTIPLIER,)})
        self._changed()

    def _start_edited(self) -> None:
        self._follow()
        self._refresh()
        self._pending()

    def _changed(self) -> None:
        """The schedule may be another now: say so, and ask for its curve."""
        spec = self.schedule()
        self._refresh()
        if self.gives_lr() != self._base_wanted:
            self._base_wanted = self.gives_lr()
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

    def _ask_sparklines(self) -> None:
        for kind in LISTED:
            spec = self.schedule() if kind is self._kind else None
            self.sparkline_wanted.emit(spec or kind.model_validate(suggested(kind, self._span(), self._lr)))

    def _show_mode(self) -> None:
        self.pending.setVisible(self._running)

    def _refresh(self) -> None:
        """Show the chosen schedule's form and words."""
        self.picker.show_kind(self._kind)
        self.when.say(said(self._kind.when))
        self._gives_row.setVisible(self._kind is LambdaLR)
        for name, form in self.forms.items():
            form.setVisible(name == self._kind.__name__ and self._kind is not Constant)
        self._show_counts()
        self.pending.lock_base(why_no_base(self.schedule(), self.gives_lr(), self.pending.from_start()))
        self._show_words()

    def _show_counts(self) -> None:
        """In mid-run, say what a plan's own count is in the run's epochs."""
        form, spec = self._active(), self.schedule()
        for field, info in self._kind.model_fields.items():
            extra = info.json_schema_extra
            if not (isinstance(extra, dict) and extra.get("counts")):
                continue
            hint = None
            if self._running and not self.pending.from_start() and self._done and spec and spec.interval == "epoch":
                count = getattr(spec, field)
                hint = run_epochs(field, count, self._done) if count else None
            form.set_hint(field, hint)

    def _show_words(self) -> None:
        """Show what has been said of the schedule: by itself, by the planner, and whether it is in force."""
        differs = self._running and (self.schedule() != self._confirmed or self.pending.differs())
        self.title.setText(tr("Schedule: change not applied yet") if differs else tr("Schedule"))
        problem = self._problem
        self.preview.say(problem or self._preview_text, error=problem is not None)
        spec = self.schedule()
        own = [said(w) for w in spec.warnings()] if spec else []
        notes = [f"⚠ {text}" for text in [*own, *self._warnings]]
        self.notes.say("\n".join([*([self._waiting] if self._waiting else []), *notes]))
        unfinished = tr("a field above is wrong") if spec is None else None
        self.pending.allow(problem or unfinished)
