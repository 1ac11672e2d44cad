"""The library settings: which checkpoints are kept, and their size limit."""

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
    """Which checkpoints of a run are kept.

    Signals:
        chosen(Retention): the settings that were saved.
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
        """The settings in the fields."""
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
            (tr("Last epochs"), self.last, tr("How many checkpoints of a run's last epochs are kept")),
            (tr("Best epochs"), self.best, tr("How many checkpoints of a run's best epochs are kept as well")),
            (tr("Best by"), self.monitor, tr("The metric that decides which epochs are best")),
            (tr("Checkpoints before each change"), self.before, tr("How many of the newest are kept; -1 keeps all")),
            (tr("Within long epochs, every"), self.minutes, tr("Protects against a crash in mid-epoch; 0: never")),
            (
                tr("Warn above"),
                self.limit,
                tr("The size of all checkpoints together above which you are warned; 0: no limit"),
            ),
        ):
            field.setToolTip(as_tip(tip))
            field.setAccessibleName(title)
            field.setMinimumWidth(160)
            form.addRow(title, field)
        kinds = QDialogButtonBox.StandardButton
        self.buttons = QDialogButtonBox(kinds.Ok | kinds.Cancel | kinds.RestoreDefaults)
        self.buttons.button(kinds.Ok).setText(tr("Save"))
        self.buttons.button(kinds.RestoreDefaults).setText(tr("Defaults"))
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        self.buttons.button(kinds.RestoreDefaults).clicked.connect(lambda: self._show(Retention()))
        self.accepted.connect(lambda: self.chosen.emit(self.retention()))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 14, 16, 12)
        layout.setSpacing(12)
        text = tr(
            "A checkpoint is saved at the end of every epoch, and only these are kept. What you save yourself is "
            "always kept. You can still go back to an epoch without a checkpoint: it is recomputed."
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
