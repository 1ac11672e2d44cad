"""The thread of the current run: at most one at a time."""

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
    """Starts runs and publishes their events: to ``model`` first, then to the listeners, in order.

    Events are coalesced here and nowhere else. ``model`` gets every event, so it has the newest values at any time.
    Listeners to ``LREvent`` are not called for each one, because short epochs end many times per second: while nothing
    but training changes the LR, they are called with ``model.lrs`` in the next frame of ``clock``, or just before any
    event that is not routine (a command's answer, a change of state, the end). So the last value always arrives.
    ``engine.messages.delivery`` decides what is routine.

    Attributes:
        model: what is known of the run.
        library: where runs are stored; None if they are not.
        job: the last job that was started.

    Signals:
        happened(Event): every event, in order. The window's own parts use ``listen``.
        posted(int, Command, Position | None): a command was sent with this id, to be applied at once or at this
            position.
        gone(): the thread of the last run has ended, after its ``EndEvent``.
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
        self._lrs_due = False  # whether listeners have not yet got the newest LRs
        self._listeners: dict[type[Event], list[Callable[[Any], object]]] = {}
        clock.register(self._publish_lrs)

    def listen(self, listener: Callable[[Any], object], *kinds: type[Event]) -> None:
        """Call ``listener`` with each event of ``kinds`` (by default all), after earlier listeners.

        For the window's own parts: a signal would call all of them for each event, and most need few.
        """
        for kind in kinds or Event.__subclasses__():
            self._listeners.setdefault(kind, []).append(listener)

    def publish(self, event: Event, when: float | None = None) -> None:
        """Update the model with ``event``, which happened at ``when``, and call the listeners."""
        self._update(event, when)
        if isinstance(event, LREvent):
            self._publish_lrs()
        else:
            self._call_listeners(event)
        self.happened.emit(event)

    @property
    def active(self) -> bool:
        """Whether a run has a thread."""
        return self._thread is not None

    def begin(self, job: Job) -> None:
        """Start ``job`` on a new thread. No run may be active."""
        assert self._thread is None
        self.job = job
        thread = self._thread = TrainingThread(job, self.library, self)
        thread.happened.connect(self._deliver)
        thread.finished.connect(self._gone)
        if job.back_to is not None:  # before it starts, because a finished run ends as soon as it is loaded
            self.post(Rewind(epoch=job.back_to.epoch - 1, batch=job.back_to.batch or None))
        thread.start()

    def post(self, command: AnyCommand, at: Position | None = None) -> int:
        """Send a command to the run; returns its id, or 0 if no run is active."""
        number = self._thread.post(command, at) if self._thread is not None else 0
        if number:
            self.posted.emit(number, command, at)
        return number

    def stop(self) -> None:
        """Save and end the run; ``gone`` follows."""
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
        """Call the listeners to LRs with the newest ones if they have not got them; returns whether that was so."""
        due, self._lrs_due = self._lrs_due, False
        if due and self.model.lrs is not None:
            self._call_listeners(self.model.lrs)
        return due

    def _call_listeners(self, event: Event) -> None:
        for listener in self._listeners.get(type(event), ()):
            self._guarded(listener, event)

    @staticmethod
    def _guarded(listener: Callable[[Any], object], event: Event) -> None:
        """Call ``listener``. An exception that it raises does not keep the event from others."""
        try:
            listener(event)
        except Exception as error:  # noqa: BLE001 - reported by gui.core.exception_hook, as of a slot that fails
            sys.excepthook(type(error), error, error.__traceback__)

    def _gone(self) -> None:
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.wait()
            thread.deleteLater()
        self.gone.emit()
