"""Undo and redo, of pending changes first, then of interventions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from PySide6.QtCore import QObject, QPoint
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QMenu, QMessageBox

from engine.messages.commands import Command, Intervention, ReleaseLR, ScaleLR, SetLR, SetSchedule, to_intervention
from engine.messages.events import BranchEvent, CommandEvent, EndEvent, StartEvent
from gui.core.current_run import CurrentRun
from gui.core.translation import tr
from gui.learning_rate.panel import LRPanel
from gui.log.rewind import RewindController
from gui.run_bar.action_line import ActionLine
from gui.schedule.panel import SchedulePanel
from gui.schedule.preview import Preview
from gui.widgets.intervention_text import CHANGING, lrs_text, restore_lr_commands, short_command_text

REDO_LIMIT: Final = 100


class UndoController(QObject):
    """Undo and Redo in the menu Edit.

    Undo discards the pending change. If there is none, it offers two ways to undo the newest intervention: to restore
    the LR from now on, or to go back to just before it, in a new branch. Redo makes the change pending again, applies
    the intervention again, or returns to the abandoned branch.
    """

    def __init__(
        self,
        edit: QMenu,
        action_line: ActionLine,
        lr_panel: LRPanel,
        schedule: SchedulePanel,
        preview: Preview,
        rewind: RewindController,
        return_to: Callable[[str], None],
        current_run: CurrentRun,
    ) -> None:
        """``return_to`` opens another run of the library, by its id."""
        super().__init__(edit)
        self._action_line, self._lr_panel, self._schedule = action_line, lr_panel, schedule
        self._preview, self._rewind, self._return_to = preview, rewind, return_to
        self._current_run, self._model = current_run, current_run.model
        self._undone: list[CommandEvent] = []  # interventions whose LR was restored, and the commands that did it
        self._restoring: dict[int, CommandEvent] = {}  # the commands that are to do it, by id
        self._redo_steps: list[tuple[str, Callable[[], None]]] = []
        self._take_back: Callable[[], None] | None = None  # undoes the newest change in the library
        self._library_is_newer = False  # than the newest intervention
        self.menu: QMenu | None = None
        self.undo = QAction(tr("Undo"), edit)
        self.undo.setShortcut(QKeySequence(QKeySequence.StandardKey.Undo))
        self.redo = QAction(tr("Redo"), edit)
        self.redo.setShortcut(QKeySequence(QKeySequence.StandardKey.Redo))
        edit.addActions([self.undo, self.redo])
        edit.aboutToShow.connect(self._update_texts)
        self.undo.triggered.connect(self._undo)
        self.redo.triggered.connect(self._redo)
        current_run.listen(self._on_start, StartEvent)
        current_run.listen(self._on_branch, BranchEvent)
        current_run.listen(self._on_command, CommandEvent)
        current_run.listen(lambda _: self._restoring.clear(), EndEvent)

    # -- undo

    def _undo(self) -> None:
        pending = self._preview.pending
        if pending is not None:
            self._discard(pending)
        elif self._lr_panel.is_pending():
            self._lr_panel.discard()
        elif (take_back := self._in_library()) is not None:
            take_back()
        elif (intervention := self._newest()) is not None:
            self._offer(intervention)
        else:
            self._action_line.show_text(tr("There is nothing to undo."))

    def remember(self, take_back: Callable[[], None] | None) -> None:
        """Undo what was done in the library next, by ``take_back``; None: that can no longer be undone."""
        self._take_back, self._library_is_newer = take_back, True

    def _in_library(self) -> Callable[[], None] | None:
        """What undoes the newest change in the library, unless an intervention came after it."""
        return self._take_back if self._library_is_newer or self._newest() is None else None

    def _discard(self, pending: Command) -> None:
        if isinstance(pending, SetSchedule):
            self._schedule.discard()
            self._add_redo(tr("pending schedule"), lambda: self._schedule.show_command(pending))
            return
        self._lr_panel.discard()
        if isinstance(pending, ReleaseLR):
            self._add_redo(tr("pending LR"), self._lr_panel.stage_release)
            return
        if isinstance(pending, SetLR):
            lr, hold = pending.lr, pending.then == "hold"
        elif isinstance(pending, ScaleLR) and self._model.lrs is not None:
            lr, hold = self._model.lrs.lr[0] * pending.factor, pending.then == "hold"
        else:
            return
        self._add_redo(tr("pending LR"), lambda: self._lr_panel.stage_lr(lr, hold))

    def _newest(self) -> CommandEvent | None:
        """The newest intervention that can be undone: not one that was, nor what undid it."""
        if not self._current_run.active:
            return None
        changes = (event for event in reversed(self._model.interventions) if event.name in CHANGING)
        return next((event for event in changes if event not in self._undone), None)

    def _offer(self, intervention: CommandEvent) -> None:
        """Show the two ways to undo ``intervention``."""
        menu = self._menu(tr("Undo: {intervention}", intervention=short_command_text(intervention)))
        commands = restore_lr_commands(intervention, self._model.groups)
        restore = menu.addAction(tr("Restore the LR from now on"), lambda: self._restore(intervention, commands))
        if commands:
            restore.setText(tr("Restore the LR from now on: {lr}", lr=lrs_text(commands)))
        restore.setEnabled(bool(commands))
        if not commands:
            restore.setToolTip(tr("This command changed no LR that could be restored."))
        position = intervention.position
        since = f"{self._rewind.epochs_since(position):.1f}".removesuffix(".0")
        back = menu.addAction(tr("Go back to just before it, abandoning {n} epochs…", n=since))
        back.triggered.connect(lambda: self._rewind.before(intervention))
        why_not = self._rewind.why_not(position)
        back.setEnabled(why_not is None)
        back.setToolTip(why_not or "")
        menu.popup(self._action_line.mapToGlobal(QPoint(0, -menu.sizeHint().height())))
        first = next((action for action in menu.actions() if action.isEnabled() and not action.isSeparator()), None)
        if first is not None:
            menu.setActiveAction(first)

    def _menu(self, title: str) -> QMenu:
        menu = self.menu = QMenu(self._action_line)
        menu.setToolTipsVisible(True)
        menu.addAction(title).setEnabled(False)
        menu.addSeparator()
        menu.aboutToHide.connect(menu.deleteLater)
        return menu

    def _restore(self, intervention: CommandEvent, commands: tuple[SetLR, ...]) -> None:
        for command in commands:
            self._restoring[self._current_run.post(command)] = intervention

    # -- redo

    def _redo(self) -> None:
        if not self._redo_steps:
            self._action_line.show_text(tr("There is nothing to redo."))
            return
        _, step = self._redo_steps.pop()
        step()

    def _add_redo(self, text: str, step: Callable[[], None]) -> None:
        self._redo_steps = [*self._redo_steps, (text, step)][-REDO_LIMIT:]

    def _ask_to_return(self, run: str) -> None:
        """Open ``run``, the abandoned branch, if the person agrees. While training, whoever opens it asks."""
        if self._model.state != "training":
            box = QMessageBox(self._action_line.window())
            box.setIcon(QMessageBox.Icon.Question)
            box.setWindowTitle(tr("Redo"))
            box.setText(tr("Return to the abandoned branch?"))
            box.setInformativeText(tr("The run as it is now is saved. Both are in the library."))
            go = box.addButton(tr("Return"), QMessageBox.ButtonRole.AcceptRole)
            box.addButton(QMessageBox.StandardButton.Cancel)
            box.setDefaultButton(go)
            box.exec()
            if box.clickedButton() is not go:
                self._add_redo(tr("return to the abandoned branch"), lambda: self._ask_to_return(run))
                return
        self._return_to(run)

    def _apply_again(self, command: Intervention) -> None:
        self._current_run.post(command)

    # -- events

    def _on_start(self, _: StartEvent) -> None:
        self._redo_steps, self._undone = [], []
        self._restoring.clear()

    def _on_branch(self, event: BranchEvent) -> None:
        self._undone.clear()
        if self._current_run.library is not None:
            self._add_redo(tr("return to the abandoned branch"), lambda: self._ask_to_return(event.parent))

    def _on_command(self, event: CommandEvent) -> None:
        if event.status == "applied" and event.name in CHANGING:
            self._library_is_newer = False
        if event.status != "applied" or event.id not in self._restoring:
            return
        undone = self._restoring.pop(event.id)
        self._undone.append(event)
        if undone not in self._undone:
            self._undone.append(undone)
            command = to_intervention(undone.command)
            self._add_redo(short_command_text(undone), lambda: self._apply_again(command))

    def _update_texts(self) -> None:
        """Show in the menu what would be undone and redone."""
        intervention = self._newest()
        if self._preview.pending is not None:
            self.undo.setText(tr("Undo: pending change"))
        elif self._in_library() is not None:
            self.undo.setText(tr("Undo: deleting runs"))
        elif intervention is not None:
            self.undo.setText(tr("Undo: {intervention}…", intervention=short_command_text(intervention)))
        else:
            self.undo.setText(tr("Undo"))
        self.redo.setText(tr("Redo: {what}", what=self._redo_steps[-1][0]) if self._redo_steps else tr("Redo"))
