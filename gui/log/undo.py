"""Undo and redo: what is staged first, then the interventions, each with its two ways back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from PySide6.QtCore import QObject, QPoint
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QMenu

from engine.messages.commands import Command, Intervention, ScaleLR, SetLR, SetSchedule, to_intervention
from engine.messages.events import BranchEvent, CommandEvent, EndEvent, Event, StartEvent
from gui.core.current_run import CurrentRun
from gui.core.translation import tr
from gui.log.rewind import RewindController
from gui.main_window import MainWindow
from gui.schedule.preview import Preview
from gui.widgets.intervention_text import CHANGING, describe, restore_lr_commands

MOST: Final = 100
Step = Callable[[], None]


class UndoController(QObject):
    """The menu Edit: Undo and Redo.

    Undo drops what is staged. Where nothing is, it offers the two ways back from the hand's last act: to put the LR
    back, from now on; or to go back to just before it, on a new branch. Redo stages again, does the act again, or
    returns to the road that was left.
    """

    def __init__(
        self,
        window: MainWindow,
        current_run: CurrentRun,
        preview: Preview,
        going_back: RewindController,
        return_to: Callable[[str], None],
    ) -> None:
        """``return_to`` opens another run of the library."""
        super().__init__(window)
        self._window, self._current_run, self._model = window, current_run, current_run.model
        self._preview = preview
        self._going_back, self._return_to = going_back, return_to
        self._undone: list[CommandEvent] = []  # put back: not offered a second time
        self._putting_back: dict[int, CommandEvent] = {}
        self._redo: list[tuple[str, Step]] = []
        self.menu: QMenu | None = None
        self.undo = QAction(tr("Undo"), window)
        self.undo.setShortcut(QKeySequence(QKeySequence.StandardKey.Undo))
        self.redo = QAction(tr("Redo"), window)
        self.redo.setShortcut(QKeySequence(QKeySequence.StandardKey.Redo))
        window.edit.addActions([self.undo, self.redo])
        window.edit.aboutToShow.connect(self._name)
        self.undo.triggered.connect(self._undo)
        self.redo.triggered.connect(self._do_again)
        current_run.listen(self._happened, StartEvent, BranchEvent, CommandEvent, EndEvent)

    # -- undo

    def _undo(self) -> None:
        staged = self._preview.pending
        if staged is not None:
            self._drop(staged)
        elif self._window.lr_panel.is_pending():
            self._window.lr_panel.drop()
        elif (intervention := self._newest()) is not None:
            self._offer(intervention)
        else:
            self._window.action_line.show_text(tr("There is nothing to undo."))

    def _drop(self, staged: Command) -> None:
        window = self._window
        if isinstance(staged, SetSchedule):
            window.schedule.drop()
            self._remember(tr("Stage the schedule again"), lambda: window.schedule.take(staged))
            return
        window.lr_panel.drop()
        if isinstance(staged, SetLR):
            lr, hold = staged.lr, staged.then == "hold"
        elif isinstance(staged, ScaleLR) and self._model.lrs is not None:
            lr, hold = self._model.lrs.lr[0] * staged.factor, staged.then == "hold"
        else:
            return
        self._remember(tr("Stage the LR again"), lambda: window.lr_panel.stage_lr(lr, hold))

    def _offer(self, intervention: CommandEvent) -> None:
        """Show the two ways back from ``act``, named apart."""
        menu = self._popup(tr("Undo: {intervention}", intervention=describe(intervention)))
        commands = restore_lr_commands(intervention, self._model.groups)
        put = menu.addAction(tr("Put the LR back, from now on"), lambda: self._put_back(intervention, commands))
        put.setEnabled(bool(commands))
        if not commands:
            put.setToolTip(tr("Only a change of the LR can be put back."))
        since = f"{self._going_back.epochs_since(intervention.position):.1f}".removesuffix(".0")
        back = menu.addAction(tr("Go back to just before it: {n} epochs are left behind…", n=since))
        back.triggered.connect(lambda: self._going_back.before(intervention))
        why_not = self._going_back.why_not(intervention.position)
        back.setEnabled(why_not is None)
        back.setToolTip(why_not or "")
        self._show(menu)

    def _put_back(self, intervention: CommandEvent, commands: tuple[SetLR, ...]) -> None:
        for command in commands:
            self._putting_back[self._current_run.post(command)] = intervention

    # -- redo

    def _do_again(self) -> None:
        if not self._redo:
            self._window.action_line.show_text(tr("There is nothing to redo."))
            return
        _, step = self._redo.pop()
        step()

    def _remember(self, text: str, step: Step) -> None:
        self._redo = [*self._redo, (text, step)][-MOST:]

    # -- what happened

    def _happened(self, event: Event) -> None:
        match event:
            case StartEvent():
                self._redo, self._undone = [], []
                self._putting_back.clear()
            case BranchEvent():
                self._undone.clear()
                parent = event.parent
                if self._current_run.library is not None:
                    self._remember(tr("Return to the road that was left"), lambda: self._return_to(parent))
            case CommandEvent(status="applied") if event.id in self._putting_back:
                undone = self._putting_back.pop(event.id)
                self._undone.append(event)
                if undone not in self._undone:
                    self._undone.append(undone)
                    command = to_intervention(undone.command)
                    self._remember(describe(undone), lambda: self._again(command))
            case EndEvent():
                self._putting_back.clear()

    def _newest(self) -> CommandEvent | None:
        """The newest intervention that can be undone: not one that was, nor what undid it."""
        if not self._current_run.active:
            return None
        return next(
            (e for e in reversed(self._model.interventions) if e.name in CHANGING and e not in self._undone), None
        )

    def _again(self, command: Intervention) -> None:
        self._current_run.post(command)

    # -- menus

    def _name(self) -> None:
        """Say in the menu what would be undone and done again."""
        intervention = self._newest()
        if self._preview.pending is not None:
            self.undo.setText(tr("Undo what is staged"))
        else:
            self.undo.setText(
                tr("Undo: {intervention}…", intervention=describe(intervention))
                if intervention is not None
                else tr("Undo")
            )
        self.redo.setText(tr("Redo: {what}", what=self._redo[-1][0]) if self._redo else tr("Redo"))

    def _popup(self, title: str) -> QMenu:
        menu = self.menu = QMenu(self._window)
        menu.setToolTipsVisible(True)
        menu.addAction(title).setEnabled(False)
        menu.addSeparator()
        menu.aboutToHide.connect(menu.deleteLater)
        return menu

    def _show(self, menu: QMenu) -> None:
        line = self._window.action_line
        menu.popup(line.mapToGlobal(QPoint(0, -menu.sizeHint().height())))
        first = next((action for action in menu.actions() if action.isEnabled() and not action.isSeparator()), None)
        if first is not None:
            menu.setActiveAction(first)
