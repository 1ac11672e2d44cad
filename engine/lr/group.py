"""One group's LR under the LR rule (see ``engine.lr.control``)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from engine.common.errors import Rejected, ScheduleError
from engine.common.text import Text, number
from engine.lr.scheduled import Length, ScheduledLR
from engine.messages.schedule_view import PlateauView
from engine.recipe.recipe import LR_MAX
from engine.schedules import ReduceLROnPlateau, ScheduleSpec
from engine.schedules.base import Share, shares


@dataclass
class GroupLR:
    """One group's scheduled LR and what was set.

    ``momentum`` (or first beta) is the last one that was given; ``end_said``: see ``LRControl.ended``.
    """

    name: str
    scheduled: ScheduledLR
    hold: float | None = None
    set_to: float | None = None  # v of the rule
    scheduled_then: float | None = None  # p of the rule
    momentum: float | None = None
    end_said: bool = False

    @property
    def lr(self) -> float:
        """The current LR."""
        return self.hold if self.hold is not None else self.following(self.scheduled.value)

    @property
    def touched(self) -> bool:
        """Whether the LR is held or was set."""
        return self.hold is not None or self.set_to is not None

    def following(self, scheduled: float) -> float:
        """The LR at a scheduled LR of ``scheduled``, if the group is not held."""
        if self.set_to is None or self.scheduled_then is None:
            return scheduled
        return self.set_to * (scheduled / self.scheduled_then)

    def set(self, lr: float, hold: bool) -> None:
        """Set the LR: held, or following the schedule from here.

        Raises:
            Rejected: as ``check``.
        """
        self.check(lr, hold)
        if hold:
            self.hold, self.set_to, self.scheduled_then = lr, None, None
            return
        self.hold, self.set_to, self.scheduled_then = None, lr, self.scheduled.value

    def check(self, lr: float, hold: bool) -> None:
        """Check that the LR can be set.

        Raises:
            Rejected: it would follow a scheduled LR of 0, or is above the largest allowed.
        """
        if not math.isfinite(lr) or lr > LR_MAX:
            raise Rejected(
                Text("the LR would be {lr}; the largest allowed is {largest}", lr=number(lr), largest=number(LR_MAX))
            )
        if not hold and self.scheduled.value == 0:
            raise Rejected(
                Text(
                    "the scheduled LR of group {group} is 0 here, so it cannot be followed; hold the LR instead",
                    group=self.name,
                ),
                hold=True,
            )

    def release(self) -> None:
        """Return to the schedule."""
        self.hold = self.set_to = self.scheduled_then = None


@dataclass(frozen=True)
class ScheduledChange:
    """The schedule of ``group`` changed its LR from ``old`` to ``new`` (as followed) at a single position."""

    group: str
    schedule: str
    old: float
    new: float
    text: Text


def change_of(group: GroupLR, before: float, after: float, plateau: PlateauView | None) -> ScheduledChange:
    """The change of the scheduled LR of ``group`` from ``before`` to ``after``.

    ``plateau`` is what a schedule driven by a metric had counted until then.
    """
    spec = group.scheduled.spec
    old, new = group.following(before), group.following(after)
    name = spec.model_dump()["name"] if plateau is None else ReduceLROnPlateau.__name__
    values = {"schedule": name, "old": number(old), "new": number(new)}
    if plateau is not None and plateau.best is not None:
        text = Text(
            "{schedule} {old} -> {new}: no improvement on {best} for {bad} epochs",
            **values,
            best=number(plateau.best),
            bad=plateau.bad_epochs + 1,
        )
    elif group.hold is not None:
        text = Text("{schedule} {old} -> {new} in the schedule; the LR stays held", **values)
    else:
        text = Text("{schedule} {old} -> {new}", **values)
    return ScheduledChange(group.name, values["schedule"], old, new, text)


def for_group(schedule: ScheduleSpec, index: int, count: int, share: Share) -> ScheduleSpec:
    """The part of ``schedule`` for the group at ``index`` of ``count``, with that ``share`` of the highest LR.

    Raises:
        ScheduleError: it lists another number of values.
    """
    listed = schedule.listed()
    if listed is not None and listed[1] != count:
        raise ScheduleError(f"lists {listed[1]} values for {count} group(s); give one, or one per group", listed[0])
    return schedule.for_group(index, share)


def levels_text(schedule: ScheduleSpec, names: Sequence[str], lrs: Sequence[float]) -> Text | None:
    """Which group gets the LRs that ``schedule`` sets itself, and what the others get; None if all get the same.

    ``names`` and ``lrs`` are those of the groups that the schedule is for.
    """
    parts = [schedule.for_group(index, share) for index, share in enumerate(shares(lrs))]
    if schedule.group_count() is not None or all(part == parts[0] for part in parts):
        return None
    highest = max(lrs)
    return Text(
        "{schedule} sets its own LRs: group {first} gets them as given, and the other groups in proportion to their "
        "own LRs ({others}); a list gives each group its own",
        schedule=schedule.model_dump()["name"],
        first=names[lrs.index(highest)],
        others=", ".join(
            f"{name} ×{number(lr / highest)}" for name, lr in zip(names, lrs, strict=True) if lr != highest
        ),
    )


def steps_ahead(scheduled: ScheduledLR, epochs: int, epochs_done: int, length: Length, steps_done: int) -> int:
    """Number of positions of ``scheduled`` after its present one, until the end of the run."""
    if scheduled.spec.interval == "epoch":
        return max(0, epochs - epochs_done - 1)
    return max(0, epochs * length.steps_per_epoch - steps_done - 1)
