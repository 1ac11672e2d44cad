"""What a trainer is to do: begin a recipe, or resume a run."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from engine.checkpoints.header import read_header
from engine.common.errors import RunInUseError, SpecError
from engine.common.files import path_of
from engine.common.position import Position
from engine.common.text import Text
from engine.library import InterventionRow, Library, RunRow
from engine.messages.commands import CommandAt
from engine.messages.commands_file import parse_commands
from engine.recipe.recipe import Recipe, recipe_from_json
from engine.recipe.user_code import Allowed


@dataclass(frozen=True, kw_only=True)
class Job:
    """One thread's work. A ``recipe`` or a ``checkpoint`` is given, and both for a run of the library.

    Args:
        recipe: the run to begin; also used where none of a run's checkpoints can be read.
        checkpoint: the file to resume from.
        older: files to resume from instead if that one is damaged, the best first.
        run: the id of a run of the library that is resumed; None: a new one.
        name: what the person calls the run; empty: made from the recipe.
        lines: the lines of the commands file.
        recorded: the run's interventions in the library: those pending, and those that a checkpoint does not hold yet.
        epochs: a new length for a resumed run, or None.
        device: another device than the recipe's, or None.
        download: whether missing data and weights may be downloaded.
        data_share: the share of a memory that the images may take, 0 to 1; None: the machine's setting.
        begin: whether to train at once, or to wait for a start.
        one_epoch: whether to pause at the end of the first epoch.
        back_to: the position to go back to, in a new branch, as soon as the run is loaded.
        allowed: the Python files that may be run (see ``engine.recipe.user_code``); None: any.
        on_divergence: whether a loss that the guard masks pauses the run or ends it.
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
    allowed: Allowed | None = None
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
    """The job that resumes ``what``: a checkpoint file, or a run's id in ``library``.

    ``lines`` replace all pending interventions. A run without a checkpoint begins again, from its recipe and
    interventions.

    Raises:
        SpecError: there is neither such a file nor such a run.
    """
    path = path_of("resume", what)
    if path.is_file():
        return Job(checkpoint=path, lines=lines or ())
    row = library.run(what)
    if row is None:
        raise SpecError("resume", f"{what!r} is neither a checkpoint file nor a run in {library.root}")
    return job_of(row, library, lines)


def to_open(run: str, library: Library) -> Job:
    """The job that loads ``run`` where it was left, and waits for a start.

    Raises:
        SpecError: it is not there, or in the recycle bin; or (RunInUseError) another process has it open.
    """
    row = library.run(run)
    if row is None:
        raise SpecError("", Text("that run is no longer in the library"))
    if row.deleted is not None:
        raise SpecError("", Text("“{name}” is in the recycle bin: restore it first", name=row.name or run))
    if row.live:
        text = "“{name}” is running in another window or program: stop it there first"
        raise RunInUseError("", Text(text, name=row.name or run))
    return replace(job_of(row, library), begin=False, on_divergence="pause")


def of_file(file: Path, library: Library | None) -> Job:
    """The job that resumes a checkpoint ``file``: the run of ``library`` whose newest it is, or a branch.

    Raises:
        sqlite3.Error: the library cannot be read.
    """
    run = library.run_at(file) if library is not None else None
    row = library.run(run) if library is not None and run is not None else None
    return job_of(row, library) if library is not None and row is not None else Job(checkpoint=file)


def check_file(file: Path, library: Library | None) -> None:
    """Check that ``of_file`` can resume ``file``, before anything is ended for it.

    The newest checkpoint of a run of ``library`` is not read: where it is damaged, an older one takes its place.

    Raises:
        CheckpointError: it is not a checkpoint, or damaged.
        sqlite3.Error: the library cannot be read.
    """
    if library is None or library.run_at(file) is None:
        read_header(file)


def job_of(row: RunRow, library: Library, lines: tuple[CommandAt, ...] | None = None) -> Job:
    """The job that resumes a run of the library."""
    checkpoints = library.resumable_from(row.id)
    newest = checkpoints[0] if checkpoints else None
    return Job(
        recipe=_recipe(row, needed=newest is None),
        checkpoint=newest,
        older=tuple(checkpoints[1:]),
        run=row.id,
        name=row.name,
        lines=tuple(parse_commands(row.commands)) if lines is None else lines,
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
    """The job that resumes a run from ``checkpoint``, with its commands file from the library."""
    row = library.run(run) if library is not None else None
    lines = tuple(parse_commands(row.commands)) if row is not None else ()
    return Job(checkpoint=checkpoint, run=run, name=name, lines=lines)
