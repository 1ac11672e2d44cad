"""The choice of a schedule: a button that shows the chosen one, and opens the list of all."""

from __future__ import annotations

import html
from collections.abc import Mapping

import numpy as np
from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from engine.schedules import SCHEDULES, ScheduleSpec
from gui.core.translation import said, tr
from gui.schedule.popup import PAD, Curves, SchedulePopup
from gui.widgets.hint_label import HintLabel
from gui.widgets.labels import ElidedLabel
from gui.widgets.sparkline import Sparkline, shape


class SchedulePicker(QPushButton):
    """The chosen schedule, as a button that opens the list.

    Signals:
        chosen(object): the user chose this ScheduleSpec class.
        opening(): the list is about to show, so its curves should be requested.
    """

    chosen = Signal(object)
    opening = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._curves: Curves = {}
        self._unavailable: dict[type[ScheduleSpec], str] = {}
        self._popup: SchedulePopup | None = None
        self._kind: type[ScheduleSpec] = SCHEDULES[0]
        self.sparkline = Sparkline()
        self._name, self._formula = ElidedLabel(), HintLabel(lines=2)
        bold = self._name.font()
        bold.setBold(True)
        self._name.setFont(bold)
        arrow = QLabel("▾")
        texts = QVBoxLayout()
        texts.setSpacing(1)
        texts.addWidget(self._name)
        texts.addWidget(self._formula)
        line = QHBoxLayout(self)
        line.setContentsMargins(PAD, 6, PAD, 6)
        line.setSpacing(PAD)
        line.addWidget(self.sparkline)
        line.addLayout(texts, 1)
        line.addWidget(arrow)
        for child in (self._name, self._formula, arrow):
            child.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setAutoDefault(False)
        self.clicked.connect(self.open)
        self.show_kind(self._kind)

    @property
    def popup(self) -> SchedulePopup:
        """The list, created on first use."""
        if self._popup is None:
            self._popup = SchedulePopup(self)
            self._popup.chosen.connect(self.chosen)
            self._popup.set_curves(self._curves)
            self._popup.set_unavailable(self._unavailable)
        return self._popup

    def set_unavailable(self, unavailable: Mapping[type[ScheduleSpec], str]) -> None:
        """Set the schedules that cannot be chosen, and why."""
        if unavailable != self._unavailable:
            self._unavailable = dict(unavailable)
            if self._popup is not None:
                self._popup.set_unavailable(unavailable)

    def show_kind(self, kind: type[ScheduleSpec]) -> None:
        """Show ``kind`` as the chosen schedule."""
        self._kind = kind
        name, formula = kind.__name__, said(kind.formula)
        self._name.setText(name)
        self._formula.show_text(formula)
        self.sparkline.set_curve(self._curves.get(name, []))
        self.setAccessibleName(tr("Schedule: {name}", name=name))
        self.setToolTip(
            "<qt>"
            + "<br>".join(
                html.escape(t)
                for t in (
                    said(kind.__doc__ or ""),
                    formula,
                    tr("Source: {docs}", docs=kind.docs),
                    tr("Click to choose another."),
                )
            )
            + "</qt>"
        )

    def set_curve(self, name: str, x: np.ndarray, lr: np.ndarray) -> None:
        """Show the curve of the schedule ``name``: LRs ``lr`` [points] or [points, groups], each from ``x`` on."""
        self._curves[name] = shape(x, lr)
        if self._popup is not None:
            self._popup.set_curves(self._curves)
        if name == self._kind.__name__:
            self.sparkline.set_curve(self._curves[name])

    def open(self) -> None:
        """Show the list below the button, within the screen."""
        self.opening.emit()
        self.popup.open_below(self, self._kind)

    def sizeHint(self) -> QSize:
        """Room for the texts and the curve."""
        layout = self.layout()
        return layout.sizeHint() if layout is not None else super().sizeHint()

    def minimumSizeHint(self) -> QSize:
        """A width that fits the column."""
        return QSize(180, self.sizeHint().height())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Open the list with Down or Enter."""
        if event.key() in (Qt.Key.Key_Down, Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.open()
        else:
            super().keyPressEvent(event)
