"""Any moment of a run computed again: from the nearest state that is kept before it, with what the hand did since."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from engine import snapshot
from engine.carry_out import carry_out
from engine.commands import At, hand_command
from engine.data import Cancelled
from engine.events import CommandEvent, EpochEvent
from engine.loop import Loop
from engine.run_state import Capture, RunState
from engine.words import Words

Progress = Callable[[int, int], None]


def go_to(
    state: RunState,
    target: At,
    now: Capture,
    kept: Iterable[Path] = (),
    progress: Progress = lambda done, total: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Words | None:
    """Put ``state`` where its run stood at ``target``, before any act of the hand there.

    Args:
        state: the run; as it was before where this raises.
        target: a moment behind the run's position.
        now: the state's capture, which is taken up again where this raises.
        kept: snapshots of the run or of what it branched from, at ``target`` or before it, the best first. One that
            cannot be read or does not fit is passed over; after the last, the run's very beginning is built anew.
        progress: hears how many of how many batches are computed again.
        cancelled: asked between batches.

    Returns:
        a warning where what was computed is not what was recorded, to the last bit; else None.

    Raises:
        Cancelled: ``cancelled`` said so.
    """
    history, hand = state.history, state.hand
    try:
        _restore_best(state, target, kept)
        acts = [act for act in hand[len(state.hand) :] if act.name != "rewind" and _place(act) < target]
        _train_on(state, target, acts, progress, cancelled)
    except BaseException:
        state.restore(now)
        state.training_mode()
        raise
    recorded = history[: len(state.history)]
    same = [e.metrics() for e in recorded] == [e.metrics() for e in state.history]
    if len(recorded) == len(state.history):
        state.history = list(recorded)  # with the seconds that the epochs took when they were lived
    return None if same else _not_the_same(recorded, state.history)


def _restore_best(state: RunState, target: At, kept: Iterable[Path]) -> None:
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
            _place(c) == target and c.name not in ("rewind", "note") for c in state.hand
        ):
            break
    state.training_mode()


def _readable(kept: Iterable[Path]) -> Iterator[Capture]:
    for path in kept:
        try:
            yield snapshot.read(path)
        except snapshot.SnapshotError:
            continue


def _train_on(
    state: RunState, target: At, acts: Sequence[CommandEvent], progress: Progress, cancelled: Callable[[], bool]
) -> None:
    """Train ``state`` on to ``target``, with ``acts`` carried out where they were."""
    loop, waiting = Loop(state, lambda event: None), deque(acts)
    total, done = _batches_between(state, target), 0
    while True:
        while waiting and _place(waiting[0]) <= state.position:
            act = waiting.popleft()
            carry_out(hand_command(act.command), state)
            state.hand.append(act)
        if target <= state.position:
            return
        if cancelled():
            raise Cancelled
        progress(done, total)
        loop.batch()
        done += 1
        if loop.at_epochs_end:
            loop.finish_epoch()


def _batches_between(state: RunState, target: At) -> int:
    per_epoch = state.batches.per_epoch
    return (target.epoch - state.position.epoch) * per_epoch + target.batch - state.position.batch


def _place(act: CommandEvent) -> At:
    return At(epoch=act.epoch, batch=act.batch)


def _not_the_same(recorded: Sequence[EpochEvent], computed: Sequence[EpochEvent]) -> Words:
    first = next(
        (b.epoch for a, b in zip(recorded, computed, strict=False) if a.metrics() != b.metrics()), len(recorded)
    )
    return Words(
        "computed again, epoch {epoch} differs in its last digits from what was recorded: something here has no "
        "deterministic form, or was made by another version",
        epoch=first,
    )
