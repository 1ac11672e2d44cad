"""The question whether a Python file with a network may be run: a card in the forms, and the file in a dialog."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QFontDatabase
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QFrame, QPlainTextEdit, QPushButton, QVBoxLayout, QWidget

from gui.core.allowed_code import Version
from gui.core.translation import tr
from gui.widgets.flow import FlowLayout
from gui.widgets.labels import label, set_role

_SHOWN: Final = 200_000  # characters of a file
_WIDTH: Final = 720
_HEIGHT: Final = 520


def _warning() -> str:
    return tr("Running a Python file lets it do whatever you can do on this computer. It has not been run.")


class CodeQuestion(QFrame):
    """Asks whether a file may be run; hidden while there is nothing to ask.

    Signals:
        allowed(Version): the user allows this version of a file.
    """

    allowed = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        set_role(self, "card")
        self._file: Version | None = None
        self._path = label("", wrap=True)
        self._hint = label("", "hint", wrap=True)
        self.show_file, self.not_now = QPushButton(tr("Show the file")), QPushButton(tr("Not now"))
        self.run_file = QPushButton(tr("Run this file"))
        self.show_file.setToolTip(tr("Read the file before you decide"))
        self.not_now.setToolTip(tr("Leave the file alone: its layers are not listed, and Start stays off"))
        self.run_file.setToolTip(tr("Allow this version of the file. If it changes, you are asked again."))
        set_role(self.run_file, "primary")
        self.run_file.clicked.connect(self._allow)
        self.not_now.clicked.connect(self._postpone)
        self.show_file.clicked.connect(self._open)
        buttons = FlowLayout()
        for button in (self.run_file, self.show_file, self.not_now):
            button.setAutoDefault(False)
            buttons.addWidget(button)
        column = QVBoxLayout(self)
        column.addWidget(label(tr("May this Python file be run?"), "title"))
        column.addWidget(self._path)
        column.addWidget(self._hint)
        column.addLayout(buttons)
        self.hide()

    def ask(self, file: Version | None) -> None:
        """Ask about ``file``; None: nothing."""
        if file != self._file:
            self._file = file
            self._path.setText(breakable(file[0]) if file is not None else "")
            self._hint.setText(_warning())
            self.not_now.show()
        self.setVisible(file is not None)

    def _allow(self) -> None:
        if self._file is not None:
            self.allowed.emit(self._file)

    def _postpone(self) -> None:
        self._hint.setText(tr("It was not run. The network's layers are unknown, and training cannot start."))
        self.not_now.hide()

    def _open(self) -> None:
        if self._file is not None:
            dialog = CodeDialog(self._file, self)
            dialog.accepted.connect(self._allow)
            dialog.open()


class CodeDialog(QDialog):
    """Shows a file; accepted if it may be run."""

    def __init__(self, file: Version, parent: QWidget) -> None:
        super().__init__(parent.window())
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(tr("May this Python file be run?"))
        text = QPlainTextEdit(_content(Path(file[0])))
        text.setReadOnly(True)
        text.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        text.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        text.setAccessibleName(tr("Content of the file"))
        buttons = QDialogButtonBox()
        run = buttons.addButton(tr("Run this file"), QDialogButtonBox.ButtonRole.AcceptRole)
        later = buttons.addButton(tr("Not now"), QDialogButtonBox.ButtonRole.RejectRole)
        run.setAutoDefault(False)
        later.setDefault(True)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        path = label(breakable(file[0]), "title", wrap=True)
        column = QVBoxLayout(self)
        column.addWidget(path)
        column.addWidget(label(_warning(), "hint", wrap=True))
        column.addWidget(text, 1)
        column.addWidget(buttons)
        self.resize(_WIDTH, _HEIGHT)
        later.setFocus()


def breakable(path: str) -> str:
    """``path`` with zero-width spaces, at which a label can break it."""
    return path.replace("/", "/\u200b").replace("\\", "\\\u200b")


def _content(path: Path) -> str:
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            text = file.read(_SHOWN + 1)
    except OSError as error:
        return tr("The file cannot be read: {reason}", reason=error.strerror or error)
    return text if len(text) <= _SHOWN else tr("{text}\n… the file goes on", text=text[:_SHOWN])
