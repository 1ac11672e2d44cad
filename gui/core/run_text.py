"""Texts about a run as a whole: what it trains, and how it ended."""

from __future__ import annotations

from collections.abc import Sequence

from engine.messages.commands import CommandAt, Unfreeze
from engine.messages.events import StartEvent
from engine.recipe.recipe import Recipe
from gui.core.lr_text import lr_text
from gui.core.translation import said, tr


def sentence(text: str) -> str:
    """A text of the engine, translated, as a full sentence."""
    translated = said(text).rstrip(".")
    return tr("{what}.", what=translated[:1].upper() + translated[1:])


def finished(val_accuracy: float, epochs: int) -> str:
    """How a run of ``epochs`` ended, with a validation accuracy from 0 to 1."""
    return tr(
        "Finished: {accuracy} validation accuracy after {epochs} epochs.",
        accuracy=f"{val_accuracy:.1%}",
        epochs=epochs,
    )


def stopped(epoch: int, epochs: int) -> str:
    """Where a run was stopped."""
    return tr("Stopped in epoch {epoch} of {epochs}, and saved.", epoch=epoch, epochs=epochs)


def more_epochs(lrs: Sequence[float]) -> str:
    """What the LR would be with more epochs; ``lrs`` are those of the groups."""
    return tr("With more epochs the LR continues at {lr}.", lr=", ".join(lr_text(lr) for lr in lrs))


def summary(recipe: Recipe, event: StartEvent, interventions: Sequence[CommandAt] = ()) -> list[tuple[str, str]]:
    """What the run trains, as names and values, with the groups that ``interventions`` (pending) will unfreeze."""
    augmented = tr("{name}, augmented", name=recipe.data.name) if recipe.data.augmented else recipe.data.name
    summary = [
        (tr("Data set"), augmented),
        (tr("Network"), recipe.model.name),
        (tr("Parameters"), f"{event.parameters:,}"),
        (tr("Optimizer"), tr("{name}, LR {lr}", name=recipe.optimizer.name, lr=lr_text(recipe.optimizer.lr))),
        (tr("Batch size"), str(recipe.data.batch_size)),
        (tr("Seed"), str(recipe.seed)),
        (tr("Device, precision"), f"{event.device}, {recipe.precision}"),
    ]
    if len(event.groups) > 1:
        sizes = zip(event.groups, event.group_parameters, strict=True)
        summary.append((tr("Groups"), ", ".join(f"{name} ({size:,})" for name, size in sizes)))
    unfreezes = [
        (line.intervention.group, line.at.epoch - 1)
        for line in interventions
        if isinstance(line.intervention, Unfreeze)
    ]
    if unfreezes:
        text = ", ".join(tr("{group} after epoch {epoch}", group=group, epoch=epoch) for group, epoch in unfreezes)
        summary.append((tr("Unfrozen during the run"), text))
    return summary
