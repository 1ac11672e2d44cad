"""Learning rates and factors as text, and read from what was typed."""

from __future__ import annotations

import math
import re
from typing import Final

from engine.messages.commands import MAX_FACTOR
from engine.recipe.recipe import LR_MAX
from gui.core.translation import tr

_NUMBER: Final = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.IGNORECASE | re.ASCII)
_BEGUN: Final = re.compile(r"\+?(\d*\.?\d*)(e[+-]?)?", re.IGNORECASE | re.ASCII)


def lr_text(value: float, digits: int = 6) -> str:
    """An LR as text: 0.005, 5e-5; at most ``digits`` significant digits."""
    text = f"{value:.{digits}g}"
    mantissa, e, exponent = text.partition("e")
    return f"{mantissa}e{int(exponent)}" if e else text


def read_lr(text: str) -> float:
    """The LR that was typed: 0.001, 1e-3, .001, or with a decimal comma.

    Raises:
        ValueError: not a number from 0 to 1000; the message is shown to the user.
    """
    text = text.strip()
    if text.count(",") == 1 and "." not in text:
        text = text.replace(",", ".")
    if not text:
        raise ValueError(tr("Type a learning rate, such as 0.001 or 1e-3."))
    if not _NUMBER.fullmatch(text):
        raise ValueError(tr("“{typed}” is not a number. Write it as 0.001 or 1e-3.", typed=text[:20]))
    value = float(text)
    if value < 0:
        raise ValueError(tr("A learning rate is 0 or more."))
    if value > LR_MAX:
        raise ValueError(tr("A learning rate is at most {most}.", most=lr_text(LR_MAX)))
    return abs(value)  # -0 becomes 0


def read_factor(text: str) -> float:
    """The factor that was typed: 0.5, 2, or with a decimal comma.

    Raises:
        ValueError: not a valid factor; the message is shown to the user.
    """
    try:
        value = float(text.replace(",", "."))
    except ValueError:
        value = math.nan
    if math.isnan(value):
        raise ValueError(tr("“{typed}” is not a number. Write a factor as 0.5 or 2.", typed=text[:20]))
    if value <= 0:
        raise ValueError(tr("A factor is more than 0. To stop a group, freeze it."))
    if value > MAX_FACTOR:
        raise ValueError(tr("A factor is at most {most}.", most=f"{MAX_FACTOR:,.0f}"))
    return value


def is_incomplete(text: str) -> bool:
    """Whether ``text`` is the beginning of a number ("1e-"), which is not an error yet."""
    text = text.strip().replace(",", ".", 1)
    return _BEGUN.fullmatch(text) is not None and _NUMBER.fullmatch(text) is None
