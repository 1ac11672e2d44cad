"""From the command to the visible window, in fresh processes."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_PROBE = """
import sys, time
import main
main.prepare()
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication
from engine.recipe import Recipe
from gui.app import App
application = QApplication([])
app = App(application, sys.argv[1])
app.window.first_painted.connect(lambda: print("painted", time.time(), flush=True))
app.reception.left.connect(application.exit)

def ready():
    print("ready", time.time(), flush=True)
    app.reception.set_up(Recipe(epochs=1000))
    app.reception.start()

def happened(event):
    if event.event == "steps" and app.runs.active and not trained:
        trained.append(True)
        print("trained", time.time(), flush=True)
        app.reception.leave(ask=False)

trained = []
app.chores.torch_loaded.connect(ready)
app.runs.happened.connect(happened)
app.show()
application.exec()
app.close()
"""


def command_to_window() -> Iterator[dict[str, Any]]:
    """Seconds from the command to the first painting, and to PyTorch being there."""
    told: dict[str, list[float]] = {"painted": [], "ready": [], "trained": []}
    for _ in range(3):
        with tempfile.TemporaryDirectory() as folder:
            began = time.time()
            done = subprocess.run(
                [sys.executable, "-c", _PROBE, folder],
                capture_output=True,
                text=True,
                check=True,
                cwd=Path(__file__).parents[2],
            )
        for line in done.stdout.splitlines():
            what, when = line.split()
            told[what].append(float(when) - began)
    yield {"what": "command to visible window (goal: 1.0)", "value": statistics.median(told["painted"]), "unit": "s"}
    yield {"what": "command to ready to train", "value": statistics.median(told["ready"]), "unit": "s"}
    yield {"what": "command to first batch trained (goal: 6)", "value": statistics.median(told["trained"]), "unit": "s"}
    yield {"what": "of it, importing the window (goal: 1.0)", "value": _importing("gui.app"), "unit": "s"}


def _importing(module: str) -> float:
    """Seconds that Python says importing ``module`` takes, with all that it brings."""
    command = [sys.executable, "-X", "importtime", "-c", f"import {module}"]
    said = subprocess.run(command, capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2]).stderr
    return max(int(line.split("|")[1]) for line in said.splitlines() if line.endswith(f" {module}")) / 1e6
