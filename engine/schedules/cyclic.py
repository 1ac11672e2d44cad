"""Schedules that rise again: warm restarts, cycles, and the one cycle of a whole run."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Final, Literal

from pydantic import Field, field_validator

from engine.common.text import Text
from engine.schedules.base import Interval, ScheduleSpec, advanced, usual
from engine.schedules.custom import checked
from engine.schedules.ordered import COUNTS

Count = Annotated[int, Field(ge=1, le=10_000_000)]
Momentum = Annotated[float, Field(ge=0, lt=1)]
_PER_STEP: Final[dict[str, Any]] = {
    "title": "Stepped once per",
    "description": "Whether the schedule moves on after every epoch or after every optimizer step (batch), as it was "
    "made to.",
    "json_schema_extra": advanced(),
}


class CosineAnnealingWarmRestarts(ScheduleSpec):
    """Half a cosine down to eta_min in T_0 epochs, then back to the top at once; each cosine T_mult times as long."""

    family: ClassVar[Literal["ordered"]] = "ordered"
    formula: ClassVar[str] = "eta_min + (lr - eta_min) (1 + cos(π T_cur / T_i)) / 2, T_i = T_0, T_0 T_mult, ..."
    when: ClassVar[str] = "Long runs: each restart shakes the weights out of where they settled."
    docs: ClassVar[str] = "torch.optim.lr_scheduler.CosineAnnealingWarmRestarts (Loshchilov and Hutter, SGDR, 2017)"

    name: Literal["CosineAnnealingWarmRestarts"] = "CosineAnnealingWarmRestarts"
    T_0: Count = Field(
        title="T_0",
        description="Epochs until the first restart.",
        json_schema_extra={**usual(5, 50), **COUNTS},
    )
    T_mult: int = Field(
        1,
        ge=1,
        le=1000,
        title="T_mult",
        description="How many times as long each cosine is as the one before.",
        json_schema_extra=usual(1, 2),
    )
    eta_min: float = Field(
        0.0, ge=0, le=1000, title="eta_min", description="Lowest rate.", json_schema_extra=usual(0, 1e-4)
    )


class CyclicLR(ScheduleSpec):
    """Goes up and down between base_lr and max_lr, and momentum the other way."""

    family: ClassVar[Literal["ordered"]] = "ordered"
    formula: ClassVar[str] = "base_lr + (max_lr - base_lr) × height of the triangle, 0 to 1"
    when: ClassVar[str] = "When no single rate is known to be good: it visits them all, again and again."
    docs: ClassVar[str] = "torch.optim.lr_scheduler.CyclicLR (Smith, Cyclical Learning Rates, 2015)"

    name: Literal["CyclicLR"] = "CyclicLR"
    interval: Interval = Field("step", **_PER_STEP)
    base_lr: float = Field(ge=0, le=1000, title="base_lr", description="Lowest rate, where each cycle begins.")
    max_lr: float = Field(
        ge=0, le=1000, title="max_lr", description="Highest rate; base_lr is usually a third to a tenth of it."
    )
    step_size_up: Count = Field(
        2000,
        title="step_size_up",
        description="Steps (epochs, where it is stepped once an epoch) from base_lr up to max_lr.",
        json_schema_extra=COUNTS,
    )
    step_size_down: Count | None = Field(
        None,
        title="step_size_down",
        description="Steps from max_lr down again; empty: as many as up.",
        json_schema_extra=COUNTS,
    )
    mode: Literal["triangular", "triangular2", "exp_range"] = Field(
        "triangular",
        title="mode",
        description="triangular: equal cycles. triangular2: each half as high. exp_range: height times gamma^steps.",
    )
    gamma: float = Field(
        1.0,
        gt=0,
        le=10,
        title="gamma",
        description="Of exp_range: what the height is multiplied by at every step.",
        json_schema_extra={**usual(0.999, 1), **advanced()},
    )
    scale_fn: str | None = Field(
        None,
        title="scale_fn",
        description="In place of mode: an expression in x for the height, such as 0.5**(x - 1).",
        json_schema_extra=advanced(),
    )
    scale_mode: Literal["cycle", "iterations"] = Field(
        "cycle",
        title="scale_mode",
        description="What the x of scale_fn counts: cycles, from 1, or steps, from 0.",
        json_schema_extra=advanced(),
    )
    cycle_momentum: bool = Field(
        True, title="cycle_momentum", description="Move momentum (or the first beta) against the rate."
    )
    base_momentum: Momentum = Field(
        0.8,
        title="base_momentum",
        description="Lowest momentum, where the rate is highest.",
        json_schema_extra={**usual(0.8, 0.85), **advanced()},
    )
    max_momentum: Momentum = Field(
        0.9,
        title="max_momentum",
        description="Highest momentum, where the rate is lowest.",
        json_schema_extra={**usual(0.9, 0.95), **advanced()},
    )

    @field_validator("scale_fn")
    @classmethod
    def _readable(cls, value: str | None) -> str | None:
        return value if value is None else checked(value, ("x",))

    def own_level(self) -> bool:
        """It starts at base_lr."""
        return True

    def cycles_momentum(self) -> bool:
        """As ``cycle_momentum`` says."""
        return self.cycle_momentum

    def warnings(self) -> list[Text]:
        """One sentence each for bounds that are the wrong way round."""
        found = []
        if self.max_lr < self.base_lr:
            found.append(Text("max_lr is below base_lr: each cycle goes down first, below where it starts"))
        if self.cycle_momentum and self.max_momentum < self.base_momentum:
            found.append(Text("max_momentum is below base_momentum: momentum moves with the rate, not against it"))
        return found


class OneCycleLR(ScheduleSpec):
    """One cycle for the whole run: up to max_lr, then down to far below the start. Its steps are those of the run."""

    family: ClassVar[Literal["ordered"]] = "ordered"
    formula: ClassVar[str] = "max_lr / div_factor up to max_lr, then down to max_lr / div_factor / final_div_factor"
    when: ClassVar[str] = "Fast training to a good result in a known number of epochs, at a high rate."
    docs: ClassVar[str] = "torch.optim.lr_scheduler.OneCycleLR (Smith and Topin, Super-Convergence, 2018)"

    name: Literal["OneCycleLR"] = "OneCycleLR"
    interval: Interval = Field("step", **_PER_STEP)
    max_lr: float = Field(gt=0, le=1000, title="max_lr", description="Highest rate, at the cycle's top.")
    pct_start: float = Field(
        0.3,
        ge=0,
        le=1,
        title="pct_start",
        description="Share of the run in which the rate rises.",
        json_schema_extra=usual(0.2, 0.4),
    )
    anneal_strategy: Literal["cos", "linear"] = Field(
        "cos", title="anneal_strategy", description="Whether the rate moves along a cosine or a straight line."
    )
    cycle_momentum: bool = Field(
        True, title="cycle_momentum", description="Move momentum (or the first beta) against the rate."
    )
    base_momentum: Momentum = Field(
        0.85,
        title="base_momentum",
        description="Lowest momentum, where the rate is highest.",
        json_schema_extra={**usual(0.8, 0.85), **advanced()},
    )
    max_momentum: Momentum = Field(
        0.95,
        title="max_momentum",
        description="Highest momentum, where the rate is lowest.",
        json_schema_extra={**usual(0.9, 0.95), **advanced()},
    )
    div_factor: float = Field(
        25.0,
        gt=0,
        le=1e9,
        title="div_factor",
        description="The first rate is max_lr divided by this.",
        json_schema_extra=usual(10, 25),
    )
    final_div_factor: float = Field(
        1e4,
        gt=0,
        le=1e9,
        title="final_div_factor",
        description="The last rate is the first one divided by this.",
        json_schema_extra=usual(100, 1e4),
    )
    three_phase: bool = Field(
        False,
        title="three_phase",
        description="Come down to the first rate as fast as it rose, and only then go below it.",
        json_schema_extra=advanced(),
    )

    def own_level(self) -> bool:
        """It starts at max_lr / div_factor."""
        return True

    def cycles_momentum(self) -> bool:
        """As ``cycle_momentum`` says."""
        return self.cycle_momentum

    def warnings(self) -> list[Text]:
        """One sentence if the bounds of momentum are the wrong way round."""
        if not self.cycle_momentum or self.base_momentum <= self.max_momentum:
            return []
        return [Text("max_momentum is below base_momentum: momentum moves with the rate, not against it")]
