"""Where going back is carried out, called off and answered."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final, Literal

from engine.common.text import Text
from engine.data.sets import Cancelled
from engine.messages.commands import CancelRewind, Pause, Position, Rewind, Stop
from engine.messages.events import BranchEvent, Event, GoingBackEvent, WarningEvent
from engine.messages.notes import stands
from engine.messages.queue import CommandQueue, PostedCommand
from engine.models.optimizers import Rejected
from engine.training.answers import Answers
from engine.training.apply import check_behind, target_of
from engine.training.loop import Loop
from engine.training.pending import PendingCommands
from engine.training.recompute import go_to
from engine.training.recorder import RunRecorder

_EVERY: Final = 0.1  # seconds between two words of how far it is


class RewindCommand:
    """Carries out ``Rewind`` on the training thread, between two batches, and answers it and ``CancelRewind``.

    Where no checkpoint stands at the moment that is wanted, it is computed again, which takes as long as it took to
    train. That is called off by what waits in the mailbox meanwhile: a ``CancelRewind``, or a ``Stop`` or ``Pause``
    that is due, which are carried out in their turn.
    """

    def __init__(
        self,
        loop: Loop,
        answers: Answers,
        recorder: RunRecorder,
        agenda: PendingCommands,
        queue: CommandQueue,
        emit: Callable[[Event], None],
    ) -> None:
        self._loop, self._answers, self._recorder = loop, answers, recorder
        self._agenda, self._queue, self._emit = agenda, queue, emit
        self._calling_off = 0

    def apply(self, posted: PostedCommand, command: Rewind | CancelRewind) -> Literal["rewound", "stayed"]:
        """Do and answer ``command``, which came in ``letter``."""
        number = posted.number
        if isinstance(command, Rewind):
            return self._rewind(posted, command)
        if number == self._calling_off:
            self._answers.done(number, command)
        else:
            self._answers.refuse(number, command, Text("nothing is being computed again"))
        return "stayed"

    def _rewind(self, posted: PostedCommand, intervention: Rewind) -> Literal["rewound", "stayed"]:
        state, before = self._loop.state, self._loop.state.lr_control.lrs()
        target = target_of(intervention)
        now, epochs, interventions = state.position, state.epochs, state.interventions
        try:
            check_behind(target, now, state.batches.per_epoch)
            left = state.capture()
            warning = go_to(state, target, left, self._kept(target), self._progress(posted.number), self._called_off)
        except Rejected as refusal:
            self._answers.turn_down(posted, refusal.reason)
            return "stayed"
        except Cancelled:
            self._answers.turn_down(posted, Text("going back was called off"))
            return "stayed"
        undone = [c for c in interventions if c not in state.interventions]
        state.interventions += [
            replace(c, epoch=target.epoch, batch=target.batch)
            for c in undone
            if stands(c, interventions, state.interventions)
        ]
        parent = self._recorder.run
        self._recorder.autosave(left, "stop")  # the road that is left can be taken up again
        self._recorder.leave(now, epochs)
        lines = self._agenda.file_json(rest=True)
        self._recorder.begin(None, self._recorder.name, parent, state, lines, self._agenda.rows())
        self._emit(
            BranchEvent(
                run=self._recorder.run,
                parent=parent,
                epoch=target.epoch,
                batch=target.batch,
                history=list(state.history),
                interventions=list(state.interventions),
            )
        )
        # What the hand did since is undone, but that it went back is not: a resumed run must not go back once more.
        state.interventions += [c for c in undone if c.name == intervention.command]
        self._answers.applied(
            posted, self._answers.answer(posted.number, intervention, "applied", before=before, at=now)
        )
        if warning is not None:
            self._emit(WarningEvent(text=warning))
        self._recorder.keep_beginning(state)
        self._loop.publish_lrs()
        return "rewound"

    def _kept(self, target: Position) -> list[Path]:
        """Checkpoints from which the target can be reached; none where the library cannot be read."""
        try:
            return self._recorder.on_the_way_to(target)
        except (OSError, sqlite3.Error):
            return []  # it is computed again from the beginning

    def _progress(self, number: int) -> Callable[[int, int], None]:
        told = 0.0

        def progress(done: int, total: int) -> None:
            nonlocal told
            if time.monotonic() - told >= _EVERY:
                told = time.monotonic()
                self._emit(GoingBackEvent(id=number, done=done, total=total))

        return progress

    def _called_off(self) -> bool:
        posted = self._queue.peek(self._calls_off)
        if posted is not None and isinstance(posted.command, CancelRewind):
            self._calling_off = posted.number
        return posted is not None

    def _calls_off(self, posted: PostedCommand) -> bool:
        return posted.at is None and isinstance(posted.command, (CancelRewind, Pause, Stop))
