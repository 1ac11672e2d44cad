"""SIGINT, SIGTERM and SIGHUP while Qt's event loop is idle and no Python code runs."""

from __future__ import annotations

import contextlib
import signal
import socket
from typing import Any

from PySide6.QtCore import QObject, QSocketNotifier, Signal

from engine.common.signals import leaving


class UnixSignals(QObject):
    """Emits ``asked_to_leave`` on SIGINT, SIGTERM or SIGHUP, on the GUI thread.

    Python's signal handling writes a byte to a socket, which wakes Qt's event loop.
    """

    asked_to_leave = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._reader, self._writer = socket.socketpair()
        self._reader.setblocking(False)
        self._writer.setblocking(False)
        self._kept_fd = signal.set_wakeup_fd(self._writer.fileno())
        self._kept: dict[signal.Signals, Any] = {number: signal.signal(number, lambda *_: None) for number in leaving()}
        self._notifier = QSocketNotifier(self._reader.fileno(), QSocketNotifier.Type.Read, self)
        self._notifier.activated.connect(self._arrived)

    def close(self) -> None:
        """Restore the previous handling."""
        self._notifier.setEnabled(False)
        for number, handler in self._kept.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(self._kept_fd)
        self._reader.close()
        self._writer.close()

    def _arrived(self) -> None:
        with contextlib.suppress(BlockingIOError):
            self._reader.recv(64)
        self.asked_to_leave.emit()
