"""Schedules made of schedules, and the union of them all. What PyTorch cannot run is refused here, by its field."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Annotated, Any, ClassVar, Final, Literal, Self

from pydantic import BeforeValidator, Field, field_validator, model_validator

from engine.common.spec import SpecError
from engine.common.text import Text
from engine.schedules.adaptive import ReduceLROnPlateau
from engine.schedules.base import ScheduleSpec
from engine.schedules.custom import LambdaLR, MultiplicativeLR
from engine.schedules.cyclic import CosineAnnealingWarmRestarts, CyclicLR, OneCycleLR
from engine.schedules.drawn import Drawn
from engine.schedules.ordered import (
    COUNTS,
    Constant,
    ConstantLR,
    CosineAnnealingLR,
    ExponentialLR,
    LinearLR,
    MultiStepLR,
    PolynomialLR,
    StepLR,
)

DEEPEST: Final = 5


class ComposedSpec(ScheduleSpec):
    """What SequentialLR and ChainedScheduler share: ``schedulers``, all on one clock, none driven by a metric.

    A stage without an ``interval`` of its own has the whole's.
    """

    family: ClassVar[Literal["ordered"]] = "ordered"

    schedulers: tuple[AnySchedule, ...] = Field(
        min_length=1, max_length=50, title="schedulers", description="The schedules that it is made of, in order."
    )

    @model_validator(mode="before")
    @classmethod
    def _stages_have_the_whole_interval(cls, value: Any) -> Any:
        if not isinstance(value, dict) or not isinstance(value.get("schedulers"), (list, tuple)):
            return value
        if _deeper_than(value, DEEPEST):
            raise SpecError("schedulers", f"schedules within schedules may be at most {DEEPEST} deep")
        whole = value.get("interval", cls.model_fields["interval"].default)
        return {**value, "schedulers": tuple(_with_interval(stage, whole) for stage in value["schedulers"])}

    @model_validator(mode="after")
    def _one_clock_and_no_metric(self) -> Self:
        for index, stage in enumerate(self.schedulers):
            if isinstance(stage, ReduceLROnPlateau):
                raise SpecError(
                    f"schedulers[{index}].name",
                    f"ReduceLROnPlateau cannot stand in a {type(self).__name__}: PyTorch gives it no metric there",
                )
            if stage.interval != self.interval:
                raise SpecError(
                    f"schedulers[{index}].interval",
                    f"must be {self.interval!r} like the whole's; it is {stage.interval!r}",
                )
        counts = [(index, stage.per_group()) for index, stage in enumerate(self.schedulers)]
        listed = [(index, count) for index, count in counts if count is not None]
        for index, count in listed[1:]:
            if count != listed[0][1]:
                raise SpecError(
                    f"schedulers[{index}].lr_lambda",
                    f"lists {count} expressions where schedulers[{listed[0][0]}] lists {listed[0][1]}",
                )
        return self

    def leaves(self) -> Iterator[ScheduleSpec]:
        """The schedules that are not made of others, in the order in which they are built."""
        for stage in self.schedulers:
            if isinstance(stage, ComposedSpec):
                yield from stage.leaves()
            else:
                yield stage

    def cycles_momentum(self) -> bool:
        """Whether any part does."""
        return any(stage.cycles_momentum() for stage in self.schedulers)

    def for_group(self, index: int) -> Self:
        """The same, each part for group ``index`` alone."""
        return self.model_copy(update={"schedulers": tuple(stage.for_group(index) for stage in self.schedulers)})

    def per_group(self) -> int | None:
        """The number of expressions that a part lists, or None."""
        return next((count for stage in self.schedulers if (count := stage.per_group()) is not None), None)

    def warnings(self) -> list[Text]:
        """What the parts warn of."""
        return [warning for stage in self.schedulers for warning in stage.warnings()]


class SequentialLR(ComposedSpec):
    """One schedule after another: each begins anew, on the base rate, when its milestone is reached."""

    formula: ClassVar[str] = "schedulers[i], counted from milestones[i-1] on"
    when: ClassVar[str] = "A warm-up and then another schedule; stages of different kinds."
    docs: ClassVar[str] = "torch.optim.lr_scheduler.SequentialLR"

    name: Literal["SequentialLR"] = "SequentialLR"
    milestones: tuple[Annotated[int, Field(ge=1, le=10_000_000)], ...] = Field(
        (),
        max_length=49,
        title="milestones",
        description="Completed epochs at which the next schedule takes over: one fewer than schedulers.",
        json_schema_extra=COUNTS,
    )

    @field_validator("milestones")
    @classmethod
    def _increasing(cls, value: tuple[int, ...]) -> tuple[int, ...]:
        if any(later <= earlier for earlier, later in pairwise(value)):
            raise SpecError("", f"must be in increasing order, each once; it is {list(value)}")
        return value

    @model_validator(mode="after")
    def _what_pytorch_can_run(self) -> Self:
        wanted = len(self.schedulers) - 1
        if len(self.milestones) != wanted:
            raise SpecError(
                "milestones",
                f"must be one fewer than schedulers: {wanted} for {wanted + 1}; there are {len(self.milestones)}",
            )
        for index, stage in enumerate(self.schedulers[1:], 1):
            if isinstance(stage, ComposedSpec):
                raise SpecError(
                    f"schedulers[{index}].name",
                    f"{type(stage).__name__} can only come first in a SequentialLR: PyTorch cannot begin it later",
                )
        return self

    def own_level(self) -> bool:
        """Whether every part says where it starts, or the first does so for all."""
        leaves = list(self.leaves())
        return isinstance(leaves[0], (CyclicLR, OneCycleLR)) or all(leaf.own_level() for leaf in leaves)

    def warnings(self) -> list[Text]:
        """What the parts warn of, and a habit of PyTorch's that surprises."""
        found = super().warnings()
        if any(isinstance(stage, OneCycleLR) for stage in self.schedulers[1:]):
            found.append(
                Text(
                    "PyTorch starts a SequentialLR that has a OneCycleLR in it from that one's first rate, "
                    "max_lr / div_factor, and not from the base rate"
                )
            )
        return found


