"""The one place where the engine meets Qt: the training thread, commands in, one outgoing signal."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject, QThread, QTimer, Signal

from engine.common.position import Position
from engine.library import Library
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
        from engine.training.trainer import Trainer  # imports torch, for which the start of the window does not wait

        self._trainer: Trainer = Trainer(job, self._take, library)
        self._lock = threading.Lock()
        self._routine = RoutineEvents()
        self._held: list[tuple[Event, bool, float]] = []
        self._delivery_ahead = False  # routine events need no wake-up
        self._delivering = False
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(HOLD_MS)
        self._timer.timeout.connect(self._deliver)
        self._wake.connect(self._deliver)

    def post(self, command: AnyCommand, at: Position | None = None) -> int:
        """Send a command, for the next batch or for the position ``at``; returns its id. The answer is an event."""
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
        if self._delivering:  # a listener may post a command, whose answer is delivered in order
            return
        self._delivering, delivered = True, False
        try:
            while held := self._held_until_now():
                delivered = True
                for event, routine, when in held:
                    self.happened.emit(event, routine, when)
        finally:
            self._delivering = False
            with self._lock:
                ahead = self._delivery_ahead = delivered or bool(self._held)
            if ahead:
                self._timer.start()

    def _held_until_now(self) -> list[tuple[Event, bool, float]]:
        with self._lock:
            held, self._held = self._held, []
        return held
