"""The effect of a change on validation, and the notes that explain why it was made."""

from __future__ import annotations

from bisect import bisect_right
from html import escape

from PySide6.QtCore import QObject, QTimer

from engine.advice.effect import Effect, effect
from engine.messages.commands import Note
from engine.messages.events import BranchEvent, CommandEvent, EpochEvent, ScheduleEvent, StartEvent
from engine.messages.notes import NOTABLE, notes, reference
from gui.core.current_run import CurrentRun
from gui.core.translation import said, tr
from gui.log.controller import LogController
from gui.log.panel import LogPanel
from gui.plots.stack import PlotStack
from gui.run_bar.action_line import ActionLine
from gui.widgets.intervention_text import command_text

Change = CommandEvent | ScheduleEvent
_WITH_EFFECT = frozenset(NOTABLE) - {"set_epochs"}


class EffectsController(QObject):
    """Shows effects and notes in the log and in the markers' tooltips, and posts the notes that are typed.

    The effect of an intervention ends at the next intervention, that of a change by the schedule at any next change.
    """

    def __init__(
        self,
        log: LogPanel,
        action_line: ActionLine,
        plots: PlotStack,
        log_controller: LogController,
        current_run: CurrentRun,
    ) -> None:
        super().__init__(log)
        self._log, self._action_line, self._plots = log, action_line, plots
        self._current_run, self._model = current_run, current_run.model
        self._marked: list[tuple[Change, int]] = []  # with the lines' ids
        self._tips: dict[int, str] = {}  # shown, by line
        self._soon = QTimer(self)  # one update for all that is marked at once
        self._soon.setSingleShot(True)
        self._soon.timeout.connect(self._update)
        log_controller.marked.connect(self._on_marked)
        log_controller.cleared.connect(self._on_cleared)
        log.note_wanted.connect(self._note)
        current_run.listen(self._on_other_interventions, StartEvent, BranchEvent)
        current_run.listen(lambda _: self._soon.start(), EpochEvent)
        current_run.listen(self._on_command, CommandEvent)

    def _on_marked(self, event: Change, line: int) -> None:
        self._marked.append((event, line))
        self._soon.start()

    def _on_cleared(self) -> None:
        self._marked.clear()
        self._tips.clear()

    def _on_other_interventions(self, _: StartEvent | BranchEvent) -> None:
        self._marked = [(self._of_model(event), line) for event, line in self._marked]
        self._soon.start()

    def _on_command(self, event: CommandEvent) -> None:
        if event.status == "applied" and event.name in (*NOTABLE, "note"):
            self._soon.start()

    def _of_model(self, event: Change) -> Change:
        """The intervention of the model that equals the marked ``event``: a run that continues brings its own."""
        return next((intervention for intervention in self._model.interventions if intervention == event), event)

    def _note(self, line: int, text: str) -> None:
        event = next((event for event, its_line in self._marked if its_line == line), None)
        about = reference(event, self._model.interventions) if isinstance(event, CommandEvent) else None
        if about is None:
            self._action_line.show_text(tr("Note not recorded: the run went back to before this change."))
        elif not self._current_run.post(Note(text=text, about=about)):
            self._action_line.show_text(tr("Note not recorded: the run has ended. Continue it first."))

    def _update(self) -> None:
        of_interventions = sorted(
            {event.position for event, _ in self._marked if _has_effect(event) and isinstance(event, CommandEvent)}
        )
        of_changes = sorted({event.position for event, _ in self._marked if _has_effect(event)})
        noted = {id(intervention): text for intervention, text in notes(self._model.interventions)}
        changed: dict[object, str] = {}
        for event, line in self._marked:
            note, found, effect_tip = noted.get(id(event), ""), None, ""
            if _has_effect(event):
                ends = of_interventions if isinstance(event, CommandEvent) else of_changes
                after = bisect_right(ends, event.position)
                found = effect(self._model.epochs_done, event.position, ends[after] if after < len(ends) else None)
                effect_tip = _effect_tip(found) if found is not None else self._no_effect(event)
            self._log.set_effect(line, effect_text(found) if found is not None else "", effect_tip)
            self._log.set_note(line, note)
            tip = _tip(event, effect_tip, note)
            if self._tips.get(line) != tip:
                changed[line] = self._tips[line] = tip
        if changed:
            self._plots.set_marker_texts(changed)

    def _no_effect(self, event: Change) -> str:
        """What to show while no epoch has ended since ``event``; nothing for one in the first epoch of the history."""
        epochs = self._model.epochs_done
        return tr("No effect yet") if epochs and epochs[0].epoch < event.epoch > epochs[-1].epoch else ""


def _has_effect(event: Change) -> bool:
    return isinstance(event, ScheduleEvent) or event.name in _WITH_EFFECT


def effect_text(found: Effect) -> str:
    """The effect in short: "val loss 0.31 -> 0.25 (3 epochs)"."""
    before, after = (f"{loss:.3g}" for loss in found.loss)
    values = {"before": before, "after": after, "epochs": found.epochs}
    if found.epochs == 1:
        return tr("val loss {before} -> {after} (1 epoch)", **values)
    return tr("val loss {before} -> {after} ({epochs} epochs)", **values)


def _effect_tip(found: Effect) -> str:
    """The effect on the loss and the accuracy, and whether it is final."""
    before, after = (f"{100 * accuracy:.2f}" for accuracy in found.accuracy)
    values = {"effect": effect_text(found), "before": before, "after": after}
    if found.complete:
        return tr("Effect until the next change: {effect}, val accuracy {before}% -> {after}%", **values)
    return tr("Effect so far: {effect}, val accuracy {before}% -> {after}%", **values)


def _tip(event: Change, effect_tip: str, note: str) -> str:
    lines = [command_text(event) if isinstance(event, CommandEvent) else said(event.text)]
    if note:
        lines.append(tr("Note: {remark}", remark=note))
    if effect_tip:
        lines.append(effect_tip)
    return f"<qt>{'<br>'.join(escape(line) for line in lines)}</qt>"
