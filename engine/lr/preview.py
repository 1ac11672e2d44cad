"""Projected LRs: the LR control that trains, copied and run forward."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Final

import numpy as np

from engine.common.errors import Cancelled, Rejected, SpecError
from engine.common.position import Position
from engine.common.progress import IsCancelled
from engine.lr.control import LRControl, LRIntervention
from engine.messages.preview import Curve, CurveQuery

MOST_POINTS: Final = 50_000
_CHECK_EVERY: Final = 1000
_GOLDEN: Final = (5**0.5 - 1) / 2


def walk(lr: LRControl, start: Position, positions: Iterable[int]) -> Iterator[tuple[int, int, list[float]]]:
    """Run ``lr`` forward, yielding (epoch, batch, current LRs) at each of ``positions``.

    These count batches from ``start``, in increasing order. A schedule that a metric drives gets no metric, and so
    stays flat. ``lr`` itself is stepped.
    """
    batches = lr.length.steps_per_epoch
    epoch, batch, here = start.epoch, start.batch, 0
    for position in positions:
        ended, batch = divmod(batch + position - here, batches)
        lr.advance(position - here, ended)
        epoch, here = epoch + ended, position
        yield epoch, batch, lr.current()


def _chosen(count: int) -> Iterator[int]:
    """``count`` positions from 0, or ``MOST_POINTS`` of them with the first and the last, irregularly spaced."""
    if count <= MOST_POINTS:
        yield from range(count)
        return
    yield 0
    inner, share = MOST_POINTS - 2, 0.0
    for index in range(inner):
        share = (share + _GOLDEN) % 1.0
        begin, end = (1 + (count - 2) * i // inner for i in (index, index + 1))
        yield begin + int(share * (end - begin))
    yield count - 1


def draw(query: CurveQuery, cancelled: IsCancelled = lambda: False) -> Curve:
    """The projected LRs of ``query``, from its position to its last epoch.

    One point per epoch, or per batch where a schedule is stepped per batch; at most ``MOST_POINTS``. ``Curve.problem``
    says why something cannot be drawn. ``cancelled`` is asked from time to time; a cancelled curve is empty, without a
    problem.
    """
    nothing = Curve(
        key=query.key,
        x=np.empty(0),
        lr=np.empty((0, len(query.group_names))),
        group_names=query.group_names,
        steps_per_epoch=query.steps_per_epoch,
    )
    try:
        control, warnings = _prepared(query, cancelled)
        begin = query.applies_at if query.intervention is not None and query.applies_at is not None else query.position
    except SpecError as error:
        return replace(nothing, problem=error.problem, field=error.field)
    except Rejected as refusal:
        return replace(nothing, problem=refusal.reason)
    except Cancelled:
        return nothing
    batches = control.length.steps_per_epoch
    stride = 1 if control.stepwise else batches
    left = (control.length.epochs + 1 - begin.epoch) * batches - begin.batch
    # where no schedule is stepped per batch: here, and at the starts of the epochs that follow
    first = 0 if control.stepwise else begin.batch
    count = -(-(left + first) // stride)
    positions = (max(0, number * stride - first) for number in _chosen(count))
    x: list[float] = []
    lr: list[list[float]] = []
    for epoch, batch, lrs in walk(control, begin, positions):
        x.append(epoch - 1 + batch / batches)
        lr.append(lrs)
        if len(x) % _CHECK_EVERY == 0 and cancelled():
            return nothing
    if x:
        x.append(float(control.length.epochs))
        lr.append(lr[-1])
    points = np.array(lr, dtype=np.float64).reshape(len(x), len(query.group_names))
    return replace(nothing, x=np.array(x), lr=points, warnings=tuple(warnings), thinned=count > MOST_POINTS)


def _prepared(query: CurveQuery, cancelled: IsCancelled) -> tuple[LRControl, list[str]]:
    recipe = query.recipe.model_copy(update={"epochs": query.epochs})
    if query.control is None:
        lr = LRControl.from_recipe(recipe, query.group_names, query.steps_per_epoch)
        warnings: list[str] = [*recipe.warnings(), *lr.remarks]
    else:
        lr = LRControl.from_state(query.control.data, recipe.optimizer)
        shorter = lr.set_epochs(query.epochs)
        warnings = [] if shorter is None else [shorter]
    if query.intervention is not None and query.applies_at is not None:
        epochs, batches = query.applies_at.epoch - query.position.epoch, lr.length.steps_per_epoch
        lr.advance(max(0, epochs * batches + query.applies_at.batch - query.position.batch), max(0, epochs))
    if isinstance(query.intervention, LRIntervention):
        warning = lr.apply(query.intervention, query.history, cancelled)
        if warning is not None:
            warnings.append(warning)
    return lr, warnings
