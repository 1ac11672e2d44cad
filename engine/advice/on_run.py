"""Rules on a live run: its training loss, its validation metrics and its projected LR."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np

from engine.advice.base import FAR_OFF, NEGLIGIBLE, Advice, RunView, factor_text, negligible_from
from engine.common.text import Text, number
from engine.messages.commands import MAX_FACTOR, Command, ScaleLR, SetLR, SetOptimizer, SetSchedule
from engine.recipe.recipe import LR_MAX
from engine.schedules import CosineAnnealingLR
from engine.schedules.composed import metric_driven

CUT: Final = 0.1
"""The suggested cut: PyTorch's default factor for StepLR, MultiStepLR and ReduceLROnPlateau."""
FALLS: Final = 0.7
"""A schedule that lowers the LR to this share of itself makes a cut unnecessary."""

BLOCK: Final = 10
"""The training loss is read as medians of this many batches, so that a single hard batch does not count."""
RISING_BLOCKS: Final = 3
"""Medians in a row, each higher than the one before, that make a rise."""
DIVERGED: Final = 2.0
"""A rise to this multiple of the lowest median. (LR finders stop at 4: Smith 2015, fastai. That is too late here.)"""
DIVERGED_LEAST: Final = 0.2
"""Below this value a loss may double without harm."""

EARLY_EPOCHS: Final = 3
"""The first epochs show the effect of the first LR. Later, the schedule and the data matter too."""
EARLY_STEPS: Final = 24
"""With fewer losses than this, noise and oscillation cannot be told apart."""
OSCILLATION: Final = 0.3
"""The mean change between batches, as a share of the mean loss. Healthy runs start at about a tenth."""
NO_PROGRESS: Final = 0.9
"""The loss does not fall if the mean of its last third is above this share of that of its first third."""
SPIKE: Final = 2.0
"""A loss that rose to this multiple of its first value and stays high was damaged by the first updates."""
UNLEARNED: Final = 0.5
"""Below this loss (over 60% for the right class) training works, and large relative changes are only noise."""
UNCHANGED: Final = 0.02
"""A training loss that changed by less than this share over whole epochs does not change."""

PLATEAU_EPOCHS: Final = 5
"""Epochs without a better validation loss: within the usual patience, 3 to 10."""
PLATEAU_MARGIN: Final = 1e-3
"""An improvement by less than this share of the best does not count. (PyTorch's threshold of 1e-4 is stricter.)"""
CUT_ENOUGH: Final = 1e-3
"""An LR at this share of its peak has been cut enough: another cut will not help."""
GAP_EPOCHS: Final = 3
"""Epochs in a row with a worse validation loss: one alone is noise."""
GAP_RISE: Final = 1.1
"""A validation loss at this multiple of its best is worse by more than noise."""
GAP_FALL: Final = 0.9
"""A training loss that fell to this share of its value at the best epoch meanwhile: the network overfits."""


def for_run(view: RunView) -> list[Advice]:
    """Advice on a run, the most urgent first; empty if there is none."""
    with np.errstate(all="ignore"):  # with metrics near the largest float, a quotient may overflow: no rule applies
        return [advice for rule in RUN_RULES if (advice := rule(view)) is not None]


def divergence(view: RunView) -> Advice | None:
    """The training loss rises over the last batches, or is no longer finite."""
    blocks = _blocks(view.losses)
    last = blocks[-RISING_BLOCKS:]
    if len(blocks) <= RISING_BLOCKS or not np.isfinite(blocks[: -RISING_BLOCKS + 1]).all():
        return None
    lowest = float(blocks[:-1].min()) if np.isfinite(blocks[:-1]).all() else float(np.nanmin(blocks))
    not_finite = not np.isfinite(last).all()
    rising = bool((np.diff(blocks[-RISING_BLOCKS - 1 :]) > 0).all())
    if not not_finite and not (rising and last[-1] >= DIVERGED * lowest and last[-1] >= DIVERGED_LEAST):
        return None
    reason = Text("The LR is probably too high. Lowering it often helps the run to recover.")
    if not not_finite:
        reason = Text(
            "It rose from {low} to {high} over the last batches. The LR is probably too high.",
            low=f"{lowest:.3g}",
            high=f"{last[-1]:.3g}",
        )
    return Advice("divergence", Text("The training loss is rising"), reason, *_scale_lr(view, CUT))


