"""Rules on a run's training loss: it grows, it jumps about, or it does not move."""

from __future__ import annotations

from typing import Final

import numpy as np

from engine.advice.base import OFF, Advice, RunView, first_lrs
from engine.advice.live import CUT, falls_soon, rises_soon, scaled_by
from engine.common.text import Text

EARLY_EPOCHS: Final = 3
"""What the first epochs show is the first rate's doing; later, the plan and the data have their say."""
EARLY_STEPS: Final = 24
"""Fewer losses than this tell noise from trouble badly."""
JUMPY: Final = 0.3
"""Losses that differ from one batch to the next by this share of their mean jump about; sound ones begin at a tenth."""
NO_PROGRESS: Final = 0.9
"""A loss whose last third is above this share of its first third is not getting anywhere."""
SPIKE: Final = 2.0
"""And one that flew to this many times where it began, and has not come back, was thrown out by its first steps."""
UNLEARNED: Final = 0.5
"""Below this loss (the right class has over 60%) training works, and large relative jumps are only small numbers'."""
BARELY: Final = 0.02
"""A training loss that has moved by less than 2% over whole epochs stands still."""
BLOCK: Final = 10
"""Batches whose median is one look at the loss: a single hard batch does not count."""
RISING_BLOCKS: Final = 3
"""Looks in a row, each higher than the last, that make a rise."""
DIVERGED: Final = 2.0
"""A rise to this many times the lowest look. (Finders stop at 4 times the best: Smith 2015, fastai; too late here.)"""
DIVERGED_LEAST: Final = 0.2
"""A smaller loss than this may double without harm."""


def divergence(view: RunView) -> Advice | None:
    """A loss that rises over the last batches, or is no number any more."""
    blocks = _blocks(view.losses)
    last = blocks[-RISING_BLOCKS:]
    if len(blocks) <= RISING_BLOCKS or not np.isfinite(blocks[: -RISING_BLOCKS + 1]).all():
        return None
    lowest = float(blocks[:-1].min()) if np.isfinite(blocks[:-1]).all() else float(np.nanmin(blocks))
    broken = not np.isfinite(last).all()
    rising = bool((np.diff(blocks[-RISING_BLOCKS - 1 :]) > 0).all())
    if not broken and not (rising and last[-1] >= DIVERGED * lowest and last[-1] >= DIVERGED_LEAST):
        return None
    reason = Text("Steps this large lead away from what was learned. A lower LR often brings it back.")
    if not broken:
        reason = Text(
            "It went from {low} to {high} over the last batches: steps this large lead away from what was learned.",
            low=f"{lowest:.3g}",
            high=f"{last[-1]:.3g}",
        )
    return Advice("divergence", Text("The training loss is growing"), reason, *scaled_by(view, CUT))


def oscillation(view: RunView) -> Advice | None:
    """A loss that jumps about from the beginning and gets nowhere: the rate is too high."""
    losses = np.asarray(view.losses, np.float64)
    if view.position[0] > EARLY_EPOCHS or len(losses) < EARLY_STEPS or not np.isfinite(losses).all():
        return None
    third = len(losses) // 3
    begin, end, mean = float(losses[:third].mean()), float(losses[-third:].mean()), float(losses.mean())
    jumps = float(np.abs(np.diff(losses)).mean())
    flew = float(losses.max()) >= SPIKE * max(float(losses[0]), UNLEARNED)
    if end < UNLEARNED or not (flew or (end >= NO_PROGRESS * begin and jumps >= JUMPY * mean)) or falls_soon(view, 2):
        return None
    if flew:
        reason = Text(
            "It began at {first} and flew to {most}. Early on, that is a LR that is too high.",
            first=f"{losses[0]:.3g}",
            most=f"{losses.max():.3g}",
        )
    else:
        reason = Text(
            "From batch to batch it moves by {share}% and does not fall. Early on, that is a LR that is too high.",
            share=f"{100 * jumps / mean:.0f}",
        )
    return Advice("oscillation", Text("The loss jumps about: LR too high?"), reason, *scaled_by(view, CUT))


def standstill(view: RunView) -> Advice | None:
    """A training loss that has barely moved since the first epoch."""
    losses = view.history.metric("train_loss")
    if len(losses) < 2 or not np.isfinite(losses).all() or losses.min() < UNLEARNED:
        return None
    if np.abs(losses / losses[0] - 1).max() >= BARELY or rises_soon(view, 2):
        return None
    low, high = first_lrs(view.recipe.optimizer)
    if not 0 < view.lead < OFF * high:
        reason = Text(
            "The training loss is where it was after epoch 1. With a LR this high the first steps may have been so "
            "large that nothing can be learned any more: begin anew with a lower one."
        )
        return Advice("standstill", Text("The loss stands still"), reason)
    reason = Text(
        "The training loss moved by {share}% since epoch 1. A LR that is too low looks like this.",
        share=f"{100 * abs(losses[-1] / losses[0] - 1):.1g}",
    )
    scale = scaled_by(view, OFF) if view.lead <= low else (None, None)
    return Advice("standstill", Text("The loss barely moves: LR too low?"), reason, *scale)


def _blocks(losses: np.ndarray) -> np.ndarray:
    """Medians of the latest losses, BLOCK at a time, the newest last [blocks]; not finite where a loss is not."""
    whole = len(losses) // BLOCK * BLOCK
    if not whole:
        return np.empty(0)
    return np.median(np.asarray(losses, np.float64)[-whole:].reshape(-1, BLOCK), axis=1)
