"""Schedules composed of other schedules, and the union of all schedules.

Compositions that PyTorch cannot run raise a SpecError here that names the field.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Annotated, Any, ClassVar, Final, Literal, Self

from pydantic import BeforeValidator, Field, field_validator, model_validator

from engine.common.errors import SpecError
from engine.common.text import Text
from engine.schedules.adaptive import ReduceLROnPlateau
from engine.schedules.base import COUNTS, WHOLE, ScheduleSpec, Share
from engine.schedules.custom import LambdaLR, MultiplicativeLR
from engine.schedules.cyclic import CosineAnnealingWarmRestarts, CyclicLR, OneCycleLR
from engine.schedules.drawn import Drawn
from engine.schedules.ordered import (
    Constant,
    ConstantLR,
    CosineAnnealingLR,
    ExponentialLR,
    LinearLR,
    MultiStepLR,
    PolynomialLR,
    StepLR,
)

MAX_DEPTH: Final = 5


class ComposedSpec(ScheduleSpec):
    """The base of SequentialLR and ChainedScheduler: ``schedulers`` with one interval.

    A scheduler without an ``interval`` gets that of the composed schedule. A metric can drive only the last stage of a
    SequentialLR that is not itself part of another schedule.
    """

    family: ClassVar[Literal["ordered"]] = "ordered"

    schedulers: tuple[AnySchedule, ...] = Field(
        min_length=1, max_length=50, title="schedulers", description="The schedules, in order."
    )

    @model_validator(mode="before")
    @classmethod
    def _pass_interval_on(cls, value: Any) -> Any:
        if not isinstance(value, dict) or not isinstance(value.get("schedulers"), (list, tuple)):
            return value
        if _deeper_than(value, MAX_DEPTH):
            raise SpecError("schedulers", f"schedules can be nested at most {MAX_DEPTH} deep")
        interval = value.get("interval", cls.model_fields["interval"].default)
        return {**value, "schedulers": tuple(_with_interval(stage, interval) for stage in value["schedulers"])}

    @model_validator(mode="after")
    def _check_schedulers(self) -> Self:
        for index, stage in enumerate(self.schedulers):
            if isinstance(stage, ReduceLROnPlateau) and not self._may_be_driven(index):
                raise SpecError(
                    f"schedulers[{index}].name",
                    "ReduceLROnPlateau can only be the last stage of a SequentialLR: nothing can follow it",
                )
            if metric_driven(stage) is not None and isinstance(stage, ComposedSpec):
                raise SpecError(
                    f"schedulers[{index}].schedulers[{len(stage.schedulers) - 1}].name",
                    f"ReduceLROnPlateau cannot be within a schedule that is part of a {type(self).__name__}",
                )
            if isinstance(stage, ReduceLROnPlateau) and self.interval != "epoch":
                raise SpecError(
                    "interval", "must be 'epoch' with a ReduceLROnPlateau: its metric is measured once per epoch"
                )
            if stage.interval != self.interval:
                raise SpecError(
                    f"schedulers[{index}].interval",
                    f"must be {self.interval!r} like that of the {type(self).__name__}; it is {stage.interval!r}",
                )
        lists = [(f"schedulers[{i}]", *found) for i, stage in enumerate(self.schedulers) if (found := stage.listed())]
        for path, name, count in lists[1:]:
            if count != lists[0][2]:
                raise SpecError(f"{path}.{name}", f"lists {count} values where {lists[0][0]} lists {lists[0][2]}")
        return self

    def _may_be_driven(self, index: int) -> bool:
        """Whether a metric may drive the scheduler at ``index``."""
        return False

    def parts(self) -> Sequence[ScheduleSpec]:
        """The schedules in it that are not composed of others, in the order in which they are built."""
        return [part for stage in self.schedulers for part in stage.parts()]

    def cycles_momentum(self) -> bool:
        """Whether any of the schedulers does."""
        return any(stage.cycles_momentum() for stage in self.schedulers)

    def for_group(self, index: int, share: Share = WHOLE) -> Self:
        """The composed schedule with each scheduler reduced to group ``index``."""
        return self.model_copy(update={"schedulers": tuple(stage.for_group(index, share) for stage in self.schedulers)})

    def listed(self) -> tuple[str, int] | None:
        """The first field of a scheduler that lists one value per group, with its path."""
        for index, stage in enumerate(self.schedulers):
            if found := stage.listed():
                return f"schedulers[{index}].{found[0]}", found[1]
        return None

    def warnings(self) -> list[Text]:
        """The warnings of all schedulers."""
        return [warning for stage in self.schedulers for warning in stage.warnings()]


class SequentialLR(ComposedSpec):
    """Runs one schedule after another. Each starts from the base learning rate at its milestone.

    PyTorch's cannot run ReduceLROnPlateau. Here it can be the last stage, and gets its metric from its milestone on.
    """

    formula: ClassVar[str] = "schedulers[i], with n counted from milestones[i-1]"
    when: ClassVar[str] = "A warm-up followed by another schedule; stages of different kinds."
    docs: ClassVar[str] = "torch.optim.lr_scheduler.SequentialLR"

    name: Literal["SequentialLR"] = "SequentialLR"
    milestones: tuple[Annotated[int, Field(ge=1, le=10_000_000)], ...] = Field(
        (),
        max_length=49,
        title="milestones",
        description="Completed epochs at which the next schedule starts; one fewer than schedulers.",
        json_schema_extra=COUNTS,
    )

    @field_validator("milestones")
    @classmethod
    def _increasing(cls, value: tuple[int, ...]) -> tuple[int, ...]:
        if any(later <= earlier for earlier, later in pairwise(value)):
            raise SpecError("", f"must be in strictly increasing order; it is {list(value)}")
        return value

    @model_validator(mode="after")
    def _check_stages(self) -> Self:
        count = len(self.schedulers) - 1
        if len(self.milestones) != count:
            raise SpecError(
                "milestones",
                f"must have {count} item(s), one fewer than schedulers; it has {len(self.milestones)}",
            )
        for index, stage in enumerate(self.schedulers[1:], 1):
            if isinstance(stage, ComposedSpec):
                raise SpecError(
                    f"schedulers[{index}].name",
                    f"{type(stage).__name__} can only be the first stage: PyTorch cannot start it later",
                )
        return self

    def usable_throughout(self, base: float, last: int, span: int) -> bool:
        """Whether it is certain for every stage, and none is composed itself."""
        return all(
            stage.usable_throughout(base, last, span) and not isinstance(stage, ComposedSpec)
            for stage in self.schedulers
        )

    def _may_be_driven(self, index: int) -> bool:
        return index == len(self.schedulers) - 1

    def ignores_base_lr(self) -> bool:
        """Whether every stage does, or the first overwrites the base LR for all of them."""
        parts = self.parts()
        return isinstance(parts[0], (CyclicLR, OneCycleLR)) or all(part.ignores_base_lr() for part in parts)

    def warnings(self) -> list[Text]:
        """The warnings of all stages, and one about where PyTorch starts a SequentialLR that has a OneCycleLR."""
        found = super().warnings()
        if any(isinstance(stage, OneCycleLR) for stage in self.schedulers[1:]):
            found.append(
                Text(
                    "PyTorch starts a SequentialLR that contains a OneCycleLR at max_lr / div_factor, the first LR of "
                    "that OneCycleLR, and not at the base LR."
                )
            )
        return found


class ChainedScheduler(ComposedSpec):
    """Applies several schedules at once; each multiplies the learning rate that the others give."""

    formula: ClassVar[str] = "lr × the factors of all schedulers"
    when: ClassVar[str] = "Two rules at once: a warm-up with a decay, steps on top of a cosine."
    docs: ClassVar[str] = "torch.optim.lr_scheduler.ChainedScheduler"

    name: Literal["ChainedScheduler"] = "ChainedScheduler"

    def usable_throughout(self, base: float, last: int, span: int) -> bool:
        """Whether it is certain for every scheduler, none is composed itself, and no cosine goes below its eta_min."""
        return all(
            stage.usable_throughout(base, last, span)
            and not isinstance(stage, ComposedSpec)
            and not (isinstance(stage, CosineAnnealingLR) and stage.eta_min > 0)
            for stage in self.schedulers
        )

    def ignores_base_lr(self) -> bool:
        """Whether any of the schedulers does: it overrules the others at every step."""
        return any(stage.ignores_base_lr() for stage in self.schedulers)


def metric_driven(spec: ScheduleSpec) -> ReduceLROnPlateau | None:
    """The part of ``spec`` that a metric drives: ``spec`` itself, or the last stage of a SequentialLR; else None."""
    last = spec.schedulers[-1] if isinstance(spec, SequentialLR) else spec
    return last if isinstance(last, ReduceLROnPlateau) else None


def path_of(part: ScheduleSpec, whole: ScheduleSpec) -> str:
    """The path of the object ``part`` inside ``whole``, such as ``schedulers[1]``; empty if it is ``whole``."""
    for index, stage in enumerate(whole.schedulers) if isinstance(whole, ComposedSpec) else ():
        inner = path_of(part, stage)
        if inner or stage is part:
            return f"schedulers[{index}].{inner}".removesuffix(".")
    return ""


def _with_interval(stage: Any, interval: Any) -> Any:
    if isinstance(stage, ScheduleSpec):
        return stage if "interval" in stage.model_fields_set else stage.model_copy(update={"interval": interval})
    if not isinstance(stage, dict) or "interval" in stage or stage.get("name") == "ReduceLROnPlateau":
        return stage
    return {**stage, "interval": interval}


def _deeper_than(value: Any, levels: int) -> bool:
    """Whether ``value`` nests schedulers more than ``levels`` deep. Looks no deeper, so any input takes little time."""
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
