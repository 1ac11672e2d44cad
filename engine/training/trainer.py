"""The trainer: one thread's work, from loading a run to its one terminal event."""

from __future__ import annotations

import threading
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress

from engine.common.lifecycle import State, next_state
from engine.common.position import Position
from engine.common.text import Text
from engine.hardware.out_of_memory import return_memory
from engine.library import Library
from engine.messages.commands import Stop
from engine.messages.events import EndEvent, Event, LoadingEvent, StateEvent, WarningEvent
from engine.messages.queue import AnyCommand, CommandQueue, PostedCommand
from engine.training.active_run import RUN_ENDED, ActiveRun
from engine.training.answers import answer
from engine.training.ending import Ending, because_of
from engine.training.job import Job
from engine.training.loading import load
from engine.training.recorder import RunRecorder
from engine.training.run_state import weights_sha256


class Trainer:
    """Trains one run. ``run`` blocks until the end; ``post`` may be called from any thread.

    ``emit`` is called with every event, from several threads, and must not block.
    """

    def __init__(self, job: Job, emit: Callable[[Event], None], library: Library | None = None) -> None:
        self._job = job
        self._emit = emit
        self._queue = CommandQueue()
        self._stop_requested = threading.Event()
        self._recorder = RunRecorder(library, lambda text: emit(WarningEvent(text=text)), emit)
        self._run: ActiveRun | None = None
        self._last_position = Position(epoch=1)

    @property
    def position(self) -> Position:
        """The next batch; once the run has ended, where it ended."""
        run = self._run
        return run.position if run is not None else self._last_position

    def post(self, command: AnyCommand, at: Position | None = None) -> int:
        """Send a command, for the next batch or for the position ``at``; returns its id.

        It is answered by ``CommandEvent``s: queued, then applied or rejected.
        """
        if isinstance(command, Stop) and at is None:
            self._stop_requested.set()
        ended = Text("the run has ended")
        return self._queue.post(
            command,
            at,
            lambda number: self._emit(answer(PostedCommand(number, command), "queued", self.position)),
            lambda number: self._emit(answer(PostedCommand(number, command), "rejected", self.position, ended)),
        )

    def run(self) -> EndEvent:
        """Do the job to its end. Returns the one terminal event, which is emitted last."""
        try:
            ending = self._load_and_train()
        except BaseException as error:  # noqa: BLE001 - every way to end is reported
            ending = because_of(error)
        end = self._shut_down(ending)
        self._run = None
        return_memory()
        try:
            self._emit(end)
        except Exception:  # noqa: BLE001 - there is no listener left to report it to
            traceback.print_exc()
        return end

    def _load_and_train(self) -> Ending:
        def progress(what: str, done: int, total: int) -> None:
            self._emit(LoadingEvent(what=what, done=done, total=total))

        if self._job.run is not None:
            self._recorder.own(self._job.run)
        loaded = load(self._job, progress, self._stop_requested.is_set)
        run = self._run = ActiveRun(self._job, loaded, self._recorder, self._queue, self._publish)
        run.begin()
        return run.train()

    def _publish(self, event: Event) -> None:
        self._recorder.record_event(event)
        self._emit(event)

    def _shut_down(self, ending: Ending) -> EndEvent:
        """Answer all commands that are left and record the end; returns the terminal event, whatever fails here."""
        run, position, sha = self._run, self.position, None
        if run is not None and ending.reason == "failed":
            with suppress(Exception):
                run.report()  # what was trained before it failed
        try:
            unread = self._queue.close()
            if run is None:
                lifecycle = self._end_while_loading(ending, unread)
            else:
                lifecycle = run.end(ending, unread)
                position = Position(epoch=min(position.epoch, run.state.epochs), batch=position.batch)
                sha = weights_sha256(run.state.model) if ending.details is None else None
            self._recorder.close()
            self._emit(StateEvent(state=lifecycle, epoch=self.position.epoch, batch=self.position.batch))
        except BaseException as error:  # noqa: BLE001 - or there would be no terminal event
            ending = ending if ending.details is not None else because_of(error)
            with suppress(Exception):
                self._recorder.close()
        self._last_position = self.position
        if run is not None:
            run.close()
        return ending.event(position, sha, self._recorder.newest, self._recorder.unsaved)

    def _end_while_loading(self, ending: Ending, unread: Sequence[PostedCommand]) -> State:
        """Answer ``unread``: a stop is what ended the loading."""
        for posted in unread:
            if isinstance(posted.command, Stop) and ending.reason == "stopped":
                self._emit(answer(posted, "applied", self.position))
            else:
                self._emit(answer(posted, "rejected", self.position, RUN_ENDED))
        return next_state("loading", ending.last_action)
