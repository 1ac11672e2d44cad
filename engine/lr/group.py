"""One group's rate under the learning-rate law (see ``engine.lr.control``)."""

from __future__ import annotations

import math
from dataclasses import dataclass

from engine.common.text import Text, number
from engine.lr.scheduled import Length, ScheduledLR
from engine.messages.schedule_view import PlateauView
from engine.models.optimizers import Rejected
from engine.recipe.recipe import LR_MAX
from engine.schedules import ScheduleSpec


@dataclass
class GroupLR:
    """One group's plan and what the hand did to it; ``momentum`` is what recipe or hand last gave (or first beta)."""

    name: str
    scheduled: ScheduledLR
    hold: float | None = None
    set_to: float | None = None  # v of the law
    scheduled_then: float | None = None  # p of the law
    momentum: float | None = None

    @property
    def lr(self) -> float:
        """The rate in force."""
        return self.hold if self.hold is not None else self.following(self.scheduled.value)

    @property
    def touched(self) -> bool:
        """Whether the rate is anything but the plan's own."""
        return self.hold is not None or self.set_to is not None

    def following(self, planned: float) -> float:
        """The rate where the plan says ``planned``, were the group not held."""
        if self.set_to is None or self.scheduled_then is None:
            return planned
        return self.set_to * (planned / self.scheduled_then)

    def put(self, lr: float, hold: bool) -> None:
        """Set the rate: held, or keeping the curve's shape from here.

        Raises:
            Rejected: to follow, where the plan is 0.
        """
        self.check(lr, hold)
        if hold:
            self.hold, self.set_to, self.scheduled_then = lr, None, None
            return
        self.hold, self.set_to, self.scheduled_then = None, lr, self.scheduled.value

    def check(self, lr: float, hold: bool) -> None:
        """Know whether ``put`` would be carried out.

        Raises:
            Rejected: to follow, where the plan is 0; or a rate above the largest allowed.
        """
        if not math.isfinite(lr) or lr > LR_MAX:
            raise Rejected(
                Text("the rate would be {lr}; the largest allowed is {largest}", lr=number(lr), largest=number(LR_MAX))
            )
        if not hold and self.scheduled.value == 0:
            raise Rejected(
                Text(
                    "the plan is 0 here (group {group}), so there is no shape to keep; hold the rate instead",
                    group=self.name,
                ),
                hold=True,
            )

    def release(self) -> None:
        """Back on the plan."""
        self.hold = self.set_to = self.scheduled_then = None


@dataclass(frozen=True)
class Cut:
    """The plan of ``group`` moved from ``old`` to ``new`` (rates in force) by a rule worth a line."""

    group: str
    schedule: str
    old: float
    new: float
    text: Text


def cut_of(group: GroupLR, before: float, after: float, plateau: PlateauView | None) -> Cut:
    """The line for a plan of ``group`` that moved from ``before`` to ``after``.

    ``plateau`` is what a metric-driven schedule had counted until then.
    """
    spec = group.scheduled.spec
    old, new = group.following(before), group.following(after)
    values = {"schedule": spec.model_dump()["name"], "old": number(old), "new": number(new)}
    if plateau is not None and plateau.best is not None:
        text = Text(
            "{schedule} {old} -> {new}: nothing better than {best} for {bad} epochs",
            **values,
            best=number(plateau.best),
            bad=plateau.bad_epochs + 1,
        )
    elif group.hold is not None:
        text = Text("{schedule} {old} -> {new} in the plan; the rate stays held", **values)
    else:
        text = Text("{schedule} {old} -> {new}", **values)
    return Cut(group.name, values["schedule"], old, new, text)


def for_group(schedule: ScheduleSpec, index: int, count: int) -> ScheduleSpec:
    """The part of ``schedule`` for the group at ``index`` of ``count``.

    Raises:
        Rejected: it lists another number of expressions.
    """
    listed = schedule.group_count()
    if listed is not None and listed != count:
        raise Rejected(
            Text("{listed} expressions for {count} group(s); give one, or one per group", listed=listed, count=count)
        )
    return schedule.for_group(index)


def steps_ahead(plan: ScheduledLR, epochs: int, epochs_done: int, length: Length, steps_done: int) -> int:
    """How many positions of ``plan`` come into force after the present one, until the end of the run."""
    if plan.spec.interval == "epoch":
        return max(0, epochs - epochs_done - 1)
    return max(0, epochs * length.steps_per_epoch - steps_done - 1)
