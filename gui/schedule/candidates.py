"""Candidates: schedules kept for comparison, each drawn from where it would begin."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from PySide6.QtCore import QObject

from engine.messages.commands import SetSchedule
from engine.messages.preview import Curve, CurveQuery
from engine.schedules import Drawn
from engine.training import queries
from gui.core.lr_text import lr_text
from gui.core.task_runner import Failure, Task, TaskRunner
from gui.core.translation import said, tr
from gui.plots.lr import LRPlot
from gui.plots.lr_curves import CANDIDATE_DASHES, Candidate
from gui.schedule.candidate_list import Chip
from gui.schedule.panel import SchedulePanel
from gui.schedule.pending_change import PendingChange
from gui.schedule.preview import Preview
from gui.setup.panel import SetupPanel
from gui.widgets.intervention_text import schedule_text

LETTERS: Final = "ABCD"


@dataclass
class _Kept:
    """A candidate: its letter, what Apply would send, where it would have begun then, and its curve as it is now."""

    key: str
    command: SetSchedule
    origin: float
    lr: float | None
    curve: Curve | None = None
    problem: str | None = None

    @property
    def index(self) -> int:
        return LETTERS.index(self.key)

    @property
    def name(self) -> str:
        name = type(self.command.schedule).__name__
        return name if self.command.group is None else tr("{group}: {name}", group=self.command.group, name=name)

    def shown(self) -> Curve | None:
        """The curve of the groups that the candidate is for."""
        curve, group = self.curve, self.command.group
        if curve is None or group not in curve.group_names:
            return curve
        return replace(curve, lr=curve.lr[:, [curve.group_names.index(group)]], group_names=(group,))


class Candidates(QObject):
    """Keeps the schedules that the person compares, and their curves true."""

    def __init__(
        self,
        schedule: SchedulePanel,
        setup: SetupPanel,
        plot: LRPlot,
        preview: Preview,
        change: PendingChange,
        tasks: TaskRunner,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._setup, self._plot = setup, plot
        self._preview, self._change, self._tasks = preview, change, tasks
        self._panel, self._list = schedule, schedule.candidates
        self._kept: list[_Kept] = []
        self._origin = 0.0
        self._list.keep_wanted.connect(self._keep)
        self._list.take_wanted.connect(self._take)
        self._list.remove_wanted.connect(self._remove)
        self._panel.editor.shown.connect(self._allow)
        change.begins.connect(self._begin_at)
        preview.moved.connect(self._ask)
        self._allow()

    def show_colours(self) -> None:
        """The theme is another one."""
        self._show()

    # -- what the person does

    def _keep(self) -> None:
        command, recipe = self._panel.command(), self._setup.recipe()
        free = [posted for posted in LETTERS if posted not in [kept.key for kept in self._kept]]
        if command is None or not free:
            return
        lr = None if recipe is None or self._panel.editor.gives_lr() else recipe.optimizer.lr
        self._kept.append(_Kept(free[0], command, self._origin, lr))
        self._kept.sort(key=lambda kept: kept.key)
        self._ask()
        self._allow()

    def _take(self, key: str) -> None:
        for kept in self._kept:
            if kept.key == key:
                self._panel.take(self._now(kept))

    def _remove(self, key: str) -> None:
        for kept in [kept for kept in self._kept if kept.key == key]:
            self._kept.remove(kept)
            self._tasks.cancel(f"candidate {key}")
        self._show()
        self._allow()

    def _allow(self) -> None:
        """Offer to keep what is edited, or say why it cannot be."""
        command = self._panel.command()
        if command is None:
            why_not: str | None = tr("Not possible yet: {why}", why=tr("a field above is not valid"))
        elif len(self._kept) == len(LETTERS):
            why_not = tr("{n} are compared already; remove one first.", n=len(LETTERS))
        elif any(self._now(kept) == command for kept in self._kept):
            why_not = tr("This one is kept already; change something and compare again.")
        else:
            why_not = None
        self._list.allow(why_not)

    # -- their curves

    def _begin_at(self, origin: float) -> None:
        if origin != self._origin:
            self._origin = origin
            self._ask()

    def _now(self, kept: _Kept) -> SetSchedule:
        """What Apply would send now: of a drawn curve, what is left of it."""
        spec, passed = kept.command.schedule, self._origin - kept.origin
        if not isinstance(spec, Drawn) or passed <= 0 or kept.command.start == "replay":
            return kept.command
        return kept.command.model_copy(update={"schedule": spec.after(passed)})

    def _ask(self) -> None:
        """Have every curve drawn anew."""
        for kept in self._kept:
            command = self._now(kept)
            if self._panel.editor.gives_lr() and command.lr is None and kept.lr is not None and not self._panel.running:
                command = command.model_copy(update={"lr": kept.lr})  # the optimizer's is not the recipe's now
            at = self._change.beginning(command) if self._panel.running else None
            query = self._preview.query(kept.key, command, at)
            if query is None:
                kept.curve, kept.problem = None, None
            else:
                done, failed = partial(self._take_curve, kept), partial(self._take_failure, kept)
                key = f"candidate {kept.key}"
                self._tasks.submit(partial(_draw, query), done, failed, lane="curves", key=key)
        self._show()

    def _take_curve(self, kept: _Kept, curve: Curve) -> None:
        kept.curve = curve if curve.x.size else None
        kept.problem = said(curve.problem) if curve.problem else None
        self._show()

    def _take_failure(self, kept: _Kept, failure: Failure) -> None:
        kept.curve, kept.problem = None, said(failure.problem)
        self._show()

    def _show(self) -> None:
        plot = self._plot
        chips, drawn = [], []
        for kept in self._kept:
            end = ""
            curve = kept.shown()
            if curve is not None:
                end = tr("ends at {lr}", lr=", ".join(lr_text(float(lr), 4) for lr in curve.lr[-1]))
                drawn.append(Candidate(key=kept.key, name=kept.name, index=kept.index, curve=curve))
            chips.append(
                Chip(
                    key=kept.key,
                    name=kept.name,
                    end=end,
                    problem=kept.problem,
                    color=plot.candidate_color(kept.index),
                    dashes=CANDIDATE_DASHES[kept.index],
                    tip=schedule_text(kept.command.schedule.model_dump()),
                )
            )
        self._list.show_chips(chips)
        plot.set_candidates(drawn)


def _draw(query: CurveQuery, task: Task) -> Curve:
    return queries.curve(query, task.cancelled)
