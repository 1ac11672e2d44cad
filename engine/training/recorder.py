"""A run's place in the library: its row, what happened in it, its checkpoints, and what to call them."""

from __future__ import annotations

import re
import sqlite3
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from engine.checkpoints import checkpoint
from engine.common.position import Position
from engine.common.text import Text
from engine.library import (
    Beginning,
    CheckpointWrite,
    InterventionRow,
    Kind,
    Library,
    RunLock,
    RunRow,
    new_run_id,
    record,
    why,
)
from engine.library.rows import Done
from engine.messages.commands import Intervention
from engine.messages.events import CommandEvent, EpochEvent, Event, SavedEvent, StepsEvent
from engine.messages.queue import PostedCommand
from engine.training.run_state import Capture, RunState

_STEPS_SECONDS: Final = 2.0
_JOINED: Final = 20_000  # batches of an epoch that are kept as one piece
_NOT_WRITTEN: Final = "the run library could not be written: {error}"
_NOT_SAVED: Final = "a checkpoint could not be saved: {error}; training goes on"


class RunRecorder:
    """Keeps one run in the library, where there is one. Everything but ``own`` and ``begin`` returns at once.

    ``warn`` is called for writes that failed (once for each reason, until one succeeds), ``saved`` for each checkpoint
    that was written; both on the writer thread.
    """

    def __init__(
        self, library: Library | None, warn: Callable[[Text], None], saved: Callable[[SavedEvent], None]
    ) -> None:
        self._library = library
        self._warn = warn
        self._saved = saved
        self._sequence = 0
        self._lock: RunLock | None = None
        self._reports: list[StepsEvent] = []  # of the epoch under way
        self._written = 0
        self._ended: EpochEvent | None = None
        self._steps_due = self._moment_due = 0.0
        self._said: dict[str, str] = {}
        self.run = ""
        self.name = ""
        self.parent: str | None = None
        self.branch: tuple[int, int] | None = None
        self.newest: Path | None = None
        self._newest_is_of: object = None
        self._newest_stays = False  # however long the run goes on from there

    @property
    def keeps(self) -> bool:
        """Whether there is a library to save into."""
        return self._library is not None

    # -- the run

    def own(self, run: str) -> None:
        """Take ``run`` before it is read. Raises SpecError where another process is at it."""
        if self._library is not None:
            self._release()
            try:
                self._lock = self._library.own(run)
            except OSError as error:  # it will be said of everything else that is written, too
                self._divergence("index", Text(_NOT_WRITTEN, error=why(error)))

    def begin(
        self,
        run: str | None,
        name: str,
        parent: str | None,
        state: RunState,
        lines: str,
        waiting: Sequence[InterventionRow],
    ) -> None:
        """Take up ``run`` (or a new one): its row is written when this returns. ``lines`` is its hand's file."""
        self.run, self.name, self.parent = run or new_run_id(), name, parent
        self._reports, self._written, self._ended = [], 0, state.history[-1] if state.history else None
        self._moment_due = time.monotonic() + self._minutes()
        self.branch = (state.position.epoch, state.position.batch) if parent else None
        if self._library is None:
            return
        self._library.warn = self._warn
        if run is None:
            self.own(self.run)
        now = time.time()
        row = RunRow(
            id=self.run,
            name=name,
            state="training",
            created=now,
            updated=now,
            epochs_done=state.position.epoch - 1,
            epochs=state.epochs,
            parent=parent,
            branch_epoch=self.branch[0] if self.branch else None,
            branch_batch=self.branch[1] if self.branch else None,
            recipe=state.recipe.to_json(),
            waiting=lines,
            batches_per_epoch=state.batches.per_epoch,
        )
        beginning = Beginning(
            row=row, at=state.position, history=state.history, interventions=state.interventions, waiting=waiting
        )
        try:
            self._library.begin(beginning)
            known = self._library.run(self.run)
        except (OSError, sqlite3.Error) as error:
            self._divergence("index", Text(_NOT_WRITTEN, error=why(error)))
        else:
            self.branch = known.branch if known else self.branch

    def leave(self, at: Position, epochs: int) -> None:
        """Note in the library that the run, ``at`` by now and ``epochs`` long, is left for a branch of it.

        What still waits of its hand goes with the branch.
        """
        self._note("left", at, epochs, waiting="")
        self._write([record.nothing_waits(self.run)])

    def note(self, state: RunState, lifecycle: str) -> None:
        """Note in the library how far the run is."""
        self._note(lifecycle, state.position, state.epochs)

    def _note(self, lifecycle: str, at: Position, epochs: int, **more: Any) -> None:
        self._write_steps()
        done = {"state": lifecycle, "epochs_done": at.epoch - 1, "epochs": epochs, "updated": time.time()}
        self._write([record.update(self.run, **done, **more)])

    # -- what happens in it

    def record_event(self, event: Event) -> None:
        """Keep the metrics of batches and epochs."""
        if self._library is None:
            return
        if isinstance(event, StepsEvent):
            self._reports.append(event)
            if time.monotonic() >= self._steps_due:
                self._write_steps()
        elif isinstance(event, EpochEvent):
            self._write([record.epoch(self.run, event)])
            if sum(len(report.loss) for report in self._reports) <= _JOINED:
                self._write(record.whole_epoch(self.run, record.joined(self._reports)) if self._reports else [])
            else:  # packing so many at once would be felt: they stay in parts
                self._write_steps()
            self._reports, self._written, self._ended = [], 0, event
            self._moment_due = time.monotonic() + self._minutes()

    def wait(self, posted: PostedCommand) -> None:
        """Keep a command that waits for its moment."""
        if isinstance(posted.command, Intervention) and posted.ticket:
            self._write([record.command(self.run, record.waiting(posted))])

    def answered(self, posted: PostedCommand, answer: CommandEvent, place: int | None) -> None:
        """Keep what became of a command, and its ``place`` in the hand, if it has one."""
        if isinstance(posted.command, Intervention):
            row = record.waiting(posted if posted.ticket else posted._replace(ticket=time.time_ns()))
            self._write([record.command(self.run, record.answered(row, answer, place, time.time()))])

    def steps(self, at: Position) -> list[StepsEvent]:
        """What the library knows of the run's batches before ``at``."""
        if self._library is None:
            return []
        try:
            return self._library.steps(self.run, at)
        except (OSError, sqlite3.Error) as error:
            self._divergence("index", Text("the run library cannot be read: {error}", error=why(error)))
            return []

    def _write_steps(self) -> None:
        new, self._written = self._reports[self._written :], len(self._reports)
        self._steps_due = time.monotonic() + _STEPS_SECONDS
        if new:
            self._write([record.steps(self.run, record.joined(new))])

    def _write(self, statements: Sequence[record.Statement]) -> None:
        if self._library is not None and statements:
            self._library.write(statements, self._index_told)

    # -- checkpoints

    def store(self, capture: Capture, kind: Kind, done: Done, path: str | None = None) -> None:
        """Write ``capture`` to ``path``, or to a place in the library that is named by itself.

        ``done`` hears the path or why it could not be written, on the writer thread (on this one without a library).
        """
        at = Position(epoch=capture["position"][0], batch=capture["position"][1])
        if path is not None:
            target = Path(path).expanduser().absolute()
        elif self._library is not None:
            target = self._place(self._library.root, kind, at)
        else:
            done(None, Text("there is no library to save into; name a file"))
            return
        content = {**capture, "run": self._identity(), "made": checkpoint.made(capture)}
        self._write_steps()
        moment = _moment(capture)

        def stored(where: Path | None, error: str | None) -> None:
            if where is not None:
                self.newest, self._newest_is_of, self._newest_stays = where, moment, kind == "stop"
                self._saved(SavedEvent(path=str(where), kind=kind, epoch=at.epoch, batch=at.batch))
            done(where, error)

        if self._library is not None:
            ended = self._ended if at.batch == 0 else None
            self._library.store(
                CheckpointWrite(
                    content=content,
                    run=self.run,
                    kind=kind,
                    at=(at.epoch, at.batch),
                    path=target,
                    done=stored,
                    warn=lambda text: self._divergence("index", text),
                    metrics=ended.metrics() if ended is not None and ended.epoch == at.epoch - 1 else {},
                )
            )
            return
        try:
            checkpoint.write(content, target)
        except OSError as error:
            stored(None, why(error))
        else:
            stored(target, None)

    def autosave(self, capture: Capture, kind: Kind) -> None:
        """Write ``capture`` into the library, if there is one; a failure is only warned of."""
        if self._library is not None:
            self.store(capture, kind, self._autosaved)
            self._moment_due = time.monotonic() + self._minutes()

    def resumed_from(self, path: Path, state: RunState) -> None:
        """The run was taken up from its own checkpoint at ``path``, which is the newest until there is another."""
        self.newest, self._newest_is_of, self._newest_stays = path, _moment(state.capture()), True

    def save_end(self, state: RunState, *, stopped: bool) -> None:
        """Save where the run ended, if there is a library and no checkpoint of that very moment stands.

        One where it was ``stopped`` stays when the run goes on: somebody may have kept its name.
        """
        if self._library is not None:
            self.flush()
            capture = state.capture()
            if _moment(capture) != self._newest_is_of or (stopped and not self._newest_stays):
                self.autosave(capture, "stop")

    @property
    def checkpoint_is_due(self) -> bool:
        """Whether the last checkpoint is so long ago that a moment within the epoch should be saved."""
        return self._library is not None and time.monotonic() >= self._moment_due

    def save_beginning(self, state: RunState) -> None:
        """Save where the run begins, if there is a library: it can be taken up from its very start."""
        if self._library is not None:
            self.autosave(state.capture(), "epoch" if state.position.batch == 0 else "before")

    def checkpoints_up_to(self, at: Position) -> list[Path]:
        """Checkpoints of this run and its ancestors at ``at`` or before it, the nearest first.

        None where the library cannot be read.
        """
        if self._library is None:
            return []
        self.flush()
        with suppress(OSError, sqlite3.Error):
            return self._library.checkpoints_up_to(self.run, at.epoch, at.batch)
        return []

    def positions(self) -> list[tuple[int, int]]:
        """Positions of this run's checkpoints, as (epoch, batch); none where the library cannot be read."""
        if self._library is None:
            return []
        self.flush()
        with suppress(OSError, sqlite3.Error):
            return self._library.positions(self.run)
        return []

    def flush(self) -> None:
        """Wait until everything handed over so far is written and answered."""
        if self._library is not None:
            self._library.flush()

    def close(self) -> None:
        """Wait until everything is written, and let the run go."""
        try:
            self.flush()
        finally:
            self._release()

    # -- within

    def _release(self) -> None:
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    def _minutes(self) -> float:
        """Seconds between two moments saved within an epoch."""
        minutes = self._library.retention.minutes if self._library is not None else 0
        return minutes * 60 if minutes > 0 else float("inf")

    def _autosaved(self, where: Path | None, error: str | None) -> None:
        if error is not None:
            self._divergence("checkpoint", Text(_NOT_SAVED, error=error))
        elif self._said.pop("checkpoint", None):
            self._warn(Text("checkpoints are saved again"))

    def _index_told(self, error: str | None) -> None:
        if error is not None:
            self._divergence("index", Text(_NOT_WRITTEN, error=error))
        elif self._said.pop("index", None):
            self._warn(Text("the run library is written again, with all that had to wait"))

    def _divergence(self, about: str, text: Text) -> None:
        """Warn, but not of the same thing again and again."""
        if self._said.get(about) != text:
            self._said[about] = text
            self._warn(text)

    def _identity(self) -> dict[str, Any]:
        branch = list(self.branch) if self.branch else None
        return {"id": self.run, "name": self.name, "parent": self.parent, "branch": branch}

    def _place(self, root: Path, kind: Kind, at: Position) -> Path:
        """A new file in the library in ``root``."""
        if kind == "asked":
            when = time.strftime("%Y-%m-%d %H.%M.%S")
            name = re.sub(r"[^\w .-]+", "_", self.name).strip(" .") or "run"
            return root / "saved" / f"{name[:80]}, epoch {at.epoch} batch {at.batch}, {when}.tiller"
        self._sequence += 1
        file = f"{time.time_ns():x}-{self._sequence}-{kind}-{at.epoch}-{at.batch}.tiller"
        return root / "checkpoints" / self.run / file


def _moment(capture: Capture) -> object:
    """What tells two moments of a run apart: where it stands, and what the hand has done."""
    return capture["position"], capture["interventions"]
