"""Parameter groups before the start: one, head and rest, or patterns of the person's own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QToolButton, QVBoxLayout, QWidget

from engine.recipe import GroupSpec
from engine.schedules import ScheduleSpec
from gui.fields import ChoiceEditor, LineEditor, plain, read_float
from gui.form_words import write
from gui.forms import SpecForm
from gui.notes import Note
from gui.panels.outline import Outline, head_pattern, owner, scaled, unmatched
from gui.words import tr

Mode = Literal["one", "head", "patterns"]
HEAD_FACTOR: Final = 10.0
INSET: Final = 9
"""Pixels by which a card's form stands in from the forms above it."""


class _Card(QFrame):
    """One group of patterns."""

    changed = Signal()
    removed = Signal()

    def __init__(self, spec: dict[str, Any], number: int) -> None:
        super().__init__()
        self.setProperty("role", "card")
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self.form = SpecForm(
            GroupSpec,
            spec,
            only=("name", "modules", "lr", "frozen"),
            editors={"lr": LineEditor(read_float, write, tr("the optimizer's"))},
        )
        self.title = QLabel()
        self.remove = QToolButton()
        self.remove.setText("✕")
        self.remove.setAutoRaise(True)
        self.remove.setProperty("role", "quiet")
        self.remove.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.remove.clicked.connect(self.removed)
        head = QHBoxLayout()
        head.addWidget(self.title, 1)
        head.addWidget(self.remove)
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 4, 8, 2)
        column.setSpacing(2)
        column.addLayout(head)
        column.addWidget(self.form)
        self.form.changed.connect(self.changed)
        self.set_number(number)

    def set_number(self, number: int) -> None:
        self.title.setText(tr("Group {number}", number=number))
        self.remove.setAccessibleName(tr("Remove group {number}", number=number))
        self.remove.setToolTip(tr("Remove this group; its modules go to the rest"))


