"""Rules on a run that trains."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np

from engine.advice.base import NOTHING, OFF, Advice, RunView, dead_from, times
from engine.advice.live import CUT, SOON, falls_soon, scaled_by, set_to
from engine.advice.on_losses import divergence, oscillation, standstill
from engine.common.text import Text, number
from engine.messages.commands import Command, SetOptimizer, SetSchedule
from engine.recipe.recipe import LR_MAX
from engine.schedules import CosineAnnealingLR, ReduceLROnPlateau

PLATEAU_EPOCHS: Final = 5
"""Epochs without a better validation loss: inside the usual patience, 3 to 10."""
PLATEAU_MARGIN: Final = 1e-3
"""Better by less than this share of the best is not better (PyTorch's threshold is 1e-4: there a rule decides)."""
FALLEN: Final = 1e-3
"""Cut to this share of its highest, a rate that brings nothing more will not do so for being cut again."""
GAP_EPOCHS: Final = 3
"""So many epochs in a row must be worse: one alone is noise."""
GAP_RISE: Final = 1.1
"""A validation loss this many times its best is worse by more than its noise."""
GAP_FALL: Final = 0.9
"""And a training loss that fell below this share of what it was then: the network learns the images by heart."""
WEIGHT_DECAY: Final = {"SGD": 5e-4, "Adam": 5e-4, "RMSprop": 5e-4, "AdamW": 0.05}
"""The usual pull: 5e-4 since Krizhevsky et al. 2012; decoupled, AdamW takes about a hundredfold (Loshchilov 2019)."""


def for_run(view: RunView) -> list[Advice]:
    """What to say of the run, the most urgent first; empty where there is nothing."""
    with np.errstate(all="ignore"):  # metrics near the largest number: a quotient that is not finite fires no rule
        return [advice for rule in RUN_RULES if (advice := rule(view)) is not None]


def metric_at_bound(view: RunView) -> Advice | None:
    """A ReduceLROnPlateau whose metric is as good as it can be, so that every epoch counts as bad."""
    spec = view.plan
    if not isinstance(spec, ReduceLROnPlateau) or not len(view.history) or view.position[0] > view.epochs:
        return None
    seen = view.history.metric(spec.monitor)
    accuracy = spec.monitor.endswith("accuracy")
    best = spec.mode == "max" and accuracy and bool((seen >= 1.0).any())
    if not best and not (spec.mode == "min" and not accuracy and bool((seen <= 0.0).any())):
        return None
    do: Command | None = None
    if spec.monitor != "val_loss" and view.lead > 0:
        other = spec.model_copy(update={"monitor": "val_loss", "mode": "min"})
        do = SetSchedule.model_validate({"schedule": other})
    return Advice(
        "metric_at_bound",
        Text("{monitor} cannot improve any more", monitor=spec.monitor),
        Text(
            "It reached {bound}, so ReduceLROnPlateau takes every epoch as a bad one and cuts the LR again and again.",
            bound="100%" if accuracy else "0",
        ),
        do,
        Text("Watch val_loss instead") if do is not None else None,
    )


def above_valley(view: RunView) -> Advice | None:
    """A rate far above what the last finder suggested."""
    valley = view.valley
    if valley is None or not valley > 0 or view.lead < OFF * valley or falls_soon(view, 2):
        return None
    return Advice(
        "above_valley",
        Text("The LR is {times} times the finder's {lr}", times=times(view.lead / valley), lr=number(valley)),
        Text(
            "In the last range test the loss fell best at {lr}, and rates far above it made it grow.", lr=number(valley)
        ),
        *set_to(view, valley),
    )


def below_valley(view: RunView) -> Advice | None:
    """A rate far below what the last finder suggested, where no plan ever brings it there."""
    valley = view.valley
    highest = max(view.lead, view.history.highest, float(view.plan_lr.max(initial=0.0)))
    if valley is None or not 0 < valley <= LR_MAX or not 0 < highest <= valley / OFF:
        return None
    return Advice(
        "below_valley",
        Text("The finder suggested a LR {times} times higher", times=times(valley / highest)),
        Text(
            "In the last range test the loss fell best at {lr}. At {now} training may crawl.",
            lr=number(valley),
            now=number(view.lead),
        ),
        *set_to(view, valley),
    )


def gap(view: RunView) -> Advice | None:
    """Validation gets worse while training gets better."""
    train, val = view.history.metric("train_loss"), view.history.metric("val_loss")
    if not len(val) or not np.isfinite(val).all() or not np.isfinite(train).all():
        return None
    best = int(val.argmin())
    worse = float(val[-GAP_EPOCHS:].min())
    if len(val) - 1 - best < GAP_EPOCHS or worse < GAP_RISE * val[best] or train[-1] > GAP_FALL * train[best]:
        return None
    name = view.recipe.optimizer.name
    now, usual = view.weight_decay, WEIGHT_DECAY.get(name, 5e-4)
    now = view.recipe.optimizer.weight_decay if now is None else now
    do = SetOptimizer(weight_decay=usual) if now < usual else None
    reason = Text(
        "Since epoch {epoch} the validation loss rose from {low} to {high} while the training loss fell: the network "
        "learns the training images by heart. More weight decay or augmentation helps, or the weights of that epoch.",
        epoch=view.history.number(best),
        low=f"{val[best]:.3g}",
        high=f"{val[-1]:.3g}",
    )
    label = Text("Set {field} to {value}", field="weight_decay", value=number(usual)) if do is not None else None
    return Advice("gap", Text("Validation worsens, training improves"), reason, do, label)


def plateau(view: RunView) -> Advice | None:
    """A validation loss that is no better for several epochs."""
    val = view.history.metric("val_loss")[_last_cut(view) :]
    if isinstance(view.plan, ReduceLROnPlateau) or len(val) <= PLATEAU_EPOCHS or not np.isfinite(val).all():
        return None
    best, late = float(val[:-PLATEAU_EPOCHS].min()), float(val[-PLATEAU_EPOCHS:].min())
    highest = view.history.highest
    if late < best * (1 - PLATEAU_MARGIN) or view.lead <= FALLEN * highest or falls_soon(view, PLATEAU_EPOCHS):
        return None
    if gap(view) is not None or standstill(view) is not None:  # a lower rate is no cure for these
        return None
    return Advice(
        "plateau",
        Text("No better val loss for {epochs} epochs", epochs=_stale(val)),
        Text(
            "Its best is {best}. Where large steps bring no more, smaller ones often do; the plan has no cut soon.",
            best=f"{best:.3g}",
        ),
        *scaled_by(view, CUT),
    )


def zero_ahead(view: RunView) -> Advice | None:
    """A plan that brings the rate to next to nothing long before the end."""
    highest = view.history.highest
    dead = dead_from(view.plan_x, view.plan_lr, view.epochs, highest)
    if dead is None:
        return None
    do: Command | None = None
    left = view.epochs - view.position[0] + 1
    if left > 0 and view.lead > NOTHING * highest:
        do = SetSchedule.model_validate({"schedule": CosineAnnealingLR(T_max=left)})
    return Advice(
        "zero_early",
        Text("From epoch {epoch} on the LR is next to nothing", epoch=dead),
        Text(
            "The plan takes it below a ten-thousandth of where it was: the last {left} epochs change nothing.",
            left=view.epochs - dead + 1,
        ),
        do,
        Text("CosineAnnealingLR over the epochs left") if do is not None else None,
    )


RUN_RULES: Final[tuple[Callable[[RunView], Advice | None], ...]] = (
    divergence,
    oscillation,
    standstill,
    above_valley,
    metric_at_bound,
    gap,
    plateau,
    below_valley,
    zero_ahead,
)
"""The most urgent first."""


def _last_cut(view: RunView) -> int:
    """The index of the first epoch since the rate was last brought down by a step."""
    leads = view.history.leads()
    if len(leads) and view.lead <= SOON * leads[-1]:
        return len(leads)
    cuts = np.flatnonzero(leads[1:] <= SOON * leads[:-1])
    return int(cuts[-1]) + 1 if len(cuts) else 0


def _stale(val: np.ndarray) -> int:
    """Epochs since a validation loss that was better than all before it by the margin."""
    best, at = float(val[0]), 0
    for index, value in enumerate(val.tolist()):
        if value < best * (1 - PLATEAU_MARGIN):
            best, at = value, index
    return len(val) - 1 - at
