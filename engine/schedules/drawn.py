"""A curve that is drawn: control points, and straight lines or a smooth curve between them."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable
from typing import Annotated, Any, ClassVar, Final, Literal

from pydantic import Field, field_validator, model_validator

from engine.common.spec import SpecError
from engine.schedules.base import ScheduleSpec

Point = tuple[Annotated[float, Field(ge=0, le=10_000_000)], Annotated[float, Field(ge=0, le=1000)]]

NEAREST: Final = 1e-6
"""Epochs between two points of a smooth curve at least: the slopes of nearer ones overflow."""


class Drawn(ScheduleSpec):
    """A line through points that you set; before the first point and past the last the rate is level."""

    family: ClassVar[Literal["custom"]] = "custom"
    formula: ClassVar[str] = "the points (epochs completed, lr), joined by straight lines or smoothly"
    when: ClassVar[str] = "Any curve that is easier drawn than written, with the mouse on the plot."
    docs: ClassVar[str] = "Tiller's own, as a torch.optim.lr_scheduler.LRScheduler"
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
    smooth: bool = Field(
        False,
        title="smooth",
        description="A smooth curve that never swings beyond its points (SciPy's PCHIP), in place of straight lines.",
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
    def _curve_exists(self) -> Drawn:
        for index, (x, lr) in enumerate(self.points):
            if lr == 0 and self.scale == "log":
                raise SpecError(
                    f"points[{index}]", "has a rate of 0, which a log axis cannot show; set scale to linear"
                )
            if self.smooth and index and x - self.points[index - 1][0] < NEAREST:
                raise SpecError(f"points[{index}]", f"stands less than {NEAREST:g} after the one before it")
        return self

    def own_level(self) -> bool:
        """The points are rates."""
        return True

    def curve(self) -> Callable[[float], float]:
        """The rate after so many epochs; at a point's own position exactly the point's rate."""
        across = [x for x, _ in self.points]
        lrs = [lr for _, lr in self.points]
        logs = self.scale == "log"
        heights = [math.log(lr) for lr in lrs] if logs else lrs
        between = _smoothly(across, heights) if self.smooth and len(across) > 1 else _straight(across, heights)

        def rate(x: float) -> float:
            place = bisect_right(across, x)
            if place == 0:
                return lrs[0]
            low = lrs[place - 1]
            if x == across[place - 1] or place == len(across):
                return low
            high = lrs[place]
            value = math.exp(between(x, place)) if logs else between(x, place)
            return min(max(value, min(low, high)), max(low, high))  # rounding must not leave the line's ends behind

        return rate

    def lr_at(self, x: float) -> float:
        """The rate after ``x`` epochs."""
        return self.curve()(x)

    def after(self, x: float) -> Drawn:
        """What is left of the curve ``x`` epochs on, counted from there.

        Straight lines go on as they were. A smooth curve leaves the cut at a slope that may differ a little.
        """
        left = tuple((at - x, lr) for at, lr in self.points if at > x + (NEAREST if self.smooth else 0))
        return self.model_copy(update={"points": ((0.0, self.lr_at(x)), *left)})


def _straight(across: list[float], heights: list[float]) -> Callable[[float, int], float]:
    def between(x: float, place: int) -> float:
        left, right = across[place - 1], across[place]
        share = (x - left) / (right - left)
        return heights[place - 1] * (1 - share) + heights[place] * share

    return between


def _smoothly(across: list[float], heights: list[float]) -> Callable[[float, int], float]:
    from scipy.interpolate import PchipInterpolator  # takes half a second; only smooth curves wait for it

    curve = PchipInterpolator(across, heights)
    return lambda x, _: float(curve(x))
