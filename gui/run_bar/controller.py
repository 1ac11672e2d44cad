"""The run bar: its buttons post commands; the run's state and end are shown."""

from __future__ import annotations

from PySide6.QtCore import QObject

from engine.common.lifecycle import State
from engine.common.position import Position
from engine.messages.commands import Pause, Resume, RunEpoch, Start, Stop
from engine.messages.events import CommandEvent, EndEvent, LoadingEvent, SavedEvent, StartEvent, StateEvent
from gui.core import run_text
from gui.core.current_run import CurrentRun
from gui.core.frame_clock import FrameClock
from gui.core.translation import said, tr
from gui.run_bar.action_line import ActionLine
from gui.run_bar.banner import Banner
from gui.run_bar.transport import Transport
from gui.widgets.state_chip import StateChip

MORE_EPOCHS = 10
"""How many more epochs a finished run is offered."""


class RunController(QObject):
    """Posts the commands of the transport; shows the run's state, what it saved, and how it ended.

    The setup starts a run from the forms; this starts a run that is loaded and ready.
    """

    def __init__(
        self,
        transport: Transport,
        chip: StateChip,
        banner: Banner,
        action_line: ActionLine,
        current_run: CurrentRun,
        clock: FrameClock,
    ) -> None:
        super().__init__(transport)
        self._transport, self._chip, self._banner, self._action_line = transport, chip, banner, action_line
        self._current_run, self._model, self._clock = current_run, current_run.model, clock
        transport.start.connect(self._start)
        transport.pause.connect(lambda: current_run.post(Pause()))
        transport.resume.connect(self._resume)
        transport.run_epoch.connect(self._run_epoch)
        transport.stop.connect(lambda: current_run.post(Stop()))
        self._model.changed.connect(self._show_state)
        current_run.listen(self._on_loading, LoadingEvent)
        current_run.listen(lambda _: banner.clear(), StartEvent)
        current_run.listen(lambda _: clock.hurry(), StateEvent)
        current_run.listen(self._on_command, CommandEvent)
        current_run.listen(self._on_saved, SavedEvent)
        current_run.listen(self._on_end, EndEvent)

    def _start(self) -> None:
        if self._model.state == "ready" and self._model.shown:
            self._resume()

    def _resume(self) -> None:
        self._banner.clear()
        self._current_run.post(Start() if self._model.state == "ready" else Resume())

    def _run_epoch(self) -> None:
        if self._current_run.active and not self._model.loading:
            self._current_run.post(RunEpoch())

    def _show_state(self) -> None:
        model = self._model
        state = model.state
        # A run that was loaded has trained before: it is shown as paused, and Resume starts it.
        waits = state == "ready" and model.shown and model.position > Position(epoch=1)
        shown: State = "paused" if waits else state
        self._transport.show_state(
            shown, lambda action: model.why_not("start" if waits and action == "resume" else action)
        )
        self._chip.show_state(shown)
        self._clock.set_mode("training" if state == "training" else "free")

    def _on_loading(self, event: LoadingEvent) -> None:
        self._transport.show_loading(said(event.what), event.done, event.total)

    def _on_command(self, event: CommandEvent) -> None:
        self._clock.hurry()
        if event.name == "save" and event.status == "rejected" and not self._model.loading:
            self._banner.show_failure(run_text.sentence(event.reason or tr("The checkpoint was not saved.")))

    def _on_saved(self, event: SavedEvent) -> None:
        if event.kind == "asked":
            self._action_line.show_saved(event.path)
            self._clock.hurry()

    def _on_end(self, event: EndEvent) -> None:
        model = self._model
        if model.end is not event:
            return  # of a run that was not loaded
        if event.unsaved is not None and event.reason != "failed":
            self._banner.show_failure(tr("The run's last state was not saved: {reason}", reason=said(event.unsaved)))
        elif event.reason == "stopped" and event.checkpoint and model.lrs is not None:
            self._action_line.show_saved(event.checkpoint)
            self._banner.show_stopped(run_text.stopped(event.epoch, model.epochs))
        elif event.reason == "finished" and model.val_accuracy is not None and model.current_lrs is not None:
            text = run_text.finished(model.val_accuracy, model.epochs)
            projected = run_text.more_epochs(model.lr_beyond or model.current_lrs.lr)
            self._banner.show_finished(text, projected, MORE_EPOCHS if event.checkpoint else 0)
        self._clock.poke()
