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
LEAST_FALL: Final = 0.05  # share of the loss that it must fall by
FEWEST: Final = 8  # points between the noisy ends

FloatArray = npt.NDArray[np.float64]
S = TypeVar("S", bound=Spec)


class Smoothed:
    """An exponential moving average with Adam's bias correction.

    fastai and Lightning smooth the losses of their LR finders like this, with the same ``BETA``.
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


def suggest(
    lr: FloatArray, loss: FloatArray, smoothed: FloatArray, steps: int, diverged: bool
) -> tuple[Suggestion, Suggestion]:
    """The LR of the steepest descent, and the middle of the longest valley.

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
        return Suggestion(kind="steepest", lr=None, text=why), Suggestion(kind="valley", lr=None, text=why)
    return (
        Suggestion(
            kind="steepest",
            lr=float(lrs[steepest(lrs, losses, max(1, steps // 20))]),
            text=Text("Steepest descent: the smoothed loss falls fastest here. This is the more aggressive choice."),
        ),
        Suggestion(
            kind="valley",
            lr=float(lrs[valley(losses)]),
            text=Text(
                "Valley: the middle of the longest range in which the smoothed loss falls. This is the safer choice."
            ),
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


def steepest(lr: FloatArray, smoothed: FloatArray, reach: int) -> int:
    """The index at which the curve falls fastest over log ``lr``, by the slope across ``reach`` points on either side.

    fastai and Lightning compare neighbouring points, where the noise of one batch can exceed the fall over a decade.
    """
    reach = max(1, min(reach, (len(lr) - 1) // 2))
    x = np.log(lr)
    slopes = (smoothed[2 * reach :] - smoothed[: -2 * reach]) / (x[2 * reach :] - x[: -2 * reach])
    return int(np.argmin(slopes)) + reach


def valley(smoothed: FloatArray) -> int:
    """The index in the middle of the longest falling subsequence of ``smoothed``.

    As fastai's ``valley``, except that fastai computes the beginning as if the subsequence had no gaps.
    """
    count = len(smoothed)
    length = np.ones(count, dtype=np.int64)
    first = np.arange(count)
    for i in range(1, count):
        longest = np.where(smoothed[:i] > smoothed[i], length[:i], 0)
        before = i - 1 - int(np.argmax(longest[::-1]))  # the nearest of equally long ones, to skip flat parts
        if longest[before]:
            length[i], first[i] = longest[before] + 1, first[before]
    last = int(np.argmax(length))
    return (int(first[last]) + last) // 2


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
    if fall < max(LEAST_FALL * highest, scatter):
        return Text(
            "The loss does not clearly fall between {low} and {high}: it falls by {fall}, and varies by {scatter} "
            "from batch to batch. Try other limits or more steps.",
            low=number(float(f"{lr[0]:.3g}")),
            high=number(float(f"{lr[-1]:.3g}")),
            fall=f"{fall:.2g}",
            scatter=f"{scatter:.2g}",
        )
    return None
