"""The rates at the lines' ends, written where no line runs and where they cover nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pyqtgraph as pg

from gui.core.translation import tr
from gui.plots.ends import Box, Line, place

_SAME: Final = 6  # pixels between ends that read as one


@dataclass(frozen=True, kw_only=True)
class End:
    """The end of a line, in pixels from the view's left and top.

    Args:
        x, y: where the line ends.
        since: x from which its last rate is in force.
        lr: that rate in words.
        name: whose line it is; empty where that needs no saying.
        color: of the words.
        note: other words, in place of those about the rate.
    """

    x: float
    y: float
    since: float
    lr: str
    name: str = ""
    color: str
    note: str = ""

    def words(self) -> str:
        """What is written."""
        if self.note:
            return self.note
        if ", " in self.name:
            return tr("{names} end at {lr}", names=self.name, lr=self.lr)
        return tr("{name} ends at {lr}", name=self.name, lr=self.lr) if self.name else tr("ends at {lr}", lr=self.lr)


class EndWords:
    """The words, as items of ``view``."""

    def __init__(self, view: pg.ViewBox) -> None:
        self._view = view
        self.texts: list[pg.TextItem] = []

    def write(self, ends: Sequence[End], drawn: Sequence[Line], avoid: Sequence[Box], ground: str) -> None:
        """Write at each of ``ends``, the first ones first; what finds no room is left out.

        Args:
            ends: the lines' ends.
            drawn: every line that is drawn, in pixels.
            avoid: what is never covered.
            ground: colour of the plot, which hides a line behind words that have no better place.
        """
        taken = list(avoid)
        told = _joined([end for end in ends if np.isfinite([end.x, end.y]).all() and end.x <= self._view.width() + 1])
        while len(self.texts) < len(told):
            text = pg.TextItem(anchor=(1, 1))
            text.setZValue(30)
            self.texts.append(text)
            self._view.addItem(text, ignoreBounds=True)
        for text in self.texts[len(told) :]:
            text.setVisible(False)
        for text, end in zip(self.texts, told, strict=False):
            text.setText(end.words())
            text.setColor(end.color)
            words = (text.boundingRect().width(), text.boundingRect().height())
            size = (float(self._view.width()), float(self._view.height()))
            room = ((end.x, end.y), end.since, words, size, drawn, taken)
            spot = place(*room, aside=True)
            if spot is None and end is told[0]:
                spot = place(*room)
            text.setVisible(spot is not None)
            if spot is None:
                continue
            box, hides = spot
            taken.append(box)
            text.fill = pg.mkBrush(ground if hides else None)
            (low, _), (_, top) = self._view.viewRange()
            across, down = (float(length) for length in self._view.viewPixelSize())
            text.setPos(low + box.right * across, top - box.bottom * down)


def _joined(ends: Sequence[End]) -> list[End]:
    """Ends at one place with one rate are told together: their words would stand over each other."""
    told: list[End] = []
    for end in ends:
        for place_, other in enumerate(told):
            if other.lr == end.lr and abs(other.y - end.y) < _SAME and abs(other.x - end.x) < _SAME:
                names = ", ".join(name for name in (other.name, end.name) if name)
                told[place_] = replace(other, name=names if other.name and end.name else "")
                break
        else:
            told.append(end)
    return told
