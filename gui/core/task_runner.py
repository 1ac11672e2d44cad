"""Questions and errands of one part of the window, on a thread of its own that starts with the first of them."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from typing import Any, Final, TypeVar

from PySide6.QtCore import QObject

from engine.qthread import Failure, Question, Worker

T = TypeVar("T")
PATIENCE: Final = 10.0
"""Seconds for which the end waits for errands: a disk may be gone."""
Progress = Callable[[str, int, int], None]


class TaskRunner(QObject):
    """Has work done beside the window, one after the other, and hands each answer to whoever asked."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._worker: Worker | None = None
        self._numbers = itertools.count()
        self._questions: set[str] = set()  # which change nothing, and need not be answered at the end
        self._waiting: dict[str, tuple[Callable[[Any], None], Callable[[Failure], None], Progress | None]] = {}

    def ask(
        self,
        work: Callable[[Question], T],
        then: Callable[[T], None],
        failed: Callable[[Failure], None],
        *,
        key: str = "",
        progress: Progress | None = None,
    ) -> None:
        """Have ``work`` done; ``then`` hears its answer, or ``failed`` why there is none, on the window's thread.

        Of the questions with one ``key`` the newest is answered; without one each is.
        """
        worker = self._worker
        if worker is None:
            worker = self._worker = Worker()
            worker.answered.connect(self._answered)
            worker.progressed.connect(self._progressed)
            worker.start()
        name = key or f"errand {next(self._numbers)}"
        self._waiting[name] = (then, failed, progress)
        if key or progress is not None:
            self._questions.add(name)
        worker.ask(name, work)

    def stop(self) -> None:
        """End the thread, once the errands are done; questions are not answered any more, nor told how far they are."""
        worker, self._worker = self._worker, None
        if worker is not None:
            for name in self._questions & self._waiting.keys():
                worker.cancel(name)
            done = threading.Event()
            worker.ask("", lambda _: done.set())
            done.wait(PATIENCE)
            worker.stop()
        self._waiting.clear()

    def _answered(self, key: str, answer: object) -> None:
        waiting = self._waiting.pop(key, None)
        self._questions.discard(key)
        if waiting is None:
            return
        then, failed, _ = waiting
        if isinstance(answer, Failure):
            failed(answer)
        else:
            then(answer)

    def _progressed(self, key: str, what: str, done: int, total: int) -> None:
        waiting = self._waiting.get(key)
        if waiting is not None and waiting[2] is not None:
            waiting[2](what, done, total)
