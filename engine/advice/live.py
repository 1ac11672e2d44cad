"""What the rules on a run have in common: its metrics, the plan ahead, and a new rate for the hand."""

from __future__ import annotations

from typing import Final

import numpy as np

from engine.advice.base import RunView
from engine.common.text import Text, number
from engine.messages.commands import LARGEST_FACTOR, Command, ScaleLR, SetLR
from engine.recipe.recipe import LR_MAX

CUT: Final = 0.1
"""The factor of a cut: PyTorch's default for StepLR, MultiStepLR and ReduceLROnPlateau."""
SOON: Final = 0.7
"""A plan that is about to bring the rate below this share of itself needs no cut by hand."""


def ahead(view: RunView, epochs: int) -> np.ndarray:
    """The fastest group's planned rates over the next ``epochs``."""
    now = view.position[0] - 1
    if not len(view.plan_x) or len(view.plan_x) != len(view.plan_lr):
        return np.empty(0)
    sight = (view.plan_x >= now) & (view.plan_x <= now + epochs)
    ahead: np.ndarray = view.plan_lr[sight].max(axis=1) if view.plan_lr.size else np.empty(0)
    return ahead


def falls_soon(view: RunView, epochs: int) -> bool:
    """Whether the plan itself brings the rate down within so many epochs."""
    return bool((ahead(view, epochs) <= SOON * view.lead).any())


def rises_soon(view: RunView, epochs: int) -> bool:
    """Whether the plan itself raises the rate within so many epochs."""
    return bool((ahead(view, epochs) * SOON >= view.lead).any())


def scaled_by(view: RunView, factor: float) -> tuple[Command | None, Text | None]:
    """Every group's rate times ``factor``; nothing where there is no rate to scale."""
    new = view.lead * factor
    if not 0 < new <= LR_MAX or not 0 < factor <= LARGEST_FACTOR:
        return None, None
    return ScaleLR(factor=factor), Text("LR {lr}, from {now}", lr=number(float(f"{new:.6g}")), now=number(view.lead))


def set_to(view: RunView, lr: float) -> tuple[Command | None, Text | None]:
    """The fastest group's rate to ``lr``, the others in proportion."""
    if len(view.lr) == 1:
        return SetLR(lr=lr), Text("LR {lr}, from {now}", lr=number(lr), now=number(view.lead))
    return scaled_by(view, lr / view.lead) if view.lead > 0 else (None, None)
