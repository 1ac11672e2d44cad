"""A curve of what is to come: one line a group, in the dashes of its kind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pyqtgraph as pg

from engine.messages.preview import Curve
from gui.plots.items import Trace
from gui.plots.stairs import Stairs

PLAN: Final = (4.0, 3.0)
PENDING: Final = (1.0, 2.5)
CANDIDATES: Final = ((8.0, 2.0, 1.5, 2.0), (6.0, 2.0, 1.5, 2.0, 1.5, 2.0), (2.5, 2.0), (10.0, 4.0))

FloatArray = npt.NDArray[np.float64]
Part = tuple[FloatArray, FloatArray]


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A schedule to compare: ``key`` is its letter, ``place`` its colour and dashes, ``curve`` its LRs."""

    key: str
    name: str
    place: int
    curve: Curve


class Projection:
    """A planned curve and its lines in ``view``.

    Args:
        view: what the lines are drawn in.
        dashes: dash, gap, dash and so on, in widths of the line.
    """

    def __init__(self, view: pg.ViewBox, dashes: Sequence[float]) -> None:
        self._view, self._dashes = view, dashes
        self.curve: Curve | None = None
        self.lines: list[Stairs] = []
        self.traces: list[Trace] = []

    def set_curve(self, curve: Curve | None) -> None:
        """What is to come; None: nothing is known."""
        self.curve = curve
        self.lines = _stairs(curve)

    @property
    def known(self) -> bool:
        """Whether there is a curve."""
        return bool(self.lines)

    @property
    def begin(self) -> float:
        """Where the curve begins, in epochs completed; NaN without one."""
        return float(self.curve.x[0]) if self.curve is not None and self.lines else float("nan")

    @property
    def end(self) -> float:
        """Where the curve ends, in epochs completed; NaN without one."""
        return float(self.curve.x[-1]) if self.curve is not None and self.lines else float("nan")

    def at(self, group: int, x: float) -> float:
        """The rate of ``group`` at ``x`` epochs; NaN where the curve does not reach."""
        if group >= len(self.lines) or x > self.end:
            return float("nan")
        return self.lines[group].at(x)

    def last(self, group: int) -> float:
        """The rate of ``group`` at the end; NaN without one."""
        return self.at(group, self.end)

    def parts(self, low: float, high: float, most: int) -> list[Part]:
        """Corners of each line from ``low`` to ``high`` epochs."""
        return [line.between(low, min(high, self.end), most) for line in self.lines]

    def make_traces(self, colors: Sequence[str]) -> None:
        """One line a group, in ``colors``."""
        if len(colors) != len(self.traces):
            self.clear()
            self.traces = [Trace(dashes=self._dashes) for _ in colors]
            for trace in self.traces:
                self._view.addItem(trace, ignoreBounds=True)
        for trace, color in zip(self.traces, colors, strict=True):
            trace.set_color(color)

    def clear(self) -> None:
        """Take the lines out of the view."""
        for trace in self.traces:
            self._view.removeItem(trace)
        self.traces = []


def _stairs(curve: Curve | None) -> list[Stairs]:
    if curve is None or curve.problem is not None or not len(curve.x):
        return []
    return [Stairs.of(curve.x, curve.lr[:, group]) for group in range(curve.lr.shape[1])]
