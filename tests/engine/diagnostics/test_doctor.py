"""The doctor and the check of the display work with parts missing, and say what to do."""

from __future__ import annotations

import importlib.util
import json
import re
import shutil
import socket
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.diagnostics import display, doctor
from engine.diagnostics.display import LIBRARIES, problem
from tests.engine.running import MAIN

LINUX = sys.platform.startswith("linux")
on_linux = pytest.mark.skipif(not LINUX, reason="the display is checked on Linux only")

has_x = LINUX and all(display.loads(library) for library in LIBRARIES if "wayland" not in library)
on_x = pytest.mark.skipif(not has_x, reason="libraries that Qt needs for X are missing here")


def everything_loads(library: str) -> bool:
    return True


# -- the display


def test_no_display() -> None:
    found = problem({}, "linux", everything_loads)
    assert str(found) == (
        "The window cannot be shown: there is no display (neither DISPLAY nor WAYLAND_DISPLAY is set).\n"
        "Start Tiller in a graphical session, or over the network with ssh -X\n"
        "To train without a window: python main.py train RECIPE.json"
    )
    assert "DISPLAY is not set" in str(problem({"QT_QPA_PLATFORM": "xcb"}, "linux", everything_loads))
    assert "WAYLAND_DISPLAY is not set" in str(problem({"QT_QPA_PLATFORM": "wayland"}, "linux", everything_loads))


@pytest.mark.parametrize("name", ["offscreen", "minimal", "vnc:size=800x600", "eglfs", "linuxfb"])
def test_platforms_without_a_display_server(name: str) -> None:
    assert problem({"QT_QPA_PLATFORM": name}, "linux", everything_loads) is None


@pytest.mark.parametrize("platform", ["darwin", "win32"])
def test_no_check_on_other_systems(platform: str) -> None:
    assert problem({}, platform, lambda library: False) is None


def test_missing_libraries_come_with_one_command_that_installs_them() -> None:
    absent = {"libxcb-cursor.so.0", "libxcb-icccm.so.4", "libgthread-2.0.so.0", "libglib-2.0.so.0"}
    found = problem({"DISPLAY": ":0"}, "linux", lambda library: library not in absent)
    assert found is not None
    assert found.do == "On Debian and Ubuntu: sudo apt install libglib2.0-0 libxcb-cursor0 libxcb-icccm4"
    assert all(library in found.what for library in absent)
    assert "python main.py train RECIPE.json" in str(found)
    bare = problem({"QT_QPA_PLATFORM": "offscreen"}, "linux", lambda library: library != "libEGL.so.1")
    assert "libegl1" in str(bare)


@on_x
def test_display_server_that_does_not_answer(tmp_path: Path) -> None:
    found = problem({"DISPLAY": ":987"})
    assert "no X server answers at DISPLAY=:987" in str(found)
    gone = {"WAYLAND_DISPLAY": "wayland-9", "XDG_RUNTIME_DIR": str(tmp_path)}
    said = problem(gone, sys.platform, everything_loads)
    assert "no Wayland compositor answers at WAYLAND_DISPLAY=wayland-9" in str(said)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "wayland-9"))
        server.listen()
        assert problem(gone, sys.platform, everything_loads) is None
        both = {**gone, "DISPLAY": ":987"}
        assert problem(both, sys.platform, everything_loads) is None  # one of the two is enough
        assert "DISPLAY=:987" in str(problem({**both, "QT_QPA_PLATFORM": "xcb"}))


