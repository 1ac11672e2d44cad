"""The README's pictures: the real window before the start and in mid-training, light and dark.

``python -m resources.screenshots.make [FOLDER]`` compares and draws schedules, trains digits for about half a minute,
halves the LR and changes the schedule meanwhile with the window's own widgets, stages changes, runs an LR range test,
and writes a picture of each. Needs no display; ``QT_QPA_PLATFORM=xcb`` uses one.
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

from engine.messages.events import EndEvent, EpochEvent, Event, RangeTestEvent, StateEvent
from engine.recipe.recipe import DataSpec, Recipe
from engine.schedules import CosineAnnealingLR, CosineAnnealingWarmRestarts, Drawn, ExponentialLR, OneCycleLR, StepLR
from gui.app import App
from gui.core.settings import Settings
from gui.theme.theme import ThemeMode

RECIPE: Final = Recipe(
    data=DataSpec(name="digits", batch_size=16, augment=True),
    schedule=StepLR(step_size=15, gamma=0.5),
    epochs=60,
    device="cpu",
)
DRAWN: Final = Drawn(points=((0, 0.001), (5, 0.02), (20, 0.012), (42, 0.0015), (60, 0.0002)), smooth=True)
MODES: Final[dict[str, ThemeMode]] = {"": "light", "-dark": "dark"}
SIZE: Final = (1280, 800)
SETTLE_MS: Final = 1500  # by then the curves are drawn


class Photographer(QObject):
    """Steers a run of ``app``, writes the pictures into ``folder``, and closes the window."""

    def __init__(self, app: App, folder: Path) -> None:
        super().__init__()
        self._app, self._folder, self._window = app, folder, app.window
        self._steps: dict[int, Callable[[], None]] = {
            10: lambda: press(app.window.lr_panel, "÷2"),
            22: self._change_schedule,
            34: self._stage,
        }
        self._searched = False
        app.current_run.happened.connect(self._on_event)
        app.lookups.torch_loaded.connect(lambda: _soon(self._compare))

    def _on_event(self, event: Event) -> None:
        if isinstance(event, EpochEvent) and event.epoch in self._steps:
            self._steps[event.epoch]()
        elif isinstance(event, StateEvent) and event.state == "training" and not self._searched:
            self._searched = True
            QTimer.singleShot(0, self._find)
        elif isinstance(event, RangeTestEvent):
            _soon(self._find_done)
        elif isinstance(event, EndEvent) and event.reason != "stopped":
            self._app.application.exit(1)

    # -- before the start

    def _compare(self) -> None:
        panel = self._window.schedule
        for kind in (ExponentialLR, CosineAnnealingLR, OneCycleLR):
            panel.editor.picker.chosen.emit(kind)
            press(panel.candidates, "Compare")
        panel.editor.picker.chosen.emit(StepLR)
        _soon(self._draw, self._take("candidates"))

    def _draw(self) -> None:
        for row in self._window.schedule.candidates.findChildren(QAbstractButton):
            if row.text() == "×":
                row.click()
        self._window.schedule.stage(DRAWN)
        _soon(self._start, self._take("drawn"))

    def _start(self) -> None:
        self._window.schedule.stage(RECIPE.schedule)
        self._app.setup_controller.start()

    # -- in mid-run

    def _change_schedule(self) -> None:
        panel = self._window.schedule
        panel.editor.picker.chosen.emit(CosineAnnealingLR)
        press(panel, "Apply")

    def _stage(self) -> None:
        self._window.show_side(self._window.lr_panel)
        self._window.lr_panel.stage_lr(0.001)
        _soon(self._swap, self._take("training"))

    def _swap(self) -> None:
        press(self._window.lr_panel, "Discard")
        self._window.show_side(self._window.schedule)
        self._window.schedule.editor.picker.chosen.emit(CosineAnnealingWarmRestarts)
        _soon(lambda: self._app.setup_controller.leave(ask=False), self._take("pending"))

    def _find(self) -> None:
        self._app.range_test.open()
        press(self._app.range_test.panel, "Find")

    def _find_done(self) -> None:
        self._take("finder", self._app.range_test.panel)()
        self._app.range_test.panel.close()

    def _take(self, name: str, what: QWidget | None = None) -> Callable[[], None]:
        def take() -> None:
            app, window = self._app, self._window
            for suffix, mode in MODES.items():
                app.theme.set_mode(mode)
                app.application.processEvents()
                window.plots.refresh()
                app.clock.hurry()
                file = self._folder / f"{name}{suffix}.png"
                (what or window).grab().save(str(file), "PNG", 0)  # as small as can be without loss
            app.theme.set_mode("light")

        return take


def _soon(*steps: Callable[[], None]) -> None:
    """Do ``steps``, the last one first, when the curves are drawn."""
    QTimer.singleShot(SETTLE_MS, lambda: [step() for step in reversed(steps)])


def press(panel: QWidget, text: str) -> None:
    """Click the button of ``panel`` that begins with ``text``."""
    next(b for b in panel.findChildren(QAbstractButton) if b.text().startswith(text) and b.isEnabled()).click()


def make(folder: Path) -> int:
    """Write the pictures into ``folder``; returns 0, or 1 where the run ended before they could be taken."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    application = QApplication([])
    with tempfile.TemporaryDirectory() as scratch:
        app = App(application, str(Path(scratch) / "library"), Settings(Path(scratch)))
        app.setup_controller.left.connect(application.exit)  # quit would ask the window again
        photographer = Photographer(app, folder)
        app.window.resize(*SIZE)
        app.show()
        recipe = Path(scratch) / "recipe.json"
        recipe.write_text(RECIPE.to_json(), encoding="utf-8")
        app.files.open_path(str(recipe), begin=False)
        status = application.exec()
        app.close()
        del photographer
    return status


if __name__ == "__main__":
    sys.exit(make(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent))
