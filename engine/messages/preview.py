"""Requests for a curve of LRs, and the answer. ``engine.lr.preview`` computes it."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from engine.common.position import Position
from engine.messages.commands import Command
from engine.messages.schedule_view import ControlState
from engine.recipe.recipe import Recipe


@dataclass(frozen=True, kw_only=True)
class CurveQuery:
    """A request for the LRs of a recipe from its start, or of a run from its current state.

    Attributes:
        key: who asks. A newer query with the same key replaces an older one that is not answered yet.
        recipe: the recipe. If ``control`` is None, the curve starts at its epoch 1.
        group_names: names of the parameter groups, in order.
        steps_per_epoch: batches per epoch, for schedules stepped per batch and for expressions.
        epochs: the end of the curve, in epochs completed.
        control: the state of a run's LR control (``LREvent.control``), or None.
        position: position of ``control``.
        intervention: a pending intervention to apply, or None.
        applies_at: position at which it is applied and the curve starts; None: at ``position``.
        history: metrics of the epochs so far, for a schedule that is replayed from epoch 1.
    """

    key: str
    recipe: Recipe
    group_names: tuple[str, ...] = ("all",)
    steps_per_epoch: int = 1
    epochs: int = 30
    control: ControlState | None = None
    position: Position = field(default=Position(epoch=1))
    intervention: Command | None = None
    applies_at: Position | None = None
    history: tuple[dict[str, float], ...] = ()


@dataclass(frozen=True, kw_only=True)
class Curve:
    """The answer to a ``CurveQuery``: LRs as steps.

    Attributes:
        key: the query's.
        thinned: whether only some of very many positions are in it, irregularly spaced, so that cycles between two of
            them do not look like longer ones.
        x: epochs completed [points], each the start of the LR beside it. The last is the end of the run.
        lr: LRs [points, groups]. The last row repeats the one before it.
        group_names: names of the parameter groups, in order.
        problem: why there is no curve; ``x`` and ``lr`` are empty then.
        field: the field of the recipe that causes the problem, if known.
        steps_per_epoch: the query's.
        warnings: what the user should know.
    """

    key: str
    x: np.ndarray
    lr: np.ndarray
    group_names: tuple[str, ...] = ("all",)
    problem: str | None = None
    field: str = ""
    steps_per_epoch: int = 1
    warnings: tuple[str, ...] = ()
    thinned: bool = False
