"""The pending change of the learning rate, typed or dragged and not yet applied."""

from __future__ import annotations

import math
from typing import Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QPushButton, QRadioButton, QVBoxLayout, QWidget

from engine.recipe.recipe import LR_MAX
from gui.core.lr_text import is_incomplete, lr_text, read_lr
from gui.core.translation import said, tr
from gui.learning_rate.current import Change, CurrentLRs, LRCommand, Mode, change_command, change_text
from gui.widgets.labels import label, set_available, set_role
from gui.widgets.lr_slider import LRSlider
from gui.widgets.number_field import NumberField

_MODES: Final[tuple[Mode, ...]] = ("follow", "hold")


class StagedChange(QWidget):
    """The field, the slider, [Scale the schedule] or [Hold this LR], and [Apply] [Discard].

    Signals:
        staged(SetLR | ScaleLR | ReleaseLR | None): the pending change; None if there is none.
        sent(SetLR | ScaleLR | ReleaseLR): the user applied it.
    """

    staged = Signal(object)
    sent = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._lrs: CurrentLRs | None = None
        self._group: str | None = None
        self._change: tuple[float, Change | None] | None = None
        self._command: LRCommand | None = None
        self._reason: str | None = None
        self._typing = False
        self._unheld: tuple[Mode | None] | None = None  # the chosen mode while a drag with hold overrides it
        self._build()
        self._show_buttons(discardable=False)
        self.show_idle_hint()

    def show_lrs(self, lrs: CurrentLRs, group: str | None) -> None:
        """Show the confirmed LRs of ``group`` (None: all). A pending change stays, unless it was for other groups."""
        other = self._lrs is not None and (lrs.groups != self._lrs.groups or group != self._group)
        self._lrs, self._group = lrs, group
        if other:
            self.discard()
        chosen = lrs.of(group)
        self._slider.mark_lr(chosen.reference_lr)
        self._slider.cover(max(chosen.scheduled))
        if self._change is not None:
            self._stage(*self._change)
        elif not self._typing:
            self._show_confirmed()
            self.show_idle_hint()

    def set_reason(self, reason: str | None) -> None:
        """Enable the controls (None), or disable them with ``reason`` as their tooltips."""
        self._reason = reason
        if reason is not None:
            self.discard()
        if not self.is_pending():
            self.show_idle_hint()
        self._show_buttons(discardable=self.is_pending())
        controls: tuple[tuple[QWidget, str], ...] = (
            (self._field, tr("A learning rate, such as 0.001 or 1e-3. Enter applies it, Escape discards it.")),
            (self._slider, tr("Drag to stage a learning rate. The mark shows the current LR.")),
            (self._modes.button(0), tr("The schedule keeps its shape, scaled to the new level.")),
            (self._modes.button(1), tr("The LR stays constant until you return to the schedule.")),
        )
        for widget, tip in controls:
            set_available(widget, reason, tip)

    def stage_lr(self, value: float, hold: bool = False) -> None:
        """Make the LR ``value`` (0 to 1000) the pending change; ``hold``: held, whatever mode is chosen."""
        if math.isfinite(value) and self._field.isEnabled():
            self._replace_release()
            self._typing = False
            if hold and self._unheld is None:
                self._unheld = (self.mode(),)
                self._show_mode("hold")
            elif not hold and self._unheld is not None:
                self._show_mode(*self._unheld)
                self._unheld = None
            self._stage(min(max(value, 0.0), LR_MAX), self.mode())

    def stage_change(self, change: Change) -> None:
        """Make this the pending change: hold the LR (a pending one if there is one), scale the schedule, or return."""
        if not self._field.isEnabled():
            return
        if change == "release":
            self.discard()
            self._stage(0.0, change)
        else:
            self._show_mode(change)
            self._on_mode()

    def mode(self) -> Mode | None:
        """The chosen mode; None if a return to the schedule is pending, or the groups differ and none was chosen."""
        checked = self._modes.checkedId()
        return _MODES[checked] if checked >= 0 else None

    def is_pending(self) -> bool:
        """Whether a change is pending, or something is typed that is not a valid LR."""
        return self._command is not None or self._typing

    def show_hint(self, text: str) -> None:
        """Show ``text`` under the controls until the next change."""
        set_role(self._hint, "hint")
        self._hint.setText(text)

    def show_idle_hint(self) -> None:
        """Show what the controls are for, or why they are disabled."""
        self.show_hint(said(self._reason) if self._reason else tr("Type an LR or drag the slider, then apply."))

    def apply(self) -> None:
        """Send the pending change."""
        if self._command is not None:
            self.sent.emit(self._command)

    def discard(self) -> None:
        """Discard the pending change and what is typed."""
        self._change, self._unheld = None, None
        self._typing = False
        self._set_command(None)
        self._show_confirmed()
        self.show_idle_hint()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Escape discards the pending change."""
        if event.key() == Qt.Key.Key_Escape and self.is_pending():
            self.discard()
        else:
            super().keyPressEvent(event)

    def _on_typed(self, text: str) -> None:
        self._replace_release()
        self._typing = True
        if is_incomplete(text):
            self._unstage("")
            return
        try:
            value = read_lr(text)
        except ValueError as error:
            self._unstage(str(error))
            return
        self._stage(value, self.mode())

    def _on_entered(self) -> None:
        if self._typing:
            try:
                read_lr(self._field.text())
            except ValueError as error:
                self._unstage(str(error))
                return
        self.apply()

    def _on_slid(self, lr: float) -> None:
        self._replace_release()
        self._typing = False
        self._stage(lr, self.mode())

    def _on_mode(self) -> None:
        self._unheld = None
        if self._change is not None and self._change[1] != "release":
            self._stage(self._change[0], self.mode())
        elif self._typing:
            self._on_typed(self._field.text())
        elif self._lrs is not None:
            self._stage(self._lrs.of(self._group).reference_lr, self.mode())

    def _replace_release(self) -> None:
        """Choose the confirmed mode again, because an LR replaces a pending return to the schedule."""
        if self._lrs is not None and self._change is not None and self._change[1] == "release":
            self._show_mode(self._lrs.of(self._group).mode)

    def _stage(self, value: float, change: Change | None) -> None:
        """Make the change pending, or discard it if it changes nothing; ``value`` is of no use for a release."""
        if self._lrs is None:
            return
        chosen = self._lrs.of(self._group)
        if change == "release":
            value = max(chosen.scheduled)
            self._show_mode(None)
        if not chosen.changed if change == "release" else (value, change) == (chosen.reference_lr, chosen.mode):
            if self._typing:
                self._unstage("")
            else:
                self.discard()
            return
        try:
            command = change_command(self._lrs, self._group, value, change)
        except ValueError as error:
            self._unstage(str(error))
            return
        self._change = (value, change)
        if not self._typing:
            self._field.show_number(lr_text(value))
        self._slider.show_lr(value)
        set_role(self._hint, "")
        self._hint.setText(change_text(chosen, value, change))
        self._set_command(command)

    def _unstage(self, problem: str) -> None:
        """No change is pending while the text is not an LR. ``problem`` says why; empty while it is incomplete."""
        self._change = None
        self._set_command(None)
        self._show_buttons(discardable=True)
        if problem:
            set_role(self._hint, "error")
            self._hint.setText(problem)
        else:
            self.show_idle_hint()

    def _set_command(self, command: LRCommand | None) -> None:
        before, self._command = self._command, command
        self._show_buttons(discardable=command is not None)
        if command != before:
            self.staged.emit(command)

    def _show_buttons(self, discardable: bool) -> None:
        why = self._reason or tr("No change is pending. Choose another LR first.")
        set_available(self._apply, None if self._command else why, tr("Apply at the next batch (Enter)."))
        set_available(self._discard, None if discardable else why, tr("Discard the pending change (Escape)."))

    def _show_confirmed(self) -> None:
        if self._lrs is None:
            return
        chosen = self._lrs.of(self._group)
        self._field.show_number(lr_text(chosen.reference_lr))
        self._slider.show_lr(chosen.reference_lr)
        self._show_mode(chosen.mode)

    def _show_mode(self, mode: Mode | None) -> None:
        self._modes.setExclusive(False)  # groups that differ need both off, which an exclusive pair does not allow
        for index, name in enumerate(_MODES):
            self._modes.button(index).setChecked(name == mode)
        self._modes.setExclusive(True)

    def _build(self) -> None:
        self._field = NumberField()
        self._field.setAccessibleName(tr("New learning rate"))
        self._field.setMaxLength(30)
        self._field.textEdited.connect(self._on_typed)
        self._field.returnPressed.connect(self._on_entered)
        self._apply, self._discard = QPushButton(tr("Apply")), QPushButton(tr("Discard"))
        set_role(self._apply, "primary")
        for button, slot in ((self._apply, self.apply), (self._discard, self.discard)):
            button.clicked.connect(slot)
            button.setMinimumWidth(self.fontMetrics().horizontalAdvance(button.text()) + 28)
        self._slider = LRSlider()
        self._slider.slider().setAccessibleName(tr("New learning rate, on a logarithmic scale"))
        self._slider.moved.connect(self._on_slid)
        self._modes = QButtonGroup(self)
        for index, text in enumerate((tr("Scale the schedule"), tr("Hold this LR"))):
            self._modes.addButton(QRadioButton(text), index)
        self._modes.idClicked.connect(self._on_mode)
        self._hint = label("", "hint", wrap=True)
        self._hint.setMinimumHeight(2 * self.fontMetrics().lineSpacing() + 2)
        self._hint.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
        row = QHBoxLayout()
        row.setSpacing(6)
        row.addWidget(self._field, 1)
        row.addWidget(self._apply)
        row.addWidget(self._discard)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        layout.addLayout(row)
        layout.addWidget(self._slider)
        for radio in self._modes.buttons():
            layout.addWidget(radio)
        layout.addWidget(self._hint)
