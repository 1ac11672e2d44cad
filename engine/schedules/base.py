"""What every schedule spec shares. Imports no torch: forms and recipes are made without it."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field
from pydantic.fields import FieldInfo

from engine.common.spec import Spec
from engine.common.text import Text

Interval = Literal["epoch", "step"]


def usual(low: float, high: float) -> dict[str, Any]:
    """Form metadata: the range in which people usually choose the field's value."""
    return {"usual": [low, high]}


def advanced() -> dict[str, Any]:
    """Form metadata: the field is shown under "more"."""
    return {"advanced": True}


class ScheduleSpec(Spec):
    """One learning-rate schedule. Fields carry PyTorch's own parameter names and defaults.

    Class attributes: ``family`` groups the picker; ``formula`` (n counts epochs from 1, k from 0) and ``when`` are its
    two lines of help; ``docs`` names the PyTorch class that the numbers come from.
    """

    family: ClassVar[Literal["ordered", "adaptive", "custom"]]
    formula: ClassVar[str]
    when: ClassVar[str]
    docs: ClassVar[str]
    cuts: ClassVar[bool] = False  # whether each change of the rate is worth a line of its own

    interval: Interval = Field(
        "epoch",
        title="Stepped once per",
        description="Whether the schedule moves on after every epoch or after every optimizer step (batch).",
        json_schema_extra=advanced(),
    )

    def warnings(self) -> list[Text]:
        """Choices that are allowed but probably not meant, one sentence each."""
        return []

    def own_level(self) -> bool:
        """Whether the schedule says itself which rate it starts from; then no base is part of it."""
        return False

    def cycles_momentum(self) -> bool:
        """Whether the schedule moves the optimizer's momentum (of Adam and AdamW: the first beta) as well."""
        return False

    def for_group(self, index: int) -> ScheduleSpec:
        """The spec of parameter group ``index`` alone, for schedules that list one value a group."""
        return self

    def per_group(self) -> int | None:
        """How many groups the spec lists values for, or None where one value serves every group."""
        return None


def extra(field: FieldInfo) -> dict[str, Any]:
    """The form metadata of a spec's field (``usual``, ``advanced``, ``counts``), empty where it has none."""
    return field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
