"""A coloured dot, and the chip that shows the state of the run."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QIcon, QPainter, QPaintEvent, QPen, QPixmap
from PySide6.QtWidgets import QFrame, QHBoxLayout, QWidget

from engine.common.lifecycle import STATES, State
from gui.core.translation import tr
from gui.widgets.labels import Readout, set_role

# Mid-tones, visible on light and dark backgrounds. A text beside the dot gives the same information.
GREEN: Final = "#3a9d5d"
AMBER: Final = "#d08a1d"
RED: Final = "#d64545"
BLUE: Final = "#4a8fd8"
VIOLET: Final = "#8a6fd8"
GREY: Final = "#8a8f98"

_COLORS: Final[dict[State, str]] = {
    "loading": GREY,
    "ready": GREY,
    "training": GREEN,
    "paused": AMBER,
    "diverged": RED,
    "finished": BLUE,
    "stopped": GREY,
    "failed": RED,
}
_HOLLOW: Final[frozenset[State]] = frozenset({"loading", "ready"})


def state_text(state: State) -> str:
    """The state as text."""
    return {
        "loading": tr("Loading"),
        "ready": tr("Ready"),
        "training": tr("Training"),
        "paused": tr("Paused"),
        "diverged": tr("Diverged"),
        "finished": tr("Finished"),
        "stopped": tr("Stopped"),
        "failed": tr("Failed"),
    }[state]


def state_color(state: State) -> str:
    """The colour of the state, as ``#rrggbb``."""
    return _COLORS[state]


def draw_dot(painter: QPainter, area: QRectF, color: QColor, *, hollow: bool = False) -> None:
    """Paint a dot that fills ``area``, or a ring if ``hollow``."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    width = max(1.5, area.width() / 5)
    if hollow:
        painter.setPen(QPen(color, width))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        inset = width / 2
        painter.drawEllipse(area.adjusted(inset, inset, -inset, -inset))
    else:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(color)
        painter.drawEllipse(area)


def dot_icon(color: str) -> QIcon:
    """A dot as an icon of 12 pixels, sharp at up to three physical pixels a pixel."""
    ratio = 3
    pixmap = QPixmap(12 * ratio, 12 * ratio)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    draw_dot(painter, QRectF(2 * ratio, 2 * ratio, 8 * ratio, 8 * ratio), QColor(color))
    painter.end()
    pixmap.setDevicePixelRatio(ratio)
    return QIcon(pixmap)


class Dot(QWidget):
    """A dot of 10 pixels."""

    def __init__(self, color: str = GREY, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._color = QColor(color)
        self._hollow = False
        self.setFixedSize(QSize(10, 10))

    def show_color(self, color: str, *, hollow: bool = False) -> None:
        """Paint in ``color``, as a ring if ``hollow``."""
        self._color, self._hollow = QColor(color), hollow
        self.update()

    def color(self) -> QColor:
        """The colour shown."""
        return QColor(self._color)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the dot."""
        draw_dot(QPainter(self), QRectF(self.rect()), self._color, hollow=self._hollow)


class StateChip(QFrame):
    """The state of the run as text and colour. It is as wide as the longest text, so that nothing beside it moves."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        set_role(self, "chip")
        self._dot = Dot()
        self._text = Readout()
        for state in STATES:
            self._text.reserve(state_text(state))
        layout = QHBoxLayout(self)
        layout.setContentsMargins(8, 3, 10, 3)
        layout.setSpacing(6)
        layout.addWidget(self._dot)
        layout.addWidget(self._text)
        self.show_state("ready")

    def show_state(self, state: State) -> None:
        """Show ``state``."""
        self._text.setText(state_text(state))
        self._dot.show_color(_COLORS[state], hollow=state in _HOLLOW)
        self.setAccessibleName(tr("Run state: {state}", state=state_text(state)))

    def text(self) -> str:
        """The text shown."""
        return self._text.text()

    def color(self) -> QColor:
        """The colour shown."""
        return self._dot.color()
