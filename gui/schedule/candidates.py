"""Candidates: schedules that are compared, each drawn from the position at which it would start."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from PySide6.QtCore import QObject

from engine.messages.commands import SetSchedule
from engine.messages.preview import Curve, CurveQuery
from engine.recipe.recipe import Recipe
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
from gui.widgets.intervention_text import schedule_text

LETTERS: Final = "ABCD"


@dataclass
class _Candidate:
    """A schedule that is compared.

    Attributes:
        key: its letter.
        command: what Apply would have sent when it was added.
        origin: where it would have started then, in epochs completed.
        lr: the recipe's LR then; None if the schedule does not start from it.
        curve: its current curve, or None.
        problem: why it has no curve, or None.
    """

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

    def curve_of_groups(self) -> Curve | None:
        """The curve of the groups that the schedule is for."""
        curve, group = self.curve, self.command.group
        if curve is None or group not in curve.group_names:
            return curve
        return replace(curve, lr=curve.lr[:, [curve.group_names.index(group)]], group_names=(group,))


class Candidates(QObject):
    """Keeps the candidates and their curves up to date."""

    def __init__(
        self,
        schedule: SchedulePanel,
        recipe: Callable[[], Recipe | None],
        plot: LRPlot,
        preview: Preview,
        change: PendingChange,
        tasks: TaskRunner,
        parent: QObject | None = None,
    ) -> None:
        """``recipe`` returns the recipe in the forms; None if it is not valid."""
        super().__init__(parent)
        self._recipe, self._plot = recipe, plot
        self._preview, self._change, self._tasks = preview, change, tasks
        self._panel, self._list = schedule, schedule.candidates
        self._candidates: list[_Candidate] = []
        self._origin = 0.0
        self._list.add_wanted.connect(self._add)
        self._list.edit_wanted.connect(self._edit)
        self._list.remove_wanted.connect(self._remove)
        self._panel.editor.shown.connect(self._allow)
        change.origin_changed.connect(self._set_origin)
        preview.outdated.connect(self._request)
        self._allow()

    def show_colours(self) -> None:
        """Use the colours of the current theme."""
        self._show()

    # -- editing

    def _add(self) -> None:
        command, recipe = self._panel.command(), self._recipe()
        free = [letter for letter in LETTERS if letter not in [candidate.key for candidate in self._candidates]]
        if command is None or not free:
            return
        lr = None if recipe is None or self._panel.editor.gives_lr() else recipe.optimizer.lr
        self._candidates.append(_Candidate(free[0], command, self._origin, lr))
        self._candidates.sort(key=lambda candidate: candidate.key)
        self._request()
        self._allow()

    def _edit(self, key: str) -> None:
        for candidate in self._candidates:
            if candidate.key == key:
                self._panel.show_command(self._current_command(candidate))

    def _remove(self, key: str) -> None:
        for candidate in [candidate for candidate in self._candidates if candidate.key == key]:
            self._candidates.remove(candidate)
            self._tasks.cancel(f"candidate {key}")
        self._show()
        self._allow()

    def _allow(self) -> None:
        """Allow the edited schedule to be added, or say why it cannot be."""
        command = self._panel.command()
        if command is None:
            why_not: str | None = tr("Not possible yet: {why}", why=tr("a field above is not valid"))
        elif len(self._candidates) == len(LETTERS):
            why_not = tr("{n} are compared already; remove one first.", n=len(LETTERS))
        elif any(self._current_command(candidate) == command for candidate in self._candidates):
            why_not = tr("This schedule is compared already; change something and compare again.")
        else:
            why_not = None
        self._list.allow(why_not)

    # -- their curves

    def _set_origin(self, origin: float) -> None:
        if origin != self._origin:
            self._origin = origin
            self._request()

    def _current_command(self, candidate: _Candidate) -> SetSchedule:
        """What Apply would send now: of a drawn curve, only the rest."""
        spec, passed = candidate.command.schedule, self._origin - candidate.origin
        if not isinstance(spec, Drawn) or passed <= 0 or candidate.command.start == "replay":
            return candidate.command
        return candidate.command.model_copy(update={"schedule": spec.after(passed)})

    def _request(self) -> None:
        """Request the curves of all candidates."""
        for candidate in self._candidates:
            command = self._current_command(candidate)
            if self._panel.editor.gives_lr() and command.lr is None and not self._panel.running:
                # the optimizer's LR is 1 now, and not the recipe's
                command = command.model_copy(update={"lr": candidate.lr})
            position = self._change.start_position(command.schedule.interval) if self._panel.running else None
            query = self._preview.query(candidate.key, command, position)
            if query is None:
                candidate.curve, candidate.problem = None, None
            else:
                done, failed = partial(self._on_curve, candidate), partial(self._on_failure, candidate)
                key = f"candidate {candidate.key}"
                self._tasks.submit(partial(_compute, query), done, failed, lane="curves", key=key)
        self._show()

    def _on_curve(self, candidate: _Candidate, curve: Curve) -> None:
        candidate.curve = curve if curve.x.size else None
        candidate.problem = said(curve.problem) if curve.problem else None
        self._show()

    def _on_failure(self, candidate: _Candidate, failure: Failure) -> None:
        candidate.curve, candidate.problem = None, said(failure.problem)
        self._show()

    def _show(self) -> None:
        plot = self._plot
        chips, drawn = [], []
        for candidate in self._candidates:
            end = ""
            curve = candidate.curve_of_groups()
            if curve is not None:
                end = tr("ends at {lr}", lr=", ".join(lr_text(float(lr), 4) for lr in curve.lr[-1]))
                drawn.append(Candidate(key=candidate.key, name=candidate.name, index=candidate.index, curve=curve))
            chips.append(
                Chip(
                    key=candidate.key,
                    name=candidate.name,
                    end=end,
                    problem=candidate.problem,
                    color=plot.candidate_color(candidate.index),
                    dashes=CANDIDATE_DASHES[candidate.index],
                    tip=schedule_text(candidate.command.schedule.model_dump()),
                )
            )
        self._list.show_chips(chips)
        plot.set_candidates(drawn)


def _compute(query: CurveQuery, task: Task) -> Curve:
    return queries.curve(query, task.cancelled)
