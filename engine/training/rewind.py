"""Going back to an earlier position of the run, in a new branch.

The state there is restored from the nearest checkpoint at or before it, or rebuilt from the run's beginning, and the
rest of the way is recomputed with the interventions that were applied on it: bit for bit as it was.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final, Literal

from engine.checkpoints import checkpoint
from engine.common.errors import Cancelled, CheckpointError, Rejected, SpecError
from engine.common.position import Position
from engine.common.progress import IsCancelled
from engine.common.text import Text
from engine.messages.commands import CancelRewind, Pause, Rewind, Stop, to_intervention
from engine.messages.events import BranchEvent, CommandEvent, EpochEvent, Event, RewindProgressEvent, WarningEvent
from engine.messages.notes import remains
from engine.messages.queue import CommandQueue, PostedCommand
from engine.training.answers import Answers
from engine.training.apply import apply, check_behind, target_of
from engine.training.loop import Loop
from engine.training.pending import PendingCommands
from engine.training.recorder import RunRecorder
from engine.training.run_state import Capture, RunState

_PROGRESS_SECONDS: Final = 0.1


class Rewinder:
    """Applies ``Rewind`` on the training thread, between two batches, and answers it and ``CancelRewind``.

    Recomputing takes as long as training did. It is cancelled by a command that is posted meanwhile and has no
    position: a ``CancelRewind``, ``Pause`` or ``Stop``, which stays in the queue and is applied next.
    """

    def __init__(
        self,
        loop: Loop,
        answers: Answers,
        recorder: RunRecorder,
        pending: PendingCommands,
        queue: CommandQueue,
        publish: Callable[[Event], None],
    ) -> None:
        self._loop = loop
        self._answers = answers
        self._recorder = recorder
        self._pending = pending
        self._queue = queue
        self._publish = publish
        self._cancelled_by = 0  # the id of a CancelRewind that cancelled a rewind

    def apply(self, posted: PostedCommand, command: Rewind | CancelRewind) -> Literal["rewound", "stayed"]:
        """Apply and answer ``command``, which ``posted`` holds."""
        if isinstance(command, Rewind):
            return self._rewind(posted, command)
        if posted.number == self._cancelled_by:
            self._answers.confirm(posted)
        else:
            self._answers.reject(posted, Text("nothing is being recomputed"))
        return "stayed"

    def _rewind(self, posted: PostedCommand, command: Rewind) -> Literal["rewound", "stayed"]:
        state, before = self._loop.state, self._loop.state.lr_control.current()
        target = target_of(command)
        now, epochs, interventions = state.position, state.epochs, state.interventions
        try:
            check_behind(target, now, state.batches.per_epoch)
            left = state.capture()
            checkpoints = self._recorder.checkpoints_up_to(target)
            warning = go_to(state, target, left, checkpoints, self._progress(posted.number), self._cancelled)
        except Rejected as refusal:
            self._answers.reject(posted, refusal.reason)
            return "stayed"
        except SpecError as error:  # a user's network can no longer be built
            self._answers.reject(posted, error.problem)
            return "stayed"
        except Cancelled:
            self._answers.reject(posted, Text("the rewind was cancelled"))
            return "stayed"
        undone = [c for c in interventions if c not in state.interventions]
        state.interventions += [
            replace(c, epoch=target.epoch, batch=target.batch)
            for c in undone
            if remains(c, interventions, state.interventions)
        ]
        parent = self._recorder.run
        self._recorder.autosave(left, "stop")  # so that the abandoned branch can be resumed
        self._recorder.abandon(now, epochs)
        lines = self._pending.file_json(rest=True)
        self._recorder.begin(None, self._recorder.name, parent, state, lines, self._pending.rows())
        self._publish(
            BranchEvent(
                run=self._recorder.run,
                parent=parent,
                epoch=target.epoch,
                batch=target.batch,
                history=list(state.history),
                interventions=list(state.interventions),
            )
        )
        # Interventions since the target are undone, but rewinds stay: a resumed run must not apply them once more.
        state.interventions += [c for c in undone if c.name == command.command]
        self._answers.applied(posted, before, at=now)
        if warning is not None:
            self._publish(WarningEvent(text=warning))
        self._recorder.save_beginning(state)
        self._loop.publish_lrs()
        return "rewound"

    def _progress(self, number: int) -> Callable[[int, int], None]:
        published = 0.0

        def progress(done: int, total: int) -> None:
            nonlocal published
            if time.monotonic() - published >= _PROGRESS_SECONDS:
                published = time.monotonic()
                self._publish(RewindProgressEvent(id=number, done=done, total=total))

        return progress

    def _cancelled(self) -> bool:
        posted = self._queue.peek(_cancels)
        if posted is not None and isinstance(posted.command, CancelRewind):
            self._cancelled_by = posted.number
        return posted is not None


def _cancels(posted: PostedCommand) -> bool:
    return posted.at is None and isinstance(posted.command, (CancelRewind, Pause, Stop))


def go_to(
    state: RunState,
    target: Position,
    now: Capture,
    checkpoints: Iterable[Path] = (),
    progress: Callable[[int, int], None] = lambda done, total: None,
    cancelled: IsCancelled = lambda: False,
) -> Text | None:
    """Put ``state`` where its run was at ``target``, before any intervention there.

    Args:
        state: the run; unchanged where this raises.
        target: a position before the run's.
        now: the state's capture, which is restored where this raises.
        checkpoints: of the run or of its ancestors, at ``target`` or before it, the best first. One that cannot be
            read or does not fit is skipped; after the last, the beginning of the run is rebuilt.
        progress: called with the number of batches recomputed so far, and of all.
        cancelled: asked between batches.

    Returns:
        a warning where the recomputed metrics differ from the recorded ones; else None.

    Raises:
        Cancelled: ``cancelled`` returned true.
    """
    history, interventions = state.history, state.interventions
    try:
        _restore_nearest(state, target, checkpoints)
        later = interventions[len(state.interventions) :]
        again = [c for c in later if c.name != "rewind" and c.position < target]
        _recompute(state, target, again, progress, cancelled)
    except BaseException:
        state.restore(now)
        raise
    recorded = history[: len(state.history)]
    same = [e.metrics() for e in recorded] == [e.metrics() for e in state.history]
    if len(recorded) == len(state.history):
        state.history = list(recorded)  # with the seconds that the epochs took at first
    return None if same else _differs(recorded, state.history)


def _restore_nearest(state: RunState, target: Position, checkpoints: Iterable[Path]) -> None:
    for content in (*_readable(checkpoints), None):
        if content is None:
            state.restore(state.beginning())
        else:
            try:
                state.restore(content)
            except SpecError:
                continue  # of another network, such as a user's own whose file has changed
        # A checkpoint at the target that holds interventions from there is already beyond it.
        if state.position < target or not any(
            c.position == target and c.name not in ("rewind", "note") for c in state.interventions
        ):
            break


def _readable(paths: Iterable[Path]) -> Iterator[Capture]:
    for path in paths:
        try:
            yield checkpoint.read(path)
        except CheckpointError:
            continue


def _recompute(
    state: RunState,
    target: Position,
    interventions: Sequence[CommandEvent],
    progress: Callable[[int, int], None],
    cancelled: IsCancelled,
) -> None:
    """Train ``state`` up to ``target``, with ``interventions`` applied where they were."""
    loop, waiting = Loop(state, lambda event: None), deque(interventions)
    per_epoch = state.batches.per_epoch
    total = (target.epoch - state.position.epoch) * per_epoch + target.batch - state.position.batch
    done = 0
    while True:
        while waiting and waiting[0].position <= state.position:
            intervention = waiting.popleft()
            apply(to_intervention(intervention.command), state)
            state.interventions.append(intervention)
        if target <= state.position:
            return
        if cancelled():
            raise Cancelled
        progress(done, total)
        loop.batch()
        done += 1
        if loop.at_epochs_end:
            loop.finish_epoch()


def _differs(recorded: Sequence[EpochEvent], computed: Sequence[EpochEvent]) -> Text:
    first = next(
        (b.epoch for a, b in zip(recorded, computed, strict=False) if a.metrics() != b.metrics()), len(recorded)
    )
    return Text(
        "recomputed, epoch {epoch} differs in its last digits from what was recorded: an operation here has no "
        "deterministic form, or another version of PyTorch was used",
        epoch=first,
    )
