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
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication
from gui.app import App
application = QApplication([])
app = App(application, sys.argv[1])
app.window.first_painted.connect(lambda: print("painted", time.time(), flush=True))
app.reception.left.connect(application.exit)
app.chores.torch_loaded.connect(lambda: (print("ready", time.time(), flush=True), app.reception.leave(ask=False)))
app.show()
application.exec()
app.close()
"""


def command_to_window() -> Iterator[dict[str, Any]]:
    """Seconds from the command to the first painting, and to PyTorch being there."""
    told: dict[str, list[float]] = {"painted": [], "ready": []}
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
    yield {"what": "command to visible window", "value": statistics.median(told["painted"]), "unit": "s"}
    yield {"what": "command to ready to train", "value": statistics.median(told["ready"]), "unit": "s"}
