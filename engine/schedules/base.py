"""The base class of all schedule specs."""

from __future__ import annotations

from typing import Any, ClassVar, Final, Literal, NamedTuple

from pydantic import Field
from pydantic.fields import FieldInfo

from engine.common.spec import Spec
from engine.common.text import Text

Interval = Literal["epoch", "step"]

COUNTS: Final[dict[str, Any]] = {"counts": True}
"""Form metadata: the field counts epochs (steps, with interval step) from the start of the schedule."""


def usual(low: float, high: float) -> dict[str, Any]:
    """Form metadata: the range from which the field's value is usually chosen."""
    return {"usual": [low, high]}


def advanced() -> dict[str, Any]:
    """Form metadata: the field is hidden until "more" is opened."""
    return {"advanced": True}


def form_metadata(field: FieldInfo) -> dict[str, Any]:
    """The form metadata of a spec's field (``usual``, ``advanced``, ``counts``), empty if it has none."""
    return field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}


class ScheduledChange(NamedTuple):
    """The scheduled LR changes to ``lr`` at ``position``, and not before."""

    position: int
    lr: float
    reason: Text


class ScheduleSpec(Spec):
    """One learning-rate schedule. Fields have PyTorch's parameter names and defaults.

    The docstring of a subclass is its description in the window. Class attributes:

    - ``family``: the heading under which the picker lists it. ``ordered``: the LR depends on the position alone.
    - ``formula``, ``when``: two lines of help. In a formula n counts epochs from 1.
    - ``docs``: the PyTorch class that computes the LRs, and the paper that introduced it.
    - ``discrete``: whether the LR changes at few, distinct positions. Each such change is logged.
    - ``bounded``: whether every LR lies between 0, the base LR and LRs that the fields set, so that none is unusable.
    """

    family: ClassVar[Literal["ordered", "adaptive", "custom"]]
    formula: ClassVar[str]
    when: ClassVar[str]
    docs: ClassVar[str]
    discrete: ClassVar[bool] = False
    bounded: ClassVar[bool] = False

    interval: Interval = Field(
        "epoch",
        title="Stepped once per",
        description="Whether the schedule is stepped after every epoch or after every optimizer step (batch).",
        json_schema_extra=advanced(),
    )

    def warnings(self) -> list[Text]:
        """Settings that are allowed but probably unintended, one sentence each."""
        return []

    def usable_throughout(self, base: float, last: int, span: int) -> bool:
        """Whether it is certain, without running the schedule, that it has an LR at every position up to ``last``.

        Args:
            base: the LR that it starts from.
            last: a position.
            span: number of positions that the schedule is made for.
        """
        return self.bounded

    def ignores_base_lr(self) -> bool:
        """Whether the schedule's own fields say where the LR starts, so that the optimizer's LR is ignored."""
        return False

    def cycles_momentum(self) -> bool:
        """Whether the schedule also changes the optimizer's momentum (of Adam and AdamW: the first beta)."""
        return False

    def next_change(self, position: int, lr: float) -> ScheduledChange | None:
        """The next change of the scheduled LR, which is ``lr`` at ``position``.

        None if there is none, or if it can only be found by running the schedule forward.
        """
        return None

    def for_group(self, index: int) -> ScheduleSpec:
        """The schedule of parameter group ``index`` (from 0), for schedules that list one value per group."""
        return self

    def group_count(self) -> int | None:
        """The number of groups that the schedule lists values for; None if the same values apply to every group."""
        return None
