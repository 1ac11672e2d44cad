"""LR curves: step functions of the position, and the lines that draw what is to come."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pyqtgraph as pg

from engine.messages.preview import Curve
from gui.core.column import Column, FloatArray
from gui.plots.items import Trace

# Dash, gap, dash and so on, in widths of the line.
PROJECTED_DASHES: Final = (4.0, 3.0)
PENDING_DASHES: Final = (1.0, 2.5)
CANDIDATE_DASHES: Final = ((8.0, 2.0, 1.5, 2.0), (6.0, 2.0, 1.5, 2.0, 1.5, 2.0), (2.5, 2.0), (10.0, 4.0))

Points = tuple[FloatArray, FloatArray]
"""x and y of a line, both [points]."""


class StepCurve:
    """The LR of one group, constant from each position to the next.

    Args:
        x: positions in epochs completed, rising.
        y: the LR from there on; NaN where it is not known.

    ``last_change`` is the position of the last change, of a curve that ``of`` made; else NaN.
    """

    last_change = float("nan")

    def __init__(self, x: Column, y: Column) -> None:
        self._x, self._y = x, y

    @classmethod
    def of(cls, x: npt.ArrayLike, y: npt.ArrayLike) -> StepCurve:
        """Make a curve from arrays [points]."""
        xs, ys = Column(), Column()
        xs.append(x)
        ys.append(y)
        made = cls(xs, ys)
        changed = np.flatnonzero(ys.values[1:] != ys.values[:-1])
        made.last_change = float(xs.values[changed[-1] + 1 if changed.size else 0])
        return made

    def at(self, x: float) -> float:
        """The LR at ``x``; NaN before the first position."""
        row = int(np.searchsorted(self._x.values, x + 1e-9, side="right")) - 1
        return float(self._y.values[row]) if row >= 0 else float("nan")

    def between(self, low: float, high: float, most: int) -> Points:
        """The corners from ``low`` to ``high``: positions and LRs. Of more than ``most`` steps, their envelope."""
        x = self._x.values
        if not len(x) or high <= low:
            return np.empty(0), np.empty(0)
        first = max(0, int(np.searchsorted(x, low, side="right")) - 1)
        stop = int(np.searchsorted(x, high, side="left"))
        if stop <= first:
            stop = first + 1
        rows, values = self._y.envelope(first, stop, most)
        starts = np.maximum(x[rows], low)
        if stop - first > most:
            return starts, values
        return np.repeat(np.append(starts, high), 2)[1:-1], np.repeat(values, 2)


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A schedule to compare.

    Args:
        key: its letter.
        name: its name for the legend.
        index: which of the candidates' colours and dashes it has.
        curve: its LRs.
    """

    key: str
    name: str
    index: int
    curve: Curve


class Projection:
    """LRs that are to come (projected, pending or of a candidate), drawn as one line a group.

    Args:
        view: the view that the lines are added to.
        dashes: dash, gap, dash and so on, in widths of the line.
    """

    def __init__(self, view: pg.ViewBox, dashes: Sequence[float]) -> None:
        self._view, self._dashes = view, dashes
        self.curve: Curve | None = None
        self.lines: list[StepCurve] = []
        self.traces: list[Trace] = []

    def set_curve(self, curve: Curve | None) -> None:
        """Set the LRs; None where they are not known."""
        self.curve = curve
        self.lines = _step_curves(curve)

    @property
    def known(self) -> bool:
        """Whether there is a curve."""
        return bool(self.lines)

    @property
    def begin(self) -> float:
        """Where the curve begins, in epochs completed; NaN without a curve."""
        return float(self.curve.x[0]) if self.curve is not None and self.lines else float("nan")

    @property
    def end(self) -> float:
        """Where the curve ends, in epochs completed; NaN without a curve."""
        return float(self.curve.x[-1]) if self.curve is not None and self.lines else float("nan")

    def at(self, group: int, x: float) -> float:
        """The LR of ``group`` at ``x`` epochs; NaN outside the curve."""
        if group >= len(self.lines) or x > self.end:
            return float("nan")
        return self.lines[group].at(x)

    def last(self, group: int) -> float:
        """The LR of ``group`` at the end of the curve; NaN without a curve."""
        return self.at(group, self.end)

    def points(self, low: float, high: float, most: int) -> list[Points]:
        """The corners of each line from ``low`` to ``high`` epochs; of more than ``most`` steps, their envelope."""
        return [line.between(low, min(high, self.end), most) for line in self.lines]

    def make_traces(self, colors: Sequence[str]) -> None:
        """Have one line a group, in ``colors``."""
        if len(colors) != len(self.traces):
            self.clear()
            self.traces = [Trace(dashes=self._dashes) for _ in colors]
            for trace in self.traces:
                self._view.addItem(trace, ignoreBounds=True)
        for trace, color in zip(self.traces, colors, strict=True):
            trace.set_color(color)

    def clear(self) -> None:
        """Remove the lines from the view."""
        for trace in self.traces:
            self._view.removeItem(trace)
        self.traces = []


def _step_curves(curve: Curve | None) -> list[StepCurve]:
    if curve is None or curve.problem is not None or not len(curve.x):
        return []
    return [StepCurve.of(curve.x, curve.lr[:, group]) for group in range(curve.lr.shape[1])]
