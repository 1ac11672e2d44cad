"""The thread of the current run: begun, given commands, and stopped; at most one at a time."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from typing import Any

from PySide6.QtCore import QObject, Signal

from engine.common.position import Position
from engine.library import Library
from engine.messages.commands import Rewind, Stop
from engine.messages.events import Event, LREvent
from engine.messages.queue import AnyCommand
from engine.qthread import TrainingThread
from engine.training.job import Job
from gui.core.frame_clock import FrameClock
from gui.core.run_model import RunModel


class CurrentRun(QObject):
    """Begins runs and publishes their events: to ``model`` first, then to whoever listens, in order.

    The one rule of coalescing: no event is dropped on the way to ``model``, which has the newest values at any time.
    Only the listeners to ``LREvent`` are spared some: small epochs end many times a second, and all that shows LRs
    would be written each time. While nothing but training moves the LR, they are called once with the next frame of
    ``clock``, or right before any other news (a command's answer, another state, the end), with ``model.lrs``, so that
    the last value always arrives. ``engine.messages.delivery`` tells such routine from news.

    Attributes:
        model: what is known of the run.
        library: where runs are kept; None where they are not.
        job: what was begun last.

    Signals:
        happened(Event): every event, in order. For the window's parts there is ``listen``.
        posted(int, Command, Position | None): a command was sent under this id, to be applied at once or at a later
            position.
        gone(): the thread of the last run is gone, after its ``EndEvent``.
    """

    happened = Signal(object)
    posted = Signal(int, object, object)
    gone = Signal()

    def __init__(self, library: Library | None, clock: FrameClock, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.model = RunModel(self)
        self.library = library
        self.job: Job | None = None
        self._thread: TrainingThread | None = None
        self._clock = clock
        self._lrs_due = False  # whether listeners have yet to hear of the newest LRs
        self._listeners: dict[type[Event], list[Callable[[Any], object]]] = {}
        clock.register(self._publish_lrs)

    def listen(self, hear: Callable[[Any], object], *kinds: type[Event]) -> None:
        """Have ``hear`` called with each event of ``kinds`` (all, if none is named), after earlier listeners.

        For the window's own parts: a signal would wake all of them for each event, and most want few.
        """
        for kind in kinds or Event.__subclasses__():
            self._listeners.setdefault(kind, []).append(hear)

    def publish(self, event: Event, when: float | None = None) -> None:
        """Update the model with ``event``, which happened at ``when``, and have everybody hear it."""
        self._update(event, when)
        if isinstance(event, LREvent):
            self._publish_lrs()
        else:
            self._tell(event)
        self.happened.emit(event)

    @property
    def active(self) -> bool:
        """Whether there is a thread."""
        return self._thread is not None

    def begin(self, job: Job) -> None:
        """Do ``job`` on a new thread. There must be none."""
        assert self._thread is None
        self.job = job
        thread = self._thread = TrainingThread(job, self.library, self)
        thread.happened.connect(self._deliver)
        thread.finished.connect(self._gone)
        if job.back_to is not None:  # before it starts: a run that is at its end has ended once it is loaded
            self.post(Rewind(epoch=job.back_to.epoch - 1, batch=job.back_to.batch or None))
        thread.start()

    def post(self, command: AnyCommand, at: Position | None = None) -> int:
        """Send a command to the run; returns its id, 0 where there is no run."""
        number = self._thread.post(command, at) if self._thread is not None else 0
        if number:
            self.posted.emit(number, command, at)
        return number

    def stop(self) -> None:
        """Have the run saved and ended; ``gone`` follows."""
        self.post(Stop())

    def _deliver(self, event: Event, routine: bool, when: float) -> None:
        if isinstance(event, LREvent) and routine:
            self._update(event, when)
            self.happened.emit(event)
            self._clock.poke()
            return
        if not routine and not isinstance(event, LREvent):
            self._publish_lrs()
        self.publish(event, when)

    def _update(self, event: Event, when: float | None) -> None:
        self._guarded(partial(self.model.update, when=when), event)
        self._lrs_due |= isinstance(event, LREvent)

    def _publish_lrs(self) -> bool:
        """Have the listeners to LRs hear of the newest, if they have not; whether they had not."""
        due, self._lrs_due = self._lrs_due, False
        if due and self.model.lrs is not None:
            self._tell(self.model.lrs)
        return due

    def _tell(self, event: Event) -> None:
        for hear in self._listeners.get(type(event), ()):
            self._guarded(hear, event)

    @staticmethod
    def _guarded(hear: Callable[[Any], object], event: Event) -> None:
        """Have ``hear`` called; its failure keeps nobody else from the event."""
        try:
            hear(event)
        except Exception as error:  # noqa: BLE001 - reported by gui.core.exception_hook, as of a slot that fails
            sys.excepthook(type(error), error, error.__traceback__)

    def _gone(self) -> None:
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.wait()
            thread.deleteLater()
        self.gone.emit()
