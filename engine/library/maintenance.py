"""Checking a whole library, and rebuilding its index when a person asks for it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from engine.checkpoints import digest
from engine.common.errors import CheckpointError, SpecError
from engine.common.files import open_regular
from engine.common.progress import IsCancelled, Progress
from engine.common.text import Text
from engine.library.index_writer import IndexWriter
from engine.library.reader import Reader
from engine.library.recovery import is_damaged, open_index

_MAX_PROBLEMS: Final = 20  # where there are more, they have one reason


@dataclass(frozen=True, kw_only=True)
class Soundness:
    """The result of a check.

    Args:
        read: number of checkpoints that were read without error.
        index: whether the index is sound.
        bad: number of checkpoints that are missing or damaged.
        problems: the first of them, and a damaged index, a sentence each.
    """

    read: int
    index: bool
    bad: int
    problems: tuple[Text, ...] = ()

    @property
    def sound(self) -> bool:
        """Whether no problem was found."""
        return self.index and not self.bad


def check(reader: Reader, progress: Progress, cancelled: IsCancelled) -> Soundness | None:
    """Check the index and the digest of every checkpoint; None where it was cancelled.

    Raises:
        sqlite3.Error: the index cannot be read at all.
    """
    if is_damaged(reader.root):
        text = "the index is damaged: rebuild it from the checkpoints"
        return Soundness(read=0, index=False, bad=0, problems=(Text(text),))
    rows = [*reader.runs(), *reader.runs(deleted=True)]
    checkpoints = [(row, checkpoint) for row in rows for checkpoint in reader.checkpoints(row.id)]
    problems: list[Text] = []
    read = bad = 0
    for number, (row, checkpoint) in enumerate(checkpoints):
        if cancelled():
            return None
        progress(Text("reading the checkpoints"), number, len(checkpoints))
        try:
            with open_regular(checkpoint.path) as file:
                digest.check(file, checkpoint.path)
            read += 1
        except (OSError, CheckpointError) as error:
            now = {known.path for known in reader.checkpoints(row.id)}
            if checkpoint.path not in now:
                continue  # retention has removed it meanwhile
            bad += 1
            if len(problems) < _MAX_PROBLEMS:
                problems.append(_problem(row.name, checkpoint.path, error))
    return Soundness(read=read, index=True, bad=bad, problems=tuple(problems))


def _problem(name: str, path: Path, error: OSError | CheckpointError) -> Text:
    if isinstance(error, FileNotFoundError):
        return Text("{name}: {file} is missing", name=name, file=path.name)
    if isinstance(error, OSError):
        return Text("{name}: {file} cannot be read: {error}", name=name, file=path.name, error=error.strerror or error)
    return Text("{name}: {file} is damaged", name=name, file=path.name)


def rebuild(reader: Reader, index: IndexWriter, busy: float) -> list[Text]:
    """Rebuild the index on the writer thread; returns what a person should know of that.

    Raises:
        SpecError: a run is open.
        OSError, sqlite3.Error: it could not be done.
    """
    for row in reader.runs():
        if row.live:
            raise SpecError("library", Text("“{name}” is running: stop it first", name=row.name or row.id))

    def work() -> list[Text]:
        index.disconnect()
        return open_index(reader.root, busy, rebuild=True)

    return index.call(work)
