"""The hooks themselves: what Qt gives up the process for leaves word, and what goes wrong in telling has an end."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from PySide6.QtCore import QObject, QThread
from pytestqt.qtbot import QtBot

from gui.core.exception_hook import ExceptionHook

ROOT = Path(__file__).parents[3]
GIVES_UP = """
import sys
from pathlib import Path
from PySide6.QtGui import QGuiApplication
from engine.diagnostics.crash_log import crash_log
from gui.core.exception_hook import ExceptionHook
with crash_log(Path(sys.argv[1])) as log:
    last_resort = ExceptionHook(log)
    QGuiApplication([])
"""


@pytest.fixture
def hooks() -> object:
    made = ExceptionHook()
    yield made
    made.close()


def test_what_qt_gives_up_for_is_in_the_crash_log_with_where_it_was(tmp_path: Path) -> None:
    command = [sys.executable, "-c", GIVES_UP, str(tmp_path)]
    environ = {**os.environ, "QT_QPA_PLATFORM": "nowhere"}
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, env=environ)
    assert done.returncode != 0
    text = (tmp_path / "crash.log").read_text()
    assert "Qt gave up: This application failed to start because no Qt platform plugin could be initialized." in text
    assert "in <module>" in text
    assert "Aborted" in text or sys.platform == "win32"
    assert "no Qt platform plugin" in done.stderr


def test_what_goes_wrong_in_telling_is_not_told_without_end(
    qtbot: QtBot, hooks: ExceptionHook, capfd: pytest.CaptureFixture[str]
) -> None:
    told: list[str] = []

    def tell(text: str, details: str) -> None:
        told.append(text)
        raise ValueError("and now the telling broke")

    hooks.uncaught.connect(tell)
    sys.excepthook(LookupError, LookupError("first"), None)
    assert told == ["LookupError: first"]
    assert "first" in capfd.readouterr().err


def test_it_is_said_on_the_windows_thread(qtbot: QtBot, hooks: ExceptionHook) -> None:
    heard: list[tuple[str, bool]] = []
    here = QThread.currentThread()

    class Ear(QObject):
        def hear(self, text: str, details: str) -> None:
            heard.append((text, QThread.currentThread() is here))

    ear = Ear()
    hooks.uncaught.connect(ear.hear)

    def work() -> None:
        raise RuntimeError("elsewhere")

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    qtbot.waitUntil(lambda: bool(heard))
    assert heard == [("RuntimeError: elsewhere", True)]


def test_a_thread_that_leaves_by_itself_is_no_failure(qtbot: QtBot, hooks: ExceptionHook) -> None:
    heard: list[str] = []
    hooks.uncaught.connect(lambda text, _: heard.append(text))
    thread = threading.Thread(target=sys.exit)
    thread.start()
    thread.join()
    qtbot.wait(20)
    assert heard == []
