"""Runs to compare: looked up beside the window, then shown in one of their own."""

from __future__ import annotations

from PySide6.QtCore import QObject, Qt

from engine.comparing import Told, told
from engine.qthread import Failure
from gui.asking import Asking
from gui.run_words import sentence
from gui.runs import Runs
from gui.window import Window
from gui.words import tr


class Comparison(QObject):
    """Opens a window for each comparison; they stand beside each other."""

    def __init__(self, window: Window, runs: Runs, asking: Asking) -> None:
        super().__init__(window)
        self._window, self._runs, self._asking = window, runs, asking

    def compare(self, ids: list[str]) -> None:
        """Compare the runs with these ids."""
        library = self._runs.library
        if library is not None:
            self._asking.ask(lambda _: [told(library, run) for run in ids], self._show, self._failed, key="compare")

    def _show(self, runs: list[Told]) -> None:
        from gui.panels.compare import CompareWindow

        dialog = CompareWindow(runs, self._window)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.show()

    def _failed(self, failure: Failure) -> None:
        text = tr("Not compared: {problem}", problem=sentence(failure.problem))
        self._window.banner.show_failure(text, failure.details)
