"""The one place where the engine meets Qt: threads of Qt's, commands in, one outgoing signal each."""

from __future__ import annotations

import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from PySide6.QtCore import QObject, QThread, QTimer, Signal

from engine.common.spec import SpecError
from engine.library import Library
from engine.messages.commands import Position
from engine.messages.delivery import RoutineEvents
from engine.messages.events import Event
from engine.messages.queue import AnyCommand
from engine.training.job import Job

if TYPE_CHECKING:
    from engine.training.trainer import Trainer

HOLD_MS: Final = 200
"""Milliseconds between two deliveries of a run's routine."""


class TrainingThread(QThread):
    """One run on a thread of its own.

    ``happened`` carries every event of the run, in order, whether it is routine (see ``engine.messages.delivery``),
    and when it happened (``time.perf_counter``); the last one is the run's ``EndEvent``. ``finished`` (Qt's own) means
    only that the thread is gone. PyTorch must be imported before one is made.

    Routine is delivered together, at most once in ``HOLD_MS`` and with what cannot wait. Each delivery takes the
    interpreter from training, and a core from one of its threads, which all others then wait for.
    """

    happened = Signal(object, bool, float)
    _wake = Signal()

    def __init__(self, job: Job, library: Library | None, parent: QObject | None = None) -> None:
        super().__init__(parent)
        from engine.training.trainer import Trainer  # brings torch, which the window does not wait for when it starts

        self._trainer: Trainer = Trainer(job, self._take, library)
        self._lock = threading.Lock()
        self._routine = RoutineEvents()
        self._held: list[tuple[Event, bool, float]] = []
        self._delivery_ahead = False  # nobody needs to be woken for routine
        self._delivering = False
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(HOLD_MS)
        self._timer.timeout.connect(self._deliver)
        self._wake.connect(self._deliver)

    def post(self, command: AnyCommand, at: Position | None = None) -> int:
        """Send a command, for the next batch or for the moment ``at``; returns its id. The answer is an event."""
        return self._trainer.post(command, at)

    def run(self) -> None:
        """Train, on the new thread."""
        self._trainer.run()

    def _take(self, event: Event) -> None:
        """Take ``event`` for delivery, on whichever thread it happened."""
        with self._lock:
            routine = self._routine.includes(event)
            self._held.append((event, routine, time.perf_counter()))
            wake, self._delivery_ahead = not (routine and self._delivery_ahead), True
        if wake:
            self._wake.emit()

    def _deliver(self) -> None:
        if self._delivering:  # who hears of an event may post a command, whose answer has its turn
            return
        self._delivering, told = True, False
        try:
            while held := self._held_until_now():
                told = True
                for event, routine, when in held:
                    self.happened.emit(event, routine, when)
        finally:
            self._delivering = False
            with self._lock:
                ahead = self._delivery_ahead = told or bool(self._held)
            if ahead:
                self._timer.start()

    def _held_until_now(self) -> list[tuple[Event, bool, float]]:
        with self._lock:
            held, self._held = self._held, []
        return held


@dataclass(frozen=True)
class Failure:
    """A question that could not be answered: ``problem`` in words, ``field`` at fault or None, ``details`` to copy."""

    problem: str
    field: str | None = None
    details: str | None = None


class Worker(QThread):
    """Answers questions off the window's thread, one after the other; of those with one key the newest only.

    ``answered`` carries the key and the answer, or a ``Failure``; ``progressed`` the key, what is done, and how much.
    """

    answered = Signal(str, object)
    progressed = Signal(str, object, int, int)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._changed = threading.Condition()
        self._questions: dict[str, Callable[[Question], Any]] = {}
        self._under_way: Question | None = None
        self._over = False

    def ask(self, key: str, work: Callable[[Question], Any]) -> None:
        """Have ``work`` done, in place of an older question with this key, which is cancelled."""
        with self._changed:
            self._questions.pop(key, None)
            self._questions[key] = work
            if self._under_way is not None and self._under_way.key == key:
                self._under_way.cancel()
            self._changed.notify()

    def cancel(self, key: str) -> None:
        """Answer the question with this key no more."""
        with self._changed:
            self._questions.pop(key, None)
            if self._under_way is not None and self._under_way.key == key:
                self._under_way.cancel()

    def stop(self) -> None:
        """End the thread, after the question under way, which is cancelled; returns when it is gone."""
        with self._changed:
            self._over = True
            self._questions.clear()
            if self._under_way is not None:
                self._under_way.cancel()
            self._changed.notify()
        self.wait()

    def run(self) -> None:
        """Answer, on the new thread."""
        while (taken := self._next()) is not None:
            question, work = taken
            answer: Any
            try:
                answer = work(question)
            except SpecError as error:
                answer = Failure(error.problem, error.field)
            except Exception as error:  # noqa: BLE001 - said to the person, with the details
                answer = Failure(f"{type(error).__name__}: {error}", None, traceback.format_exc())
            with self._changed:
                self._under_way = None
                current = not question.cancelled()
            if current:
                self.answered.emit(question.key, answer)

    def _next(self) -> tuple[Question, Callable[[Question], Any]] | None:
        with self._changed:
            while not self._questions and not self._over:
                self._changed.wait()
            if self._over:
                return None
            key = next(iter(self._questions))
            self._under_way = Question(key, self)
            return self._under_way, self._questions.pop(key)


class Question:
    """A question under way, as the work that answers it sees it."""

    def __init__(self, key: str, worker: Worker) -> None:
        self.key = key
        self._worker = worker
        self._cancelled = threading.Event()

    def cancel(self) -> None:
        """Nobody waits for the answer any more."""
        self._cancelled.set()

    def cancelled(self) -> bool:
        """Whether nobody waits for the answer any more."""
        return self._cancelled.is_set()

    def progress(self, what: str, done: int, total: int) -> None:
        """Tell how far the work is."""
        self._worker.progressed.emit(self.key, what, done, total)
