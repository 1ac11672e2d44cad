"""What only a pending plan has: where and when it starts, its base LR, Apply and Drop."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import ValidationError
from PySide6.QtCore import QSignalBlocker, Signal
from PySide6.QtWidgets import (
    QButtonGroup,
    QComboBox,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QRadioButton,
    QVBoxLayout,
    QWidget,
)

from engine.common.spec import first_problem
from engine.messages.commands import SetSchedule
from engine.schedules import Constant
from gui.core.translation import said, tr
from gui.widgets.field_text import to_text
from gui.widgets.fields import EMPTY, Editor, LineEditor, float_text, read_float
from gui.widgets.hint_label import HintLabel


class PendingControls(QWidget):
    """Start, base LR, Apply, Drop.

    Signals:
        start_changed(): here or as if from epoch 1, by the person.
        base_changed(): the person edited the base LR.
        moment_changed(): at the next epoch's start or at once, by the person.
        applied(), dropped(): the buttons.
    """

    start_changed = Signal()
    base_changed = Signal()
    moment_changed = Signal()
    applied = Signal()
    dropped = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.here, self.replay = QRadioButton(tr("here")), QRadioButton(tr("as if from epoch 1"))
        self.base, self.note = LineEditor(read_float, to_text), HintLabel()
        self.moment = QComboBox()
        self.moment.addItems([tr("at the next epoch"), tr("at the next batch")])
        self.moment.setAccessibleName(tr("When to apply"))
        self.moment.setToolTip(
            tr("A schedule that counts epochs begins best at an epoch's start; in mid-epoch, that epoch is its first.")
        )
        self.apply, self.drop = QPushButton(tr("Apply")), QPushButton(tr("Discard"))
        starts = QButtonGroup(self)
        radios = QHBoxLayout()
        radios.setSpacing(10)
        radios.addWidget(QLabel(tr("Start")))
        for button, tip in (
            (self.here, tr("The new schedule starts now, from the current LR")),
            (self.replay, tr("The new schedule continues as if used from epoch 1, with the recipe's LR")),
        ):
            starts.addButton(button)
            button.setToolTip(tip)
            radios.addWidget(button)
        radios.addStretch(1)
        self.here.setChecked(True)
        self.base.edit.setAccessibleName(tr("Base LR"))
        for push in (self.apply, self.drop):
            push.setAutoDefault(False)
        self.drop.setToolTip(tr("Discard this change; the current schedule stays"))
        buttons = QHBoxLayout()
        buttons.addWidget(self.apply, 1)
        buttons.addWidget(self.drop)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addLayout(radios)
        column.addWidget(labelled(tr("Base LR"), self.base))
        self._when = labelled(tr("Apply"), self.moment)
        column.addWidget(self._when)
        column.addWidget(self.note)
        column.addLayout(buttons)
        self.here.toggled.connect(self.start_changed)
        self.base.edited.connect(self.base_changed)
        self.moment.activated.connect(self.moment_changed)
        self.apply.clicked.connect(self.applied)
        self.drop.clicked.connect(self.dropped)

    def from_start(self) -> bool:
        """Whether the plan shall run as if from epoch 1."""
        return self.replay.isChecked()

    def at_once(self) -> bool:
        """Whether the plan shall begin at the next batch, even in mid-epoch."""
        return self._when.isHidden() or self.moment.currentIndex() == 1

    def offer_epoch(self, epoch: int | None) -> None:
        """The epoch at whose start the plan can begin; None: the next batch begins one."""
        self._when.setVisible(epoch is not None)
        if epoch is not None:
            self.moment.setItemText(0, tr("at the start of epoch {epoch}", epoch=epoch))

    def base_lr(self) -> Any:
        """The base LR as typed; None where it is empty or not to be given."""
        typed = self.base.raw()
        return None if typed is EMPTY or not self.base.edit.isEnabled() else typed

    def problem(self) -> str | None:
        """What is wrong with the base LR, in the command's own words."""
        try:
            SetSchedule(schedule=Constant(), lr=self.base_lr())
        except ValidationError as error:
            return said(first_problem(error).problem)
        return None

    def differs(self) -> bool:
        """Whether start or base LR are not as ``reset`` leaves them."""
        return self.from_start() or self.base.raw() is not EMPTY

    def reset(self) -> None:
        """Start here, on the LR in force. No signal."""
        blocked = QSignalBlocker(self)
        self.base.show_value(None)
        self.here.setChecked(True)
        self.moment.setCurrentIndex(0)
        blocked.unblock()

    def show_choice(self, from_start: bool, lr: Any) -> None:
        """Show where a plan starts and its base LR (None: the LR in force). No signal."""
        blocked = QSignalBlocker(self)
        self.base.show_value(lr)
        (self.replay if from_start else self.here).setChecked(True)
        blocked.unblock()

    def set_lr_in_force(self, lrs: Sequence[float]) -> None:
        """What an empty base LR means: the rate in force, or each group's own of several."""
        shown = ", ".join(dict.fromkeys(float_text(float(f"{lr:.6g}")) for lr in lrs))
        self.base.edit.setPlaceholderText(tr("the current LR, {lr}", lr=shown))

    def lock_base(self, why: str | None) -> None:
        """No base LR can be given, because of ``why``; None: it can."""
        self.base.edit.setEnabled(why is None)
        free = tr("The LR that the new schedule starts from; empty: the current LR. Allowed: 0 to 1000.")
        self.base.edit.setToolTip(free if why is None else why)

    def allow(self, why_not: str | None) -> None:
        """Enable Apply, or say why not."""
        wrong = self.problem()
        self.note.show_text(wrong or "", error=wrong is not None)
        self.base.set_problem(wrong)
        self.apply.setEnabled(why_not is None and wrong is None)
        self.apply.setToolTip(
            tr("Take this schedule") if self.apply.isEnabled() else tr("Not possible yet: {why}", why=why_not or wrong)
        )


def labelled(text: str, field: QWidget) -> QWidget:
    """A row with ``text`` before ``field``."""
    row = QWidget()
    line = QHBoxLayout(row)
    line.setContentsMargins(0, 0, 0, 0)
    line.setSpacing(8)
    label = QLabel(text)
    label.setBuddy(field.control() if isinstance(field, Editor) else field)
    line.addWidget(label)
    line.addWidget(field, 1)
    return row
