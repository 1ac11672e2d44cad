"""The form of SequentialLR and ChainedScheduler: their stages, one below the other."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np
from pydantic import ValidationError
from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QPushButton, QVBoxLayout, QWidget

from engine.common.spec import problems
from engine.schedules import (
    ChainedScheduler,
    ComposedSpec,
    CosineAnnealingLR,
    ExponentialLR,
    ReduceLROnPlateau,
    ScheduleSpec,
    SequentialLR,
)
from engine.schedules.base import Interval
from gui.core.translation import said, tr
from gui.schedule.context import Context, suggested
from gui.schedule.milestone import MilestoneRow
from gui.schedule.pending import labelled
from gui.schedule.stage_card import StageCard, StageEditor
from gui.widgets.field_text import tooltip
from gui.widgets.fields import ChoiceEditor
from gui.widgets.hint_label import HintLabel

MAX_STAGES: Final = 50


class StagesForm(QWidget):
    """Edits a composed schedule as a list of stages that can be added, removed, moved and edited.

    Signals:
        changed(object): the spec, or None while it is not valid; after every edit.
        field_edited(str): ``schedulers``, ``milestones`` or ``interval``; before ``changed``.
        opening(): a stage's list of schedules is about to show, so its curves should be requested.
    """

    changed = Signal(object)
    field_edited = Signal(str)
    opening = Signal()

    def __init__(
        self,
        kind: type[ComposedSpec],
        context: Context,
        make_editor: Callable[[], StageEditor],
        parent: QWidget | None = None,
    ) -> None:
        """Create the form of a ``kind`` for ``context``; ``make_editor`` creates the editor of a stage."""
        super().__init__(parent)
        self._kind, self._context, self._make_editor = kind, context, make_editor
        self._spec: ScheduleSpec | None = None
        self._curves: dict[str, tuple[np.ndarray, np.ndarray]] = {}
        self._shown_interval = "epoch"
        self.cards: list[StageCard] = []
        self.milestones: list[MilestoneRow] = []
        info = kind.model_fields["interval"]
        self.interval_editor = ChoiceEditor(("epoch", "step"))
        self.interval_editor.combo.setAccessibleName(said(info.title or ""))
        self.interval_editor.combo.setToolTip(tooltip(info))
        self._interval_row = labelled(said(info.title or ""), self.interval_editor)
        self._interval_row.setVisible(context.interval is None)
        self.add = QPushButton(tr("Add a stage"))
        self.add.setAutoDefault(False)
        self.add.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.problem = HintLabel(lines=0)
        self._list = QVBoxLayout()
        self._list.setSpacing(4)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addLayout(self._list)
        column.addWidget(self.add, 0, Qt.AlignmentFlag.AlignLeft)
        column.addWidget(self.problem)
        column.addWidget(self._interval_row)
        self.problem.hide()
        self.add.clicked.connect(self._add)
        self.interval_editor.edited.connect(self._interval_edited)
        self._show_value(suggested(kind, self._span()))

    def value(self) -> Any:
        """The spec, or None while it is not valid."""
        return self._spec

    def set_value(self, spec: Any) -> None:
        """Show ``spec``. No signal."""
        self._show_value({name: getattr(spec, name) for name in self._kind.model_fields if name != "name"})

    def set_fields(self, values: Mapping[str, Any]) -> None:
        """Show the values of some fields. No signal."""
        specs = tuple(card.editor.value() for card in self.cards)
        now = {"schedulers": specs, "milestones": tuple(row.raw() for row in self.milestones)}
        if None not in specs and {**now, **values} != now:
            self._show_value({**now, **values})

    def set_hint(self, name: str, hint: str | None) -> None:
        """Show nothing: each milestone shows its own place in the run."""

    def set_context(self, context: Context, follow: bool) -> None:
        """Set what the schedule is edited for; with ``follow``, unedited fields of the stages fit it. No signal."""
        self._context = context
        self._interval_row.setVisible(context.interval is None)
        self._update_contexts(follow)
        self._validate()

    def set_sparkline(self, name: str, x: np.ndarray, lr: np.ndarray) -> None:
        """Show the curve of the schedule ``name`` in the lists of the stages."""
        self._curves[name] = (x, lr)
        for card in self.cards:
            card.editor.set_sparkline(name, x, lr)

    def set_error(self, path: str, problem: str | None) -> bool:
        """Show ``problem`` at the stage that ``path`` names (such as schedulers[1].gamma); returns if there is one."""
        found = re.search(r"schedulers\[(\d+)\](.*)", path) if problem is not None else None
        index = int(found[1]) if found else -1
        for i, card in enumerate(self.cards):
            card.set_error(problem if i == index else None)
        return 0 <= index < len(self.cards)

    @property
    def _sequential(self) -> bool:
        return self._kind is SequentialLR

    def interval(self) -> Interval:
        """What the whole schedule is stepped by."""
        chosen: Interval = self.interval_editor.raw()
        return self._context.interval or chosen

    def _span(self) -> int:
        return self._context.positions(self.interval())

    # -- the list

    def _show_value(self, values: Mapping[str, Any]) -> None:
        unfolded = next((i for i, card in enumerate(self.cards) if card.is_open()), -1)
        if "interval" in values:
            self.interval_editor.show_value(values["interval"])
            self._shown_interval = self.interval()
        specs: Sequence[ScheduleSpec] = values["schedulers"]
        while self.cards:
            self._delete(self.cards.pop())
        while self.milestones:
            self._delete(self.milestones.pop())
        for milestone in values.get("milestones", ()):
            self._append_milestone(milestone)
        for spec in specs:
            self._append(spec)
        if 0 <= unfolded < len(self.cards):
            self.cards[unfolded].open(True)
        self._lay_out()
        self._validate()

    def _append(self, spec: ScheduleSpec) -> StageCard:
        editor = self._make_editor()
        index = len(self.cards)
        editor.set_context(self._context_of(index, last=index >= len(self.milestones)), follow=False)
        card = StageCard(editor, spec)
        for name, (x, lr) in self._curves.items():
            editor.set_sparkline(name, x, lr)
        editor.opening.connect(self.opening)
        card.edited.connect(lambda: self._edited("schedulers"))
        card.fold_wanted.connect(lambda: self._unfold(card))
        card.remove_wanted.connect(lambda: self._remove(card))
        card.earlier_wanted.connect(lambda: self._move(card, -1))
        card.later_wanted.connect(lambda: self._move(card, 1))
        self.cards.append(card)
        return card

    def _append_milestone(self, milestone: Any) -> None:
        row = MilestoneRow(milestone)
        row.edited.connect(lambda: self._edited("milestones"))
        self.milestones.append(row)

    def _delete(self, widget: QWidget) -> None:
        self._list.removeWidget(widget)
        widget.hide()
        widget.deleteLater()

    def _lay_out(self) -> None:
        """Put cards and milestones in their order, and update their buttons."""
        for widget in (*self.cards, *self.milestones):
            self._list.removeWidget(widget)
        for index, card in enumerate(self.cards):
            if index and self._sequential:
                self._list.addWidget(self.milestones[index - 1])
            self._list.addWidget(card)
            card.set_number(index + 1)
        self._allow()
        self._update_contexts(follow=True)

    def _allow(self) -> None:
        kinds, part = [card.editor.kind for card in self.cards], self._context.interval is not None
        for index, card in enumerate(self.cards):
            card.allow(_why_not(self._kind, kinds, index))
            card.editor.set_unavailable(_unavailable(self._kind, kinds, index, part, self.interval() == "epoch"))
        full = len(self.cards) >= MAX_STAGES
        driven = bool(kinds) and kinds[-1] is ReduceLROnPlateau
        after = tr("Another schedule, after the last")
        beside = tr("Another schedule, whose factors multiply with the others'")
        self.add.setEnabled(not full and not driven)
        tip = tr("At most {most} stages.", most=MAX_STAGES) if full else after if self._sequential else beside
        self.add.setToolTip(tr("Nothing can follow ReduceLROnPlateau.") if driven else tip)

    # -- contexts

    def _ends(self) -> list[int]:
        """The end of each stage but the last, in positions; milestones that are not numbers are ignored."""
        ends, before = [], 0
        for row in self.milestones:
            raw = row.raw()
            before = max(before, raw) if isinstance(raw, int) else before
            ends.append(before)
        return ends

    def _context_of(self, index: int, last: bool) -> Context:
        whole = self._span()
        plain = replace(self._context, interval=self.interval(), span=whole, followed=False)
        if not self._sequential:
            return plain
        ends = self._ends()
        begin = ends[index - 1] if index else 0
        end = whole if last else ends[index]
        batches = self._context.batches or 1
        done = (self._context.done or 0) + (begin if self.interval() == "epoch" else begin / batches)
        return replace(plain, span=max(1, end - begin), done=done or None, followed=not last)

    def _update_contexts(self, follow: bool) -> None:
        for index, card in enumerate(self.cards):
            card.editor.set_context(self._context_of(index, index == len(self.cards) - 1), follow)
            card.show_texts()
        per_epoch = self.interval() == "epoch"
        for row in self.milestones:
            row.show_epoch(per_epoch, int(self._context.done or 0))

    # -- editing

    def _unfold(self, card: StageCard) -> None:
        for other in self.cards:
            other.open(other is card and not card.is_open())

    def _add(self) -> None:
        if self._sequential:
            ends, span = self._ends(), self._span()
            before = ends[-1] if ends else 0
            self._append_milestone(max(before + 1, (before + span) // 2))
            kind: type[ScheduleSpec] = CosineAnnealingLR
        else:
            kind = ExponentialLR
        context = self._context_of(len(self.cards), last=True)
        self._append(kind.model_validate({**suggested(kind, context.span), "interval": self.interval()}))
        self._lay_out()
        self._unfold(self.cards[-1])
        self._edited("schedulers")

    def _remove(self, card: StageCard) -> None:
        index = self.cards.index(card)
        self._delete(self.cards.pop(index))
        if self.milestones:
            self._delete(self.milestones.pop(max(0, index - 1)))
        self._lay_out()
        self._edited("schedulers")

    def _move(self, card: StageCard, by: int) -> None:
        index = self.cards.index(card)
        self.cards.insert(index + by, self.cards.pop(index))
        self._lay_out()
        self._edited("schedulers")

    def _interval_edited(self) -> None:
        """Convert the milestones from epochs to steps, or from steps to epochs."""
        batches, per_epoch = self._context.batches or 1, self.interval() == "epoch"
        if self.interval() != self._shown_interval:
            for row in self.milestones:
                if isinstance(raw := row.raw(), int):
                    row.show_milestone(max(1, raw // batches) if per_epoch else raw * batches)
        self._shown_interval = self.interval()
        self._edited("interval")

    def _edited(self, field: str) -> None:
        self.field_edited.emit(field)
        if field == "schedulers" and self._sequential:
            self.field_edited.emit("milestones")
        elif field == "milestones":
            self.field_edited.emit("schedulers")
        self._allow()
        self._update_contexts(follow=True)
        self._validate()
        self.changed.emit(self._spec)

    def _validate(self) -> None:
        """Make the spec of the stages, or show why it is not valid."""
        self.set_error("", None)
        for row in self.milestones:
            row.set_error(None)
        self._spec, general = None, ""
        specs = [card.editor.value() for card in self.cards]
        if all(spec is not None for spec in specs):
            given = {"schedulers": tuple(specs), "interval": self.interval()}
            if self._sequential:
                given["milestones"] = tuple(row.raw() for row in self.milestones)
            try:
                self._spec = self._kind.model_validate(given)
            except ValidationError as error:
                for problem in problems(error):
                    general = general or self._show_problem(problem.field, said(problem.problem))
        self.problem.show_text(general, error=True)
        self.problem.setVisible(bool(general))

    def _show_problem(self, field: str, problem: str) -> str:
        """Show ``problem`` beside the stage or milestone that ``field`` names; returns it if there is none."""
        found = re.match(r"milestones(?:\[(\d+)\])?", field)
        if found and self.milestones:
            self.milestones[int(found[1]) if found[1] else -1].set_error(problem)
            return "" if found[1] else problem
        return "" if self.set_error(field, problem) else problem


def _unavailable(
    whole: type[ComposedSpec], kinds: Sequence[type[ScheduleSpec]], index: int, part: bool, per_epoch: bool
) -> dict[type[ScheduleSpec], str]:
    """The schedules that cannot be stage ``index`` (from 0) of a ``whole``, and why.

    Args:
        whole: the composed schedule.
        kinds: its stages.
        index: which of them.
        part: whether the whole is itself a stage.
        per_epoch: whether it is stepped once per epoch.
    """
    found: dict[type[ScheduleSpec], str] = {}
    if part or whole is not SequentialLR or index < len(kinds) - 1:
        found[ReduceLROnPlateau] = tr("Only as the last stage of a SequentialLR.")
    elif not per_epoch:
        found[ReduceLROnPlateau] = tr("Not stepped per batch: its metric is measured once per epoch.")
    if index and whole is SequentialLR:
        late = tr("Within a SequentialLR it can only come first: PyTorch cannot start it later.")
        found |= {SequentialLR: late, ChainedScheduler: late}
    return found


def _why_not(whole: type[ComposedSpec], kinds: Sequence[type[ScheduleSpec]], index: int) -> dict[str, str]:
    """Why stage ``index`` of a ``whole`` cannot be moved ``earlier`` or ``later``, or why it cannot be removed."""
    found: dict[str, str] = {}
    fixed = whole is SequentialLR and issubclass(kinds[0], ComposedSpec)
    late = tr("A schedule made of others can only come first in a SequentialLR: PyTorch cannot start it later.")
    last = tr("ReduceLROnPlateau can only come last.")
    driven = kinds[-1] is ReduceLROnPlateau
    if len(kinds) == 1:
        found["remove"] = tr("One stage must stay.")
    if index == 0:
        found["earlier"] = tr("It is the first.")
    elif index == len(kinds) - 1 and driven:
        found["earlier"] = last
    elif index == 1 and fixed:
        found["earlier"] = late
    if index == len(kinds) - 1:
        found["later"] = tr("It is the last.")
    elif index == len(kinds) - 2 and driven:
        found["later"] = last
    elif index == 0 and fixed:
        found["later"] = late
    return found
