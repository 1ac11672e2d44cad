"""The schedule of a run as the window sees it: typed, and without PyTorch's own dictionaries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from engine.common.text import Text
from engine.schedules import ScheduleSpec


@dataclass(frozen=True)
class ControlState:
    """The state of a run's LR control, from which a preview runs forward. Only ``engine.lr`` reads ``data``."""

    data: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class NextChange:
    """The next change of a group's LR: at ``x`` (epochs completed) it becomes ``lr``."""

    x: float
    lr: float
    reason: Text


@dataclass(frozen=True, kw_only=True)
class PlateauView:
    """What a schedule that monitors a metric has counted so far.

    Attributes:
        best: the best value so far; None before the first.
        limit: what the metric must pass (go below with mode ``min``, above with ``max``) to count as an improvement
            of ``best``; None before the first value.
        bad_epochs: epochs in a row without improvement.
        patience: bad epochs that are allowed; the LR is reduced after one more.
        epochs_left: after how many more bad epochs the LR is reduced, cooldown included.
        at_floor: whether the LR will not be reduced again: it is at ``min_lr``, or a reduction would be smaller than
            ``eps``.
    """

    best: float | None
    limit: float | None
    bad_epochs: int
    patience: int
    epochs_left: int
    at_floor: bool


@dataclass(frozen=True, kw_only=True)
class ScheduleView:
    """One group's schedule in a run.

    Attributes:
        spec: the schedule of this group alone; ``spec.interval`` says whether it counts epochs or batches.
        base: the LR that it started from.
        began: its position 0, in epochs completed.
        position: number of times that it was stepped since then.
        span: number of positions that it was made for.
        epochs: the length of the run when it was made.
        ended: why it has no further value, or None. After its end a schedule keeps its last LR.
        next_change: the next change of the current LR, if it is known without running the schedule forward (StepLR,
            MultiStepLR, ConstantLR). None otherwise, and if there is none before the end of the run.
        plateau: the state of a metric-driven schedule, else None.
        course: an opaque value. As long as it is equal, training alone changes the LR and an earlier curve is still
            right; an intervention or another length of the run changes it.
    """

    spec: ScheduleSpec
    base: float
    began: float
    position: int
    span: int
    epochs: int
    ended: str | None
    next_change: NextChange | None
    plateau: PlateauView | None
    course: str

    @property
    def name(self) -> str:
        """The schedule's name, such as ``StepLR``."""
        return type(self.spec).__name__

    @property
    def waits_for_metric(self) -> bool:
        """Whether a metric decides when the LR changes."""
        return self.plateau is not None
