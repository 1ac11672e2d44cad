"""The current LRs of a run's parameter groups, and the commands that change them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, Literal

from engine.messages.commands import MAX_FACTOR, ReleaseLR, ScaleLR, SetLR
from gui.core.lr_text import lr_text
from gui.core.translation import tr

Mode = Literal["follow", "hold"]
Change = Mode | Literal["release"]
"""How the LR is to continue: on the schedule scaled to it, constant, or back on the schedule itself."""
LRCommand = SetLR | ScaleLR | ReleaseLR

JUMP: Final = 2.0
"""The factor of the LR above which a return to the schedule carries a warning."""


@dataclass(frozen=True)
class CurrentLRs:
    """What an event confirmed, one entry a group.

    Attributes:
        groups: the names of the groups.
        lr: the current LRs.
        scheduled: the scheduled LRs.
        holding: whether the LR is held.
        touched: whether an intervention set or scaled the LR, so that it is not simply the scheduled one.
    """

    groups: tuple[str, ...]
    lr: tuple[float, ...]
    scheduled: tuple[float, ...]
    holding: tuple[bool, ...]
    touched: tuple[bool, ...]

    def of(self, group: str | None) -> CurrentLRs:
        """The LRs of ``group`` alone; of all groups if it is None."""
        if group is None:
            return self
        i = self.groups.index(group)
        return CurrentLRs((group,), (self.lr[i],), (self.scheduled[i],), (self.holding[i],), (self.touched[i],))

    @property
    def reference(self) -> int:
        """The index of the group that a typed LR is meant for: the one with the highest LR."""
        return max(range(len(self.lr)), key=self.lr.__getitem__)

    @property
    def reference_lr(self) -> float:
        """The current LR of the reference group."""
        return self.lr[self.reference]

    @property
    def mode(self) -> Mode | None:
        """Whether the groups follow the schedule or are held; None if they differ."""
        if len(set(self.holding)) > 1:
            return None
        return "hold" if self.holding[0] else "follow"

    @property
    def changed(self) -> bool:
        """Whether the LR of any group is not simply the scheduled one."""
        return any(self.touched) or any(self.holding)

    def number_text(self) -> str:
        """The large number of the panel: the LR, or the range of the LRs."""
        low, high = lr_text(min(self.lr), 4), lr_text(max(self.lr), 4)
        return high if low == high else tr("{low} – {high}", low=low, high=high)

    def badge_text(self) -> str:
        """How the LR differs from the scheduled one, in two words; empty if it does not."""
        held = sum(self.holding)
        if held:
            return tr("held") if held == len(self.lr) else tr("{n} of {all} held", n=held, all=len(self.lr))
        factors = {self._factor(i) for i in range(len(self.lr))}
        if factors == {""}:
            return ""
        if len(factors) == 1:
            (factor,) = factors
            return tr("×{factor} of schedule", factor=factor) if factor else ""
        return tr("changed")

    def scheduled_text(self) -> str | None:
        """The scheduled LR; None if it differs between the groups."""
        texts = {lr_text(lr, 4) for lr in self.scheduled}
        return texts.pop() if len(texts) == 1 else None

    def _factor(self, i: int) -> str:
        if not self.touched[i] or self.scheduled[i] == 0:
            return ""
        factor = lr_text(self.lr[i] / self.scheduled[i], 3)
        return "" if factor == "1" else factor


def change_command(lrs: CurrentLRs, group: str | None, value: float, change: Change | None) -> LRCommand:
    """The command that changes the LR of ``group`` (None: of all) to ``value``, or returns it to the schedule.

    The LR of one group is set. Those of several groups are scaled, so that they keep their proportions: the highest
    becomes ``value``. With ``change`` None a held LR stays held, and a following one follows.

    Raises:
        ValueError: several groups cannot be scaled to it; the message is shown to the user.
    """
    if change == "release":
        return ReleaseLR(group=group)
    chosen = lrs.of(group)
    if len(chosen.lr) == 1:
        return SetLR(lr=value, then=change or "keep", group=group)
    if chosen.reference_lr == 0:
        raise ValueError(tr("Every group's LR is 0, which no factor changes. Choose one group."))
    factor = value / chosen.reference_lr
    if factor == 0:
        raise ValueError(tr("All groups are scaled together, which cannot give 0. Choose one group."))
    if factor > MAX_FACTOR:
        raise ValueError(tr("That is more than a million times the current LR. Choose one group."))
    return ScaleLR(factor=factor, then="keep" if change == chosen.mode else change or "keep")


def change_text(chosen: CurrentLRs, value: float, change: Change | None) -> str:
    """What the command of ``change_command`` does to the groups ``chosen``, as a sentence."""
    if change == "release":
        return _release_text(chosen)
    old, new = lr_text(chosen.reference_lr, 4), lr_text(value)
    if value == chosen.reference_lr:
        if change == "hold":
            return tr("{lr} is held from the next batch on.", lr=old)
        return tr("The schedule continues from {lr} at the next batch.", lr=old)
    if len(set(chosen.lr)) == 1:
        return tr("{old} -> {new} at the next batch.", old=old, new=new)
    group = chosen.groups[chosen.reference]
    return tr("{group} {old} -> {new} at the next batch, the others in proportion.", group=group, old=old, new=new)


def _release_text(chosen: CurrentLRs) -> str:
    """The LRs that a return to the schedule changes, with a warning if one becomes more than twice as high or low."""
    pairs = [
        (name, lr, scheduled)
        for name, lr, scheduled in zip(chosen.groups, chosen.lr, chosen.scheduled, strict=True)
        if lr != scheduled
    ]
    if not pairs:
        return tr("The LR stays {lr}, and changes with the schedule again.", lr=chosen.number_text())
    changes = [tr("{old} -> {new}", old=lr_text(lr, 4), new=lr_text(scheduled, 4)) for _, lr, scheduled in pairs]
    if len(pairs) < len(chosen.lr) or len(set(changes)) > 1:
        changes = [f"{name} {change}" for (name, _, _), change in zip(pairs, changes, strict=True)]
    text = tr("{changes} at the next batch.", changes=", ".join(dict.fromkeys(changes)))
    factors = [scheduled / lr for _, lr, scheduled in pairs if lr]
    furthest = max(factors, key=lambda factor: max(factor, 1 / factor) if factor else math.inf, default=1.0)
    if 1 / JUMP <= furthest <= JUMP:
        return text
    return tr("{text} ⚠ The LR jumps to ×{factor}.", text=text, factor=lr_text(furthest, 3))
