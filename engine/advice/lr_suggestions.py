"""The LRs that the curve of an LR range test suggests: smoothed loss over LR."""

from __future__ import annotations

from typing import Any, Final, TypeVar

import numpy as np
import numpy.typing as npt

from engine.common.errors import SpecError
from engine.common.spec import Spec
from engine.common.text import Text, number
from engine.messages.events import Suggestion
from engine.recipe.recipe import Recipe, recipe_from_json
from engine.schedules import CyclicLR, Drawn, LambdaLR, OneCycleLR
from engine.schedules.base import Level, highest
from engine.schedules.custom import max_multiplier

BETA: Final = 0.98
WIDTH: Final = 0.03
"""Deviation of the Gaussian that smooths the losses, as a share of the number of LRs tried."""
BOLD: Final = 0.5
STEADY: Final = 0.2
"""The suggestions as shares of the LR with the lowest loss."""
LEAST_FALL: Final = 0.05  # share of the loss that it must fall by
LEAST_SCATTERS: Final = 2.0  # multiple of the change from batch to batch; smoothed noise falls by one
FEWEST: Final = 8  # points between the noisy ends

FloatArray = npt.NDArray[np.float64]
S = TypeVar("S", bound=Spec)


class Smoothed:
    """An exponential moving average with Adam's bias correction, by which a test knows that the loss diverged.

    fastai and Lightning smooth the losses of their LR finders like this, with the same ``BETA``. It lags by 50 steps.
    """

    def __init__(self) -> None:
        self._average = 0.0
        self._count = 0

    def add(self, value: float) -> float:
        """Add ``value``; returns the new average."""
        self._count += 1
        self._average = BETA * self._average + (1 - BETA) * value
        return float(self._average / (1 - BETA**self._count))


def noisy_ends(steps: int) -> tuple[int, int]:
    """How many points to ignore at the beginning and at the end of a test of ``steps`` LRs, as in fastai.

    At the beginning the average is of few losses; at the end the weights may have diverged. Of 100 steps these are 10
    and 5.
    """
    return steps // 10, steps // 20


def smooth(loss: FloatArray, steps: int) -> FloatArray:
    """The losses of a test of ``steps`` LRs, smoothed on a log axis by a Gaussian around each.

    Its deviation is 3% of the steps: 0.2 decades of the default range. Unlike the running average that fastai and
    Lightning read, which lags by half the range in 100 steps, it shows a minimum where it is.
    """
    if not len(loss):
        return loss
    index = np.arange(len(loss))
    weights = np.exp(-0.5 * ((index[:, None] - index) / max(1.0, WIDTH * steps)) ** 2)
    logs = np.log(np.maximum(loss, np.finfo(np.float64).tiny))
    return np.asarray(np.exp(weights @ logs / weights.sum(axis=1)))


def suggest(
    lr: FloatArray, loss: FloatArray, smoothed: FloatArray, steps: int, diverged: bool
) -> tuple[Suggestion, Suggestion]:
    """A bold and a steady LR: half and a fifth of the LR at which the smoothed loss is least.

    fastai's ``lr_find`` suggests a tenth of it (``minimum``), or points of the falling curve (``valley``, ``steep``),
    as Smith did by eye (Cyclical Learning Rates, 2017, section 3.3). These shares are those that training bears out:
    ``python -m tests.benchmarks finder``.

    Args:
        lr: the LRs that were tried, rising by a constant factor [points].
        loss: the training loss at each LR [points].
        smoothed: the smoothed losses [points].
        steps: how many LRs the test was to try.
        diverged: whether the test ended early because the loss diverged.

    Returns:
        The two suggestions. Their LR is None if the curve is too short, or if the loss falls less than it varies from
        batch to batch; their text says why.
    """
    begin, end = noisy_ends(steps)
    inner = slice(begin, max(begin, len(lr) - end))
    lrs, losses = lr[inner], smoothed[inner]
    why = _why_none(lr, loss, losses, steps, diverged)
    if why is not None:
        return Suggestion(kind="bold", lr=None, text=why), Suggestion(kind="steady", lr=None, text=why)
    least = float(lrs[np.argmin(losses)])
    return (
        Suggestion(
            kind="bold",
            lr=least * BOLD,
            text=Text("Bold, the faster choice: half the LR with the lowest loss."),
        ),
        Suggestion(
            kind="steady",
            lr=least * STEADY,
            text=Text("Steady, the safer choice: a fifth of the LR with the lowest loss."),
        ),
    )


