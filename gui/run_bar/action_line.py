"""The latest act in one line, with the ways back."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QWidget

from engine.messages.events import CommandEvent
from gui.core.translation import said, tr
from gui.widgets.intervention_text import describe, restore_lr_commands
from gui.widgets.labels import ElidedLabel


class ActionLine(QWidget):
    """What the hand did last, and [Put back] [Go back to here].

    Signals:
        put_back(CommandEvent): the rate from before the act is wanted back.
        go_back(CommandEvent): the run from before the act is wanted back, in a new branch.
        folder_wanted(str): show the folder of this file.
    """

    put_back = Signal(object)
    go_back = Signal(object)
    folder_wanted = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._event: CommandEvent | None = None
        self._text, self._waiting = ElidedLabel(), ElidedLabel()
        self._waiting.hide()
        self._put_back, self._go_back = QPushButton(tr("Put back")), QPushButton(tr("Go back to here…"))
        self._put_back.setToolTip(tr("Set the LR to what it was before this act."))
        self._go_back.setToolTip(tr("Go on from just before this act, in a new branch. This run is kept."))
        self._put_back.clicked.connect(lambda: self.put_back.emit(self._event))
        self._go_back.clicked.connect(lambda: self.go_back.emit(self._event))
        self._path = ""
        self._folder = QPushButton(tr("Show folder"))
        self._folder.clicked.connect(lambda: self.folder_wanted.emit(self._path))
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        layout.addWidget(self._text, 1)
        layout.addWidget(self._waiting, 1)
        for button in (self._folder, self._put_back, self._go_back):
            policy = button.sizePolicy()
            policy.setRetainSizeWhenHidden(button is self._put_back)
            button.setSizePolicy(policy)
            layout.addWidget(button)
        self.clear()

    def show_action(self, event: CommandEvent, groups: Sequence[str], *, can_go_back: bool = False) -> None:
        """Show ``event``; ``groups`` names the run's groups, ``can_go_back`` says that it changed the run."""
        self.clear()
        self._event = event
        self._text.setText(_line(event))
        self._put_back.setVisible(bool(restore_lr_commands(event, groups)))
        self._go_back.setVisible(can_go_back)

    def show_text(self, text: str) -> None:
        """Show a line that is no act, such as "Saved as ..."."""
        self.clear()
        self._text.setText(said(text))

    def show_saved(self, path: str) -> None:
        """A file was written where the person asked."""
        self.show_text(tr("Saved as {path}", path=path))
        self._path = path
        self._folder.show()

    def show_waiting(self, text: str | None) -> None:
        """Something was sent and waits: ``text`` stands here meanwhile. None: nothing waits, the last act is back."""
        self._waiting.setText(text or "")
        self._waiting.setVisible(text is not None)
        self._text.setVisible(text is None)
        for button in (self._folder, self._put_back, self._go_back):
            button.setEnabled(text is None)

    def clear(self) -> None:
        """Nothing was done yet."""
        self._event = None
        self._text.setText("")
        self._put_back.hide()
        self._go_back.hide()
        self._folder.hide()


def _line(event: CommandEvent) -> str:
    what = describe(event)
    line = tr("Epoch {epoch}, batch {batch}: {what}", epoch=event.epoch, batch=event.batch, what=what)
    return tr("{line}. Note: {warning}", line=line, warning=said(event.warning)) if event.warning else line
