"""Projected LRs: the LR control that trains, copied and run forward."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from engine.common.errors import Rejected, SpecError
from engine.common.position import Position
from engine.common.progress import IsCancelled
from engine.lr.control import LRControl, LRIntervention
from engine.messages.preview import Curve, CurveQuery

_CHECK_EVERY = 1000


def walk(lr: LRControl, start: Position, *, per_batch: bool) -> Iterator[tuple[int, int, list[float]]]:
    """Run ``lr`` forward to the end of the run, yielding (epoch, batch, current LRs) on the way.

    Positions are the starts of epochs, or of batches with ``per_batch``; the first is ``start`` itself. A schedule that
    a metric drives gets no metric, and so stays flat. ``lr`` itself is stepped.
    """
    batches = lr.length.steps_per_epoch
    stepwise = lr.stepwise
    for epoch in range(start.epoch, lr.length.epochs + 1):
        first = start.batch if epoch == start.epoch else 0
        if not per_batch:
            yield epoch, first, lr.current()
        for batch in range(first, batches) if per_batch or stepwise else ():
            if per_batch:
                yield epoch, batch, lr.current()
            lr.step_done()
        lr.epoch_done(None)


def draw(query: CurveQuery, cancelled: IsCancelled = lambda: False) -> Curve:
    """The projected LRs of ``query``, from its position to its last epoch.

    One point per epoch, or per batch where a schedule is stepped per batch. ``Curve.problem`` says why something cannot
    be drawn. ``cancelled`` is asked from time to time; a cancelled curve is empty, without a problem.
    """
    nothing = Curve(
        key=query.key,
        x=np.empty(0),
        lr=np.empty((0, len(query.group_names))),
        group_names=query.group_names,
        steps_per_epoch=query.steps_per_epoch,
    )
    try:
        control, warnings = _prepared(query)
        begin = query.applies_at if query.intervention is not None and query.applies_at is not None else query.position
    except SpecError as error:
        return replace(nothing, problem=error.problem, field=error.field)
    except Rejected as refusal:
        return replace(nothing, problem=refusal.reason)
    stepwise = control.stepwise
    x: list[float] = []
    lr: list[list[float]] = []
    for epoch, batch, lrs in walk(control, begin, per_batch=stepwise):
        x.append(epoch - 1 + batch / control.length.steps_per_epoch)
        lr.append(lrs)
        if len(x) % _CHECK_EVERY == 0 and cancelled():
            return nothing
    if x:
        x.append(float(control.length.epochs))
        lr.append(lr[-1])
    points = np.array(lr, dtype=np.float64).reshape(len(x), len(query.group_names))
    return replace(nothing, x=np.array(x), lr=points, warnings=tuple(warnings))


def _prepared(query: CurveQuery) -> tuple[LRControl, list[str]]:
    recipe = query.recipe.model_copy(update={"epochs": query.epochs})
    if query.control is None:
        lr = LRControl.from_recipe(recipe, query.group_names, query.steps_per_epoch)
        warnings: list[str] = list(recipe.warnings())
    else:
        lr = LRControl.from_state(query.control.data, recipe.optimizer)
        shorter = lr.set_epochs(query.epochs)
        warnings = [] if shorter is None else [shorter]
    if query.intervention is not None and query.applies_at is not None:
        _advance(lr, query.position, query.applies_at)
    if isinstance(query.intervention, LRIntervention):
        warning = lr.apply(query.intervention, query.history)
        if warning is not None:
            warnings.append(warning)
    return lr, warnings


def _advance(lr: LRControl, position: Position, target: Position) -> None:
    """Run ``lr`` from ``position`` to ``target`` without metrics."""
    epoch, batch = position.epoch, position.batch
    while (epoch, batch) < (target.epoch, target.batch):
        lr.step_done()
        batch += 1
        if batch == lr.length.steps_per_epoch:
            lr.epoch_done(None)
            epoch, batch = epoch + 1, 0
