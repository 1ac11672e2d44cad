"""How far the run is, painted at the clock's pace: the bottom bar and the title."""

from __future__ import annotations

from engine.messages.events import EpochEvent, LREvent, StartEvent, StepsEvent
from gui.core.lr_text import lr_text
from gui.core.translation import tr
from gui.main_window import MainWindow
from gui.run_bar.pace import Pace


class Progress:
    """Collects numbers as they come; ``paint`` shows the latest."""

    def __init__(self, window: MainWindow) -> None:
        self._window = window
        self._pace = Pace()
        self._dirty = False
        self._batches, self._epochs, self._batch_size = 1, 1, 1
        self._lr: list[float] = []
        self._speed: float | None = None
        self.position = (1, 0)
        self.val_accuracy: float | None = None

    def begin(self, event: StartEvent, batch_size: int) -> None:
        """A run begins."""
        self._pace.clear()
        self._batches, self._epochs, self._batch_size = event.batches_per_epoch, event.epochs, batch_size
        self._lr, self._speed = [], None
        self.val_accuracy = event.history[-1].val_accuracy if event.history else None
        self.at(event.epoch, event.batch)

    def clear(self) -> None:
        """There is no run: nothing is left to show."""
        self._pace.clear()
        self._dirty = False
        self.position, self.val_accuracy = (1, 0), None

    def at(self, epoch: int, batch: int) -> None:
        """The run stands before ``batch`` of ``epoch``."""
        self.position = (epoch, batch) if batch < self._batches else (epoch + 1, 0)
        self._dirty = True

    def steps(self, event: StepsEvent) -> None:
        """Batches were trained."""
        self._pace.steps(event, self._batch_size)
        self._speed = event.images_per_second
        self.at(event.epoch, event.batch + len(event.loss))

    def epoch(self, event: EpochEvent) -> None:
        """An epoch ended."""
        self._pace.epoch(event)
        self._speed = event.images_per_second
        self.val_accuracy = event.val_accuracy
        self.at(event.epoch + 1, 0)

    def lrs(self, event: LREvent) -> None:
        """The rates, or the run's length, changed."""
        self._lr, self._epochs = event.lr, event.epochs
        self.at(*max(self.position, (event.epoch, event.batch)))  # batches may have been told of sooner

    def paint(self) -> bool:
        """Show what changed since the last call; whether anything had."""
        if not self._dirty:
            return False
        self._dirty = False
        epoch, batch = self.position
        if epoch > self._epochs:  # at the end: the last epoch, whole
            epoch, batch = self._epochs, self._batches
        left = self._pace.left(epoch - 1 + batch / self._batches, self._epochs, self._batches)
        self._window.transport.show_progress(epoch, batch, self._batches, self._epochs, self._speed, left)
        words = [f"{epoch}/{self._epochs}"]
        if self.val_accuracy is not None:
            words.append(f"{self.val_accuracy:.1%}")
        words += [lr_text(lr, 2) for lr in self._lr[:3]]
        self._window.show_title(tr("{glance}", glance=" · ".join(words)))
        return True
