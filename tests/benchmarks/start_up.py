"""From the command to the visible window, in fresh processes."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

STARTS: Final = 3
_ROOT: Final = Path(__file__).parents[2]
_PROBE: Final = """
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
    """Seconds from the command to the first painting, to PyTorch being there, and to the first batch trained.

    The very first start, before which Python has compiled nothing, not even the libraries, is told apart from those
    after it.
    """
    with tempfile.TemporaryDirectory() as compiled:
        surroundings = _surroundings(compiled)
        first, *after = (_start(surroundings) for _ in range(1 + STARTS))
        importing = _importing("gui.app", surroundings)
    told = {what: statistics.median(start[what] for start in after) for what in first}
    yield {"what": "command to visible window (goal: 1.0)", "value": told["painted"], "unit": "s"}
    yield {"what": "command to ready to train", "value": told["ready"], "unit": "s"}
    yield {"what": "command to first batch trained (goal: 6)", "value": told["trained"], "unit": "s"}
    yield {"what": "of it, importing the window (goal: 1.0)", "value": importing, "unit": "s"}
    yield {"what": "the very first start: to visible window", "value": first["painted"], "unit": "s"}
    yield {"what": "the very first start: to first batch trained", "value": first["trained"], "unit": "s"}


def _surroundings(compiled: str) -> dict[str, str]:
    """The environment in which Python keeps what it compiles, as it does for a person, in the folder ``compiled``."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, "PYTHONPYCACHEPREFIX": compiled}


def _start(surroundings: dict[str, str]) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-c", _PROBE, folder]
        began = time.time()
        said = subprocess.run(command, capture_output=True, text=True, check=True, cwd=_ROOT, env=surroundings).stdout
    return {what: float(when) - began for what, when in map(str.split, said.splitlines())}


def _importing(module: str, surroundings: dict[str, str]) -> float:
    """Seconds that Python says importing ``module`` takes, with all that it brings."""
    command = [sys.executable, "-X", "importtime", "-c", f"import {module}"]
    said = subprocess.run(command, capture_output=True, text=True, check=True, cwd=_ROOT, env=surroundings).stderr
    return max(int(line.split("|")[1]) for line in said.splitlines() if line.endswith(f" {module}")) / 1e6
