"""The window's run: at most one training thread at a time, begun, commanded and seen off."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from engine.commands import At, Rewind, Stop
from engine.events import Event
from engine.job import Job
from engine.library import Library
from engine.mailbox import AnyCommand
from engine.qthread import TrainingThread


class Runs(QObject):
    """Begins runs and passes their events on; ``job`` is what was begun last.

    Signals:
        happened(Event): of the run under way, in order.
        posted(int, Command, At | None): a command was sent under this id, to act at once or at a later moment.
        gone(): the thread of the last run is gone, after its ``EndEvent``.
    """

    happened = Signal(object)
    posted = Signal(int, object, object)
    gone = Signal()

    def __init__(self, library: Library | None, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.library = library
        self.job: Job | None = None
        self._thread: TrainingThread | None = None

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

    def post(self, command: AnyCommand, at: At | None = None) -> int:
        """Send a command to the run; 0 where there is none."""
        number = self._thread.post(command, at) if self._thread is not None else 0
        if number:
            self.posted.emit(number, command, at)
        return number

    def stop(self) -> None:
        """Have the run saved and ended; ``gone`` follows."""
        self.post(Stop())

    def _pass_on(self, event: Event) -> None:
        self.happened.emit(event)

    def _gone(self) -> None:
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.wait()
            thread.deleteLater()
        self.gone.emit()
