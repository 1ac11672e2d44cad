"""A slider for learning rates on a logarithmic scale."""

from __future__ import annotations

import math
from typing import Final

from PySide6.QtCore import QPointF, QSignalBlocker, QSize, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPalette, QPolygonF, QWheelEvent
from PySide6.QtWidgets import QSizePolicy, QSlider, QStyle, QStyleOptionSlider, QVBoxLayout, QWidget

from engine.recipe.recipe import LR_MAX
from gui.core.lr_text import lr_text

_STEPS: Final = 100  # positions of the slider in a decade
_LOWEST: Final = -12
_HIGHEST: Final = int(math.log10(LR_MAX))


class _Slider(QSlider):
    """The slider alone. The wheel moves it only while it has the focus, so that scrolling past changes nothing."""

    def __init__(self) -> None:
        super().__init__(Qt.Orientation.Horizontal)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSingleStep(_STEPS // 20)
        self.setPageStep(round(_STEPS * math.log10(2)))

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Leave the wheel to the scroll area unless the slider has the focus."""
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()

    def x_of(self, position: float) -> float:
        """The middle of the handle at ``position``, in pixels from the left."""
        option = QStyleOptionSlider()
        self.initStyleOption(option)
        groove = QStyle.SubControl.SC_SliderGroove
        handle = QStyle.SubControl.SC_SliderHandle
        track = self.style().subControlRect(QStyle.ComplexControl.CC_Slider, option, groove, self)
        knob = self.style().subControlRect(QStyle.ComplexControl.CC_Slider, option, handle, self)
        share = (position - self.minimum()) / max(1, self.maximum() - self.minimum())
        return track.left() + knob.width() / 2 + share * (track.width() - knob.width())


class _Scale(QWidget):
    """Ticks and decades below the slider, and a mark at the current LR."""

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
        """The height of ticks and one line of text."""
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
    return lr_text(10.0**exponent) if -3 <= exponent <= 3 else f"1e{exponent}"


class LRSlider(QWidget):
    """A logarithmic slider of learning rates, with a scale below it.

    Signals:
        moved(float): the person moved it to this LR (two significant digits). No method emits it.
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
        self.show_lr(0.0)

    def set_span(self, low: float, high: float) -> None:
        """Set the range from ``low`` to ``high``, widened to whole decades."""
        with QSignalBlocker(self._slider):
            self._slider.setRange(_floor(low) * _STEPS, _ceil(high) * _STEPS)
        self._scale.update()

    def cover(self, lr: float) -> None:
        """Widen the range if ``lr`` is outside. It never narrows, so that the scale keeps still."""
        if lr > 0:
            with QSignalBlocker(self._slider):
                self._slider.setMinimum(min(self._slider.minimum(), _floor(lr) * _STEPS))
                self._slider.setMaximum(max(self._slider.maximum(), _ceil(lr) * _STEPS))
            self._scale.update()

    def show_lr(self, lr: float) -> None:
        """Move to ``lr``; for 0, to the left end."""
        self.cover(lr)
        with QSignalBlocker(self._slider):
            self._slider.setValue(self._position(lr))

    def mark_lr(self, lr: float | None) -> None:
        """Mark ``lr`` as the current LR on the scale; None removes the mark."""
        self._scale.mark = None if lr is None else self._position(lr)
        self._scale.update()

    def value_lr(self) -> float:
        """The LR of the slider's position, with two significant digits."""
        return float(f"{10 ** (self._slider.value() / _STEPS):.1e}")

    def span(self) -> tuple[float, float]:
        """The lowest and the highest LR of the range."""
        return 10 ** (self._slider.minimum() / _STEPS), 10 ** (self._slider.maximum() / _STEPS)

    def slider(self) -> QSlider:
        """The slider alone, for tooltips and names."""
        return self._slider

    def _position(self, lr: float) -> int:
        return round(math.log10(lr) * _STEPS) if lr > 0 else self._slider.minimum()

    def _on_moved(self) -> None:
        self.moved.emit(self.value_lr())


def _floor(lr: float) -> int:
    return min(_HIGHEST - 1, max(_LOWEST, math.floor(math.log10(lr) + 1e-9)))


def _ceil(lr: float) -> int:
    return min(_HIGHEST, max(_LOWEST + 1, math.ceil(math.log10(lr) - 1e-9)))
