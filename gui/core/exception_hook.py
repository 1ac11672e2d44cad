"""Uncaught exceptions, from Python or Qt and on any thread, and Qt's critical messages: each is reported once."""

from __future__ import annotations

import sys
import threading
import traceback
from types import TracebackType
from typing import Any, Final

from PySide6.QtCore import QMessageLogContext, QObject, QtMsgType, Signal, qInstallMessageHandler

from engine.diagnostics.crash_log import CrashLog

_GRAVE: Final = (QtMsgType.QtCriticalMsg, QtMsgType.QtFatalMsg)


class ExceptionHook(QObject):
    """Until ``close``, handles the uncaught exceptions of Python and the messages of Qt.

    Each is also printed on standard error; a message with which Qt ends the process is written to the crash log.

    Signals:
        uncaught(str, str): the exception in one line, and its traceback. Emitted on this object's thread.
    """

    uncaught = Signal(str, str)

    def __init__(self, log: CrashLog | None = None, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._log = log
        self._within = threading.local()
        self._before: tuple[Any, ...] = (sys.excepthook, threading.excepthook, sys.unraisablehook)
        sys.excepthook = self._exception
        threading.excepthook = self._in_thread
        sys.unraisablehook = self._unraisable
        self._qt_before = qInstallMessageHandler(self._message)

    def close(self) -> None:
        """Restore the previous hooks."""
        sys.excepthook, threading.excepthook, sys.unraisablehook = self._before
        qInstallMessageHandler(self._qt_before)

    def _exception(self, kind: type[BaseException], error: BaseException, where: TracebackType | None) -> None:
        self._report(_line(kind, error), "".join(traceback.format_exception(kind, error, where)))

    def _in_thread(self, args: threading.ExceptHookArgs) -> None:
        if args.exc_type is SystemExit or args.exc_value is None:
            return
        name = args.thread.name if args.thread is not None else "?"
        details = "".join(traceback.format_exception(args.exc_type, args.exc_value, args.exc_traceback))
        self._report(_line(args.exc_type, args.exc_value), f"In thread {name}:\n{details}")

    def _unraisable(self, args: Any) -> None:
        error = args.exc_value or args.exc_type()
        where = f"{args.err_msg or 'Exception ignored in'}: {_shown(args.object)}"
        details = "".join(traceback.format_exception(args.exc_type, error, args.exc_traceback))
        self._report(_line(args.exc_type, error), f"{where}\n{details}")

    def _message(self, kind: QtMsgType, context: QMessageLogContext, message: str) -> None:
        """Handle a message of Qt. After a fatal one, Qt ends the process."""
        if kind not in _GRAVE:
            print(message, file=sys.stderr)
            return
        stack = "".join(traceback.format_stack())
        if kind == QtMsgType.QtFatalMsg and self._log is not None:
            self._log.write(f"Qt gave up: {message}\n{stack}")
        self._report(message, f"Qt: {message}\n{stack}")

    def _report(self, text: str, details: str) -> None:
        if getattr(self._within, "reporting", False):
            return  # an exception while reporting one is not reported
        self._within.reporting = True
        try:
            print(details, file=sys.stderr)
            self.uncaught.emit(text, details)
        finally:
            self._within.reporting = False


def _line(kind: type[BaseException], error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return f"{kind.__name__}: {lines[0]}" if lines else kind.__name__


def _shown(value: object) -> str:
    try:
        return repr(value)
    except Exception:  # noqa: BLE001 - it may be half torn down
        return object.__repr__(value)
