"""What the window knows of a running schedule: typed, torch-free, and never PyTorch's own dictionaries."""

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
    """What a schedule that watches a metric has counted so far.

    Attributes:
        best: the best value so far; None before the first.
        limit: what the metric must pass (go below with mode ``min``, above with ``max``) to count as better than
            ``best``; None before the first value.
        bad_epochs: epochs in a row that were no better.
        patience: bad epochs that are tolerated; the next one cuts the LR.
        epochs_left: after how many further bad epochs the LR is cut, cooldown included.
        at_floor: whether no cut is left: the LR is at ``min_lr``, or a cut would be smaller than ``eps``.
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
        began: where its position 0 lies, in epochs completed.
        position: how often it was stepped since.
        span: positions that it was made for.
        epochs: the run's length when it was made.
        ended: why there is no further value; None while there is. Past its end a schedule keeps its last LR.
        next_change: the next change of the current LR, where it is known without running the schedule forward (StepLR,
            MultiStepLR, ConstantLR); None otherwise, and where none comes before the run's end.
        plateau: of a schedule that waits for a metric, else None.
        course: opaque; equal as long as training alone moves the LR, so that a curve that was computed earlier still
            holds. An intervention or another length of the run changes it.
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
        """Whether the schedule moves by a metric, and nobody knows when."""
        return self.plateau is not None