class GroupsPanel(QWidget):
    """Edits a recipe's groups.

    Signals:
        changed(): the groups, or what is wrong with them, may have changed; by the person or by a new outline.
        outline_needed(): the choice now depends on the network's modules.
    """

    changed = Signal()
    outline_needed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._network, self._base, self._free, self._outline = "small_cnn", 0.01, True, tuple[tuple[str, int], ...]()
        self._cards: list[_Card] = []
        self._schedules: Mapping[str, ScheduleSpec] = {}
        self._label_width = 0
        self.choice = ChoiceEditor(
            ("one", "head", "patterns"),
            {"one": tr("One group"), "head": tr("Head and rest"), "patterns": tr("Patterns…")},
        )
        self.choice.combo.setAccessibleName(tr("Parameter groups"))
        self.choice.combo.setToolTip(
            tr(
                "<qt>A group of parameters has a learning rate of its own.<br>One group: every module alike.<br>"
                "Head and rest: the last layers learn {factor} times as fast.<br>"
                "Patterns: you say which modules, by name.</qt>",
                factor=plain(HEAD_FACTOR),
            )
        )
        self.choice.edited.connect(self._choose)
        self.add = QPushButton(tr("Add a group"))
        self.add.setAutoDefault(False)
        self.add.setToolTip(tr("Another group of modules, with a learning rate of its own"))
        self.add.clicked.connect(self._add_by_hand)
        self.summary = Note(lines=0)
        self._label = QLabel(tr("Groups"))
        self._label.setBuddy(self.choice.combo)
        self._top = QHBoxLayout()
        self._top.setSpacing(8)
        self._top.addWidget(self._label)
        self._top.addWidget(self.choice, 1)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(6)
        self._column.addLayout(self._top)
        self._column.addWidget(self.add, 0, Qt.AlignmentFlag.AlignLeft)
        self._column.addWidget(self.summary)
        self._refresh()

    def mode(self) -> Mode:
        """What is chosen."""
        chosen: Mode = self.choice.raw()
        return chosen

    def groups(self) -> tuple[GroupSpec, ...] | None:
        """The groups, each with the schedule of its own that it has, or None while one is wrong."""
        specs = self._specs()
        own = self._schedules
        return specs and tuple(s.model_copy(update={"schedule": own[s.name]}) if s.name in own else s for s in specs)

    def _specs(self) -> tuple[GroupSpec, ...] | None:
        if self.mode() == "one":
            return ()
        if self.mode() == "head":
            return self._head_group()
        if self.first_error():
            return None
        specs: list[GroupSpec] = [card.form.value() for card in self._cards]
        return tuple(s if self._free else s.model_copy(update={"lr": None}) for s in specs)

    def names(self) -> list[str]:
        """The groups' names in the order of the run: the rest first, where it is not known to be empty."""
        specs = self._specs() or ()
        if not specs:
            return ["all"]
        taken = [owner(name, [s.modules for s in specs]) for name, count in self._outline if count]
        rest = ["rest"] if not taken or -1 in taken else []
        return [*rest, *(s.name for s in specs)]

    def first_error(self) -> str | None:
        """What is wrong, in words, or None."""
        if self.mode() == "patterns":
            if not self._cards:
                return tr("Groups: add a group, or choose One group.")
            for number, card in enumerate(self._cards, 1):
                for field, problem in card.form.errors().items():
                    return tr("Group {number}, {field}: {problem}", number=number, field=field, problem=problem)
        if self.mode() == "head" and self._head_group() is None:
            return tr("Groups: the modules of your network are not known yet; choose Patterns to name them yourself.")
        return None

    def set_groups(self, groups: Sequence[GroupSpec]) -> None:
        """Show a recipe's groups without a signal. Set the network and the base rate first."""
        self._schedules = {spec.name: spec.schedule for spec in groups if spec.schedule is not None}
        groups = [spec.model_copy(update={"schedule": None}) for spec in groups]
        head = self._head_group()
        self.choice.show_value("one" if not groups else "head" if head == tuple(groups) else "patterns")
        self._clear()
        if self.mode() == "patterns":
            for spec in groups:
                self._append({"name": spec.name}).form.set_value(spec)
        self._refresh()

    def set_schedules(self, own: Mapping[str, ScheduleSpec]) -> None:
        """The schedules that groups have of their own, by name; of groups that are not there they wait. No signal."""
        self._schedules = dict(own)

    def set_network(self, name: str) -> None:
        """The network changed: its modules are not known until ``set_outline``. No signal."""
        if name != self._network:
            self._network, self._outline = name, ()
            self._refresh()

    def set_base_lr(self, lr: float) -> None:
        """The optimizer's rate, which the head's follows. No signal."""
        self._base = lr
        self._refresh()

    def set_rates_free(self, free: bool) -> None:
        """Whether groups may have rates of their own (not while an expression gives the LR itself). No signal."""
        self._free = free
        self._refresh()

    def set_outline(self, outline: Outline) -> None:
        """The network's modules in order, each with the number of parameters that it holds itself."""
        before = self.first_error(), self.groups()
        self._outline = tuple(outline)
        self._refresh()
        if (self.first_error(), self.groups()) != before:
            self.changed.emit()

    def label_width(self) -> int:
        """The width that the labels need, in pixels."""
        return max([self._label.sizeHint().width(), *(card.form.label_width() for card in self._cards)])

    def set_label_width(self, pixels: int) -> None:
        """Align with the forms above."""
        self._label_width = pixels
        self._label.setMinimumWidth(pixels)
        for card in self._cards:
            card.form.set_label_width(pixels - INSET)

    def _head_group(self) -> tuple[GroupSpec, ...] | None:
        pattern = head_pattern(self._network, self._outline)
        if pattern is None:
            return None
        rate = scaled(self._base, HEAD_FACTOR) if self._free else None
        return (GroupSpec(name="head", modules=(pattern,), lr=rate),)

    def _choose(self) -> None:
        if self.mode() == "patterns" and not self._cards:
            head = self._head_group()
            self._append(head[0].model_dump() if head else {"name": "head"})
        if self.mode() != "one" and not self._outline:
            self.outline_needed.emit()
        self._refresh()
        self.changed.emit()

    def _add_by_hand(self) -> None:
        taken = {card.form.editor("name").raw() for card in self._cards}
        name = next(n for n in (f"group{i}" for i in range(len(self._cards) + 1, 999)) if n not in taken)
        card = self._append({"name": name})
        self._refresh()
        card.form.editor("modules").setFocus()
        self.changed.emit()

    def _append(self, values: dict[str, Any]) -> _Card:
        card = _Card(values, len(self._cards) + 1)
        card.form.set_label_width(self._label_width - INSET)
        self._cards.append(card)
        self._column.insertWidget(len(self._cards), card)
        card.changed.connect(self._edited)
        card.removed.connect(lambda: self._remove(card))
        return card

    def _remove(self, card: _Card) -> None:
        self._cards.remove(card)
        self._discard(card)
        for number, left in enumerate(self._cards, 1):
            left.set_number(number)
        self._edited()

    def _clear(self) -> None:
        for card in self._cards:
            self._discard(card)
        self._cards = []

    def _discard(self, card: _Card) -> None:
        self._column.removeWidget(card)
        card.hide()
        card.deleteLater()

    def _edited(self) -> None:
        self._refresh()
        self.changed.emit()

    def _refresh(self) -> None:
        patterns = self.mode() == "patterns"
        self.add.setVisible(patterns)
        for card in self._cards:
            card.setVisible(patterns)
        if patterns:
            self._match_cards()
        specs = self._specs() or ()
        lines = [] if patterns or not specs else [self._line(specs, 0)]
        if specs and self._outline:
            lines.append(self._line(specs, -1))
        problem = self.first_error() if self.mode() == "head" or not self._cards else None
        self.summary.say(problem or "\n".join(lines), error=problem is not None)
        self.summary.setVisible(bool(self.summary.said()))

    def _match_cards(self) -> None:
        specs: list[GroupSpec | None] = [card.form.value() for card in self._cards]
        groups = [spec.modules if spec else () for spec in specs]
        for index, (card, spec) in enumerate(zip(self._cards, specs, strict=True)):
            card.form.enable_row("lr", self._free, tr("The schedule's expression gives the LR itself."))
            problem = self._problem(groups, index) if spec and self._outline else None
            card.form.blame("modules", problem)
            known = spec is not None and bool(self._outline)
            hint = self._count(groups, index) if known else tr("what it matches is shown once the network is built")
            card.form.set_hint("modules", hint)
            card.form.blame("name", self._name_problem(index))

    def _problem(self, groups: Sequence[Sequence[str]], index: int) -> str | None:
        missing = unmatched(groups[index], self._outline)
        if missing:
            return tr("{pattern} matches no module", pattern=missing[0])
        if not any(count for name, count in self._outline if owner(name, groups) == index):
            return tr("earlier groups own all that it matches")
        return None

    def _name_problem(self, index: int) -> str | None:
        name = self._cards[index].form.editor("name").raw()
        if name in ("all", "rest"):
            return tr("{name} is taken; choose another", name=name)
        used = [card.form.editor("name").raw() for card in self._cards[:index]]
        return tr("{name} is used twice", name=name) if name in used else None

    def _count(self, groups: Sequence[Sequence[str]], index: int) -> str:
        held = [count for name, count in self._outline if count and owner(name, groups) == index]
        modules = tr("1 module") if len(held) == 1 else tr("{n} modules", n=len(held))
        return tr("{modules}, {n} parameters", modules=modules, n=f"{sum(held):,}")

    def _line(self, specs: Sequence[GroupSpec], index: int) -> str:
        groups = [s.modules for s in specs]
        name = "rest" if index < 0 else specs[index].name
        rate = self._base if index < 0 or specs[index].lr is None else specs[index].lr
        what = self._count(groups, index) if self._outline else tr("modules {names}", names=", ".join(groups[index]))
        return tr("{name}: {what}, LR {lr}", name=name, what=what, lr=plain(rate or 0.0))
