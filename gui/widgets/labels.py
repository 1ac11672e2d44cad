"""Labels that the panels share: plain text only, never wider than their place, never jumping as digits change."""

from __future__ import annotations

from html import escape
from typing import Literal

from PySide6.QtCore import QRect, QSize, Qt, QTimer
from PySide6.QtGui import QFontMetrics, QPainter, QPaintEvent, QPalette
from PySide6.QtWidgets import QFrame, QLabel, QScrollArea, QSizePolicy, QWidget

from gui.core.translation import said
from gui.theme.theme import restyle

Role = Literal["chip", "title", "hint", "error", "card", "primary", ""]


def set_role(widget: QWidget, role: Role) -> None:
    """Give ``widget`` the part that the theme's style sheet knows it by, and have it styled anew."""
    if (widget.property("role") or "") == role:
        return
    widget.setProperty("role", role)
    restyle(widget)
    if isinstance(widget, QLabel):
        hint = role == "hint"
        widget.setForegroundRole(QPalette.ColorRole.PlaceholderText if hint else QPalette.ColorRole.WindowText)


def label(text: str = "", role: Role = "", *, wrap: bool = False) -> QLabel:
    """A label that shows ``text`` as it is: what an engine, a path or a person wrote is never read as markup."""
    made = QLabel(text)
    made.setTextFormat(Qt.TextFormat.PlainText)
    made.setWordWrap(wrap)
    set_role(made, role)
    if role == "title":
        font = made.font()
        font.setBold(True)
        made.setFont(font)
    return made


def on_button(text: str) -> str:
    """``text`` for a button's face, where a lone & would make a mnemonic of the next letter."""
    return text.replace("&", "&&")


def as_tip(text: str) -> str:
    """``text`` as a tooltip: wrapped at a readable width, and never read as markup."""
    return f"<qt>{escape(text)}</qt>" if text else ""


def reach(widget: QWidget, why_not: str | None, tip: str) -> None:
    """Enable ``widget`` with ``tip``; or disable it, with ``why_not`` as what hovering says."""
    widget.setEnabled(why_not is None)
    widget.setToolTip(as_tip(said(why_not) if why_not else tip))


def widest_digits(text: str, metrics: QFontMetrics) -> int:
    """Pixels that ``text`` needs at most, whatever digits stand in place of its own."""
    digit = max("0123456789", key=metrics.horizontalAdvance)
    return metrics.horizontalAdvance("".join(digit if c.isdigit() else c for c in text))


def scrolled(panel: QWidget) -> QScrollArea:
    """``panel``, as high as it likes to be, in a column that scrolls."""
    area = QScrollArea()
    area.setWidget(panel)
    area.setWidgetResizable(True)
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    return area


def bring_into_sight(widget: QWidget) -> None:
    """Scroll the column that ``widget`` is in until it is seen, once it is laid out."""

    def scroll() -> None:
        above = widget.parentWidget()
        while above is not None and not isinstance(above, QScrollArea):
            above = above.parentWidget()
        if above is not None and widget.isVisible():
            above.ensureWidgetVisible(widget)

    QTimer.singleShot(50, widget, scroll)


def short_count(n: int) -> str:
    """A number of parameters for a glance: 640, 21.8k, 11.2M."""
    for unit, size in (("M", 1_000_000), ("k", 1_000)):
        if n >= 0.9995 * size:
            return f"{n / size:.3g}{unit}"
    return str(n)


class Readout(QLabel):
    """A label for a changing number: its place is as wide as the longest text it was told to expect, and only grows."""

    def __init__(self, text: str = "", parent: QWidget | None = None) -> None:
        super().__init__(text, parent)
        self.setTextFormat(Qt.TextFormat.PlainText)

    def reserve(self, sample: str) -> None:
        """Keep room for ``sample``, with any digits."""
        margins = self.contentsMargins()
        need = widest_digits(sample, self.fontMetrics()) + margins.left() + margins.right() + 2
        self.setMinimumWidth(max(self.minimumWidth(), need))


class ElidedLabel(QLabel):
    """One line of text, cut short with an ellipsis where there is no room; the whole of it is in the tooltip."""

    def __init__(self, text: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setText(text)

    def setText(self, text: str) -> None:
        """Show ``text``, its line breaks as spaces."""
        super().setText(" ".join(text.split()))
        self.setToolTip(as_tip(text))

    def minimumSizeHint(self) -> QSize:
        """A few letters wide: the rest can be elided."""
        return QSize(self.fontMetrics().averageCharWidth() * 8, super().minimumSizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint as much of the text as there is room for."""
        painter = QPainter(self)
        rect: QRect = self.contentsRect()
        shown = self.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideRight, rect.width())
        flags = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        self.style().drawItemText(
            painter, rect, int(flags), self.palette(), self.isEnabled(), shown, self.foregroundRole()
        )
