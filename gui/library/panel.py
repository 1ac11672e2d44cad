"""The panel of all runs in the library: search, sort, rename, compare, resume and delete."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QLineEdit,
    QMenu,
    QPushButton,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from engine.library import Overview
from gui.core.translation import tr
from gui.library.run_actions import RunActions
from gui.library.run_list import NAME, NOTE, TAGS, matches, run_state_text
from gui.library.runs_model import RunsModel
from gui.library.runs_table import RunsTable
from gui.widgets.labels import ElidedLabel, label, set_role

BIN: Final = "bin"
LIVE: Final = "live"


class RunsPanel(QWidget):
    """The runs of the library as a table, and the actions on them.

    Signals:
        bin_wanted(): show the recycle bin, or the runs outside it, by ``shows_bin``.
    """

    bin_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._runs: list[Overview] = []
        self._names: dict[str, str] = {}
        self._own, self._active, self._binned = "", False, 0
        self._undo: Callable[[], None] | None = None
        self.model = RunsModel(self)
        self.table = RunsTable(self.model)
        self.run_actions = RunActions(self)
        self._build()
        self._connect()
        self._fill([], [])
        self._update_actions()

    @property
    def shows_bin(self) -> bool:
        """Whether the recycle bin is shown."""
        return bool(self.state.currentData() == BIN)

    def chosen(self) -> list[Overview]:
        """The selected runs, from top to bottom."""
        return [self.model.run(row) for row in self.table.rows()]

    def show_runs(self, runs: Sequence[Overview], names: dict[str, str], binned: int, in_bin: bool) -> None:
        """Show ``runs``. Does nothing while a cell is being edited.

        Args:
            runs: the runs to show.
            names: the names of all runs, by id.
            binned: the number of runs in the bin.
            in_bin: whether ``runs`` are in the bin.
        """
        if in_bin != self.shows_bin or self.table.is_edited():
            return
        self._runs, self._names, self._binned = list(runs), names, binned
        states = sorted({run.row.state for run in runs}, key=run_state_text) if not in_bin else []
        tags = sorted({tag for run in runs for tag in run.row.tags}, key=str.casefold)
        self._fill(states, tags)
        self._filter()

    def show_own(self, run: str, active: bool) -> None:
        """Set the run that this window shows, and whether its thread is alive."""
        if (run, active) != (self._own, self._active):
            self._own, self._active = run, active
            self._filter()

    def show_use(self, text: str, problem: bool) -> None:
        """Show the number of runs and their size; ``problem`` if that is above the limit."""
        self.use.setText(text)
        set_role(self.use, "error" if problem else "hint")

    def show_note(self, text: str, *, error: bool = False, undo: Callable[[], None] | None = None) -> None:
        """Show the outcome of an action, with an Undo button if it can be undone."""
        self.note.setText(text)
        set_role(self.note, "error" if error else "")
        self._undo = undo
        self.undo.setVisible(undo is not None)

    # -- what is shown of it

    def _filter(self) -> None:
        state, tag = self.state.currentData(), self.tag.currentData()
        shown = [r for r in self._runs if matches(r, self.search.text(), "" if state == BIN else state, tag or "")]
        self.model.editable = not self.shows_bin
        self.model.show_runs(shown, self._names, self._own, datetime.now())
        self.table.setVisible(bool(shown))
        self.empty.setVisible(not shown)
        if self._runs:
            self.empty.setText(tr("No run matches."))
        elif self.shows_bin:
            self.empty.setText(tr("The recycle bin is empty."))
        else:
            self.empty.setText(tr("Every run that you start is kept here. You can resume, compare or delete it."))
        self._update_actions()

    def _fill(self, states: Sequence[str], tags: Sequence[str]) -> None:
        """Offer the states and tags that exist, and keep the selection."""
        entries = [(tr("All states"), ""), (tr("Running"), LIVE), *((run_state_text(s), s) for s in states)]
        in_bin = tr("Recycle bin ({n})", n=self._binned) if self._binned else tr("Recycle bin")
        _refill(self.state, [*entries, (in_bin, BIN)])
        _refill(self.tag, [(tr("All tags"), ""), *((tag, tag) for tag in tags)])
        self.tag.setVisible(self.tag.count() > 1)

    def _update_actions(self) -> None:
        chosen = self.chosen() if self.table.isVisibleTo(self) else []
        self.run_actions.enable_for(chosen, self.shows_bin, self._own if self._active else "")
        why_not = None if self._binned else tr("The recycle bin is empty.")
        self.run_actions.empty_bin.setEnabled(why_not is None)
        self.run_actions.empty_bin.setToolTip(why_not or "")
        for action, button in self._buttons.items():
            button.setVisible(action.isVisible() and (not self.shows_bin or action in self._in_bin))

    def _state_chosen(self) -> None:
        self.table.clearSelection()
        self.bin_wanted.emit()
        self._filter()

    def _menu(self, at: QPoint) -> None:
        if not self.chosen():
            return
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.setToolTipsVisible(True)
        actions = self.run_actions
        menu.addActions([actions.restore, actions.reveal, actions.remove] if self.shows_bin else actions.on_runs())
        menu.popup(self.table.viewport().mapToGlobal(at))

    def take_back(self) -> None:
        """Undo the action whose outcome is shown."""
        undo = self._undo
        self.show_note("")
        if undo is not None:
            undo()

    # -- building

    def _connect(self) -> None:
        actions, table = self.run_actions, self.table
        table.selectionModel().selectionChanged.connect(lambda *_: self._update_actions())
        table.customContextMenuRequested.connect(self._menu)
        table.opened.connect(actions.open.trigger)
        actions.rename.triggered.connect(lambda: table.edit_cell(NAME))
        actions.tag.triggered.connect(lambda: table.edit_cell(TAGS))
        actions.note.triggered.connect(lambda: table.edit_cell(NOTE))
        self.search.textChanged.connect(self._filter)
        self.state.activated.connect(self._state_chosen)
        self.tag.activated.connect(self._filter)
        self.undo.clicked.connect(self.take_back)

    def _build(self) -> None:
        self.search = QLineEdit()
        self.search.setPlaceholderText(tr("Search names, tags, notes, data, networks, schedules"))
        self.search.setAccessibleName(tr("Search runs"))
        self.search.setClearButtonEnabled(True)
        self.state, self.tag = QComboBox(), QComboBox()
        self.state.setAccessibleName(tr("State"))
        self.tag.setAccessibleName(tr("Tag"))
        for box in (self.state, self.tag):
            box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
            box.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        actions = self.run_actions
        self._in_bin = (actions.restore, actions.remove)
        shown = (
            actions.open,
            actions.compare,
            actions.go_back,
            actions.delete,
            actions.restore,
            actions.remove,
        )
        self._buttons = {action: _button(action) for action in shown}
        self.library = QToolButton()
        self.library.setText(tr("Library"))
        self.library.setToolTip(tr("Import, recycle bin, check and settings"))
        self.library.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.library.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        menu = QMenu(self.library)
        menu.setToolTipsVisible(True)
        menu.addActions(actions.on_library())
        self.library.setMenu(menu)
        head = QHBoxLayout()
        head.setContentsMargins(12, 6, 12, 0)
        head.setSpacing(6)
        head.addWidget(self.search, 1)
        head.addWidget(self.state)
        head.addWidget(self.tag)
        head.addSpacing(10)
        for button in (*self._buttons.values(), self.library):
            head.addWidget(button)
        self.empty = label("", "hint", wrap=True)
        self.empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.use, self.note = label("", "hint"), ElidedLabel()
        self.undo = QPushButton(tr("Undo"))
        self.undo.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.undo.setProperty("role", "inline")
        self.undo.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.undo.hide()
        foot = QHBoxLayout()
        foot.setContentsMargins(12, 0, 12, 4)
        foot.addWidget(self.note, 1)
        foot.addWidget(self.undo)
        foot.addWidget(self.use)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(5)
        layout.addLayout(head)
        layout.addWidget(self.empty, 1)
        layout.addWidget(self.table, 1)
        layout.addLayout(foot)
        self.setMinimumHeight(150)


def _button(action: QAction) -> QToolButton:
    button = QToolButton()
    button.setDefaultAction(action)
    button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextOnly)
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    return button


def _refill(box: QComboBox, entries: Sequence[tuple[str, str]]) -> None:
    """Offer ``entries`` (text, value) in ``box`` and keep the selected value if it is among them."""
    if [(box.itemText(i), box.itemData(i)) for i in range(box.count())] == list(entries):
        return
    value = box.currentData()
    box.clear()
    for text, data in entries:
        box.addItem(text, data)
    box.setCurrentIndex(max(0, box.findData(value)))
