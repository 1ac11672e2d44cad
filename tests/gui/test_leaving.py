"""Closing the window: a question while training, everything saved, nothing left alive; and the program as a process."""

from __future__ import annotations

import gc
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtWidgets import QMessageBox

from engine.library import Library
from tests.gui.app_fixture import MAIN, Driver, tiny, tiny_dict

pytestmark = pytest.mark.qt_log_ignore("does not support propagateSizeHints")

SECONDS = 100  # after which a test has failed, however busy the machine is


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> list[QMessageBox.StandardButton]:
    """The answers to questions, the last entry first; more questions than answers are an error."""
    given: list[QMessageBox.StandardButton] = []
    monkeypatch.setattr(QMessageBox, "question", lambda *_: given.pop())
    return given


def test_closing_while_training_asks_and_saves_or_is_cancelled(
    driver: Driver, answers: list[QMessageBox.StandardButton]
) -> None:
    driver.start(tiny(epochs=3000, schedule={"name": "Constant"}))
    driver.wait(lambda: driver.of("epoch"))
    answers.append(QMessageBox.StandardButton.Cancel)
    driver.window.close()
    assert not answers
    assert driver.window.isVisible()
    assert driver.model.state == "training"
    answers.append(QMessageBox.StandardButton.Yes)
    driver.window.close()
    driver.window.close()  # closing again asks nothing
    driver.wait(lambda: driver.left)
    (end,) = driver.of("end")
    assert end.reason == "stopped"
    assert end.checkpoint is not None
    assert Path(end.checkpoint).is_file()
    assert driver.left == [True]
    driver.close()
    assert not [t.name for t in threading.enumerate() if t.name.startswith(("library", "Dummy"))]
    assert not driver.app.clock._timer.isActive()
    assert not driver.app.garbage._timer.isActive()
    assert gc.get_freeze_count() == 0


@pytest.mark.parametrize("state", ["idle", "paused"])
def test_closing_asks_nothing_while_nothing_trains(
    driver: Driver, answers: list[QMessageBox.StandardButton], state: str
) -> None:
    if state == "paused":
        driver.pause_at(tiny(), 2, 1)
    driver.window.close()
    driver.wait(lambda: driver.left)
    assert [e.reason for e in driver.of("end")] == (["stopped"] if state == "paused" else [])


def test_settings_are_stored_when_the_window_closes(driver: Driver, new_driver: Any) -> None:
    driver.set_up(tiny(epochs=4))
    driver.window.plots.set_axis("steps")
    driver.close()
    second = new_driver()
    assert second.window.setup.recipe() == tiny(epochs=4)
    assert second.window.plots.axis == "steps"


# -- as a process


class Process:
    """``main.py``, or other ``code``, in a process of its own."""

    def __init__(self, folder: Path, *words: str, code: str = "", **environ: str) -> None:
        kept = {k: v for k, v in os.environ.items() if k not in ("DISPLAY", "WAYLAND_DISPLAY")}
        environment = {**kept, "QT_QPA_PLATFORM": "offscreen", "OMP_NUM_THREADS": "1", **environ}
        environment["PYTHONPATH"] = str(MAIN.parent) if code else ""
        self.process = subprocess.Popen(
            [sys.executable, *(("-c", code) if code else (str(MAIN),)), *words],
            cwd=folder,
            env={k: v for k, v in environment.items() if v},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def until(self, event: str) -> list[dict[str, Any]]:
        """Read events up to the first ``event``."""
        assert self.process.stdout is not None
        read = []
        for line in self.process.stdout:
            read.append(json.loads(line))
            if read[-1]["event"] == event:
                return read
        pytest.fail(f"ended without {event}: {self.process.communicate()}")

    def end(self) -> tuple[int, list[dict[str, Any]], str]:
        """Exit status, the remaining events, standard error."""
        out, err = self.process.communicate(timeout=SECONDS)
        return self.process.returncode, [json.loads(line) for line in out.splitlines()], err


@pytest.fixture
def begin(tmp_path: Path) -> Iterator[Any]:
    started: list[Process] = []

    def go(*words: str, code: str = "", **environ: str) -> Process:
        started.append(Process(tmp_path, *words, code=code, **environ))
        return started[-1]

    yield go
    for one in started:
        if one.process.poll() is None:
            one.process.kill()
        one.process.communicate()


def written(folder: Path, **changes: Any) -> str:
    path = folder / "recipe.json"
    path.write_text(json.dumps(tiny_dict(**changes)))
    return str(path)


@pytest.mark.parametrize("number", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.slow)])
def test_a_signal_saves_and_closes_and_the_run_continues_without_a_window(
    begin: Any, tmp_path: Path, number: signal.Signals
) -> None:
    library = str(tmp_path / "library")
    recipe = written(tmp_path, epochs=3000, schedule={"name": "Constant"})
    window = begin("open", recipe, "--start", "--events", "--library", library)
    run = window.until("start")[-1]["run"]
    window.until("epoch")
    window.process.send_signal(number)
    status, events, err = window.end()
    assert (status, err.replace("This plugin does not support propagateSizeHints()\n", "")) == (0, "")
    assert events[-1]["event"] == "end"
    assert events[-1]["reason"] == "stopped"
    epoch = events[-1]["epoch"]
    again = begin("train", "--resume", run, "--library", library, "--epochs", str(epoch + 1))
    status, more, _ = again.end()
    assert status == 0
    assert more[0]["run"] == run
    assert more[0]["epoch"] == epoch
    assert more[-1]["reason"] == "finished"


