"""Schedules kept for comparison: a chip each, to take into the editor or to remove."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QToolButton, QVBoxLayout, QWidget

from gui.core.translation import tr
from gui.widgets.labels import ElidedLabel, set_role


@dataclass(frozen=True, kw_only=True)
class Chip:
    """What a chip shows: the candidate's letter, its name, the rate it ends at or why it has none, and its line."""

    key: str
    name: str
    end: str
    problem: str | None
    color: str
    dashes: tuple[float, ...]
    tip: str


class _Swatch(QWidget):
    """A piece of the candidate's line."""

    def __init__(self) -> None:
        super().__init__()
        self._pen = QPen()
        self.setFixedSize(QSize(26, 12))

    def show_line(self, color: str, dashes: Sequence[float]) -> None:
        self._pen = QPen(QColor(color), 2.0)
        self._pen.setCapStyle(Qt.PenCapStyle.FlatCap)
        self._pen.setDashPattern(list(dashes))
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setPen(self._pen)
        middle = self.height() / 2
        painter.drawLine(QPointF(0, middle), QPointF(self.width(), middle))
        painter.end()


class _Row(QFrame):
    """One chip. Signals: ``taken``, ``removed``."""

    taken = Signal()
    removed = Signal()

    def __init__(self, chip: Chip) -> None:
        super().__init__()
        self.setProperty("role", "card")
        self._swatch, self._name, self._end = _Swatch(), ElidedLabel(), ElidedLabel()
        self.take, self.remove = QPushButton(tr("Take")), QToolButton()
        self.remove.setText("×")
        self.remove.setAutoRaise(True)
        self.take.setAutoDefault(False)
        for button, signal in ((self.take, self.taken), (self.remove, self.removed)):
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            button.clicked.connect(signal)
        words = QVBoxLayout()
        words.setSpacing(0)
        words.addWidget(self._name)
        words.addWidget(self._end)
        line = QHBoxLayout(self)
        line.setContentsMargins(8, 4, 4, 4)
        line.setSpacing(8)
        line.addWidget(self._swatch)
        line.addLayout(words, 1)
        line.addWidget(self.take)
        line.addWidget(self.remove)
        self.show_chip(chip)

    def show_chip(self, chip: Chip) -> None:
        name = tr("{posted}: {name}", posted=chip.key, name=chip.name)
        self._swatch.show_line(chip.color, chip.dashes)
        self._name.setText(name)
        self._end.setText(chip.problem or chip.end)
        set_role(self._end, "error" if chip.problem else "hint")
        self.setToolTip(chip.tip if chip.problem is None else f"{chip.tip}\n{chip.problem}")
        self.take.setToolTip(tr("Take {name} into the editor", name=name))
        self.take.setAccessibleName(self.take.toolTip())
        self.remove.setToolTip(tr("Compare with {name} no longer", name=name))
        self.remove.setAccessibleName(self.remove.toolTip())


class CandidateList(QWidget):
    """The button that keeps what is edited, and a chip for each schedule kept.

    Signals:
        keep_wanted(): the schedule that is edited shall be kept for comparison.
        take_wanted(str), remove_wanted(str): the candidate of this letter goes into the editor, or away.
    """

    keep_wanted = Signal()
    take_wanted = Signal(str)
    remove_wanted = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.keep = QPushButton(tr("Compare"))
        self.keep.setAutoDefault(False)
        self.keep.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.keep.clicked.connect(self.keep_wanted)
        self._rows: dict[str, _Row] = {}
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(4)
        self._row = QHBoxLayout()
        self._row.addWidget(self.keep)
        self._row.addStretch(1)
        self._column.addLayout(self._row)

    def add_beside(self, button: QPushButton) -> None:
        """Put another button into the row of the one that keeps."""
        self._row.insertWidget(self._row.count() - 1, button)

    def allow(self, why_not: str | None) -> None:
        """Enable the button, or say why not."""
        self.keep.setEnabled(why_not is None)
        tip = tr("Keep this schedule's curve on the plot, and try another beside it")
        self.keep.setToolTip(f"<qt>{why_not or tip}</qt>")

    def show_chips(self, chips: Sequence[Chip]) -> None:
        """Show these, in order."""
        wanted = {chip.key for chip in chips}
        for key in [key for key in self._rows if key not in wanted]:
            row = self._rows.pop(key)
            self._column.removeWidget(row)
            row.hide()
            row.deleteLater()
        for chip in chips:
            if chip.key in self._rows:
                self._rows[chip.key].show_chip(chip)
                continue
            row = self._rows[chip.key] = _Row(chip)
            row.taken.connect(lambda key=chip.key: self.take_wanted.emit(key))
            row.removed.connect(lambda key=chip.key: self.remove_wanted.emit(key))
            self._column.addWidget(row)
