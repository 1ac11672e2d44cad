"""The number of epochs of a run: shown, changed while it trains, and the schedule fitted to it afterwards."""

from __future__ import annotations

from pydantic import ValidationError
from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from engine.common.spec import first_problem
from engine.messages.commands import SetEpochs
from gui.core.translation import said, tr
from gui.widgets.confirmed_field import ConfirmedField
from gui.widgets.fields import read_int
from gui.widgets.labels import ElidedLabel, as_tip, label, set_available, set_role


class LengthRow(QWidget):
    """Epochs [30] [Set] 12 to go; and [Fit the schedule to 40 epochs] if it was made for another length.

    Signals:
        command_wanted(SetEpochs): to be applied at the next batch.
        fit_wanted(): the user wants the schedule fitted to the run's length.
    """

    command_wanted = Signal(object)
    fit_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._reason: str | None = None
        self._epochs = self._least = 1
        self.field, self.set = ConfirmedField(), QPushButton(tr("Set"))
        self.field.setAccessibleName(tr("Number of epochs"))
        self.field.setFixedWidth(self.fontMetrics().horizontalAdvance("1000000") + 16)
        self.field.typing.connect(lambda _: self._validate())
        self.field.entered.connect(lambda _: self._send())
        self.set.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.set.clicked.connect(self._send)
        self.left, self.note = ElidedLabel(), label("", "hint", wrap=True)
        set_role(self.left, "hint")
        self.made_for = label("", "hint", wrap=True)
        self.fit = QPushButton()
        self.fit.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.fit.setToolTip(
            as_tip(tr("Shows the same schedule, fitted to the new length, in the editor. Apply there applies it."))
        )
        self.fit.clicked.connect(self.fit_wanted)
        title = QLabel(tr("Epochs"))
        title.setBuddy(self.field)
        row = QHBoxLayout()
        row.setSpacing(6)
        for widget in (title, self.field, self.set):
            row.addWidget(widget)
        row.addWidget(self.left, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addLayout(row)
        for widget in (self.note, self.made_for, self.fit):
            column.addWidget(widget)
            widget.hide()
        self.hide()

    def show_length(self, epochs: int, done: int, least: int) -> None:
        """Show the number of epochs, given how many are done and the smallest number that is possible."""
        if epochs != self._epochs:
            self._show_note("")
        self._epochs, self._least = epochs, least
        self.field.show_confirmed(str(epochs))
        self.left.setText(tr("{left} to go", left=epochs - done))
        self._validate(show=self.field.is_typed())
        self.show()

    def offer_fit(self, made_for: int | None, group: str | None = None) -> None:
        """Offer to fit the schedule (of ``group``), which was made for ``made_for`` epochs; None: no offer."""
        for widget in (self.made_for, self.fit):
            widget.setVisible(made_for is not None)
        if made_for is None:
            return
        if group is None:
            self.made_for.setText(tr("The schedule was made for {epochs} epochs.", epochs=made_for))
        else:
            self.made_for.setText(
                tr("The schedule of {group} was made for {epochs} epochs.", group=group, epochs=made_for)
            )
        self.fit.setText(tr("Fit the schedule to {epochs} epochs", epochs=self._epochs))

    def set_enabled_because(self, reason: str | None) -> None:
        """Enable the controls (None), or disable them with ``reason`` as their tooltips."""
        self._reason = reason
        if reason is not None:
            self.field.discard()
        self.fit.setEnabled(reason is None)
        self._validate(show=False)

    def show_problem(self, reason: str) -> None:
        """Show why the last command was rejected."""
        self._show_note(tr("{reason}.", reason=said(reason)[:1].upper() + said(reason)[1:]), error=True)

    def _command(self) -> tuple[SetEpochs | None, str | None]:
        """The command for what is typed, or what is wrong with it."""
        try:
            command = SetEpochs.model_validate({"epochs": read_int(self.field.text().strip())})
        except ValidationError as error:
            return None, said(first_problem(error).problem)
        if command.epochs < self._least:
            return None, tr("epoch {least} is reached already", least=self._least)
        return command, None

    def _validate(self, show: bool = True) -> None:
        typed = self.field.is_typed()
        command, problem = self._command() if typed else (None, None)
        self.field.set_problem(problem)
        if show and problem:
            self._show_note(problem, error=True)
        elif show and command is not None:
            self._show_note(
                tr("{old} -> {new} epochs: Enter applies, Escape discards.", old=self._epochs, new=command.epochs)
            )
        elif show:
            self._show_note("")
        tip = tr("The number of epochs, at least {least}. Type another number: Enter applies it.", least=self._least)
        set_available(self.field, self._reason, tip)
        untyped = None if typed else tr("Type another number of epochs first.")
        set_available(
            self.set, self._reason or problem or untyped, tr("Change the number of epochs at the next batch.")
        )

    def _send(self) -> None:
        command, _ = self._command()
        if self.field.is_typed() and command is not None:
            self.field.discard()
            self._show_note(tr("Sent. It applies at the next batch."))
            self.command_wanted.emit(command)

    def _show_note(self, text: str, *, error: bool = False) -> None:
        set_role(self.note, "error" if error else "hint")
        self.note.setText(text)
        self.note.setVisible(bool(text))
