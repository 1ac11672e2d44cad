"""The banner above the plots: a failure, a divergence, the end of the run; one at a time."""

from __future__ import annotations

from typing import Final, Literal

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QFontDatabase, QGuiApplication
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLayout,
    QPlainTextEdit,
    QPushButton,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from gui.panels.chip import BLUE, RED, Dot
from gui.panels.labels import label, set_role
from gui.words import said, tr

Subject = Literal["finished", "diverged", "failure"]
_RANK: Final[dict[Subject, int]] = {"finished": 0, "diverged": 1, "failure": 2}
_COLOURS: Final[dict[Subject, str]] = {"finished": BLUE, "diverged": RED, "failure": RED}


class Banner(QFrame):
    """A message with what can be done about it. Hidden while there is none.

    A choice closes it. A lesser message never takes the place of a graver one that is still up; ``clear`` does.

    Signals:
        back_wanted(int): back to the end of this epoch, at a tenth of the rate.
        go_on_wanted(): train on although the loss was not finite.
        stop_wanted(): save and end the diverged run.
        more_epochs_wanted(int): this many epochs more, after the end.
        continue_wanted(): the run that was stopped or failed goes on where it was.
    """

    back_wanted = Signal(int)
    go_on_wanted = Signal()
    stop_wanted = Signal()
    more_epochs_wanted = Signal(int)
    continue_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._subject: Subject | None = None
        self._epoch, self._more = 0, 10
        set_role(self, "card")
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        self._build()
        self.hide()

    def subject(self) -> Subject | None:
        """What the banner is about; None while there is none."""
        return self._subject

    def text(self) -> str:
        """The message shown."""
        return self._text.text()

    def show_failure(self, text: str, details: str | None = None, *, can_go_on: bool = False) -> None:
        """The engine failed: ``text`` in words, ``details`` the traceback; ``can_go_on`` from a snapshot."""
        if self._begin("failure", said(text)):
            self._details.setPlainText(details or "")
            ways = (self._continue,) if can_go_on else ()
            self._offer(*ways, *((self._expander, self._copy) if details else ()))

    def show_stopped(self, text: str) -> None:
        """The run was ended before its time, and can go on."""
        if self._begin("finished", said(text)):
            self._offer(self._continue)

    def show_diverged(self, text: str, back_epoch: int | None) -> None:
        """The loss was not finite; ``back_epoch`` is the epoch (0: the start) whose end can be gone back to, if any."""
        if not self._begin("diverged", said(text)):
            return
        self._epoch = back_epoch or 0
        if back_epoch == 0:
            self._back.setText(tr("Back to the start at a tenth of the LR"))
        else:
            self._back.setText(tr("Back to epoch {epoch} at a tenth of the LR", epoch=back_epoch))
        self._offer(*([self._back] if back_epoch is not None else []), self._go_on, self._stop)

    def show_finished(self, text: str, plan: str = "", more: int = 10) -> None:
        """The run is done; ``plan`` says what the plan does next, ``more`` how many epochs are offered (0: none)."""
        if self._begin("finished", said(text), plan):
            self._more = more
            self._more_epochs.setText(tr("+{more} epochs", more=more))
            self._offer(*([self._more_epochs] if more else []))

    def clear(self) -> None:
        """Take the message away."""
        self._subject = None
        self.hide()

    def _begin(self, subject: Subject, text: str, hint: str = "") -> bool:
        if self._subject is not None and _RANK[subject] < _RANK[self._subject]:
            return False
        self._subject = subject
        self._dot.show_colour(_COLOURS[subject])
        self._text.setText(text)
        self._hint.setText(hint)
        self._hint.setVisible(bool(hint))
        self._expander.setChecked(False)
        return True

    def _offer(self, *buttons: QWidget) -> None:
        """Show these buttons: beside a message with at most one, under a message with more."""
        beside = len(buttons) <= 1
        for button in self._buttons:
            button.setVisible(button in buttons)
            (self._beside if beside else self._under).addWidget(button)
        self._under_row.setVisible(not beside)
        self.show()

    def _copy_details(self) -> None:
        QGuiApplication.clipboard().setText(f"{self._text.text()}\n\n{self._details.toPlainText()}")

    def _expand(self, wanted: bool) -> None:
        self._details.setVisible(wanted)
        self._expander.setArrowType(Qt.ArrowType.DownArrow if wanted else Qt.ArrowType.RightArrow)

    def _chosen(self) -> None:
        """Close, and only then say what was chosen: the answer may bring a new message."""
        sender = self.sender()
        self.clear()
        if sender is self._back:
            self.back_wanted.emit(self._epoch)
        elif sender is self._go_on:
            self.go_on_wanted.emit()
        elif sender is self._stop:
            self.stop_wanted.emit()
        elif sender is self._continue:
            self.continue_wanted.emit()
        elif sender is self._more_epochs:
            self.more_epochs_wanted.emit(self._more)

    def _build(self) -> None:
        self._dot = Dot()
        self._text, self._hint = label("", wrap=True), label("", "hint", wrap=True)
        font = self._text.font()
        font.setBold(True)
        self._text.setFont(font)
        for words in (self._text, self._hint):
            words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._back, self._go_on, self._stop = QPushButton(), QPushButton(tr("Go on as it is")), QPushButton(tr("Stop"))
        self._more_epochs, self._continue = QPushButton(), QPushButton(tr("Continue"))
        self._continue.setToolTip(tr("Go on exactly where the run was saved."))
        self._copy, self._expander = QPushButton(tr("Copy")), QToolButton()
        set_role(self._back, "primary")
        self._back.setToolTip(tr("The snapshot from then is loaded and goes on as a new branch. This run is kept."))
        self._go_on.setToolTip(tr("Resume with the weights as they are; the bad update was not made."))
        self._stop.setToolTip(tr("Save and end the run."))
        self._copy.setToolTip(tr("Copy the message and its details, to send to somebody."))
        for choice in (self._back, self._go_on, self._stop, self._more_epochs, self._continue):
            choice.clicked.connect(self._chosen)
        self._copy.clicked.connect(self._copy_details)
        self._expander.setText(tr("Details"))
        self._expander.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self._expander.setArrowType(Qt.ArrowType.RightArrow)
        self._expander.setCheckable(True)
        self._expander.toggled.connect(self._expand)
        self._buttons: tuple[QWidget, ...] = (
            self._back,
            self._go_on,
            self._stop,
            self._more_epochs,
            self._continue,
            self._expander,
            self._copy,
        )
        self._details = QPlainTextEdit()
        self._details.setReadOnly(True)
        self._details.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self._details.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self._details.setFixedHeight(self.fontMetrics().lineSpacing() * 9)
        self._details.setAccessibleName(tr("Details"))
        self._details.hide()
        close = QToolButton()
        close.setText("✕")
        close.setAutoRaise(True)
        close.setProperty("role", "quiet")
        close.setToolTip(tr("Close this message."))
        close.setAccessibleName(tr("Close"))
        close.clicked.connect(self.clear)
        self._lay_out(close)

    def _lay_out(self, close: QToolButton) -> None:
        words = QVBoxLayout()
        words.setSpacing(2)
        words.addWidget(self._text)
        words.addWidget(self._hint)
        self._beside = QHBoxLayout()
        top = QHBoxLayout()
        top.setSpacing(10)
        middle = Qt.AlignmentFlag.AlignVCenter
        top.addWidget(self._dot, 0, middle)
        top.addLayout(words, 1)
        top.addLayout(self._beside)
        top.addWidget(close, 0, middle)
        self._under_row = QWidget()
        row = QHBoxLayout(self._under_row)
        row.setContentsMargins(20, 0, 0, 0)
        self._under = QHBoxLayout()
        self._under.setSpacing(8)
        row.addLayout(self._under)
        row.addStretch(1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(12, 8, 8, 8)
        layout.setSpacing(8)
        layout.setSizeConstraint(QLayout.SizeConstraint.SetDefaultConstraint)
        layout.addLayout(top)
        layout.addWidget(self._under_row)
        layout.addWidget(self._details)

    def minimumSizeHint(self) -> QSize:
        """No wider than its buttons: the words wrap."""
        hint = super().minimumSizeHint()
        return QSize(min(hint.width(), 360), hint.height())
