"""The candidates, schedules that are compared: one row each, with buttons to edit or remove it."""

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
    """What the row of a candidate shows.

    Attributes:
        key: the candidate's letter.
        name: the name of the schedule.
        end: the LR at the end of the run.
        problem: why the schedule has no curve, or None.
        color: of its line on the plot.
        dashes: of its line on the plot.
        tip: the tooltip.
    """

    key: str
    name: str
    end: str
    problem: str | None
    color: str
    dashes: tuple[float, ...]
    tip: str


class _Swatch(QWidget):
    """A sample of the candidate's line."""

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
    """The row of one candidate.

    Signals:
        edit_wanted(), remove_wanted(): the buttons.
    """

    edit_wanted = Signal()
    remove_wanted = Signal()

    def __init__(self, chip: Chip) -> None:
        super().__init__()
        self.setProperty("role", "card")
        self._swatch, self._name, self._end = _Swatch(), ElidedLabel(), ElidedLabel()
        self.edit, self.remove = QPushButton(tr("Edit")), QToolButton()
        self.remove.setText("×")
        self.remove.setAutoRaise(True)
        self.edit.setAutoDefault(False)
        for button, signal in ((self.edit, self.edit_wanted), (self.remove, self.remove_wanted)):
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            button.clicked.connect(signal)
        texts = QVBoxLayout()
        texts.setSpacing(0)
        texts.addWidget(self._name)
        texts.addWidget(self._end)
        line = QHBoxLayout(self)
        line.setContentsMargins(8, 4, 4, 4)
        line.setSpacing(8)
        line.addWidget(self._swatch)
        line.addLayout(texts, 1)
        line.addWidget(self.edit)
        line.addWidget(self.remove)
        self.show_chip(chip)

    def show_chip(self, chip: Chip) -> None:
        name = tr("{letter}: {name}", letter=chip.key, name=chip.name)
        self._swatch.show_line(chip.color, chip.dashes)
        self._name.setText(name)
        self._end.setText(chip.problem or chip.end)
        set_role(self._end, "error" if chip.problem else "hint")
        self.setToolTip(chip.tip if chip.problem is None else f"{chip.tip}\n{chip.problem}")
        self.edit.setToolTip(tr("Show {name} in the editor", name=name))
        self.edit.setAccessibleName(self.edit.toolTip())
        self.remove.setToolTip(tr("Stop comparing with {name}", name=name))
        self.remove.setAccessibleName(self.remove.toolTip())


class CandidateList(QWidget):
    """[Compare], and a row for each candidate.

    Signals:
        add_wanted(): the edited schedule should become a candidate.
        edit_wanted(str), remove_wanted(str): the candidate with this letter should be shown in the editor, or removed.
    """

    add_wanted = Signal()
    edit_wanted = Signal(str)
    remove_wanted = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.add = QPushButton(tr("Compare"))
        self.add.setAutoDefault(False)
        self.add.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.add.clicked.connect(self.add_wanted)
        self._rows: dict[str, _Row] = {}
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(4)
        self._row = QHBoxLayout()
        self._row.addWidget(self.add)
        self._row.addStretch(1)
        self._column.addLayout(self._row)

    def add_beside(self, button: QPushButton) -> None:
        """Add another button to the row of [Compare]."""
        self._row.insertWidget(self._row.count() - 1, button)

    def allow(self, why_not: str | None) -> None:
        """Enable [Compare] (None), or disable it with the reason as its tooltip."""
        self.add.setEnabled(why_not is None)
        tip = tr("Keep this schedule's curve on the plot and compare it with others")
        self.add.setToolTip(f"<qt>{why_not or tip}</qt>")

    def show_chips(self, chips: Sequence[Chip]) -> None:
        """Show a row for each of ``chips``, in order."""
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
            row.edit_wanted.connect(lambda key=chip.key: self.edit_wanted.emit(key))
            row.remove_wanted.connect(lambda key=chip.key: self.remove_wanted.emit(key))
            self._column.addWidget(row)
