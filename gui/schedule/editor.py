"""One schedule as it is edited: which it is, and its values, the unedited of which fit the run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from engine.schedules import (
    SCHEDULES,
    ComposedSpec,
    Constant,
    Drawn,
    LambdaLR,
    OneCycleLR,
    ReduceLROnPlateau,
    ScheduleSpec,
    SequentialLR,
    StepLR,
)
from gui.core.translation import said, tr
from gui.schedule.context import Context
from gui.schedule.expressions import ExpressionsEditor
from gui.schedule.forms import ScheduleForm, make_form
from gui.schedule.pending import labelled
from gui.schedule.picker import SchedulePicker
from gui.schedule.stage_editor import StageEditor
from gui.schedule.stages import StagesForm
from gui.schedule.suggested import after_warm_up, warm_up_length
from gui.schedule.text import run_epochs, why_no_warm_up
from gui.widgets.fields import ChoiceEditor
from gui.widgets.forms import SpecForm
from gui.widgets.hint_label import HintLabel

LR_ITSELF: Final = "0.01 - 0.0009*epoch if epoch < 10 else 0.001"
"""The first expression where it gives the LR itself."""
MULTIPLIER: Final = "0.95**epoch"


class ScheduleEditor(StageEditor):
    """Chooses a schedule and fills it in. A form is made when its schedule is first shown.

    Signals, beside those of ``StageEditor`` (``opening`` is a stage's only):
        shown(): the form that is shown may be another one now.
        sparkline_wanted(object): a ScheduleSpec whose curve ``set_sparkline`` should bring.
    """

    shown = Signal()
    sparkline_wanted = Signal(object)

    def __init__(self, *, stage: bool = False, parent: QWidget | None = None) -> None:
        """Make the card that chooses; ``stage``: of a schedule that is a part of another."""
        super().__init__(parent)
        self._context, self._stage, self._may_give_lr = Context(), stage, not stage
        self._kind: type[ScheduleSpec] = StepLR
        self._own: set[tuple[str, str]] = set()  # the fields that the person edited, which follow nothing
        self._curves: dict[str, tuple[np.ndarray, np.ndarray]] = {}
        self.forms: dict[str, ScheduleForm] = {}
        self.picker, self.when = SchedulePicker(), HintLabel(lines=0)
        self.gives = ChoiceEditor(
            ("multiplier", "lr"), {"multiplier": tr("a multiplier of the LR"), "lr": tr("the LR itself")}
        )
        self._gives_row = labelled(tr("It gives"), self.gives)
        self.gives.combo.setAccessibleName(tr("What the expression gives"))
        self.gives.combo.setToolTip(
            tr(
                "<qt>A multiplier: the LR is the base LR times the expression, as in PyTorch.<br>"
                "The LR itself: the base LR becomes 1, so what you write is the LR.</qt>"
            )
        )
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(6)
        self.warm_up = QPushButton(tr("Warm up first"))
        self.draw_from = QPushButton(tr("Draw from this"))
        for button in (self.warm_up, self.draw_from):
            button.setAutoDefault(False)
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        more = QHBoxLayout()
        more.addWidget(self.warm_up)
        more.addWidget(self.draw_from)
        more.addStretch(1)
        for widget in (self.picker, self.when, self._gives_row):
            self._column.addWidget(widget)
        self._forms = QVBoxLayout()
        self._column.addLayout(self._forms)
        self._column.addLayout(more)
        self.picker.chosen.connect(self.choose)
        self.picker.opening.connect(self.opening if stage else self._ask_sparklines)
        self.warm_up.clicked.connect(self._warm_up)
        self.gives.edited.connect(self._gives_edited)
        self._show()

    @property
    def kind(self) -> type[ScheduleSpec]:
        """The class that is chosen."""
        return self._kind

    @property
    def context(self) -> Context:
        """What the schedule is edited for."""
        return self._context

    @property
    def form(self) -> ScheduleForm:
        """The form of the chosen schedule."""
        name = self._kind.__name__
        if name not in self.forms:
            form = self.forms[name] = make_form(self._kind, self._context, lambda: ScheduleEditor(stage=True))
            form.field_edited.connect(lambda field: self._field_edited(name, field))
            form.changed.connect(self._edited)
            if isinstance(form, StagesForm):
                form.opening.connect(self.opening if self._stage else self._ask_sparklines)
                for curve in self._curves.items():
                    form.set_sparkline(curve[0], *curve[1])
            self._forms.addWidget(form)
        return self.forms[name]

    def value(self) -> ScheduleSpec | None:
        """The schedule as edited, or None while it is wrong."""
        spec: ScheduleSpec | None = self.form.value()
        return spec

    def gives_lr(self) -> bool:
        """Whether an expression is chosen that gives the LR itself, so that its base must be 1."""
        return self._kind is LambdaLR and self._may_give_lr and bool(self.gives.raw() == "lr")

    def let_give_lr(self, may: bool) -> None:
        """Whether an expression may give the LR itself here."""
        self._may_give_lr = may and not self._stage

    def set_value(self, spec: ScheduleSpec, gives_lr: bool | None = None) -> None:
        """Show ``spec``; ``gives_lr`` says what an expression gives, None leaves that as it is. No signal."""
        if gives_lr is not None:
            self.gives.show_value("lr" if gives_lr else "multiplier")
        self._kind = type(spec)
        fitting = self._context.values(self._kind, spec.interval)
        own = [name for name, value in fitting.items() if getattr(spec, name) != value]
        if own and isinstance(spec, ComposedSpec):
            own = list(fitting)  # stages and milestones are of one piece
        self._own = {(self._kind.__name__, name) for name in own}
        self.form.set_value(spec)
        self._show()

    def stage(self, spec: ScheduleSpec) -> None:
        """Show ``spec`` as if the person had chosen and filled it in."""
        self._kind = type(spec)
        self._own |= {(self._kind.__name__, name) for name in self._kind.model_fields}
        self.form.set_value(spec)
        self._edited()

    def choose(self, kind: type[ScheduleSpec]) -> None:
        """Take ``kind``, as the person does."""
        if kind is not self._kind:
            self._kind = kind
            self._follow()
            self._edited()

    def set_context(self, context: Context, follow: bool) -> bool:
        """What the schedule is for now; returns whether it became another one. No signal.

        Args:
            context: the run, and where in it the schedule would begin.
            follow: whether counts that nobody edited fit themselves to it.
        """
        before, groups = self.value(), self._context.groups
        self._context = context
        for form in self.forms.values():
            if isinstance(form, StagesForm):
                form.set_context(context, follow)
            elif isinstance(form, SpecForm):
                form.show_row("interval", context.interval is None)
        if context.groups != groups:
            self._show_groups()
        if follow:
            self._follow()
        self._show()
        return self.value() != before

    def set_refused(self, refused: Mapping[type[ScheduleSpec], str]) -> None:
        """The schedules that cannot be chosen, and why."""
        self.picker.set_refused(refused)

    def set_sparkline(self, name: str, x: np.ndarray, lr: np.ndarray) -> None:
        """The curve of the schedule ``name``: LRs ``lr`` [points] or [points, groups] from the positions ``x`` on."""
        self._curves[name] = (x, lr)
        self.picker.set_curve(name, x, lr)
        for form in self.forms.values():
            if isinstance(form, StagesForm):
                form.set_sparkline(name, x, lr)

    def set_error(self, path: str, problem: str | None) -> bool:
        """Say ``problem`` at the stage that ``path`` names, or at the expression; whether there was such a place."""
        form = self.form
        if isinstance(form, StagesForm):
            return form.set_error(path, problem)
        if not form.has("lr_lambda"):
            return False
        form.set_error("lr_lambda", problem)  # only when it is run does an expression show that it divides by 0
        return True

    def _follow(self) -> None:
        """Bring the counts that nobody edited up to the epochs."""
        editor, name = self._expressions(), self._kind.__name__
        if editor is None:
            values = self._context.values(self._kind, self._interval())
            self.form.set_fields({f: v for f, v in values.items() if (name, f) not in self._own})

    def _show_groups(self) -> None:
        for form in self.forms.values():
            editor = form.editor("lr_lambda") if isinstance(form, SpecForm) and form.has("lr_lambda") else None
            if isinstance(editor, ExpressionsEditor) and editor.set_group_names(self._context.groups):
                form.set_fields({})

    def _interval(self) -> str:
        """What the chosen schedule is stepped by, also while something else in its form is wrong."""
        form = self.form
        typed = form.editor("interval").raw() if isinstance(form, SpecForm) else None
        typed = form.interval() if isinstance(form, StagesForm) else typed
        return self._context.interval or str(typed or self._kind.model_fields["interval"].default)

    def _expressions(self) -> ExpressionsEditor | None:
        form = self.form
        editor = form.editor("lr_lambda") if isinstance(form, SpecForm) and form.has("lr_lambda") else None
        return editor if isinstance(editor, ExpressionsEditor) else None

    def _field_edited(self, name: str, field: str) -> None:
        self._own.add((name, field))
        if field == "interval":
            self._follow()
        if (name, field) == (ReduceLROnPlateau.__name__, "monitor"):
            form = self.forms[name]
            assert isinstance(form, SpecForm)
            better = "max" if str(form.editor("monitor").raw()).endswith("accuracy") else "min"
            form.set_fields({"mode": better})

    def _gives_edited(self) -> None:
        editor = self._expressions()
        if editor is not None and editor.raw() in ((LR_ITSELF,), (MULTIPLIER,)):
            self.form.set_fields({"lr_lambda": (LR_ITSELF if self.gives_lr() else MULTIPLIER,)})
        self._edited()

    def _edited(self) -> None:
        self._show()
        self.changed.emit()

    def _ask_sparklines(self) -> None:
        for kind in SCHEDULES:
            spec = self.value() if kind is self._kind else None
            fitting = self._context.values(kind, kind.model_fields["interval"].default)
            self.sparkline_wanted.emit(spec or kind.model_validate(fitting))

    def _warm_up(self) -> None:
        """Put a warm-up before the schedule, which then has the epochs that are left."""
        spec, name = self.value(), self._kind.__name__
        if spec is None:
            return
        span = self._context.positions(spec.interval)
        length = warm_up_length(span, self._context.per_epoch(spec.interval))
        own = frozenset(field for kind, field in self._own if kind == name)
        self._kind = SequentialLR
        self._own |= {(SequentialLR.__name__, field) for field in SequentialLR.model_fields}
        self.form.set_value(after_warm_up(spec, span, length, own))
        self._edited()

    def _show(self) -> None:
        """Show the chosen schedule's form and words."""
        self.picker.show_kind(self._kind)
        self.when.show_text(self._use())
        self._gives_row.setVisible(self._kind is LambdaLR and self._may_give_lr)
        self._show_warm_up()
        self._show_counts()
        chosen = self.form
        for form in self.forms.values():
            form.setVisible(form is chosen and self._kind is not Constant)
        self.shown.emit()

    def _use(self) -> str:
        """When to use the schedule; of one that fills the run, what that comes to."""
        text, spec = said(self._kind.when), self.value()
        if self._kind is not OneCycleLR or spec is None:
            return text
        per_epoch = self._interval() == "epoch"
        if not per_epoch and self._context.batches is None:
            return text
        steps = self._context.positions(self._interval())
        return tr("{text} total_steps is {n}, worked out from the run.", text=text, n=f"{steps:,}")

    def _show_warm_up(self) -> None:
        self.warm_up.setVisible(not self._stage and not issubclass(self._kind, ComposedSpec))
        why = why_no_warm_up(self._kind, self.value(), self.gives_lr())
        self.warm_up.setEnabled(why is None)
        epochs = warm_up_length(self._context.span)
        tip = tr("LinearLR for {epochs} epochs, then this schedule in those that are left", epochs=epochs)
        self.warm_up.setToolTip(why or tip)
        self.draw_from.setVisible(not self._stage and self._kind is not Drawn)
        self.draw_from.setEnabled(self.value() is not None)
        draws = tr("Turn this curve into points to drag on the plot")
        self.draw_from.setToolTip(draws if self.value() is not None else tr("A field above is not valid."))

    def _show_counts(self) -> None:
        """In mid-run, say what a plan's own count is in the run's epochs."""
        spec, done = self.value(), self._context.done
        for field, info in self._kind.model_fields.items():
            extra = info.json_schema_extra
            if not (isinstance(extra, dict) and extra.get("counts")):
                continue
            hint = None
            if done and spec is not None and self._interval() == "epoch":
                count = getattr(spec, field)
                hint = run_epochs(field, count, done) if count else None
            self.form.set_hint(field, hint)
