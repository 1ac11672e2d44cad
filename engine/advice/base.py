"""What an advice is, and what the rules look at."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from engine.advice.history import History
from engine.common.text import Text
from engine.messages.commands import Command
from engine.recipe.recipe import GroupSpec, OptimizerSpec, Recipe
from engine.schedules import ScheduleSpec

FIRST_LRS: Final = {"SGD": 0.01, "Adam": 0.001, "AdamW": 0.001, "RMSprop": 0.001}
"""Where to begin with each optimizer: the tutorial's values; RMSprop's updates are of Adam's size."""
OFF: Final = 10.0
"""How many times too large or too small is worth a word. Nearer than that, the data and the network decide."""
SGD_MOMENTUM_FACTOR: Final = 10.0
"""Momentum 0.9 makes SGD's steps 1 / (1 - 0.9) times as long, so without it the same rate is 10 times gentler."""
NOTHING: Final = 1e-4
"""The share of its highest value at which a rate no longer trains: four cuts of 0.1."""
ZERO_STRETCH: Final = 0.1
"""The part of a run that is too much to spend on such a rate. A cosine's landing is shorter."""


@dataclass(frozen=True, kw_only=True)
class RecipeChange:
    """New parts for a recipe; None leaves a part as it is."""

    optimizer: OptimizerSpec | None = None
    schedule: ScheduleSpec | None = None
    groups: tuple[GroupSpec, ...] | None = None

    def applied(self, recipe: Recipe) -> Recipe:
        """``recipe`` with these parts.

        Raises:
            pydantic.ValidationError: the parts do not fit ``recipe``, which they were not made for.
        """
        given: dict[str, Any] = {name: getattr(recipe, name) for name in Recipe.model_fields}
        parts = {"optimizer": self.optimizer, "schedule": self.schedule, "groups": self.groups}
        return Recipe.model_validate(given | {name: part for name, part in parts.items() if part is not None})


@dataclass(frozen=True)
class Advice:
    """A rule's word: ``text`` is one short line, ``reason`` says why, ``do`` would see to it.

    ``key`` names the rule (with a group's own schedule, the group too): who dismissed it wants no more of it, whatever
    its numbers. ``do_label`` says in a few words what ``do`` does, and is None where ``do`` is.
    """

    key: str
    text: Text
    reason: Text
    do: Command | RecipeChange | None = None
    do_label: Text | None = None


def _no_numbers() -> np.ndarray:
    return np.empty(0)


def _no_lrs() -> np.ndarray:
    return np.empty((0, 1))


@dataclass(frozen=True, kw_only=True)
class RunView:
    """A live run in plain numbers.

    ``position`` is (epoch from 1, batch); ``history`` the epochs completed; ``losses`` the latest batches' losses since
    the rate was last changed by hand [steps]; ``lr`` the rates in force, one a group. ``plan_lr`` [points, groups] are
    the rates planned from ``plan_x`` [points] (epochs completed) on, empty where that is not known. ``schedule`` is the
    one in force, None for the recipe's; ``weight_decay`` likewise. ``valley`` is what the last finder suggested.
    """

    recipe: Recipe
    epochs: int
    position: tuple[int, int]
    lr: tuple[float, ...]
    history: History = field(default_factory=History)
    losses: np.ndarray = field(default_factory=_no_numbers)
    plan_x: np.ndarray = field(default_factory=_no_numbers)
    plan_lr: np.ndarray = field(default_factory=_no_lrs)
    schedule: ScheduleSpec | None = None
    weight_decay: float | None = None
    valley: float | None = None

    @property
    def plan(self) -> ScheduleSpec:
        """The schedule in force."""
        return self.schedule or self.recipe.schedule

    @property
    def lead(self) -> float:
        """The rate in force of the fastest group; 0 where there is none."""
        return max(self.lr, default=0.0)


@dataclass(frozen=True, kw_only=True)
class RecipeView:
    """A recipe with what is known of its planned curve: rates ``lr`` [points, groups] from ``x`` [points] on."""

    recipe: Recipe
    steps_per_epoch: int | None
    x: np.ndarray
    lr: np.ndarray

    @property
    def leads(self) -> float:
        """The rate of the fastest group."""
        own = [g.lr for g in self.recipe.groups if g.lr is not None and not g.frozen]
        return max([self.recipe.optimizer.lr, *own])


def first_lrs(optimizer: OptimizerSpec) -> tuple[float, float]:
    """The lowest and the highest rate that is a usual beginning for ``optimizer``."""
    first = FIRST_LRS.get(type(optimizer).__name__, 0.001)
    plain = type(optimizer).__name__ == "SGD" and getattr(optimizer, "momentum", 0.0) == 0
    return first, first * SGD_MOMENTUM_FACTOR if plain else first


def dead_from(x: np.ndarray, lr: np.ndarray, epochs: int, highest: float = 0.0) -> int | None:
    """The first whole epoch (from 1) from which a planned rate is next to nothing until the end, where that is early.

    Args:
        x: positions in epochs completed, rising [points].
        lr: the rates from there on [points, groups].
        epochs: where the run ends.
        highest: the highest rate so far, where ``x`` does not begin at the run's start.
    """
    if not len(x) or lr.size == 0 or not np.isfinite(lr).all():
        return None
    lrs = lr.max(axis=1)
    alive = np.flatnonzero(lrs > NOTHING * max(float(lrs.max()), highest) * (1 + 1e-6))
    row = int(alive[-1]) + 1 if alive.size else 0
    if row >= len(x) or epochs - float(x[row]) < max(1.0, ZERO_STRETCH * epochs) or max(lrs.max(), highest) == 0:
        return None
    return int(np.ceil(float(x[row]) - 1e-9)) + 1


def times(factor: float) -> str:
    """``factor`` as a person says it: "10", "2.5", "40"."""
    return f"{factor:.2g}" if factor < 10 else f"{float(f'{factor:.2g}'):,.0f}"
