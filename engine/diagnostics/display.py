"""Check whether a window can be shown, and say what to do if not. Imports neither Qt nor torch.

Qt aborts the process if its platform plugin cannot start, so this is checked before Qt is imported. The libraries are
what ``ldd`` lists for the ``xcb`` and ``wayland`` plugins of PySide6 6.11; the packages are those of Debian and Ubuntu.
"""

from __future__ import annotations

import ctypes
import socket
import sys
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from engine.common.program import program

_QT: Final = {
    "libEGL.so.1": "libegl1",
    "libGL.so.1": "libgl1",
    "libX11.so.6": "libx11-6",
    "libdbus-1.so.3": "libdbus-1-3",
    "libfontconfig.so.1": "libfontconfig1",
    "libfreetype.so.6": "libfreetype6",
    "libglib-2.0.so.0": "libglib2.0-0",
    "libgthread-2.0.so.0": "libglib2.0-0",
    "libxkbcommon.so.0": "libxkbcommon0",
    "libz.so.1": "zlib1g",
    "libzstd.so.1": "libzstd1",
}
_XCB: Final = {
    "libX11-xcb.so.1": "libx11-xcb1",
    "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-image.so.0": "libxcb-image0",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-randr.so.0": "libxcb-randr0",
    "libxcb-render-util.so.0": "libxcb-render-util0",
    "libxcb-render.so.0": "libxcb-render0",
    "libxcb-shape.so.0": "libxcb-shape0",
    "libxcb-shm.so.0": "libxcb-shm0",
    "libxcb-sync.so.1": "libxcb-sync1",
    "libxcb-util.so.1": "libxcb-util1",
    "libxcb-xfixes.so.0": "libxcb-xfixes0",
    "libxcb-xkb.so.1": "libxcb-xkb1",
    "libxcb.so.1": "libxcb1",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
}
_WAYLAND: Final = {
    "libwayland-client.so.0": "libwayland-client0",
    "libwayland-cursor.so.0": "libwayland-cursor0",
}
LIBRARIES: Final[Mapping[str, str]] = {**_QT, **_XCB, **_WAYLAND}


@dataclass(frozen=True)
class DisplayProblem:
    """Why no window can be shown, and what to do. ``str`` gives both, and how to train without a window."""

    what: str
    do: str

    def __str__(self) -> str:
        return f"The window cannot be shown: {self.what}.\n{self.do}\n{without_window()}"


def without_window() -> str:
    """How to train without a window."""
    return f"To train without a window: {program()} train RECIPE.json"


def loads(library: str) -> bool:
    """Whether the dynamic linker finds ``library`` and its dependencies."""
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def problem(
    environ: Mapping[str, str], platform: str = sys.platform, loads: Callable[[str], bool] = loads
) -> DisplayProblem | None:
    """Why Qt cannot show a window with the environment ``environ``; None if it can.

    Args:
        environ: DISPLAY, WAYLAND_DISPLAY and QT_QPA_PLATFORM are read.
        platform: as ``sys.platform``; only Linux is checked.
        loads: whether a library can be loaded.
    """
    if not platform.startswith("linux"):
        return None
    # QT_QPA_PLATFORM is a list of plugins to try ("wayland;xcb"), which may have options ("vnc:size=800x600")
    wanted = [name.partition(":")[0] for name in environ.get("QT_QPA_PLATFORM", "").split(";") if name]
    if any(not name.startswith(("xcb", "wayland")) for name in wanted):
        return _missing(_QT, loads)  # offscreen, minimal, vnc, a bare console: no display server is needed
    variables = {"wayland": "WAYLAND_DISPLAY", "xcb": "DISPLAY"}
    tried = [plugin for plugin in variables if not wanted or any(name.startswith(plugin) for name in wanted)]
    displays = {plugin: environ.get(variables[plugin], "") for plugin in tried}
    problems = [_plugin_problem(plugin, name, environ, loads) for plugin, name in displays.items() if name]
    if not problems:
        unset = f"{variables[tried[0]]} is not set" if len(tried) == 1 else "neither DISPLAY nor WAYLAND_DISPLAY is set"
        return DisplayProblem(
            f"there is no display ({unset})", "Start Tiller in a graphical session, or over the network with ssh -X"
        )
    return None if None in problems else problems[-1]


def _plugin_problem(
    plugin: str, display: str, environ: Mapping[str, str], loads: Callable[[str], bool]
) -> DisplayProblem | None:
    missing = _missing({**_QT, **(_XCB if plugin == "xcb" else _WAYLAND)}, loads)
    if missing is not None:
        return missing
    if plugin == "xcb" and not _x_answers(display):
        return DisplayProblem(
            f"no X server answers at DISPLAY={display}, or it rejects this user",
            "Set DISPLAY to the screen in front of you (often :0), or connect with ssh -X",
        )
    if plugin == "wayland" and not _wayland_answers(display, environ):
        return DisplayProblem(
            f"no Wayland compositor answers at WAYLAND_DISPLAY={display}",
            "Start Tiller in a graphical session, or unset WAYLAND_DISPLAY to use X",
        )
    return None


def _missing(libraries: Mapping[str, str], loads: Callable[[str], bool]) -> DisplayProblem | None:
    absent = [library for library in libraries if not loads(library)]
    if not absent:
        return None
    packages = " ".join(dict.fromkeys(libraries[library] for library in absent))
    return DisplayProblem(
        f"Qt needs libraries that are not installed ({', '.join(absent)})",
        f"On Debian and Ubuntu: sudo apt install {packages}",
    )


def _x_answers(display: str) -> bool:
    xcb = ctypes.CDLL("libxcb.so.1")
    xcb.xcb_connect.restype = ctypes.c_void_p
    xcb.xcb_connect.argtypes = [ctypes.c_char_p, ctypes.c_void_p]
    xcb.xcb_connection_has_error.argtypes = xcb.xcb_disconnect.argtypes = [ctypes.c_void_p]
    connection = xcb.xcb_connect(display.encode(), None)
    answers = bool(xcb.xcb_connection_has_error(connection) == 0)
    xcb.xcb_disconnect(connection)
    return answers


def _wayland_answers(display: str, environ: Mapping[str, str]) -> bool:
    path = Path(environ.get("XDG_RUNTIME_DIR", "")) / display  # an absolute display name replaces the folder
    with closing(socket.socket(socket.AF_UNIX)) as client:
        try:
            client.connect(str(path))
        except OSError:
            return False
    return True
