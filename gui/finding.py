"""The search for a rate in the window: from its panel to the run, and from the run's events to its panel."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QObject

from engine.commands import CancelFind, FindLR
from engine.events import (
    CommandEvent,
    EndEvent,
    Event,
    FinderEvent,
    FinderProgressEvent,
    StartEvent,
    StateEvent,
)
from engine.lifecycle import State
from gui.panels.finder import FinderPanel
from gui.runs import Runs
from gui.window import Window
from gui.words import said, tr

_SEARCHED: Final[frozenset[State]] = frozenset({"ready", "training", "paused"})


class Finding(QObject):
    """Owns the finder's window. Connect what shall open it to ``open``."""

    def __init__(self, window: Window, runs: Runs) -> None:
        super().__init__(window)
        self._window, self._runs = window, runs
        self._search: int | None = None
        self._called_off = False
        self._why_not: str | None = tr("There is no run yet.")
        self._panel: FinderPanel | None = None
        runs.happened.connect(self._show)

    @property
    def panel(self) -> FinderPanel:
        """The finder's window, which is made when it is first asked for."""
        if self._panel is None:
            self._panel = FinderPanel(self._window)
            self._panel.set_enabled_because(self._why_not)
            self._panel.find_wanted.connect(self._find)
            self._panel.cancel_wanted.connect(self._cancel)
            self._panel.use_wanted.connect(self._use)
        return self._panel

    def open(self) -> None:
        """Bring the finder's window to the front."""
        self.panel.show()
        self.panel.raise_()
        self.panel.activateWindow()

    def _find(self, settings: FindLR) -> None:
        self._search, self._called_off = None, False
        self._search = self._runs.post(settings)  # which a run that has just ended refuses before it returns
        if not self._search:
            self.panel.show_problem(tr("There is no run."))

    def _cancel(self) -> None:
        self._called_off = True
        self._runs.post(CancelFind())

    def _use(self, lr: float) -> None:
        self._window.show_side(self._window.hand)
        self._window.hand.stage_lr(lr)
        self._window.activateWindow()

    def _allow(self, why_not: str | None) -> None:
        self._why_not = why_not
        if self._panel is not None:
            self._panel.set_enabled_because(why_not)

    def _show(self, event: Event) -> None:
        match event:
            case StartEvent():
                if self._panel is not None:
                    self._panel.clear()
            case StateEvent(state=state):
                self._allow(None if state in _SEARCHED else _why_not(state))
            case FinderProgressEvent(id=self._search):
                self.panel.show_progress(event.done, event.total)
            case FinderEvent(id=self._search):
                self.panel.show_finding(event)
            case CommandEvent(status="rejected") if event.name == "find_lr" and self._search in (None, event.id):
                reason = said(event.reason or "")
                text = tr("{reason}.", reason=reason[:1].upper() + reason[1:])
                self.panel.show_problem(text, error=not self._called_off)
            case EndEvent():
                self._allow(tr("The run has ended."))


def _why_not(state: State) -> str:
    if state == "diverged":
        return tr("The loss diverged. Go back or resume, and search then.")
    return tr("The run has ended.")
