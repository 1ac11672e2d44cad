"""How a run ends, and why: one value, whatever the way out."""

from __future__ import annotations

import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from engine.commands import At
from engine.data import Cancelled
from engine.events import EndEvent, EndReason
from engine.shortage import OutOfMemory, ran_out
from engine.spec import SpecError
from engine.words import Words


@dataclass(frozen=True, kw_only=True)
class Ending:
    """What the end event says of the end; see ``engine.events.EndEvent``."""

    reason: EndReason
    text: str | None = None
    details: str | None = None
    field: str | None = None
    shortage: Literal["data", "network", "batch", "validation", "run"] | None = None

    def event(self, at: At, weights: str | None, snapshot: Path | None) -> EndEvent:
        """The end event of a run that stands ``at``, of the weights with this digest, kept in ``snapshot``."""
        return EndEvent(
            reason=self.reason,
            epoch=at.epoch,
            batch=at.batch,
            weights_sha256=weights,
            text=self.text,
            details=self.details,
            field=self.field,
            shortage=self.shortage,
            snapshot=str(snapshot) if snapshot else None,
        )


def because_of(error: BaseException) -> Ending:
    """The end of a run that ``error`` ended."""
    if isinstance(error, Cancelled):
        return Ending(reason="stopped", text=Words("stopped while loading"))
    if isinstance(error, SpecError) and ran_out(error) is None:
        return Ending(reason="failed", text=error.problem, field=error.field)
    details = "".join(traceback.format_exception(error))
    if isinstance(error, OutOfMemory):
        return Ending(reason="failed", text=error.text, details=details, shortage=error.place)
    if ran_out(error) is not None:
        text = Words("memory ran out: {error}", error=_first_line(error))
        return Ending(reason="failed", text=text, details=details, shortage="run")
    return Ending(reason="failed", text=f"{type(error).__name__}: {error}", details=details)


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
