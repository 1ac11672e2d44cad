"""A label under a field: a hint or an error in small type that never moves what is around it."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QSize, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QLabel, QWidget

from gui.theme.theme import set_style_property


class HintLabel(QLabel):
    """A hint or an error in small type. Its height is fixed, so that nothing moves when its text changes.

    Args:
        lines: the height in lines of text. A longer text is elided and is shown in full in the tooltip. With 0 the
            height follows the text.
        parent: the parent widget.
    """

    def __init__(self, lines: int = 1, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._lines, self._full_text, self._indent, self._error = lines, "", 0, False
        font = self.font()
        font.setPointSizeF(font.pointSizeF() * 0.88)
        self.setFont(font)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setWordWrap(lines != 1)
        self.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
        self._reserve()
        self.show_text("")

    def show_text(self, text: str, *, error: bool = False) -> None:
        """Show ``text``, in red if it is an error."""
        self._full_text, self._error = text, error
        set_style_property(self, "role", "error" if error else "hint")
        self._fit()

    def full_text(self) -> str:
        """The whole text, even if it is elided."""
        return self._full_text

    def is_error(self) -> bool:
        """Whether an error is shown."""
        return self._error and bool(self._full_text)

    def set_field_start(self, pixels: int) -> None:
        """Set where the field above begins: a text that fits below it is aligned with it."""
        self._indent = pixels
        self._fit()

    def set_lines(self, lines: int) -> None:
        """Set the height in lines, as for the class."""
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
        needed = metrics.horizontalAdvance(self._full_text)
        if self._lines != 1:
            shown = self._wrapped(width) if self._lines else self._full_text
            self.setText(shown)
            self.setToolTip(self._full_text if shown != self._full_text else "")
            return
        fits_below_field = needed <= width - self._indent
        self.setContentsMargins(self._indent if fits_below_field else 0, 0, 0, 0)
        side = Qt.AlignmentFlag.AlignLeft if fits_below_field else Qt.AlignmentFlag.AlignRight
        self.setAlignment(side | Qt.AlignmentFlag.AlignTop)
        self.setText(metrics.elidedText(self._full_text, Qt.TextElideMode.ElideRight, max(0, width)))
        self.setToolTip(self._full_text if needed > width else "")

    def _wrapped(self, width: int) -> str:
        """As many words as fit into the lines at ``width``."""
        metrics, words = self.fontMetrics(), self._full_text.split(" ")
        height = self._lines * metrics.lineSpacing()
        for count in range(len(words), 0, -1):
            text = " ".join(words[:count]) + ("…" if count < len(words) else "")
            if metrics.boundingRect(0, 0, width, 10_000, Qt.TextFlag.TextWordWrap, text).height() <= height:
                return text
        return self._full_text

    def changeEvent(self, event: QEvent) -> None:
        """Follow the font."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:
            self._reserve()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Fit the text to the new width."""
        super().resizeEvent(event)
        self._fit()

    def sizeHint(self) -> QSize:
        """Any width and the height of the text."""
        return QSize(0, super().sizeHint().height())

    def minimumSizeHint(self) -> QSize:
        """Any width and the fixed height."""
        return QSize(0, self.minimumHeight())
