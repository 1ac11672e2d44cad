"""How far the run is, painted at the clock's pace: the bottom bar and the title."""

from __future__ import annotations

from engine.messages.events import BranchEvent, EpochEvent, Event, LREvent, StartEvent, StateEvent, StepsEvent
from gui.core.current_run import CurrentRun
from gui.core.lr_text import lr_text
from gui.core.translation import tr
from gui.main_window import MainWindow
from gui.run_bar.pace import Pace


class Progress:
    """Shows the model's position, pace and LRs with the next frame after an event moved them."""

    def __init__(self, window: MainWindow, current_run: CurrentRun) -> None:
        self._window, self._model = window, current_run.model
        self._pace = Pace()
        self._dirty = False
        current_run.listen(self._happened, StartEvent, StateEvent, BranchEvent, StepsEvent, EpochEvent, LREvent)
        self._model.changed.connect(self._changed)

    def _happened(self, event: Event) -> None:
        if isinstance(event, StartEvent):
            self._pace.clear()
        elif isinstance(event, StepsEvent) and self._model.recipe is not None:
            self._pace.steps(event, self._model.recipe.data.batch_size)
        elif isinstance(event, EpochEvent):
            self._pace.epoch(event)
        self._dirty = self._model.shown

    def _changed(self) -> None:
        if not self._model.shown:
            self._pace.clear()
            self._dirty = False

    def paint(self) -> bool:
        """Show what changed since the last call; whether anything had."""
        if not self._dirty:
            return False
        self._dirty = False
        model = self._model
        (epoch, batch), batches = (model.position.epoch, model.position.batch), model.batches_per_epoch
        if epoch > model.epochs:  # at the end: the last epoch, whole
            epoch, batch = model.epochs, batches
        left = self._pace.left(epoch - 1 + batch / batches, model.epochs, batches)
        self._window.transport.show_progress(epoch, batch, batches, model.epochs, model.images_per_second, left)
        words = [f"{epoch}/{model.epochs}"]
        if model.val_accuracy is not None:
            words.append(f"{model.val_accuracy:.1%}")
        lrs = model.current_lrs
        words += [lr_text(lr, 2) for lr in (lrs.lr[:3] if lrs is not None else ())]
        self._window.show_title(tr("{glance}", glance=" · ".join(words)))
        return True
