"""The trainer: hears commands between batches, trains, emits events, and ends exactly once.

One ``Trainer`` is one thread's work. ``run`` blocks until the end; ``post`` may be called from any thread.
"""

from __future__ import annotations

import threading
import traceback
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from engine.common.lifecycle import Action, IllegalAction, State, next_state
from engine.common.text import Text
from engine.hardware.out_of_memory import give_back
from engine.library import Library
from engine.messages.commands import (
    CancelRewind,
    FinderCommand,
    Intervention,
    Pause,
    Position,
    Rewind,
    RunEpoch,
    SetEpochs,
    Stop,
    TransportCommand,
    Withdraw,
)
from engine.messages.commands_file import WaitingCommands, command_json
from engine.messages.events import (
    WITHDRAWN,
    CommandEvent,
    DivergedEvent,
    EndEvent,
    EndReason,
    Event,
    LoadingEvent,
    StateEvent,
    Status,
    WarningEvent,
)
from engine.messages.queue import AnyCommand, CommandQueue, PostedCommand
from engine.training.answers import Answers
from engine.training.apply import no_such_batch
from engine.training.divergence import DivergenceTracker, last_good_position
from engine.training.ending import Ending, because_of
from engine.training.job import Job
from engine.training.loading import load
from engine.training.loop import Divergence, Loop
from engine.training.pending import PendingCommands
from engine.training.range_test_command import RangeTestCommand
from engine.training.recorder import RunRecorder
from engine.training.rewind import RewindCommand
from engine.training.run_state import weights_sha256

_OVER: Final = Text("the run ended")


