"""The newest command in one line, with what undoes it."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QWidget

from engine.messages.events import CommandEvent
from gui.core.translation import said, tr
from gui.widgets.intervention_text import command_text, lrs_text, restore_lr_commands
from gui.widgets.labels import ElidedLabel, as_tip


class ActionLine(QWidget):
    """Shows the newest command, with Restore LR and Go back.

    Signals:
        restore_lr(CommandEvent): the LR is to be what it was before this command.
        go_back(CommandEvent): the run is to go back to just before this command, in a new branch.
        folder_wanted(str): show the folder of this file.
    """

    restore_lr = Signal(object)
    go_back = Signal(object)
    folder_wanted = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._event: CommandEvent | None = None
        self._text, self._waiting = ElidedLabel(), ElidedLabel()
        self._waiting.hide()
        self._restore_lr, self._go_back = QPushButton(tr("Restore LR")), QPushButton(tr("Go back…"))
        self._go_back.setToolTip(tr("Go back to just before this change, in a new branch. This run is kept."))
        self._restore_lr.clicked.connect(lambda: self.restore_lr.emit(self._event))
        self._go_back.clicked.connect(lambda: self.go_back.emit(self._event))
        self._path = ""
        self._folder = QPushButton(tr("Show folder"))
        self._folder.clicked.connect(lambda: self.folder_wanted.emit(self._path))
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        layout.addWidget(self._text, 1)
        layout.addWidget(self._waiting, 1)
        for button in (self._folder, self._restore_lr, self._go_back):
            policy = button.sizePolicy()
            policy.setRetainSizeWhenHidden(button is self._restore_lr)
            button.setSizePolicy(policy)
            layout.addWidget(button)
        self.clear()

    def show_action(self, event: CommandEvent, groups: Sequence[str], *, can_go_back: bool = False) -> None:
        """Show a command.

        Args:
            event: the command.
            groups: the names of the run's groups.
            can_go_back: whether it changed the training, so that the run can go back to just before it.
        """
        self.clear()
        self._event = event
        self._text.setText(_line(event))
        commands = restore_lr_commands(event, groups)
        self._restore_lr.setVisible(bool(commands))
        self._restore_lr.setToolTip(as_tip(tr("Set the LR to {lr}, as before this change.", lr=lrs_text(commands))))
        self._go_back.setVisible(can_go_back)

    def show_text(self, text: str) -> None:
        """Show another text, such as "Saved as …"."""
        self.clear()
        self._text.setText(said(text))

    def show_saved(self, path: str) -> None:
        """Show the file that was saved, and offer to show its folder."""
        self.show_text(tr("Saved as {path}", path=path))
        self._path = path
        self._folder.show()

    def show_waiting(self, text: str | None) -> None:
        """Show ``text`` about a pending command in place of the newest command; None: no command is pending."""
        self._waiting.setText(text or "")
        self._waiting.setVisible(text is not None)
        self._text.setVisible(text is None)
        for button in (self._folder, self._restore_lr, self._go_back):
            button.setEnabled(text is None)

    def clear(self) -> None:
        """Show nothing."""
        self._event = None
        self._text.setText("")
        self._restore_lr.hide()
        self._go_back.hide()
        self._folder.hide()


def _line(event: CommandEvent) -> str:
    command = command_text(event)
    line = tr("Epoch {epoch}, batch {batch}: {command}", epoch=event.epoch, batch=event.batch, command=command)
    return tr("{line}. Note: {warning}", line=line, warning=said(event.warning)) if event.warning else line
