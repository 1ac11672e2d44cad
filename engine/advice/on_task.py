"""Rules on which schedule suits the task."""

from __future__ import annotations

from typing import Final

from engine.advice.base import Advice, RecipeChange, RecipeView
from engine.common.text import Text
from engine.recipe.data_sets import DATA_SETS
from engine.recipe.networks import find_network
from engine.recipe.recipe import Recipe
from engine.schedules import (
    Constant,
    CosineAnnealingLR,
    MultiStepLR,
    ReduceLROnPlateau,
    ScheduleSpec,
    StepLR,
)

PHASES_LEAST: Final = 5
"""With fewer epochs there is no room for phases of different LRs."""
STAGES: Final = 3
"""The suggested StepLR lowers the LR after each third of the run."""


def constant(view: RecipeView) -> list[Advice]:
    """The LR is constant for the whole run."""
    recipe = view.recipe
    if not isinstance(recipe.schedule, Constant) or recipe.epochs < PHASES_LEAST:
        return []
    if any(g.schedule is not None for g in recipe.groups):
        return []
    better = _stages(recipe) if is_simple(recipe) else _cosine(recipe)
    return [
        Advice(
            "constant",
            Text("The LR is constant for the whole run"),
            Text(
                "Most runs end better with a high LR first and a low one later. Keep it constant if you will change "
                "it yourself."
            ),
            RecipeChange(schedule=better),
            _choose(better),
        )
    ]


def by_task(view: RecipeView) -> list[Advice]:
    """The schedule is not a usual one for the task."""
    recipe, spec = view.recipe, view.recipe.schedule
    if recipe.epochs < PHASES_LEAST:
        return []
    better: ScheduleSpec
    if is_simple(recipe) and isinstance(spec, (CosineAnnealingLR, ReduceLROnPlateau)):
        better, text = _stages(recipe), Text("StepLR is enough for this task")
        reason = Text(
            "{network} learns {data} quickly, and steps at known epochs are easy to compare. {name} works too.",
            data=recipe.data.name,
            network=recipe.model.name,
            name=spec.name,
        )
    elif is_complex(recipe) and isinstance(spec, (StepLR, MultiStepLR)):
        better, text = _cosine(recipe), Text("Try CosineAnnealingLR for this task")
        reason = Text(
            "The LR stays high for long and falls smoothly, without milestones to choose. If you do not know how long "
            "to train, use ReduceLROnPlateau."
        )
    else:
        return []
    return [Advice("by_task", text, reason, RecipeChange(schedule=better), _choose(better))]


def is_simple(recipe: Recipe) -> bool:
    """Whether the data set is simple and the network small."""
    network = find_network(recipe.model.name)
    return DATA_SETS[recipe.data.name].difficulty == "simple" and network is not None and not network.large


def is_complex(recipe: Recipe) -> bool:
    """Whether the data set is complex, or is moderate and the network large."""
    difficulty, network = DATA_SETS[recipe.data.name].difficulty, find_network(recipe.model.name)
    return difficulty == "complex" or (difficulty == "moderate" and network is not None and network.large)


def _stages(recipe: Recipe) -> StepLR:
    return StepLR(step_size=max(1, recipe.epochs // STAGES))


def _cosine(recipe: Recipe) -> CosineAnnealingLR:
    return CosineAnnealingLR(T_max=recipe.epochs)


def _choose(spec: StepLR | CosineAnnealingLR) -> Text:
    if isinstance(spec, StepLR):
        return Text("Use StepLR with step_size {size}", size=spec.step_size)
    return Text("Use CosineAnnealingLR with T_max {t_max}", t_max=spec.T_max)
