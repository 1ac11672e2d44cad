"""A learning rate as a person reads it, types it and drags it on a logarithmic scale."""

from __future__ import annotations

import math
import re
from typing import Final

from PySide6.QtCore import QPointF, QSignalBlocker, QSize, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPalette, QPolygonF, QWheelEvent
from PySide6.QtWidgets import QSizePolicy, QSlider, QStyle, QStyleOptionSlider, QVBoxLayout, QWidget

from engine.commands import LARGEST_FACTOR
from engine.recipe import LR_MAX
from gui.words import tr

_NUMBER: Final = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.IGNORECASE | re.ASCII)
_BEGUN: Final = re.compile(r"\+?(\d*\.?\d*)(e[+-]?)?", re.IGNORECASE | re.ASCII)
_STEPS: Final = 100  # positions of the slider in a decade
_LOWEST: Final = -12
_HIGHEST: Final = int(math.log10(LR_MAX))


def rate_text(value: float, digits: int = 6) -> str:
    """``value`` as people write rates: 0.005, 5e-5; at most ``digits`` significant digits."""
    text = f"{value:.{digits}g}"
    mantissa, e, exponent = text.partition("e")
    return f"{mantissa}e{int(exponent)}" if e else text


def read_rate(text: str) -> float:
    """The rate that was typed: 0.001, 1e-3, .001, or with a decimal comma.

    Raises:
        ValueError: it is not a number from 0 to 1000; the message is for the person.
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
        raise ValueError(tr("A learning rate is at most {most}.", most=rate_text(LR_MAX)))
    return abs(value)  # -0 is 0


def read_factor(text: str) -> float:
    """The factor that was typed: 0.5, 2, or with a decimal comma.

    Raises:
        ValueError: it is no factor; the message is for the person.
    """
    try:
        value = float(text.replace(",", "."))
    except ValueError:
        value = math.nan
    if math.isnan(value):
        raise ValueError(tr("“{typed}” is not a number. Write a factor as 0.5 or 2.", typed=text[:20]))
    if value <= 0:
        raise ValueError(tr("A factor is more than 0. To stop a group, freeze it."))
    if value > LARGEST_FACTOR:
        raise ValueError(tr("A factor is at most {most}.", most=f"{LARGEST_FACTOR:,.0f}"))
    return value


def is_begun(text: str) -> bool:
    """Whether ``text`` is a number that is not typed to its end ("1e-"), which is no mistake yet."""
    text = text.strip().replace(",", ".", 1)
    return _BEGUN.fullmatch(text) is not None and _NUMBER.fullmatch(text) is None


class _Slider(QSlider):
    """The bare slider; the wheel moves it only when it has the focus, so that scrolling past stages nothing."""

    def __init__(self) -> None:
        super().__init__(Qt.Orientation.Horizontal)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSingleStep(_STEPS // 20)
        self.setPageStep(round(_STEPS * math.log10(2)))

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Leave the wheel to the scroll area unless this slider was chosen."""
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()

    def x_of(self, position: float) -> float:
        """The middle of the handle, in pixels from the left, when it stands at ``position``."""
        option = QStyleOptionSlider()
        self.initStyleOption(option)
        groove = QStyle.SubControl.SC_SliderGroove
        handle = QStyle.SubControl.SC_SliderHandle
        track = self.style().subControlRect(QStyle.ComplexControl.CC_Slider, option, groove, self)
        knob = self.style().subControlRect(QStyle.ComplexControl.CC_Slider, option, handle, self)
        share = (position - self.minimum()) / max(1, self.maximum() - self.minimum())
        return track.left() + knob.width() / 2 + share * (track.width() - knob.width())


