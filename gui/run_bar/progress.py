"""How far the run is, painted by the frame clock: in the run bar and in the window's title."""

from __future__ import annotations

from collections.abc import Callable

from engine.messages.events import BranchEvent, EpochEvent, Event, LREvent, StartEvent, StateEvent, StepsEvent
from gui.core.current_run import CurrentRun
from gui.core.frame_clock import FrameClock
from gui.core.lr_text import lr_text
from gui.core.translation import tr
from gui.run_bar.pace import Pace
from gui.run_bar.transport import Transport


class ProgressController:
    """Shows the model's position, pace and LRs with the next frame after an event moved them."""

    def __init__(
        self, transport: Transport, show_title: Callable[[str], None], current_run: CurrentRun, clock: FrameClock
    ) -> None:
        """``show_title`` sets the window's title to a short text, which fits into the task bar."""
        self._transport, self._show_title, self._model = transport, show_title, current_run.model
        self._pace = Pace()
        self._dirty = False
        current_run.listen(self._on_event, StartEvent, StateEvent, BranchEvent, StepsEvent, EpochEvent, LREvent)
        self._model.changed.connect(self._on_changed)
        clock.register(self._paint)

    def _on_event(self, event: Event) -> None:
        if isinstance(event, StartEvent):
            self._pace.clear()
        elif isinstance(event, StepsEvent) and self._model.recipe is not None:
            self._pace.steps(event, self._model.recipe.data.batch_size)
        elif isinstance(event, EpochEvent):
            self._pace.epoch(event)
        self._dirty = self._model.shown

    def _on_changed(self) -> None:
        if not self._model.shown:
            self._dirty = False

    def _paint(self) -> bool:
        """Show what changed since the last call; whether anything had."""
        if not self._dirty:
            return False
        self._dirty = False
        model = self._model
        epoch, batch, batches = model.position.epoch, model.position.batch, model.batches_per_epoch
        if epoch > model.epochs:  # at the end: the last epoch, complete
            epoch, batch = model.epochs, batches
        left = self._pace.left(epoch - 1 + batch / batches, model.epochs, batches)
        self._transport.show_progress(epoch, batch, batches, model.epochs, model.images_per_second, left)
        parts = [f"{epoch}/{model.epochs}"]
        if model.val_accuracy is not None:
            parts.append(f"{model.val_accuracy:.1%}")
        lrs = model.current_lrs
        parts += [lr_text(lr, 4) for lr in (lrs.lr[:3] if lrs is not None else ())]
        self._show_title(tr("{glance}", glance=" · ".join(parts)))
        return True