def oscillation(view: RunView) -> Advice | None:
    """In the first epochs, the training loss oscillates without falling, or rose far above its first value."""
    losses = np.asarray(view.losses, np.float64)
    if view.position.epoch > EARLY_EPOCHS or len(losses) < EARLY_STEPS or not np.isfinite(losses).all():
        return None
    third = len(losses) // 3
    begin, end, mean = float(losses[:third].mean()), float(losses[-third:].mean()), float(losses.mean())
    change = float(np.abs(np.diff(losses)).mean())
    spike = float(losses.max()) >= SPIKE * max(float(losses[0]), UNLEARNED)
    oscillates = end >= NO_PROGRESS * begin and change >= OSCILLATION * mean
    if end < UNLEARNED or not (spike or oscillates) or _falls_within(view, 2):
        return None
    if spike:
        reason = Text(
            "It started at {first} and rose to {highest}. In the first epochs this usually means that the LR is too "
            "high.",
            first=f"{losses[0]:.3g}",
            highest=f"{losses.max():.3g}",
        )
    else:
        reason = Text(
            "It changes by {share}% from batch to batch and does not fall. In the first epochs this usually means that "
            "the LR is too high.",
            share=f"{100 * change / mean:.0f}",
        )
    return Advice("oscillation", Text("The loss oscillates; the LR may be too high"), reason, *_scale_lr(view, CUT))


def standstill(view: RunView) -> Advice | None:
    """The training loss has barely changed since the first epoch."""
    losses = view.history.metric("train_loss")
    if len(losses) < 2 or not np.isfinite(losses).all() or losses.min() < UNLEARNED:
        return None
    if np.abs(losses / losses[0] - 1).max() >= UNCHANGED or _rises_within(view, 2):
        return None
    low, high = view.recipe.optimizer.starting_lrs()
    if not 0 < view.max_lr < FAR_OFF * high:
        reason = Text(
            "It is where it was after epoch 1. With an LR this high, the first updates may have damaged the weights. "
            "Start again with a lower LR."
        )
        return Advice("standstill", Text("The training loss does not change"), reason)
    reason = Text(
        "It changed by {share}% since epoch 1. This usually means that the LR is too low.",
        share=f"{100 * abs(losses[-1] / losses[0] - 1):.1g}",
    )
    action = _scale_lr(view, FAR_OFF) if view.max_lr <= low else (None, None)
    return Advice("standstill", Text("The loss barely changes; the LR may be too low"), reason, *action)


def above_suggestion(view: RunView) -> Advice | None:
    """The current LR is far above both that the LR range test suggested."""
    if view.suggested_lrs is None:
        return None
    steady, bold = view.suggested_lrs
    if not 0 < steady <= bold or view.max_lr < FAR_OFF * bold or _falls_within(view, 2):
        return None
    return Advice(
        "above_suggestion",
        Text(
            "The LR is {factor} times the suggested {suggested}",
            factor=factor_text(view.max_lr / bold),
            suggested=number(bold),
        ),
        Text(
            "In the last LR range test the loss was lowest just above {suggested}. A much higher LR may make it rise.",
            suggested=number(bold),
        ),
        *_set_lr(view, steady),
    )


def below_suggestion(view: RunView) -> Advice | None:
    """The LR is far below both that the LR range test suggested, and neither was nor will be near them."""
    if view.suggested_lrs is None:
        return None
    steady = view.suggested_lrs[0]
    peak = max(view.max_lr, view.history.peak_lr, float(view.projected_lr.max(initial=0.0)))
    if not 0 < steady <= LR_MAX or not 0 < peak <= steady / FAR_OFF:
        return None
    return Advice(
        "below_suggestion",
        Text("The suggested LR is {factor} times higher", factor=factor_text(steady / peak)),
        Text(
            "In the last LR range test the loss still fell at {suggested}. At {current}, training may be slow.",
            suggested=number(steady),
            current=number(view.max_lr),
        ),
        *_set_lr(view, steady),
    )


