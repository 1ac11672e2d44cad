"""Labels at the ends of the LR lines: near the end, where no line runs and nothing else is covered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pyqtgraph as pg

from gui.core.translation import tr
from gui.plots.lr_curves import Points

# In pixels, where no other unit is given.
_SAME: Final = 6.0  # between ends that share a label
_STEP: Final = 3.0  # between two positions that are tried
_FAR: Final = 2.5  # heights of the label, beyond which one no longer sees which end it belongs to
_ASIDE: Final = 1.6  # widths of the label, likewise
_EDGE: Final = 2.0  # to the view's edges
_BEFORE: Final = 5.0  # between a label and the last step to its right
_END: Final = 4.0  # around the end of another line, which labels never cover
_SLACK: Final = 2.0  # of the label's own margin, in which a line may run


@dataclass(frozen=True)
class Box:
    """A rectangle in pixels; y counts downwards, so ``top`` is less than ``bottom``."""

    left: float
    top: float
    right: float
    bottom: float

    def overlaps(self, other: Box) -> bool:
        """Whether the two overlap."""
        across = self.left < other.right and other.left < self.right
        return across and self.top < other.bottom and other.top < self.bottom


@dataclass(frozen=True, kw_only=True)
class End:
    """The end of a line.

    Args:
        x, y: where the line ends, in pixels from the view's left and top.
        since: x from which the line is constant.
        lr: its last LR as text.
        name: which line it is; empty where there is only one.
        color: of the label.
        note: a label in place of the one about the LR.
    """

    x: float
    y: float
    since: float
    lr: str
    name: str = ""
    color: str
    note: str = ""

    def label(self) -> str:
        """The text of the label."""
        if self.note:
            return self.note
        if ", " in self.name:
            return tr("{names} end at {lr}", names=self.name, lr=self.lr)
        return tr("{name} ends at {lr}", name=self.name, lr=self.lr) if self.name else tr("Ends at {lr}", lr=self.lr)


class EndLabels:
    """The labels, as text items of ``view``."""

    def __init__(self, view: pg.ViewBox) -> None:
        self._view = view
        self.texts: list[pg.TextItem] = []

    def write(self, ends: Sequence[End], lines: Sequence[Points], avoid: Sequence[Box], background: str) -> None:
        """Label ``ends``, the first ones first. A label without room is left out.

        Args:
            ends: the ends of the lines.
            lines: every line that is drawn, in pixels.
            avoid: what is never covered.
            background: the plot's colour, which hides a line behind a label that has no better place.
        """
        taken = list(avoid)
        labelled = _merged([e for e in ends if np.isfinite([e.x, e.y]).all() and e.x <= self._view.width() + 1])
        while len(self.texts) < len(labelled):
            text = pg.TextItem(anchor=(1, 1))
            text.setZValue(30)
            self.texts.append(text)
            self._view.addItem(text, ignoreBounds=True)
        for text in self.texts[len(labelled) :]:
            text.setVisible(False)
        for text, end in zip(self.texts, labelled, strict=False):
            text.setText(end.label())
            text.setColor(end.color)
            size = (text.boundingRect().width(), text.boundingRect().height())
            view = (float(self._view.width()), float(self._view.height()))
            given = ((end.x, end.y), end.since, size, view, lines, taken)
            found = place(*given, aside=True)
            if found is None and end is labelled[0]:
                found = place(*given)
            text.setVisible(found is not None)
            if found is None:
                continue
            box, covers_line = found
            taken.append(box)
            text.fill = pg.mkBrush(background if covers_line else None)
            (low, _), (_, top) = self._view.viewRange()
            across, down = (float(length) for length in self._view.viewPixelSize())
            text.setPos(low + box.right * across, top - box.bottom * down)


def _merged(ends: Sequence[End]) -> list[End]:
    """``ends`` with those at one point and one LR made one, because their labels would cover each other."""
    merged: list[End] = []
    for end in ends:
        for index, other in enumerate(merged):
            if other.lr == end.lr and abs(other.y - end.y) < _SAME and abs(other.x - end.x) < _SAME:
                names = ", ".join(name for name in (other.name, end.name) if name)
                merged[index] = replace(other, name=names if other.name and end.name else "")
                break
        else:
            merged.append(end)
    return merged


def place(
    end: tuple[float, float],
    since: float,
    size: tuple[float, float],
    view: tuple[float, float],
    lines: Sequence[Points],
    avoid: Sequence[Box],
    aside: bool = False,
) -> tuple[Box, bool] | None:
    """A box for a label at the end of a line, and whether a line runs behind it.

    Args:
        end: x and y of the line's end.
        since: x from which the line is constant; the label may be left of it, at the line's height.
        size: width and height of the label.
        view: width and height of the drawing area.
        lines: every line that is drawn.
        avoid: what is never covered, such as labels already placed.
        aside: prefer a place farther to the left to one with a line behind.

    Returns:
        None where ``avoid``, the lines' ends and the view's edges leave no room.
    """
    width, height = size
    kept = [*avoid, *(_around(x[-1], y[-1]) for x, y in lines if len(x))]
    right = min(end[0], view[0] - _EDGE)
    offsets = np.arange(0.0, _FAR * height, _STEP)
    shifts = np.arange(0.0, _ASIDE * width, _STEP * 4) if aside else (0.0,)
    corners = [
        (right - shift, end[1] + by) for shift in shifts for offset in offsets for by in (-offset, height + offset)
    ]
    corners.insert(2, (min(since - _BEFORE, right), end[1] + height / 2))
    second: Box | None = None
    for to, bottom in corners:
        box = Box(to - width, bottom - height, to, bottom)
        whole = box.left >= _EDGE and box.top >= 0 and box.bottom <= view[1]
        core = Box(box.left, box.top + _SLACK, box.right, box.bottom - _SLACK)
        if not whole or any(core.overlaps(other) for other in kept if not _is_own_end(other, end, core)):
            continue
        if not crossed(core, lines):
            return box, False
        second = second or box
    return None if second is None or aside else (second, True)


def crossed(box: Box, lines: Sequence[Points]) -> bool:
    """Whether one of ``lines`` (x rising; NaN is a gap) runs through ``box``."""
    for x, y in lines:
        first = max(0, int(np.searchsorted(x, box.left)) - 1)
        stop = int(np.searchsorted(x, box.right, side="right")) + 1
        x0, x1, y0, y1 = x[first:stop][:-1], x[first:stop][1:], y[first:stop][:-1], y[first:stop][1:]
        width = x1 - x0
        slope = np.divide(y1 - y0, width, out=np.zeros_like(width), where=width > 0)
        # Each segment is clipped to the box's left and right; a vertical one is kept whole.
        start = np.where(width > 0, y0 + slope * (np.maximum(x0, box.left) - x0), y0)
        end = np.where(width > 0, y0 + slope * (np.minimum(x1, box.right) - x0), y1)
        inside = (x1 >= box.left) & (x0 <= box.right)
        if (inside & (np.minimum(start, end) <= box.bottom) & (np.maximum(start, end) >= box.top)).any():
            return True
    return False


def _around(x: float, y: float) -> Box:
    return Box(x - _END, y - _END, x + _END, y + _END)


def _is_own_end(other: Box, end: tuple[float, float], core: Box) -> bool:
    """Whether ``other`` surrounds the end that the label belongs to, and the label is above or below it."""
    beside = core.bottom <= end[1] or core.top >= end[1]
    return other == _around(*end) and beside
