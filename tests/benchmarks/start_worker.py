"""One start of the window: ``python -m tests.benchmarks.start_worker LIBRARY``.

It prints ``WHAT TIME`` when the window was painted for the first time ("painted"), when PyTorch was imported ("ready")
and when the first batch was trained ("trained"), and ends.
"""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

import main

if TYPE_CHECKING:
    from engine.messages.events import Event
    from engine.recipe.recipe import Recipe
    from gui.app import App


class TimedStart:
    """Trains ``recipe`` as soon as that is possible, and closes the window after the first batch."""

    def __init__(self, app: App, recipe: Recipe) -> None:
        self._app, self._recipe, self._trained = app, recipe, False
        app.window.first_painted.connect(lambda: report("painted"))
        app.lookups.torch_loaded.connect(self._train)
        app.current_run.happened.connect(self._happened)
        app.setup_controller.left.connect(app.application.exit)

    def _train(self) -> None:
        report("ready")
        self._app.setup_controller.set_up(self._recipe)
        self._app.setup_controller.start()

    def _happened(self, event: Event) -> None:
        if event.event == "steps" and self._app.current_run.active and not self._trained:
            self._trained = True
            report("trained")
            self._app.setup_controller.leave(ask=False)


def report(what: str) -> None:
    """Print ``what`` and the time."""
    print(what, time.time(), flush=True)


def run(library: str) -> None:
    """Start the window as ``main.py`` does, with the run library in the folder ``library``."""
    main.prepare()
    from PySide6.QtWidgets import QApplication

    from engine.recipe.recipe import Recipe
    from gui.app import App

    app = App(QApplication([]), library)
    start = TimedStart(app, Recipe(epochs=1000))  # alive while the window is open
    app.show()
    app.application.exec()
    app.close()
    del start


if __name__ == "__main__":
    run(sys.argv[1])
