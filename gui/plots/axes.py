"""The axes of the plots, their ticks, and how numbers are written on them."""

from __future__ import annotations

import math
from typing import Final

import pyqtgraph as pg

from gui.core.history import Axis
from gui.core.lr_text import lr_text

_ROW: Final = 25  # pixels between two ticks of the vertical axis, at least
_TIMES: Final = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 28800, 86400)

Ticks = list[tuple[float, list[float]]]


def value_text(value: float, digits: int = 4) -> str:
    """A number for a legend or a tick, with at most ``digits`` significant digits; a dash if it is not finite."""
    return lr_text(value, digits) if math.isfinite(value) else "–"


def percent_text(value: float) -> str:
    """A value in percent with two decimals; a dash if it is not finite."""
    return f"{value:.2f}%" if math.isfinite(value) else "–"


def clock_text(seconds: float) -> str:
    """Seconds as 0:07, 12:05 or 3:20:00; a dash if they are not finite."""
    if not math.isfinite(seconds):
        return "–"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def nice_step(span: float, most: int) -> float:
    """The smallest of 1, 2, 5 times a power of ten that divides ``span`` into at most ``most`` parts."""
    rough = max(span, 1e-300) / max(1, most)
    power = 10.0 ** math.floor(math.log10(rough))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * (1 - 1e-9))


def multiples(step: float, low: float, high: float) -> list[float]:
    """The multiples of ``step`` from ``low`` to ``high``."""
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [float(n * step) for n in range(first, last + 1)]


def log_ticks(low: float, high: float, most: int) -> list[float]:
    """Round values between 10**low and 10**high, at most about ``most``, as exponents."""
    decades = range(math.floor(low), math.ceil(high) + 1)

    def at(mantissas: tuple[int, ...], every: int = 1) -> list[float]:
        found = [d + math.log10(m) for d in decades if d % every == 0 for m in mantissas]
        return [y for y in found if low <= y <= high]

    for mantissas in ((1, 2, 3, 4, 5, 6, 7, 8, 9), (1, 2, 5), (1, 3), (1,)):
        ticks = at(mantissas)
        if 3 <= len(ticks) <= most or (mantissas == (1, 3) and 2 <= len(ticks) <= most):
            return ticks
    if high - low < 1:
        step = nice_step(10**high - 10**low, max(2, most // 2))
        return [math.log10(v) for v in multiples(step, 10**low, 10**high) if v > 0]
    every = next((n for n in range(1, 40) if len(at((1,), n)) <= most), 40)
    return at((1,), every)


class ValueAxis(pg.AxisItem):  # type: ignore[misc]
    """The vertical axis, linear or logarithmic.

    On the log scale the view's coordinate is the exponent, and ``zero_at`` is the coordinate at which 0 is drawn, in a
    strip at the bottom; None without a strip.
    """

    def __init__(self, suffix: str = "") -> None:
        super().__init__("left")
        self.log = False
        self.zero_at: float | None = None
        self._suffix = suffix
        self.enableAutoSIPrefix(False)
        self.setStyle(tickLength=0, tickTextOffset=6, autoExpandTextSpace=False, hideOverlappingLabels=10)
        self.setWidth(54)

    def set_scale(self, *, log: bool, zero_at: float | None = None) -> None:
        """Make the axis linear or logarithmic; ``zero_at`` as for the class."""
        if (log, zero_at) != (self.log, self.zero_at):
            self.log, self.zero_at = log, zero_at
            self.picture = None
            self.update()

    def tickValues(self, minVal: float, maxVal: float, size: float) -> Ticks:  # noqa: N803 - pyqtgraph's names
        """Round values, at most one per 25 pixels."""
        low, high = sorted((minVal, maxVal))
        most = max(2, int(size / _ROW))
        if not self.log:
            step = nice_step(high - low, most)
            return [(step, multiples(step, low, high))]
        ticks = log_ticks(low if self.zero_at is None else max(low, self.strip_top()), high, most)
        return [(1.0, ticks if self.zero_at is None else [self.zero_at, *ticks])]

    def strip_top(self) -> float:
        """The coordinate at which the strip for 0 ends; the bottom of the view without a strip."""
        low = float(self.range[0])
        return low if self.zero_at is None else 2 * self.zero_at - low

    def tickStrings(self, values: list[float], scale: float, spacing: float) -> list[str]:
        """Numbers without SI prefixes."""
        if self.log:
            return ["0" if y == self.zero_at else value_text(10**y) + self._suffix for y in values]
        return [value_text(0.0 if abs(v) < spacing / 1e6 else v) + self._suffix for v in values]


class PositionAxis(pg.AxisItem):  # type: ignore[misc]
    """The horizontal axis, in epochs completed, steps or seconds of training."""

    def __init__(self) -> None:
        super().__init__("bottom")
        self.kind: Axis = "epochs"
        self.enableAutoSIPrefix(False)
        self.setStyle(tickLength=0, tickTextOffset=5, autoExpandTextSpace=False, hideOverlappingLabels=False)
        self.setHeight(22)

    def set_kind(self, kind: Axis) -> None:
        """Set what positions are counted in."""
        self.kind = kind
        self.picture = None
        self.update()

    def tickValues(self, minVal: float, maxVal: float, size: float) -> Ticks:  # noqa: N803 - pyqtgraph's names
        """Round numbers of epochs and steps; whole seconds, minutes and hours of time."""
        span, most = maxVal - minVal, max(2, int(size / 70))
        if self.kind == "time" and span / most > 1:
            step = next((float(s) for s in _TIMES if span / s <= most), nice_step(span, most))
        else:
            step = max(nice_step(span, most), 0.01 if self.kind == "epochs" else 1.0)
        return [(step, multiples(step, max(minVal, 0.0), maxVal))]

    def tickStrings(self, values: list[float], scale: float, spacing: float) -> list[str]:
        """Positions as text."""
        if self.kind == "time":
            return [clock_text(v) for v in values]
        if self.kind == "steps":
            return [f"{round(v):,}".replace(",", " ") for v in values]
        return [f"{v:.6g}" for v in values]
