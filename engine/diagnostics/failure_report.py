"""A failure report to copy and send: versions, platform, recipe, interventions, last events and traceback.

It holds nothing private: no environment variables, and no names of folders above the home folder, Tiller's or Python's.
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
from engine.recipe.recipe import Recipe

PACKAGES: Final = ("torch", "torchvision", "PySide6-Essentials", "pyqtgraph", "pydantic", "numpy")
LAST: Final = 30
_LONGEST_LINE: Final = 400


class FailureReporter:
    """Records the events of a run that a failure report needs."""

    def __init__(self) -> None:
        self.start: StartEvent | None = None
        self._interventions: list[CommandEvent] = []
        self._last: deque[Event] = deque(maxlen=LAST)

    def record(self, event: Event) -> None:
        """Record an event of the run."""
        if isinstance(event, StartEvent):
            self.start, self._interventions = event, list(event.interventions)
        elif isinstance(event, BranchEvent):
            self._interventions = list(event.interventions)
        elif isinstance(event, CommandEvent) and event.status == "applied":
            self._interventions.append(event)
        if not isinstance(event, LREvent):
            self._last.append(event)

    def clear(self) -> None:
        """Forget the run, before another one starts."""
        self.start, self._interventions = None, []
        self._last.clear()

    def report(self, message: str, details: str, recipe: Recipe | None = None) -> str:
        """The report, with a message and a traceback as ``details``; ``recipe`` is shown if no run has started."""
        start = self.start
        parts = [("", message), ("", _machine(start))]
        recipe = start.recipe if start is not None else recipe
        if recipe is not None:
            parts.append(("Recipe", json.dumps(recipe.model_dump(mode="json"))))
        if self._interventions:
            parts.append(("Interventions", "\n".join(_intervention(event) for event in self._interventions)))
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
    """One line for an event; for batches, only their number and the last loss."""
    if isinstance(event, StepsEvent):
        found: dict[str, Any] = {"event": event.event, "epoch": event.epoch, "batch": event.batch}
        found |= {"batches": len(event.loss), "last_loss": float(event.loss[-1]), "skipped": event.skipped}
    else:
        found = event.as_json()
        for key in ("recipe", "details"):
            found.pop(key, None)
    text = json.dumps(found, default=_plain)
    return text if len(text) <= _LONGEST_LINE else f"{text[:_LONGEST_LINE]}…"


def _plain(value: Any) -> str:
    return f"<{type(value).__name__}>"


def without_private_folders(text: str) -> str:
    """``text`` with Tiller's, Python's and the home folder shortened to ``tiller``, ``python`` and ``~``."""
    root = Path(__file__).parents[2]
    folders = [(sysconfig.get_path("purelib"), "site-packages"), (str(root), "tiller"), (sys.prefix, "python")]
    folders += [(sys.base_prefix, "python"), (str(Path.home()), "~")]
    for folder, name in folders:
        if len(folder) > 1:  # a home folder "/" would match every slash
            text = re.sub(rf"{re.escape(folder)}(?=[/\\\"':,\s]|$)", name, text)
            text = text.replace(json.dumps(folder)[1:-1], name) if "\\" in folder else text
    return text
