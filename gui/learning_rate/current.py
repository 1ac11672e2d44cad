"""The confirmed rates of a run's parameter groups, and the commands that change them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from engine.messages.commands import MAX_FACTOR, ReleaseLR, ScaleLR, SetLR
from gui.core.lr_text import lr_text
from gui.core.translation import tr

Mode = Literal["follow", "hold"]
LRCommand = SetLR | ScaleLR | ReleaseLR


@dataclass(frozen=True)
class Rates:
    """What an event confirmed, one entry a group: the rate in force, the plan's own, and what the hand did to it."""

    groups: tuple[str, ...]
    lr: tuple[float, ...]
    plan: tuple[float, ...]
    holding: tuple[bool, ...]
    touched: tuple[bool, ...]

    def of(self, group: str | None) -> Rates:
        """The same of ``group`` alone; of every group where it is None."""
        if group is None:
            return self
        i = self.groups.index(group)
        return Rates((group,), (self.lr[i],), (self.plan[i],), (self.holding[i],), (self.touched[i],))

    @property
    def reference(self) -> int:
        """The group that a typed rate is meant for when several are chosen: the fastest one."""
        return max(range(len(self.lr)), key=self.lr.__getitem__)

    @property
    def reference_lr(self) -> float:
        """The rate in force of the reference group."""
        return self.lr[self.reference]

    @property
    def mode(self) -> Mode | None:
        """Whether the groups follow or are held; None where they differ."""
        if len(set(self.holding)) > 1:
            return None
        return "hold" if self.holding[0] else "follow"

    @property
    def by_hand(self) -> bool:
        """Whether any group is not simply on its plan."""
        return any(self.touched) or any(self.holding)

    def big(self) -> str:
        """The number that stands large in the panel: the rate, or the range of them."""
        low, high = lr_text(min(self.lr), 4), lr_text(max(self.lr), 4)
        return high if low == high else tr("{low} – {high}", low=low, high=high)

    def chip(self) -> str:
        """What the hand did, in two words; empty where the plan alone speaks."""
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

    def plan_text(self) -> str | None:
        """The plan's rate, where the groups have the same one."""
        texts = {lr_text(p, 4) for p in self.plan}
        return texts.pop() if len(texts) == 1 else None

    def _factor(self, i: int) -> str:
        if not self.touched[i] or self.plan[i] == 0:
            return ""
        factor = lr_text(self.lr[i] / self.plan[i], 3)
        return "" if factor == "1" else factor


def set_command(lrs: Rates, group: str | None, value: float, mode: Mode | None) -> SetLR | ScaleLR:
    """The command that brings the chosen groups to ``value``.

    One group is set. Several are scaled, so that they keep their proportions: ``value`` is then what the fastest of
    them gets. ``mode`` None leaves held what is held.

    Raises:
        ValueError: several groups cannot be scaled to it; the message is for the person.
    """
    chosen = lrs.of(group)
    if len(chosen.lr) == 1:
        return SetLR(lr=value, then=mode or "keep", group=group)
    if chosen.reference_lr == 0:
        raise ValueError(tr("Every group's LR is 0, which no factor changes. Choose one group."))
    factor = value / chosen.reference_lr
    if factor == 0:
        raise ValueError(tr("All groups are scaled together, which cannot give 0. Choose one group."))
    if factor > MAX_FACTOR:
        raise ValueError(tr("That is more than a million times the current LR. Choose one group."))
    return ScaleLR(factor=factor, then="keep" if mode == chosen.mode else mode or "keep")
