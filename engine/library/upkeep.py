"""Whether a library is sound, and its index made anew when a person asks for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from engine import seal
from engine.library.reading import Reader
from engine.library.repair import is_damaged
from engine.library.writer import Writer
from engine.seal import SnapshotError
from engine.spec import SpecError
from engine.words import Words

_SAID: Final = 20  # problems by name; where there are more, they have one reason

Progress = Callable[[str, int, int], None]
Cancelled = Callable[[], bool]


@dataclass(frozen=True, kw_only=True)
class Soundness:
    """What a check found: how many snapshots it read, and what is wrong, each in a sentence.

    ``index`` says whether the index is sound; ``bad`` counts snapshots that are gone or damaged.
    """

    read: int
    index: bool
    bad: int
    problems: tuple[Words, ...] = ()

    @property
    def sound(self) -> bool:
        """Whether nothing is wrong."""
        return self.index and not self.bad


def check(reader: Reader, progress: Progress, cancelled: Cancelled) -> Soundness | None:
    """Check the index and read every snapshot to the last byte; None where it was called off.

    Raises:
        sqlite3.Error: the index cannot be read at all.
    """
    if is_damaged(reader.root):
        text = "the index is damaged: make it anew from the snapshots"
        return Soundness(read=0, index=False, bad=0, problems=(Words(text),))
    rows = [*reader.runs(), *reader.runs(deleted=True)]
    snapshots = [(row, snapshot) for row in rows for snapshot in reader.snapshots(row.id)]
    problems: list[Words] = []
    read = bad = 0
    for place, (row, snapshot) in enumerate(snapshots):
        if cancelled():
            return None
        progress(Words("reading the snapshots"), place, len(snapshots))
        try:
            with snapshot.path.open("rb") as file:
                seal.check(file, snapshot.path)
            read += 1
        except (OSError, SnapshotError) as error:
            now = {known.path for known in reader.snapshots(row.id)}
            if snapshot.path not in now:
                continue  # it was thinned out meanwhile
            bad += 1
            if len(problems) < _SAID:
                problems.append(_problem(row.name, snapshot.path, error))
    return Soundness(read=read, index=True, bad=bad, problems=tuple(problems))


def _problem(name: str, path: Path, error: OSError | SnapshotError) -> Words:
    if isinstance(error, FileNotFoundError):
        return Words("{name}: {file} is gone", name=name, file=path.name)
    if isinstance(error, OSError):
        return Words("{name}: {file} cannot be read: {error}", name=name, file=path.name, error=error.strerror or error)
    return Words("{name}: {file} is damaged", name=name, file=path.name)


def rebuild(reader: Reader, writer: Writer, make_anew: Callable[[], list[Words]]) -> list[Words]:
    """Have ``make_anew`` make the index anew on the writer thread; returns what it says of that.

    Raises:
        SpecError: a run is under way.
        OSError, sqlite3.Error: it could not be done.
    """
    for row in reader.runs():
        if row.live:
            raise SpecError("library", Words("“{name}” is under way: stop it first", name=row.name or row.id))

    def work() -> list[Words]:
        writer.let_go()
        return make_anew()

    return writer.now(work)
