"""The base class of all schedule specs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, ClassVar, Final, Literal, NamedTuple

from pydantic import Discriminator, Field, Tag
from pydantic.fields import FieldInfo

from engine.common.spec import Spec
from engine.common.text import Text

Interval = Literal["epoch", "step"]

COUNTS: Final[dict[str, Any]] = {"counts": True}
"""Form metadata: the field counts epochs (steps, with interval step) from the start of the schedule."""


_LRAboveZero = Annotated[float, Field(gt=0, le=1000)]
_LR = Annotated[float, Field(ge=0, le=1000)]
_FEW = Field(min_length=1, max_length=100)
_ONE, _LIST = Tag("one value"), Tag("a list")
_WHICH = Discriminator(lambda value: _LIST.tag if isinstance(value, (list, tuple)) else _ONE.tag)

Level = Annotated[Annotated[_LR, _ONE] | Annotated[tuple[_LR, ...], _FEW, _LIST], _WHICH]
"""An LR, or one for each parameter group."""
LevelAboveZero = Annotated[Annotated[_LRAboveZero, _ONE] | Annotated[tuple[_LRAboveZero, ...], _FEW, _LIST], _WHICH]
"""The same, above 0."""


class Share(NamedTuple):
    """A group's own LR beside the highest of all groups."""

    own: float
    highest: float

    def of(self, level: Level, index: int) -> float:
        """The group's part of ``level``: its own value of a list, at ``index``; else in proportion to its LR."""
        if isinstance(level, tuple):
            return level[index]
        return level if self.own == self.highest else level * self.own / self.highest


WHOLE: Final = Share(1.0, 1.0)


def shares(lrs: Sequence[float]) -> list[Share]:
    """The share of each group, of groups with these LRs; the whole for each if all are 0."""
    top = max(lrs, default=0.0)
    return [Share(lr, top) if top > 0 else WHOLE for lr in lrs]


def highest(level: Level) -> float:
    """The highest LR of ``level``."""
    return max(level) if isinstance(level, tuple) else level


def usual(low: float, high: float) -> dict[str, Any]:
    """Form metadata: the range from which the field's value is usually chosen."""
    return {"usual": [low, high]}


def advanced() -> dict[str, Any]:
    """Form metadata: the field is hidden until "more" is opened."""
    return {"advanced": True}


def form_metadata(field: FieldInfo) -> dict[str, Any]:
    """The form metadata of a spec's field (``usual``, ``advanced``, ``counts``), empty if it has none."""
    return field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}


class UpcomingChange(NamedTuple):
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

    def next_change(self, position: int, lr: float) -> UpcomingChange | None:
        """The next change of the scheduled LR, which is ``lr`` at ``position``.

        None if there is none, or if it can only be found by running the schedule forward.
        """
        return None

    def parts(self) -> Sequence[ScheduleSpec]:
        """The schedules in it that are not composed of others; itself, if it is none."""
        return (self,)

    def for_group(self, index: int, share: Share = WHOLE) -> ScheduleSpec:
        """The schedule of parameter group ``index`` (from 0) alone.

        Of a field that lists one value per group it has that value. LRs that the schedule sets itself are scaled to the
        group's ``share`` of the highest LR, unless they are listed.
        """
        return self

    def listed(self) -> tuple[str, int] | None:
        """The field that lists one value per group, and how many; None if the same values apply to every group."""
        return None

    def group_count(self) -> int | None:
        """The number of groups that the schedule lists values for; None if the same values apply to every group."""
        listed = self.listed()
        return None if listed is None else listed[1]
