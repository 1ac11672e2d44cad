"""What a trainer is asked to do: begin a recipe, or take up a run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from engine.commands import HandLine
from engine.hand import parse_hand
from engine.library import Library, RunRow
from engine.recipe import Recipe, recipe_from_json
from engine.spec import SpecError


@dataclass(frozen=True, kw_only=True)
class Job:
    """One thread's work. Exactly one of ``recipe`` and ``snapshot`` is given.

    Args:
        recipe: the run to begin.
        snapshot: the file to go on from.
        run: the id to keep, of a run that is taken up; None makes a new one.
        name: what the person calls the run; empty: made from the recipe.
        lines: the hand's lines to wait for.
        epochs: a new length for a resumed run, or None.
        device: another device than the recipe's, or None.
        download: whether missing data and weights may be fetched.
        begin: train at once, or stand ready.
        one_epoch: pause at the end of the first epoch.
        on_divergence: whether a loss that the guard does not pass pauses the run or ends it.
    """

    recipe: Recipe | None = None
    snapshot: Path | None = None
    run: str | None = None
    name: str = ""
    lines: tuple[HandLine, ...] = ()
    epochs: int | None = None
    device: str | None = None
    download: bool = False
    begin: bool = True
    one_epoch: bool = False
    on_divergence: Literal["pause", "end"] = "end"


def to_resume(what: str, library: Library, lines: tuple[HandLine, ...] | None = None) -> Job:
    """The job that takes up ``what``: a snapshot's file, or a run's id in ``library``.

    ``lines`` replace the lines that the library knows to wait. A run without a snapshot begins again from its recipe.

    Raises:
        SpecError: there is neither such a file nor such a run.
    """
    path = Path(what)
    if path.is_file():
        return Job(snapshot=path.absolute(), lines=lines or ())
    row = library.run(what)
    if row is None:
        raise SpecError("resume", f"{what!r} is neither a snapshot's file nor a run in {library.root}")
    return job_of(row, library, lines)


def job_of(row: RunRow, library: Library, lines: tuple[HandLine, ...] | None = None) -> Job:
    """The job that takes up a run of the library."""
    waiting = tuple(parse_hand(row.waiting)) if lines is None else lines
    snapshot = library.newest_snapshot(row.id)
    recipe = None if snapshot else recipe_from_json(row.recipe)
    return Job(recipe=recipe, snapshot=snapshot, run=row.id, name=row.name, lines=waiting)
