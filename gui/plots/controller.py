"""The plots of the run: its history, its epochs and groups, repainted by the frame clock."""

from __future__ import annotations

from PySide6.QtCore import QObject

from engine.messages.events import BranchEvent, EpochEvent, LREvent, StartEvent, StepsEvent
from gui.core.current_run import CurrentRun
from gui.core.frame_clock import FrameClock
from gui.plots.stack import PlotStack


class PlotsController(QObject):
    """Keeps the plots on the run that is shown. Before the start, the setup sets their epochs and groups."""

    def __init__(self, plots: PlotStack, current_run: CurrentRun, clock: FrameClock) -> None:
        super().__init__(plots)
        self._plots, self._model, self._clock = plots, current_run.model, clock
        plots.set_history(self._model.history)
        for paint in plots.paints():
            clock.register(paint)
        plots.dragging.connect(clock.set_dragging)
        plots.redraw_requested.connect(clock.poke)
        self._model.changed.connect(self._on_changed)
        current_run.listen(self._on_start, StartEvent)
        current_run.listen(lambda _: clock.poke(), StepsEvent, EpochEvent, BranchEvent)
        current_run.listen(self._on_lrs, LREvent)

    def show_group(self, group: str | None) -> None:
        """Bring the LR of ``group`` to the front; None: of all groups."""
        groups = list(self._model.groups)
        self._plots.lr.set_active_group(groups.index(group) if group in groups else None)

    def _on_changed(self) -> None:
        if not self._model.shown:
            self._plots.fit()  # what was zoomed into was another run's
        self._clock.poke()

    def _on_start(self, event: StartEvent) -> None:
        if not self._model.continued:
            self._plots.fit()
        self._plots.set_epochs(event.epochs)
        self._plots.set_group_names(event.groups)

    def _on_lrs(self, event: LREvent) -> None:
        self._plots.set_epochs(self._model.epochs)
        self._clock.poke()
