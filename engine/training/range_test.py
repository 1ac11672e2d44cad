"""The LR range test: a copy of the run is trained for some batches while the LR grows, and the loss recorded.

After L. N. Smith, "Cyclical Learning Rates for Training Neural Networks" (2017, arXiv:1506.01186, section 3.3), with
the choices that fastai's ``lr_find`` and Lightning's ``lr_find`` document: the LR grows by a constant factor per batch,
for 100 batches by default, and the test ends where the loss, averaged with beta 0.98, exceeds 4 times its minimum. What
is suggested, and why it is read from another average: ``engine.advice.lr_suggestions``.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from engine.advice.lr_suggestions import FloatArray, Smoothed, noisy_ends, smooth, suggest
from engine.common.errors import Cancelled, Rejected, SpecError
from engine.common.lifecycle import State
from engine.common.progress import IsCancelled
from engine.common.text import Text, number
from engine.messages.commands import CancelFind, FindLR, Pause, RangeTestCommand, Stop
from engine.messages.events import Event, RangeTestEvent, RangeTestProgressEvent, Suggestion
from engine.messages.queue import CommandQueue, PostedCommand
from engine.recipe.recipe import GuardSpec
from engine.training.answers import Answers
from engine.training.apply import check_not_over
from engine.training.guard import Guard
from engine.training.loop import Loop
from engine.training.run_state import RunState, random_state, restore_random
from engine.training.step import Sums

DIVERGED: Final = 4.0  # times the least smoothed loss
_ALLOWED: Final[frozenset[State]] = frozenset({"ready", "training", "paused"})


@dataclass(frozen=True)
class RangeTestResult:
    """LRs tried, rising, the loss of each one's batch, and the smoothed loss: float64 [n], all finite.

    ``n`` is smaller than the number of steps where the loss ``diverged``.
    """

    lr: FloatArray
    loss: FloatArray
    smoothed: FloatArray
    diverged: bool
    suggestions: tuple[Suggestion, ...]

    def event(self, number: int, state: RunState) -> RangeTestEvent:
        """The event for the test of ``state`` that was posted as ``number``."""
        lrs = state.lr_control.current()
        return RangeTestEvent(
            id=number,
            epoch=state.position.epoch,
            batch=state.position.batch,
            lr=self.lr,
            loss=self.loss,
            smoothed=self.smoothed,
            diverged=self.diverged,
            suggestions=self.suggestions,
            group=state.group_names[lrs.index(max(lrs))] if len(lrs) > 1 else None,
        )


def sweep(
    state: RunState, settings: FindLR, progress: Callable[[int, int], None], cancelled: IsCancelled
) -> RangeTestResult:
    """Try the LRs of ``settings`` on a copy of ``state``, which is not changed.

    The batches are those of this epoch from the next one on, then from its first. An LR's loss is that of its batch
    before the update, as in fastai and Lightning. BatchNorm and dropout are as in training.

    Args:
        state: the run, between two batches.
        settings: the range and the number of steps.
        progress: called with the number of LRs tried so far, and of all, before the first and after each.
        cancelled: asked before each step.

    Raises:
        Cancelled: ``cancelled`` returned true.
        Rejected: the network cannot be copied, or raised an error, such as for lack of memory.
    """
    kept = random_state(state.device)
    try:
        return _sweep(_twin(state), settings, progress, cancelled)
    finally:
        restore_random(kept, state.device)


def lrs_tried(settings: FindLR) -> list[float]:
    """The LRs of a sweep, each a constant factor above the one before."""
    span = math.log(settings.lr_max / settings.lr_min)
    inner = [settings.lr_min * math.exp(span * i / (settings.steps - 1)) for i in range(1, settings.steps - 1)]
    return [settings.lr_min, *inner, settings.lr_max]


def shares(lrs: list[float]) -> list[float]:
    """The share of the tried LR that each group gets: the fastest all of it. Equal where every LR is 0."""
    fastest = max(lrs)
    return [lr / fastest for lr in lrs] if fastest else [1.0] * len(lrs)


def _twin(state: RunState) -> RunState:
    try:
        return state.twin()
    except SpecError as error:
        text = "the LR range test trains a copy of the network, and this one cannot be copied: {error}"
        raise Rejected(Text(text, error=error.problem)) from None


def _sweep(
    state: RunState, settings: FindLR, progress: Callable[[int, int], None], cancelled: IsCancelled
) -> RangeTestResult:
    """``sweep`` on ``state`` itself, which it changes."""
    optimizer = state.optimizer
    state.lr_control.write(optimizer)  # the momentum of the next batch, where the schedule cycles it
    state.stepper.guard = Guard(GuardSpec(loss_limit=None))
    unused = Sums.zero(state.device)
    start, per_epoch = state.position, state.batches.per_epoch
    share = shares(state.lr_control.current())
    watch = noisy_ends(settings.steps)[0]  # before that, the average is of too few batches
    average, least = Smoothed(), math.inf
    lr: list[float] = []
    losses: list[float] = []
    diverged = False
    progress(0, settings.steps)
    for step, tried in enumerate(lrs_tried(settings)):
        if cancelled():
            raise Cancelled
        for group, part in zip(optimizer.param_groups, share, strict=True):
            group["lr"] = tried * part
        x, y = state.batches.batch(start.epoch, (start.batch + step) % per_epoch)
        try:
            loss = state.stepper.step(x, y, unused).loss
        except RuntimeError as error:
            problem = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
            raise Rejected(
                Text("the LR range test failed at LR {lr}: {error}", lr=number(tried), error=problem)
            ) from None
        if not math.isfinite(loss):
            diverged = True
            break
        lr.append(tried)
        losses.append(loss)
        mean = average.add(loss)
        progress(step + 1, settings.steps)
        if step >= watch:
            least = min(least, mean)
            if mean > DIVERGED * least:
                diverged = True
                break
    curve = np.array(lr), np.array(losses), smooth(np.array(losses), settings.steps)
    return RangeTestResult(*curve, diverged, suggest(*curve, settings.steps, diverged))


class RangeTest:
    """Runs ``FindLR`` on the training thread, between two batches, and answers it and ``CancelFind``.

    It is cancelled by a command that is posted meanwhile and is due: a ``CancelFind``, ``Pause`` or ``Stop``, which
    stays in the queue and is applied next.
    """

    def __init__(self, loop: Loop, answers: Answers, queue: CommandQueue, publish: Callable[[Event], None]) -> None:
        self._loop = loop
        self._answers = answers
        self._queue = queue
        self._publish = publish
        self._cancelled_by = 0  # the id of a CancelFind that cancelled a test

    def apply(self, posted: PostedCommand, command: RangeTestCommand, lifecycle: State) -> None:
        """Apply and answer ``command``, which ``posted`` holds, in the state ``lifecycle``."""
        if isinstance(command, FindLR):
            self._find(posted, command, lifecycle)
        elif posted.number == self._cancelled_by:
            self._answers.confirm(posted)
        else:
            self._answers.reject(posted, Text("no LR range test is running"))

    def _find(self, posted: PostedCommand, command: FindLR, lifecycle: State) -> None:
        if lifecycle not in _ALLOWED:
            self._answers.reject(posted, Text("the loss diverged: go back or resume before an LR range test"))
            return
        state, number = self._loop.state, posted.number

        def progress(done: int, total: int) -> None:
            self._publish(RangeTestProgressEvent(id=number, done=done, total=total))

        try:
            check_not_over(state.position, state.lr_control)
            found = sweep(state, command, progress, self._cancelled)
        except Rejected as refusal:
            self._answers.reject(posted, refusal.reason)
            return
        except Cancelled:
            self._answers.reject(posted, Text("the LR range test was cancelled"))
            return
        self._publish(found.event(number, state))
        self._answers.confirm(posted)

    def _cancelled(self) -> bool:
        posted = self._queue.peek(self._cancels)
        if posted is not None and isinstance(posted.command, CancelFind):
            self._cancelled_by = posted.number
        return posted is not None

    def _cancels(self, posted: PostedCommand) -> bool:
        due = posted.at is None or posted.at <= self._loop.state.position
        return due and isinstance(posted.command, (CancelFind, Pause, Stop))
