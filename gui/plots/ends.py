"""Where the words at the end of a line go, in pixels: near the end, and where no line runs. Imports no Qt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
Line = tuple[FloatArray, FloatArray]

_STEP: Final = 3.0
_FAR: Final = 2.5  # heights of the words, beyond which one no longer sees whose end they tell
_ASIDE: Final = 1.6  # widths of the words, likewise
_EDGE: Final = 2.0
_BEFORE: Final = 5.0
_REACH: Final = 4.0  # about the end of another line, which words never hide
_SLACK: Final = 2.0  # of the margin about the words, in which a line may run


@dataclass(frozen=True)
class Box:
    """A rectangle in pixels, ``top`` above ``bottom``: y counts downwards."""

    left: float
    top: float
    right: float
    bottom: float

    def meets(self, other: Box) -> bool:
        """Whether the two overlap."""
        across = self.left < other.right and other.left < self.right
        return across and self.top < other.bottom and other.top < self.bottom


def crossed(box: Box, lines: Sequence[Line]) -> bool:
    """Whether one of ``lines`` (x rising [n], y [n]; NaN is a gap) runs through ``box``."""
    for x, y in lines:
        first = max(0, int(np.searchsorted(x, box.left)) - 1)
        stop = int(np.searchsorted(x, box.right, side="right")) + 1
        x0, x1, y0, y1 = x[first:stop][:-1], x[first:stop][1:], y[first:stop][:-1], y[first:stop][1:]
        width = x1 - x0
        slope = np.divide(y1 - y0, width, out=np.zeros_like(width), where=width > 0)
        # Each piece is cut to the box's left and right; an upright one is whole.
        start = np.where(width > 0, y0 + slope * (np.maximum(x0, box.left) - x0), y0)
        end = np.where(width > 0, y0 + slope * (np.minimum(x1, box.right) - x0), y1)
        inside = (x1 >= box.left) & (x0 <= box.right)
        if (inside & (np.minimum(start, end) <= box.bottom) & (np.maximum(start, end) >= box.top)).any():
            return True
    return False


def place(
    end: tuple[float, float],
    before: float,
    words: tuple[float, float],
    view: tuple[float, float],
    lines: Sequence[Line],
    avoid: Sequence[Box],
    aside: bool = False,
) -> tuple[Box, bool] | None:
    """A box for words about the end of a line, and whether a line runs behind it.

    Args:
        end: x and y of the line's end.
        before: x at which the line's last stage begins: the words may stand before it, at its height.
        words: width and height of the words.
        view: width and height of the drawing area.
        lines: every line that is drawn, as x [n] and y [n].
        avoid: what is never covered, such as words already placed.
        aside: rather farther to the left than with a line behind.

    Returns:
        None where there is no room that ``avoid``, the lines' ends and the view's edges leave.
    """
    width, height = words
    kept = [*avoid, *(_about(x[-1], y[-1]) for x, y in lines if len(x))]
    right = min(end[0], view[0] - _EDGE)
    offsets = np.arange(0.0, _FAR * height, _STEP)
    shifts = np.arange(0.0, _ASIDE * width, _STEP * 4) if aside else (0.0,)
    spots = [
        (right - shift, end[1] + by) for shift in shifts for offset in offsets for by in (-offset, height + offset)
    ]
    spots.insert(2, (min(before - _BEFORE, right), end[1] + height / 2))
    second: Box | None = None
    for to, bottom in spots:
        box = Box(to - width, bottom - height, to, bottom)
        whole = box.left >= _EDGE and box.top >= 0 and box.bottom <= view[1]
        core = Box(box.left, box.top + _SLACK, box.right, box.bottom - _SLACK)
        if not whole or any(core.meets(other) for other in kept if not _own(other, end, core)):
            continue
        if not crossed(core, lines):
            return box, False
        second = second or box
    return None if second is None or aside else (second, True)


def _about(x: float, y: float) -> Box:
    return Box(x - _REACH, y - _REACH, x + _REACH, y + _REACH)


def _own(other: Box, end: tuple[float, float], core: Box) -> bool:
    """Whether ``other`` is the reach of the line's own end, beside which the words belong."""
    beside = core.bottom <= end[1] or core.top >= end[1]
    return other == _about(*end) and beside
