"""The controls of a pending schedule: where and when it starts, its base LR, Apply and Discard."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import ValidationError
from PySide6.QtCore import QSignalBlocker, Qt, Signal
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
from gui.widgets.labels import set_available


class PendingControls(QWidget):
    """Start, base LR, when to apply, [Apply] [Discard] [Restart from here].

    Signals:
        start_changed(): the user chose here or as if from epoch 1.
        base_changed(): the user edited the base LR.
        when_changed(): the user chose the next epoch or the next batch.
        applied(), discarded(), restart_wanted(): the buttons.
    """

    start_changed = Signal()
    base_changed = Signal()
    when_changed = Signal()
    applied = Signal()
    discarded = Signal()
    restart_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._restarts = False
        self.here, self.replay = QRadioButton(tr("here")), QRadioButton(tr("as if from epoch 1"))
        self.base, self.note = LineEditor(read_float, to_text), HintLabel()
        self.when = QComboBox()
        self.when.addItems([tr("at the next epoch"), tr("at the next batch")])
        self.when.setAccessibleName(tr("When to apply"))
        self.when.setToolTip(
            tr("A schedule that counts epochs should start with an epoch. Within an epoch, that epoch is its first.")
        )
        self.apply, self.discard = QPushButton(tr("Apply")), QPushButton(tr("Discard"))
        self.restart = QPushButton()
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
        for push in (self.apply, self.discard, self.restart):
            push.setAutoDefault(False)
        buttons = QHBoxLayout()
        buttons.addWidget(self.apply, 1)
        buttons.addWidget(self.discard)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addLayout(radios)
        column.addWidget(labelled(tr("Base LR"), self.base))
        self._when_row = labelled(tr("Apply"), self.when)
        column.addWidget(self._when_row)
        column.addWidget(self.note)
        column.addLayout(buttons)
        column.addWidget(self.restart, 0, Qt.AlignmentFlag.AlignLeft)
        self.here.toggled.connect(self.start_changed)
        self.base.edited.connect(self.base_changed)
        self.when.activated.connect(self.when_changed)
        self.apply.clicked.connect(self.applied)
        self.discard.clicked.connect(self.discarded)
        self.restart.clicked.connect(self.restart_wanted)

    def from_start(self) -> bool:
        """Whether the schedule starts as if from epoch 1."""
        return self.replay.isChecked()

    def at_once(self) -> bool:
        """Whether the schedule starts at the next batch, also within an epoch."""
        return self._when_row.isHidden() or self.when.currentIndex() == 1

    def offer_epoch(self, epoch: int | None) -> None:
        """Offer to start the schedule with ``epoch``; None: the next batch is the first of an epoch anyway."""
        self._when_row.setVisible(epoch is not None)
        if epoch is not None:
            self.when.setItemText(0, tr("at the start of epoch {epoch}", epoch=epoch))

    def base_lr(self) -> Any:
        """The base LR as typed; None if it is empty or cannot be given."""
        typed = self.base.raw()
        return None if typed is EMPTY or not self.base.edit.isEnabled() else typed

    def problem(self) -> str | None:
        """What is wrong with the base LR, as the command says it; None if nothing is."""
        try:
            SetSchedule(schedule=Constant(), lr=self.base_lr())
        except ValidationError as error:
            return said(first_problem(error).problem)
        return None

    def differs(self) -> bool:
        """Whether the start or the base LR are others than after ``reset``, or the schedule is to be restarted."""
        return self._restarts or self.from_start() or self.base_lr() is not None

    def choose_restart(self) -> None:
        """Apply the schedule even if it is the current one, which then starts again. No signal."""
        self._restarts = True

    def reset(self) -> None:
        """Choose a start here, from the current LR, and no restart. No signal."""
        self._restarts = False
        blocked = QSignalBlocker(self)
        self.base.show_value(None)
        self.here.setChecked(True)
        self.when.setCurrentIndex(0)
        blocked.unblock()

    def show_choice(self, from_start: bool, lr: Any) -> None:
        """Show where the schedule starts and its base LR (None: the current LR). No signal."""
        self._restarts = False
        blocked = QSignalBlocker(self)
        self.base.show_value(lr)
        (self.replay if from_start else self.here).setChecked(True)
        blocked.unblock()

    def show_current_lrs(self, lrs: Sequence[float]) -> None:
        """Show the current LRs, one a group, which an empty base LR means."""
        shown = ", ".join(dict.fromkeys(float_text(float(f"{lr:.6g}")) for lr in lrs))
        self.base.edit.setPlaceholderText(tr("the current LR, {lr}", lr=shown))

    def lock_base(self, why: str | None) -> None:
        """Disable the base LR, with ``why`` as the tooltip; None: enable it."""
        self.base.edit.setEnabled(why is None)
        free = tr("The LR that the new schedule starts from; empty: the current LR. Allowed: 0 to 1000.")
        self.base.edit.setToolTip(free if why is None else why)

    def allow(self, why_not: str | None, done: str | None) -> None:
        """Enable Apply, or disable it with the reason as its tooltip.

        Args:
            why_not: why the schedule cannot be applied yet, or None.
            done: why there is nothing to apply, as a sentence, or None.
        """
        problem = self.problem()
        self.note.show_text(problem or "", error=problem is not None)
        self.base.set_problem(problem)
        why_not = why_not or problem
        why_not = done if why_not is None else tr("Not possible yet: {why}", why=why_not)
        set_available(self.apply, why_not, tr("Change to this schedule"))

    def offer_discard(self, why_not: str | None) -> None:
        """Enable Discard (None), or disable it with the reason as its tooltip."""
        set_available(self.discard, why_not, tr("Discard this change; the current schedule stays"))

    def offer_restart(self, text: str, why_not: str | None, tip: str) -> None:
        """Offer as ``text`` to apply the current schedule again; ``why_not`` says why that is not possible."""
        self.restart.setText(text)
        set_available(self.restart, why_not, tip)


def labelled(text: str, field: QWidget) -> QWidget:
    """A row of ``text`` and ``field``."""
    row = QWidget()
    line = QHBoxLayout(row)
    line.setContentsMargins(0, 0, 0, 0)
    line.setSpacing(8)
    label = QLabel(text)
    label.setBuddy(field.control() if isinstance(field, Editor) else field)
    line.addWidget(label)
    line.addWidget(field, 1)
    return row
