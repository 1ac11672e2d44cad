"""The form of each schedule: made from its fields, or one of its own."""

from __future__ import annotations

from dataclasses import dataclass

from engine.schedules import Drawn, LambdaLR, MultiplicativeLR, ScheduleSpec
from gui.fields import Editor
from gui.forms import SpecForm
from gui.panels.composed import SpecWords
from gui.panels.drawn_editor import PointsEditor
from gui.panels.expressions import ExpressionsEditor
from gui.panels.suggested import suggested
from gui.words import tr


@dataclass(frozen=True, kw_only=True)
class Context:
    """What a schedule is edited for.

    Args:
        span: the epochs that a new one would last.
        lr: the rate that it would begin beside.
        done: the epochs that the run has behind it where the schedule's own count begins; None: both count alike.
        groups: the names of the parameter groups that it is for, in order.
    """

    span: int = 30
    lr: float = 0.01
    done: int | None = None
    groups: tuple[str, ...] = ("all",)


ScheduleForm = SpecForm | SpecWords
"""Each has ``value``, ``set_value``, ``set_fields``, ``set_hint``, ``changed`` and ``field_edited``."""


def make_form(kind: type[ScheduleSpec], context: Context) -> ScheduleForm:
    """The form of a schedule of ``kind``, with values that fit."""
    if kind.composed:
        return SpecWords()
    written = ExpressionsEditor() if kind in (LambdaLR, MultiplicativeLR) else None
    editors: dict[str, Editor] = {"lr_lambda": written} if written else {}
    if kind is Drawn:
        editors["points"] = PointsEditor(lambda: {name: form.editor(name).raw() for name in ("scale", "smooth")})
    form = SpecForm(kind, suggested(kind, context.span, context.lr), editors=editors)
    if written and written.set_group_names(context.groups):
        form.set_fields({})
    if kind is LambdaLR:
        form.set_hint(
            "lr_lambda", tr("epoch is 0 before the first epoch. For example: 0.95**epoch, or 1 if epoch < 10 else 0.1")
        )
    return form
