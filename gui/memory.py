"""What the window remembers from one time to the next: its places, and how the plots are drawn."""

from __future__ import annotations

from gui.settings import Settings
from gui.window import Window


def recall(window: Window, settings: Settings) -> None:
    """Bring back how the window was left."""
    if settings.geometry:
        window.restoreGeometry(settings.geometry)
    for name, splitter in (("columns", window.columns), ("rows", window.rows)):
        if sizes := settings.splitter_sizes.get(name):
            splitter.setSizes(sizes)
    if drawer := settings.splitter_sizes.get("levels"):
        window.drawer_height = drawer[-1]
    plots = window.plots
    plots.set_axis(settings.x_axis)
    plots.loss.slider.setValue(round(settings.smoothing * 100))
    plots.loss.log_button.setChecked(settings.log_loss)
    plots.rate.log_button.setChecked(settings.log_lr)


def remember(window: Window, settings: Settings) -> None:
    """Keep how the window is left."""
    plots = window.plots
    settings.geometry = bytes(window.saveGeometry().data())
    sizes = {"columns": window.columns.sizes(), "rows": window.rows.sizes()}
    drawer = window.levels.sizes()[1:] or [window.drawer_height]
    settings.splitter_sizes = {**sizes, "levels": [part or window.drawer_height for part in drawer]}
    settings.x_axis = plots.axis
    settings.smoothing = plots.loss.slider.value() / 100
    settings.log_loss = plots.loss.log_button.isChecked()
    settings.log_lr = plots.rate.log_button.isChecked()
    settings.save()
