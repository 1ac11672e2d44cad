"""The run library: read from any thread, written on one."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import platformdirs

from engine.common.errors import SpecError
from engine.common.files import path_of
from engine.common.progress import IsCancelled, Progress
from engine.common.text import Text
from engine.library import maintenance, manage, statements
from engine.library.checkpoint_writer import CheckpointWrite, CheckpointWriter
from engine.library.disk_errors import why, why_not_opened
from engine.library.index_writer import IndexWriter
from engine.library.lock import RunLock
from engine.library.reader import Reader
from engine.library.recovery import open_index
from engine.library.retention import Retention
from engine.library.schema import BUSY_SECONDS, VersionError
from engine.library.statements import Beginning, Statement


def default_library_root() -> Path:
    """The library's folder: TILLER_LIBRARY, or one in the platform's folder for user data."""
    return Path(os.environ.get("TILLER_LIBRARY") or platformdirs.user_data_path("tiller", appauthor=False) / "library")


class Library(Reader):
    """The library in ``root``, created if it is not there.

    ``remarks`` is what a person should know of how it was opened, such as that a damaged index was rebuilt.

    Args:
        root: its folder.
        retention: which checkpoints are kept.
        busy: seconds to wait for another program that has locked the index.

    Raises:
        SpecError: the folder cannot be created or written, or its index cannot be used.
    """

    def __init__(self, root: str | Path, retention: Retention | None = None, *, busy: float = BUSY_SECONDS) -> None:
        super().__init__(path_of("library", str(root)))
        self._busy = busy
        self._index = IndexWriter(self.root, busy)
        self._checkpoints = CheckpointWriter(self.root, self._index, retention or Retention())
        try:
            (self.root / "checkpoints").mkdir(parents=True, exist_ok=True)
            self.remarks: list[Text] = self._index.call(lambda: open_index(self.root, busy))
        except (OSError, sqlite3.Error, VersionError) as error:
            self._index.close()
            reason = str(error) if isinstance(error, VersionError) else why_not_opened(error, self.root)
            text = "{root} cannot be used: {reason}; choose another with --library"
            raise SpecError("library", Text(text, root=self.root, reason=reason)) from None

    @property
    def retention(self) -> Retention:
        """Which checkpoints are kept; it may be replaced."""
        return self._checkpoints.retention

    @retention.setter
    def retention(self, retention: Retention) -> None:
        self._checkpoints.retention = retention

    # -- a run that is training; its statements and checkpoints are written in the order of the calls

    def own(self, run: str) -> RunLock:
        """Lock ``run``, so that no other process opens it. Raises RunInUseError, OSError."""
        return RunLock(self.root, run)

    def begin(self, beginning: Beginning, warn: Callable[[Text], None]) -> None:
        """Add a run, or resume one; returns when it is written.

        ``warn`` is called from then on, on the writer thread, with what a person should know where the index had to be
        rebuilt.

        Raises:
            OSError, sqlite3.Error: it could not be written; it will be, with the next write.
        """
        self._index.warn = warn

        def work() -> None:
            made = statements.begin(beginning)
            try:
                self._index.execute(made)
            except (OSError, sqlite3.Error):
                self._index.write_later(made)
                raise

        self._index.call(work)

    def write(self, made: Sequence[Statement], report: Callable[[str | None], None]) -> None:
        """Write what ``engine.library.statements`` made, soon.

        ``report`` is called with the reason where that fails, and with None once it has been done after all.
        """
        self._index.write(made, report)

    def store(self, checkpoint: CheckpointWrite) -> None:
        """Write a checkpoint later; see ``CheckpointWriter.store``."""
        self._checkpoints.store(checkpoint)

    @property
    def is_writing(self) -> bool:
        """Whether a checkpoint is queued or being written."""
        return self._checkpoints.queued > 0

    def flush(self) -> None:
        """Wait until all that was passed so far is written, and its result reported."""
        self._index.flush()

    def close(self) -> None:
        """Write all that is pending, and end the writer thread."""
        self._index.close()

    # -- whole runs

    def update(self, run: str, failed: Callable[[str], None], **values: Any) -> None:
        """Change ``name``, ``notes`` or ``tags`` of a run, later; ``failed`` is called with the reason if it fails."""

        def work() -> None:
            try:
                self._index.execute([statements.update(run, **values)])
            except (OSError, sqlite3.Error) as error:
                failed(Text("the run library could not be written: {error}", error=why(error)))

        self._index.submit(work)

    def delete(self, run: str) -> None:
        """Put a run into the recycle bin; returns when it is written. Raises SpecError, OSError, sqlite3.Error."""
        manage.delete(self, self._index, run)

    def restore(self, run: str) -> None:
        """Take a run out of the recycle bin. Raises SpecError, OSError, sqlite3.Error."""
        manage.restore(self, self._index, run)

    def empty_bin(self, runs: Iterable[str] | None = None) -> list[str]:
        """Remove ``runs`` from the recycle bin for good, or all that are there; returns the ids of those removed."""
        chosen = [row.id for row in self.runs(deleted=True)] if runs is None else runs
        return manage.empty(self, self._index, chosen)

    def import_checkpoint(self, file: str | Path) -> str:
        """Copy a checkpoint file into the library as a new run; returns its id. Raises SpecError, OSError."""
        return manage.import_checkpoint(self, self._index, Path(file))

    def check(self, progress: Progress, cancelled: IsCancelled) -> maintenance.Soundness | None:
        """Read everything, and report what is damaged; None where it was cancelled. Raises sqlite3.Error."""
        return maintenance.check(self, progress, cancelled)

    def rebuild(self) -> list[Text]:
        """Rebuild the index from the old one, which is kept under another name, and the checkpoints.

        Returns what a person should know of that. Raises SpecError, OSError, sqlite3.Error.
        """
        return maintenance.rebuild(self, self._index, self._busy)
