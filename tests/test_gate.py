"""The Python code that the gate, ``.ci/run``, embeds runs with the engine as it is."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from engine.diagnostics.display import LIBRARIES

ROOT = Path(__file__).parents[1]
# As bash reads it: from the line after <<'EOF' to the line EOF.
EMBEDDED = re.compile(r"<<'EOF'\n(.*?)^EOF$", re.DOTALL | re.MULTILINE)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the gate looks for libraries on Linux only")
def test_code_embedded_in_the_gate_runs_and_names_packages_only() -> None:
    (code,) = EMBEDDED.findall((ROOT / ".ci" / "run").read_text(encoding="utf-8"))
    done = subprocess.run([sys.executable, "-"], input=code, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert set(done.stdout.split()) <= set(LIBRARIES.values())
