"""What a trainer is asked to do: begin a recipe, or take up a run."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from engine.common.position import Position
from engine.common.spec import SpecError
from engine.common.text import Text
from engine.library import InterventionRow, Library, RunRow, UnderWayError
from engine.messages.commands import CommandAt
from engine.messages.commands_file import parse_commands
from engine.recipe.recipe import Recipe, recipe_from_json


@dataclass(frozen=True, kw_only=True)
class Job:
    """One thread's work. ``recipe`` or ``checkpoint`` is given, and both for a run of the library.

    Args:
        recipe: the run to begin; also what is left of a run whose every checkpoint is lost.
        checkpoint: the file to go on from.
        older: where the run can be taken up if that file is damaged, the best first; its hand leads on from there.
        run: the id to keep, of a run that is taken up; None makes a new one.
        name: what the person calls the run; empty: made from the recipe.
        lines: the lines of the hand's file to wait for.
        recorded: the hand as the library has it: what waits, and what a checkpoint does not know yet.
        epochs: a new length for a resumed run, or None.
        device: another device than the recipe's, or None.
        download: whether missing data and weights may be fetched.
        data_share: how much of a memory the images may take, 0 to 1; None: as the machine is set (``data_share``).
        begin: train at once, or stand ready.
        one_epoch: pause at the end of the first epoch.
        back_to: the moment to go back to as soon as it is loaded, in a new branch.
        on_divergence: whether a loss that the guard does not pass pauses the run or ends it.
    """

    recipe: Recipe | None = None
    checkpoint: Path | None = None
    older: tuple[Path, ...] = ()
    run: str | None = None
    name: str = ""
    lines: tuple[CommandAt, ...] = ()
    recorded: tuple[InterventionRow, ...] = ()
    epochs: int | None = None
    device: str | None = None
    download: bool = False
    data_share: float | None = None
    begin: bool = True
    one_epoch: bool = False
    back_to: Position | None = None
    on_divergence: Literal["pause", "end"] = "end"

    @property
    def required_recipe(self) -> Recipe:
        """The recipe, of a job without a usable checkpoint.

        Raises:
            ValueError: the job has neither.
        """
        if self.recipe is None:
            raise ValueError("a job has a recipe or a checkpoint")
        return self.recipe


def to_resume(what: str, library: Library, lines: tuple[CommandAt, ...] | None = None) -> Job:
    """The job that takes up ``what``: a checkpoint's file, or a run's id in ``library``.

    ``lines`` replace all that the library knows to wait. A run without a checkpoint begins again, from its recipe and
    hand.

    Raises:
        SpecError: there is neither such a file nor such a run.
    """
    path = Path(what)
    if path.is_file():
        return Job(checkpoint=path.absolute(), lines=lines or ())
    row = library.run(what)
    if row is None:
        raise SpecError("resume", f"{what!r} is neither a checkpoint's file nor a run in {library.root}")
    return job_of(row, library, lines)


def to_open(run: str, library: Library) -> Job:
    """The job that takes up ``run`` where it was left, and stands there.

    Raises:
        SpecError: it is not there, or in the bin; or (UnderWayError) somebody is at it.
    """
    row = library.run(run)
    if row is None:
        raise SpecError("", Text("that run is not in the library any more"))
    if row.deleted is not None:
        raise SpecError("", Text("“{name}” is in the bin: restore it first", name=row.name or run))
    if row.live:
        text = "“{name}” is under way in another window or program: stop it there first"
        raise UnderWayError("", Text(text, name=row.name or run))
    return replace(job_of(row, library), begin=False, on_divergence="pause")


def of_file(file: Path, library: Library | None) -> Job:
    """The job that goes on from a checkpoint's ``file``: as the run of ``library`` that was left there, or as a branch.

    Raises:
        sqlite3.Error: the library cannot be read.
    """
    run = library.left_at(file) if library is not None else None
    row = library.run(run) if library is not None and run is not None else None
    return job_of(row, library) if library is not None and row is not None else Job(checkpoint=file)


def job_of(row: RunRow, library: Library, lines: tuple[CommandAt, ...] | None = None) -> Job:
    """The job that takes up a run of the library."""
    stand = library.to_go_on_from(row.id)
    newest = stand[0] if stand else None
    return Job(
        recipe=_recipe(row, needed=newest is None),
        checkpoint=newest,
        older=tuple(stand[1:]),
        run=row.id,
        name=row.name,
        lines=tuple(parse_commands(row.waiting)) if lines is None else lines,
        recorded=tuple(library.interventions(row.id)) if lines is None else (),
    )


def _recipe(row: RunRow, needed: bool) -> Recipe | None:
    try:
        return recipe_from_json(row.recipe)
    except SpecError:
        if needed:
            raise
        return None


def from_checkpoint(checkpoint: Path, run: str, name: str, library: Library | None) -> Job:
    """The job that takes up a run at ``checkpoint``, with the lines of its hand that the library knows to wait."""
    row = library.run(run) if library is not None else None
    waiting = tuple(parse_commands(row.waiting)) if row is not None else ()
    return Job(checkpoint=checkpoint, run=run, name=name, lines=waiting)
