"""Questions about a planned curve, and their answers: torch-free, so that the window can ask."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.messages.commands import Command
from engine.messages.schedule_view import ControlState
from engine.recipe.recipe import Recipe


@dataclass(frozen=True, kw_only=True)
class CurveQuery:
    """What the rates will be, from a recipe's start or from a live run's state.

    Args:
        key: who asks; a newer query with the same key replaces an older one that is not answered yet.
        recipe: the recipe; with ``control`` None the curve starts at epoch 1 of it.
        group_names: names of the parameter groups, in order.
        steps_per_epoch: batches an epoch, for schedules stepped per batch and for expressions.
        epochs: where the curve ends (epochs completed).
        control: the state of a live run's LR control (``LREvent.control``), or None.
        position: (epoch from 1, batch) that ``control`` is of.
        act: a staged command (the pending change), or None.
        act_at: (epoch, batch) from which ``act`` is in force, and the curve begins; None: at ``position``.
        history: the run's epoch metrics so far, for "as if from epoch 1".
    """

    key: str
    recipe: Recipe
    group_names: tuple[str, ...] = ("all",)
    steps_per_epoch: int = 1
    epochs: int = 30
    control: ControlState | None = None
    position: tuple[int, int] = (1, 0)
    intervention: Command | None = None
    act_at: tuple[int, int] | None = None
    history: tuple[dict[str, float], ...] = ()


@dataclass(frozen=True, kw_only=True)
class Curve:
    """The answer: rate ``lr`` [points, groups] in force from ``x`` [points] on (epochs completed), as steps.

    The last point stands at the end of the run and repeats the last rate. ``problem`` is why there is no curve (then
    ``x`` and ``lr`` are empty), ``field`` what of the recipe is at fault where that is known, ``warnings`` what the
    person should know. ``steps_per_epoch`` is the query's.
    """

    key: str
    x: np.ndarray
    lr: np.ndarray
    group_names: tuple[str, ...] = ("all",)
    problem: str | None = None
    field: str = ""
    steps_per_epoch: int = 1
    warnings: tuple[str, ...] = ()
