"""A checkpoint's way to the disk: a queue in memory, of limited size, and the file, its row and retention after it."""

from __future__ import annotations

import errno
import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from engine.common.position import Position
from engine.common.text import Text
from engine.library import statements
from engine.library.disk_errors import why
from engine.library.folder import CHECKPOINTS, has_place
from engine.library.index_writer import IndexWriter
from engine.library.reader import Reader
from engine.library.retention import Retention, size_text
from engine.library.rows import Kind

REPLACEABLE: Final[tuple[Kind, ...]] = ("epoch", "timed")  # a newer one replaces them
EPOCHS_QUEUED: Final = 3


@dataclass(frozen=True, kw_only=True)
class CheckpointResult:
    """What became of a checkpoint: the ``path`` of its file, or the ``error`` that prevented it.

    ``warning``: the file is written, but its row is not yet, or the library has grown beyond its limit.
    """

    path: Path | None = None
    error: str | None = None
    warning: Text | None = None


@dataclass(eq=False, kw_only=True)
class CheckpointWrite:
    """A checkpoint to write.

    Args:
        content: of the file; emptied once it is not needed any more.
        run: the run's id.
        kind: what it is for.
        at: its position.
        path: of the file.
        done: called with the result, on the writer thread; on the caller's where it is rejected at once.
        metrics: of the epoch that ended at its position.
        overwrite: whether any other file at ``path`` may be replaced too, not only a checkpoint.
    """

    content: dict[str, Any]
    run: str
    kind: Kind
    at: Position
    path: Path
    done: Callable[[CheckpointResult], None]
    metrics: dict[str, float] = field(default_factory=dict)
    overwrite: bool = False

    def __post_init__(self) -> None:
        self.bytes = _size(self.content)


class CheckpointWriter:
    """Writes checkpoints to the library in ``root``, one after the other, on the thread of ``index``."""

    def __init__(self, root: Path, index: IndexWriter, retention: Retention) -> None:
        self.retention = retention
        self._root = root
        self._index = index
        self._reader = Reader(root)
        self._lock = threading.Lock()
        self._queue: list[CheckpointWrite] = []
        self._writing = 0  # bytes
        self._over_limit = False

    def store(self, checkpoint: CheckpointWrite) -> None:
        """Write ``checkpoint`` later.

        Of a run's epoch ends in the queue, only the newest few and the best are written. A checkpoint that does not
        fit into the memory for the queue is rejected, unless it is where a run stopped.
        """
        with self._lock:
            accepted = checkpoint.kind == "stop" or self._make_room(checkpoint.bytes)
            if accepted:
                self._queue.append(checkpoint)
                self._drop_replaced(checkpoint.run)
            queued = self._queued()
        if not accepted:
            checkpoint.content = {}
            error = Text("the disk is slow: {size} are waiting to be written", size=size_text(queued))
            checkpoint.done(CheckpointResult(error=error))
            return
        self._index.submit(lambda: self._take(checkpoint))

    @property
    def queued(self) -> int:
        """Bytes of the checkpoints in memory, including the one that is being written."""
        with self._lock:
            return self._queued()

    # -- the queue, under its lock

    def _queued(self) -> int:
        return self._writing + sum(c.bytes for c in self._queue)

    def _make_room(self, size: int) -> bool:
        """Drop replaceable checkpoints, oldest first, until ``size`` more bytes fit into memory; whether they do.

        Where nothing else is queued, any size does.
        """
        memory = self.retention.memory_bytes
        for old in [c for c in self._queue if c.kind in REPLACEABLE]:
            if self._queued() + size <= memory:
                break
            self._drop(old)
        return not self._queued() or self._queued() + size <= memory

    def _drop_replaced(self, run: str) -> None:
        ends = [c for c in self._queue if c.kind == "epoch" and c.run == run]
        best = self.retention.best_of(ends)
        for old in ends[:-EPOCHS_QUEUED]:
            if old not in best:
                self._drop(old)

    def _drop(self, checkpoint: CheckpointWrite) -> None:
        self._queue.remove(checkpoint)
        checkpoint.content = {}

    # -- on the writer thread

    def _take(self, checkpoint: CheckpointWrite) -> None:
        with self._lock:
            if checkpoint not in self._queue:
                return  # it was dropped
            self._queue.remove(checkpoint)
            self._writing = checkpoint.bytes
        try:
            result = self._write(checkpoint)
        except Exception as error:  # noqa: BLE001 - reported, whatever it is; the writer thread continues
            result = CheckpointResult(error=why(error))
        checkpoint.content = {}
        with self._lock:
            self._writing = 0
        checkpoint.done(result)

    def _write(self, checkpoint: CheckpointWrite) -> CheckpointResult:
        """Write the file and its row, and apply retention. Raises what writing the file raises."""
        from engine.checkpoints.checkpoint import write  # imports torch, which readers of the library do without

        path = checkpoint.path
        if path.is_relative_to(self._root / CHECKPOINTS) and not has_place(self._root, checkpoint.run, path):
            raise OSError(errno.ELOOP, "a link leads out of the library", str(path))
        write(checkpoint.content, path, overwrite=checkpoint.overwrite)
        row = statements.checkpoint(
            self._stored(path),
            checkpoint.run,
            checkpoint.kind,
            checkpoint.at,
            time.time(),
            path.stat().st_size,
            checkpoint.metrics,
        )
        try:
            self._index.execute([row])
            self._apply_retention(checkpoint.run)
            return CheckpointResult(path=path, warning=self._limit_warning())
        except (OSError, sqlite3.Error) as error:
            self._index.write_later([row])
            warning = Text("the run library could not be written: {error}", error=why(error))
            return CheckpointResult(path=path, warning=warning)

    def _stored(self, path: Path) -> str:
        """A path as the index has it: relative within the library, so that its folder can be moved."""
        return str(path.relative_to(self._root) if path.is_relative_to(self._root) else path.absolute())

    def _apply_retention(self, run: str) -> None:
        for checkpoint in self.retention.expired(self._reader.checkpoints(run)):
            if has_place(self._root, run, checkpoint.path):
                with suppress(FileNotFoundError, IsADirectoryError):
                    checkpoint.path.unlink()
            self._index.execute([("DELETE FROM checkpoints WHERE path = ?", (self._stored(checkpoint.path),))])

    def _limit_warning(self) -> Text | None:
        """A warning where the library has just grown beyond its limit."""
        limit, used = self.retention.limit_bytes, self._reader.disk_use()
        before, self._over_limit = self._over_limit, limit is not None and used > limit
        if limit is None or before or not self._over_limit:
            return None
        text = "the checkpoints take {used}, more than the limit of {limit}: delete runs and empty the recycle bin"
        return Text(text, used=size_text(used), limit=size_text(limit))


def _size(value: Any) -> int:
    """Bytes that the tensors and texts in ``value`` take."""
    if isinstance(value, dict):
        return sum(_size(item) for item in value.values())
    if isinstance(value, (list, tuple)):
        return sum(_size(item) for item in value)
    return int(getattr(value, "nbytes", 0)) or (len(value) if isinstance(value, (str, bytes)) else 0)
