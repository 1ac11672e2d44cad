"""Advice on a recipe and on a live run: rules of thumb, each with its reason."""

from __future__ import annotations

from engine.advice.base import Advice, History, RecipeChange, RunView
from engine.advice.on_recipe import for_recipe
from engine.advice.on_run import for_run

__all__ = ["Advice", "History", "RecipeChange", "RunView", "for_recipe", "for_run"]
