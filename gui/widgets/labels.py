"""Labels of plain text, and what several panels do with labels, buttons and scroll areas."""

from __future__ import annotations

from html import escape
from typing import Literal

from PySide6.QtCore import QRect, QSize, Qt, QTimer
from PySide6.QtGui import QFontMetrics, QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QLabel, QScrollArea, QSizePolicy, QWidget

from gui.core.translation import said
from gui.theme.theme import set_style_property

Role = Literal["chip", "title", "hint", "error", "card", "primary", ""]


def set_role(widget: QWidget, role: Role) -> None:
    """Set the role of ``widget``, by which the style sheet styles it."""
    set_style_property(widget, "role", role)


def label(text: str = "", role: Role = "", *, wrap: bool = False) -> QLabel:
    """A label that shows ``text`` as it is, never as rich text."""
    made = QLabel(text)
    made.setTextFormat(Qt.TextFormat.PlainText)
    made.setWordWrap(wrap)
    set_role(made, role)
    if role == "title":
        font = made.font()
        font.setBold(True)
        made.setFont(font)
    return made


def heading(text: str) -> QLabel:
    """The heading of a section."""
    made = QLabel(text)
    made.setProperty("role", "section")
    made.setIndent(0)
    font = made.font()
    font.setBold(True)
    made.setFont(font)
    return made


def button_text(text: str) -> str:
    """``text`` for a button, where a single & would make the next letter its shortcut."""
    return text.replace("&", "&&")


def as_tip(text: str) -> str:
    """``text`` as a tooltip that is wrapped and shows it as it is, never as rich text."""
    return f"<qt>{escape(text)}</qt>" if text else ""


def set_available(widget: QWidget, why_not: str | None, tip: str) -> None:
    """Enable ``widget`` with the tooltip ``tip``, or disable it with the reason ``why_not`` as its tooltip."""
    widget.setEnabled(why_not is None)
    widget.setToolTip(as_tip(said(why_not) if why_not else tip))


def widest_digits(text: str, metrics: QFontMetrics) -> int:
    """The width of ``text`` in pixels with the widest digits in place of its own."""
    digit = max("0123456789", key=metrics.horizontalAdvance)
    return metrics.horizontalAdvance("".join(digit if c.isdigit() else c for c in text))


def scroll_area(panel: QWidget) -> QScrollArea:
    """A scroll area around ``panel`` that scrolls vertically."""
    area = QScrollArea()
    area.setWidget(panel)
    area.setWidgetResizable(True)
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    return area


def scroll_into_view(widget: QWidget) -> None:
    """Scroll the area around ``widget`` until the widget is visible, once it is laid out."""

    def scroll() -> None:
        area = widget.parentWidget()
        while area is not None and not isinstance(area, QScrollArea):
            area = area.parentWidget()
        if area is not None and widget.isVisible():
            area.ensureWidgetVisible(widget)

    QTimer.singleShot(50, widget, scroll)


def short_count(n: int) -> str:
    """A number of parameters in short: 640, 21.8k, 11.2M."""
    for unit, size in (("M", 1_000_000), ("k", 1_000)):
        if n >= 0.9995 * size:
            return f"{n / size:.3g}{unit}"
    return str(n)


class Readout(QLabel):
    """A label for a changing number. It is as wide as the longest text reserved, so that nothing beside it moves."""

    def __init__(self, text: str = "", parent: QWidget | None = None) -> None:
        super().__init__(text, parent)
        self.setTextFormat(Qt.TextFormat.PlainText)

    def reserve(self, sample: str) -> None:
        """Keep the width of ``sample`` with any digits."""
        margins = self.contentsMargins()
        need = widest_digits(sample, self.fontMetrics()) + margins.left() + margins.right() + 2
        self.setMinimumWidth(max(self.minimumWidth(), need))


class ElidedLabel(QLabel):
    """One line of text, elided if it does not fit. The tooltip shows it in full."""

    def __init__(self, text: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setText(text)

    def setText(self, text: str) -> None:
        """Show ``text`` with spaces for its line breaks."""
        super().setText(" ".join(text.split()))
        self.setToolTip(as_tip(text))

    def minimumSizeHint(self) -> QSize:
        """A few letters: the rest can be elided."""
        return QSize(self.fontMetrics().averageCharWidth() * 8, super().minimumSizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint as much of the text as fits."""
        painter = QPainter(self)
        rect: QRect = self.contentsRect()
        shown = self.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideRight, rect.width())
        flags = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        self.style().drawItemText(
            painter, rect, int(flags), self.palette(), self.isEnabled(), shown, self.foregroundRole()
        )
