"""``main.py doctor``: check the machine and say what to do about problems. Works with packages missing."""

from __future__ import annotations

import importlib
import importlib.metadata
import json
import os
import platform
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, TextIO

from engine import __version__
from engine.diagnostics import display

# Package, lowest version, version that is too high: as in pyproject.toml.
REQUIREMENTS: Final = (
    ("torch", "2.10", None),
    ("torchvision", None, None),
    ("PySide6-Essentials", "6.8", "6.12"),
    ("pyqtgraph", "0.13.7", None),
    ("pydantic", "2.8", "3"),
    ("numpy", "1.26", None),
    ("scikit-learn", "1.4", None),
    ("scipy", "1.11", None),
    ("platformdirs", "4", None),
)
_FREE_SPACE: Final = 500 * 2**20
Finding = dict[str, Any]


def findings() -> Iterator[Finding]:
    """Run the checks; each finding has ``check`` (the subject), ``ok``, ``found`` and ``do`` (None if ok)."""
    yield _python()
    yield _finding("tiller", f"{__version__}, in {Path(__file__).parents[2]}")
    for name, least, below in REQUIREMENTS:
        yield _package(name, least, below)
    yield _processors()
    yield from _torch()
    problem = display.problem(os.environ)
    if problem is None:
        yield _finding("display", "a window can be shown")
    else:
        yield _finding("display", problem.what, f"{problem.do}. {display.without_window()}")
    yield from _folders()


def _finding(check: str, found: str, do: str | None = None) -> Finding:
    return {"check": check, "ok": do is None, "found": found, "do": do}


def _python() -> Finding:
    found = f"{platform.python_version()} ({platform.system()} {platform.machine()}), {sys.executable}"
    return _finding("python", found, None if sys.version_info >= (3, 11) else "use Python 3.11 or newer")


def _package(name: str, least: str | None, below: str | None) -> Finding:
    wanted = ",".join(filter(None, (least and f">={least}", below and f"<{below}")))
    install = f"python -m pip install '{name}{wanted}'"
    try:
        version = importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return _finding(name, "not installed", install)
    fits = (not least or _numbers(version) >= _numbers(least)) and (not below or _numbers(version) < _numbers(below))
    return _finding(name, version, None if fits else install)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version)[:3])


def _processors() -> Finding:
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return _finding("processors", f"{os.cpu_count()}, {usable} of them usable by this process")


def _torch() -> Iterator[Finding]:
    """PyTorch's threads, its GPUs or why there are none, and whether torchvision works with it."""
    try:
        torch = importlib.import_module("torch")
    except (ImportError, OSError, RuntimeError) as error:
        yield _finding("computing", f"PyTorch cannot be used: {_line(error)}", "install PyTorch again")
        return
    yield _finding("computing", f"PyTorch {torch.__version__} with {torch.get_num_threads()} threads")
    try:
        importlib.import_module("torchvision")
    except (ImportError, OSError, RuntimeError) as error:
        both = "install both in one command: python -m pip install --upgrade torch torchvision"
        yield _finding("torchvision import", f"it does not work with this PyTorch: {_line(error)}", both)
    yield from _gpus(torch)


def _gpus(torch: Any) -> Iterator[Finding]:
    if torch.version.cuda is None:
        yield _finding("CUDA", "this build of PyTorch has no CUDA; training uses the CPU")
        return
    try:
        torch.cuda.init()
        count = torch.cuda.device_count()
    except (RuntimeError, AssertionError) as error:
        yield _finding("CUDA", f"no GPU can be used ({_line(error)}); training uses the CPU")
        return
    for index in range(count):
        gpu = torch.cuda.get_device_properties(index)
        yield _finding("CUDA", f"cuda:{index} is {gpu.name}, {gpu.total_memory / 2**30:.1f} GiB")


def _folders() -> Iterator[Finding]:
    try:
        from engine.data.root import default_data_root
        from engine.library import default_library_root
    except ImportError as error:
        yield _finding("folders", f"cannot be checked: {_line(error)}", "install the missing packages above")
        return
    yield _folder("library folder", default_library_root(), "choose another with --library or TILLER_LIBRARY")
    yield _folder("data folder", default_data_root(), "choose another with the recipe's data.root or TILLER_DATA")
    settings = os.environ.get("TILLER_SETTINGS") or importlib.import_module("platformdirs").user_config_dir(
        "tiller", appauthor=False
    )
    yield _folder("settings folder", Path(settings), "choose another with TILLER_SETTINGS")


def _folder(check: str, folder: Path, other: str) -> Finding:
    """Whether files can be written to ``folder``, or to the parent in which it will be created."""
    existing = next((path for path in (folder, *folder.absolute().parents) if path.exists()), folder)
    try:
        with tempfile.NamedTemporaryFile(dir=existing):
            free = shutil.disk_usage(existing).free
    except OSError as error:
        return _finding(check, f"{folder} cannot be written: {error.strerror}", other)
    found = f"{folder}{'' if folder.exists() else ' (created when needed)'}, {free / 2**30:.1f} GiB free"
    return _finding(check, found, None if free >= _FREE_SPACE else f"free some disk space, or {other}")


def _line(error: BaseException) -> str:
    return " ".join(str(error).split(". ")[0].split()) or type(error).__name__


def show(output: TextIO | None = None) -> int:
    """Print each finding as a line of JSON to ``output``, or to standard output.

    Returns the exit status, which is always 0.
    """
    for finding in findings():
        print(json.dumps(finding), flush=True, file=output)
    return 0