class ChainedScheduler(ComposedSpec):
    """Several schedules at once: each multiplies what the others made of the rate."""

    formula: ClassVar[str] = "lr × the factors of all schedulers"
    when: ClassVar[str] = "Two rules together: a warm-up over a decay, cuts on top of a cosine."
    docs: ClassVar[str] = "torch.optim.lr_scheduler.ChainedScheduler"

    name: Literal["ChainedScheduler"] = "ChainedScheduler"

    def own_level(self) -> bool:
        """Whether any part says where it starts: it overrules the others at every step."""
        return any(stage.own_level() for stage in self.schedulers)


def path_of(part: ScheduleSpec, whole: ScheduleSpec) -> str:
    """Where ``part``, the very object, stands in ``whole``, such as schedulers[1]; empty where it is all of it."""
    for index, stage in enumerate(whole.schedulers) if isinstance(whole, ComposedSpec) else ():
        inner = path_of(part, stage)
        if inner or stage is part:
            return f"schedulers[{index}].{inner}".removesuffix(".")
    return ""


def _with_interval(stage: Any, whole: Any) -> Any:
    if isinstance(stage, ScheduleSpec):
        return stage if "interval" in stage.model_fields_set else stage.model_copy(update={"interval": whole})
    if not isinstance(stage, dict) or "interval" in stage or stage.get("name") == "ReduceLROnPlateau":
        return stage
    return {**stage, "interval": whole}


def _deeper_than(value: Any, levels: int) -> bool:
    """Whether ``value`` nests schedulers more than ``levels`` deep; looks no deeper, so that nothing can exhaust it."""
    row = [value]
    for _ in range(levels + 1):
        stages = [item.get("schedulers") for item in row if isinstance(item, dict)]
        stages += [item.schedulers for item in row if isinstance(item, ComposedSpec)]
        row = [item for listed in stages if isinstance(listed, (list, tuple)) for item in listed]
    return bool(row)


def _canonical(value: Any) -> Any:
    if isinstance(value, dict) and value.get("name") == "constant":
        return {**value, "name": "Constant"}
    return value


AnySchedule = Annotated[
    Annotated[
        Constant
        | StepLR
        | MultiStepLR
        | ConstantLR
        | LinearLR
        | ExponentialLR
        | PolynomialLR
        | CosineAnnealingLR
        | CosineAnnealingWarmRestarts
        | CyclicLR
        | OneCycleLR
        | SequentialLR
        | ChainedScheduler
        | ReduceLROnPlateau
        | LambdaLR
        | MultiplicativeLR
        | Drawn,
        Field(discriminator="name"),
    ],
    BeforeValidator(_canonical),
]
for _kind in (SequentialLR, ChainedScheduler):
    _kind.model_rebuild()
