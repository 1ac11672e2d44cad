"""The form of SequentialLR and of ChainedScheduler: their stages, one under the other."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from pydantic import ValidationError
from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QPushButton, QVBoxLayout, QWidget

from engine.common.spec import problems
from engine.schedules import (
    ComposedSpec,
    CosineAnnealingLR,
    ExponentialLR,
    ScheduleSpec,
    SequentialLR,
)
from engine.schedules.base import Interval
from gui.core.translation import said, tr
from gui.schedule.context import Context
from gui.schedule.milestone import MilestoneRow
from gui.schedule.pending import labelled
from gui.schedule.stage_card import StageCard
from gui.schedule.stage_editor import StageEditor
from gui.schedule.stage_rules import refused, why_not
from gui.schedule.suggested import suggested
from gui.widgets.field_text import tooltip
from gui.widgets.fields import ChoiceEditor
from gui.widgets.hint_label import HintLabel

MOST = 50


class StagesForm(QWidget):
    """Edits a composed schedule as a list of stages: add, remove, move, and fill each in.

    Signals:
        changed(object): the valid spec, or None while something is wrong; after every edit.
        field_edited(str): ``schedulers``, ``milestones`` or ``interval``; before ``changed``.
        opening(): a stage's list of schedules is about to show; a good moment to ask for its curves.
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
        """Make the list of a ``kind``, for what ``context`` says; ``make_editor`` makes what edits one stage."""
        super().__init__(parent)
        self._kind, self._context, self._make_editor = kind, context, make_editor
        self._spec: ScheduleSpec | None = None
        self._curves: dict[str, tuple[np.ndarray, np.ndarray]] = {}
        self._counted = "epoch"
        self.cards: list[StageCard] = []
        self.milestones: list[MilestoneRow] = []
        info = kind.model_fields["interval"]
        self.clock = ChoiceEditor(("epoch", "step"))
        self.clock.combo.setAccessibleName(said(info.title or ""))
        self.clock.combo.setToolTip(tooltip(info))
        self._clock_row = labelled(said(info.title or ""), self.clock)
        self._clock_row.setVisible(context.interval is None)
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
        column.addWidget(self._clock_row)
        self.problem.hide()
        self.add.clicked.connect(self._add)
        self.clock.edited.connect(self._clock_edited)
        self._show_value(suggested(kind, self._span()))

    def value(self) -> Any:
        """The spec, or None while something is wrong."""
        return self._spec

    def set_value(self, spec: Any) -> None:
        """Show ``spec`` without a signal."""
        self._show_value({name: getattr(spec, name) for name in self._kind.model_fields if name != "name"})

    def set_fields(self, values: Mapping[str, Any]) -> None:
        """Show some fields' values without a signal."""
        specs = tuple(card.editor.value() for card in self.cards)
        now = {"schedulers": specs, "milestones": tuple(row.raw() for row in self.milestones)}
        if None not in specs and {**now, **values} != now:
            self._show_value({**now, **values})

    def set_hint(self, name: str, hint: str | None) -> None:
        """The milestones say themselves where in the run they are."""

    def set_context(self, context: Context, follow: bool) -> None:
        """What the schedule is for now; with ``follow``, counts in the stages that nobody edited fit it. No signal."""
        self._context = context
        self._clock_row.setVisible(context.interval is None)
        self._place(follow)
        self._judge()

    def set_sparkline(self, name: str, x: np.ndarray, lr: np.ndarray) -> None:
        """The curve of the schedule ``name``, for the stages' lists."""
        self._curves[name] = (x, lr)
        for card in self.cards:
            card.editor.set_sparkline(name, x, lr)

    def set_error(self, path: str, problem: str | None) -> bool:
        """Say ``problem`` at the stage that ``path`` names, such as schedulers[1].gamma; whether it names one."""
        found = re.search(r"schedulers\[(\d+)\](.*)", path) if problem is not None else None
        index = int(found[1]) if found else -1
        for place, card in enumerate(self.cards):
            card.set_error(problem if place == index else None)
        return 0 <= index < len(self.cards)

    @property
    def _sequential(self) -> bool:
        return self._kind is SequentialLR

    def interval(self) -> Interval:
        """What the whole is stepped by."""
        chosen: Interval = self.clock.raw()
        return self._context.interval or chosen

    def _span(self) -> int:
        return self._context.positions(self.interval())

    # -- the list

    def _show_value(self, values: Mapping[str, Any]) -> None:
        unfolded = next((i for i, card in enumerate(self.cards) if card.is_open()), -1)
        if "interval" in values:
            self.clock.show_value(values["interval"])
            self._counted = self.interval()
        specs: Sequence[ScheduleSpec] = values["schedulers"]
        while self.cards:
            self._take_away(self.cards.pop())
        while self.milestones:
            self._take_away(self.milestones.pop())
        for milestone in values.get("milestones", ()):
            self._append_milestone(milestone)
        for spec in specs:
            self._append(spec)
        if 0 <= unfolded < len(self.cards):
            self.cards[unfolded].open(True)
        self._lay_out()
        self._judge()

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

    def _take_away(self, widget: QWidget) -> None:
        self._list.removeWidget(widget)
        widget.hide()
        widget.deleteLater()

    def _lay_out(self) -> None:
        """Put cards and milestones in their order, and say what each may do there."""
        for widget in (*self.cards, *self.milestones):
            self._list.removeWidget(widget)
        for index, card in enumerate(self.cards):
            if index and self._sequential:
                self._list.addWidget(self.milestones[index - 1])
            self._list.addWidget(card)
            card.set_number(index + 1)
        self._allow()
        self._place(follow=True)

    def _allow(self) -> None:
        kinds = [card.editor.kind for card in self.cards]
        for index, card in enumerate(self.cards):
            card.allow(why_not(self._kind, kinds, index))
            card.editor.set_refused(refused(self._kind, index))
        full = len(self.cards) >= MOST
        after = tr("Another schedule, after the last")
        beside = tr("Another schedule, whose factors multiply with the others'")
        self.add.setEnabled(not full)
        tip = tr("At most {most} stages.", most=MOST) if full else after if self._sequential else beside
        self.add.setToolTip(tip)

    # -- what a stage is for

    def _ends(self) -> list[int]:
        """Where each stage but the last ends, in positions; milestones that are no numbers are passed over."""
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
        done = (self._context.done or 0) + begin
        return replace(plain, span=max(1, end - begin), done=done or None, followed=not last)

    def _place(self, follow: bool) -> None:
        for index, card in enumerate(self.cards):
            card.editor.set_context(self._context_of(index, index == len(self.cards) - 1), follow)
            card.show_words()
        per_epoch = self.interval() == "epoch"
        for row in self.milestones:
            row.show_place(per_epoch, self._context.done or 0)

    # -- what the person does

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
        self._take_away(self.cards.pop(index))
        if self.milestones:
            self._take_away(self.milestones.pop(max(0, index - 1)))
        self._lay_out()
        self._edited("schedulers")

    def _move(self, card: StageCard, by: int) -> None:
        index = self.cards.index(card)
        self.cards.insert(index + by, self.cards.pop(index))
        self._lay_out()
        self._edited("schedulers")

    def _clock_edited(self) -> None:
        """What counted epochs counts steps now, or the other way round."""
        batches, per_epoch = self._context.batches or 1, self.interval() == "epoch"
        if self.interval() != self._counted:
            for row in self.milestones:
                if isinstance(raw := row.raw(), int):
                    row.show_milestone(max(1, raw // batches) if per_epoch else raw * batches)
        self._counted = self.interval()
        self._edited("interval")

    def _edited(self, field: str) -> None:
        self.field_edited.emit(field)
        if field == "schedulers" and self._sequential:
            self.field_edited.emit("milestones")
        elif field == "milestones":
            self.field_edited.emit("schedulers")
        self._allow()
        self._place(follow=True)
        self._judge()
        self.changed.emit(self._spec)

    def _judge(self) -> None:
        """Have the spec's class say whether the stages make one."""
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
                    general = general or self._told(problem.field, said(problem.problem))
        self.problem.show_text(general, error=True)
        self.problem.setVisible(bool(general))

    def _told(self, field: str, problem: str) -> str:
        """Say ``problem`` where it belongs; what belongs nowhere is returned."""
        found = re.match(r"milestones(?:\[(\d+)\])?", field)
        if found and self.milestones:
            self.milestones[int(found[1]) if found[1] else -1].set_error(problem)
            return "" if found[1] else problem
        return "" if self.set_error(field, problem) else problem
