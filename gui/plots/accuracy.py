"""The accuracy plot: training and validation accuracy of every epoch."""

from __future__ import annotations

import numpy as np
from PySide6.QtWidgets import QWidget

from gui.core.history import RunHistory
from gui.core.translation import tr
from gui.plots.axes import percent_text
from gui.plots.base import RunPlot, finite
from gui.plots.header import LegendEntry
from gui.plots.items import AbandonedTrace, Trace
from gui.theme.theme import Colors


class AccuracyPlot(RunPlot):
    """Training and validation accuracy in percent."""

    def __init__(self, history: RunHistory, parent: QWidget | None = None) -> None:
        empty = tr("Accuracy appears here after the first epoch")
        super().__init__(tr("Accuracy"), empty, history, suffix="%", parent=parent)
        self.log_button.hide()
        self._curves = {"train": Trace(dots=True), "val": Trace(dots=True)}
        self._abandoned = AbandonedTrace()
        for item in (self._abandoned, *self._curves.values()):
            self.view.addItem(item, ignoreBounds=True)

    def apply_theme(self, colors: Colors) -> None:
        """Draw in ``colors``."""
        self._curves["train"].set_color(colors.train)
        self._curves["val"].set_color(colors.val)
        self._abandoned.set_faint(colors.val, colors.plot)
        super().apply_theme(colors)

    def version(self) -> int:
        """The version of the epochs: this plot shows no batches."""
        return self.history.epoch_version

    def is_empty(self) -> bool:
        """Whether no epoch is complete."""
        return not len(self.history.epoch_x)

    def entries(self) -> list[LegendEntry]:
        """Training, validation and abandoned branches."""
        return [*self.train_val_entries(), *self.abandoned_entries()]

    def values_at(self, x: float | None) -> dict[str, str]:
        """The accuracies of the last epoch that ended by ``x``; dashes after the run's position."""
        if x is not None and x > self.history.position:
            return dict.fromkeys(self._curves, "–")
        epochs = self.history.epoch_x.values
        count = len(epochs) if x is None else int(np.searchsorted(epochs, x, side="right"))
        if not count:
            return {}
        columns = {key: self.history.metrics[f"{key}_accuracy"].values for key in self._curves}
        return {key: percent_text(100 * float(values[count - 1])) for key, values in columns.items()}

    def draw(self) -> None:
        """Draw every visible epoch."""
        epochs = self.history.epoch_x.values
        first, stop = self.visible(epochs)
        shown = []
        for key, curve in self._curves.items():
            column = self.history.metrics[f"{key}_accuracy"]
            rows, values = column.envelope(first, stop, max(2000, 2 * self.pixels()))
            curve.show_points(self.history.to_axis(epochs[rows], self.axis), 100 * values)
            shown.append(100 * values)
        self._abandoned.show_branches(
            (self.history.to_axis(b.epoch_x, self.axis), 100 * b.metrics["val_accuracy"])
            for b in self.history.abandoned
        )
        known = finite(*shown)
        if known.size:
            self.show_y(float(known.min()), float(known.max()))
        elif not self._manual_y:
            self.view.setYRange(0, 100, padding=0)
