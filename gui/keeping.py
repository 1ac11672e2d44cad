"""Which snapshots the library keeps: from the settings to the library, and the window in which that is chosen."""

from __future__ import annotations

from PySide6.QtCore import QObject

from engine.library import Keeping, Library
from gui.settings import Settings
from gui.window import Window
from gui.words import tr


class KeepingChoice(QObject):
    """Opens the library's settings, and hands what is chosen to the library and to the settings."""

    def __init__(self, window: Window, library: Library | None, settings: Settings) -> None:
        super().__init__(window)
        self._window, self._library, self._settings = window, library, settings
        if library is not None:
            library.keeping = settings.keeping
        else:
            window.library_settings.setEnabled(False)
            window.library_settings.setToolTip(tr("There is no library: runs are not kept."))
        window.library_settings.triggered.connect(self.open)

    def open(self) -> None:
        """Ask what is to be kept."""
        from gui.panels.keeping import KeepingDialog

        dialog = KeepingDialog(self._settings.keeping, self._window)
        dialog.chosen.connect(self._choose)
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def _choose(self, keeping: Keeping) -> None:
        self._settings.keeping = keeping
        if self._library is not None:
            self._library.keeping = keeping
        self._window.action_line.show_text(tr("The library keeps snapshots by the new settings from now on."))