@pytest.fixture
def x_display() -> Iterator[str]:
    """The display of a real X server."""
    if shutil.which("Xvfb") is None:
        pytest.skip("no Xvfb here")
    command = ["Xvfb", "-displayfd", "1", "-nolisten", "tcp"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        assert server.stdout is not None
        yield f":{server.stdout.readline().strip()}"
        server.terminate()


@on_x
def test_display_server_that_answers(x_display: str) -> None:
    assert problem({"DISPLAY": x_display}) is None


@on_linux
def test_libraries_are_those_that_the_installed_qt_needs() -> None:
    """Except those of Qt itself and those that every Linux has."""
    found = importlib.util.find_spec("PySide6")
    assert found is not None
    qt = Path(str(found.origin)).parent / "Qt"
    names = ("libQt6Gui.so.6", "libQt6DBus.so.6", "libQt6Core.so.6", "libQt6Widgets.so.6", "libQt6XcbQpa.so.6")
    files = [qt / "plugins" / "platforms" / "libqxcb.so", *(qt / "lib" / name for name in names)]
    pattern = re.compile(rb"\0(lib[\w+-]+(?:\.\d+)?\.so\.\d+)(?=\0)")
    needed = {name.decode() for file in files for name in pattern.findall(file.read_bytes())}
    everywhere = re.compile(r"libQt6|libicu|lib(c|m|dl|rt|pthread|gcc_s|stdc\+\+)\.so")
    needed = {name for name in needed if not everywhere.match(name)}
    assert "libxcb-cursor.so.0" in needed
    assert needed <= LIBRARIES.keys()


# -- the doctor


def test_every_finding_is_one_line_with_the_same_keys() -> None:
    found = list(doctor.findings())
    assert all(list(finding) == ["check", "ok", "found", "do"] for finding in found)
    assert all(finding["ok"] == (finding["do"] is None) for finding in found)
    assert all("\n" not in json.dumps(finding) for finding in found)
    checks = [finding["check"] for finding in found]
    for check in ("python", "tiller", "torch", "processors", "computing", "CUDA", "display", "library folder"):
        assert check in checks


def test_requirements_are_those_of_pyproject() -> None:
    project = tomllib.loads((MAIN.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = {
        re.sub(r"[,<>=].*", "", entry): set(re.findall(r"[<>]=?[\d.]+", entry)) for entry in project["dependencies"]
    }
    known = {
        name: {*([f">={least}"] if least else []), *([f"<{below}"] if below else [])}
        for name, least, below in doctor.REQUIREMENTS
    }
    assert known == wanted


def test_missing_or_unsupported_package_comes_with_the_command_that_installs_it() -> None:
    missing = doctor._package("no-such-package", "2", "3")
    assert missing["found"] == "not installed"
    assert missing["do"] == "python -m pip install 'no-such-package>=2,<3'"
    assert doctor._package("numpy", "999", None)["ok"] is False
    assert doctor._package("numpy", None, "0.1")["ok"] is False
    assert doctor._package("numpy", "1.9", "999")["ok"] is True


def test_folder_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("TILLER_LIBRARY", str(tmp_path / "file" / "below"))
    monkeypatch.setenv("TILLER_DATA", str(tmp_path / "new" / "deep"))
    found = {finding["check"]: finding for finding in doctor._folders()}
    assert "cannot be written" in found["library folder"]["found"]
    assert "TILLER_LIBRARY" in found["library folder"]["do"]
    assert found["data folder"]["ok"]
    assert "(created when needed)" in found["data folder"]["found"]
    assert not (tmp_path / "new").exists()


WITHOUT = """
import sys
for name in ("torch", "torchvision", "pydantic", "numpy", "platformdirs", "PySide6"):
    sys.modules[name] = None
import main
status = main.main(["doctor"])
assert main.main(["runs"]) == 1
sys.exit(status)
"""


def test_doctor_works_with_packages_missing() -> None:
    done = subprocess.run([sys.executable, "-c", WITHOUT], cwd=MAIN.parent, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    found = {line["check"]: line for line in map(json.loads, done.stdout.splitlines())}
    assert "PyTorch cannot be used" in found["computing"]["found"]
    assert found["folders"]["ok"] is False
    assert done.stderr.count("\n") == 1
    assert "python main.py doctor shows what to install" in done.stderr


@on_linux
@pytest.mark.parametrize(
    ("started_as", "program"),
    [("main.py", "python main.py"), ("/home/me/bin/tiller", "tiller"), ("/home/me/site-packages/tiller.py", "tiller")],
)
def test_messages_name_the_command_that_tiller_was_started_with(
    started_as: str, program: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    import main

    monkeypatch.setattr(sys, "argv", [started_as])
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    assert main.main([]) == 1  # the window does not open
    out, err = capfd.readouterr()
    assert out == ""
    assert err.endswith(f"To train without a window: {program} train RECIPE.json\n")
    (display_finding,) = [finding for finding in doctor.findings() if finding["check"] == "display"]
    assert display_finding["do"].endswith(f"{program} train RECIPE.json")
    with pytest.raises(SystemExit):
        main.main(["--help"])
    assert capfd.readouterr().out.startswith(f"usage: {program} ")
    monkeypatch.setitem(sys.modules, "engine.cli", None)
    assert main.main(["runs"]) == 1
    assert f"; {program} doctor shows what to install" in capfd.readouterr().err
