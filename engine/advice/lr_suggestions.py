"""Reading the curve of a learning-rate range test: loss over rate, smoothed, and the rates that it suggests."""

from __future__ import annotations

from typing import Any, Final, TypeVar

import numpy as np
import numpy.typing as npt

from engine.common.spec import Spec, SpecError
from engine.common.text import Text, number
from engine.messages.events import Suggestion
from engine.recipe.recipe import Recipe, recipe_from_json
from engine.schedules import CyclicLR, Drawn, LambdaLR, OneCycleLR
from engine.schedules.expression_values import highest

BETA: Final = 0.98
LEAST_FALL: Final = 0.05  # of the loss; less is not worth a suggestion
FEWEST: Final = 8  # points between the noisy ends

Curve = npt.NDArray[np.float64]
S = TypeVar("S", bound=Spec)


class Smoothed:
    """An exponential moving average without the pull towards 0 at its beginning (Adam's correction of bias).

    fastai and Lightning smooth the finder's losses like this, with the same ``BETA``.
    """

    def __init__(self) -> None:
        self._average = 0.0
        self._count = 0

    def add(self, value: float) -> float:
        """Take in ``value``; returns the average with it."""
        self._count += 1
        self._average = BETA * self._average + (1 - BETA) * value
        return float(self._average / (1 - BETA**self._count))


def noisy_ends(steps: int) -> tuple[int, int]:
    """How many points at the beginning and at the end of a sweep of ``steps`` say little, as fastai has it.

    At the beginning the average holds few losses; at the end of a sweep that diverged the loss is no longer of the
    network that was there before. Of 100 steps these are 10 and 5.
    """
    return steps // 10, steps // 20


