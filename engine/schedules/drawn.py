"""A curve that is drawn: control points, and straight lines between them."""

from __future__ import annotations

import math
from bisect import bisect_right
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, field_validator, model_validator

from engine.schedules.base import ScheduleSpec
from engine.spec import SpecError

Point = tuple[Annotated[float, Field(ge=0, le=10_000_000)], Annotated[float, Field(ge=0, le=1000)]]


class Drawn(ScheduleSpec):
    """Straight lines between points that you set; before the first point and past the last the rate is level."""

    family: ClassVar[Literal["custom"]] = "custom"
    formula: ClassVar[str] = "the points (epochs completed, lr), joined on a log or a linear axis"
    when: ClassVar[str] = "Any curve that is easier drawn than written."
    docs: ClassVar[str] = "Tiller's own, as a torch.optim.lr_scheduler.LRScheduler"
    composed: ClassVar[bool] = True

    name: Literal["Drawn"] = "Drawn"
    points: tuple[Point, ...] = Field(
        min_length=1,
        max_length=10_000,
        title="points",
        description="Pairs of epochs completed since it began, and the rate there: [[0, 0.1], [30, 0.001]].",
    )
    scale: Literal["log", "linear"] = Field(
        "log",
        title="scale",
        description="The axis on which the lines are straight: log (equal factors in equal times) or linear.",
    )

    @field_validator("points", mode="before")
    @classmethod
    def _pairs(cls, value: Any) -> Any:
        # JSON has lists where a frozen value has tuples
        if not isinstance(value, (list, tuple)):
            return value
        return tuple(tuple(point) if isinstance(point, list) else point for point in value)

    @field_validator("points")
    @classmethod
    def _increasing(cls, value: tuple[Point, ...]) -> tuple[Point, ...]:
        for index in range(1, len(value)):
            before, here = value[index - 1][0], value[index][0]
            if here <= before:
                raise SpecError(
                    f"[{index}]", f"must stand to the right of the point before it ({before}); it is {here}"
                )
        return value

    @model_validator(mode="after")
    def _logarithms_of_something(self) -> Drawn:
        for index, (_, lr) in enumerate(self.points):
            if lr == 0 and self.scale == "log":
                raise SpecError(
                    f"points[{index}]", "has a rate of 0, which a log axis cannot show; set scale to linear"
                )
        return self

    def own_level(self) -> bool:
        """The points are rates."""
        return True

    def rate(self, x: float) -> float:
        """The rate after ``x`` epochs; at a point's own ``x`` exactly the point's rate."""
        place = bisect_right(self.points, x, key=lambda point: point[0])
        if place == 0:
            return self.points[0][1]
        (left, low) = self.points[place - 1]
        if x == left or place == len(self.points):
            return low
        (right, high) = self.points[place]
        share = (x - left) / (right - left)
        if self.scale == "linear":
            value = low * (1 - share) + high * share
        else:
            value = math.exp(math.log(low) * (1 - share) + math.log(high) * share)
        return min(max(value, min(low, high)), max(low, high))  # rounding must not leave the line's ends behind
