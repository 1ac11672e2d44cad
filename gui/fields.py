"""Editors of one value each, and the line of words beside them. They know nothing of specs' rules.

An editor turns what was typed into a Python value as literally as it can; whether that value is allowed is the
spec's business. What cannot be read as a number stays text, which a strict spec then refuses in its own words.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from PySide6.QtCore import QEvent, QSize, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QPalette, QResizeEvent, QWheelEvent
from PySide6.QtWidgets import QCheckBox, QComboBox, QHBoxLayout, QLabel, QLineEdit, QWidget

from gui.words import tr

EMPTY: Final = object()
"""What an editor gives when nothing is typed: the field's default, or "is required" where it has none."""


def plain(value: float) -> str:
    """``value`` as a person writes it, without losing a digit: 30, 0.001, 1e-8."""
    text = repr(float(value)).removesuffix(".0")
    return re.sub(r"e([+-])0*(\d)", lambda m: f"e{m[1].strip('+')}{m[2]}", text)


def read_float(text: str) -> Any:
    """The number in ``text``, or ``text`` itself where it holds none."""
    try:
        return float(text)
    except ValueError:
        return text


def read_int(text: str) -> Any:
    """The whole number in ``text`` (also ``1e3``), a float where it is not whole, or ``text`` itself."""
    try:
        return int(text)
    except ValueError:
        number = read_float(text)
    return int(number) if isinstance(number, float) and number.is_integer() else number


def read_list(item: Callable[[str], Any]) -> Callable[[str], Any]:
    """A reader of ``15, 30, 45`` (commas, semicolons, spaces or brackets), each part read by ``item``."""

    def read(text: str) -> Any:
        parts = [p for p in re.split(r"[\s,;]+", text.strip().strip("()[]")) if p]
        return tuple(item(p) for p in parts) if parts else EMPTY

    return read


def error_colour(palette: QPalette) -> QColor:
    """A red that can be read on ``palette``'s window, dark or light."""
    return QColor.fromHsl(4, 200, 175 if is_dark(palette) else 95)


def hint_colour(palette: QPalette) -> QColor:
    """The text colour, stepped back towards the window's, for what helps but is not needed."""
    front, back, share = palette.color(QPalette.ColorRole.Text), palette.color(QPalette.ColorRole.Window), 0.68
    mixed = (share * f + (1 - share) * b for f, b in zip(front.getRgbF()[:3], back.getRgbF()[:3], strict=True))
    return QColor.fromRgbF(*mixed)


def is_dark(palette: QPalette) -> bool:
    """Whether ``palette`` has light text on a dark window."""
    return palette.color(QPalette.ColorRole.Window).lightness() < 128


def set_role(widget: QWidget, role: str) -> None:
    """Set the style property ``role`` and let a style sheet see it at once."""
    if widget.property("role") != role:
        widget.setProperty("role", role)
        widget.style().unpolish(widget)
        widget.style().polish(widget)


class Note(QLabel):
    """A hint or an error in small type that keeps its height, so that nothing moves when it speaks.

    With one line, what does not fit is cut with an ellipsis and stands whole in the tooltip. With more, it wraps
    inside the reserved lines and grows only beyond them.
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
        set_role(self, "error" if error else "hint")
        self._colour()
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
        self.setMaximumHeight(height if self._lines == 1 else 16777215)

    def _fit(self) -> None:
        width, metrics = self.width(), self.fontMetrics()
        needed = metrics.horizontalAdvance(self._full)
        if self._lines != 1:
            self.setText(self._full)
            return
        fits_below_field = needed <= width - self._indent
        self.setContentsMargins(self._indent if fits_below_field else 0, 0, 0, 0)
        side = Qt.AlignmentFlag.AlignLeft if fits_below_field else Qt.AlignmentFlag.AlignRight
        self.setAlignment(side | Qt.AlignmentFlag.AlignTop)
        self.setText(metrics.elidedText(self._full, Qt.TextElideMode.ElideRight, max(0, width)))
        self.setToolTip(self._full if needed > width else "")

    def _colour(self) -> None:
        palette = self.palette()
        wanted = error_colour(palette) if self._error else hint_colour(palette)
        if palette.color(QPalette.ColorRole.WindowText) != wanted:
            palette.setColor(QPalette.ColorRole.WindowText, wanted)
            self.setPalette(palette)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self._colour()
        elif event.type() == QEvent.Type.FontChange:
            self._reserve()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def sizeHint(self) -> QSize:
        return QSize(0, super().sizeHint().height())

    def minimumSizeHint(self) -> QSize:
        return QSize(0, self.minimumHeight())


class Combo(QComboBox):
    """A combo box for a column that scrolls: the wheel passes over it, and long entries do not widen it."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(6)

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()

    def select(self, value: Any) -> None:
        """Show the entry whose data is ``value``; none where there is no such entry."""
        self.setCurrentIndex(self.findData(value))


