"""Editors of one value each. They know nothing of specs' rules.

An editor turns what was typed into a Python value as literally as it can; whether that value is allowed is the
spec's business. What cannot be read as a number stays text, which a strict spec then refuses in its own words.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent, QPalette, QWheelEvent
from PySide6.QtWidgets import QCheckBox, QComboBox, QHBoxLayout, QLineEdit, QWidget

from gui.core.translation import tr
from gui.widgets.notes import error_colour, restyle_as

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


class Combo(QComboBox):
    """A combo box for a column that scrolls: the wheel passes over it, and long entries do not widen it."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(6)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Scroll the column instead, unless the box has the focus."""
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

    ``has_own_label``: it shows its title itself; ``full_width``: it stands under its label, not beside it;
    ``note_lines``: how many lines of words to reserve under it.
    """

    edited = Signal()
    has_own_label = False
    full_width = False
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
        restyle_as(self.control(), "invalid", problem is not None)

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
        empty: Any = EMPTY,
    ) -> None:
        super().__init__(parent)
        self._read, self._write, self._empty = read, write, empty
        self.edit = _Line()
        self.edit.setPlaceholderText(placeholder)
        self.edit.setMinimumWidth(40)
        self.edit.textEdited.connect(self.edited)
        self._adopt(self.edit)

    def raw(self) -> Any:
        """What is typed; ``empty`` where nothing is."""
        text = self.edit.text().strip()
        return self._read(text) if text else self._empty

    def show_value(self, value: Any) -> None:
        """Show ``value`` without ``edited``."""
        text = "" if value is None else self._write(value)
        if text != self.edit.text():
            self.edit.setText(text)
            self.edit.setCursorPosition(0)

    def control(self) -> QWidget:
        """What takes the focus."""
        return self.edit

    def set_problem(self, problem: str | None) -> None:
        """Mark the control, and its text in red where no style sheet colours it."""
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
        self.box.setFocusPolicy(Qt.FocusPolicy.TabFocus)  # a click leaves Space to start and pause
        self.box.clicked.connect(self.edited)
        self._adopt(self.box)

    def raw(self) -> Any:
        """What is typed or chosen."""
        return self.box.isChecked()

    def show_value(self, value: Any) -> None:
        """Show ``value`` without ``edited``."""
        self.box.setChecked(bool(value))

    def control(self) -> QWidget:
        """What takes the focus."""
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
        """What is typed or chosen."""
        return self.combo.currentData()

    def show_value(self, value: Any) -> None:
        """Show ``value`` without ``edited``."""
        if self.combo.findData(value) < 0:
            self.combo.addItem(tr("{value} (not found here)", value=value), value)
        self.combo.select(value)

    def control(self) -> QWidget:
        """What takes the focus."""
        return self.combo
