"""Learning-rate schedules: torch-free specs here, their PyTorch objects in ``build``, curves in ``curve``."""

from __future__ import annotations

from typing import Final

from engine.schedules.adaptive import ReduceLROnPlateau
from engine.schedules.base import ScheduleSpec
from engine.schedules.composed import AnySchedule, ChainedScheduler, ComposedSpec, SequentialLR
from engine.schedules.custom import LambdaLR, MultiplicativeLR
from engine.schedules.cyclic import CosineAnnealingWarmRestarts, CyclicLR, OneCycleLR
from engine.schedules.drawn import Drawn
from engine.schedules.fit import Fitted, fitted
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

# By family, as the window lists them; within a family the simple ones first.
SCHEDULES: Final[tuple[type[ScheduleSpec], ...]] = (
    Constant,
    StepLR,
    MultiStepLR,
    ConstantLR,
    LinearLR,
    ExponentialLR,
    PolynomialLR,
    CosineAnnealingLR,
    CosineAnnealingWarmRestarts,
    CyclicLR,
    OneCycleLR,
    SequentialLR,
    ChainedScheduler,
    ReduceLROnPlateau,
    LambdaLR,
    MultiplicativeLR,
    Drawn,
)

__all__ = [
    "SCHEDULES",
    "AnySchedule",
    "ChainedScheduler",
    "ComposedSpec",
    "Constant",
    "ConstantLR",
    "CosineAnnealingLR",
    "CosineAnnealingWarmRestarts",
    "CyclicLR",
    "Drawn",
    "ExponentialLR",
    "Fitted",
    "LambdaLR",
    "LinearLR",
    "MultiStepLR",
    "MultiplicativeLR",
    "OneCycleLR",
    "PolynomialLR",
    "ReduceLROnPlateau",
    "ScheduleSpec",
    "SequentialLR",
    "StepLR",
    "fitted",
]
