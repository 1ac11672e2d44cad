"""The loss: every batch faintly, its moving average, and the epochs' training and validation loss boldly."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QLabel, QSlider, QWidget

from gui.core.history import RunHistory
from gui.core.translation import tr
from gui.plots.abandoned import AbandonedTrace
from gui.plots.axes import finite
from gui.plots.base import RunPlot
from gui.plots.header import Entry
from gui.plots.items import Trace
from gui.plots.text import value_text
from gui.theme.theme import Colors, mixed

_FIRST = 20


class LossPlot(RunPlot):
    """Training and validation loss. Signals: ``smoothing_changed(float)``, 0 to 0.99, as the slider says."""

    smoothing_changed = Signal(float)

    def __init__(self, series: RunHistory, parent: QWidget | None = None) -> None:
        empty = tr("The loss of every batch appears here once training starts")
        super().__init__(tr("Loss"), empty, series, parent=parent)
        self.slider = QSlider(Qt.Orientation.Horizontal, self)
        self.slider.setRange(0, 99)
        self.slider.setFixedWidth(84)
        self.slider.setAccessibleName(tr("Smoothing"))
        self.slider.valueChanged.connect(self._on_slider)
        label = QLabel(tr("Smooth"), self)
        label.setProperty("role", "muted")
        self.header.add(label)
        self.header.add(self.slider)
        self.header.add(self.log_button)
        self.header.add(self.fit_button)
        self._batch, self._smooth = Trace(thin=True), Trace()
        self._train, self._val = Trace(dots=True), Trace(dots=True)
        self._left_batch, self._left_val = AbandonedTrace(), AbandonedTrace()
        for item in (self._left_batch, self._left_val, self._batch, self._smooth, self._train, self._val):
            self.view.addItem(item, ignoreBounds=True)
        self.slider.setValue(90)

    def set_series(self, series: RunHistory) -> None:
        """Show the history of another run, smoothed as the slider says."""
        series.smoothing = self.slider.value() / 100
        super().set_series(series)

    def apply_theme(self, colors: Colors) -> None:
        """Draw in ``colors``."""
        self._batch.set_color(colors.train_faint)
        self._smooth.set_color(mixed(colors.train, colors.plot, 0.62))
        self._train.set_color(colors.train)
        self._val.set_color(colors.val)
        self._left_batch.set_faint(colors.train, colors.plot)
        self._left_val.set_faint(colors.val, colors.plot)
        super().apply_theme(colors)

    def is_empty(self) -> bool:
        """Whether there is neither a step nor an epoch."""
        return not len(self.series.x) and not len(self.series.epoch_x)

    def entries(self) -> list[Entry]:
        """Train, validation and batch."""
        faint = mixed(self.colors.train, self.colors.plot, 0.6)
        found = [
            Entry(key="train", name=tr("train"), color=self.colors.train),
            Entry(key="val", name=tr("validation"), color=self.colors.val),
            Entry(key="batch", name=tr("batch"), color=faint, line="faint"),
        ]
        if self.series.abandoned:
            found.append(Entry(key="left", name=tr("road left"), color=faint, line="faint"))
        return found

    def values_at(self, x: float | None) -> dict[str, str]:
        """The smoothed loss of the batch, and the losses of the epoch that ended last; none past the run's position."""
        if x is not None and x > self.series.position:
            return dict.fromkeys(("train", "val", "batch"), "–")
        steps = len(self.series.x) if x is None else int(np.searchsorted(self.series.x.values, x, side="right"))
        epochs = len(self.series.epoch_x)
        if x is not None:
            epochs = int(np.searchsorted(self.series.epoch_x.values, x, side="right"))
        found = {}
        if steps:
            found["batch"] = value_text(float(self.series.smoothed.values[steps - 1]), 3)
        if epochs:
            for key in ("train", "val"):
                found[key] = value_text(float(self.series.metrics[f"{key}_loss"].values[epochs - 1]), 4)
        return found

    def draw(self) -> None:
        """At most two points a pixel of the batches, half a point a pixel of their average, every epoch."""
        series, pixels = self.series, self.pixels()
        x = series.x.values
        first, stop = self.visible(x)
        rows, losses = series.loss.envelope(first, stop, 2 * pixels)
        epochs = series.epoch_x.values
        from_epoch, to_epoch = self.visible(epochs)
        shown = {}
        for key in ("train", "val"):
            column = series.metrics[f"{key}_loss"]
            at, values = column.envelope(from_epoch, to_epoch, max(2000, 2 * pixels))
            shown[key] = (series.to_axis(epochs[at], self.axis), self.scaled(values))
        batch = self.scaled(losses)
        self._choose_y(batch, shown["train"][1], shown["val"][1])
        self._batch.show_points(series.to_axis(x[rows], self.axis), self.clamped(batch))
        if series.smoothing:
            picked, average = series.smoothed.sample(first, stop, pixels // 2)
            self._smooth.show_points(series.to_axis(x[picked], self.axis), self.clamped(self.scaled(average)))
        self._smooth.setVisible(bool(series.smoothing))
        self._draw_abandoned()
        self._train.show_points(*shown["train"])
        self._val.show_points(*shown["val"])

    def _draw_abandoned(self) -> None:
        series = self.series
        self._left_batch.show_abandoned(
            (series.to_axis(g.x, self.axis), self.clamped(self.scaled(g.loss))) for g in series.abandoned
        )
        self._left_val.show_abandoned(
            (series.to_axis(g.epoch_x, self.axis), self.clamped(self.scaled(g.metrics["val_loss"])))
            for g in series.abandoned
        )

    def _choose_y(self, batch: np.ndarray, train: np.ndarray, val: np.ndarray) -> None:
        """Show the epochs whole and the batches but for their spikes.

        What training began with is no spike: the median of the first batches in sight stays in sight.
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
        self.series.smoothing = factor
        self.smoothing_changed.emit(factor)
        self.touch()
