"""Recording a run in the library: its row, its metrics, its interventions and its checkpoints."""

from __future__ import annotations

import re
import sqlite3
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from engine.checkpoints import checkpoint
from engine.common.files import given_path
from engine.common.position import Position
from engine.common.text import Text
from engine.library import (
    Beginning,
    CheckpointResult,
    CheckpointWrite,
    InterventionRow,
    Kind,
    Library,
    RunLock,
    RunRow,
    new_run_id,
    owns,
    statements,
    why,
)
from engine.messages.commands import Intervention
from engine.messages.events import CommandEvent, EpochEvent, Event, SavedEvent, StepsEvent
from engine.messages.queue import PostedCommand
from engine.training.run_state import Capture, RunState

_STEPS_SECONDS: Final = 2.0
_JOINED: Final = 20_000  # batches of an epoch that are stored as one row
_NOT_WRITTEN: Final = "the run library could not be written: {error}"
_NOT_SAVED: Final = "a checkpoint could not be saved: {error}; training continues"


class RunRecorder:
    """Records one run in the library, where there is one. All methods but ``own`` and ``begin`` return at once.

    Args:
        library: None records nothing; only ``store`` with a path writes a file then.
        warn: called when writing fails, once for each reason, and when it succeeds again.
        saved: called for each checkpoint that is written. Both are called on the library's writer thread.
    """

    def __init__(
        self, library: Library | None, warn: Callable[[Text], None], saved: Callable[[SavedEvent], None]
    ) -> None:
        self._library = library
        self._warn = warn
        self._saved = saved
        self._sequence = 0
        self._lock: RunLock | None = None
        self._reports: list[StepsEvent] = []  # of this epoch
        self._written = 0  # of these reports
        self._last_epoch: EpochEvent | None = None
        self._steps_due = self._checkpoint_due = 0.0
        self._warned: dict[str, str] = {}
        self.run = ""
        self.name = ""
        self.parent: str | None = None
        self.branch: Position | None = None
        self.newest: Path | None = None
        self.unsaved: str | None = None  # why the last checkpoint for a resume could not be written
        self._newest_state: object = None
        self._newest_is_stop = False  # retention keeps it longer than an epoch's end

    @property
    def has_library(self) -> bool:
        """Whether there is a library to record in."""
        return self._library is not None

    # -- the run

    def own(self, run: str) -> None:
        """Lock ``run`` before it is read. Raises SpecError where another process has it open."""
        if self._library is not None:
            self._release()
            try:
                self._lock = self._library.own(run)
            except OSError as error:
                self._warn_once("index", Text(_NOT_WRITTEN, error=why(error)))

    def begin(
        self,
        run: str | None,
        name: str,
        parent: str | None,
        state: RunState,
        commands: str,
        pending: Sequence[InterventionRow],
    ) -> None:
        """Add a run, or resume one; its row is written when this returns.

        Args:
            run: its id; None for a new run.
            name: what the person calls it.
            parent: the run that it branches from.
            state: where it begins or resumes.
            commands: its commands file.
            pending: interventions that are to be applied later.
        """
        self.run, self.name, self.parent = run or new_run_id(), name, parent
        self._reports, self._written = [], 0
        self._last_epoch = state.history[-1] if state.history else None
        self._checkpoint_due = time.monotonic() + self._interval()
        self.branch = state.position if parent else None
        if self._library is None:
            return
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
            branch_epoch=self.branch.epoch if self.branch else None,
            branch_batch=self.branch.batch if self.branch else None,
            recipe=state.recipe.to_json(),
            commands=commands,
            batches_per_epoch=state.batches.per_epoch,
        )
        beginning = Beginning(
            row=row, at=state.position, history=state.history, interventions=state.interventions, pending=pending
        )
        try:
            self._library.begin(beginning, self._warn)
            known = self._library.run(self.run)
        except (OSError, sqlite3.Error) as error:
            self._warn_once("index", Text(_NOT_WRITTEN, error=why(error)))
        else:
            self.branch = known.branch if known else self.branch

    def abandon(self, at: Position, epochs: int) -> None:
        """Record that the run, ``at`` its position and ``epochs`` long, continues as a branch.

        What is pending is recorded with the branch.
        """
        self._update("abandoned", at, epochs, commands="")
        self._write([statements.remove_pending(self.run)])

    def update(self, state: RunState, lifecycle: str) -> None:
        """Record how far the run is, and the ``lifecycle`` state that it is in."""
        self._update(lifecycle, state.position, state.epochs)

    def _update(self, lifecycle: str, at: Position, epochs: int, **more: Any) -> None:
        self._write_steps()
        values = {"state": lifecycle, "epochs_done": at.epoch - 1, "epochs": epochs, "updated": time.time()}
        self._write([statements.update(self.run, **values, **more)])

    # -- metrics and interventions

    def record_event(self, event: Event) -> None:
        """Record the metrics of batches and epochs; other events are ignored."""
        if self._library is None:
            return
        if isinstance(event, StepsEvent):
            self._reports.append(event)
            if time.monotonic() >= self._steps_due:
                self._write_steps()
        elif isinstance(event, EpochEvent):
            self._write([statements.epoch(self.run, event)])
            if sum(len(report.loss) for report in self._reports) > _JOINED:  # compressing so many would take too long
                self._write_steps()
            elif self._reports:
                self._write(statements.whole_epoch(self.run, statements.joined(self._reports)))
            self._reports, self._written, self._last_epoch = [], 0, event
            self._checkpoint_due = time.monotonic() + self._interval()

    def record_pending(self, posted: PostedCommand) -> None:
        """Record an intervention that is to be applied later."""
        if isinstance(posted.command, Intervention) and posted.ticket:
            self._write([statements.intervention(self.run, statements.pending(posted))])

    def record_answer(self, posted: PostedCommand, answer: CommandEvent, ordinal: int | None) -> None:
        """Record the answer to an intervention, and its index in the run's interventions, if it is one of them."""
        if isinstance(posted.command, Intervention):
            row = statements.pending(posted if posted.ticket else posted._replace(ticket=time.time_ns()))
            row = statements.answered(row, answer, ordinal, time.time())
            self._write([statements.intervention(self.run, row)])

    def steps(self, before: Position) -> list[StepsEvent]:
        """The batches of the run before ``before``, as far as the library has them."""
        if self._library is None:
            return []
        try:
            return self._library.steps(self.run, before)
        except (OSError, sqlite3.Error) as error:
            self._warn_once("index", Text("the run library cannot be read: {error}", error=why(error)))
            return []

    def _write_steps(self) -> None:
        new, self._written = self._reports[self._written :], len(self._reports)
        self._steps_due = time.monotonic() + _STEPS_SECONDS
        if new:
            self._write([statements.steps(self.run, statements.joined(new))])

    def _write(self, made: Sequence[statements.Statement]) -> None:
        if self._library is not None and made:
            self._library.write(made, self._index_result)

    # -- checkpoints

    def store(
        self,
        capture: Capture,
        kind: Kind,
        done: Callable[[CheckpointResult], None],
        path: str | None = None,
        *,
        overwrite: bool = False,
    ) -> None:
        """Write ``capture`` to ``path``, or to a new file in the library.

        ``done`` is called with the result on the writer thread, or on this one where there is no library or the path
        cannot be used. A file that is not a checkpoint is replaced only with ``overwrite``.
        """
        at = Position(epoch=capture["position"][0], batch=capture["position"][1])
        if path is not None:
            try:
                target = given_path(path)
            except OSError as error:
                done(CheckpointResult(error=why(error)))
                return
            if self._library is not None and owns(self._library.root, target):
                text = "{path} belongs to the run library; choose another place"
                done(CheckpointResult(error=Text(text, path=target)))
                return
        elif self._library is not None:
            target = self._new_file(self._library.root, kind, at)
        else:
            done(CheckpointResult(error=Text("there is no library to save into; name a file")))
            return
        content = {**capture, "run": self._identity(), "environment": checkpoint.environment(capture)}
        self._write_steps()
        state = _state_of(capture)

        def stored(result: CheckpointResult) -> None:
            if result.warning is not None:
                self._warn_once("index", result.warning)
            if result.path is not None:
                self.newest, self._newest_state, self._newest_is_stop = result.path, state, kind == "stop"
                self._saved(SavedEvent(path=str(result.path), kind=kind, epoch=at.epoch, batch=at.batch))
            done(result)

        if self._library is not None:
            ended = self._last_epoch if at.batch == 0 else None
            self._library.store(
                CheckpointWrite(
                    content=content,
                    run=self.run,
                    kind=kind,
                    at=at,
                    path=target,
                    overwrite=overwrite,
                    done=stored,
                    metrics=ended.metrics() if ended is not None and ended.epoch == at.epoch - 1 else {},
                )
            )
            return
        try:
            checkpoint.write(content, target, overwrite=overwrite)
        except OSError as error:
            stored(CheckpointResult(error=why(error)))
        else:
            stored(CheckpointResult(path=target))

    def autosave(self, capture: Capture, kind: Kind) -> None:
        """Write ``capture`` into the library, if there is one; where that fails, only a warning is given."""
        if self._library is not None:
            self.store(capture, kind, self._autosaved)
            self._checkpoint_due = time.monotonic() + self._interval()

    def resumed_from(self, path: Path, state: RunState) -> None:
        """The run was resumed from its own checkpoint at ``path``, which is its newest until there is another."""
        self.newest, self._newest_state, self._newest_is_stop = path, _state_of(state.capture()), True

    def save_end(self, state: RunState, *, stopped: bool) -> None:
        """Save where the run ended, if there is a library and the newest checkpoint is of another state.

        Where it was ``stopped``, an epoch's end does not count: retention would remove it once the run continues, and
        somebody may use the file.
        """
        if self._library is not None:
            self.flush()
            capture = state.capture()
            if _state_of(capture) != self._newest_state or (stopped and not self._newest_is_stop):
                self.autosave(capture, "stop")

    @property
    def checkpoint_is_due(self) -> bool:
        """Whether the last checkpoint is so old that one within the epoch should be saved."""
        return self._library is not None and time.monotonic() >= self._checkpoint_due

    def save_beginning(self, state: RunState) -> None:
        """Save where the run begins, if there is a library, so that it can be resumed from there."""
        if self._library is not None:
            self.autosave(state.capture(), "epoch" if state.position.batch == 0 else "before")

    def checkpoints_up_to(self, at: Position) -> list[Path]:
        """Checkpoints of this run and its ancestors at ``at`` or before it, the nearest first.

        Empty where the library cannot be read.
        """
        if self._library is None:
            return []
        self.flush()
        with suppress(OSError, sqlite3.Error):
            return self._library.checkpoints_up_to(self.run, at)
        return []

    def positions(self) -> list[Position]:
        """Positions of this run's checkpoints; empty where the library cannot be read."""
        if self._library is None:
            return []
        self.flush()
        with suppress(OSError, sqlite3.Error):
            return self._library.positions(self.run)
        return []

    def flush(self) -> None:
        """Wait until all that was recorded so far is written, and its result reported."""
        if self._library is not None:
            self._library.flush()

    def close(self) -> None:
        """Wait until everything is written, and release the run."""
        try:
            self.flush()
        finally:
            self._release()

    # -- within

    def _release(self) -> None:
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    def _interval(self) -> float:
        """Seconds between two checkpoints within an epoch."""
        minutes = self._library.retention.minutes if self._library is not None else 0
        return minutes * 60 if minutes > 0 else float("inf")

    def _autosaved(self, result: CheckpointResult) -> None:
        self.unsaved = result.error
        if result.error is not None:
            self._warn_once("checkpoint", Text(_NOT_SAVED, error=result.error))
        elif self._warned.pop("checkpoint", None):
            self._warn(Text("checkpoints are saved again"))

    def _index_result(self, error: str | None) -> None:
        if error is not None:
            self._warn_once("index", Text(_NOT_WRITTEN, error=error))
        elif self._warned.pop("index", None):
            self._warn(Text("the run library is written again, including everything since"))

    def _warn_once(self, about: str, text: Text) -> None:
        """Warn, unless the last warning about this was the same."""
        if self._warned.get(about) != text:
            self._warned[about] = text
            self._warn(text)

    def _identity(self) -> dict[str, Any]:
        branch = [self.branch.epoch, self.branch.batch] if self.branch else None
        return {"id": self.run, "name": self.name, "parent": self.parent, "branch": branch}

    def _new_file(self, root: Path, kind: Kind, at: Position) -> Path:
        if kind == "asked":
            when = time.strftime("%Y-%m-%d %H.%M.%S")
            name = re.sub(r"[^\w .-]+", "_", self.name).strip(" .") or "run"
            return root / "saved" / f"{name[:80]}, epoch {at.epoch} batch {at.batch}, {when}.tiller"
        self._sequence += 1
        file = f"{time.time_ns():x}-{self._sequence}-{kind}-{at.epoch}-{at.batch}.tiller"
        return root / "checkpoints" / self.run / file


def _state_of(capture: Capture) -> object:
    """What tells two states of a run apart: the position and the interventions."""
    return capture["position"], capture["interventions"]
