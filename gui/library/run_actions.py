"""Actions on the selected runs and on the library, each with the reason why it is not available."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QWidget

from engine.library import Overview
from gui.core.translation import tr
from gui.library.run_list import name_of
from gui.widgets.labels import as_tip

MOST: Final = 6
"""The largest number of runs to compare: that many colours can be distinguished."""


class RunActions:
    """The actions, each a ``QAction`` of ``owner``."""

    def __init__(self, owner: QWidget) -> None:
        self._owner = owner
        self.open = self._action(tr("Open"))
        self.compare = self._action(tr("Compare"))
        self.go_back = self._action(tr("Go back…"))
        self.delete = self._action(tr("Delete"), QKeySequence.StandardKey.Delete)
        self.restore = self._action(tr("Restore"))
        self.remove = self._action(tr("Delete permanently…"))
        self.rename = self._action(tr("Rename"), Qt.Key.Key_F2)
        self.tag = self._action(tr("Tags"))
        self.note = self._action(tr("Note"))
        self.reveal = self._action(tr("Show in file manager"))
        self.import_checkpoint = self._action(
            tr("Import a checkpoint…"), tip=tr("Copy a checkpoint file into the library, as a run")
        )
        self.empty_bin = self._action(tr("Empty recycle bin…"))
        self.check = self._action(tr("Check the library"), tip=tr("Read the index and verify every checkpoint"))
        self.rebuild = self._action(
            tr("Rebuild the index…"), tip=tr("For runs that have checkpoints but are not listed")
        )
        self.folder = self._action(tr("Show library folder"))
        self.settings = self._action(
            tr("Library settings…"), tip=tr("Which checkpoints are kept, and their size limit")
        )

    def on_runs(self) -> list[QAction]:
        """The menu of runs outside the recycle bin."""
        return [self.open, self.compare, self.go_back, self.rename, self.tag, self.note, self.reveal, self.delete]

    def on_library(self) -> list[QAction]:
        """The menu of the library."""
        return [self.import_checkpoint, self.empty_bin, self.check, self.rebuild, self.folder, self.settings]

    def enable_for(self, chosen: Sequence[Overview], in_bin: bool, own: str) -> None:
        """Enable what is possible with the ``chosen`` runs; ``own`` is the run open in this window, or empty."""
        binned = tr("Restore the run from the recycle bin first.") if in_bin else None
        none = None if chosen else tr("Select a run first.")
        one = none or (None if len(chosen) == 1 else tr("Select one run only."))
        elsewhere = [run for run in chosen if run.row.live and run.row.id != own]
        busy = (
            tr("“{name}” is open in another window or program. Stop it there first.", name=name_of(elsewhere[0]))
            if elsewhere
            else None
        )
        here = next((run for run in chosen if run.row.live and run.row.id == own), None)
        shown = tr("This run is shown in this window already.") if here is not None else None
        trains = tr("“{name}” is running. Stop it first.", name=name_of(here)) if here is not None else None
        few = len(chosen) < 2
        count = tr("Select two to six runs, with Ctrl or Shift.") if few or len(chosen) > MOST else None
        unknown = next((run for run in chosen if not run.row.epochs_done), None)
        undone = tr("It has not completed an epoch yet.") if unknown is not None else None
        self._allow(self.open, binned or one or shown or busy, tr("Resume the run exactly where it stopped (Enter)"))
        self._allow(self.compare, binned or count, tr("Plot the selected runs together and list their differences"))
        back = tr("Go back to the end of an epoch in a new branch; the run itself is kept")
        self._allow(self.go_back, binned or one or busy or undone, back)
        self._allow(
            self.delete, none or busy or trains, tr("Move to the recycle bin, from which it can be restored (Del)")
        )
        for action in (self.rename, self.tag, self.note):
            self._allow(action, binned or one, "")
        self._allow(self.reveal, one, tr("Open the folder with its checkpoints"))
        self._allow(self.restore, none, tr("Restore from the recycle bin"))
        self._allow(self.remove, none, tr("Delete with all checkpoints. This cannot be undone."))
        self.delete.setVisible(not in_bin)
        self.restore.setVisible(in_bin)
        self.remove.setVisible(in_bin)

    def _action(self, text: str, keys: QKeySequence.StandardKey | Qt.Key | None = None, tip: str = "") -> QAction:
        made = QAction(text, self._owner)
        if keys is not None:
            made.setShortcut(QKeySequence(keys))
            made.setShortcutContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        made.setToolTip(as_tip(tip))
        self._owner.addAction(made)
        return made

    @staticmethod
    def _allow(action: QAction, why_not: str | None, tip: str) -> None:
        action.setEnabled(why_not is None)
        action.setToolTip(as_tip(why_not or tip))
