"""Which checkpoints the library keeps: the dialog, the settings and the library."""

from __future__ import annotations

from PySide6.QtCore import QObject
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QWidget

from engine.library import Library, Retention
from gui.core.settings import Settings
from gui.core.translation import tr
from gui.run_bar.action_line import ActionLine


class RetentionController(QObject):
    """Opens the dialog and passes the result to the library and the settings."""

    def __init__(
        self, window: QWidget, library: Library | None, settings: Settings, action: QAction, action_line: ActionLine
    ) -> None:
        """``action`` opens the dialog; ``action_line`` shows that the settings were changed."""
        super().__init__(window)
        self._window, self._library, self._settings, self._action_line = window, library, settings, action_line
        if library is not None:
            library.retention = settings.retention
        else:
            action.setEnabled(False)
            action.setToolTip(tr("There is no library, so runs are not kept."))
        action.triggered.connect(self.open)

    def open(self) -> None:
        """Open the dialog."""
        from gui.library.retention_dialog import RetentionDialog

        dialog = RetentionDialog(self._settings.retention, self._window)
        dialog.chosen.connect(self._choose)
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def _choose(self, retention: Retention) -> None:
        self._settings.retention = retention
        if self._library is not None:
            self._library.retention = retention
        self._action_line.show_text(tr("The new library settings apply from now on."))
