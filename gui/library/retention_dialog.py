"""The library's settings: which checkpoints are kept, and how much they may take together."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import Signal
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QDoubleSpinBox,
    QFormLayout,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from engine.library import Retention
from gui.core.translation import tr
from gui.widgets.labels import as_tip, label

GB: Final = 1000**3
_MANY: Final = 1000


class RetentionDialog(QDialog):
    """What is kept of a run's checkpoints.

    Signals:
        chosen(Keeping): the person wants this.
    """

    chosen = Signal(object)

    def __init__(self, retention: Retention, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr("Library settings"))
        self.last, self.best, self.before = _count(1), _count(0), _count(-1)
        self.before.setSpecialValueText(tr("all"))
        self.minutes, self.limit = QDoubleSpinBox(), QDoubleSpinBox()
        self.minutes.setRange(0, 24 * 60)
        self.minutes.setDecimals(0)
        self.minutes.setSpecialValueText(tr("never"))
        self.minutes.setSuffix(tr(" minutes"))
        self.limit.setRange(0, 100_000)
        self.limit.setDecimals(1)
        self.limit.setSpecialValueText(tr("no limit"))
        self.limit.setSuffix(tr(" GB"))
        self.monitor = QComboBox()
        for text, metric in (
            (tr("validation loss"), "val_loss"),
            (tr("validation accuracy"), "val_accuracy"),
            (tr("training loss"), "train_loss"),
            (tr("training accuracy"), "train_accuracy"),
        ):
            self.monitor.addItem(text, metric)
        self._build()
        self._show(retention)

    def retention(self) -> Retention:
        """What stands in the fields."""
        before, limit = self.before.value(), self.limit.value()
        return Retention(
            last=self.last.value(),
            best=self.best.value(),
            monitor=self.monitor.currentData(),
            before=None if before < 0 else before,
            minutes=self.minutes.value(),
            limit_bytes=round(limit * GB) if limit else None,
        )

    def _show(self, retention: Retention) -> None:
        self.last.setValue(retention.last)
        self.best.setValue(retention.best)
        self.monitor.setCurrentIndex(self.monitor.findData(retention.monitor))
        self.before.setValue(-1 if retention.before is None else retention.before)
        self.minutes.setValue(retention.minutes)
        self.limit.setValue(0 if retention.limit_bytes is None else retention.limit_bytes / GB)

    def _build(self) -> None:
        form = QFormLayout()
        form.setHorizontalSpacing(14)
        form.setVerticalSpacing(8)
        for title, field, tip in (
            (tr("Newest epoch ends"), self.last, tr("How many of a run's newest epoch ends are kept")),
            (tr("Best epoch ends"), self.best, tr("How many of a run's best epoch ends are kept beside them")),
            (tr("The best by"), self.monitor, tr("The metric that says which epoch was best")),
            (tr("Moments before your acts"), self.before, tr("How many of the newest; -1 keeps them all")),
            (tr("Within long epochs, every"), self.minutes, tr("For a crash in mid-epoch; 0: never")),
            (
                tr("Warn above"),
                self.limit,
                tr("What all checkpoints may take together before you are told; 0: anything"),
            ),
        ):
            field.setToolTip(as_tip(tip))
            field.setAccessibleName(title)
            field.setMinimumWidth(160)
            form.addRow(title, field)
        kinds = QDialogButtonBox.StandardButton
        self.buttons = QDialogButtonBox(kinds.Ok | kinds.Cancel | kinds.RestoreDefaults)
        self.buttons.button(kinds.Ok).setText(tr("Keep so"))
        self.buttons.button(kinds.RestoreDefaults).setText(tr("Defaults"))
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        self.buttons.button(kinds.RestoreDefaults).clicked.connect(lambda: self._show(Retention()))
        self.accepted.connect(lambda: self.chosen.emit(self.retention()))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 14, 16, 12)
        layout.setSpacing(12)
        text = tr(
            "Every epoch's end is saved, and thinned to these. What you save yourself always stays. A place whose "
            "checkpoint is gone can still be gone back to: it is computed again."
        )
        words = label(text, "hint", wrap=True)
        words.setMinimumWidth(380)
        layout.addWidget(words)
        layout.addLayout(form)
        layout.addWidget(self.buttons)


def _count(least: int) -> QSpinBox:
    box = QSpinBox()
    box.setRange(least, _MANY)
    return box
