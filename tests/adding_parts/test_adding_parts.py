"""Adding a data set, a network or an optimizer is one registry entry."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_a_part_that_is_added_by_one_entry_is_known_everywhere() -> None:
    """In a process of its own, in which the entries are there before anything reads the registries."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    command = [sys.executable, "-m", "pytest", "-q", "-n", "0", "-p", "tests.adding_parts.parts"]
    done = subprocess.run(
        [*command, "tests/adding_parts/checks.py"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert " passed" in done.stdout