@pytest.mark.slow
def test_the_window_prints_the_events_that_train_prints(begin: Any, tmp_path: Path) -> None:
    recipe = written(tmp_path, epochs=2)
    window = begin("open", recipe, "--start", "--events", "--library", str(tmp_path / "a"))
    shown = window.until("end")
    window.process.send_signal(signal.SIGTERM)
    assert window.end()[0] == 0
    status, printed, _ = begin("train", recipe, "--library", str(tmp_path / "b")).end()
    assert status == 0

    def timeless(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
        own = ("run", "seconds", "images_per_second", "checkpoint", "path", "threads")
        others = [e for e in events if e["event"] not in ("saved", "warning")]
        return [{k: v for k, v in e.items() if k not in own} for e in others]

    assert timeless(shown) == timeless(printed)
    assert [e["event"] for e in timeless(shown)] == ["start", "epoch", "epoch", "end"]


# main.py, which prints the banner's text once the window was painted.
PRINTS_BANNER = """
import sys
from PySide6.QtCore import QTimer
import main
from gui import app
class App(app.App):
    def show(self):
        super().show()
        self.window.first_painted.connect(lambda: QTimer.singleShot(0, self.print_banner))
    def print_banner(self):
        print(self.window.banner.text(), flush=True)
app.App = App
sys.exit(main.main())
"""


@pytest.mark.slow
def test_a_missing_recipe_is_reported_in_the_window(begin: Any, tmp_path: Path) -> None:
    words = ("open", "none.json", "--start", "--library", str(tmp_path / "library"))
    window = begin(*words, code=PRINTS_BANNER)
    assert "none.json does not exist" in window.process.stdout.readline()
    assert window.process.poll() is None
    window.process.send_signal(signal.SIGTERM)
    assert window.end()[0] == 0


def test_without_a_display_the_command_without_a_window_is_named(begin: Any) -> None:
    status, events, err = begin("open", QT_QPA_PLATFORM="").end()
    assert (status, events) == (1, [])
    assert "python main.py train" in err
    assert "Traceback" not in err


# Prints, just before the window is painted for the first time, whether PyTorch is imported: what is connected to
# first_painted begins that import on another thread.
FIRST = """
import sys
from PySide6.QtCore import QEvent, QObject
from PySide6.QtWidgets import QApplication
from gui.app import App
class FirstPaint(QObject):
    def eventFilter(self, watched, event):
        if event.type() == QEvent.Type.Paint and not seen:
            seen.append((app.window.isVisible(), "torch" in sys.modules))
        return False
application = QApplication([])
app = App(application, sys.argv[1])
app.setup_controller.left.connect(application.exit)
seen = []
first_paint = FirstPaint()
app.window.installEventFilter(first_paint)
if sys.argv[2] == "close":
    def close():
        app.window.close()
        seen.append(app.lookups.ready)
    app.window.first_painted.connect(close)
elif sys.argv[2] == "fail":
    app.lookups.torch_failed.connect(lambda *_: app.setup_controller.leave(ask=False))
else:
    app.lookups.torch_loaded.connect(lambda: app.setup_controller.leave(ask=False))
app.show()
application.exec()
seen.append(app.window.banner.text())
app.close()
print(repr((seen, app.window.isVisible(), app.tasks.running, "engine.training.trainer" in sys.modules)))
print(app.window.transport._main.toolTip())
"""


def program(tmp_path: Path, how: str, path: str = "") -> subprocess.CompletedProcess[str]:
    roots = os.pathsep.join(filter(None, (path, str(MAIN.parent))))
    environment = {**os.environ, "PYTHONPATH": roots, "OMP_NUM_THREADS": "1"}
    words = [sys.executable, "-c", FIRST, str(tmp_path / "library"), how]
    return subprocess.run(words, env=environment, capture_output=True, text=True, timeout=SECONDS, check=False)


def test_the_window_is_painted_before_pytorch_is_imported(tmp_path: Path) -> None:
    done = program(tmp_path, "wait")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("([(True, False), ''], False, False, True)")


@pytest.mark.slow
def test_closing_while_pytorch_is_imported_ends_cleanly(tmp_path: Path) -> None:
    done = program(tmp_path, "close")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("([(True, False), False, ''], False, False,")


def test_a_failed_import_of_pytorch_is_reported(tmp_path: Path) -> None:
    (tmp_path / "torch").mkdir()
    (tmp_path / "torch" / "__init__.py").write_text("raise ImportError('no torch on this machine')\n")
    done = program(tmp_path, "fail", str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("no torch on this machine") == 2  # in the banner, and on the button


def test_the_library_has_the_run_that_was_closed(driver: Driver) -> None:
    driver.pause_at(tiny(), 3, 2)
    run = driver.of("start")[0].run
    library = driver.app.library
    assert library is not None
    root = library.root
    driver.close()
    again = Library(root)
    row = again.run(run)
    again.close()
    assert row is not None
    assert (row.state, row.epochs_done, row.epochs) == ("stopped", 2, 6)