class Trainer:
    """Trains one run. ``emit`` is called with every event, from several threads, and must not block."""

    def __init__(self, job: Job, emit: Callable[[Event], None], library: Library | None = None) -> None:
        self._job = job
        self._emit = emit
        self._queue = CommandQueue()
        self._stop_asked = threading.Event()
        self._recorder = RunRecorder(library, lambda text: emit(WarningEvent(text=text)), emit)
        self._agenda = PendingCommands()
        self._lifecycle: State = "loading"
        self._loop: Loop | None = None
        self._answers: Answers | None = None
        self._finder: RangeTestCommand | None = None
        self._rewinder: RewindCommand | None = None
        self._stood = Position(epoch=1)
        self._one_epoch = False
        self._tracker = DivergenceTracker()
        self._end: EndReason | None = None
        self._end_text: Text | None = None

    def post(self, command: AnyCommand, at: Position | None = None) -> int:
        """Send a command, for the next batch or for the moment ``at``; returns its id.

        It is answered by ``CommandEvent``s: queued, then applied or rejected.
        """
        if isinstance(command, Stop) and at is None:
            self._stop_asked.set()
        return self._queue.post(
            command,
            at,
            lambda number: self._answer(PostedCommand(number, command), "queued"),
            lambda number: self._answer(PostedCommand(number, command), "rejected", Text("the run has ended")),
        )

    def _answer(self, posted: PostedCommand, status: Status, reason: str | None = None) -> None:
        at, command = self._position, command_json(posted.command)
        answer = CommandEvent(
            id=posted.number, command=command, status=status, reason=reason, epoch=at.epoch, batch=at.batch
        )
        self._emit(answer)

    def _say(self, event: Event) -> None:
        self._recorder.hear(event)
        self._emit(event)

    def run(self) -> EndEvent:
        """Do the job to its end. Returns the one terminal event, which is emitted last."""
        try:
            self._begin()
            self._train()
            ending = Ending(reason=self._end or "finished", text=self._end_text)
            if ending.reason != "diverged" and self._loop is not None:
                self._recorder.keep_end(self._loop.state, stopped=ending.reason == "stopped")
        except BaseException as error:  # noqa: BLE001 - every way to end is said; nothing is swallowed
            ending = because_of(error)
        return self._leave(ending)

    @property
    def _position(self) -> Position:
        return self._loop.state.position if self._loop is not None else self._stood

    # -- beginning and end

    def _begin(self) -> None:
        def progress(what: str, done: int, total: int) -> None:
            self._emit(LoadingEvent(what=what, done=done, total=total))

        job = self._job
        if job.run is not None:
            self._recorder.own(job.run)
        loaded = load(job, progress, self._stop_asked.is_set)
        state = loaded.state
        loop = self._loop = Loop(state, self._say)
        lines = WaitingCommands(job.lines, state.position if loaded.resumed else None, state.interventions)
        if job.checkpoint is not None and job.run is not None:
            self._recorder.took_up(job.checkpoint, state)
        state.interventions += self._agenda.begin(lines, job.recorded, state.position, state.interventions, self._queue)
        answers = self._answers = Answers(loop, self._recorder, self._emit)
        self._finder = RangeTestCommand(loop, answers, self._queue, self._emit)
        self._rewinder = RewindCommand(loop, answers, self._recorder, self._agenda, self._queue, self._emit)
        self._recorder.begin(job.run, loaded.name, loaded.parent, state, self._agenda.file_json(), self._agenda.rows())
        self._emit(loaded.start_event(self._recorder.run, self._recorder.name, self._recorder.steps(state.position)))
        for remark in loaded.remarks:
            self._emit(WarningEvent(text=remark))
        self._move("loaded")
        for posted in self._agenda.posted:
            self._answer(posted, "queued")
        if not loaded.resumed or job.run is None:  # so that every run can be taken up from where it began
            self._recorder.keep_beginning(state)
        loop.publish_lrs()
        if job.epochs is not None and job.epochs != state.epochs:
            longer = SetEpochs(epochs=job.epochs)
            answers.intervention(PostedCommand(0, longer), longer)
        if job.begin:
            self._one_epoch = job.one_epoch
            self._move("start")

    def _leave(self, ending: Ending) -> EndEvent:
        """Answer whatever is left unanswered, let go of the memory, then say the end, whatever goes wrong meanwhile."""
        sha, at = None, self._position
        if ending.reason == "failed" and self._loop is not None:
            with suppress(Exception):
                self._loop.report()  # what was trained before it failed
        try:
            self._answer_the_rest(ending.reason)
            last_acts: dict[EndReason, Action] = {"finished": "finish", "stopped": "stop"}
            self._lifecycle = next_state(self._lifecycle, last_acts.get(ending.reason, "fail"))
            if self._loop is not None:
                self._recorder.note(self._loop.state, ending.reason)
                at = Position(epoch=min(at.epoch, self._loop.state.epochs), batch=at.batch)
                sha = weights_sha256(self._loop.state.model) if ending.details is None else None
            self._recorder.close()
            self._tell_state()
        except BaseException as error:  # noqa: BLE001 - or there would be no end event
            ending = ending if ending.details is not None else because_of(error)
            with suppress(Exception):
                self._recorder.close()
        self._stood = self._position
        if self._loop is not None:
            self._loop.state.batches.close()
        self._loop = self._answers = self._finder = self._rewinder = None
        give_back()
        end = ending.event(at, sha, self._recorder.newest)
        try:
            self._emit(end)
        except Exception:  # noqa: BLE001 - there is nobody left to tell it to
            traceback.print_exc()
        return end

    def _answer_the_rest(self, reason: EndReason) -> None:
        never_read = self._queue.close()
        for posted in never_read:
            if posted.at is not None and self._loop is not None:
                self._recorder.wait(self._agenda.add(posted))  # for when the run is taken up
        for posted in (*self._agenda.rest(), *(one for one in never_read if one.at is None or self._loop is None)):
            stopped = isinstance(posted.command, Stop) and reason == "stopped" and self._loop is None  # while loading
            self._answer(posted, "applied" if stopped else "rejected", None if stopped else _OVER)

    # -- training

    def _train(self) -> None:
        assert self._loop is not None
        loop = self._loop
        while True:
            self._hear()
            if self._end is not None:
                return
            if loop.at_runs_end:
                self._end = "finished"
                return
            divergence = loop.batch()
            if self._recorder.checkpoint_is_due and not loop.at_epochs_end:
                divergence = loop.report() or divergence
                self._recorder.autosave(loop.state.capture(), "timed")
            if loop.at_epochs_end:
                ended = loop.finish_epoch()
                divergence = divergence or ended
                self._keep_epochs_end(loop, well=divergence is None)
                if self._one_epoch and not loop.at_runs_end and divergence is None:
                    self._move("epoch_done")
            if divergence is not None:
                self._diverged(divergence)

    def _keep_epochs_end(self, loop: Loop, well: bool) -> None:
        if self._recorder.keeps:
            if well:  # or a good checkpoint would be thinned out for the sake of a spoiled one
                self._recorder.autosave(loop.state.capture(), "epoch")
            self._recorder.note(loop.state, self._lifecycle)

    def _diverged(self, divergence: Divergence) -> None:
        at, pauses = self._position, self._job.on_divergence == "pause"
        began = self._tracker.fall(divergence, at)
        back = last_good_position(self._recorder, began)
        place = (back.epoch, back.batch)
        self._emit(DivergedEvent(epoch=at.epoch, batch=at.batch, text=divergence.text, back=place))
        if pauses:
            self._move("diverge")
        else:
            self._end, self._end_text = "diverged", divergence.text

    # -- commands

    def _hear(self) -> None:
        """Carry out what is due and what was posted; returns when there is a batch to train, or the end."""
        assert self._loop is not None
        while self._end is None:
            if self._next_line():
                continue
            trains = self._lifecycle == "training" or (self._loop.at_runs_end and self._lifecycle != "diverged")
            posted = self._queue.take(wait=not trains)
            if posted is None:
                return
            if posted.at is not None and self._position < posted.at:
                self._recorder.wait(self._agenda.add(posted))
            else:
                self._apply(posted)

    def _next_line(self) -> bool:
        """Carry out the next line or late command if its moment has come; whether there was one."""
        assert self._loop is not None
        posted = self._agenda.next(self._position)
        if posted is not None:
            self._apply(posted)
        return posted is not None

    def _apply(self, posted: PostedCommand) -> None:
        assert self._loop is not None
        assert self._answers is not None
        divergence = self._loop.report()  # a loss that was not learned from comes before what was asked for after it
        if divergence is not None:
            self._diverged(divergence)
        number, command, at = posted.number, posted.command, posted.at
        problem = no_such_batch(at, self._loop.state.batches.per_epoch) if at is not None else None
        if self._end is not None:
            problem = _OVER
        if problem is not None:
            self._answers.turn_down(posted, problem)
        elif isinstance(command, TransportCommand):
            self._transport(number, command)
        elif isinstance(command, Withdraw):
            self._withdraw(number, command)
        elif isinstance(command, FinderCommand):
            assert self._finder is not None
            self._finder.apply(number, command, self._lifecycle)
        elif isinstance(command, (Rewind, CancelRewind)):
            assert self._rewinder is not None
            if self._rewinder.apply(posted, command) == "rewound":
                self._move("rewind")
        else:
            self._intervention(posted, command)

    def _transport(self, number: int, command: TransportCommand) -> None:
        assert self._answers is not None
        try:
            self._move(command.command)
        except IllegalAction as refusal:
            self._answers.refuse(number, command, Text("{why}", why=refusal))
            return
        if not isinstance(command, Pause):
            self._one_epoch = isinstance(command, RunEpoch)
        self._answers.done(number, command)
        if isinstance(command, Pause):  # a plan stepped per batch has moved on since the epoch's start
            assert self._loop is not None
            self._loop.publish_lrs()

    def _withdraw(self, number: int, command: Withdraw) -> None:
        assert self._answers is not None
        waiting = self._agenda.withdraw(command.id)
        if waiting is None:
            self._answers.refuse(number, command, Text("it does not wait any more"))
            return
        self._answers.turn_down(waiting, WITHDRAWN)
        self._answers.done(number, command)

    def _intervention(self, posted: PostedCommand, intervention: Intervention) -> None:
        assert self._answers is not None
        next_state(self._lifecycle, "act")
        if self._answers.intervention(posted, intervention) == "stop":
            self._end = "stopped"

    def _move(self, action: Action) -> None:
        self._lifecycle = next_state(self._lifecycle, action)
        if self._loop is not None:
            self._recorder.note(self._loop.state, self._lifecycle)
        self._tell_state()

    def _tell_state(self) -> None:
        at = self._position
        self._emit(StateEvent(state=self._lifecycle, epoch=at.epoch, batch=at.batch))