def suggest(lr: Curve, loss: Curve, smoothed: Curve, steps: int, diverged: bool) -> tuple[Suggestion, Suggestion]:
    """The rate of the steepest descent, and the middle of the longest valley.

    Args:
        lr: the rates, rising by one factor.
        loss: the losses of the batches, one a rate.
        smoothed: the same smoothed.
        steps: how many rates there were to try; fewer were tried where the loss ``diverged``.
        diverged: whether the sweep ended early.

    None where the curve does not allow it: it is too short, or the loss does not fall more than it scatters.
    """
    begin, end = noisy_ends(steps)
    inner = slice(begin, max(begin, len(lr) - end))
    lrs, fallen = lr[inner], smoothed[inner]
    why = _why_not(lr, loss, fallen, steps, diverged)
    if why is not None:
        return Suggestion(kind="steepest", lr=None, text=why), Suggestion(kind="valley", lr=None, text=why)
    return (
        Suggestion(
            kind="steepest",
            lr=float(lrs[steepest(lrs, fallen, max(1, steps // 20))]),
            text=Text(
                "The steepest descent: here the smoothed loss falls fastest as the rate grows. It is the bolder choice."
            ),
        ),
        Suggestion(
            kind="valley",
            lr=float(lrs[valley(fallen)]),
            text=Text(
                "The valley: the middle of the longest stretch of rates over which the smoothed loss keeps falling. "
                "It is the steadier choice."
            ),
        ),
    )


def begun_at(recipe: Recipe, lr: float) -> Recipe | None:
    """``recipe`` with ``lr`` for its fastest group, the others in proportion; None where its schedule cannot have it.

    A schedule that brings its own level is moved as a whole, so that its highest rate is ``lr``.
    """
    schedule = recipe.schedule
    if isinstance(schedule, OneCycleLR):
        return _with(recipe, schedule=_changed(schedule, max_lr=lr))
    if isinstance(schedule, CyclicLR):
        scale = lr / max(schedule.max_lr, schedule.base_lr)
        return _with(
            recipe, schedule=_changed(schedule, base_lr=schedule.base_lr * scale, max_lr=schedule.max_lr * scale)
        )
    if isinstance(schedule, Drawn):
        scale = lr / max(rate for _, rate in schedule.points)
        return _with(
            recipe, schedule=_changed(schedule, points=tuple((x, rate * scale) for x, rate in schedule.points))
        )
    if schedule.own_level():
        return None
    own = [group.lr for group in recipe.groups if group.lr is not None and not group.frozen]
    lead = max([recipe.optimizer.lr, *own])
    if isinstance(schedule, LambdaLR):
        lr /= highest(schedule, recipe.epochs, None) or 1.0
    if lead == 0:
        return _with(recipe, optimizer=_changed(recipe.optimizer, lr=lr))
    scale = lr / lead
    groups = tuple(g if g.lr is None else _changed(g, lr=float(f"{g.lr * scale:.6g}")) for g in recipe.groups)
    base = lr if lead == recipe.optimizer.lr else float(f"{recipe.optimizer.lr * scale:.6g}")
    return _with(recipe, optimizer=_changed(recipe.optimizer, lr=base), groups=groups)


def _changed(spec: S, **changes: Any) -> S:
    return spec.model_copy(update=changes)


def _with(recipe: Recipe, **changes: Any) -> Recipe | None:
    """``recipe`` with ``changes``, or None where they are beyond what is allowed."""
    given: dict[str, Any] = {name: getattr(recipe, name) for name in Recipe.model_fields}
    try:
        return recipe_from_json(Recipe.model_construct(**(given | changes)).model_dump_json())
    except SpecError:
        return None


def steepest(lr: Curve, smoothed: Curve, reach: int) -> int:
    """Where the curve falls fastest over log ``lr``: the index of the least slope across ``reach`` points either way.

    fastai and Lightning compare neighbours, where the noise of one batch can outweigh a fall over a whole decade.
    """
    reach = max(1, min(reach, (len(lr) - 1) // 2))
    x = np.log(lr)
    slopes = (smoothed[2 * reach :] - smoothed[: -2 * reach]) / (x[2 * reach :] - x[: -2 * reach])
    return int(np.argmin(slopes)) + reach


def valley(smoothed: Curve) -> int:
    """The index in the middle of the longest falling subsequence of ``smoothed``.

    After fastai's ``valley``, which is found by the same search. (There the subsequence is taken to have no gaps, which
    moves its beginning; here the beginning is its own.)
    """
    count = len(smoothed)
    length = np.ones(count, dtype=np.int64)
    first = np.arange(count)
    for i in range(1, count):
        longest = np.where(smoothed[:i] > smoothed[i], length[:i], 0)
        before = i - 1 - int(np.argmax(longest[::-1]))  # of equals the nearest: a level is no part of the fall
        if longest[before]:
            length[i], first[i] = longest[before] + 1, first[before]
    last = int(np.argmax(length))
    return (int(first[last]) + last) // 2


def _why_not(lr: Curve, loss: Curve, fallen: Curve, steps: int, diverged: bool) -> Text | None:
    if not len(lr):
        return Text("The loss was not finite at the very first rate; begin lower.")
    if len(fallen) < FEWEST and diverged:
        return Text(
            "The loss diverged after {count} of {steps} steps, too soon to see a fall; begin with a lower rate.",
            count=len(lr),
            steps=steps,
        )
    lowest = int(np.argmin(fallen))
    before = fallen[: lowest + 1]
    highest = float(before.max())
    fall = highest - float(fallen[lowest])
    scatter = float(np.median(np.abs(np.diff(loss))))
    if fall < max(LEAST_FALL * highest, scatter):
        return Text(
            "The loss does not clearly fall between {low} and {high}: by {fall}, while it differs by {scatter} from "
            "batch to batch. Try other limits or more steps.",
            low=number(float(f"{lr[0]:.3g}")),
            high=number(float(f"{lr[-1]:.3g}")),
            fall=f"{fall:.2g}",
            scatter=f"{scatter:.2g}",
        )
    return None
