"""A coloured dot, and the chip that says what the run is doing."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QIcon, QPainter, QPaintEvent, QPen, QPixmap
from PySide6.QtWidgets import QFrame, QHBoxLayout, QWidget

from engine.common.lifecycle import STATES, State
from gui.core.translation import tr
from gui.widgets.labels import Readout, set_role

# Mid-tones: each stands out on a white ground as on a dark one. The word beside the dot says the same.
GREEN: Final = "#3a9d5d"
AMBER: Final = "#d08a1d"
RED: Final = "#d64545"
BLUE: Final = "#4a8fd8"
VIOLET: Final = "#8a6fd8"
GREY: Final = "#8a8f98"

_COLOURS: Final[dict[State, str]] = {
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


def state_words(state: State) -> str:
    """The state as a person reads it."""
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


def state_colour(state: State) -> str:
    """The colour that stands for the state."""
    return _COLOURS[state]


def draw_dot(painter: QPainter, area: QRectF, colour: QColor, *, hollow: bool = False) -> None:
    """A round dot that fills ``area``; a ring where ``hollow``."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    width = max(1.5, area.width() / 5)
    if hollow:
        painter.setPen(QPen(colour, width))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        inset = width / 2
        painter.drawEllipse(area.adjusted(inset, inset, -inset, -inset))
    else:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour)
        painter.drawEllipse(area)


def dot_icon(colour: str) -> QIcon:
    """A dot as an icon of 12 pixels, sharp on screens of up to three times the density."""
    ratio = 3
    pixmap = QPixmap(12 * ratio, 12 * ratio)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    draw_dot(painter, QRectF(2 * ratio, 2 * ratio, 8 * ratio, 8 * ratio), QColor(colour))
    painter.end()
    pixmap.setDevicePixelRatio(ratio)
    return QIcon(pixmap)


class Dot(QWidget):
    """A dot of 10 pixels."""

    def __init__(self, colour: str = GREY, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._colour = QColor(colour)
        self._hollow = False
        self.setFixedSize(QSize(10, 10))

    def show_colour(self, colour: str, *, hollow: bool = False) -> None:
        """Paint in ``colour`` from now on, as a ring where ``hollow``."""
        self._colour, self._hollow = QColor(colour), hollow
        self.update()

    def colour(self) -> QColor:
        """The colour shown."""
        return QColor(self._colour)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the dot."""
        draw_dot(QPainter(self), QRectF(self.rect()), self._colour, hollow=self._hollow)


class StateChip(QFrame):
    """What the run is doing, in a word and a colour; as wide as the longest word, so that nothing beside it moves."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        set_role(self, "chip")
        self._dot = Dot()
        self._text = Readout()
        for state in STATES:
            self._text.reserve(state_words(state))
        layout = QHBoxLayout(self)
        layout.setContentsMargins(8, 3, 10, 3)
        layout.setSpacing(6)
        layout.addWidget(self._dot)
        layout.addWidget(self._text)
        self.show_state("ready")

    def show_state(self, state: State) -> None:
        """Show ``state``."""
        self._text.setText(state_words(state))
        self._dot.show_colour(_COLOURS[state], hollow=state in _HOLLOW)
        self.setAccessibleName(tr("The run: {state}", state=state_words(state)))

    def text(self) -> str:
        """The word shown."""
        return self._text.text()

    def colour(self) -> QColor:
        """The colour shown."""
        return self._dot.colour()
