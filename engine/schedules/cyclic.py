"""Cyclical schedules: warm restarts, repeated cycles, and one cycle over the whole run."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Final, Literal, Self

from pydantic import Field, field_validator, model_validator

from engine.common.errors import SpecError
from engine.common.text import Text
from engine.schedules.base import (
    COUNTS,
    WHOLE,
    Interval,
    Level,
    LevelAboveZero,
    ScheduleSpec,
    Share,
    advanced,
    highest,
    usual,
)
from engine.schedules.custom import valid_expression

Count = Annotated[int, Field(ge=1, le=10_000_000)]
Momentum = Annotated[float, Field(ge=0, lt=1)]
_MOST_HALVINGS: Final = 1000  # PyTorch divides by 2.0**n, which overflows at 1024
_PER_STEP: Final[dict[str, Any]] = {
    "title": "Stepped once per",
    "description": "Whether the schedule is stepped after every optimizer step (batch), as usual, or every epoch.",
    "json_schema_extra": advanced(),
}
_REVERSED_MOMENTUM: Final = Text(
    "max_momentum is less than base_momentum, so momentum rises and falls with the LR instead of inversely."
)


class CosineAnnealingWarmRestarts(ScheduleSpec):
    """Anneals the learning rate to eta_min along half a cosine, then restarts. Each cycle is T_mult times as long."""

    family: ClassVar[Literal["ordered"]] = "ordered"
    formula: ClassVar[str] = "eta_min + (lr - eta_min) (1 + cos(π T_cur / T_i)) / 2, T_i = T_0, T_0 T_mult, ..."
    when: ClassVar[str] = "Long runs: each restart lets the weights leave the minimum they have reached."
    docs: ClassVar[str] = "torch.optim.lr_scheduler.CosineAnnealingWarmRestarts (Loshchilov and Hutter, SGDR, 2017)"
    bounded: ClassVar[bool] = True

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
        description="What the length of a cycle is multiplied by after each restart.",
        json_schema_extra=usual(1, 2),
    )
    eta_min: float = Field(
        0.0, ge=0, le=1000, title="eta_min", description="Minimum LR.", json_schema_extra=usual(0, 1e-4)
    )


class CyclicLR(ScheduleSpec):
    """Cycles the learning rate between base_lr and max_lr, and momentum inversely."""

    family: ClassVar[Literal["ordered"]] = "ordered"
    formula: ClassVar[str] = "base_lr + (max_lr - base_lr) × a triangle wave from 0 to 1"
    when: ClassVar[str] = "When no single LR is known to work: a whole range is used, again and again."
    docs: ClassVar[str] = "torch.optim.lr_scheduler.CyclicLR (Smith, Cyclical Learning Rates, 2015)"

    name: Literal["CyclicLR"] = "CyclicLR"
    interval: Interval = Field("step", **_PER_STEP)
    base_lr: Level = Field(
        title="base_lr", description="Lowest LR, at the start of each cycle; or one for each group: 0.01, 0.1."
    )
    max_lr: Level = Field(
        title="max_lr",
        description="Highest LR; base_lr is usually a third to a tenth of it. Or one for each group: 0.01, 0.1.",
    )
    step_size_up: Count = Field(
        2000,
        title="step_size_up",
        description="Steps (epochs, if stepped once per epoch) from base_lr up to max_lr.",
        json_schema_extra=COUNTS,
    )
    step_size_down: Count | None = Field(
        None,
        title="step_size_down",
        description="Steps from max_lr down to base_lr; empty: as many as step_size_up.",
        json_schema_extra=COUNTS,
    )
    mode: Literal["triangular", "triangular2", "exp_range"] = Field(
        "triangular",
        title="mode",
        description="triangular: equal cycles. triangular2: each half as high. exp_range: height × gamma^steps.",
    )
    gamma: float = Field(
        1.0,
        gt=0,
        le=10,
        title="gamma",
        description="With exp_range: what the height is multiplied by at every step.",
        json_schema_extra={**usual(0.999, 1), **advanced()},
    )
    scale_fn: str | None = Field(
        None,
        title="scale_fn",
        description="Used instead of mode: an expression in x for the height, such as 0.5**(x - 1).",
        json_schema_extra=advanced(),
    )
    scale_mode: Literal["cycle", "iterations"] = Field(
        "cycle",
        title="scale_mode",
        description="What x in scale_fn counts: cycles from 1, or steps (iterations) from 0.",
        json_schema_extra=advanced(),
    )
    cycle_momentum: bool = Field(
        True, title="cycle_momentum", description="Cycle momentum (or the first beta) inversely to the LR."
    )
    base_momentum: Momentum = Field(
        0.8,
        title="base_momentum",
        description="Lowest momentum, at the highest LR.",
        json_schema_extra={**usual(0.8, 0.85), **advanced()},
    )
    max_momentum: Momentum = Field(
        0.9,
        title="max_momentum",
        description="Highest momentum, at the lowest LR.",
        json_schema_extra={**usual(0.9, 0.95), **advanced()},
    )

    @field_validator("scale_fn")
    @classmethod
    def _check_expression(cls, value: str | None) -> str | None:
        return value if value is None else valid_expression(value, ("x",))

    @model_validator(mode="after")
    def _check_lists(self) -> Self:
        low, high = self.base_lr, self.max_lr
        if isinstance(low, tuple) and isinstance(high, tuple) and len(low) != len(high):
            raise SpecError("max_lr", f"must list {len(low)} values, as many as base_lr; it lists {len(high)}")
        return self

    def for_group(self, index: int, share: Share = WHOLE) -> Self:
        """The schedule with the LRs of group ``index`` alone."""
        return self.model_copy(
            update={"base_lr": share.of(self.base_lr, index), "max_lr": share.of(self.max_lr, index)}
        )

    def listed(self) -> tuple[str, int] | None:
        """One of base_lr and max_lr, if it lists an LR per group."""
        for name, level in (("base_lr", self.base_lr), ("max_lr", self.max_lr)):
            if isinstance(level, tuple):
                return name, len(level)
        return None

    def usable_throughout(self, base: float, last: int, span: int) -> bool:
        """Whether the height of its cycles has no expression, does not grow, and PyTorch does not divide by 2**1024."""
        cycles = last // (self.step_size_up + (self.step_size_down or self.step_size_up)) + 1
        return self.scale_fn is None and (
            self.mode == "triangular"
            or (self.mode == "exp_range" and self.gamma <= 1)
            or (self.mode == "triangular2" and cycles <= _MOST_HALVINGS)
        )

    def ignores_base_lr(self) -> bool:
        """True: it starts at base_lr."""
        return True

    def cycles_momentum(self) -> bool:
        """The value of ``cycle_momentum``."""
        return self.cycle_momentum

    def warnings(self) -> list[Text]:
        """One warning for each pair of bounds whose order is reversed."""
        found = []
        if highest(self.max_lr) < highest(self.base_lr):
            found.append(Text("max_lr is less than base_lr, so each cycle goes down from base_lr first."))
        if self.cycle_momentum and self.max_momentum < self.base_momentum:
            found.append(_REVERSED_MOMENTUM)
        return found


class OneCycleLR(ScheduleSpec):
    """Raises the learning rate to max_lr, then anneals it to far below its first value, in one cycle over the run."""

    family: ClassVar[Literal["ordered"]] = "ordered"
    formula: ClassVar[str] = "max_lr / div_factor up to max_lr, then down to max_lr / div_factor / final_div_factor"
    when: ClassVar[str] = "Fast training to a good result in a known number of epochs, at a high LR."
    docs: ClassVar[str] = "torch.optim.lr_scheduler.OneCycleLR (Smith and Topin, Super-Convergence, 2018)"

    name: Literal["OneCycleLR"] = "OneCycleLR"
    interval: Interval = Field("step", **_PER_STEP)
    max_lr: LevelAboveZero = Field(
        title="max_lr", description="Highest LR, at the top of the cycle; or one for each group: 0.01, 0.1."
    )
    total_steps: Count | None = Field(
        None,
        title="total_steps",
        description="Steps (epochs, if stepped once per epoch) of the cycle; empty: those of the run. After it the LR "
        "stays at its last value.",
        json_schema_extra={**COUNTS, **advanced()},
    )
    epochs: Count | None = Field(
        None,
        title="epochs",
        description="With steps_per_epoch, instead of total_steps: epochs of the cycle.",
        json_schema_extra=advanced(),
    )
    steps_per_epoch: Count | None = Field(
        None,
        title="steps_per_epoch",
        description="With epochs, instead of total_steps: steps per epoch of the cycle.",
        json_schema_extra=advanced(),
    )
    pct_start: float = Field(
        0.3,
        ge=0,
        le=1,
        title="pct_start",
        description="Share of the run in which the LR rises.",
        json_schema_extra=usual(0.2, 0.4),
    )
    anneal_strategy: Literal["cos", "linear"] = Field(
        "cos", title="anneal_strategy", description="Whether the LR follows a cosine or a straight line."
    )
    cycle_momentum: bool = Field(
        True, title="cycle_momentum", description="Cycle momentum (or the first beta) inversely to the LR."
    )
    base_momentum: Momentum = Field(
        0.85,
        title="base_momentum",
        description="Lowest momentum, at the highest LR.",
        json_schema_extra={**usual(0.8, 0.85), **advanced()},
    )
    max_momentum: Momentum = Field(
        0.95,
        title="max_momentum",
        description="Highest momentum, at the lowest LR.",
        json_schema_extra={**usual(0.9, 0.95), **advanced()},
    )
    div_factor: float = Field(
        25.0,
        gt=0,
        le=1e9,
        title="div_factor",
        description="The first LR is max_lr divided by this.",
        json_schema_extra=usual(10, 25),
    )
    final_div_factor: float = Field(
        1e4,
        gt=0,
        le=1e9,
        title="final_div_factor",
        description="The last LR is the first one divided by this.",
        json_schema_extra=usual(100, 1e4),
    )
    three_phase: bool = Field(
        False,
        title="three_phase",
        description="Return to the first LR as fast as it rose, then go below it in a third phase.",
        json_schema_extra=advanced(),
    )

    @model_validator(mode="after")
    def _check_length(self) -> Self:
        product = self._product()
        if self.total_steps is None and product is None and (self.epochs or self.steps_per_epoch):
            missing, there = ("epochs", "steps_per_epoch") if self.epochs is None else ("steps_per_epoch", "epochs")
            raise SpecError(missing, f"is required with {there}; or give total_steps, or none of them")
        if self.total_steps is not None and product not in (None, self.total_steps):
            raise SpecError("total_steps", f"must be epochs × steps_per_epoch, {product}; it is {self.total_steps}")
        return self

    def _product(self) -> int | None:
        if self.epochs is None or self.steps_per_epoch is None:
            return None
        return self.epochs * self.steps_per_epoch

    def cycle(self) -> int | None:
        """The number of positions of the cycle, if it is given; None if it is that of the run."""
        return self.total_steps or self._product()

    def for_group(self, index: int, share: Share = WHOLE) -> Self:
        """The schedule with the max_lr of group ``index`` alone."""
        return self.model_copy(update={"max_lr": share.of(self.max_lr, index)})

    def listed(self) -> tuple[str, int] | None:
        """max_lr, if it lists an LR per group."""
        return ("max_lr", len(self.max_lr)) if isinstance(self.max_lr, tuple) else None

    def usable_throughout(self, base: float, last: int, span: int) -> bool:
        """Whether its one cycle is not over, or has a length of its own."""
        return self.cycle() is not None or last < span

    def ignores_base_lr(self) -> bool:
        """True: it starts at max_lr / div_factor."""
        return True

    def cycles_momentum(self) -> bool:
        """The value of ``cycle_momentum``."""
        return self.cycle_momentum

    def warnings(self) -> list[Text]:
        """One warning if the order of the momentum bounds is reversed."""
        if not self.cycle_momentum or self.base_momentum <= self.max_momentum:
            return []
        return [_REVERSED_MOMENTUM]
