"""How a run ends, and why, as one value."""

from __future__ import annotations

import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from engine.common.errors import Cancelled, CodeNotAllowed, NotDownloaded, OutOfMemory, SpecError
from engine.common.lifecycle import Action
from engine.common.position import Position
from engine.common.text import Text, shortened
from engine.hardware.out_of_memory import ran_out
from engine.messages.events import EndEvent, EndReason

_DETAILS: Final = 20_000  # characters of a traceback; a user's own code may raise with any text
_LAST_ACTIONS: Final[dict[EndReason, Action]] = {
    "finished": "finish",
    "stopped": "stop",
    "diverged": "fail",
    "failed": "fail",
}


@dataclass(frozen=True, kw_only=True)
class Ending:
    """How a run ended; see ``engine.messages.events.EndEvent`` for the fields."""

    reason: EndReason
    text: str | None = None
    details: str | None = None
    field: str | None = None
    out_of_memory: Literal["data", "network", "batch", "validation", "run"] | None = None
    not_allowed: str | None = None
    missing: str | None = None

    @property
    def last_action(self) -> Action:
        """The last action of the run's lifecycle."""
        return _LAST_ACTIONS[self.reason]

    def event(self, at: Position, weights: str | None, checkpoint: Path | None, unsaved: str | None) -> EndEvent:
        """The end event of a run at position ``at``, whose weights have this digest.

        ``checkpoint`` is the last one that was written; ``unsaved`` is why a later one was not.
        """
        return EndEvent(
            reason=self.reason,
            epoch=at.epoch,
            batch=at.batch,
            weights_sha256=weights,
            text=self.text,
            details=self.details,
            field=self.field,
            out_of_memory=self.out_of_memory,
            not_allowed=self.not_allowed,
            missing=self.missing,
            checkpoint=str(checkpoint) if checkpoint else None,
            unsaved=unsaved,
        )


def because_of(error: BaseException) -> Ending:
    """The ending of a run that raised ``error``."""
    if isinstance(error, Cancelled):
        return Ending(reason="stopped", text=Text("stopped while loading"))
    if isinstance(error, CodeNotAllowed):
        return Ending(reason="failed", text=error.problem, field=error.field, not_allowed=error.file)
    if isinstance(error, SpecError) and ran_out(error) is None:
        missing = error.window if isinstance(error, NotDownloaded) else None
        return Ending(reason="failed", text=error.problem, field=error.field, missing=missing)
    details = shortened("".join(traceback.format_exception(error)), _DETAILS)
    if isinstance(error, OutOfMemory):
        return Ending(reason="failed", text=error.text, details=details, out_of_memory=error.what)
    if ran_out(error) is not None:
        text = Text("memory ran out: {error}", error=_first_line(error))
        return Ending(reason="failed", text=text, details=details, out_of_memory="run")
    return Ending(reason="failed", text=shortened(f"{type(error).__name__}: {error}"), details=details)


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
