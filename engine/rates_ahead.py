"""``main.py lr``: the rates that training would use, without training."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from engine import data, momentum
from engine.acts import act_on_rate
from engine.batches import batches_in
from engine.carry_out import check_length, check_not_over, no_such_batch
from engine.commands import At, HandLine, ReleaseLR, ScaleLR, SetEpochs, SetLR, SetOptimizer, SetSchedule, Stop
from engine.hand import WaitingHand, command_json
from engine.optimizers import Rejected
from engine.rate import RateControl
from engine.recipe import Recipe


def group_names(recipe: Recipe) -> list[str]:
    """The parameter groups that ``recipe`` makes, in order, without data and without memory for the network.

    Raises:
        SpecError: a pattern matches nothing.
    """
    if not recipe.groups:
        return ["all"]
    from engine import groups, models  # torchvision loads slowly, and most recipes have one group

    facts = data.describe(recipe.data.name)
    network = models.on_meta(
        recipe.model, channels=facts.channels, height=facts.height, width=facts.width, classes=len(facts.classes)
    )
    return [g.name for g in groups.split(network, recipe.groups)]


def rates_ahead(
    recipe: Recipe, hand: Iterable[HandLine], batches: bool, refused: Callable[[HandLine, str], None]
) -> Iterator[dict[str, Any]]:
    """A line for each epoch and, with ``batches`` and a schedule stepped per batch, for each batch.

    A metric-driven schedule is given no metric, and so stays flat. ``refused`` hears of lines of the hand that training
    would reject.

    Raises:
        SpecError: the recipe cannot be trained.
        PlanError: the schedule gives no rate at some position.
    """
    per_epoch = batches_in(data.describe(recipe.data.name).train, recipe.data.batch_size)
    rate = RateControl.from_recipe(recipe, group_names(recipe), per_epoch)
    waiting = WaitingHand(hand)
    for epoch in itertools.count(1):
        for batch in range(per_epoch):
            stopped = _stopped(rate, waiting, At(epoch=epoch, batch=batch), per_epoch, refused)
            if stopped or epoch > rate.length.epochs:
                return
            if batch == 0:
                yield {"epoch": epoch, "lr": rate.rates()}
            if batches and rate.stepwise:
                yield {"epoch": epoch, "batch": batch, "lr": rate.rates()}
            rate.step_done()
        rate.epoch_done(None)


def _stopped(
    rate: RateControl, waiting: WaitingHand, at: At, per_epoch: int, refused: Callable[[HandLine, str], None]
) -> bool:
    """Carry out what is due ``at``; whether the hand stops the run there."""
    while (line := waiting.due(at)) is not None:
        act, problem = line.act, no_such_batch(line.at, per_epoch)
        if problem is not None:
            refused(line, problem)
            continue
        if isinstance(act, Stop):
            return True
        try:
            if isinstance(act, (SetLR, ScaleLR, ReleaseLR, SetSchedule)):
                check_not_over(at, rate)
                act_on_rate(rate, act, [])
            elif isinstance(act, SetOptimizer):
                check_not_over(at, rate)
                momentum.check_free(rate.chosen(act.group), act.changes())
            elif isinstance(act, SetEpochs):
                check_length(act.epochs, at, rate)
                rate.set_epochs(act.epochs)
            elif act.command == "rewind":
                refused(line, "only a run that trains can go back")
        except Rejected as refusal:
            refused(line, str(refusal.reason))
    return False


def shown(line: HandLine) -> str:
    """A line of the hand in short, for a message."""
    return f"{command_json(line.act)['command']} at {line.at}"
