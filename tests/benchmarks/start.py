"""The time from the command to the visible window, and to the first batch trained, in new processes."""

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


def command_to_window() -> Iterator[dict[str, Any]]:
    """Seconds from the command to the first painting, to PyTorch's import, and to the first batch trained.

    The very first start, for which Python compiles Tiller and all libraries, is reported separately.
    """
    with tempfile.TemporaryDirectory() as compiled:
        environment = _environment(compiled)
        first, *later = (_start(environment) for _ in range(1 + STARTS))
        importing = _import_seconds("gui.app", environment)
    medians = {what: statistics.median(start[what] for start in later) for what in first}
    yield {"what": "command to visible window (goal: 1.0)", "value": medians["painted"], "unit": "s"}
    yield {"what": "command to ready to train", "value": medians["ready"], "unit": "s"}
    yield {"what": "command to first batch trained (goal: 6)", "value": medians["trained"], "unit": "s"}
    yield {"what": "importing the window (goal: 1.0)", "value": importing, "unit": "s"}
    yield {"what": "very first start: command to visible window", "value": first["painted"], "unit": "s"}
    yield {"what": "very first start: command to first batch trained", "value": first["trained"], "unit": "s"}


def _environment(compiled: str) -> dict[str, str]:
    """Environment variables with which Python stores compiled modules, as it does by default, in ``compiled``."""
    variables = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**variables, "PYTHONPYCACHEPREFIX": compiled}


def _start(environment: dict[str, str]) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "tests.benchmarks.start_worker", folder]
        began = time.time()
        output = subprocess.run(command, capture_output=True, text=True, check=True, cwd=_ROOT, env=environment).stdout
    return {what: float(when) - began for what, when in map(str.split, output.splitlines())}


def _import_seconds(module: str, environment: dict[str, str]) -> float:
    """Seconds that importing ``module`` and all that it imports takes, as measured by Python."""
    command = [sys.executable, "-X", "importtime", "-c", f"import {module}"]
    output = subprocess.run(command, capture_output=True, text=True, check=True, cwd=_ROOT, env=environment).stderr
    return max(int(line.split("|")[1]) for line in output.splitlines() if line.endswith(f" {module}")) / 1e6
