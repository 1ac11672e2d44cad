"""The expressions of LambdaLR: one line each, with the position of an error marked in the line."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QCheckBox, QLabel, QLineEdit, QVBoxLayout, QWidget

from engine.common.errors import ExpressionError
from engine.schedules.expression import Expression, without_lambda
from gui.core.translation import tr
from gui.theme.theme import error_color, set_style_property
from gui.widgets.fields import EMPTY, Editor

LONGEST = 1000
"""The maximum number of characters of a line. The evaluator's limit is lower, and it explains that."""


class ExpressionLine(QLineEdit):
    """One expression. A pasted ``lambda epoch:`` is removed; an error is underlined at its position."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.error_at: int | None = None
        self.setMaxLength(LONGEST)
        self.setPlaceholderText("0.95**epoch")
        self.textEdited.connect(self._remove_lambda)

    def check(self) -> bool:
        """Whether the text is an expression; marks the position of the error if not."""
        try:
            Expression(self.text())
            self.error_at = None
        except ExpressionError as error:
            self.error_at = error.position
        set_style_property(self, "invalid", self.error_at is not None)
        self.update()
        return self.error_at is None

    def _remove_lambda(self, text: str) -> None:
        try:
            body = without_lambda(text)
        except ExpressionError:
            return
        if text.lstrip().startswith("lambda") and body and body != text:
            self.setText(body)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the line, and a wave under the character with the error."""
        super().paintEvent(event)
        if self.error_at is None or not self.text():
            return
        metrics, text, cursor = self.fontMetrics(), self.text(), self.cursorRect()
        start = min(self.error_at, len(text) - 1)
        # QLineEdit only gives the position of the cursor; the others follow from the widths of the text.
        origin = cursor.center().x() - metrics.horizontalAdvance(text[: self.cursorPosition()])
        left = origin + metrics.horizontalAdvance(text[:start])
        width = max(8, metrics.horizontalAdvance(text[start : start + 1]))
        y = cursor.bottom() - 1
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(error_color(self.palette()), 1.2))
        wave = [QPointF(left + i, y + 1.2 * math.sin(i * 1.6)) for i in range(width + 1)]
        painter.drawPolyline(QPolygonF(wave))
        painter.end()


class ExpressionsEditor(Editor):
    """One expression for every group, or one for each."""

    full_width = True
    note_lines = 4

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._names: list[str] = ["all"]
        self.separate = QCheckBox(tr("One for each group"))
        self.separate.setFocusPolicy(Qt.FocusPolicy.TabFocus)  # a click leaves Space to start and pause
        self.separate.setToolTip(tr("Give every parameter group an expression of its own"))
        self.separate.clicked.connect(self._on_separate)
        self.lines: list[ExpressionLine] = []
        self._labels: list[QLabel] = []
        self._column = QVBoxLayout()
        self._column.setSpacing(2)
        self._column.addWidget(self.separate)
        self.line.addLayout(self._column, 1)
        self._ensure(1)
        self.setFocusProxy(self.lines[0])
        self._arrange()

    def set_group_names(self, names: Sequence[str]) -> bool:
        """Set the parameter groups, in order; returns whether the value changed."""
        before, count = self.raw(), len(self._names)
        self._names = list(names) or ["all"]
        if len(self._names) != count:
            self.separate.setChecked(len(self._names) > 1)
        self._arrange()
        return bool(self.raw() != before)

    def raw(self) -> Any:
        """The expressions, one for all groups or one for each; ``EMPTY`` if none is typed."""
        shown = [line.text().strip() for line in self.lines[: self._count()]]
        return tuple(shown) if any(shown) else EMPTY

    def show_value(self, value: Any) -> None:
        """Show ``value``. No signal."""
        texts = list(value) or [""]
        if len(texts) > len(self._names):
            self._names += [tr("group {n}", n=n + 1) for n in range(len(self._names), len(texts))]
        self.separate.setChecked(len(texts) > 1)
        self._ensure(max(len(texts), self._count()))
        for i, line in enumerate(self.lines):
            text = texts[min(i, len(texts) - 1)]
            if line.text() != text:
                line.setText(text)
        self._arrange(max(1, len(texts)))

    def control(self) -> QWidget:
        """The widget that takes the focus."""
        return self.lines[0]

    def set_problem(self, problem: str | None) -> None:
        """Mark the errors in each line, and describe it by ``problem``."""
        for line in self.lines[: self._count()]:
            line.check()
            line.setAccessibleDescription(problem or "")

    def _count(self) -> int:
        return len(self._names) if self.separate.isChecked() else 1

    def _on_separate(self) -> None:
        self._arrange()
        self.edited.emit()

    def _ensure(self, count: int) -> None:
        while len(self.lines) < count:
            label, line = QLabel(), ExpressionLine()
            if self.lines:
                line.setText(self.lines[0].text())
            label.setBuddy(line)
            line.textEdited.connect(self.edited)
            self.lines.append(line)
            self._labels.append(label)
            self._column.addWidget(label)
            self._column.addWidget(line)

    def _arrange(self, given: int = 1) -> None:
        count = self._count()
        self._ensure(max(count, given))
        self.separate.setVisible(len(self._names) > 1)
        for i, (label, line) in enumerate(zip(self._labels, self.lines, strict=True)):
            name = self._names[i] if count > 1 else ""
            label.setText(name)
            label.setVisible(i < count and bool(name))
            line.setVisible(i < count)
            line.setAccessibleName(tr("Expression of {group}", group=name) if name else tr("Expression in epoch"))
            line.setToolTip(
                tr(
                    "<qt>An expression in epoch, which is 0 before the first epoch, such as 0.95**epoch.<br>"
                    "Names: epoch, step, epochs, steps_per_epoch, pi, e.<br>"
                    "Functions: abs, ceil, cos, exp, floor, log, max, min, sin, sqrt. Also: a if test else b.</qt>"
                )
            )
