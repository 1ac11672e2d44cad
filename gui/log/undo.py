"""Undo and redo: what is staged first, then the interventions, each with its two ways back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from PySide6.QtCore import QObject, QPoint
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QMenu

from engine.messages.commands import Command, Intervention, ScaleLR, SetLR, SetSchedule, to_intervention
from engine.messages.events import BranchEvent, CommandEvent, EndEvent, Event, LREvent, StartEvent
from gui.core.current_run import CurrentRun
from gui.core.translation import tr
from gui.log.rewind import RewindController
from gui.main_window import MainWindow
from gui.schedule.preview import Preview
from gui.widgets.intervention_text import CHANGING, describe, put_back_command

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
        runs: CurrentRun,
        preview: Preview,
        going_back: RewindController,
        return_to: Callable[[str], None],
    ) -> None:
        """``return_to`` opens another run of the library."""
        super().__init__(window)
        self._window, self._runs, self._preview = window, runs, preview
        self._going_back, self._return_to = going_back, return_to
        self._groups: list[str] = []
        self._lrs: LREvent | None = None
        self._interventions: list[CommandEvent] = []
        self._putting_back: dict[int, CommandEvent] = {}
        self._redo: list[tuple[str, Step]] = []
        self.menu: QMenu | None = None
        self.undo = QAction(tr("UndoController"), window)
        self.undo.setShortcut(QKeySequence(QKeySequence.StandardKey.Undo))
        self.redo = QAction(tr("Redo"), window)
        self.redo.setShortcut(QKeySequence(QKeySequence.StandardKey.Redo))
        window.edit.addActions([self.undo, self.redo])
        window.edit.aboutToShow.connect(self._name)
        self.undo.triggered.connect(self._undo)
        self.redo.triggered.connect(self._do_again)
        runs.listen(self._happened, StartEvent, BranchEvent, LREvent, CommandEvent, EndEvent)

    # -- undo

    def _undo(self) -> None:
        staged = self._preview.pending
        if staged is not None:
            self._drop(staged)
        elif self._window.lr_panel.is_pending():
            self._window.lr_panel.drop()
        elif self._interventions and self._runs.active:
            self._offer(self._interventions[-1])
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
        elif isinstance(staged, ScaleLR) and self._lrs is not None:
            lr, hold = self._lrs.lr[0] * staged.factor, staged.then == "hold"
        else:
            return
        self._remember(tr("Stage the LR again"), lambda: window.lr_panel.stage_lr(lr, hold))

    def _offer(self, intervention: CommandEvent) -> None:
        """Show the two ways back from ``act``, named apart."""
        menu = self._popup(tr("Undo: {intervention}", intervention=describe(intervention)))
        commands = put_back_command(intervention, self._groups)
        put = menu.addAction(tr("Put the LR back, from now on"), lambda: self._put_back(intervention, commands))
        put.setEnabled(bool(commands))
        if not commands:
            put.setToolTip(tr("Only a change of the LR can be put back."))
        since = f"{self._going_back.epochs_since((intervention.epoch, intervention.batch)):.1f}".removesuffix(".0")
        back = menu.addAction(tr("Go back to just before it: {n} epochs are left behind…", n=since))
        back.triggered.connect(lambda: self._going_back.before(intervention))
        why_not = self._going_back.why_not((intervention.epoch, intervention.batch))
        back.setEnabled(why_not is None)
        back.setToolTip(why_not or "")
        self._show(menu)

    def _put_back(self, intervention: CommandEvent, commands: tuple[SetLR, ...]) -> None:
        for command in commands:
            self._putting_back[self._runs.post(command)] = intervention

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
                self._groups, self._redo = list(event.groups), []
                self._interventions = [
                    intervention for intervention in event.interventions if intervention.name in CHANGING
                ][-MOST:]
                self._putting_back.clear()
            case BranchEvent():
                self._interventions = [
                    intervention for intervention in event.interventions if intervention.name in CHANGING
                ][-MOST:]
                parent = event.parent
                if self._runs.library is not None:
                    self._remember(tr("Return to the road that was left"), lambda: self._return_to(parent))
            case LREvent():
                self._lrs = event
            case CommandEvent(status="applied") if event.name in CHANGING:
                undone = self._putting_back.pop(event.id, None)
                if undone is None:
                    self._interventions = [*self._interventions, event][-MOST:]
                elif undone in self._interventions:
                    self._interventions.remove(undone)
                    command = to_intervention(undone.command)
                    self._remember(describe(undone), lambda: self._again(command))
            case EndEvent():
                self._putting_back.clear()

    def _again(self, command: Intervention) -> None:
        self._runs.post(command)

    # -- menus

    def _name(self) -> None:
        """Say in the menu what would be undone and done again."""
        intervention = self._interventions[-1] if self._interventions and self._runs.active else None
        if self._preview.pending is not None:
            self.undo.setText(tr("Undo what is staged"))
        else:
            self.undo.setText(
                tr("Undo: {intervention}…", intervention=describe(intervention))
                if intervention is not None
                else tr("UndoController")
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
