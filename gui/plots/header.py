"""The row above a plot: its title, a legend that shows the values, and the few controls it has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from PySide6.QtCore import QPointF, QRect, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QToolButton, QWidget

from gui.theme.theme import LIGHT, Colors

Line = Literal["solid", "faint", "dash", "dot"]
_STYLES = {
    "solid": Qt.PenStyle.SolidLine,
    "faint": Qt.PenStyle.SolidLine,
    "dash": Qt.PenStyle.DashLine,
    "dot": Qt.PenStyle.DotLine,
}


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One curve in the legend; ``short`` is its name where the row has no room for the names."""

    key: str
    name: str
    color: str
    line: Line = "solid"
    short: str = ""


class Legend(QWidget):
    """Title, then a swatch, name and value for each curve. Paints itself: a label each would lay out every frame."""

    def __init__(self, title: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._title = title
        self._entries: list[Entry] = []
        self._values: dict[str, str] = {}
        self._colors = LIGHT
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)

    @property
    def values(self) -> dict[str, str]:
        """What is shown beside each curve's name."""
        return dict(self._values)

    def apply_theme(self, colors: Colors) -> None:
        """Draw in ``colors``."""
        self._colors = colors
        self.update()

    def set_entries(self, entries: list[Entry]) -> None:
        """The curves, in order."""
        if entries != self._entries:
            self._entries = list(entries)
            self.setAccessibleName(", ".join([self._title, *(entry.name for entry in entries)]))
            self.update()

    def set_values(self, values: dict[str, str]) -> None:
        """The value beside each curve's name, by key."""
        if values != self._values:
            self._values = dict(values)
            self.update()

    def sizeHint(self) -> QSize:
        """One row."""
        return QSize(220, QFontMetrics(self.font()).height() + 10)

    def minimumSizeHint(self) -> QSize:
        """The title at least."""
        return QSize(QFontMetrics(self._bold()).horizontalAdvance(self._title) + 12, self.sizeHint().height())

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Left to right, until the room is used up."""
        p = QPainter(self)
        p.fillRect(self.rect(), QColor(self._colors.plot))
        p.setRenderHint(QPainter.RenderHint.Antialiasing)
        p.setFont(self._bold())
        p.setPen(QColor(self._colors.text))
        x = self._write(p, 4, self._title) + 16
        plain = self.font()
        p.setFont(plain)
        metrics = QFontMetrics(plain)
        names = self._names(metrics, self.width() - x)
        for entry in self._entries:
            value, name = self._values.get(entry.key, ""), names[entry.key]
            room = 20 + metrics.horizontalAdvance(name) + 6 + metrics.horizontalAdvance(value)
            if x + room > self.width():
                break
            self._swatch(p, x, entry)
            p.setPen(QColor(self._colors.muted))
            after = self._write(p, x + 20, name) + 6
            p.setPen(QColor(self._colors.text))
            # Values come and go by a digit: round their width up, so that the row does not tremble.
            used = self._write(p, after, value) - after
            x = after + (-(-used // 14)) * 14 + 14
        p.end()

    def _names(self, metrics: QFontMetrics, room: int) -> dict[str, str]:
        """The entries' names, the short ones where ``room`` pixels are too few."""
        widths = [metrics.horizontalAdvance(e.name + self._values.get(e.key, "")) + 54 for e in self._entries]
        fits = sum(widths) <= room
        return {e.key: e.name if fits or not e.short else e.short for e in self._entries}

    def _bold(self) -> QFont:
        font = QFont(self.font())
        font.setWeight(QFont.Weight.DemiBold)
        return font

    def _write(self, p: QPainter, x: int, text: str) -> int:
        width = p.fontMetrics().horizontalAdvance(text)
        p.drawText(QRect(x, 0, width + 4, self.height()), Qt.AlignmentFlag.AlignVCenter, text)
        return x + width

    def _swatch(self, p: QPainter, x: int, entry: Entry) -> None:
        pen = QPen(QColor(entry.color), 1.0 if entry.line == "faint" else 2.5, _STYLES[entry.line])
        pen.setCapStyle(Qt.PenCapStyle.FlatCap)
        middle = self.height() / 2 + 0.5
        p.setPen(pen)
        p.drawLine(QPointF(x, middle), QPointF(x + 14, middle))


class Header(QWidget):
    """The legend, and controls at its right."""

    def __init__(self, title: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.legend = Legend(title, self)
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(6, 3, 8, 0)
        self._row.setSpacing(4)
        self._row.addWidget(self.legend, 1)

    def add(self, widget: QWidget) -> None:
        """Put a control at the right."""
        self._row.addWidget(widget)

    def add_button(self, text: str, tip: str, *, checkable: bool = False) -> QToolButton:
        """A small flat button at the right."""
        button = QToolButton(self)
        button.setText(text)
        button.setToolTip(tip)
        button.setAccessibleDescription(tip)
        button.setCheckable(checkable)
        button.setProperty("role", "segment")
        self.add(button)
        return button
