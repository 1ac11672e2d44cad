"""What becomes known of a change after it was made: what it brought, and why it was done."""

from __future__ import annotations

from bisect import bisect_right
from html import escape

from PySide6.QtCore import QObject, QTimer

from engine.advice.effect import Effect, effect
from engine.messages.commands import Note
from engine.messages.events import BranchEvent, CommandEvent, EpochEvent, Event, ScheduleEvent, StartEvent
from engine.messages.notes import NOTABLE, notes, reference
from gui.core.current_run import CurrentRun
from gui.core.translation import said, tr
from gui.log.controller import LogController
from gui.main_window import MainWindow
from gui.widgets.intervention_text import describe

_BRINGS = frozenset(NOTABLE) - {"set_epochs"}


class EffectsController(QObject):
    """Keeps the log's lines and the markers' tooltips true while epochs end, and has notes kept with the run.

    An intervention is followed up to the next one, a cut of the plan up to whatever comes next.
    """

    def __init__(self, window: MainWindow, current_run: CurrentRun, log_controller: LogController) -> None:
        super().__init__(window)
        self._window, self._current_run, self._model = window, current_run, current_run.model
        self._marked: list[tuple[CommandEvent | ScheduleEvent, int]] = []
        self._shown: dict[int, str] = {}
        self._soon = QTimer(self)  # one telling for all that is marked at once
        self._soon.setSingleShot(True)
        self._soon.timeout.connect(self._tell)
        log_controller.marked.connect(self._mark)
        log_controller.cleared.connect(self._clear)
        window.log.note_wanted.connect(self._note)
        current_run.listen(self._happened, StartEvent, BranchEvent, EpochEvent, CommandEvent)

    def _mark(self, event: CommandEvent | ScheduleEvent, line: int) -> None:
        self._marked.append((event, line))
        self._soon.start()

    def _clear(self) -> None:
        self._marked.clear()
        self._shown.clear()

    def _happened(self, event: Event) -> None:
        match event:
            case StartEvent() | BranchEvent():
                self._marked = [(self._of_interventions(intervention), line) for intervention, line in self._marked]
            case CommandEvent() if event.status != "applied" or event.name not in (*NOTABLE, "note"):
                return
        self._soon.start()

    def _of_interventions(self, event: CommandEvent | ScheduleEvent) -> CommandEvent | ScheduleEvent:
        """The intervention that is the marked ``event``: a run that goes on brings equal ones of its own."""
        return next((intervention for intervention in self._model.interventions if intervention == event), event)

    def _note(self, line: int, text: str) -> None:
        intervention = next((event for event, its_line in self._marked if its_line == line), None)
        about = reference(intervention, self._model.interventions) if isinstance(intervention, CommandEvent) else None
        if about is None:
            self._window.action_line.show_text(tr("Not noted: this act was undone when the run went back."))
        elif not self._current_run.post(Note(text=text, about=about)):
            self._window.action_line.show_text(tr("Not noted: the run has ended. Continue it, and note then."))

    def _tell(self) -> None:
        log = self._window.log
        texts: dict[object, str] = {}
        interventions = sorted(
            {event.position for event, _ in self._marked if _brings(event) and isinstance(event, CommandEvent)}
        )
        changes = sorted({event.position for event, _ in self._marked if _brings(event)})
        noted = {id(intervention): text for intervention, text in notes(self._model.interventions)}
        for event, line in self._marked:
            note = noted.get(id(event), "")
            found = None
            if _brings(event):
                ends = interventions if isinstance(event, CommandEvent) else changes
                place = bisect_right(ends, event.position)
                found = effect(self._model.epochs_done, event.position, ends[place] if place < len(ends) else None)
            log.set_effect(line, effect_text(found) if found else "", _effect_tip(found) if found else "")
            log.set_note(line, note)
            tip = _tip(event, found, note)
            if self._shown.get(line) != tip:
                texts[line] = self._shown[line] = tip
        if texts:
            self._window.plots.set_marker_texts(texts)


def _brings(event: CommandEvent | ScheduleEvent) -> bool:
    """Whether what is marked changed the course of the run: a note does not."""
    return isinstance(event, ScheduleEvent) or event.name in _BRINGS


def effect_text(effect: Effect) -> str:
    """The effect in short: "val loss 0.31 → 0.25 (3 epochs)"."""
    before, after = (f"{loss:.3g}" for loss in effect.loss)
    values = {"before": before, "after": after, "epochs": effect.epochs}
    if effect.epochs == 1:
        return tr("val loss {before} → {after} (1 epoch)", **values)
    return tr("val loss {before} → {after} ({epochs} epochs)", **values)


def _effect_tip(effect: Effect) -> str:
    """The effect on the loss and the accuracy, and whether it is final."""
    before, after = (f"{100 * accuracy:.2f}" for accuracy in effect.accuracy)
    values = {"effect": effect_text(effect), "before": before, "after": after}
    if effect.complete:
        return tr("Effect until the next change: {effect}, val accuracy {before}% → {after}%", **values)
    return tr("Effect so far: {effect}, val accuracy {before}% → {after}%", **values)


def _tip(event: CommandEvent | ScheduleEvent, what: Effect | None, note: str) -> str:
    lines = [describe(event) if isinstance(event, CommandEvent) else said(event.text)]
    if note:
        lines.append(tr("Note: {remark}", remark=note))
    if what is not None:
        lines.append(_effect_tip(what))
    return f"<qt>{'<br>'.join(escape(line) for line in lines)}</qt>"
