"""The import contracts of pyproject.toml, and no import cycles."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from importlib.util import resolve_name
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

LINT = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True))"


def run(code: str, folder: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Run ``code`` in a fresh interpreter that finds Tiller in ``folder`` before any installed copy."""
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    return subprocess.run(
        [sys.executable, "-c", code], cwd=folder, env=environment, capture_output=True, text=True, timeout=60
    )


def test_contracts_are_kept() -> None:
    done = run(LINT)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("module", "statement"),
    [
        ("engine/training/step.py", "from gui.core import translation"),
        ("engine/training/loop.py", "from PySide6 import QtCore"),
        ("engine/recipe/recipe.py", "def late():\n    import torch"),
        ("engine/lr/control.py", "from engine.training import run_state"),
        ("engine/messages/events.py", "from engine.library import library"),
        ("gui/core/current_run.py", "from torch import nn"),
        ("gui/core/current_run.py", "from engine.lr.control import LRControl"),
        ("gui/widgets/state_chip.py", "import pyqtgraph"),
        ("gui/widgets/state_chip.py", "from gui.run_bar import controller"),
        ("gui/learning_rate/panel.py", "from gui.schedule import panel"),
    ],
)
def test_contracts_find_a_forbidden_import(tmp_path: Path, module: str, statement: str) -> None:
    for package in ("engine", "gui"):
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    with (tmp_path / module).open("a", encoding="utf-8") as file:
        file.write(f"\n{statement}\n")
    done = run(LINT, tmp_path)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "BROKEN" in done.stdout


def test_contracts_find_a_package_without_a_layer(tmp_path: Path) -> None:
    for package in ("engine", "gui"):
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    (tmp_path / "engine" / "attic").mkdir()
    (tmp_path / "engine" / "attic" / "__init__.py").write_text("", encoding="utf-8")
    done = run(LINT, tmp_path)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "attic" in done.stdout


@pytest.mark.parametrize(
    "module", ["main", "engine.recipe.recipe", "engine.cli.subcommands", "engine.training.queries", "gui.app"]
)
def test_modules_needed_before_training_import_no_torch(module: str) -> None:
    done = run(f"import sys, {module}; print(*({{'torch', 'torchvision'}} & set(sys.modules)))")
    assert (done.returncode, done.stdout.strip()) == (0, ""), done.stdout + done.stderr


@pytest.mark.parametrize(
    "module", ["main", "engine.cli.subcommands", "engine.training.trainer", "engine.diagnostics.doctor"]
)
def test_modules_that_train_without_a_window_import_no_qt(module: str) -> None:
    done = run(f"import sys, {module}; print(*({{'PySide6', 'pyqtgraph', 'gui'}} & set(sys.modules)))")
    assert (done.returncode, done.stdout.strip()) == (0, ""), done.stdout + done.stderr


def imported(module: str, code: str, modules: Mapping[str, bool]) -> set[str]:
    """The names in ``modules`` (name: whether it is a package) that ``code``, the source of ``module``, imports.

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


def import_cycles(root: Path) -> list[list[str]]:
    """The import cycles of engine and gui in ``root``, each sorted; TYPE_CHECKING and late imports count."""
    files = [path for package in ("engine", "gui") for path in (root / package).rglob("*.py")]
    found = {path: ".".join(path.relative_to(root).with_suffix("").parts) for path in files}
    names = {path: name.removesuffix(".__init__") for path, name in found.items()}
    packages = {name: path.name == "__init__.py" for path, name in names.items()}
    imports = {name: imported(name, path.read_text(encoding="utf-8"), packages) for path, name in names.items()}
    reached: dict[str, set[str]] = {name: set() for name in imports}  # the modules that each imports, directly or not
    for name, seen in reached.items():
        ahead = {name}
        while ahead:
            ahead = set().union(*(imports[module] for module in ahead)) - seen
            seen |= ahead
    cycles = {tuple(sorted(m for m in reached[n] if n in reached[m])) for n in reached if n in reached[n]}
    return sorted(list(cycle) for cycle in cycles)


def test_no_import_cycles() -> None:
    assert import_cycles(ROOT) == []


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("import gui.b", "from gui import a"),
        ("from gui.b import f", "from typing import TYPE_CHECKING\n\nif TYPE_CHECKING:\n    from gui.a import g"),
        ("from gui import b", "def f():\n    from gui import c"),
        ("from . import b", "from .a import g"),
    ],
)
def test_import_cycle_is_found(tmp_path: Path, first: str, second: str) -> None:
    code = {"a": first, "b": second, "c": "import gui.a" if "import c" in second else "", "d": "from gui import a, b"}
    (tmp_path / "gui").mkdir()
    for name, text in {"__init__": "", **code}.items():
        (tmp_path / "gui" / f"{name}.py").write_text(text, encoding="utf-8")
    cycle = ["gui.a", "gui.b", "gui.c"] if code["c"] else ["gui.a", "gui.b"]
    assert import_cycles(tmp_path) == [cycle]
    (tmp_path / "gui" / "b.py").write_text("", encoding="utf-8")
    assert import_cycles(tmp_path) == []
