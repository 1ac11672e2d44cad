"""The hooks for uncaught exceptions: fatal messages of Qt are in the crash log, and reporting cannot recurse."""

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


def test_a_fatal_message_of_qt_is_in_the_crash_log_with_its_traceback(tmp_path: Path) -> None:
    command = [sys.executable, "-c", GIVES_UP, str(tmp_path)]
    environ = {**os.environ, "QT_QPA_PLATFORM": "nowhere"}
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, env=environ)
    assert done.returncode != 0
    text = (tmp_path / "crash.log").read_text()
    assert "Qt gave up: This application failed to start because no Qt platform plugin could be initialized." in text
    assert "in <module>" in text
    assert "Aborted" in text or sys.platform == "win32"
    assert "no Qt platform plugin" in done.stderr


def test_an_exception_while_reporting_is_not_reported_endlessly(
    qtbot: QtBot, hooks: ExceptionHook, capfd: pytest.CaptureFixture[str]
) -> None:
    reported: list[str] = []

    def report(text: str, details: str) -> None:
        reported.append(text)
        raise ValueError("and now the telling broke")

    hooks.uncaught.connect(report)
    sys.excepthook(LookupError, LookupError("first"), None)
    assert reported == ["LookupError: first"]
    assert "first" in capfd.readouterr().err


def test_exceptions_are_reported_on_the_gui_thread(qtbot: QtBot, hooks: ExceptionHook) -> None:
    heard: list[tuple[str, bool]] = []
    here = QThread.currentThread()

    class Receiver(QObject):
        def receive(self, text: str, details: str) -> None:
            heard.append((text, QThread.currentThread() is here))

    ear = Receiver()
    hooks.uncaught.connect(ear.receive)

    def work() -> None:
        raise RuntimeError("elsewhere")

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    qtbot.waitUntil(lambda: bool(heard))
    assert heard == [("RuntimeError: elsewhere", True)]


def test_a_thread_that_exits_is_not_reported(qtbot: QtBot, hooks: ExceptionHook) -> None:
    heard: list[str] = []
    hooks.uncaught.connect(lambda text, _: heard.append(text))
    thread = threading.Thread(target=sys.exit)
    thread.start()
    thread.join()
    qtbot.wait(20)
    assert heard == []
