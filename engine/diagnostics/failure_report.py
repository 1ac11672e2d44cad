"""A report of what went wrong, to copy and to send to somebody: text that says enough, and nothing private.

Versions, platform, recipe, hand, the last events and the traceback; no environment, and folders only from where the
person's own begin.
"""

from __future__ import annotations

import importlib.metadata
import json
import platform
import re
import sys
import sysconfig
from collections import deque
from pathlib import Path
from typing import Any, Final

from engine import __version__
from engine.messages.events import BranchEvent, CommandEvent, Event, LREvent, StartEvent, StepsEvent

PACKAGES: Final = ("torch", "torchvision", "PySide6-Essentials", "pyqtgraph", "pydantic", "numpy")
LAST: Final = 30
_LONGEST_LINE: Final = 400


class Witness:
    """Remembers of a run what a report of it needs."""

    def __init__(self) -> None:
        self.start: StartEvent | None = None
        self._hand: list[CommandEvent] = []
        self._last: deque[Event] = deque(maxlen=LAST)

    def hear(self, event: Event) -> None:
        """Something happened."""
        if isinstance(event, StartEvent):
            self.start, self._hand = event, list(event.interventions)
        elif isinstance(event, BranchEvent):
            self._hand = list(event.interventions)
        elif isinstance(event, CommandEvent) and event.status == "applied":
            self._hand.append(event)
        if not isinstance(event, LREvent):
            self._last.append(event)

    def forget(self) -> None:
        """Another run begins."""
        self.start, self._hand = None, []
        self._last.clear()

    def report(self, what: str, details: str, recipe: dict[str, Any] | None = None) -> str:
        """The report on ``what`` went wrong, with its traceback in ``details``; ``recipe`` where no run had begun."""
        start = self.start
        parts = [("", what), ("", _machine(start))]
        recipe = start.recipe if start is not None else recipe
        if recipe is not None:
            parts.append(("Recipe", json.dumps(recipe)))
        if self._hand:
            parts.append(("Hand", "\n".join(_intervention(event) for event in self._hand)))
        if self._last:
            parts.append(("Last events", "\n".join(map(_line, self._last))))
        parts.append(("Details", details))
        text = "\n\n".join(f"{title}\n{body}" if title else body for title, body in parts)
        return without_private_folders(text).strip() + "\n"


def _machine(start: StartEvent | None) -> str:
    versions = ", ".join(f"{name} {version}" for name in PACKAGES if (version := _version(name)))
    lines = [
        f"Tiller {__version__}, Python {platform.python_version()}, {platform.system()} {platform.release()} "
        f"{platform.machine()}",
        versions,
    ]
    if start is not None:
        lines.append(f"{start.device}, {start.threads} threads, {start.parameters} parameters")
    return "\n".join(lines)


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _intervention(event: CommandEvent) -> str:
    return json.dumps({"at": {"epoch": event.epoch, "batch": event.batch}, **event.command})


def _line(event: Event) -> str:
    """One line for an event, of batches only how many there were and how they ended."""
    if isinstance(event, StepsEvent):
        found: dict[str, Any] = {"event": event.event, "epoch": event.epoch, "batch": event.batch}
        found |= {"batches": len(event.loss), "last_loss": float(event.loss[-1]), "skipped": event.skipped}
    else:
        found = event.as_json()
        for key in ("recipe", "details", "state" if event.event == "rate" else ""):
            found.pop(key, None)
    text = json.dumps(found, default=_plain)
    return text if len(text) <= _LONGEST_LINE else f"{text[:_LONGEST_LINE]}…"


def _plain(value: Any) -> str:
    return f"<{type(value).__name__}>"


def without_private_folders(text: str) -> str:
    """``text`` with this program's, Python's and the person's own folders named as such, and not where they are."""
    root = Path(__file__).parents[2]
    places = [(sysconfig.get_path("purelib"), "site-packages"), (str(root), "tiller"), (sys.prefix, "python")]
    places += [(sys.base_prefix, "python"), (str(Path.home()), "~")]
    for place, name in places:
        if len(place) > 1:  # or every slash of a machine without homes
            text = re.sub(rf"{re.escape(place)}(?=[/\\\"':,\s]|$)", name, text)
            text = text.replace(json.dumps(place)[1:-1], name) if "\\" in place else text
    return text
