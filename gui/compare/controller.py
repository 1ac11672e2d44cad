"""Comparing runs: they are read in the background, then shown in a window of their own."""

from __future__ import annotations

from PySide6.QtCore import QObject, Qt
from PySide6.QtWidgets import QWidget

from engine.library.comparison import ComparedRun, read_run
from gui.core.current_run import CurrentRun
from gui.core.run_text import sentence
from gui.core.task_runner import Failure, TaskRunner
from gui.core.translation import tr
from gui.run_bar.banner import Banner


class CompareController(QObject):
    """Opens a window for each comparison."""

    def __init__(self, window: QWidget, banner: Banner, runs: CurrentRun, tasks: TaskRunner) -> None:
        super().__init__(window)
        self._window, self._banner, self._runs, self._tasks = window, banner, runs, tasks

    def compare(self, ids: list[str]) -> None:
        """Compare the runs with these ids."""
        library = self._runs.library
        if library is not None:
            self._tasks.submit(
                lambda _: [read_run(library, run) for run in ids], self._show, self._failed, key="compare"
            )

    def _show(self, runs: list[ComparedRun]) -> None:
        from gui.compare.window import CompareWindow

        dialog = CompareWindow(runs, self._window)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.show()

    def _failed(self, failure: Failure) -> None:
        text = tr("Not compared: {problem}", problem=sentence(failure.problem))
        self._banner.show_failure(text, failure.details)
