"""Presets (ready-made recipes) and the tutorial, read from ``resources``."""

from __future__ import annotations

from importlib.resources import files
from typing import Final

from engine.recipe.recipe import Recipe, recipe_from_json

TUTORIAL: Final = (
    "step_lr",
    "multi_step_lr",
    "exponential_lr",
    "cosine_annealing_lr",
    "lambda_lr",
    "layered_lambda_lr",
    "reduce_lr_on_plateau",
)
FINE_TUNE: Final = ("head_and_rest", "layer_by_layer")
PRESETS: Final = ("digits", *(f"tutorial/{name}" for name in TUTORIAL), *(f"fine_tune/{name}" for name in FINE_TUNE))


def preset(name: str) -> Recipe:
    """The recipe ``name``, one of ``PRESETS``.

    Raises:
        KeyError: there is no preset of that name.
    """
    if name not in PRESETS:
        raise KeyError(name)
    return recipe_from_json((files("resources") / "presets" / f"{name}.json").read_text(encoding="utf-8"))


def tutorial_text() -> str:
    """The tutorial on learning rates, as Markdown."""
    return (files("resources") / "help" / "tutorial.md").read_text(encoding="utf-8")
