"""The window's run: at most one training thread at a time, begun, commanded and seen off."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QObject, Signal

from engine.library import Library
from engine.messages.commands import Position, Rewind, Stop
from engine.messages.events import Event, LREvent
from engine.messages.queue import AnyCommand
from engine.qthread import TrainingThread
from engine.training.job import Job
from gui.core.frame_clock import FrameClock


class CurrentRun(QObject):
    """Begins runs and passes their events on; ``job`` is what was begun last, ``when`` the newest event happened
    (seconds of ``time.perf_counter``).

    Rates that the run came to by itself, by going on, are passed on with the next frame of ``clock``: small epochs end
    many times a second, and all that is said of rates would be written anew each time.

    Signals:
        happened(Event): of the run under way, in order, but for such rates; for the window's parts there is ``listen``.
        posted(int, Command, At | None): a command was sent under this id, to act at once or at a later moment.
        gone(): the thread of the last run is gone, after its ``EndEvent``.
    """

    happened = Signal(object)
    posted = Signal(int, object, object)
    gone = Signal()

    def __init__(self, library: Library | None, clock: FrameClock, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.library = library
        self.job: Job | None = None
        self.when = 0.0
        self._thread: TrainingThread | None = None
        self._clock = clock
        self._moved: LREvent | None = None
        self._listeners: dict[type[Event], list[Callable[[Any], None]]] = {}
        clock.register(self._pass_on_lrs)

    def listen(self, hear: Callable[[Any], None], *kinds: type[Event]) -> None:
        """Have ``hear`` called with each event of ``kinds`` (all, if none is named), after who listens already.

        For the window's own parts: a signal would wake all of them for each event, and most want few.
        """
        for kind in kinds or Event.__subclasses__():
            self._listeners.setdefault(kind, []).append(hear)

    def tell(self, event: Event) -> None:
        """Have everybody hear ``event``; who fails keeps nobody else from it."""
        for hear in self._listeners.get(type(event), ()):
            try:
                hear(event)
            except Exception as error:  # noqa: BLE001 - as of a slot that fails, gui.core.exception_hook tells of it
                sys.excepthook(type(error), error, error.__traceback__)
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
        thread.happened.connect(self._pass_on)
        thread.finished.connect(self._gone)
        if job.back_to is not None:  # before it starts: a run that is at its end has ended once it is loaded
            self.post(Rewind(epoch=job.back_to.epoch - 1, batch=job.back_to.batch or None))
        thread.start()

    def post(self, command: AnyCommand, at: Position | None = None) -> int:
        """Send a command to the run; 0 where there is none."""
        number = self._thread.post(command, at) if self._thread is not None else 0
        if number:
            self.posted.emit(number, command, at)
        return number

    def stop(self) -> None:
        """Have the run saved and ended; ``gone`` follows."""
        self.post(Stop())

    def _pass_on(self, event: Event, routine: bool, when: float) -> None:
        self.when = when
        if isinstance(event, LREvent):
            self._moved = event if routine else None  # the newer one says it all
            if routine:
                self._clock.poke()
                return
        elif not routine:
            self._pass_on_lrs()
        self.tell(event)

    def _pass_on_lrs(self) -> bool:
        """Pass on the rates that wait for a frame; whether there were some."""
        moved, self._moved = self._moved, None
        if moved is not None:
            self.tell(moved)
        return moved is not None

    def _gone(self) -> None:
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.wait()
            thread.deleteLater()
        self.gone.emit()
