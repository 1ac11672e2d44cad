"""Whether a library is sound, and its index made anew when a person asks for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from engine.checkpoints import digest
from engine.checkpoints.digest import CheckpointError
from engine.common.spec import SpecError
from engine.common.text import Text
from engine.library.reader import Reader
from engine.library.recovery import is_damaged
from engine.library.writer import Writer

_SAID: Final = 20  # problems by name; where there are more, they have one reason

Progress = Callable[[str, int, int], None]
Cancelled = Callable[[], bool]


@dataclass(frozen=True, kw_only=True)
class Soundness:
    """What a check found: how many checkpoints it read, and what is wrong, each in a sentence.

    ``index`` says whether the index is sound; ``bad`` counts checkpoints that are gone or damaged.
    """

    read: int
    index: bool
    bad: int
    problems: tuple[Text, ...] = ()

    @property
    def sound(self) -> bool:
        """Whether nothing is wrong."""
        return self.index and not self.bad


def check(reader: Reader, progress: Progress, cancelled: Cancelled) -> Soundness | None:
    """Check the index and read every checkpoint to the last byte; None where it was called off.

    Raises:
        sqlite3.Error: the index cannot be read at all.
    """
    if is_damaged(reader.root):
        text = "the index is damaged: make it anew from the checkpoints"
        return Soundness(read=0, index=False, bad=0, problems=(Text(text),))
    rows = [*reader.runs(), *reader.runs(deleted=True)]
    checkpoints = [(row, checkpoint) for row in rows for checkpoint in reader.checkpoints(row.id)]
    problems: list[Text] = []
    read = bad = 0
    for place, (row, checkpoint) in enumerate(checkpoints):
        if cancelled():
            return None
        progress(Text("reading the checkpoints"), place, len(checkpoints))
        try:
            with checkpoint.path.open("rb") as file:
                digest.check(file, checkpoint.path)
            read += 1
        except (OSError, CheckpointError) as error:
            now = {known.path for known in reader.checkpoints(row.id)}
            if checkpoint.path not in now:
                continue  # it was thinned out meanwhile
            bad += 1
            if len(problems) < _SAID:
                problems.append(_problem(row.name, checkpoint.path, error))
    return Soundness(read=read, index=True, bad=bad, problems=tuple(problems))


def _problem(name: str, path: Path, error: OSError | CheckpointError) -> Text:
    if isinstance(error, FileNotFoundError):
        return Text("{name}: {file} is gone", name=name, file=path.name)
    if isinstance(error, OSError):
        return Text("{name}: {file} cannot be read: {error}", name=name, file=path.name, error=error.strerror or error)
    return Text("{name}: {file} is damaged", name=name, file=path.name)


def rebuild(reader: Reader, writer: Writer, rebuild: Callable[[], list[Text]]) -> list[Text]:
    """Have ``rebuild`` make the index anew on the writer thread; returns what it says of that.

    Raises:
        SpecError: a run is under way.
        OSError, sqlite3.Error: it could not be done.
    """
    for row in reader.runs():
        if row.live:
            raise SpecError("library", Text("“{name}” is under way: stop it first", name=row.name or row.id))

    def work() -> list[Text]:
        writer.let_go()
        return rebuild()

    return writer.now(work)
