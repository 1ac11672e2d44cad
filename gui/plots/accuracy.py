"""The accuracy of every epoch, on the training and on the validation images."""

from __future__ import annotations

import numpy as np
from PySide6.QtWidgets import QWidget

from gui.core.history import RunHistory
from gui.core.translation import tr
from gui.plots.abandoned import AbandonedTrace
from gui.plots.axes import finite
from gui.plots.base import RunPlot
from gui.plots.header import Entry
from gui.plots.items import Trace
from gui.plots.text import percent_text
from gui.theme.theme import Colors


class AccuracyPlot(RunPlot):
    """Training and validation accuracy in percent."""

    def __init__(self, series: RunHistory, parent: QWidget | None = None) -> None:
        empty = tr("Accuracy appears here after the first epoch")
        super().__init__(tr("Accuracy"), empty, series, suffix="%", parent=parent)
        self.log_button.hide()
        self._curves = {"train": Trace(dots=True), "val": Trace(dots=True)}
        self._left = AbandonedTrace()
        for item in (self._left, *self._curves.values()):
            self.view.addItem(item, ignoreBounds=True)

    def apply_theme(self, colors: Colors) -> None:
        """Draw in ``colors``."""
        self._curves["train"].set_color(colors.train)
        self._curves["val"].set_color(colors.val)
        self._left.set_faint(colors.val, colors.plot)
        super().apply_theme(colors)

    def version(self) -> int:
        """Only epochs count here."""
        return self.series.epoch_version

    def is_empty(self) -> bool:
        """Whether no epoch has ended."""
        return not len(self.series.epoch_x)

    def entries(self) -> list[Entry]:
        """Train and validation."""
        return [
            Entry(key="train", name=tr("train"), color=self.colors.train),
            Entry(key="val", name=tr("validation"), color=self.colors.val),
        ]

    def values_at(self, x: float | None) -> dict[str, str]:
        """The accuracies of the epoch that ended last before ``x``; none past the run's position."""
        if x is not None and x > self.series.position:
            return dict.fromkeys(self._curves, "–")
        epochs = self.series.epoch_x.values
        count = len(epochs) if x is None else int(np.searchsorted(epochs, x, side="right"))
        if not count:
            return {}
        columns = {key: self.series.metrics[f"{key}_accuracy"].values for key in self._curves}
        return {key: percent_text(100 * float(values[count - 1])) for key, values in columns.items()}

    def draw(self) -> None:
        """Every epoch in sight."""
        epochs = self.series.epoch_x.values
        first, stop = self.visible(epochs)
        shown = []
        for key, curve in self._curves.items():
            column = self.series.metrics[f"{key}_accuracy"]
            rows, values = column.envelope(first, stop, max(2000, 2 * self.pixels()))
            curve.show_points(self.series.to_axis(epochs[rows], self.axis), 100 * values)
            shown.append(100 * values)
        self._left.show_abandoned(
            (self.series.to_axis(g.epoch_x, self.axis), 100 * g.metrics["val_accuracy"]) for g in self.series.abandoned
        )
        known = finite(*shown)
        if known.size:
            self.show_y(float(known.min()), float(known.max()))
        elif not self._manual_y:
            self.view.setYRange(0, 100, padding=0)
