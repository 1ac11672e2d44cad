"""The hand on a run: the rate in force, buttons that act at once, a staged change; groups, length, optimizer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QFontMetrics, QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from engine.messages.commands import ReleaseLR, ScaleLR, SetLR
from engine.recipe.recipe import LR_MAX
from gui.core.lr_text import lr_text
from gui.core.translation import said, tr
from gui.learning_rate.current import LRCommand, Rates
from gui.learning_rate.groups_table import GroupsTable
from gui.learning_rate.length import LengthRow
from gui.learning_rate.optimizer import OptimizerSection
from gui.learning_rate.staged_change import StagedChange
from gui.widgets.group_picker import GroupPicker
from gui.widgets.labels import as_tip, label, scroll_into_view, set_available

_QUICK: Final = (("÷10", 0.1), ("÷2", 0.5), ("×2", 2.0), ("×10", 10.0))
_SIZES: Final = (2.4, 1.7, 1.35, 1.1)  # of the large number, in the font's own: the first that fits
_ROOM: Final = 270  # pixels that the narrowest column has


class LRPanel(QWidget):
    """Shows the confirmed rate and says what the person wants it to be.

    ``table``, ``length`` and ``optimizer`` show themselves once there is a run, and have signals of their own.

    Signals:
        command_wanted(SetLR | ScaleLR | ReleaseLR): to be done at the next batch.
        staged(SetLR | ScaleLR | None): the change being prepared, for the plots to draw; None when there is none.
        group_chosen(str | None): the group looked at; None for all.
        schedule_wanted(): another plan is wanted.
        finder_wanted(): a search for a rate is wanted.
    """

    command_wanted = Signal(object)
    staged = Signal(object)
    group_chosen = Signal(object)
    schedule_wanted = Signal()
    finder_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._lrs: Rates | None = None
        self._reason: str | None = tr("There is no run yet.")
        self._offer: SetLR | ScaleLR | None = None
        self._build()
        self._stage.set_reason(self._reason)
        self._refresh()

    def show_lrs(
        self,
        groups: Sequence[str],
        lr: Sequence[float],
        plan: Sequence[float],
        holding: Sequence[bool],
        touched: Sequence[bool],
    ) -> None:
        """Show what an event confirmed, one entry a group."""
        lrs = Rates(tuple(groups), tuple(lr), tuple(plan), tuple(holding), tuple(touched))
        if lrs != self._lrs:
            self._lrs = lrs
            self._picker.show_groups(list(groups))
            self._refresh()

    def clear(self) -> None:
        """There is no run: nothing is in force."""
        self._lrs = None
        self.show_plan("")
        self.table.begin([], [])
        self.length.hide()
        self.optimizer.hide()
        self._refresh()

    def set_enabled_because(self, reason: str | None) -> None:
        """Let the person act (None), or nothing of it, with ``reason`` as every tooltip."""
        if reason != self._reason:
            self._reason = reason
            self._stage.set_reason(reason)
            set_available(self._hold_instead, reason, "")
            for part in (self.table, self.length, self.optimizer):
                part.set_enabled_because(reason)
            self._refresh()

    def stage_lr(self, value: float, hold: bool = False) -> None:
        """Stage ``value`` (between 0 and 1000), as a drag of the plot's line does; ``hold`` keeps it from then on."""
        self._stage.stage_lr(value, hold)

    def show_plan(self, text: str) -> None:
        """The line on the plan: "Plan: StepLR, next cut at epoch 11"."""
        self._plan.setText(text)
        self._plan.setVisible(bool(text))

    def show_floor(self, text: str | None) -> None:
        """What the change does to the curve's floor: "floor becomes 5e-5"."""
        self._floor.setText(text or "")
        self._floor.setVisible(bool(text))

    def show_warning(self, text: str | None) -> None:
        """The answer to the last act where it is more than done: a refusal or a warning. None clears it."""
        self._offer = None
        self._hold_instead.hide()
        self._warning.setText(said(text) if text else "")
        self._warning.setVisible(bool(text))
        if text:
            scroll_into_view(self._warning)
        if not self._stage.is_pending():
            self._stage.idle()

    def offer_hold(self, command: SetLR | ScaleLR, reason: str | None = None) -> None:
        """Say why ``command`` cannot follow the curve (by default: the plan is 0 here), and offer to hold instead."""
        self.show_warning(reason or tr("The scheduled LR is 0 here, so there is no curve to scale."))
        self._offer = command.model_copy(update={"then": "hold"})
        self._hold_instead.show()
        scroll_into_view(self._hold_instead)

    def group(self) -> str | None:
        """The chosen group; None for all of them."""
        return self._picker.group()

    def drop(self) -> None:
        """Forget what is staged or typed."""
        self._stage.drop()
        self.table.drop()
        self.length.field.discard()
        self.optimizer.drop()

    def is_pending(self) -> bool:
        """Whether a rate is staged, or typed and not readable."""
        return self._stage.is_pending()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Escape drops what is staged, wherever in the panel the focus is."""
        if event.key() == Qt.Key.Key_Escape and self._stage.is_pending():
            self._stage.drop()
        else:
            super().keyPressEvent(event)

    def _quick(self, factor: float) -> None:
        chosen, mode = self._chosen(), self._stage.mode()
        keeps = chosen is None or mode is None or mode == chosen.mode
        self._send(ScaleLR(factor=factor, then="keep" if keeps else mode or "keep", group=self.group()))

    def _send(self, command: LRCommand) -> None:
        self._stage.drop()
        self.show_warning(None)
        self._stage.say(tr("Sent. It applies at the next batch."))
        self.command_wanted.emit(command)

    def _take_offer(self) -> None:
        if self._offer is not None:
            self._send(self._offer)

    def _on_group(self) -> None:
        self.show_warning(None)
        self._refresh()
        self.table.show_chosen(self.group())
        self.optimizer.choose(self.group())
        self.group_chosen.emit(self.group())

    def _on_row(self, name: str) -> None:
        """A click on a group chooses it; another one goes back to all."""
        self._picker.choose(None if self.group() == name else name)

    def _on_schedule(self, name: str) -> None:
        self._picker.choose(name)
        self.schedule_wanted.emit()

    def _chosen(self) -> Rates | None:
        return None if self._lrs is None else self._lrs.of(self.group())

    def _refresh(self) -> None:
        chosen = self._chosen()
        chip = "" if chosen is None else chosen.chip()
        self._chip.setText(chip)
        self._chip.setVisible(bool(chip))
        self._show_number("–" if chosen is None else chosen.big())
        if self._lrs is not None and chosen is not None:
            self._number.setToolTip(as_tip(", ".join(map(repr, chosen.lr))))
            self._stage.show_lrs(self._lrs, self.group())
        for button, (_, factor) in zip(self._quick_buttons, _QUICK, strict=True):
            why = self._reason
            if why is None and chosen is not None and chosen.reference_lr == 0:
                why = tr("The LR is 0, which no factor changes. Type an LR instead.")
            if why is None and chosen is not None and chosen.reference_lr * factor > LR_MAX:
                why = tr("A learning rate is at most {most}.", most=lr_text(LR_MAX))
            set_available(button, why, tr("Applies at the next batch."))
        plan = None if chosen is None else chosen.plan_text()
        self._back.setText(tr("Return to schedule") if plan is None else tr("Return to schedule ({lr})", lr=plan))
        why_not = None if chosen is not None and chosen.by_hand else tr("The LR follows the schedule already.")
        set_available(self._back, self._reason or why_not, tr("The scheduled LR from the next batch on."))

    def _show_number(self, text: str) -> None:
        """Show ``text`` as large as there is room for beside the chip."""
        font, room = self._number.font(), _ROOM
        if self._chip.text():
            room -= self._chip.sizeHint().width() + 10
        for size in _SIZES:
            font.setPointSizeF(self.font().pointSizeF() * size)
            if QFontMetrics(font).horizontalAdvance(text) <= room:
                break
        self._number.setFont(font)
        self._number.setText(text)

    def _build(self) -> None:
        self._number, self._chip = label(), label("", "chip")
        self._chip.setProperty("tone", "accent")
        font = self._number.font()
        font.setBold(True)
        font.setPointSizeF(self.font().pointSizeF() * _SIZES[0])
        self._number.setFont(font)
        self._number.setMinimumHeight(QFontMetrics(font).height())
        self._number.setAccessibleName(tr("Current learning rate"))
        self._number.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.table, self.length, self.optimizer = GroupsTable(), LengthRow(), OptimizerSection()
        self.table.clicked.connect(self._on_row)
        self.table.schedule_wanted.connect(self._on_schedule)
        self._picker = GroupPicker()
        self._picker.chosen.connect(self._on_group)
        self._picker.set_tip(tr("With All, the groups are scaled together and keep their proportions."))
        self._quick_buttons = [QPushButton(text) for text, _ in _QUICK]
        for button, (_, factor) in zip(self._quick_buttons, _QUICK, strict=True):
            button.setMinimumWidth(40)
            button.clicked.connect(lambda _=False, f=factor: self._quick(f))
        self._stage = StagedChange()
        self._stage.staged.connect(self.staged)
        self._stage.sent.connect(self._send)
        self._back = QPushButton()
        self._back.clicked.connect(lambda: self._send(ReleaseLR(group=self.group())))
        self._plan, self._floor = label("", "hint", wrap=True), label("", "hint", wrap=True)
        self._warning = label("", "error", wrap=True)
        self._hold_instead = QPushButton(tr("Hold this LR instead"))
        self._hold_instead.clicked.connect(self._take_offer)
        self._change = QPushButton(tr("Change schedule…"))
        self._change.setToolTip(as_tip(tr("Choose another schedule and see its curve before you apply it.")))
        self._change.clicked.connect(self.schedule_wanted)
        self._find = QPushButton(tr("Find a learning rate…"))
        self._find.setToolTip(as_tip(tr("Try learning rates on a copy of the run. The run itself does not change.")))
        self._find.clicked.connect(self.finder_wanted)
        hidden: tuple[QWidget, ...] = (self._plan, self._floor, self._warning, self._hold_instead)
        for widget in hidden:
            widget.hide()
        number, quick = QHBoxLayout(), QHBoxLayout()
        number.setSpacing(10)
        number.addWidget(self._number)
        number.addWidget(self._chip, 0, Qt.AlignmentFlag.AlignVCenter)
        number.addStretch(1)
        quick.setSpacing(6)
        for button in self._quick_buttons:
            quick.addWidget(button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(12, 10, 12, 10)
        layout.setSpacing(8)
        layout.addWidget(label(tr("Learning rate"), "title"))
        layout.addLayout(number)
        layout.addWidget(self.table)
        layout.addWidget(self._picker)
        layout.addLayout(quick)
        below: tuple[QWidget, ...] = (self._stage, self._floor, self._warning, self._hold_instead)
        for widget in (*below, self._back, self._plan, self._change, self._find, self.length, self.optimizer):
            layout.addWidget(widget)
        layout.addStretch(1)
