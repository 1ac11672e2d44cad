"""The LR panel: the current LR, buttons that change it at once, a pending change; groups, length and optimizer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QFontMetrics, QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from engine.messages.commands import ScaleLR, SetLR
from engine.recipe.recipe import LR_MAX
from gui.core.lr_text import lr_text
from gui.core.translation import said, tr
from gui.learning_rate.current import Change, CurrentLRs, LRCommand, change_text
from gui.learning_rate.groups_table import GroupsTable
from gui.learning_rate.length import LengthRow
from gui.learning_rate.optimizer import OptimizerSection
from gui.learning_rate.staged_change import StagedChange
from gui.widgets.group_picker import GroupPicker
from gui.widgets.labels import as_tip, label, scroll_into_view, set_available

_QUICK: Final = (("÷10", 0.1), ("÷2", 0.5), ("×2", 2.0), ("×10", 10.0))
_SIZES: Final = (2.4, 1.7, 1.35, 1.1)  # of the large number, relative to the font: the first that fits
_ROOM: Final = 270  # width of the narrowest column in pixels


class LRPanel(QWidget):
    """Shows the confirmed LR, and asks for commands that change it.

    ``table``, ``length`` and ``optimizer`` are visible once there is a run, and have their own signals.

    Signals:
        command_wanted(SetLR | ScaleLR | ReleaseLR): to be applied at the next batch.
        staged(SetLR | ScaleLR | ReleaseLR | None): the pending change, for the plots to draw; None if there is none.
        group_chosen(str | None): the chosen group; None for all.
        schedule_wanted(): the user wants to change the schedule.
        range_test_wanted(): the user wants an LR range test.
    """

    command_wanted = Signal(object)
    staged = Signal(object)
    group_chosen = Signal(object)
    schedule_wanted = Signal()
    range_test_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._lrs: CurrentLRs | None = None
        self._reason: str | None = tr("There is no run yet.")
        self._offer: SetLR | ScaleLR | None = None
        self._build()
        self._stage.set_reason(self._reason)
        self._refresh()

    def show_lrs(
        self,
        groups: Sequence[str],
        lr: Sequence[float],
        scheduled: Sequence[float],
        holding: Sequence[bool],
        touched: Sequence[bool],
    ) -> bool:
        """Show what an event confirmed, one entry a group; returns whether that changed."""
        lrs = CurrentLRs(tuple(groups), tuple(lr), tuple(scheduled), tuple(holding), tuple(touched))
        if lrs == self._lrs:
            return False
        self._lrs = lrs
        self._picker.show_groups(list(groups))
        self._refresh()
        return True

    def clear(self) -> None:
        """Show that there is no run."""
        self._lrs = None
        self.show_schedule_text("")
        self.table.begin([], [])
        self.length.hide()
        self.optimizer.hide()
        self._refresh()

    def set_enabled_because(self, reason: str | None) -> None:
        """Enable the controls (None), or disable them all with ``reason`` as their tooltips."""
        if reason != self._reason:
            self._reason = reason
            self._stage.set_reason(reason)
            set_available(self._hold_instead, reason, "")
            for part in (self.table, self.length, self.optimizer):
                part.set_enabled_because(reason)
            self._refresh()

    def stage_lr(self, value: float, hold: bool = False) -> None:
        """Make the LR ``value`` (0 to 1000) the pending change, as a drag in the plot does; ``hold``: it is held."""
        self._stage.stage_lr(value, hold)

    def stage_release(self) -> None:
        """Make the return to the schedule the pending change."""
        self._stage.stage_change("release")
        scroll_into_view(self._stage)

    def show_schedule_text(self, text: str) -> None:
        """Show ``text`` about the current schedule: "Schedule: StepLR, 0.01 from epoch 11". Empty hides it."""
        self._schedule_text.setText(text)
        self._schedule_text.setVisible(bool(text))

    def show_floor(self, text: str | None) -> None:
        """Show ``text`` about the curve's lower limit after the pending change; None hides it."""
        self._floor.setText(text or "")
        self._floor.setVisible(bool(text))

    def show_warning(self, text: str | None) -> None:
        """Show why the last command was rejected, or its warning; None hides it."""
        self._offer = None
        self._hold_instead.hide()
        self._warning.setText(said(text) if text else "")
        self._warning.setVisible(bool(text))
        if text:
            scroll_into_view(self._warning)
        if not self._stage.is_pending():
            self._stage.show_idle_hint()

    def offer_hold(self, command: SetLR | ScaleLR, reason: str | None = None) -> None:
        """Show why ``command`` cannot follow the schedule (default: it is 0 here), and offer to hold the LR instead."""
        self.show_warning(reason or tr("The scheduled LR is 0 here, so there is no curve to scale."))
        self._offer = command.model_copy(update={"then": "hold"})
        self._hold_instead.show()
        scroll_into_view(self._hold_instead)

    def group(self) -> str | None:
        """The chosen group; None for all of them."""
        return self._picker.group()

    def discard(self) -> None:
        """Discard the pending change and everything that is typed."""
        self._stage.discard()
        self.table.discard()
        self.length.field.discard()
        self.optimizer.discard()

    def is_pending(self) -> bool:
        """Whether a change is pending, or something is typed that is not a valid LR."""
        return self._stage.is_pending()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Escape discards the pending change, wherever in the panel the focus is."""
        if event.key() == Qt.Key.Key_Escape and self._stage.is_pending():
            self._stage.discard()
        else:
            super().keyPressEvent(event)

    def _quick(self, factor: float) -> None:
        chosen, mode = self._chosen(), self._stage.mode()
        keeps = chosen is None or mode is None or mode == chosen.mode
        self._send(ScaleLR(factor=factor, then="keep" if keeps else mode or "keep", group=self.group()))

    def _send(self, command: LRCommand) -> None:
        self._stage.discard()
        self.show_warning(None)
        self._stage.show_hint(tr("Sent. It applies at the next batch."))
        self.command_wanted.emit(command)

    def _accept_offer(self) -> None:
        if self._offer is not None:
            self._send(self._offer)

    def _on_group(self) -> None:
        self.show_warning(None)
        self._refresh()
        self.table.show_chosen(self.group())
        self.optimizer.choose(self.group())
        self.group_chosen.emit(self.group())

    def _on_row(self, name: str) -> None:
        """Choose the clicked group; all groups if it was chosen already."""
        self._picker.choose(None if self.group() == name else name)

    def _on_change(self, name: str, change: Change) -> None:
        """Choose the group and make the change pending, as the controls below the rows do."""
        self._picker.choose(name)
        self._stage.stage_change(change)
        scroll_into_view(self._stage)

    def _on_schedule(self, name: str) -> None:
        self._picker.choose(name)
        self.schedule_wanted.emit()

    def _chosen(self) -> CurrentLRs | None:
        return None if self._lrs is None else self._lrs.of(self.group())

    def _refresh(self) -> None:
        chosen = self._chosen()
        badge = "" if chosen is None else chosen.badge_text()
        self._badge.setText(badge)
        self._badge.setVisible(bool(badge))
        self._show_number("–" if chosen is None else chosen.number_text())
        if self._lrs is not None and chosen is not None:
            self._number.setToolTip(as_tip(", ".join(map(repr, chosen.lr))))
            self._stage.show_lrs(self._lrs, self.group())
        for button, (_, factor) in zip(self._quick_buttons, _QUICK, strict=True):
            why = self._reason
            if why is None and chosen is not None and chosen.reference_lr == 0:
                why = tr("The LR is 0, which no factor changes. Type an LR instead.")
            if why is None and chosen is not None and chosen.reference_lr * factor > LR_MAX:
                why = tr("A learning rate is at most {most}.", most=lr_text(LR_MAX))
            what = "" if chosen is None else change_text(chosen, chosen.reference_lr * factor, None)
            set_available(button, why, what)
        lr = None if chosen is None else chosen.scheduled_text()
        self._release.setText(tr("Return to schedule") if lr is None else tr("Return to schedule ({lr})", lr=lr))
        why_not = None if chosen is not None and chosen.changed else tr("The LR follows the schedule already.")
        what = "" if chosen is None else change_text(chosen, 0.0, "release")
        tip = tr("{change} It is pending until you apply it.", change=what)
        set_available(self._release, self._reason or why_not, tip)

    def _show_number(self, text: str) -> None:
        """Show ``text`` as large as fits beside the badge."""
        font, room = self._number.font(), _ROOM
        if self._badge.text():
            room -= self._badge.sizeHint().width() + 10
        for size in _SIZES:
            font.setPointSizeF(self.font().pointSizeF() * size)
            if QFontMetrics(font).horizontalAdvance(text) <= room:
                break
        self._number.setFont(font)
        self._number.setText(text)

    def _build(self) -> None:
        self._number, self._badge = label(), label("", "chip")
        self._badge.setProperty("tone", "accent")
        font = self._number.font()
        font.setBold(True)
        font.setPointSizeF(self.font().pointSizeF() * _SIZES[0])
        self._number.setFont(font)
        self._number.setMinimumHeight(QFontMetrics(font).height())
        self._number.setAccessibleName(tr("Current learning rate"))
        self._number.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.table, self.length, self.optimizer = GroupsTable(), LengthRow(), OptimizerSection()
        self.table.clicked.connect(self._on_row)
        self.table.change_wanted.connect(self._on_change)
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
        self._release = QPushButton()
        self._release.clicked.connect(self.stage_release)
        self._schedule_text, self._floor = label("", "hint", wrap=True), label("", "hint", wrap=True)
        self._warning = label("", "error", wrap=True)
        self._hold_instead = QPushButton(tr("Hold this LR instead"))
        self._hold_instead.clicked.connect(self._accept_offer)
        self._change = QPushButton(tr("Change schedule…"))
        self._change.setToolTip(as_tip(tr("Choose another schedule and see its curve before you apply it.")))
        self._change.clicked.connect(self.schedule_wanted)
        self._find = QPushButton(tr("Find a learning rate…"))
        self._find.setToolTip(as_tip(tr("Try learning rates on a copy of the run. The run itself does not change.")))
        self._find.clicked.connect(self.range_test_wanted)
        hidden: tuple[QWidget, ...] = (self._schedule_text, self._floor, self._warning, self._hold_instead)
        for widget in hidden:
            widget.hide()
        number, quick = QHBoxLayout(), QHBoxLayout()
        number.setSpacing(10)
        number.addWidget(self._number)
        number.addWidget(self._badge, 0, Qt.AlignmentFlag.AlignVCenter)
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
        for widget in (
            *below,
            self._release,
            self._schedule_text,
            self._change,
            self._find,
            self.length,
            self.optimizer,
        ):
            layout.addWidget(widget)
        layout.addStretch(1)
