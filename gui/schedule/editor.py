"""The editor of one schedule: its class and its fields. Fields that the user did not edit fit the run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import numpy as np
from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from engine.schedules import (
    SCHEDULES,
    ComposedSpec,
    Constant,
    Drawn,
    LambdaLR,
    MultiplicativeLR,
    OneCycleLR,
    ReduceLROnPlateau,
    ScheduleSpec,
    SequentialLR,
    StepLR,
)
from gui.core.translation import said, tr
from gui.schedule.context import Context, after_warm_up, warm_up_length
from gui.schedule.drawn_editor import PointsEditor
from gui.schedule.expressions import ExpressionsEditor
from gui.schedule.pending import labelled
from gui.schedule.picker import SchedulePicker
from gui.schedule.stage_card import StageEditor
from gui.schedule.stages import StagesForm
from gui.schedule.text import run_epochs, why_no_warm_up
from gui.widgets.fields import ChoiceEditor, Editor
from gui.widgets.forms import SpecForm
from gui.widgets.hint_label import HintLabel

LR_ITSELF: Final = "0.01 - 0.0009*epoch if epoch < 10 else 0.001"
"""The initial expression that gives the LR itself."""
MULTIPLIER: Final = "0.95**epoch"
"""The initial expression that gives a multiplier."""

ScheduleForm = SpecForm | StagesForm
"""Each has ``value``, ``set_value``, ``set_fields``, ``set_hint``, ``changed`` and ``field_edited``."""


class ScheduleEditor(StageEditor):
    """Chooses a schedule and edits its fields. A form is created when its schedule is first shown.

    Signals, besides those of ``StageEditor`` (``opening`` is emitted for a stage only):
        shown(): another form may be shown.
        sparkline_wanted(object): a ScheduleSpec whose curve should be given to ``set_sparkline``.
    """

    shown = Signal()
    sparkline_wanted = Signal(object)

    def __init__(self, *, stage: bool = False, parent: QWidget | None = None) -> None:
        """Create the editor; ``stage``: of a schedule that is a stage of another."""
        super().__init__(parent)
        self._context, self._stage, self._may_give_lr = Context(), stage, not stage
        self._kind: type[ScheduleSpec] = StepLR
        self._own: set[tuple[str, str]] = set()  # (class, field) that the user edited, which stay as they are
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
        self.picker.opening.connect(self.opening if stage else self._request_sparklines)
        self.warm_up.clicked.connect(self._warm_up)
        self.gives.edited.connect(self._gives_edited)
        self._show()

    @property
    def kind(self) -> type[ScheduleSpec]:
        """The chosen class."""
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
                form.opening.connect(self.opening if self._stage else self._request_sparklines)
                for curve in self._curves.items():
                    form.set_sparkline(curve[0], *curve[1])
            self._forms.addWidget(form)
        return self.forms[name]

    def value(self) -> ScheduleSpec | None:
        """The edited schedule, or None while it is not valid."""
        spec: ScheduleSpec | None = self.form.value()
        return spec

    def gives_lr(self) -> bool:
        """Whether the chosen expression gives the LR itself, so that its base LR must be 1."""
        return self._kind is LambdaLR and self._may_give_lr and bool(self.gives.raw() == "lr")

    def allow_giving_lr(self, allowed: bool) -> None:
        """Set whether an expression may give the LR itself here."""
        self._may_give_lr = allowed and not self._stage

    def set_value(self, spec: ScheduleSpec, gives_lr: bool | None = None) -> None:
        """Show ``spec``; ``gives_lr``: whether an expression gives the LR itself, None: as before. No signal."""
        if gives_lr is not None:
            self.gives.show_value("lr" if gives_lr else "multiplier")
        self._kind = type(spec)
        fitting = self._context.values(self._kind, spec.interval)
        own = [name for name, value in fitting.items() if getattr(spec, name) != value]
        if own and isinstance(spec, ComposedSpec):
            own = list(fitting)  # stages and milestones belong together
        self._own = {(self._kind.__name__, name) for name in own}
        self.form.set_value(spec)
        self._show()

    def stage(self, spec: ScheduleSpec) -> None:
        """Show ``spec`` as if the user had chosen and edited it."""
        self._kind = type(spec)
        self._own |= {(self._kind.__name__, name) for name in self._kind.model_fields}
        self.form.set_value(spec)
        self._edited()

    def choose(self, kind: type[ScheduleSpec]) -> None:
        """Choose ``kind``, as the user does."""
        if kind is not self._kind:
            self._kind = kind
            self._follow()
            self._edited()

    def set_context(self, context: Context, follow: bool) -> bool:
        """Set what the schedule is edited for; returns whether the schedule changed. No signal.

        Args:
            context: the run, and where in it the schedule would start.
            follow: whether fields that the user did not edit get the values that fit it.
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

    def set_unavailable(self, unavailable: Mapping[type[ScheduleSpec], str]) -> None:
        """Set the schedules that cannot be chosen, and why."""
        self.picker.set_unavailable(unavailable)

    def set_sparkline(self, name: str, x: np.ndarray, lr: np.ndarray) -> None:
        """Show the curve of the schedule ``name``: LRs ``lr`` [points] or [points, groups], each from ``x`` on."""
        self._curves[name] = (x, lr)
        self.picker.set_curve(name, x, lr)
        for form in self.forms.values():
            if isinstance(form, StagesForm):
                form.set_sparkline(name, x, lr)

    def set_error(self, path: str, problem: str | None) -> bool:
        """Show ``problem`` at the stage that ``path`` names, or at the expression; returns whether there is one."""
        form = self.form
        if isinstance(form, StagesForm):
            return form.set_error(path, problem)
        if not form.has("lr_lambda"):
            return False
        form.set_error("lr_lambda", problem)  # a division by 0 is found only when the expression is run
        return True

    def _follow(self) -> None:
        """Set the fields that the user did not edit to values that fit the context."""
        editor, name = self._expressions(), self._kind.__name__
        if editor is None:
            values = self._context.values(self._kind, self.interval())
            self.form.set_fields({f: v for f, v in values.items() if (name, f) not in self._own})

    def _show_groups(self) -> None:
        for form in self.forms.values():
            editor = form.editor("lr_lambda") if isinstance(form, SpecForm) and form.has("lr_lambda") else None
            if isinstance(editor, ExpressionsEditor) and editor.set_group_names(self._context.groups):
                form.set_fields({})

    def interval(self) -> str:
        """What the chosen schedule is stepped by, also while its form is not valid."""
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

    def _request_sparklines(self) -> None:
        for kind in SCHEDULES:
            spec = self.value() if kind is self._kind else None
            fitting = self._context.values(kind, kind.model_fields["interval"].default)
            self.sparkline_wanted.emit(spec or kind.model_validate(fitting))

    def _warm_up(self) -> None:
        """Put a warm-up before the schedule, which gets the remaining epochs."""
        spec, name = self.value(), self._kind.__name__
        if spec is None:
            return
        span = self._context.positions(spec.interval)
        per_epoch = self._context.per_epoch(spec.interval)
        length = warm_up_length(span, per_epoch)
        own = frozenset(field for kind, field in self._own if kind == name)
        self._kind = SequentialLR
        self._own |= {(SequentialLR.__name__, field) for field in SequentialLR.model_fields}
        self.form.set_value(after_warm_up(spec, span, length, own, per_epoch))
        self._edited()

    def _show(self) -> None:
        """Show the form and the texts of the chosen schedule."""
        self._show_points()
        self.picker.show_kind(self._kind)
        self.when.show_text(self._use_text())
        self._gives_row.setVisible(self._kind is LambdaLR and self._may_give_lr)
        self._show_warm_up()
        self._show_counts()
        chosen = self.form
        for form in self.forms.values():
            form.setVisible(form is chosen and self._kind is not Constant)
        self.shown.emit()

    def _use_text(self) -> str:
        """When to use the schedule; for OneCycleLR also its number of steps."""
        text, spec = said(self._kind.when), self.value()
        if self._kind is not OneCycleLR or spec is None:
            return text
        per_epoch = self.interval() == "epoch"
        if not per_epoch and self._context.batches is None:
            return text
        steps = self._context.positions(self.interval())
        return tr("{text} total_steps is {n}, computed from the run.", text=text, n=f"{steps:,}")

    def _show_warm_up(self) -> None:
        self.warm_up.setVisible(not self._stage and not issubclass(self._kind, ComposedSpec))
        why = why_no_warm_up(self._kind, self.value(), self.gives_lr())
        self.warm_up.setEnabled(why is None)
        epochs = warm_up_length(self._context.span)
        tip = tr("A rising LR for {epochs} epochs, then this schedule for the remaining epochs", epochs=epochs)
        self.warm_up.setToolTip(why or tip)
        self.draw_from.setVisible(not self._stage and self._kind is not Drawn)
        self.draw_from.setEnabled(self.value() is not None)
        tip = tr("Turn this curve into points to drag on the plot")
        self.draw_from.setToolTip(tip if self.value() is not None else tr("A field above is not valid."))

    def _show_counts(self) -> None:
        """During a run, show which epochs of the run the counts of the schedule mean."""
        spec, done = self.value(), self._context.done
        for field, info in self._kind.model_fields.items():
            extra = info.json_schema_extra
            if not (isinstance(extra, dict) and extra.get("counts")):
                continue
            hint = None
            if done and spec is not None and self.interval() == "epoch":
                count = getattr(spec, field)
                hint = run_epochs(field, count, int(done)) if count else None
            self.form.set_hint(field, hint)

    def _show_points(self) -> None:
        """Show a stage's drawn points where they are in the run."""
        form = self.form if self._stage and self._kind is Drawn else None
        editor = form.editor("points") if isinstance(form, SpecForm) else None
        if isinstance(form, SpecForm) and isinstance(editor, PointsEditor):
            blocked = QSignalBlocker(editor)
            editor.set_origin(float(self._context.done or 0))
            blocked.unblock()
            form.set_fields({})


def make_form(kind: type[ScheduleSpec], context: Context, make_editor: Callable[[], StageEditor]) -> ScheduleForm:
    """The form of a schedule of ``kind`` with fitting values; ``make_editor`` creates the editor of a stage."""
    if issubclass(kind, ComposedSpec):
        return StagesForm(kind, context, make_editor)
    expressions = ExpressionsEditor() if kind in (LambdaLR, MultiplicativeLR) else None
    editors: dict[str, Editor] = {"lr_lambda": expressions} if expressions else {}
    if kind is Drawn:
        editors["points"] = PointsEditor(
            lambda: {name: form.editor(name).raw() for name in ("scale", "smooth", "interval")}
        )
    interval = context.interval or kind.model_fields["interval"].default
    form = SpecForm(kind, context.values(kind, interval), editors=editors)
    form.show_row("interval", context.interval is None)
    if expressions and expressions.set_group_names(context.groups):
        form.set_fields({})
    if kind is LambdaLR:
        form.set_hint(
            "lr_lambda", tr("epoch is 0 before the first epoch. For example: 0.95**epoch, or 1 if epoch < 10 else 0.1")
        )
    return form
