"""The row above a plot: its title, a legend with values, and its controls."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from PySide6.QtCore import QPointF, QRect, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QToolButton, QWidget

from gui.theme.theme import LIGHT, Colors

LineStyle = Literal["solid", "faint", "dash", "dot"]
_DASHES: dict[LineStyle, list[float]] = {"dash": [2.0, 1.2], "dot": [1.0, 1.0]}  # in widths of the line
_SWATCH = 14  # pixels that a line in the legend is long
_NAME = 20  # pixels from the line's left to the name's
_GAP = 10  # pixels between a value and the next line, at least
_LONG_VALUE = "0.000000"
_ROOM = _NAME + 6 + 2 * _GAP  # pixels of an entry without its texts, at most


@dataclass(frozen=True, kw_only=True)
class LegendEntry:
    """One curve in the legend; ``short`` is shown in place of ``name`` where the names do not fit."""

    key: str
    name: str
    color: str
    line: LineStyle = "solid"
    short: str = ""


class PlotLegend(QWidget):
    """Title, then a line, name and value for each curve.

    It paints itself, because a label for each value would make Qt lay the row out in every frame.
    """

    def __init__(self, title: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._title = title
        self._entries: list[LegendEntry] = []
        self._values: dict[str, str] = {}
        self._colors = LIGHT
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)

    @property
    def values(self) -> dict[str, str]:
        """The values, by the entries' keys."""
        return dict(self._values)

    def apply_theme(self, colors: Colors) -> None:
        """Draw in ``colors``."""
        self._colors = colors
        self.update()

    def set_entries(self, entries: list[LegendEntry]) -> None:
        """Show ``entries``, in this order."""
        if entries != self._entries:
            self._entries = list(entries)
            self.setAccessibleName(", ".join([self._title, *(entry.name for entry in entries)]))
            self.update()

    def set_values(self, values: dict[str, str]) -> None:
        """Show ``values`` beside the entries' names, by their keys."""
        if values != self._values:
            self._values = dict(values)
            self.update()

    def sizeHint(self) -> QSize:
        """One row."""
        return QSize(220, QFontMetrics(self.font()).height() + 10)

    def minimumSizeHint(self) -> QSize:
        """The title."""
        return QSize(QFontMetrics(self._bold()).horizontalAdvance(self._title) + 12, self.sizeHint().height())

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint from left to right as many entries as fit."""
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
            room = _NAME + metrics.horizontalAdvance(name) + 6 + metrics.horizontalAdvance(value)
            if x + room > self.width():
                break
            self._draw_line(p, x, entry)
            p.setPen(QColor(self._colors.muted))
            after = self._write(p, x + _NAME, name) + 6
            p.setPen(QColor(self._colors.text))
            # The number of digits changes often: the width is rounded up, so that the following entries keep still.
            used = self._write(p, after, value) - after
            x = after + (-(-used // _GAP)) * _GAP + _GAP
        p.end()

    def _names(self, metrics: QFontMetrics, room: int) -> dict[str, str]:
        """The entries' names, or the short ones if they do not fit in ``room`` pixels."""
        longest = metrics.horizontalAdvance(_LONG_VALUE)  # of every value, so that the names do not change with them
        widths = [
            metrics.horizontalAdvance(entry.name)
            + (max(metrics.horizontalAdvance(self._values[entry.key]), longest) if entry.key in self._values else 0)
            + _ROOM
            for entry in self._entries
        ]
        fits = sum(widths) <= room
        return {e.key: e.name if fits or not e.short else e.short for e in self._entries}

    def _bold(self) -> QFont:
        font = QFont(self.font())
        font.setWeight(QFont.Weight.DemiBold)
        return font

    def _write(self, p: QPainter, x: int, text: str) -> int:
        """Write ``text`` at ``x`` and return where it ends."""
        width = p.fontMetrics().horizontalAdvance(text)
        p.drawText(QRect(x, 0, width + 4, self.height()), Qt.AlignmentFlag.AlignVCenter, text)
        return x + width

    def _draw_line(self, p: QPainter, x: int, entry: LegendEntry) -> None:
        pen = QPen(QColor(entry.color), 1.0 if entry.line == "faint" else 2.5)
        if entry.line in _DASHES:
            pen.setDashPattern(_DASHES[entry.line])
        pen.setCapStyle(Qt.PenCapStyle.FlatCap)
        middle = self.height() / 2 + 0.5
        p.setPen(pen)
        p.drawLine(QPointF(x, middle), QPointF(x + _SWATCH, middle))


class PlotHeader(QWidget):
    """The legend, with controls at its right."""

    def __init__(self, title: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.legend = PlotLegend(title, self)
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(6, 3, 8, 0)
        self._row.setSpacing(4)
        self._row.addWidget(self.legend, 1)

    def add(self, widget: QWidget) -> None:
        """Add a control at the right."""
        self._row.addWidget(widget)

    def add_button(self, text: str, tip: str, *, checkable: bool = False) -> QToolButton:
        """Add a small flat button at the right."""
        button = segment_button(self, text, tip, checkable=checkable)
        self.add(button)
        return button


def segment_button(parent: QWidget, text: str, tip: str, *, checkable: bool = False) -> QToolButton:
    """A small flat button with a tooltip."""
    button = QToolButton(parent)
    button.setText(text)
    button.setToolTip(tip)
    button.setAccessibleDescription(tip)
    button.setCheckable(checkable)
    button.setProperty("role", "segment")
    return button
