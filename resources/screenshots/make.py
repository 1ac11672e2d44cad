"""The README's pictures: the real window in mid-training, light and dark.

``python -m resources.screenshots.make [FOLDER]`` trains digits for about half a minute, halves the rate and changes the
schedule on the way with the window's own widgets, prepares one more change, and writes ``training.png`` and
``training-dark.png``. Needs no screen; ``QT_QPA_PLATFORM=xcb`` takes the pictures on one.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

from PySide6.QtCore import QObject, QTimer
from PySide6.QtWidgets import QAbstractButton, QApplication, QWidget

from engine.events import EndEvent, EpochEvent, Event
from engine.recipe import DataSpec, Recipe
from engine.schedules import CosineAnnealingLR, StepLR
from gui.app import App
from gui.settings import Settings
from gui.theme import Mode

RECIPE: Final = Recipe(
    data=DataSpec(name="digits", batch_size=16, augment=True),
    schedule=StepLR(step_size=15, gamma=0.5),
    epochs=60,
    device="cpu",
)
PICTURES: Final[dict[str, Mode]] = {"training.png": "light", "training-dark.png": "dark"}
SIZE: Final = (1280, 800)
SETTLE_MS: Final = 1000  # the planned curves are answered by then


class Photographer(QObject):
    """Acts on a run of ``app`` as its epochs end, takes the pictures into ``folder``, and ends the program."""

    def __init__(self, app: App, folder: Path) -> None:
        super().__init__()
        self._app, self._folder = app, folder
        self._acts: dict[int, Callable[[], None]] = {
            10: lambda: press(app.window.hand, "÷2"),
            22: self._change_schedule,
            34: self._stage,
        }
        press(app.window.plots.loss, "Log")
        app.runs.happened.connect(self._on_event)

    def _on_event(self, event: Event) -> None:
        if isinstance(event, EpochEvent) and event.epoch in self._acts:
            self._acts[event.epoch]()
        elif isinstance(event, EndEvent) and event.reason != "stopped":
            self._app.application.exit(1)

    def _change_schedule(self) -> None:
        panel = self._app.window.schedule
        panel.editor.picker.chosen.emit(CosineAnnealingLR)
        press(panel, "Apply")

    def _stage(self) -> None:
        self._app.window.show_side(self._app.window.hand)
        self._app.window.hand.stage_lr(0.001)
        QTimer.singleShot(SETTLE_MS, self._take)

    def _take(self) -> None:
        app, window = self._app, self._app.window
        for name, mode in PICTURES.items():
            app.theme.set_mode(mode)
            app.application.processEvents()
            window.plots.refresh()
            app.session.progress.paint()
            window.grab().save(str(self._folder / name))
        app.reception.leave(ask=False)


def press(panel: QWidget, text: str) -> None:
    """Click the button of ``panel`` that begins with ``text``."""
    next(b for b in panel.findChildren(QAbstractButton) if b.text().startswith(text) and b.isEnabled()).click()


def make(folder: Path) -> int:
    """Write the pictures into ``folder``; returns 0, or 1 where the run ended before they could be taken."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    application = QApplication([])
    with tempfile.TemporaryDirectory() as scratch:
        app = App(application, str(Path(scratch) / "library"), Settings(Path(scratch)))
        photographer = Photographer(app, folder)
        app.window.resize(*SIZE)
        app.show()
        recipe = Path(scratch) / "recipe.json"
        recipe.write_text(RECIPE.to_json(), encoding="utf-8")
        app.files.open_path(str(recipe), begin=True)
        status = application.exec()
        app.close()
        del photographer
    return status


if __name__ == "__main__":
    sys.exit(make(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent))
