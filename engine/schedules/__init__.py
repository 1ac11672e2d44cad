"""Learning-rate schedules as specs, without torch.

``engine.lr.build`` makes PyTorch's schedulers from them, and ``engine.lr.preview`` computes their curves.
"""

from __future__ import annotations

from typing import Final

from engine.schedules.adaptive import ReduceLROnPlateau
from engine.schedules.base import ScheduleSpec
from engine.schedules.composed import AnySchedule, ChainedScheduler, ComposedSpec, SequentialLR
from engine.schedules.custom import LambdaLR, MultiplicativeLR
from engine.schedules.cyclic import CosineAnnealingWarmRestarts, CyclicLR, OneCycleLR
from engine.schedules.drawn import Drawn
from engine.schedules.fit import FittedSchedule, fit_schedule
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

# In the order in which the window lists them: by family, the simplest first.
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
    "FittedSchedule",
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
    "fit_schedule",
]
