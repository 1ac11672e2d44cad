"""``python -m tests.soak [--steps 200000]``: what grows in a long run with the window open.

A tiny network trains in the real window, with an intervention every few seconds, each kind in turn. A line of JSON is
printed each minute; the last one has what grew after the warm-up (the first tenth of the steps). The exit status is 1
where the memory grew by more than 50 MB, or a thread, a timer, an open file or an object of ours was left behind.
"""

from __future__ import annotations

import argparse
import gc
import itertools
import json
import os
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QObject, QTimer
from PySide6.QtWidgets import QApplication

import main as program
from engine.messages.commands import Freeze, ReleaseLR, Rewind, ScaleLR, SetLR, SetOptimizer, SetSchedule, Unfreeze
from engine.messages.events import BranchEvent, CommandEvent, EndEvent, Event, StepsEvent
from engine.recipe.recipe import recipe_from_json
from engine.schedules import CosineAnnealingLR, ReduceLROnPlateau, StepLR
from gui.app import App
from gui.core.settings import Settings

MEGABYTE: Final = 2**20
NETWORK: Final = Path(__file__).parents[1] / "engine" / "tiny_networks.py"
BATCH: Final = 2  # images: 719 steps an epoch of the digits
OURS: Final = ("engine.", "gui.")
MAY_GROW: Final = {  # the run's own record: a line, a marker and an answer per intervention, an event per epoch
    "CommandEvent",
    "EpochEvent",
    "ScheduleEvent",
    "LogEntry",
    "Marker",
    "Position",
    "CommandAt",
    "AbandonedBranch",
    "SavedEvent",
    "BranchEvent",
    "LREvent",
    "Text",
}


def recipe_text(epochs: int) -> str:
    """The tiny network in two groups, for as long as it takes."""
    return json.dumps(
        {
            "data": {"name": "digits", "batch_size": BATCH},
            "model": {"name": f"{NETWORK}:tiny"},
            "optimizer": {"name": "SGD", "lr": 0.001, "momentum": 0.5},
            "schedule": {"name": "StepLR", "step_size": 50, "gamma": 0.9},
            "groups": [{"name": "head", "modules": ["head"], "lr": 0.002}],
            "epochs": epochs,
            "device": "cpu",
        }
    )


def interventions() -> list[Callable[[int], Any]]:
    """One intervention of each kind, as a function of the epoch; each undoes the one before."""
    return [
        lambda _: ScaleLR(factor=0.5),
        lambda _: ScaleLR(factor=2.0),
        lambda _: SetLR(lr=0.001, then="hold", group="rest"),
        lambda _: ReleaseLR(group="rest"),
        lambda _: SetSchedule(schedule=CosineAnnealingLR(T_max=100, eta_min=5e-4), lr=0.001),
        lambda _: SetOptimizer(weight_decay=1e-4),
        lambda _: Freeze(group="rest"),
        lambda _: Unfreeze(group="rest"),
        lambda _: SetSchedule(schedule=ReduceLROnPlateau(patience=500), lr=0.001),
        lambda epoch: Rewind(epoch=max(0, epoch - 2)),
        lambda _: SetSchedule(schedule=StepLR(step_size=50, gamma=0.9), lr=0.001),
    ]


def resident() -> float:
    """Memory of this process, in megabytes."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / MEGABYTE


def resources(application: QApplication, app: App) -> dict[str, int]:
    """What could be left behind: threads, open files, timers and widgets."""
    return {
        "threads": threading.active_count(),
        "files": len(list(Path("/proc/self/fd").iterdir())),
        "timers": len(app.window.findChildren(QTimer)),
        "objects of Qt": len(app.window.findChildren(QObject)) + len(application.topLevelWidgets()),
    }


def objects() -> Counter[str]:
    """How many objects of our own classes there are, by class."""
    gc.collect()
    gc.unfreeze()  # what was there when PyTorch came counts too
    return Counter(type(o).__qualname__ for o in gc.get_objects() if str(type(o).__module__).startswith(OURS))


class Soak(QObject):
    """Counts steps, intervenes every few seconds, and measures the process."""

    def __init__(self, application: QApplication, app: App, steps: int, every: float) -> None:
        super().__init__()
        self._application, self._app, self._wanted, self._every = application, app, steps, every
        self._interventions = itertools.cycle(interventions())
        self.steps = self.answered = self.rejected = self.rewinds = 0
        self.began = time.monotonic()
        self.warm: dict[str, Any] | None = None
        self.ended = False
        self._printed = 0.0
        app.current_run.happened.connect(self._receive)
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._intervention)
        self._timer.start(round(1000 * every))

    def measure(self) -> dict[str, Any]:
        """Now."""
        return {"memory": resident(), **resources(self._application, self._app), "classes": objects()}

    def _intervention(self) -> None:
        self._app.current_run.post(next(self._interventions)(self._app.current_run.model.position.epoch))

    def _receive(self, event: Event) -> None:
        match event:
            case StepsEvent():
                self.steps += len(event.loss)
                self._check()
            case CommandEvent(status="applied") if event.name != "stop":
                self.answered += 1
            case CommandEvent(status="rejected"):
                self.rejected += 1
            case BranchEvent():
                self.rewinds += 1
            case EndEvent():
                self.ended = True

    def _check(self) -> None:
        if self.warm is None and self.steps >= self._wanted / 10:
            self.warm = self.measure()
        if time.monotonic() - self._printed >= 60:
            self._printed = time.monotonic()
            self.print_progress()
        if self.steps >= self._wanted:
            self._timer.stop()
            self._app.current_run.happened.disconnect(self._receive)
            self._application.exit()

    def print_progress(self) -> None:
        """A line on standard output."""
        line = {"steps": self.steps, "seconds": round(time.monotonic() - self.began), "memory_mb": round(resident(), 1)}
        counts = {"interventions": self.answered, "rewinds": self.rewinds, "rejected": self.rejected}
        print(json.dumps({**line, **counts}), flush=True)


def main() -> int:
    """Run the soak; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--steps", type=int, default=200_000)
    parser.add_argument("--every", type=float, default=3.0, help="seconds between two interventions")
    options = parser.parse_args()
    program.prepare()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["TILLER_SETTINGS"] = str(Path(folder) / "settings")
        application = QApplication([])
        app = App(application, str(Path(folder) / "library"), Settings())
        app.show()
        soak = Soak(application, app, options.steps, options.every)
        recipe = recipe_from_json(recipe_text(options.steps // 700 * 2 + 50))
        app.setup_controller.allow(recipe)
        app.setup_controller.set_up(recipe)
        app.lookups.torch_loaded.connect(app.setup_controller.start)
        application.exec()
        last, first = soak.measure(), soak.warm
        soak.print_progress()
        app.current_run.stop()
        while app.current_run.active:
            application.processEvents()
        app.close()
    assert first is not None
    grown = {name: last[name] - first[name] for name in first if name != "classes"}
    classes = {name: count - first["classes"][name] for name, count in last["classes"].items() if name not in MAY_GROW}
    left = {name: count for name, count in classes.items() if count > 20}
    print(json.dumps({"grew_after_warm_up": {**grown, "memory": round(grown["memory"], 1)}, "left_behind": left}))
    counts = all(grown[name] <= 2 for name in ("threads", "files", "timers"))
    return 0 if grown["memory"] <= 50 and counts and not left and grown["objects of Qt"] <= 20 else 1


if __name__ == "__main__":
    sys.exit(main())