def with_lr(recipe: Recipe, lr: float) -> Recipe | None:
    """``recipe`` with ``lr`` as its highest group LR and the others in proportion.

    A schedule that brings its own level (OneCycleLR, CyclicLR, Drawn) is scaled so that its highest LR is ``lr``.

    Returns:
        The new recipe; None if its schedule does not allow it or a value would be out of range.
    """
    schedule = recipe.schedule
    if isinstance(schedule, OneCycleLR):
        one_for_each = isinstance(schedule.max_lr, tuple)
        max_lr = _scaled(schedule.max_lr, lr / highest(schedule.max_lr)) if one_for_each else lr
        return _with(recipe, schedule=_changed(schedule, max_lr=max_lr))
    if isinstance(schedule, CyclicLR):
        scale = lr / max(highest(schedule.max_lr), highest(schedule.base_lr))
        levels = {name: _scaled(getattr(schedule, name), scale) for name in ("base_lr", "max_lr")}
        return _with(recipe, schedule=_changed(schedule, **levels))
    if isinstance(schedule, Drawn):
        scale = lr / max(y for _, y in schedule.points)
        return _with(recipe, schedule=_changed(schedule, points=tuple((x, y * scale) for x, y in schedule.points)))
    if schedule.ignores_base_lr():
        return None
    own = [group.lr for group in recipe.groups if group.lr is not None and not group.frozen]
    max_lr = max([recipe.optimizer.lr, *own])
    if isinstance(schedule, LambdaLR):
        lr /= max_multiplier(schedule, recipe.epochs, None) or 1.0
    if max_lr == 0:
        return _with(recipe, optimizer=_changed(recipe.optimizer, lr=lr))
    scale = lr / max_lr
    groups = tuple(g if g.lr is None else _changed(g, lr=float(f"{g.lr * scale:.6g}")) for g in recipe.groups)
    base = lr if max_lr == recipe.optimizer.lr else float(f"{recipe.optimizer.lr * scale:.6g}")
    return _with(recipe, optimizer=_changed(recipe.optimizer, lr=base), groups=groups)


def _scaled(level: Level, scale: float) -> Level:
    return tuple(lr * scale for lr in level) if isinstance(level, tuple) else level * scale


def _changed(spec: S, **changes: Any) -> S:
    return spec.model_copy(update=changes)


def _with(recipe: Recipe, **changes: Any) -> Recipe | None:
    """``recipe`` with ``changes``; None if a value is out of range."""
    given: dict[str, Any] = {name: getattr(recipe, name) for name in Recipe.model_fields}
    try:
        return recipe_from_json(Recipe.model_construct(**(given | changes)).model_dump_json())
    except SpecError:
        return None


def _why_none(lr: FloatArray, loss: FloatArray, smoothed: FloatArray, steps: int, diverged: bool) -> Text | None:
    """Why there is no suggestion, or None; ``smoothed`` is without the noisy ends."""
    if not len(lr):
        return Text("The loss was not finite at the first LR. Start with a lower LR.")
    if len(smoothed) < FEWEST and diverged:
        return Text(
            "The loss diverged after {count} of {steps} steps, before it could fall. Start with a lower LR.",
            count=len(lr),
            steps=steps,
        )
    lowest = int(np.argmin(smoothed))
    before = smoothed[: lowest + 1]
    highest = float(before.max())
    fall = highest - float(smoothed[lowest])
    scatter = float(np.median(np.abs(np.diff(loss))))
    if fall < max(LEAST_FALL * highest, LEAST_SCATTERS * scatter):
        return Text(
            "The loss does not clearly fall between {low} and {high}: it falls by {fall}, and varies by {scatter} "
            "from batch to batch. Try other limits or more steps.",
            low=number(float(f"{lr[0]:.3g}")),
            high=number(float(f"{lr[-1]:.3g}")),
            fall=f"{fall:.2g}",
            scatter=f"{scatter:.2g}",
        )
    return None
