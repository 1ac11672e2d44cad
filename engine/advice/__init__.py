"""Short advice on a recipe and on a live run: rules of thumb, each with its reason. Imports no torch."""

from __future__ import annotations

from engine.advice.base import Advice, RecipeChange, RunView
from engine.advice.history import History
from engine.advice.on_recipe import for_recipe
from engine.advice.on_run import for_run

__all__ = ["Advice", "History", "RecipeChange", "RunView", "for_recipe", "for_run"]
