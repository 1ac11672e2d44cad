"""The form of each schedule: made from its fields, or one of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from engine.schedules import ComposedSpec, Drawn, LambdaLR, MultiplicativeLR, ScheduleSpec
from engine.schedules.base import Interval
from gui.fields import Editor
from gui.forms import SpecForm
from gui.panels.drawn_editor import PointsEditor
from gui.panels.expressions import ExpressionsEditor
from gui.panels.stages import StagesForm
from gui.panels.suggested import suggested
from gui.words import tr

if TYPE_CHECKING:
    from gui.panels.schedule_editor import ScheduleEditor


@dataclass(frozen=True, kw_only=True)
class Context:
    """What a schedule is edited for.

    Args:
        span: the epochs that a new one would last; with ``interval``, its positions.
        lr: the rate that it would begin beside.
        done: the epochs that the run has behind it where the schedule's own count begins; None: both count alike.
        groups: the names of the parameter groups that it is for, in order.
        batches: how many make an epoch; None where that is not known yet.
        interval: of a stage, what the whole is stepped by.
        followed: of a stage, whether another takes over at its end.
    """

    span: int = 30
    lr: float = 0.01
    done: int | None = None
    groups: tuple[str, ...] = ("all",)
    batches: int | None = None
    interval: Interval | None = None
    followed: bool = False

    def positions(self, interval: str) -> int:
        """How many positions a schedule stepped once per ``interval`` would have."""
        return self.span if self.interval else self.span * self.per_epoch(interval)

    def values(self, kind: type[ScheduleSpec], interval: str) -> dict[str, Any]:
        """Values for fields of ``kind`` that fit."""
        return suggested(kind, self.positions(interval), self.lr, self.followed, self.per_epoch(interval))

    def refit(self, spec: ScheduleSpec, before: Context) -> ScheduleSpec:
        """``spec``, which was made for ``before``, with the values that suited that suiting this."""
        old, new = before.values(type(spec), spec.interval), self.values(type(spec), spec.interval)
        changes = {f: v for f, v in new.items() if v != old[f] and getattr(spec, f) == old[f]}
        return spec.model_copy(update=changes) if changes else spec

    def per_epoch(self, interval: str) -> int:
        """How many positions of a schedule stepped once per ``interval`` make an epoch."""
        return 1 if interval == "epoch" else self.batches or 1


ScheduleForm = SpecForm | StagesForm
"""Each has ``value``, ``set_value``, ``set_fields``, ``set_hint``, ``changed`` and ``field_edited``."""


def make_form(kind: type[ScheduleSpec], context: Context, make_editor: Callable[[], ScheduleEditor]) -> ScheduleForm:
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
