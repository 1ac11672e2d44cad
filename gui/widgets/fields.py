"""Editors of one value each.

An editor turns what was typed into a Python value and does not check it: the spec validates the value. Text that is not
a number stays text, and the spec reports the error.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent, QPalette, QWheelEvent
from PySide6.QtWidgets import QCheckBox, QComboBox, QHBoxLayout, QLineEdit, QWidget

from gui.core.translation import tr
from gui.theme.theme import error_color, set_style_property

EMPTY: Final = object()
"""The value of an empty editor: the field takes its default, or is an error if it has none."""


def float_text(value: float) -> str:
    """``value`` as a person writes it, with every digit: 30, 0.001, 1e-8."""
    text = repr(float(value)).removesuffix(".0")
    return re.sub(r"e([+-])0*(\d)", lambda m: f"e{m[1].strip('+')}{m[2]}", text)


def read_float(text: str) -> Any:
    """The number in ``text``, or ``text`` itself if it is not a number."""
    try:
        return float(text)
    except ValueError:
        return text


def read_float_or_list(text: str) -> Any:
    """The number in ``text``, or a tuple of its parts if there are several, as ``read_list`` reads them."""
    parts = read_list(read_float)(text)
    return parts if isinstance(parts, tuple) and len(parts) > 1 else read_float(text)


def read_int(text: str) -> Any:
    """The whole number in ``text`` (``1e3`` too), a float if it is not whole, or ``text`` if it is not a number."""
    try:
        return int(text)
    except ValueError:
        number = read_float(text)
    return int(number) if isinstance(number, float) and number.is_integer() else number


def read_list(item: Callable[[str], Any]) -> Callable[[str], Any]:
    """A function that reads lists such as ``15, 30, 45`` or ``[15; 30 45]``, each part with ``item``."""

    def read(text: str) -> Any:
        parts = [p for p in re.split(r"[\s,;]+", text.strip().strip("()[]")) if p]
        return tuple(item(p) for p in parts) if parts else EMPTY

    return read


class Combo(QComboBox):
    """A combo box for a scroll area: the wheel scrolls past it, and long entries do not widen it."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(6)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Leave the wheel to the scroll area unless the box has the focus."""
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()

    def select(self, value: Any) -> None:
        """Show the entry whose data is ``value``, or none if there is no such entry."""
        self.setCurrentIndex(self.findData(value))


class Editor(QWidget):
    """The editor of one value.

    Signals:
        edited(): the person changed the value. No method emits it.

    Class attributes:
        has_own_label: whether it shows its title itself.
        full_width: whether it is below its label, not beside it.
        note_lines: the lines of text reserved below it.
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
        """The value as typed, for the spec to validate; ``EMPTY`` if nothing is."""
        raise NotImplementedError

    def show_value(self, value: Any) -> None:
        """Show ``value``."""
        raise NotImplementedError

    def control(self) -> QWidget:
        """The widget that takes the focus."""
        raise NotImplementedError

    def set_problem(self, problem: str | None) -> None:
        """Mark the control as wrong, also for screen readers; None: as right."""
        self.control().setAccessibleDescription(problem or "")
        set_style_property(self.control(), "invalid", problem is not None)

    def _adopt(self, control: QWidget) -> None:
        self.line.addWidget(control, 1)
        self.setFocusProxy(control)


class _KeyStepEdit(QLineEdit):
    """A line edit that reports arrow and page keys as steps."""

    stepped = Signal(int)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        steps = {Qt.Key.Key_Up: 1, Qt.Key.Key_Down: -1, Qt.Key.Key_PageUp: 10, Qt.Key.Key_PageDown: -10}
        step = steps.get(Qt.Key(event.key()))
        if step is None:
            super().keyPressEvent(event)
        else:
            self.stepped.emit(step)


class LineEditor(Editor):
    """A line of text.

    Args:
        read: makes the value from the text.
        write: makes the text from the value.
        placeholder: shown in the empty field: what it means.
        parent: the parent widget.
        empty: the value of the empty field.
    """

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
        self.edit = _KeyStepEdit()
        self.edit.setPlaceholderText(placeholder)
        self.edit.setMinimumWidth(40)
        self.edit.textEdited.connect(self.edited)
        self._adopt(self.edit)

    def raw(self) -> Any:
        """The value of the text; ``empty`` if there is none."""
        text = self.edit.text().strip()
        return self._read(text) if text else self._empty

    def show_value(self, value: Any) -> None:
        """Show ``value``."""
        text = "" if value is None else self._write(value)
        if text != self.edit.text():
            self.edit.setText(text)
            self.edit.setCursorPosition(0)

    def control(self) -> QWidget:
        """The widget that takes the focus."""
        return self.edit

    def set_problem(self, problem: str | None) -> None:
        """Mark the control, with its text in red."""
        super().set_problem(problem)
        palette = QPalette()
        if problem:
            palette.setColor(QPalette.ColorRole.Text, error_color(self.palette()))
        self.edit.setPalette(palette)


class IntegerEditor(LineEditor):
    """A whole number. Arrow keys change it by 1 and page keys by 10, from ``low`` to ``high``."""

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
    """A check box with its title."""

    has_own_label = True

    def __init__(self, title: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.box = QCheckBox(title)
        self.box.setFocusPolicy(Qt.FocusPolicy.TabFocus)  # a click leaves Space to start and pause
        self.box.clicked.connect(self.edited)
        self._adopt(self.box)

    def raw(self) -> Any:
        """Whether the box is checked."""
        return self.box.isChecked()

    def show_value(self, value: Any) -> None:
        """Show ``value``."""
        self.box.setChecked(bool(value))

    def control(self) -> QWidget:
        """The widget that takes the focus."""
        return self.box


class ChoiceEditor(Editor):
    """One of a few values; ``labels`` has the texts of those that are not shown as they are."""

    def __init__(
        self, values: Sequence[Any], labels: Mapping[Any, str] | None = None, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.combo = Combo()
        self.set_choices([(value, (labels or {}).get(value, str(value))) for value in values])
        self.combo.activated.connect(self.edited)
        self._adopt(self.combo)

    def set_choices(self, choices: Sequence[tuple[Any, str]]) -> None:
        """Offer ``choices`` (value, label). The chosen value stays chosen if it is among them."""
        kept = self.combo.currentData()
        self.combo.clear()
        for value, label in choices:
            self.combo.addItem(label, value)
        self.combo.setCurrentIndex(max(0, self.combo.findData(kept)))

    def raw(self) -> Any:
        """The chosen value."""
        return self.combo.currentData()

    def show_value(self, value: Any) -> None:
        """Show ``value``."""
        if self.combo.findData(value) < 0:
            self.combo.addItem(tr("{value} (not found here)", value=value), value)
        self.combo.select(value)

    def control(self) -> QWidget:
        """The widget that takes the focus."""
        return self.combo
