"""Words beside a field: a hint or an error in small type that never moves what stands around it."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QSize, Qt
from PySide6.QtGui import QColor, QPalette, QResizeEvent
from PySide6.QtWidgets import QLabel, QWidget


def error_colour(palette: QPalette) -> QColor:
    """A red that can be read on ``palette``'s window, dark or light."""
    return QColor.fromHsl(4, 200, 175 if is_dark(palette) else 95)


def hint_colour(palette: QPalette) -> QColor:
    """The text colour, stepped back towards the window's, for what helps but is not needed."""
    group, share = QPalette.ColorGroup.Active, 0.68
    front, back = palette.color(group, QPalette.ColorRole.Text), palette.color(group, QPalette.ColorRole.Window)
    pairs = ((front.red(), back.red()), (front.green(), back.green()), (front.blue(), back.blue()))
    return QColor(*(round(share * f + (1 - share) * b) for f, b in pairs))


def is_dark(palette: QPalette) -> bool:
    """Whether ``palette`` has light text on a dark window."""
    return palette.color(QPalette.ColorRole.Window).lightness() < 128


def restyle_as(widget: QWidget, name: str, value: str | bool) -> None:
    """Set a property that a style sheet may ask about, and let it see that at once."""
    if (widget.property(name) or type(value)()) != value:
        widget.setProperty(name, value)
        widget.style().unpolish(widget)
        widget.style().polish(widget)


def heading(text: str) -> QLabel:
    """The heading of a section."""
    label = QLabel(text)
    label.setProperty("role", "section")
    label.setIndent(0)
    font = label.font()
    font.setBold(True)
    label.setFont(font)
    return label


class Note(QLabel):
    """A hint or an error in small type that keeps its height, so that nothing moves when it speaks.

    What does not fit into the reserved ``lines`` is cut with an ellipsis and stands whole in the tooltip. With 0
    lines nothing is reserved, and it takes what it needs.
    """

    def __init__(self, lines: int = 1, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._lines, self._full, self._indent, self._error = lines, "", 0, False
        font = self.font()
        font.setPointSizeF(font.pointSizeF() * 0.88)
        self.setFont(font)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setWordWrap(lines != 1)
        self.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
        self._reserve()
        self.say("")

    def say(self, text: str, *, error: bool = False) -> None:
        """Show ``text``; ``error`` makes it red."""
        self._full, self._error = text, error
        restyle_as(self, "role", "error" if error else "muted")
        self._fit()

    def said(self) -> str:
        """The whole text, also where it is shown shortened."""
        return self._full

    def is_error(self) -> bool:
        """Whether an error is shown."""
        return self._error and bool(self._full)

    def set_field_start(self, pixels: int) -> None:
        """Where the field above begins: a text that fits under it starts there."""
        self._indent = pixels
        self._fit()

    def set_lines(self, lines: int) -> None:
        """Reserve ``lines`` lines; 0 reserves none and wraps."""
        self._lines = lines
        self.setWordWrap(lines != 1)
        self._reserve()
        self._fit()

    def _reserve(self) -> None:
        height = self.fontMetrics().lineSpacing() * self._lines + 2 * (self._lines > 0)
        self.setMinimumHeight(height)
        self.setMaximumHeight(height or 16777215)

    def _fit(self) -> None:
        width, metrics = self.width(), self.fontMetrics()
        needed = metrics.horizontalAdvance(self._full)
        if self._lines != 1:
            shown = self._wrapped(width) if self._lines else self._full
            self.setText(shown)
            self.setToolTip(self._full if shown != self._full else "")
            return
        fits_below_field = needed <= width - self._indent
        self.setContentsMargins(self._indent if fits_below_field else 0, 0, 0, 0)
        side = Qt.AlignmentFlag.AlignLeft if fits_below_field else Qt.AlignmentFlag.AlignRight
        self.setAlignment(side | Qt.AlignmentFlag.AlignTop)
        self.setText(metrics.elidedText(self._full, Qt.TextElideMode.ElideRight, max(0, width)))
        self.setToolTip(self._full if needed > width else "")

    def _wrapped(self, width: int) -> str:
        metrics, words, most = self.fontMetrics(), self._full.split(" "), self._lines * self.fontMetrics().lineSpacing()
        for count in range(len(words), 0, -1):
            text = " ".join(words[:count]) + ("…" if count < len(words) else "")
            if metrics.boundingRect(0, 0, width, 10_000, Qt.TextFlag.TextWordWrap, text).height() <= most:
                return text
        return self._full

    def changeEvent(self, event: QEvent) -> None:
        """Follow the palette and the font."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:
            self._reserve()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Fit the text to the new width."""
        super().resizeEvent(event)
        self._fit()

    def sizeHint(self) -> QSize:
        """Any width; the height of its lines."""
        return QSize(0, super().sizeHint().height())

    def minimumSizeHint(self) -> QSize:
        """Any width; the reserved height."""
        return QSize(0, self.minimumHeight())
