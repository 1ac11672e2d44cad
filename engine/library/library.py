"""The run library: a folder with ``runs.sqlite`` and ``checkpoints/``, read from any thread, written by one."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import platformdirs

from engine.common.spec import SpecError
from engine.common.text import Text
from engine.library import maintenance, manage, record
from engine.library.disk_errors import why, why_not_opened
from engine.library.lock import RunLock
from engine.library.reader import Reader
from engine.library.record import Beginning, Statement
from engine.library.recovery import open_index
from engine.library.retention import Retention, size_words
from engine.library.schema import BUSY_SECONDS, INDEX, NewerError
from engine.library.writer import CheckpointWrite, Writer

_NOT_WRITTEN: Final = "the run library could not be written: {error}"


def default_root() -> Path:
    """Where the library lives: TILLER_LIBRARY, or the platform's folder for user data."""
    return Path(os.environ.get("TILLER_LIBRARY") or platformdirs.user_data_path("tiller", appauthor=False) / "library")


class Library(Reader):
    """The library in ``root``, made if it is not there. ``keeping`` says which checkpoints stay; it may be changed.

    ``remarks`` is what a person should know of how it was opened: a damaged index that was made anew.

    Args:
        root: its folder.
        keeping: which checkpoints stay.
        busy: seconds to wait for another program that keeps the index locked.

    Raises:
        SpecError: the folder cannot be made or written, or its index cannot be used.
    """

    def __init__(self, root: str | Path, retention: Retention | None = None, *, busy: float = BUSY_SECONDS) -> None:
        super().__init__(Path(root).absolute())
        self.retention = retention or Retention()
        self.warn: Callable[[Text], None] = lambda _: None  # of a run under way: hears what is made anew meanwhile
        self._busy = busy
        self._writer = Writer(self.root, busy, self._heal)
        self._over_limit = False
        try:
            (self.root / "checkpoints").mkdir(parents=True, exist_ok=True)
            self.remarks: list[Text] = self._writer.now(lambda: open_index(self.root, busy))
        except (OSError, sqlite3.Error, NewerError) as error:
            self._writer.close()
            reason = str(error) if isinstance(error, NewerError) else why_not_opened(error, self.root)
            text = "{root} cannot be used: {reason}; choose another with --library"
            raise SpecError("library", Text(text, root=self.root, reason=reason)) from None

    # -- a run under way; in the order of the calls

    def own(self, run: str) -> RunLock:
        """Take ``run``, so that no other process does. Raises UnderWayError, OSError."""
        return RunLock(self.root, run)

    def begin(self, beginning: Beginning) -> None:
        """Add a run, or take up one that is there; returns when it is written.

        Raises:
            OSError, sqlite3.Error: it could not be written; it will be with what is written next.
        """

        def work() -> None:
            statements = record.begin(beginning)
            try:
                self._writer.execute(statements)
            except (OSError, sqlite3.Error):
                self._writer.owe(statements)
                raise

        self._writer.now(work)

    def write(self, statements: Sequence[Statement], told: Callable[[str | None], None]) -> None:
        """Write what ``engine.library.record`` made, soon.

        ``told`` hears why it could not be done yet, and None when it has been done after all.
        """
        self._writer.write(statements, told)

    def store(self, parcel: CheckpointWrite) -> None:
        """Write a checkpoint later, note it, and thin those of its run to what is kept.

        An epoch end that waits behind newer and better ones is not written at all. Where the disk is so slow that the
        memory for what waits is used up, the parcel is refused.
        """
        if parcel.kind != "stop" and not self._writer.make_room(parcel, self.retention.memory_bytes):
            parcel.content = {}
            waits = size_words(self._writer.waiting)
            parcel.done(None, Text("the disk is slow, and {size} wait for it already", size=waits))
            return
        self._writer.store(parcel, self._write_checkpoint, self.retention.best_of)

    @property
    def waits(self) -> bool:
        """Whether a checkpoint waits to be written, or is."""
        return self._writer.waiting > 0

    def flush(self) -> None:
        """Wait until everything handed over so far is written and answered."""
        self._writer.flush()

    def close(self) -> None:
        """Write what waits, and end the writer thread."""
        self._writer.close()

    # -- a person's acts on whole runs

    def update(self, run: str, failed: Callable[[str], None], **values: Any) -> None:
        """Change ``name``, ``notes`` or ``tags`` of a run later; ``failed`` hears why it could not be done."""

        def work() -> None:
            try:
                self._writer.execute([record.update(run, **values, updated=time.time())])
            except (OSError, sqlite3.Error) as error:
                failed(Text(_NOT_WRITTEN, error=why(error)))

        self._writer.later(work)

    def delete(self, run: str) -> None:
        """Put a run into the bin; waits for the disk, as the rest does. Raises SpecError, OSError, sqlite3.Error."""
        manage.delete(self, self._writer, run)

    def restore(self, run: str) -> None:
        """Take a run out of the bin. Raises SpecError, OSError, sqlite3.Error."""
        manage.restore(self, self._writer, run)

    def empty_bin(self, runs: Iterable[str] | None = None) -> list[str]:
        """Remove ``runs`` in the bin, or all, for good; returns the ids of those that are gone."""
        chosen = [row.id for row in self.runs(deleted=True)] if runs is None else runs
        return manage.empty(self, self._writer, chosen)

    def import_checkpoint(self, file: str | Path) -> str:
        """Copy a checkpoint's file into the library as a new run; returns its id. Raises SpecError, OSError."""
        return manage.bring_in(self, self._writer, Path(file))

    def check(self, progress: maintenance.Progress, cancelled: maintenance.Cancelled) -> maintenance.Soundness | None:
        """Read everything, and say what is damaged; None where it was called off. Raises sqlite3.Error."""
        return maintenance.check(self, progress, cancelled)

    def rebuild(self) -> list[Text]:
        """Make the index anew from the old one and the checkpoints, and keep the old one aside.

        Returns what a person should know of that. Raises SpecError, OSError, sqlite3.Error.
        """
        return maintenance.rebuild(self, self._writer, lambda: open_index(self.root, self._busy, anew=True))

    # -- within, on the writer thread

    def _heal(self) -> bool:
        """Make the index anew in mid-run; the folder itself is made by the next checkpoint, if it is gone."""
        try:
            remarks = open_index(self.root, self._busy) if self.root.is_dir() else []
        except (OSError, sqlite3.Error, NewerError):
            return False
        for remark in remarks:
            self.warn(remark)
        return (self.root / INDEX).exists()

    def _write_checkpoint(self, parcel: CheckpointWrite) -> None:
        from engine.checkpoints import checkpoint  # brings torch, which readers of the library do without

        checkpoint.write(parcel.content, parcel.path)
        path, size = parcel.path, parcel.path.stat().st_size
        row = record.checkpoint(
            self._stored(path), parcel.run, parcel.kind, parcel.at, time.time(), size, parcel.metrics
        )
        try:
            self._writer.execute([row])
            self._thin(parcel.run)
            self._watch_limit(parcel)
        except (OSError, sqlite3.Error) as error:  # the file stands; the index learns of it when it can
            self._writer.owe([row])
            parcel.warn(Text(_NOT_WRITTEN, error=why(error)))

    def _stored(self, path: Path) -> str:
        """A path within the library is kept relative, so that the folder can be moved."""
        return str(path.relative_to(self.root) if path.is_relative_to(self.root) else path.absolute())

    def _thin(self, run: str) -> None:
        for late in self.retention.thinned(self.checkpoints(run)):
            with suppress(FileNotFoundError):
                late.path.unlink()
            self._writer.execute([("DELETE FROM checkpoints WHERE path = ?", (self._stored(late.path),))])

    def _watch_limit(self, parcel: CheckpointWrite) -> None:
        limit, taken = self.retention.limit_bytes, self.disk_use()
        over = limit is not None and taken > limit
        if over and not self._over_limit:
            text = "the checkpoints take {taken}, more than the {limit} that they may: delete runs and empty the bin"
            parcel.warn(Text(text, taken=size_words(taken), limit=size_words(limit or 0)))
        self._over_limit = over
