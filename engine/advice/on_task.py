"""Rules on the kind of schedule, by the task."""

from __future__ import annotations

from typing import Final

from engine.advice.base import Advice, RecipeChange, RecipeView
from engine.common.text import Text
from engine.recipe.recipe import Recipe
from engine.schedules import (
    Constant,
    CosineAnnealingLR,
    MultiStepLR,
    ReduceLROnPlateau,
    ScheduleSpec,
    StepLR,
)

SIMPLE_DATA: Final = ("digits", "mnist")
SMALL_NETWORKS: Final = ("small_cnn", "lenet5")
GREY_DATA: Final = (*SIMPLE_DATA, "fashion_mnist")
"""Small grey images; every other set is complex whatever the network."""
PHASES_LEAST: Final = 5
"""Fewer epochs have no room for a fast phase and a slow one."""
STAGES: Final = 3
"""A StepLR that is suggested cuts after each third of the run."""


def constant(view: RecipeView) -> list[Advice]:
    """One rate for the whole run."""
    recipe = view.recipe
    if not isinstance(recipe.schedule, Constant) or recipe.epochs < PHASES_LEAST:
        return []
    if any(g.schedule is not None for g in recipe.groups):
        return []
    better = _stages(recipe) if is_simple(recipe) else _cosine(recipe)
    return [
        Advice(
            "constant",
            Text("The LR stays the same for the whole run"),
            Text(
                "Fast first, then slow: large steps find a good region, small ones settle in it. Leave it if your own "
                "hand is the schedule."
            ),
            RecipeChange(schedule=better),
            _choose(better),
        )
    ]


def by_task(view: RecipeView) -> list[Advice]:
    """A kind of schedule that is not the usual one for such a task."""
    recipe, spec = view.recipe, view.recipe.schedule
    if recipe.epochs < PHASES_LEAST:
        return []
    better: ScheduleSpec
    if is_simple(recipe) and isinstance(spec, (CosineAnnealingLR, ReduceLROnPlateau)):
        better, text = _stages(recipe), Text("StepLR is enough for a task this simple")
        reason = Text(
            "{data} with {network} is soon learned: a few cuts at times you know are easy to read and to compare. "
            "{name} is no mistake.",
            data=recipe.data.name,
            network=recipe.model.name,
            name=spec.name,
        )
    elif is_complex(recipe) and isinstance(spec, (StepLR, MultiStepLR)):
        better, text = _cosine(recipe), Text("For a complex task, try CosineAnnealingLR")
        reason = Text(
            "A cosine stays fast for long and lands gently, with no moment of a cut to guess. If you do not know how "
            "long to train, ReduceLROnPlateau cuts when progress stops."
        )
    else:
        return []
    return [Advice("by_task", text, reason, RecipeChange(schedule=better), _choose(better))]


def is_simple(recipe: Recipe) -> bool:
    """Small grey digits and a small network."""
    return recipe.data.name in SIMPLE_DATA and recipe.model.name in SMALL_NETWORKS


def is_complex(recipe: Recipe) -> bool:
    """Pictures of things, or a large built-in network on anything but digits."""
    large = recipe.model.name not in SMALL_NETWORKS and recipe.model.own_function() is None
    return recipe.data.name not in GREY_DATA or (large and recipe.data.name not in SIMPLE_DATA)


def _stages(recipe: Recipe) -> StepLR:
    return StepLR(step_size=max(1, recipe.epochs // STAGES))


def _cosine(recipe: Recipe) -> CosineAnnealingLR:
    return CosineAnnealingLR(T_max=recipe.epochs)


def _choose(spec: StepLR | CosineAnnealingLR) -> Text:
    if isinstance(spec, StepLR):
        return Text("Choose StepLR, step_size {size}", size=spec.step_size)
    return Text("Choose CosineAnnealingLR, T_max {t_max}", t_max=spec.T_max)