class _Scale(QWidget):
    """Ticks and decades under the slider, and a mark where the rate in force stands."""

    def __init__(self, slider: _Slider) -> None:
        super().__init__()
        self._slider = slider
        self.mark: float | None = None
        font = self.font()
        if font.pointSizeF() > 0:
            font.setPointSizeF(font.pointSizeF() * 0.8)
        self.setFont(font)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        """High enough for ticks and one line of text."""
        return QSize(120, self.fontMetrics().height() + 9)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the scale."""
        painter = QPainter(self)
        group = QPalette.ColorGroup.Normal if self.isEnabled() else QPalette.ColorGroup.Disabled
        faint = QColor(self.palette().color(group, QPalette.ColorRole.WindowText))
        faint.setAlphaF(0.62 if self.isEnabled() else 0.4)
        low, high = self._slider.minimum() // _STEPS, self._slider.maximum() // _STEPS
        labels = {d: _decade(d) for d in range(low, high + 1)}
        metrics = self.fontMetrics()
        room = (self._slider.x_of(high * _STEPS) - self._slider.x_of(low * _STEPS)) / max(1, high - low)
        widest = max(metrics.horizontalAdvance(text) for text in labels.values()) + 6
        stride = max(1, math.ceil(widest / max(1.0, room)))
        painter.setPen(faint)
        for decade, text in labels.items():
            x = self._slider.x_of(decade * _STEPS)
            painter.drawLine(QPointF(x, 1), QPointF(x, 5))
            if (high - decade) % stride == 0:
                width = metrics.horizontalAdvance(text)
                left = min(max(0.0, x - width / 2), self.width() - width)
                painter.drawText(QPointF(left, 7 + metrics.ascent()), text)
        if self.mark is not None:
            x = self._slider.x_of(self.mark)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self.palette().color(group, QPalette.ColorRole.Highlight))
            painter.drawPolygon(QPolygonF([QPointF(x, 0), QPointF(x - 4, 6), QPointF(x + 4, 6)]))


def _decade(exponent: int) -> str:
    return rate_text(10.0**exponent) if -3 <= exponent <= 3 else f"1e{exponent}"


class LogSlider(QWidget):
    """A slider over learning rates, logarithmic, with a scale under it.

    Signals:
        moved(float): the person moved it to this rate (two significant digits); never emitted by a setter.
    """

    moved = Signal(float)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._slider = _Slider()
        self._scale = _Scale(self._slider)
        self._slider.valueChanged.connect(self._on_moved)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self._slider)
        layout.addWidget(self._scale)
        self.setFocusProxy(self._slider)
        self.set_span(1e-6, 1.0)
        self.show_rate(0.0)

    def set_span(self, low: float, high: float) -> None:
        """Let the slider reach from ``low`` to ``high``, both widened to whole decades."""
        with QSignalBlocker(self._slider):
            self._slider.setRange(_floor(low) * _STEPS, _ceil(high) * _STEPS)
        self._scale.update()

    def cover(self, rate: float) -> None:
        """Widen the span where ``rate`` lies outside; it never narrows, so that the scale keeps still."""
        if rate > 0:
            with QSignalBlocker(self._slider):
                self._slider.setMinimum(min(self._slider.minimum(), _floor(rate) * _STEPS))
                self._slider.setMaximum(max(self._slider.maximum(), _ceil(rate) * _STEPS))
            self._scale.update()

    def show_rate(self, rate: float) -> None:
        """Stand at ``rate``, at the left end for 0, without a signal."""
        self.cover(rate)
        with QSignalBlocker(self._slider):
            self._slider.setValue(self._position(rate))

    def mark_rate(self, rate: float | None) -> None:
        """Put the mark of the rate in force at ``rate``; None takes it away."""
        self._scale.mark = None if rate is None else self._position(rate)
        self._scale.update()

    def rate(self) -> float:
        """The rate that the slider stands at, to two significant digits."""
        return float(f"{10 ** (self._slider.value() / _STEPS):.1e}")

    def span(self) -> tuple[float, float]:
        """The lowest and the highest rate that the slider reaches."""
        return 10 ** (self._slider.minimum() / _STEPS), 10 ** (self._slider.maximum() / _STEPS)

    def slider(self) -> QSlider:
        """The bare slider, for tooltips and names."""
        return self._slider

    def _position(self, rate: float) -> int:
        return round(math.log10(rate) * _STEPS) if rate > 0 else self._slider.minimum()

    def _on_moved(self) -> None:
        self.moved.emit(self.rate())


def _floor(rate: float) -> int:
    return min(_HIGHEST - 1, max(_LOWEST, math.floor(math.log10(rate) + 1e-9)))


def _ceil(rate: float) -> int:
    return min(_HIGHEST, max(_LOWEST + 1, math.ceil(math.log10(rate) - 1e-9)))
