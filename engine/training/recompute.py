"""Any moment of a run computed again: from the nearest state that is kept before it, with what the hand did since."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from engine.checkpoints import checkpoint
from engine.common.text import Text
from engine.data.sets import Cancelled
from engine.messages.commands import Position, to_intervention
from engine.messages.events import CommandEvent, EpochEvent
from engine.training.apply import apply
from engine.training.loop import Loop
from engine.training.run_state import Capture, RunState

Progress = Callable[[int, int], None]


def go_to(
    state: RunState,
    target: Position,
    now: Capture,
    kept: Iterable[Path] = (),
    progress: Progress = lambda done, total: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Text | None:
    """Put ``state`` where its run stood at ``target``, before any intervention there.

    Args:
        state: the run; as it was before where this raises.
        target: a moment behind the run's position.
        now: the state's capture, which is taken up again where this raises.
        kept: checkpoints of the run or of what it branched from, at ``target`` or before it, the best first. One that
            cannot be read or does not fit is passed over; after the last, the run's very beginning is built anew.
        progress: hears how many of how many batches are computed again.
        cancelled: asked between batches.

    Returns:
        a warning where what was computed is not what was recorded, to the last bit; else None.

    Raises:
        Cancelled: ``cancelled`` said so.
    """
    history, interventions = state.history, state.interventions
    try:
        _restore_best(state, target, kept)
        applied = [
            intervention
            for intervention in interventions[len(state.interventions) :]
            if intervention.name != "rewind" and _place(intervention) < target
        ]
        _train_on(state, target, applied, progress, cancelled)
    except BaseException:
        state.restore(now)
        state.training_mode()
        raise
    recorded = history[: len(state.history)]
    same = [e.metrics() for e in recorded] == [e.metrics() for e in state.history]
    if len(recorded) == len(state.history):
        state.history = list(recorded)  # with the seconds that the epochs took when they were lived
    return None if same else _not_the_same(recorded, state.history)


def _restore_best(state: RunState, target: Position, kept: Iterable[Path]) -> None:
    for content in (*_readable(kept), None):
        if content is None:
            state.restore(state.beginning())
        else:
            try:
                state.restore(content)
            except (RuntimeError, ValueError, LookupError, TypeError, AttributeError, ArithmeticError):
                continue  # of another network, say: an own one whose file has changed
        # What stands at the target with acts done there already is beyond it.
        if state.position < target or not any(
            _place(c) == target and c.name not in ("rewind", "note") for c in state.interventions
        ):
            break
    state.training_mode()


def _readable(kept: Iterable[Path]) -> Iterator[Capture]:
    for path in kept:
        try:
            yield checkpoint.read(path)
        except checkpoint.CheckpointError:
            continue


def _train_on(
    state: RunState,
    target: Position,
    interventions: Sequence[CommandEvent],
    progress: Progress,
    cancelled: Callable[[], bool],
) -> None:
    """Train ``state`` on to ``target``, with ``acts`` carried out where they were."""
    loop, waiting = Loop(state, lambda event: None), deque(interventions)
    total, done = _batches_between(state, target), 0
    while True:
        while waiting and _place(waiting[0]) <= state.position:
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


def _batches_between(state: RunState, target: Position) -> int:
    per_epoch = state.batches.per_epoch
    return (target.epoch - state.position.epoch) * per_epoch + target.batch - state.position.batch


def _place(intervention: CommandEvent) -> Position:
    return Position(epoch=intervention.epoch, batch=intervention.batch)


def _not_the_same(recorded: Sequence[EpochEvent], computed: Sequence[EpochEvent]) -> Text:
    first = next(
        (b.epoch for a, b in zip(recorded, computed, strict=False) if a.metrics() != b.metrics()), len(recorded)
    )
    return Text(
        "computed again, epoch {epoch} differs in its last digits from what was recorded: something here has no "
        "deterministic form, or was made by another version",
        epoch=first,
    )
