"""Standard output: events as lines of JSON, printed from a thread of its own, and nothing else.

Writing to a pipe that nobody reads blocks, and the training thread must never block.
"""

from __future__ import annotations

import io
import json
import math
import os
import queue
import sys
import threading
from typing import Any, TextIO

from engine.messages.events import CommandEvent, Event


def claim_stdout() -> TextIO:
    """A stream to the process's standard output, for Tiller alone.

    From now on everything else that writes to standard output, such as a user's network or a process that it starts,
    writes to standard error. Call it once, and at the process's end leave it so.
    """
    stdout = sys.stdout
    try:
        stdout.flush()
        descriptor = stdout.fileno()
        claimed = os.dup(descriptor)
    except (AttributeError, OSError):  # there is none
        return open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123 - the caller keeps it open
    try:
        os.dup2(sys.stderr.fileno(), descriptor)
    except (AttributeError, OSError):  # there is no standard error
        with open(os.devnull, "wb") as nowhere:  # noqa: PTH123
            os.dup2(nowhere.fileno(), descriptor)
    if isinstance(stdout, io.TextIOWrapper):
        stdout.reconfigure(line_buffering=True)  # in order with what is written to standard error itself
    return open(claimed, "w", encoding=stdout.encoding, errors=stdout.errors)  # noqa: PTH123 - likewise


class LinePrinter:
    """Prints each event as one line of JSON, unbuffered. After a failed write it prints no more; ``error`` is why.

    It writes to the file descriptor of ``stream`` and not to its buffer: a thread that waits for a full pipe with the
    lock of a buffer would abort the interpreter at exit.
    """

    def __init__(self, stream: TextIO) -> None:
        stream.flush()
        self._descriptor = stream.fileno()
        self.error: OSError | None = None
        self._lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._print, name="events", daemon=True)
        self._thread.start()

    def __call__(self, event: Event) -> None:
        """Print ``event`` if it is one that the command line prints."""
        if event.printed and not (isinstance(event, CommandEvent) and event.status == "queued"):
            self._lines.put(line(event.as_json()))

    def close(self, seconds: float = 5.0) -> None:
        """Print the remaining events, waiting at most ``seconds`` for the reader."""
        self._lines.put(None)
        self._thread.join(seconds)

    def _print(self) -> None:
        while (text := self._lines.get()) is not None:
            if self.error is not None:
                continue
            rest = f"{text}\n".encode()
            try:
                while rest:
                    rest = rest[os.write(self._descriptor, rest) :]
            except OSError as error:
                self.error = error


def line(data: dict[str, Any]) -> str:
    """``data`` as one line of JSON. Numbers are not rounded; NaN and infinity become null."""
    return json.dumps(_finite(data), allow_nan=False)


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in value]
    return value