def metric_at_bound(view: RunView) -> Advice | None:
    """The metric that ReduceLROnPlateau monitors is as good as it can be, so that every epoch counts as bad."""
    spec = metric_driven(view.current_schedule)
    if spec is None or not len(view.history) or view.position.epoch > view.epochs:
        return None
    values = view.history.metric(spec.monitor)
    accuracy = spec.monitor.endswith("accuracy")
    best = spec.mode == "max" and accuracy and bool((values >= 1.0).any())
    if not best and not (spec.mode == "min" and not accuracy and bool((values <= 0.0).any())):
        return None
    action: Command | None = None
    if spec.monitor != "val_loss" and view.max_lr > 0:
        other = spec.model_copy(update={"monitor": "val_loss", "mode": "min"})
        action = SetSchedule.model_validate({"schedule": other})
    return Advice(
        "metric_at_bound",
        Text("{monitor} cannot improve further", monitor=spec.monitor),
        Text(
            "It reached {bound}, so ReduceLROnPlateau counts every epoch as bad and reduces the LR again and again.",
            bound="100%" if accuracy else "0",
        ),
        action,
        Text("Monitor val_loss instead") if action is not None else None,
    )


def gap(view: RunView) -> Advice | None:
    """The validation loss gets worse while the training loss gets better."""
    train, val = view.history.metric("train_loss"), view.history.metric("val_loss")
    if not len(val) or not np.isfinite(val).all() or not np.isfinite(train).all():
        return None
    best = int(val.argmin())
    worse = float(val[-GAP_EPOCHS:].min())
    if len(val) - 1 - best < GAP_EPOCHS or worse < GAP_RISE * val[best] or train[-1] > GAP_FALL * train[best]:
        return None
    optimizer = view.recipe.optimizer
    current, usual = view.weight_decay, optimizer.usual_weight_decay
    current = optimizer.weight_decay if current is None else current
    action = SetOptimizer.model_validate({"weight_decay": usual}) if current < usual else None
    reason = Text(
        "Since epoch {epoch} the validation loss rose from {low} to {high} while the training loss fell: the network "
        "overfits. Use more weight decay or augmentation, or go back to epoch {epoch}.",
        epoch=view.history.number(best),
        low=f"{val[best]:.3g}",
        high=f"{val[-1]:.3g}",
    )
    label = Text("Set {field} to {value}", field="weight_decay", value=number(usual)) if action is not None else None
    return Advice("gap", Text("Val loss rises while train loss falls"), reason, action, label)


def plateau(view: RunView) -> Advice | None:
    """The validation loss has not improved for several epochs."""
    val = view.history.metric("val_loss")[_last_cut(view) :]
    if metric_driven(view.current_schedule) is not None or len(val) <= PLATEAU_EPOCHS or not np.isfinite(val).all():
        return None
    best, late = float(val[:-PLATEAU_EPOCHS].min()), float(val[-PLATEAU_EPOCHS:].min())
    cut_enough = view.max_lr <= CUT_ENOUGH * view.history.peak_lr
    if late < best * (1 - PLATEAU_MARGIN) or cut_enough or _falls_within(view, PLATEAU_EPOCHS):
        return None
    if gap(view) is not None or standstill(view) is not None:  # a lower LR does not help there
        return None
    return Advice(
        "plateau",
        Text("Val loss has not improved for {epochs} epochs", epochs=_epochs_since_improvement(val)),
        Text(
            "Its best value is {best}. A lower LR often helps, and the schedule does not lower it soon.",
            best=f"{best:.3g}",
        ),
        *_scale_lr(view, CUT),
    )


