"""A schedule drawn as control points, joined by straight lines or a smooth curve."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable
from typing import Annotated, Any, ClassVar, Final, Literal, Self

from pydantic import Field, field_validator, model_validator

from engine.common.errors import SpecError
from engine.schedules.base import WHOLE, ScheduleSpec, Share

Point = tuple[Annotated[float, Field(ge=0, le=10_000_000)], Annotated[float, Field(ge=0, le=1000)]]

MIN_SPACING: Final = 1e-6
"""Smallest distance in epochs between two points of a smooth curve: the slopes between nearer ones overflow."""


class Drawn(ScheduleSpec):
    """A curve through points that you set. The learning rate is constant before the first point and after the last."""

    family: ClassVar[Literal["custom"]] = "custom"
    formula: ClassVar[str] = "points (epochs completed, lr), joined by straight lines or a smooth curve"
    when: ClassVar[str] = "Any curve that is easier to draw, with the mouse on the plot, than to write."
    docs: ClassVar[str] = "Tiller, as a subclass of torch.optim.lr_scheduler.LRScheduler"
    bounded: ClassVar[bool] = True

    name: Literal["Drawn"] = "Drawn"
    points: tuple[Point, ...] = Field(
        min_length=1,
        max_length=10_000,
        title="points",
        description="Pairs of epochs completed since the schedule started and the LR there: [[0, 0.1], [30, 0.001]].",
    )
    scale: Literal["log", "linear"] = Field(
        "log",
        title="scale",
        description="The axis on which the lines are straight: log (the same factor in every epoch) or linear.",
    )
    smooth: bool = Field(
        False,
        title="smooth",
        description="Join the points by a smooth curve that does not overshoot (SciPy's PCHIP), not by straight lines.",
    )

    @field_validator("points", mode="before")
    @classmethod
    def _to_tuples(cls, value: Any) -> Any:
        # JSON has lists where a frozen spec has tuples
        if not isinstance(value, (list, tuple)):
            return value
        return tuple(tuple(point) if isinstance(point, list) else point for point in value)

    @field_validator("points")
    @classmethod
    def _check_order(cls, value: tuple[Point, ...]) -> tuple[Point, ...]:
        for index in range(1, len(value)):
            previous, x = value[index - 1][0], value[index][0]
            if x <= previous:
                raise SpecError(f"[{index}]", f"must come after the previous point, at {previous}; it is at {x}")
        return value

    @model_validator(mode="after")
    def _check_points(self) -> Drawn:
        for index, (x, lr) in enumerate(self.points):
            if lr == 0 and self.scale == "log":
                raise SpecError(
                    f"points[{index}]", "has an LR of 0, which a log axis does not have; set scale to linear"
                )
            if self.smooth and index and x - self.points[index - 1][0] < MIN_SPACING:
                raise SpecError(f"points[{index}]", f"must be at least {MIN_SPACING:g} epochs after the previous one")
        return self

    def ignores_base_lr(self) -> bool:
        """True: the points are LRs."""
        return True

    def for_group(self, index: int, share: Share = WHOLE) -> Self:
        """The curve at the group's ``share`` of the highest LR."""
        if share.own == 0:
            return self.model_copy(update={"points": ((0.0, 0.0),), "scale": "linear", "smooth": False})
        return self.model_copy(update={"points": tuple((x, share.of(lr, index)) for x, lr in self.points)})

    def curve(self) -> Callable[[float], float]:
        """The LR as a function of the epochs completed since the schedule started. At a point it is exactly that LR."""
        xs = [x for x, _ in self.points]
        lrs = [lr for _, lr in self.points]
        log = self.scale == "log"
        ys = [math.log(lr) for lr in lrs] if log else lrs
        interpolate = _smooth(xs, ys) if self.smooth and len(xs) > 1 else _straight(xs, ys)

        def lr_at(x: float) -> float:
            index = bisect_right(xs, x)
            if index == 0:
                return lrs[0]
            left = lrs[index - 1]
            if x == xs[index - 1] or index == len(xs):
                return left
            right = lrs[index]
            value = math.exp(interpolate(x, index)) if log else interpolate(x, index)
            return min(max(value, min(left, right)), max(left, right))  # rounding must not exceed either point

        return lr_at

    def lr_at(self, x: float) -> float:
        """The LR after ``x`` epochs."""
        return self.curve()(x)

    def after(self, x: float) -> Drawn:
        """The rest of the curve after ``x`` epochs, counted from there.

        Straight lines stay the same. A smooth curve may start with a slightly different slope.
        """
        rest = tuple((at - x, lr) for at, lr in self.points if at > x + (MIN_SPACING if self.smooth else 0))
        return self.model_copy(update={"points": ((0.0, self.lr_at(x)), *rest)})


def _straight(xs: list[float], ys: list[float]) -> Callable[[float, int], float]:
    """Linear interpolation; the second argument is the index of the point to the right."""

    def interpolate(x: float, index: int) -> float:
        left, right = xs[index - 1], xs[index]
        share = (x - left) / (right - left)
        return ys[index - 1] * (1 - share) + ys[index] * share

    return interpolate


def _smooth(xs: list[float], ys: list[float]) -> Callable[[float, int], float]:
    from scipy.interpolate import PchipInterpolator  # takes half a second to import

    curve = PchipInterpolator(xs, ys)
    return lambda x, _: float(curve(x))