class Editor(QWidget):
    """The editor of one value.

    Signals:
        edited(): the person changed it (never the program).
    """

    edited = Signal()
    has_own_label = False
    note_lines = 1

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.line = QHBoxLayout(self)
        self.line.setContentsMargins(0, 0, 0, 0)
        self.line.setSpacing(4)

    def raw(self) -> Any:
        """The value as typed, for a spec to judge; ``EMPTY`` where nothing is."""
        raise NotImplementedError

    def show_value(self, value: Any) -> None:
        """Show ``value`` without ``edited``."""
        raise NotImplementedError

    def control(self) -> QWidget:
        """The widget that takes the focus."""
        raise NotImplementedError

    def set_problem(self, problem: str | None) -> None:
        """Mark the control as wrong, for the eye and for a screen reader."""
        self.control().setAccessibleDescription(problem or "")
        set_role(self.control(), "error" if problem else "")

    def _adopt(self, control: QWidget) -> None:
        self.line.addWidget(control, 1)
        self.setFocusProxy(control)


class _Line(QLineEdit):
    """A line edit whose arrow keys step a whole number."""

    stepped = Signal(int)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        steps = {Qt.Key.Key_Up: 1, Qt.Key.Key_Down: -1, Qt.Key.Key_PageUp: 10, Qt.Key.Key_PageDown: -10}
        step = steps.get(Qt.Key(event.key()))
        if step is None:
            super().keyPressEvent(event)
        else:
            self.stepped.emit(step)


class LineEditor(Editor):
    """Text, read by ``read`` and written by ``write``; ``placeholder`` says what an empty field means."""

    def __init__(
        self,
        read: Callable[[str], Any] = str,
        write: Callable[[Any], str] = str,
        placeholder: str = "",
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._read, self._write = read, write
        self.edit = _Line()
        self.edit.setPlaceholderText(placeholder)
        self.edit.setMinimumWidth(40)
        self.edit.textEdited.connect(self.edited)
        self._adopt(self.edit)

    def raw(self) -> Any:
        text = self.edit.text().strip()
        return self._read(text) if text else EMPTY

    def show_value(self, value: Any) -> None:
        text = "" if value is None else self._write(value)
        if text != self.edit.text():
            self.edit.setText(text)
            self.edit.setCursorPosition(0)

    def control(self) -> QWidget:
        return self.edit

    def set_problem(self, problem: str | None) -> None:
        super().set_problem(problem)
        palette = QPalette()
        if problem:
            palette.setColor(QPalette.ColorRole.Text, error_colour(self.palette()))
        self.edit.setPalette(palette)


class WholeEditor(LineEditor):
    """A whole number; the arrow keys step it by 1 and the page keys by 10, within ``low`` and ``high``."""

    def __init__(self, low: float | None, high: float | None, placeholder: str, parent: QWidget | None = None) -> None:
        super().__init__(read_int, str, placeholder, parent)
        self._low, self._high = low, high
        self.edit.stepped.connect(self._step)

    def _step(self, step: int) -> None:
        value = self.raw()
        if not isinstance(value, int):
            return
        value += step
        if self._low is not None:
            value = max(int(self._low), value)
        if self._high is not None:
            value = min(int(self._high), value)
        self.edit.setText(str(value))
        self.edited.emit()


class CheckEditor(Editor):
    """Yes or no, with its title beside the box."""

    has_own_label = True

    def __init__(self, title: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.box = QCheckBox(title)
        self.box.clicked.connect(self.edited)
        self._adopt(self.box)

    def raw(self) -> Any:
        return self.box.isChecked()

    def show_value(self, value: Any) -> None:
        self.box.setChecked(bool(value))

    def control(self) -> QWidget:
        return self.box


class ChoiceEditor(Editor):
    """One of a few values; ``labels`` says how an entry reads where that differs from the value."""

    def __init__(
        self, values: Sequence[Any], labels: Mapping[Any, str] | None = None, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.combo = Combo()
        self.set_choices([(value, (labels or {}).get(value, str(value))) for value in values])
        self.combo.activated.connect(self.edited)
        self._adopt(self.combo)

    def set_choices(self, choices: Sequence[tuple[Any, str]]) -> None:
        """Offer ``choices`` (value, label), keeping the value that is shown where it still exists."""
        kept = self.combo.currentData()
        self.combo.clear()
        for value, label in choices:
            self.combo.addItem(label, value)
        self.combo.setCurrentIndex(max(0, self.combo.findData(kept)))

    def raw(self) -> Any:
        return self.combo.currentData()

    def show_value(self, value: Any) -> None:
        if self.combo.findData(value) < 0:
            self.combo.addItem(tr("{value} (not found here)", value=value), value)
        self.combo.select(value)

    def control(self) -> QWidget:
        return self.combo
