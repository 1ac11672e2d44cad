"""The banner above the plots: a failure, a divergence, the end of the run; one at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QFontDatabase, QGuiApplication, QResizeEvent
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

from gui.core.translation import said, tr
from gui.widgets.flow import FlowLayout
from gui.widgets.labels import label, set_role
from gui.widgets.state_chip import BLUE, RED, Dot

Subject = Literal["offer", "finished", "diverged", "failure"]
_RANK: Final[dict[Subject, int]] = {"offer": 0, "finished": 0, "diverged": 1, "failure": 2}
_COLOURS: Final[dict[Subject, str]] = {"offer": BLUE, "finished": BLUE, "diverged": RED, "failure": RED}


@dataclass(frozen=True)
class BannerAction:
    """A button beside a message: ``do`` is called once it is pressed and the message is closed."""

    text: str
    tip: str
    do: Callable[[], object]
    primary: bool = False


class Banner(QFrame):
    """A message with what can be done about it. Hidden while there is none.

    A choice closes it. A message never replaces a more serious one that is still shown; ``clear`` closes any.

    Signals:
        more_epochs_wanted(int): continue the finished run with this many more epochs.
        continue_wanted(): continue the run that was stopped or failed.
        appeared(): there is a message to be seen.
    """

    more_epochs_wanted = Signal(int)
    continue_wanted = Signal()
    appeared = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._subject: Subject | None = None
        self._choices: list[QPushButton] = []
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

    def show_failure(
        self, text: str, details: str | None = None, *, hint: str = "", choices: Sequence[BannerAction] = ()
    ) -> None:
        """Show a failure: the message, ``details`` to read and to copy, and choices."""
        if self._begin("failure", said(text), hint):
            self._details.setPlainText(details or "")
            self._offer(choices, has_details=bool(details))

    def show_diverged(self, text: str, hint: str, choices: Sequence[BannerAction]) -> None:
        """Show that the run diverged; ``hint`` says where the last good state is."""
        if self._begin("diverged", said(text), hint):
            self._offer(choices)

    def show_offer(self, text: str, hint: str, choices: Sequence[BannerAction]) -> None:
        """Show something that can be done and need not be."""
        if self._begin("offer", said(text), hint):
            self._offer(choices)

    def show_stopped(self, text: str) -> None:
        """Show that the run was stopped, and offer to continue it."""
        if self._begin("finished", said(text)):
            self._offer([self.continue_action()])

    def show_finished(self, text: str, projected: str = "", more: int = 10) -> None:
        """Show that the run is finished.

        Args:
            text: the message.
            projected: how the LR would go on.
            more: how many more epochs to offer; 0: none.
        """
        if self._begin("finished", said(text), projected):
            longer = BannerAction(tr("+{more} epochs", more=more), "", lambda: self.more_epochs_wanted.emit(more))
            self._offer([longer] if more else [])

    def continue_action(self) -> BannerAction:
        """The choice to continue the run that ended."""
        return BannerAction(tr("Continue"), tr("Continue exactly where the run was saved."), self.continue_wanted.emit)

    def clear(self) -> None:
        """Close the message."""
        self._subject = None
        self.hide()

    def _begin(self, subject: Subject, text: str, hint: str = "") -> bool:
        if self._subject is not None and _RANK[subject] < _RANK[self._subject]:
            return False
        self._subject = subject
        self._dot.show_color(_COLOURS[subject])
        self._text.setText(text)
        self._hint.setText(hint)
        self._hint.setVisible(bool(hint))
        self._expander.setChecked(False)
        return True

    def _offer(self, choices: Sequence[BannerAction], has_details: bool = False) -> None:
        """Show a button for each choice: beside the message if there is at most one, else below it."""
        for button in self._choices:
            button.hide()
            button.deleteLater()
        self._choices = [self._button(choice) for choice in choices]
        fixed: tuple[QWidget, ...] = (self._expander, self._copy)
        beside = len(choices) + len(fixed) * has_details <= 1
        for widget in (*self._choices, *fixed):
            (self._beside if beside else self._under).addWidget(widget)
            widget.setVisible(widget not in fixed or has_details)
        self._under_row.setVisible(not beside)
        self.show()
        self.appeared.emit()

    def _button(self, choice: BannerAction) -> QPushButton:
        button = QPushButton(choice.text, self)
        button.setToolTip(choice.tip)
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)  # a click leaves Space to start and pause
        if choice.primary:
            set_role(button, "primary")

        def chosen() -> None:
            self.clear()  # first: the choice may show a new message
            choice.do()

        button.clicked.connect(chosen)
        return button

    def _copy_details(self) -> None:
        QGuiApplication.clipboard().setText(f"{self._text.text()}\n\n{self._details.toPlainText()}")

    def _expand(self, wanted: bool) -> None:
        self._details.setVisible(wanted)
        self._expander.setArrowType(Qt.ArrowType.DownArrow if wanted else Qt.ArrowType.RightArrow)

    def _build(self) -> None:
        self._dot = Dot()
        self._text, self._hint = label("", wrap=True), label("", "hint", wrap=True)
        font = self._text.font()
        font.setBold(True)
        self._text.setFont(font)
        for text in (self._text, self._hint):
            text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._copy, self._expander = QPushButton(tr("Copy")), QToolButton()
        self._copy.setToolTip(tr("Copy the message and its details, to send them to somebody."))
        self._copy.clicked.connect(self._copy_details)
        self._expander.setText(tr("Details"))
        self._expander.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self._expander.setArrowType(Qt.ArrowType.RightArrow)
        self._expander.setCheckable(True)
        self._expander.toggled.connect(self._expand)
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
        texts = QVBoxLayout()
        texts.setSpacing(2)
        texts.addWidget(self._text)
        texts.addWidget(self._hint)
        self._beside = QHBoxLayout()
        top = QHBoxLayout()
        top.setSpacing(10)
        middle = Qt.AlignmentFlag.AlignVCenter
        top.addWidget(self._dot, 0, middle)
        top.addLayout(texts, 1)
        top.addLayout(self._beside)
        top.addWidget(close, 0, middle)
        self._under_row = QWidget()
        self._under = FlowLayout()
        self._under.setContentsMargins(20, 0, 0, 0)
        self._under_row.setLayout(self._under)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(12, 8, 8, 8)
        layout.setSpacing(8)
        layout.setSizeConstraint(QLayout.SizeConstraint.SetDefaultConstraint)
        layout.addLayout(top)
        layout.addWidget(self._under_row)
        layout.addWidget(self._details)

    def sizeHint(self) -> QSize:
        """As high as its lines of text in the current width."""
        hint = super().sizeHint()
        return QSize(hint.width(), self.heightForWidth(self.width()) if self.isVisible() else hint.height())

    def minimumSizeHint(self) -> QSize:
        """Narrow: texts and buttons wrap."""
        return QSize(min(super().minimumSizeHint().width(), 360), self.sizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Another width needs another height."""
        super().resizeEvent(event)
        if event.oldSize().width() != event.size().width():
            self.updateGeometry()
