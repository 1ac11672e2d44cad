"""An installed Tiller adds the module ``tiller`` and the folder ``tiller_app``, and hides no module of the user."""

from __future__ import annotations

import ast
import json
import os
import shutil
import struct
import subprocess
import sys
import venv
import zipfile
from pathlib import Path
from typing import Any, NamedTuple

import pytest

ROOT = Path(__file__).parents[1]
CLIENT = ROOT / "engine" / "remote" / "client"
RECIPE = {
    "data": {"name": "digits"},
    "model": {"name": "small_cnn"},
    "optimizer": {"name": "SGD", "lr": 0.01},
    "schedule": {"name": "Constant"},
    "epochs": 1,
    "device": "cpu",
}
TRY_TO_IMPORT = """
import importlib
import sys

for name in sys.argv[1:]:
    try:
        module = importlib.import_module(name)
    except ImportError:
        print(name, "not found")
    else:
        print(name, module.__file__)
"""
SECONDS = 100


def run(*command: str | Path, folder: Path, path: Path | None = None) -> str:
    """The standard output of ``command``, run in ``folder`` with ``path`` as PYTHONPATH."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    if path is not None:
        environment["PYTHONPATH"] = str(path)
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=SECONDS)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def files_below(folder: Path) -> set[str]:
    """The files below ``folder``, as relative paths, without compiled ones."""
    found = {path.relative_to(folder) for path in folder.rglob("*") if path.is_file()}
    return {path.as_posix() for path in found if "__pycache__" not in path.parts}


def build(kind: str, folder: Path) -> Path:
    """Build the target ``kind`` with hatchling; returns the file."""
    run(sys.executable, "-m", "hatchling", "build", "-t", kind, "-d", folder, folder=ROOT)
    (built,) = folder.iterdir()
    return built


def unpack(wheel: Path, folder: Path) -> set[str]:
    """Unpack ``wheel``; returns the names that it adds to site-packages, without its metadata."""
    zipfile.ZipFile(wheel).extractall(folder)
    return {path.name for path in folder.iterdir() if path.suffix != ".dist-info"}


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the contents of the wheel, like site-packages."""
    folder = tmp_path_factory.mktemp("site")
    assert unpack(build("wheel", tmp_path_factory.mktemp("wheel")), folder) == {"tiller.py", "tiller_app"}
    return folder


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    """A folder of the user, with modules that have the names of Tiller's."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    for name in ("main", "engine", "gui"):
        (folder / f"{name}.py").write_text("raise SystemExit('not of Tiller')\n", encoding="utf-8")
    (folder / "recipe.json").write_text(json.dumps(RECIPE), encoding="utf-8")
    return folder


def test_wheel_has_the_whole_program(unpacked: Path) -> None:
    app = unpacked / "tiller_app"
    assert {path.name for path in app.iterdir()} == {"main.py", "engine", "gui", "resources"}
    for name in ("engine", "gui", "resources"):
        left_out = ("remote/client/", "screenshots/")
        wanted = {file for file in files_below(ROOT / name) if not file.startswith(left_out)}
        assert files_below(app / name) == wanted
    assert (unpacked / "tiller.py").read_bytes() == (CLIENT / "tiller.py").read_bytes()


def test_editable_install_adds_one_folder_to_the_path(tmp_path: Path) -> None:
    added = unpack(build("wheel:editable", tmp_path / "wheel"), tmp_path / "site")
    assert added == {"_tiller.pth"}
    assert (tmp_path / "site" / "_tiller.pth").read_text(encoding="utf-8").splitlines() == [str(CLIENT)]
    assert files_below(CLIENT) == {"tiller.py"}


@pytest.mark.parametrize("kind", ["wheel", "checkout"])
def test_command_runs_in_a_folder_with_modules_of_the_same_names(kind: str, unpacked: Path, elsewhere: Path) -> None:
    path = CLIENT if kind == "checkout" else unpacked
    as_module = run(sys.executable, "-m", "tiller", "--version", folder=elsewhere, path=path)
    assert as_module == run(sys.executable, "main.py", "--version", folder=ROOT)


def test_import_does_not_change_the_path(tmp_path: Path) -> None:
    code = "import sys; before = [*sys.path]; import tiller; print(sys.path == before, 'torch' in sys.modules)"
    assert run(sys.executable, "-c", code, folder=tmp_path, path=CLIENT).split() == ["True", "False"]


def test_client_module_imports_only_the_standard_library_and_torch() -> None:
    nodes = list(ast.walk(ast.parse((CLIENT / "tiller.py").read_text(encoding="utf-8"))))
    names = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    names |= {str(node.module) for node in nodes if isinstance(node, ast.ImportFrom)}
    assert {name.partition(".")[0] for name in names} - sys.stdlib_module_names <= {"torch", "main"}


class Environment(NamedTuple):
    """A virtual environment with Tiller in it."""

    python: Path
    site: Path
    added: set[str]  # to site-packages
    tiller: Path


def install(folder: Path, *what: str | Path) -> Environment:
    """Install ``what`` into a new virtual environment, which finds other packages where this process does."""
    context = venv.EnvBuilder().ensure_directories(folder)
    venv.create(folder)
    python = Path(context.env_exe)
    code = "import sysconfig; print(sysconfig.get_path('purelib'))"
    site = Path(run(python, "-c", code, folder=folder).strip())
    others = [entry for entry in sys.path if Path(entry).name in {"site-packages", "dist-packages"}]
    (site / "others.pth").write_text("\n".join(others), encoding="utf-8")
    before = set(site.iterdir())
    options = ("--no-deps", "--no-index", "--no-build-isolation", "--ignore-installed")
    run(sys.executable, "-m", "pip", "--python", python, "install", *options, *what, folder=folder)
    added = {path.name for path in set(site.iterdir()) - before if path.suffix != ".dist-info"}
    tiller = shutil.which("tiller", path=context.bin_path)
    assert tiller is not None
    return Environment(python, site, added - {"__pycache__"}, Path(tiller))


def write_fashion_mnist(root: Path) -> None:
    """Write 64 images per part as the files of Fashion-MNIST."""
    raw = root / "FashionMNIST" / "raw"
    raw.mkdir(parents=True)
    for part in ("train", "t10k"):
        images = struct.pack(">4I", 0x803, 64, 28, 28) + bytes(i * i % 251 for i in range(64 * 28 * 28))
        (raw / f"{part}-images-idx3-ubyte").write_bytes(images)
        labels = struct.pack(">2I", 0x801, 64) + bytes(i % 10 for i in range(64))
        (raw / f"{part}-labels-idx1-ubyte").write_bytes(labels)


def end_of(lines: str) -> dict[str, Any]:
    """The end event of a run's output."""
    end: dict[str, Any] = json.loads(lines.splitlines()[-1])
    assert (end["event"], end["reason"]) == ("end", "finished")
    return end


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("kind", ["wheel", "editable"])
def test_installation_adds_two_names_and_trains(kind: str, tmp_path: Path, elsewhere: Path) -> None:
    if kind == "wheel":
        environment = install(tmp_path / "venv", build("sdist", tmp_path / "sdist"))  # pip builds a wheel of it
        assert environment.added == {"tiller.py", "tiller_app"}
        module = environment.site / "tiller.py"
    else:
        environment = install(tmp_path / "venv", "--editable", ROOT)
        assert environment.added == {"_tiller.pth"}
        module = CLIENT / "tiller.py"

    names = ("tiller", "main", "engine", "gui", "resources")
    found = run(environment.python, "-c", TRY_TO_IMPORT, *names, folder=tmp_path).splitlines()
    assert found == [f"tiller {module}", *(f"{name} not found" for name in names[1:])]

    assert run(environment.tiller, "--version", folder=elsewhere).startswith("Tiller ")
    installed = run(environment.tiller, "train", "recipe.json", folder=elsewhere)
    checkout = run(sys.executable, ROOT / "main.py", "train", "recipe.json", folder=elsewhere)
    assert end_of(installed)["weights_sha256"] == end_of(checkout)["weights_sha256"]

    write_fashion_mnist(tmp_path / "data")
    recipe = {**RECIPE, "data": {"name": "fashion_mnist", "root": str(tmp_path / "data"), "batch_size": 16}}
    (elsewhere / "recipe.json").write_text(json.dumps(recipe), encoding="utf-8")
    # Images that do not fit in memory are read by spawned processes, which import the engine themselves.
    end_of(run(environment.tiller, "train", "recipe.json", "--data-share", "1e-9", folder=elsewhere))
