"""The loss plot: faintly every batch and its moving average, boldly the training and validation loss of the epochs."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QSlider, QWidget

from gui.core.history import RunHistory
from gui.core.translation import tr
from gui.plots.axes import value_text
from gui.plots.base import RunPlot, finite
from gui.plots.header import LegendEntry
from gui.plots.items import AbandonedTrace, Trace
from gui.theme.theme import Colors, mixed

_FIRST = 20  # batches whose median stays visible, however high


class LossPlot(RunPlot):
    """Training and validation loss."""

    def __init__(self, history: RunHistory, parent: QWidget | None = None) -> None:
        empty = tr("The loss of every batch appears here once training starts")
        super().__init__(tr("Loss"), empty, history, parent=parent)
        self.slider = QSlider(Qt.Orientation.Horizontal, self)
        self.slider.setRange(0, 99)
        self.slider.setFixedWidth(84)
        self.slider.setAccessibleName(tr("Smoothing"))
        self.slider.valueChanged.connect(self._on_slider)
        label = QLabel(tr("Smoothing"), self)
        label.setProperty("role", "hint")
        self.header.add(label)
        self.header.add(self.slider)
        self.header.add(self.log_button)
        self._batch, self._smoothed = Trace(thin=True), Trace()
        self._train, self._val = Trace(dots=True), Trace(dots=True)
        self._abandoned_batch, self._abandoned_val = AbandonedTrace(), AbandonedTrace()
        abandoned = (self._abandoned_batch, self._abandoned_val)
        for item in (*abandoned, self._batch, self._smoothed, self._train, self._val):
            self.view.addItem(item, ignoreBounds=True)
        self.slider.setValue(90)

    def set_history(self, history: RunHistory) -> None:
        """Show the history of another run, with the slider's smoothing."""
        history.smoothing = self.slider.value() / 100
        super().set_history(history)

    def apply_theme(self, colors: Colors) -> None:
        """Draw in ``colors``."""
        self._batch.set_color(colors.train_faint)
        self._smoothed.set_color(mixed(colors.train, colors.plot, 0.62))
        self._train.set_color(colors.train)
        self._val.set_color(colors.val)
        self._abandoned_batch.set_faint(colors.train, colors.plot)
        self._abandoned_val.set_faint(colors.val, colors.plot)
        super().apply_theme(colors)

    def is_empty(self) -> bool:
        """Whether there is neither a step nor an epoch."""
        return not len(self.history.x) and not len(self.history.epoch_x)

    def entries(self) -> list[LegendEntry]:
        """Training, validation, batch and abandoned branches."""
        faint = mixed(self.colors.train, self.colors.plot, 0.6)
        batch = LegendEntry(key="batch", name=tr("Batch"), color=faint, line="faint")
        return [*self.train_val_entries(), batch, *self.abandoned_entries()]

    def values_at(self, x: float | None) -> dict[str, str]:
        """The smoothed loss of the batch and the losses of the last epoch by ``x``; dashes after the run's position."""
        if x is not None and x > self.history.position:
            return dict.fromkeys(("train", "val", "batch"), "–")
        steps = len(self.history.x) if x is None else int(np.searchsorted(self.history.x.values, x, side="right"))
        epochs = len(self.history.epoch_x)
        if x is not None:
            epochs = int(np.searchsorted(self.history.epoch_x.values, x, side="right"))
        found = {}
        if steps:
            found["batch"] = value_text(float(self.history.smoothed.values[steps - 1]), 3)
        if epochs:
            for key in ("train", "val"):
                found[key] = value_text(float(self.history.metrics[f"{key}_loss"].values[epochs - 1]), 4)
        return found

    def draw(self) -> None:
        """Draw at most two points a pixel of the batches, half a point a pixel of their average, and every epoch."""
        history, pixels = self.history, self.pixels()
        x = history.x.values
        first, stop = self.visible(x)
        rows, losses = history.loss.envelope(first, stop, 2 * pixels)
        epochs = history.epoch_x.values
        from_epoch, to_epoch = self.visible(epochs)
        shown = {}
        for key in ("train", "val"):
            column = history.metrics[f"{key}_loss"]
            at, values = column.envelope(from_epoch, to_epoch, max(2000, 2 * pixels))
            shown[key] = (history.to_axis(epochs[at], self.axis), self.scaled(values))
        batch = self.scaled(losses)
        self._choose_y(batch, shown["train"][1], shown["val"][1])
        self._batch.show_points(history.to_axis(x[rows], self.axis), self.clamped(batch))
        if history.smoothing:
            picked, average = history.smoothed.sample(first, stop, pixels // 2)
            self._smoothed.show_points(history.to_axis(x[picked], self.axis), self.clamped(self.scaled(average)))
        self._smoothed.setVisible(bool(history.smoothing))
        self._draw_abandoned()
        self._train.show_points(*shown["train"])
        self._val.show_points(*shown["val"])

    def _draw_abandoned(self) -> None:
        history = self.history
        self._abandoned_batch.show_branches(
            (history.to_axis(b.x, self.axis), self.clamped(self.scaled(b.loss))) for b in history.abandoned
        )
        self._abandoned_val.show_branches(
            (history.to_axis(b.epoch_x, self.axis), self.clamped(self.scaled(b.metrics["val_loss"])))
            for b in history.abandoned
        )

    def _choose_y(self, batch: np.ndarray, train: np.ndarray, val: np.ndarray) -> None:
        """Show all epochs and, except for their spikes, all batches.

        The loss at the beginning is not a spike: the median of the first visible batches stays visible.
        """
        batches, epochs = finite(batch), finite(train, val)
        if not batches.size and not epochs.size:
            return
        low, high = np.inf, -np.inf
        if batches.size:
            room = np.log10(1.4) if self.log else 0.4 * abs(float(np.median(batches[:_FIRST])))
            start = float(np.median(batches[:_FIRST])) + room
            high = min(float(batches.max()), max(float(np.quantile(batches, 0.97)), start))
            low = float(np.quantile(batches, 0.01)) if batches.size > 200 else float(batches.min())
        if epochs.size:
            low, high = min(low, float(epochs.min())), max(high, float(epochs.max()))
        self.show_y(low, high)

    def _on_slider(self, value: int) -> None:
        factor = value / 100
        self.slider.setToolTip(tr("Smoothing of the batch loss: {factor}", factor=f"{factor:.2f}"))
        self.history.smoothing = factor
        self.request_redraw()