def zero_ahead(view: RunView) -> Advice | None:
    """The projected LR becomes negligible long before the end of the run."""
    peak = view.history.peak_lr
    epoch = negligible_from(view.projected_x, view.projected_lr, view.epochs, peak)
    if epoch is None:
        return None
    action: Command | None = None
    left = view.epochs - view.position.epoch + 1
    if left > 0 and view.max_lr > NEGLIGIBLE * peak:
        action = SetSchedule.model_validate({"schedule": CosineAnnealingLR(T_max=left)})
    return Advice(
        "zero_early",
        Text("The LR is close to 0 from epoch {epoch} on", epoch=epoch),
        Text(
            "It will be less than a ten-thousandth of its highest value, so the last {epochs} epochs hardly train.",
            epochs=view.epochs - epoch + 1,
        ),
        action,
        Text("Use CosineAnnealingLR with T_max {t_max}", t_max=left) if action is not None else None,
    )


RUN_RULES: Final[tuple[Callable[[RunView], Advice | None], ...]] = (
    divergence,
    oscillation,
    standstill,
    above_suggestion,
    metric_at_bound,
    gap,
    plateau,
    below_suggestion,
    zero_ahead,
)
"""The most urgent first."""


def _blocks(losses: np.ndarray) -> np.ndarray:
    """Medians of the latest losses, BLOCK at a time, in order [blocks]; not finite where a loss is not."""
    whole = len(losses) // BLOCK * BLOCK
    if not whole:
        return np.empty(0)
    return np.median(np.asarray(losses, np.float64)[-whole:].reshape(-1, BLOCK), axis=1)


def _projected(view: RunView, epochs: int) -> np.ndarray:
    """The highest projected group LR over the next ``epochs`` [points]; empty if it is not known."""
    now = view.position.epoch - 1
    if not len(view.projected_x) or len(view.projected_x) != len(view.projected_lr):
        return np.empty(0)
    next_epochs = (view.projected_x >= now) & (view.projected_x <= now + epochs)
    lrs: np.ndarray = view.projected_lr[next_epochs].max(axis=1) if view.projected_lr.size else np.empty(0)
    return lrs


def _falls_within(view: RunView, epochs: int) -> bool:
    """Whether the schedule itself lowers the LR within ``epochs``."""
    return bool((_projected(view, epochs) <= FALLS * view.max_lr).any())


def _rises_within(view: RunView, epochs: int) -> bool:
    """Whether the schedule itself raises the LR within ``epochs``."""
    return bool((_projected(view, epochs) * FALLS >= view.max_lr).any())


def _last_cut(view: RunView) -> int:
    """The index of the first epoch after the last cut of the LR; 0 if there was none."""
    lrs = view.history.max_lrs()
    if len(lrs) and view.max_lr <= FALLS * lrs[-1]:
        return len(lrs)
    cuts = np.flatnonzero(lrs[1:] <= FALLS * lrs[:-1])
    return int(cuts[-1]) + 1 if len(cuts) else 0


def _epochs_since_improvement(val: np.ndarray) -> int:
    """Epochs since a validation loss was better by PLATEAU_MARGIN than all before it."""
    best, best_index = float(val[0]), 0
    for index, value in enumerate(val.tolist()):
        if value < best * (1 - PLATEAU_MARGIN):
            best, best_index = value, index
    return len(val) - 1 - best_index


def _scale_lr(view: RunView, factor: float) -> tuple[Command | None, Text | None]:
    """The action that multiplies every group's LR by ``factor``, and its label; None where it is not possible."""
    lr = view.max_lr * factor
    if not 0 < lr <= LR_MAX or not 0 < factor <= MAX_FACTOR:
        return None, None
    return ScaleLR(factor=factor), _lr_label(view.max_lr, lr)


def _set_lr(view: RunView, lr: float) -> tuple[Command | None, Text | None]:
    """The action that sets the highest group LR to ``lr`` and the others in proportion, and its label."""
    if len(view.lr) == 1:
        return SetLR(lr=lr), _lr_label(view.max_lr, lr)
    return _scale_lr(view, lr / view.max_lr) if view.max_lr > 0 else (None, None)


def _lr_label(old: float, new: float) -> Text:
    if new < old:
        return Text("Lower LR: {old} -> {new}", old=number(old), new=number(new))
    return Text("Raise LR: {old} -> {new}", old=number(old), new=number(new))
