"""Background work: functions run on worker threads, and their results are delivered on the GUI thread."""

from __future__ import annotations

import threading
import time
import traceback
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeVar

from PySide6.QtCore import QObject, Signal

from engine.common.errors import NotDownloaded, SpecError
from engine.common.progress import Progress

T = TypeVar("T")
Lane = Literal["torch", "curves", "library", "downloads"]
LANES: Final[tuple[Lane, ...]] = ("torch", "curves", "library", "downloads")
"""One thread each, so that a slow task delays no other lane: ``torch`` imports PyTorch, builds networks and runs LR
range tests, ``curves`` computes schedules, ``library`` reads and writes runs, ``downloads`` downloads data.
"""
PATIENCE: Final = 10.0
"""Seconds that ``stop`` waits for tasks that must finish before it drops those not started: a disk may hang."""


@dataclass(frozen=True)
class Failure:
    """Why a task failed: ``problem`` in words, the ``field`` at fault or None, ``details`` to copy or None."""

    problem: str
    field: str | None = None
    details: str | None = None


class Task:
    """A submitted function. The function uses it to report progress and to see that it was cancelled, the caller to
    cancel.
    """

    def __init__(
        self,
        work: Callable[[Task], Any],
        done: Callable[[Any], None],
        failed: Callable[[Failure], None],
        progress: Callable[[Task, str, int, int], None],
        on_progress: Progress | None,
        key: str,
        must_finish: bool,
    ) -> None:
        self._work, self._done, self._failed, self._progress, self._on_progress = (
            work,
            done,
            failed,
            progress,
            on_progress,
        )
        self.key, self.must_finish = key, must_finish
        self._cancelled = threading.Event()

    def cancel(self) -> None:
        """Cancel the task: no result, failure or progress is delivered from now on."""
        self._cancelled.set()

    def cancelled(self) -> bool:
        """Whether the task was cancelled; long work checks this now and then, and returns."""
        return self._cancelled.is_set()

    def progress(self, what: str, done: int, total: int) -> None:
        """Report, from the work, that ``done`` of ``total`` of ``what`` is done."""
        self._progress(self, what, done, total)

    def run(self) -> Any:
        """Do the work on the calling thread; returns its result or a ``Failure``."""
        try:
            return self._work(self)
        except SpecError as error:
            problem = error.window if isinstance(error, NotDownloaded) else error.problem
            return Failure(problem, error.field)
        except BaseException as error:  # noqa: BLE001 - also what a network's file raises to end a process
            return Failure(f"{type(error).__name__}: {error}", None, traceback.format_exc())

    def deliver(self, result: Any) -> None:
        """Call the callback for ``result``, on the GUI thread."""
        if self.cancelled():
            return
        if isinstance(result, Failure):
            self._failed(result)
        else:
            self._done(result)

    def report(self, what: str, done: int, total: int) -> None:
        """Call the callback for progress, on the GUI thread."""
        if self._on_progress is not None and not self.cancelled():
            self._on_progress(what, done, total)


class TaskRunner(QObject):
    """Runs submitted functions after ``start``, one after another in each lane. Lives on the GUI thread."""

    _ended = Signal(object, object)
    _progressed = Signal(object, object, object, object)  # counts of bytes do not fit into Qt's integers

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._lanes = {lane: _LaneThread(lane, self._ended.emit) for lane in LANES}
        self._newest: dict[str, Task] = {}  # by key
        self._started = self._stopped = False
        self._ended.connect(self._on_ended)
        self._progressed.connect(self._on_progressed)

    def submit(
        self,
        work: Callable[[Task], T],
        done: Callable[[T], None],
        failed: Callable[[Failure], None],
        *,
        lane: Lane = "library",
        key: str = "",
        progress: Progress | None = None,
        must_finish: bool = False,
    ) -> Task:
        """Run ``work`` on the thread of ``lane``; its result is passed to ``done``, an exception to ``failed``.

        Args:
            work: gets its ``Task``; must not use a widget.
            done: called with the result, on the GUI thread, unless the task was cancelled.
            failed: called with the failure instead, likewise.
            lane: tasks of one lane run in the order in which they were submitted.
            key: a task cancels the previous task with the same key. Empty: none.
            progress: called with the arguments of ``Task.progress``, on the GUI thread.
            must_finish: ``stop`` waits for this task, such as a write, instead of cancelling it.
        """
        task = Task(work, done, failed, self._progressed.emit, progress, key, must_finish)
        if key:
            self.cancel(key)
            self._newest[key] = task
        self._lanes[lane].put(task)
        if self._started:
            self._lanes[lane].start_once()
        return task

    def cancel(self, key: str) -> None:
        """Cancel the task with ``key``, if there is one."""
        task = self._newest.pop(key, None)
        if task is not None:
            task.cancel()

    def start(self) -> None:
        """Start running tasks."""
        self._started = True
        for lane in self._lanes.values():
            if lane.waiting:
                lane.start_once()

    def stop(self) -> None:
        """Cancel all tasks but those that must finish, wait for those and for what cannot be interrupted, and end.

        Nothing is delivered any more.
        """
        self._started, self._stopped = False, True
        for lane in self._lanes.values():
            lane.close()
        for lane in self._lanes.values():
            lane.join()

    @property
    def running(self) -> bool:
        """Whether a thread is alive."""
        return any(lane.is_alive() for lane in self._lanes.values())

    def _on_ended(self, task: Task, result: object) -> None:
        if self._newest.get(task.key) is task:
            del self._newest[task.key]
        if not self._stopped:
            task.deliver(result)

    def _on_progressed(self, task: Task, what: str, done: int, total: int) -> None:
        if not self._stopped:
            task.report(what, done, total)


class _LaneThread(threading.Thread):
    """The thread of a lane. It calls ``ended`` with each task that was not cancelled, and its result."""

    def __init__(self, lane: Lane, ended: Callable[[Task, object], None]) -> None:
        super().__init__(name=f"tasks: {lane}", daemon=True)
        self._ended = ended
        self._changed = threading.Condition()
        self._tasks: deque[Task] = deque()
        self._under_way: Task | None = None
        self._closed_at: float | None = None
        self._began = False

    @property
    def waiting(self) -> bool:
        return bool(self._tasks)

    def put(self, task: Task) -> None:
        with self._changed:
            self._tasks.append(task)
            self._changed.notify()

    def start_once(self) -> None:
        if not self._began:
            self._began = True
            self.start()

    def close(self) -> None:
        with self._changed:
            self._closed_at = time.monotonic()
            for task in (*self._tasks, *((self._under_way,) if self._under_way is not None else ())):
                if not task.must_finish:
                    task.cancel()
            self._changed.notify()

    def join(self, timeout: float | None = None) -> None:
        if self._began:
            super().join(timeout)

    def run(self) -> None:
        while (task := self._next()) is not None:
            result = task.run()
            with self._changed:
                self._under_way = None
            if not task.cancelled():
                self._ended(task, result)
            del task, result  # so that the thread holds no reference while it waits

    def _next(self) -> Task | None:
        with self._changed:
            while True:
                while self._tasks and self._tasks[0].cancelled():
                    self._tasks.popleft()
                if self._closed_at is not None and (not self._tasks or time.monotonic() - self._closed_at > PATIENCE):
                    return None
                if self._tasks:
                    self._under_way = self._tasks.popleft()
                    return self._under_way
                self._changed.wait()
