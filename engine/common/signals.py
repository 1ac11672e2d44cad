"""The signals that ask a process to save its run and end."""

from __future__ import annotations

import signal


def leaving() -> list[signal.Signals]:
    """SIGINT, SIGTERM and, where there is one and it is not ignored (as under ``nohup``), SIGHUP."""
    found = [signal.SIGINT, signal.SIGTERM]
    hangup = getattr(signal, "SIGHUP", None)
    if hangup is not None and signal.getsignal(hangup) != signal.SIG_IGN:
        found.append(hangup)
    return found
