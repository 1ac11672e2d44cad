"""Advice and what the rules read: a recipe, or a live run with its history."""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final, get_args

import numpy as np

from engine.common.position import Position
from engine.common.text import Text
from engine.messages.commands import Command
from engine.messages.events import EpochEvent
from engine.recipe.recipe import GroupSpec, OptimizerSpec, Recipe
from engine.schedules import ScheduleSpec
from engine.schedules.adaptive import Monitor

FAR_OFF: Final = 10.0
"""An LR that is too high or too low by this factor is worth advice. Within it, the data and the network decide."""
NEGLIGIBLE: Final = 1e-4
"""An LR at this share of its highest value trains no more: four cuts of 0.1."""
NEGLIGIBLE_EPOCHS: Final = 0.1
"""A negligible LR for this share of the run is worth advice. The end of a cosine is shorter."""


@dataclass(frozen=True, kw_only=True)
class RecipeChange:
    """New parts for a recipe; None leaves a part unchanged."""

    optimizer: OptimizerSpec | None = None
    schedule: ScheduleSpec | None = None
    groups: tuple[GroupSpec, ...] | None = None

    def applied(self, recipe: Recipe) -> Recipe:
        """``recipe`` with these parts.

        Raises:
            pydantic.ValidationError: the parts were made for another recipe and do not fit ``recipe``.
        """
        given: dict[str, Any] = {name: getattr(recipe, name) for name in Recipe.model_fields}
        parts = {"optimizer": self.optimizer, "schedule": self.schedule, "groups": self.groups}
        return Recipe.model_validate(given | {name: part for name, part in parts.items() if part is not None})


@dataclass(frozen=True)
class Advice:
    """One piece of advice.

    Attributes:
        key: the rule, and the group if the advice is about a group's own schedule. Dismissing an advice hides all
            later ones with the same key.
        text: one short line.
        reason: why, in full sentences.
        action: what would follow the advice; None if there is nothing to apply.
        action_label: the button's text for ``action``; None where ``action`` is.
    """

    key: str
    text: Text
    reason: Text
    action: Command | RecipeChange | None = None
    action_label: Text | None = None


class History:
    """The completed epochs of a run, in order, stored in columns so that reading a metric stays cheap."""

    def __init__(self, epochs: Iterable[EpochEvent] = ()) -> None:
        self.peak_lr = 0.0
        """The highest LR of any group so far."""
        self._numbers, self._max_lrs = array("q"), array("d")
        self._metrics = {name: array("d") for name in get_args(Monitor)}
        for event in epochs:
            self.append(event)

    def append(self, event: EpochEvent) -> None:
        """Add the next epoch."""
        self.peak_lr = max(self.peak_lr, max(event.lr_max, default=0.0))
        self._numbers.append(event.epoch)
        self._max_lrs.append(max(event.lr, default=0.0))
        for name, value in event.metrics().items():
            self._metrics[name].append(value)

    def __len__(self) -> int:
        return len(self._numbers)

    def number(self, index: int) -> int:
        """The number, from 1, of the epoch at ``index``."""
        return self._numbers[index]

    def metric(self, name: str) -> np.ndarray:
        """A copy of a metric of each epoch [epochs].

        Raises:
            KeyError: ``name`` is not a metric that a schedule can monitor.
        """
        return np.array(self._metrics[name])

    def max_lrs(self) -> np.ndarray:
        """A copy of the highest group LR at the first batch of each epoch [epochs]."""
        return np.array(self._max_lrs)


def _no_numbers() -> np.ndarray:
    return np.empty(0)


def _no_lrs() -> np.ndarray:
    return np.empty((0, 1))


@dataclass(frozen=True, kw_only=True)
class RunView:
    """A live run, as the rules read it.

    Attributes:
        recipe: the run's recipe.
        epochs: the current number of epochs of the run.
        position: where the run is.
        lr: the current LR of each group.
        history: the completed epochs.
        losses: training losses of the latest batches since an intervention last changed the LR [steps].
        projected_x: positions in epochs completed, rising [points]; empty if the projected LR is not known.
        projected_lr: the projected LR of each group from each position on [points, groups].
        schedule: the current schedule; None for the recipe's.
        weight_decay: the current weight decay; None for the recipe's.
        suggested_lrs: the steady and the bold suggestion of the latest LR range test.
    """

    recipe: Recipe
    epochs: int
    position: Position
    lr: tuple[float, ...]
    history: History = field(default_factory=History)
    losses: np.ndarray = field(default_factory=_no_numbers)
    projected_x: np.ndarray = field(default_factory=_no_numbers)
    projected_lr: np.ndarray = field(default_factory=_no_lrs)
    schedule: ScheduleSpec | None = None
    weight_decay: float | None = None
    suggested_lrs: tuple[float, float] | None = None

    @property
    def current_schedule(self) -> ScheduleSpec:
        """The schedule that the run follows now."""
        return self.schedule or self.recipe.schedule

    @property
    def max_lr(self) -> float:
        """The highest current LR of the groups; 0 without groups."""
        return max(self.lr, default=0.0)


@dataclass(frozen=True, kw_only=True)
class RecipeView:
    """A recipe, as the rules read it.

    Attributes:
        recipe: the recipe.
        steps_per_epoch: batches per epoch; None if not known.
        x: positions in epochs completed, rising [points]; empty if the scheduled LR is not known.
        lr: the scheduled LR of each group from each position on [points, groups].
    """

    recipe: Recipe
    steps_per_epoch: int | None
    x: np.ndarray
    lr: np.ndarray

    @property
    def max_lr(self) -> float:
        """The highest LR of the optimizer and the groups that are not frozen."""
        own = [g.lr for g in self.recipe.groups if g.lr is not None and not g.frozen]
        return max([self.recipe.optimizer.lr, *own])


def negligible_from(x: np.ndarray, lr: np.ndarray, epochs: int, peak: float = 0.0) -> int | None:
    """The first whole epoch (from 1) from which every LR is negligible until the end of the run.

    Args:
        x: positions in epochs completed, rising [points].
        lr: the LRs from each position on [points, groups].
        epochs: the number of epochs of the run.
        peak: the highest LR before the first position.

    Returns:
        The epoch; None if the LR stays high enough, or is negligible only for a short time at the end.
    """
    if not len(x) or lr.size == 0 or not np.isfinite(lr).all():
        return None
    lrs = lr.max(axis=1)
    alive = np.flatnonzero(lrs > NEGLIGIBLE * max(float(lrs.max()), peak) * (1 + 1e-6))
    row = int(alive[-1]) + 1 if alive.size else 0
    if row >= len(x) or epochs - float(x[row]) < max(1.0, NEGLIGIBLE_EPOCHS * epochs) or max(lrs.max(), peak) == 0:
        return None
    return int(np.ceil(float(x[row]) - 1e-9)) + 1


def factor_text(factor: float) -> str:
    """``factor`` in two significant digits: "10", "2.5", "1,400"."""
    return f"{factor:.2g}" if factor < 10 else f"{float(f'{factor:.2g}'):,.0f}"
