"""Editors for paths: the folder of a data set, and the file and function of a user's network."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QStyle, QToolButton, QVBoxLayout, QWidget

from engine.recipe.networks import NETWORKS, find_network
from gui.core.translation import tr
from gui.widgets.fields import EMPTY, ChoiceEditor, Editor, LineEditor

OWN = ""
"""The value of "My own function…" in the combo box of networks."""


def network_function(path: Path) -> str:
    """The first function in ``path`` that takes ``in_channels`` and ``num_classes``; empty if there is none.

    The file is parsed, not run.
    """
    try:
        tree = ast.parse(path.read_bytes())
    except (OSError, SyntaxError, ValueError):
        return ""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            taken = {a.arg for a in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)}
            if {"in_channels", "num_classes"} <= taken:
                return node.name
    return ""


def _browse_button(what: str) -> QToolButton:
    button = QToolButton()
    button.setIcon(button.style().standardIcon(QStyle.StandardPixmap.SP_DirOpenIcon))
    button.setProperty("role", "quiet")
    button.setAccessibleName(what)
    button.setToolTip(what)
    button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    return button


class FolderEditor(Editor):
    """A folder, typed or chosen in a dialog."""

    def __init__(self, placeholder: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.path = LineEditor(placeholder=placeholder)
        self.path.edited.connect(self.edited)
        self.browse = _browse_button(tr("Choose the folder that holds the data set"))
        self.browse.clicked.connect(self._choose)
        self._adopt(self.path)
        self.line.addWidget(self.browse)

    def raw(self) -> Any:
        """The value as typed or chosen."""
        return self.path.raw()

    def show_value(self, value: Any) -> None:
        """Show ``value`` without ``edited``."""
        self.path.show_value(value)

    def control(self) -> QWidget:
        """The widget that takes the focus."""
        return self.path.edit

    def _choose(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, tr("Folder of the data set"), self.path.edit.text())
        if folder:
            self.path.show_value(folder)
            self.edited.emit()


class NetworkEditor(Editor):
    """A network of the registry, or a user's FILE.py:FUNCTION."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.choice = ChoiceEditor([*NETWORKS, OWN], {OWN: tr("My own function…")})
        self.own = LineEditor(placeholder=tr("net.py:make"))
        self.browse = _browse_button(tr("Choose the Python file that holds the function"))
        self.browse.clicked.connect(self._choose)
        self.choice.edited.connect(self._chosen)
        self.own.edited.connect(self.edited)
        self.own.edit.setAccessibleName(tr("File and function of your own network"))
        self.own.edit.setToolTip(
            tr("FILE.py:FUNCTION, a function that takes in_channels and num_classes and returns an nn.Module")
        )
        self._own_row = QWidget()
        row = QHBoxLayout(self._own_row)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(4)
        row.addWidget(self.own, 1)
        row.addWidget(self.browse)
        column = QVBoxLayout()
        column.setSpacing(4)
        column.addWidget(self.choice)
        column.addWidget(self._own_row)
        self.line.addLayout(column, 1)
        self.setFocusProxy(self.choice)
        self._own_row.hide()

    def is_own(self) -> bool:
        """Whether a user's function is chosen."""
        return bool(self.choice.raw() == OWN)

    def raw(self) -> Any:
        """The value as typed or chosen."""
        if not self.is_own():
            return self.choice.raw()
        typed = self.own.raw()
        return "" if typed is EMPTY else typed

    def show_value(self, value: Any) -> None:
        """Show ``value`` without ``edited``."""
        own = find_network(value) is None
        self.choice.show_value(OWN if own else value)
        if own:
            self.own.show_value(value)
        self._own_row.setVisible(own)

    def control(self) -> QWidget:
        """The widget that takes the focus."""
        return self.choice.combo

    def set_problem(self, problem: str | None) -> None:
        """Mark the field of the user's function; a network of the registry is never wrong."""
        self.choice.set_problem(None)
        self.own.set_problem(problem)

    def _chosen(self) -> None:
        self._own_row.setVisible(self.is_own())
        if self.is_own():
            self.own.edit.setFocus(Qt.FocusReason.OtherFocusReason)
        self.edited.emit()

    def _choose(self) -> None:
        start = str(self.own.raw()).rpartition(":")[0] if self.own.raw() is not EMPTY else ""
        file, _ = QFileDialog.getOpenFileName(self, tr("File of your network"), start, tr("Python files (*.py)"))
        if file:
            self.own.show_value(f"{file}:{network_function(Path(file))}")
            self.own.edit.setFocus(Qt.FocusReason.OtherFocusReason)
            self.own.edit.end(False)
            self.edited.emit()
