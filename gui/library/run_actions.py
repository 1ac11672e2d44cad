"""What can be done with chosen runs and with the library as a whole, each with why it cannot be done now."""

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
"""Runs that are compared at most: as many as there are colours that can be told apart."""


class RunActions:
    """The actions, each a ``QAction`` of ``owner``."""

    def __init__(self, owner: QWidget) -> None:
        self._owner = owner
        self.open = self._action(tr("Open"))
        self.compare = self._action(tr("Compare"))
        self.go_back = self._action(tr("Go back…"))
        self.delete = self._action(tr("Delete"), QKeySequence.StandardKey.Delete)
        self.restore = self._action(tr("Restore"))
        self.remove = self._action(tr("Remove for good…"))
        self.rename = self._action(tr("Rename"), Qt.Key.Key_F2)
        self.tag = self._action(tr("Tags"))
        self.note = self._action(tr("Note"))
        self.reveal = self._action(tr("Show in the file manager"))
        self.bring_in = self._action(
            tr("Import a checkpoint…"), tip=tr("Copy a checkpoint from elsewhere in, as a run")
        )
        self.empty_bin = self._action(tr("Empty the bin…"))
        self.check = self._action(
            tr("Check the library"), tip=tr("Read the index and every checkpoint to the last byte")
        )
        self.rebuild = self._action(
            tr("Rebuild the index from the checkpoints…"), tip=tr("Where runs are missing that have checkpoints")
        )
        self.folder = self._action(tr("Show the library's folder"))
        self.settings = self._action(
            tr("Library settings…"), tip=tr("Which checkpoints are kept, and how much of them")
        )

    def on_runs(self) -> list[QAction]:
        """What stands in the menu of a run outside the bin."""
        return [self.open, self.compare, self.go_back, self.rename, self.tag, self.note, self.reveal, self.delete]

    def on_library(self) -> list[QAction]:
        """What stands in the menu of the library."""
        return [self.bring_in, self.empty_bin, self.check, self.rebuild, self.folder, self.settings]

    def judge(self, chosen: Sequence[Overview], in_bin: bool, own: str) -> None:
        """Allow what can be done with the ``chosen`` runs; ``own`` is the run that this window is at, or empty."""
        binned = tr("Runs in the bin have to be restored first.") if in_bin else None
        none = None if chosen else tr("Choose a run first.")
        one = none or (None if len(chosen) == 1 else tr("Choose one run only."))
        elsewhere = [run for run in chosen if run.row.live and run.row.id != own]
        busy = (
            tr("“{name}” is under way in another window or program: stop it there first.", name=name_of(elsewhere[0]))
            if elsewhere
            else None
        )
        here = next((run for run in chosen if run.row.live and run.row.id == own), None)
        shown = tr("This run is the one in the window.") if here is not None else None
        trains = tr("“{name}” is under way: end it first.", name=name_of(here)) if here is not None else None
        few = len(chosen) < 2
        count = tr("Choose two to six runs, with Ctrl or Shift.") if few or len(chosen) > MOST else None
        unknown = next((run for run in chosen if not run.row.epochs_done), None)
        undone = tr("No epoch of it has ended yet.") if unknown is not None else None
        self._allow(self.open, binned or one or shown or busy, tr("Take the run up exactly where it was left (Enter)"))
        self._allow(self.compare, binned or count, tr("Curves of the chosen runs in one plot, and what differs"))
        back = tr("Go back to the end of an epoch, in a new branch; the run itself is kept")
        self._allow(self.go_back, binned or one or busy or undone, back)
        self._allow(self.delete, none or busy or trains, tr("Put into the bin, from which it can be restored (Del)"))
        for action in (self.rename, self.tag, self.note):
            self._allow(action, binned or one, "")
        self._allow(self.reveal, one, tr("Open the folder of its checkpoints"))
        self._allow(self.restore, none, tr("Take out of the bin"))
        self._allow(self.remove, none, tr("Remove with all checkpoints. It cannot be brought back"))
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
