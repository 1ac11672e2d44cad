"""A run that is loaded: trains it batch by batch, and applies commands between two batches."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from engine.common.errors import IllegalAction
from engine.common.lifecycle import Action, State, next_state
from engine.common.position import Position
from engine.common.text import Text
from engine.messages.commands import (
    CancelRewind,
    Intervention,
    Pause,
    RangeTestCommand,
    Rewind,
    RunEpoch,
    SetEpochs,
    TransportCommand,
    Withdraw,
)
from engine.messages.commands_file import WaitingCommands
from engine.messages.events import WITHDRAWN, DivergedEvent, Event, StateEvent, WarningEvent
from engine.messages.queue import CommandQueue, PostedCommand
from engine.training.answers import Answers, answer
from engine.training.apply import no_such_batch
from engine.training.ending import Ending
from engine.training.guard import Divergence, DivergenceTracker, newest_good
from engine.training.job import Job
from engine.training.loading import Loaded
from engine.training.loop import Loop
from engine.training.pending import PendingCommands
from engine.training.range_test import RangeTest
from engine.training.recorder import RunRecorder
from engine.training.rewind import Rewinder

RUN_ENDED: Final = Text("the run ended")


class ActiveRun:
    """One run in memory, on the training thread.

    Args:
        job: what was asked for.
        loaded: the run that ``load`` built for it.
        recorder: keeps the run in the library.
        queue: commands that are posted from other threads.
        publish: records an event and sends it to the listener.
    """

    def __init__(
        self,
        job: Job,
        loaded: Loaded,
        recorder: RunRecorder,
        queue: CommandQueue,
        publish: Callable[[Event], None],
    ) -> None:
        self.state = loaded.state
        self.lifecycle: State = "loading"
        self._job = job
        self._loaded = loaded
        self._recorder = recorder
        self._queue = queue
        self._publish = publish
        self._loop = Loop(loaded.state, publish)
        self._pending = PendingCommands()
        self._answers = Answers(self._loop, recorder, queue, publish)
        self._range_test = RangeTest(self._loop, self._answers, queue, publish)
        self._rewinder = Rewinder(self._loop, self._answers, recorder, self._pending, queue, publish)
        self._divergences = DivergenceTracker()
        self._one_epoch = False  # whether to pause at the end of this epoch
        self._ending: Ending | None = None

    @property
    def position(self) -> Position:
        """The next batch."""
        return self.state.position

    # -- beginning and end

    def begin(self) -> None:
        """Add the run to the library, publish its start, and start training if the job says so."""
        job, loaded, state, recorder, pending = self._job, self._loaded, self.state, self._recorder, self._pending
        lines = WaitingCommands(job.lines, state.position if loaded.resumed else None, state.interventions)
        if job.checkpoint is not None and job.run is not None:
            recorder.resumed_from(job.checkpoint, state)
        state.interventions += pending.begin(lines, job.recorded, state.position, state.interventions, self._queue)
        recorder.begin(job.run, loaded.name, loaded.parent, state, pending.file_json(), pending.rows())
        self._publish(loaded.start_event(recorder.run, recorder.name, recorder.steps(state.position)))
        for remark in loaded.remarks:
            self._publish(WarningEvent(text=remark))
        for change in loaded.changes:
            self._publish(WarningEvent(text=change, serious=True))
        self._move("loaded")
        for posted in pending.posted:
            self._publish(answer(posted, "queued", self.position))
        if not loaded.resumed or job.run is None:  # so that every run can be resumed from where it began
            recorder.save_beginning(state)
        self._loop.publish_lrs()
        if job.epochs is not None and job.epochs != state.epochs:
            command = SetEpochs(epochs=job.epochs)
            self._answers.apply(PostedCommand(0, command), command)
        if job.begin:
            self._one_epoch = job.one_epoch
            self._move("start")

    def train(self) -> Ending:
        """Train to the end of the run, or until it is stopped or diverges, and save a checkpoint there."""
        while (ending := self._apply_commands()) is None:
            self._train_batch()
        if ending.reason != "diverged":
            self._recorder.save_end(self.state, stopped=ending.reason == "stopped")
        return ending

    def report(self) -> None:
        """Publish the batches that were trained since the last report."""
        self._loop.report()

    def end(self, ending: Ending, unread: Sequence[PostedCommand]) -> State:
        """Reject all commands that are still pending, and record how the run ended; returns its last state.

        Those of ``unread`` (posted, never taken from the queue) that have a position are recorded first, so that they
        are pending again when the run is resumed.
        """
        for posted in unread:
            if posted.at is not None:
                self._recorder.record_pending(self._pending.add(posted))
        for posted in (*self._pending.rest(), *(one for one in unread if one.at is None)):
            self._publish(answer(posted, "rejected", self.position, RUN_ENDED))
        self.lifecycle = next_state(self.lifecycle, ending.last_action)
        self._recorder.update(self.state, ending.reason)
        return self.lifecycle

    def close(self) -> None:
        """Close the batches; call it last."""
        self.state.batches.close()

    # -- training

    def _train_batch(self) -> None:
        """Train one batch and, where it was the last of its epoch, finish the epoch; save checkpoints that are due."""
        loop = self._loop
        divergence = loop.batch()
        if self._recorder.checkpoint_is_due and not loop.at_epochs_end:
            loop.report()
            self._recorder.autosave(self.state.capture(), "timed")
        if loop.at_epochs_end:
            at_end = loop.finish_epoch()
            divergence = divergence or at_end
            if self._recorder.has_library:
                if divergence is None:  # or retention would remove a good checkpoint for one that diverged
                    self._recorder.autosave(self.state.capture(), "epoch")
                self._recorder.update(self.state, self.lifecycle)
            if self._one_epoch and not loop.at_runs_end and divergence is None:
                self._move("epoch_done")
        if divergence is not None:
            self._diverged(divergence)

    def _diverged(self, divergence: Divergence) -> None:
        position = self.position
        began = self._divergences.add(divergence, position)
        # without a checkpoint from before it, the start of its epoch: that can be recomputed
        good = newest_good(self._recorder.positions(), began) or Position(epoch=began.epoch)
        self._publish(DivergedEvent(epoch=position.epoch, batch=position.batch, text=divergence.text, back=good))
        if self._job.on_divergence == "pause":
            self._move("diverge")
        else:
            self._ending = Ending(reason="diverged", text=divergence.text)

    # -- commands

    def _apply_commands(self) -> Ending | None:
        """Apply all commands that are due; while the run is not training, wait for more.

        Returns None where there is a batch to train, or how the run ends.
        """
        while self._ending is None:
            posted = self._pending.next(self.position)
            if posted is None:
                at_end = self._loop.at_runs_end and self.lifecycle != "diverged"
                posted = self._queue.take(wait=self.lifecycle != "training" and not at_end)
                if posted is None:
                    return Ending(reason="finished") if self._loop.at_runs_end else None
                if posted.at is not None and self.position < posted.at:
                    self._recorder.record_pending(self._pending.add(posted))
                    continue
            self._apply(posted)
        return self._ending

    def _apply(self, posted: PostedCommand) -> None:
        self._loop.report()  # what was trained is published before what is applied after it
        command = posted.command
        problem = no_such_batch(posted.at, self.state.batches.per_epoch) if posted.at is not None else None
        if self._ending is not None:
            problem = RUN_ENDED
        if problem is not None:
            self._answers.reject(posted, problem)
        elif isinstance(command, TransportCommand):
            self._transport(posted, command)
        elif isinstance(command, Withdraw):
            self._withdraw(posted, command)
        elif isinstance(command, RangeTestCommand):
            self._range_test.apply(posted, command, self.lifecycle)
        elif isinstance(command, (Rewind, CancelRewind)):
            if self._rewinder.apply(posted, command) == "rewound":
                self._move("rewind")
        else:
            self._intervene(posted, command)

    def _transport(self, posted: PostedCommand, command: TransportCommand) -> None:
        try:
            self._move(command.command)
        except IllegalAction as refusal:
            self._answers.reject(posted, Text("{why}", why=refusal))
            return
        if not isinstance(command, Pause):
            self._one_epoch = isinstance(command, RunEpoch)
        self._answers.confirm(posted)
        if isinstance(command, Pause):  # a schedule stepped per batch has moved since the epoch's start
            self._loop.publish_lrs()

    def _withdraw(self, posted: PostedCommand, command: Withdraw) -> None:
        withdrawn = self._pending.withdraw(command.id)
        if withdrawn is None:
            self._answers.reject(posted, Text("the command is no longer pending"))
            return
        self._answers.reject(withdrawn, WITHDRAWN)
        self._answers.confirm(posted)

    def _intervene(self, posted: PostedCommand, intervention: Intervention) -> None:
        next_state(self.lifecycle, "intervene")
        if self._answers.apply(posted, intervention) == "stop":
            self._ending = Ending(reason="stopped")

    def _move(self, action: Action) -> None:
        self.lifecycle = next_state(self.lifecycle, action)
        self._recorder.update(self.state, self.lifecycle)
        self._publish(StateEvent(state=self.lifecycle, epoch=self.position.epoch, batch=self.position.batch))
