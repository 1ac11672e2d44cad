"""Errands to the library: done beside the window, and said in words where they fail."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices

from engine.qthread import Failure
from gui.core.run_text import sentence
from gui.core.task_runner import TaskRunner
from gui.core.translation import tr


class Say(Protocol):
    """Says what became of something, with a way to take it back where there is one."""

    def __call__(self, text: str, error: bool = False, undo: Callable[[], None] | None = None) -> None:
        """Say ``text``."""


class LibraryTasks:
    """Has work done beside the window; ``look`` is called afterwards, to see what there is now."""

    def __init__(self, tasks: TaskRunner, say: Say, look: Callable[[], None]) -> None:
        self._tasks, self.say, self._look = tasks, say, look

    def do(self, work: Callable[[], Any], then: Callable[[Any], None], not_done: str = "") -> None:
        """Have ``work`` done and hand ``then`` the answer; ``not_done`` begins the sentence that says why not."""

        def done(answer: Any) -> None:
            then(answer)
            self._look()

        def failed(failure: Failure) -> None:
            problem = sentence(failure.problem)
            self.say(tr("{what}: {problem}", what=not_done, problem=problem) if not_done else problem, error=True)
            self._look()

        self._tasks.ask(lambda _: work(), done, failed)


def show_folder(folder: Path) -> None:
    """Open ``folder`` in the file manager."""
    QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder)))
