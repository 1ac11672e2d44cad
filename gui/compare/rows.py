"""The rows of the comparison table: results, and differences in recipe and interventions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from engine.common.position import Position
from engine.library.comparison import ComparedRun, intervention_differences, recipe_differences
from gui.core.lr_text import lr_text
from gui.core.translation import tr
from gui.widgets.intervention_text import command_text, schedule_text


@dataclass(frozen=True)
class ComparisonRow:
    """A row of the table; a heading has no values."""

    title: str
    values: tuple[str, ...] = ()

    @property
    def heading(self) -> bool:
        """Whether the row is a heading."""
        return not self.values


def rows_of(runs: Sequence[ComparedRun]) -> list[ComparisonRow]:
    """The rows for ``runs``: each section with a heading."""
    recipe = [
        ComparisonRow(d.field, tuple(map(_value, d.values))) for d in recipe_differences([run.recipe for run in runs])
    ]
    interventions = [
        ComparisonRow(
            _position_text(at.position),
            tuple("; ".join(map(command_text, applied)) or "–" for applied in at.interventions),
        )
        for at in intervention_differences([run.interventions for run in runs])
    ]
    made = [ComparisonRow(tr("Results")), *_results(runs)]
    made += [ComparisonRow(tr("Recipe: differences")), *recipe] if recipe else [ComparisonRow(tr("Recipe: identical"))]
    if interventions:
        return [*made, ComparisonRow(tr("Interventions: differences")), *interventions]
    intervened = any(run.interventions for run in runs)
    return [*made, ComparisonRow(tr("Interventions: identical") if intervened else tr("Interventions: none"))]


def _results(runs: Sequence[ComparedRun]) -> list[ComparisonRow]:
    def best(run: ComparedRun) -> str:
        top = max(run.history, key=lambda e: e.val_accuracy, default=None)
        return "–" if top is None else tr("{value} in epoch {n}", value=f"{top.val_accuracy:.2%}", n=top.epoch)

    def lowest(run: ComparedRun) -> str:
        low = min(run.history, key=lambda e: e.val_loss, default=None)
        return "–" if low is None else tr("{value} in epoch {n}", value=f"{low.val_loss:.4g}", n=low.epoch)

    def last(run: ComparedRun) -> str:
        return f"{run.history[-1].val_accuracy:.2%}" if run.history else "–"

    return [
        ComparisonRow(tr("Epochs done"), tuple(str(len(run.history)) for run in runs)),
        ComparisonRow(tr("Best validation accuracy"), tuple(map(best, runs))),
        ComparisonRow(tr("Last validation accuracy"), tuple(map(last, runs))),
        ComparisonRow(tr("Lowest validation loss"), tuple(map(lowest, runs))),
    ]


def _position_text(position: Position) -> str:
    if position.batch:
        return tr("Epoch {epoch}, batch {batch}", epoch=position.epoch, batch=position.batch)
    return tr("Epoch {epoch}", epoch=position.epoch)


def _value(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return tr("yes") if value else tr("no")
    if isinstance(value, Mapping):
        return schedule_text(value)
    if isinstance(value, float):
        return lr_text(value)
    if isinstance(value, list):
        return ", ".join(map(_value, value))
    return str(value)
