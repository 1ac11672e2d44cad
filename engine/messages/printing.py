"""Events as lines of JSON on standard output, through a thread of their own.

Printing to a pipe that nobody reads blocks; the training thread must not.
"""

from __future__ import annotations

import json
import math
import os
import queue
import threading
from typing import Any, TextIO

from engine.messages.events import CommandEvent, Event


class LinePrinter:
    """Prints each event as one line of JSON, at once. A broken pipe turns it off.

    It writes to the descriptor of ``stream``, past its buffer: a thread that waits on a full pipe in a buffer's lock
    would abort the interpreter when that ends.
    """

    def __init__(self, stream: TextIO) -> None:
        stream.flush()
        self._descriptor = stream.fileno()
        self._lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._print, name="events", daemon=True)
        self._thread.start()

    def __call__(self, event: Event) -> None:
        """Print ``event``, if it is one that the headless face prints."""
        if event.printed and not (isinstance(event, CommandEvent) and event.status == "queued"):
            self._lines.put(line(event.as_json()))

    def close(self, seconds: float = 5.0) -> None:
        """Print what waits, for at most ``seconds``: a reader that reads no more is not waited for."""
        self._lines.put(None)
        self._thread.join(seconds)

    def _print(self) -> None:
        off = False
        while (text := self._lines.get()) is not None:
            if off:
                continue
            rest = f"{text}\n".encode()
            try:
                while rest:
                    rest = rest[os.write(self._descriptor, rest) :]
            except OSError:
                off = True


def line(data: dict[str, Any]) -> str:
    """``data`` as one line of JSON; numbers are not rounded, and what is not finite is null."""
    return json.dumps(_finite(data), allow_nan=False)


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in value]
    return value
