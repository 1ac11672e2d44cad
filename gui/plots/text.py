"""Numbers as the plots write them."""

from __future__ import annotations

import math

from engine.common.text import number


def value_text(value: float, digits: int = 4) -> str:
    """A number for a legend or a tick: plain from 0.0001 on, then 1e-5; a dash where there is none."""
    if not math.isfinite(value):
        return "–"
    text = f"{value:.{digits}g}" if digits < 6 else number(value)
    if "e" in text:
        head, _, exponent = text.partition("e")
        text = f"{head}e{int(exponent)}"
    return text


def percent_text(value: float) -> str:
    """A value in percent with two decimals."""
    return f"{value:.2f}%" if math.isfinite(value) else "–"


def duration_text(seconds: float) -> str:
    """Seconds as 0:07, 12:05 or 3:20:00."""
    if not math.isfinite(seconds):
        return "–"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
