"""The rooms and the arrows between them, as pyproject.toml's contracts and CONTRIBUTING.md have them."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from importlib.util import resolve_name
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MOST_LINES = 330
LINT = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True))"


def run(code: str, folder: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Run ``code`` in a fresh interpreter that finds Tiller in ``folder`` before any installed copy."""
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    return subprocess.run(
        [sys.executable, "-c", code], cwd=folder, env=environment, capture_output=True, text=True, timeout=60
    )


def sources() -> list[Path]:
    return [ROOT / "main.py", *sorted(ROOT.glob("engine/**/*.py")), *sorted(ROOT.glob("gui/**/*.py"))]


def contracts() -> list[dict[str, object]]:
    found: list[dict[str, object]] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"][
        "importlinter"
    ]["contracts"]
    return found


def test_every_contract_is_kept() -> None:
    done = run(LINT)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("module", "breach"),
    [
        ("engine/step.py", "from gui import words"),
        ("engine/loop.py", "from PySide6 import QtCore"),
        ("engine/recipe.py", "def late():\n    import torch"),
        ("engine/rate.py", "from engine import run_state"),
        ("gui/runs.py", "from torch import nn"),
        ("gui/runs.py", "from engine.trainer import Trainer"),
        ("gui/panels/chip.py", "import pyqtgraph"),
        ("gui/panels/chip.py", "from gui import session"),
    ],
)
def test_a_breach_is_found(tmp_path: Path, module: str, breach: str) -> None:
    for room in ("engine", "gui"):
        shutil.copytree(ROOT / room, tmp_path / room, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    with (tmp_path / module).open("a", encoding="utf-8") as file:
        file.write(f"\n{breach}\n")
    done = run(LINT, tmp_path)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "BROKEN" in done.stdout


@pytest.mark.parametrize("room", ["engine", "gui"])
def test_every_module_has_its_floor(room: str) -> None:
    floors = [c for c in contracts() if c["type"] == "layers" and str(c["layers"]).startswith(f"['{room}.")]
    assert len(floors) == 1
    placed = {name for floor in floors[0]["layers"] for name in re.findall(r"[\w.]+", floor)}  # type: ignore[attr-defined]
    packaged = [p for p in sources() if (p.parent / "__init__.py").is_file()]
    modules = {".".join(p.relative_to(ROOT).with_suffix("").parts) for p in packaged}
    wanted = {m for m in modules if m.startswith(f"{room}.") and not m.endswith("__init__")}
    assert {m for m in wanted if m not in placed and m.rpartition(".")[0] not in placed} == set()


@pytest.mark.parametrize("module", ["main", "engine.recipe", "engine.cli", "engine.questions", "gui.app"])
def test_importing_what_comes_before_training_brings_no_torch(module: str) -> None:
    done = run(f"import sys, {module}; print(*({{'torch', 'torchvision'}} & set(sys.modules)))")
    assert (done.returncode, done.stdout.strip()) == (0, ""), done.stdout + done.stderr


@pytest.mark.parametrize("module", ["main", "engine.cli", "engine.trainer", "engine.doctor"])
def test_what_trains_without_a_window_brings_no_qt(module: str) -> None:
    done = run(f"import sys, {module}; print(*({{'PySide6', 'pyqtgraph', 'gui'}} & set(sys.modules)))")
    assert (done.returncode, done.stdout.strip()) == (0, ""), done.stdout + done.stderr


def imported(module: str, code: str, modules: Mapping[str, bool]) -> set[str]:
    """Which of ``modules`` (name: whether it is a package) ``module`` imports with ``code``, wherever in it.

    ``from package import name`` is an import of the module ``package.name`` where there is one.
    """
    package = module if modules[module] else module.rpartition(".")[0]
    names: set[str] = set()
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = resolve_name("." * node.level + (node.module or ""), package)
            names |= {f"{base}.{a.name}" if f"{base}.{a.name}" in modules else base for a in node.names}
    return {name for name in names if name in modules and name != module}


def circles(root: Path) -> list[list[str]]:
    """The import circles of engine and gui in ``root``, each sorted; TYPE_CHECKING and late imports count."""
    files = [path for room in ("engine", "gui") for path in (root / room).rglob("*.py")]
    found = {path: ".".join(path.relative_to(root).with_suffix("").parts) for path in files}
    names = {path: name.removesuffix(".__init__") for path, name in found.items()}
    packages = {name: path.name == "__init__.py" for path, name in names.items()}
    imports = {name: imported(name, path.read_text(encoding="utf-8"), packages) for path, name in names.items()}
    reached: dict[str, set[str]] = {name: set() for name in imports}  # what importing a module leads to
    for name, seen in reached.items():
        ahead = {name}
        while ahead:
            ahead = set().union(*(imports[module] for module in ahead)) - seen
            seen |= ahead
    rings = {tuple(sorted(m for m in reached[n] if n in reached[m])) for n in reached if n in reached[n]}
    return sorted(list(ring) for ring in rings)


def test_no_modules_import_each_other_in_a_circle() -> None:
    assert circles(ROOT) == []


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("import gui.b", "from gui import a"),
        ("from gui.b import f", "from typing import TYPE_CHECKING\n\nif TYPE_CHECKING:\n    from gui.a import g"),
        ("from gui import b", "def f():\n    from gui import c"),
        ("from . import b", "from .a import g"),
    ],
)
def test_a_circle_is_found(tmp_path: Path, first: str, second: str) -> None:
    code = {"a": first, "b": second, "c": "import gui.a" if "import c" in second else "", "d": "from gui import a, b"}
    (tmp_path / "gui").mkdir()
    for name, text in {"__init__": "", **code}.items():
        (tmp_path / "gui" / f"{name}.py").write_text(text, encoding="utf-8")
    ring = ["gui.a", "gui.b", "gui.c"] if code["c"] else ["gui.a", "gui.b"]
    assert circles(tmp_path) == [ring]
    (tmp_path / "gui" / "b.py").write_text("", encoding="utf-8")
    assert circles(tmp_path) == []


def test_no_file_is_two_ideas_long() -> None:
    lengths = {str(p.relative_to(ROOT)): len(p.read_text(encoding="utf-8").splitlines()) for p in sources()}
    assert {name: n for name, n in lengths.items() if n > MOST_LINES} == {}
