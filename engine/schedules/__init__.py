"""Learning-rate schedules: torch-free specs here, their PyTorch objects in ``build``, curves in ``curve``."""

from __future__ import annotations

from typing import Annotated, Any, Final

from pydantic import BeforeValidator, Field

from engine.schedules.adaptive import ReduceLROnPlateau
from engine.schedules.base import ScheduleSpec
from engine.schedules.custom import LambdaLR
from engine.schedules.ordered import Constant, CosineAnnealingLR, ExponentialLR, MultiStepLR, StepLR

SCHEDULES: Final[tuple[type[ScheduleSpec], ...]] = (
    Constant,
    StepLR,
    MultiStepLR,
    ExponentialLR,
    CosineAnnealingLR,
    ReduceLROnPlateau,
    LambdaLR,
)


def _canonical(value: Any) -> Any:
    if isinstance(value, dict) and value.get("name") == "constant":
        return {**value, "name": "Constant"}
    return value


AnySchedule = Annotated[
    Annotated[
        Constant | StepLR | MultiStepLR | ExponentialLR | CosineAnnealingLR | ReduceLROnPlateau | LambdaLR,
        Field(discriminator="name"),
    ],
    BeforeValidator(_canonical),
]

__all__ = [
    "SCHEDULES",
    "AnySchedule",
    "Constant",
    "CosineAnnealingLR",
    "ExponentialLR",
    "LambdaLR",
    "MultiStepLR",
    "ReduceLROnPlateau",
    "ScheduleSpec",
    "StepLR",
]
