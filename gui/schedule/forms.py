"""The form of each schedule: made from its fields, or one of its own."""

from __future__ import annotations

from collections.abc import Callable

from engine.schedules import ComposedSpec, Drawn, LambdaLR, MultiplicativeLR, ScheduleSpec
from gui.core.translation import tr
from gui.schedule.context import Context
from gui.schedule.drawn_editor import PointsEditor
from gui.schedule.expressions import ExpressionsEditor
from gui.schedule.stage_editor import StageEditor
from gui.schedule.stages import StagesForm
from gui.widgets.fields import Editor
from gui.widgets.forms import SpecForm

ScheduleForm = SpecForm | StagesForm
"""Each has ``value``, ``set_value``, ``set_fields``, ``set_hint``, ``changed`` and ``field_edited``."""


def make_form(kind: type[ScheduleSpec], context: Context, make_editor: Callable[[], StageEditor]) -> ScheduleForm:
    """The form of a schedule of ``kind``, with values that fit; ``make_editor`` makes what edits one of its stages."""
    if issubclass(kind, ComposedSpec):
        return StagesForm(kind, context, make_editor)
    written = ExpressionsEditor() if kind in (LambdaLR, MultiplicativeLR) else None
    editors: dict[str, Editor] = {"lr_lambda": written} if written else {}
    if kind is Drawn:
        editors["points"] = PointsEditor(lambda: {name: form.editor(name).raw() for name in ("scale", "smooth")})
    interval = context.interval or kind.model_fields["interval"].default
    form = SpecForm(kind, context.values(kind, interval), editors=editors)
    form.show_row("interval", context.interval is None)
    if written and written.set_group_names(context.groups):
        form.set_fields({})
    if kind is LambdaLR:
        form.set_hint(
            "lr_lambda", tr("epoch is 0 before the first epoch. For example: 0.95**epoch, or 1 if epoch < 10 else 0.1")
        )
    return form
