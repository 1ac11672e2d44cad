"""The recipe's parameter groups: one, a preset for fine-tuning, or patterns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from engine.common.position import Position
from engine.messages.commands import CommandAt, Unfreeze
from engine.recipe.recipe import GroupSpec
from engine.schedules import ScheduleSpec
from gui.core.translation import tr
from gui.setup.group_card import GroupCard
from gui.setup.group_presets import BACKBONE, HEAD_FACTOR
from gui.setup.outline import Outline, owner, unmatched
from gui.setup.preset_fields import GroupsMode, PresetFields
from gui.widgets.fields import ChoiceEditor, float_text
from gui.widgets.hint_label import HintLabel


class GroupsPanel(QWidget):
    """Edits a recipe's groups.

    Signals:
        changed(): the groups, or what is wrong with them, may have changed, by the user or by a new outline.
        outline_needed(): the choice depends on the network's modules, which are not known yet.
    """

    changed = Signal()
    outline_needed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._network, self._base, self._free, self._outline = "", 0.01, True, tuple[tuple[str, int], ...]()
        self._cards: list[GroupCard] = []
        self._schedules: Mapping[str, ScheduleSpec] = {}
        self._label_width = 0
        self.choice = ChoiceEditor(
            ("one", "head", "layers", "unfreeze", "patterns"),
            {
                "one": tr("One group"),
                "head": tr("Head and rest"),
                "layers": tr("Layer by layer"),
                "unfreeze": tr("Frozen backbone first"),
                "patterns": tr("Patterns…"),
            },
        )
        self.choice.combo.setAccessibleName(tr("Parameter groups"))
        self.choice.combo.setToolTip(
            tr(
                "<qt>Each group of parameters has its own learning rate.<br>One group: one LR for all modules.<br>"
                "Head and rest: the last layers have {factor} times the LR.<br>"
                "Layer by layer: each block has a lower LR than the next; the last layers have the highest.<br>"
                "Frozen backbone first: only the last layers are trained at first, then all.<br>"
                "Patterns: choose modules by their names.</qt>",
                factor=float_text(HEAD_FACTOR),
            )
        )
        self.fields = PresetFields()
        self.fields.edited.connect(self._edited)
        self.choice.edited.connect(self._choose)
        self.add = QPushButton(tr("Add a group"))
        self.add.setAutoDefault(False)
        self.add.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.add.setToolTip(tr("Add a group of modules with its own learning rate"))
        self.add.clicked.connect(self._add_group)
        self.summary = HintLabel(lines=0)
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
        self._column.addWidget(self.fields)
        self._column.addWidget(self.add, 0, Qt.AlignmentFlag.AlignLeft)
        self._column.addWidget(self.summary)
        self._refresh()

    def mode(self) -> GroupsMode:
        """The chosen mode."""
        chosen: GroupsMode = self.choice.raw()
        return chosen

    def groups(self) -> tuple[GroupSpec, ...] | None:
        """The groups, each with its own schedule if it has one; None while one is wrong."""
        specs = self._specs()
        own = self._schedules
        return specs and tuple(s.model_copy(update={"schedule": own[s.name]}) if s.name in own else s for s in specs)

    def _specs(self) -> tuple[GroupSpec, ...] | None:
        if self.mode() == "one":
            return ()
        if self.mode() != "patterns":
            return self._preset(self.mode())
        if self.first_error():
            return None
        specs: list[GroupSpec] = [card.form.value() for card in self._cards]
        return tuple(s if self._free else s.model_copy(update={"lr": None}) for s in specs)

    def names(self) -> list[str]:
        """The names of the groups in the order of the run: rest first, unless it is known to be empty."""
        specs = self._specs() or ()
        if not specs:
            return ["all"]
        taken = [owner(name, [s.modules for s in specs]) for name, count in self._outline if count]
        rest = ["rest"] if not taken or -1 in taken else []
        return [*rest, *(s.name for s in specs)]

    def commands(self) -> tuple[CommandAt, ...]:
        """The commands that unfreeze groups during the run, in order."""
        epochs: dict[str, Any] = {}
        if self.mode() == "unfreeze":
            epochs = {BACKBONE: self.fields.unfreeze.raw()}
        elif self.mode() == "patterns":
            epochs = {card.form.editor("name").raw(): card.unfreeze_after() for card in self._cards}
        problem = self.fields.unfreeze_problem
        due = sorted((after, name) for name, after in epochs.items() if after is not None and not problem(after))
        return tuple(CommandAt(at=Position(epoch=after + 1), intervention=Unfreeze(group=name)) for after, name in due)

    def first_error(self) -> str | None:
        """What is wrong, as a sentence, or None."""
        if self.mode() == "patterns":
            if not self._cards:
                return tr("Groups: add a group, or choose One group.")
            for number, card in enumerate(self._cards, 1):
                for field, problem in card.form.errors().items():
                    return tr("Group {number}, {field}: {problem}", number=number, field=field, problem=problem)
                after = card.unfreeze_after()
                wrong = None if after is None else self.fields.unfreeze_problem(after)
                if wrong is not None:
                    return tr("Group {number}: {problem}", number=number, problem=wrong)
        elif (wrong := self.fields.problem(self.mode())) is not None:
            return tr("Groups: {problem}", problem=wrong)
        elif self.mode() != "one" and self._preset(self.mode()) is None:
            return tr("Groups: the modules of your network are not known yet. Choose Patterns to enter their names.")
        return None

    def set_groups(self, groups: Sequence[GroupSpec], interventions: Sequence[CommandAt] = ()) -> None:
        """Show a recipe's groups, and when ``interventions`` unfreeze them, without a signal.

        Set the network and the optimizer's LR first.
        """
        self._schedules = {spec.name: spec.schedule for spec in groups if spec.schedule is not None}
        groups = tuple(spec.model_copy(update={"schedule": None}) for spec in groups)
        unfrozen = {
            line.intervention.group: line.at.epoch - 1
            for line in interventions
            if isinstance(line.intervention, Unfreeze)
        }
        if BACKBONE in unfrozen:
            self.fields.show_unfreeze(unfrozen[BACKBONE])
        self.choice.show_value(self._mode_of(groups, unfrozen))
        self._clear()
        if self.mode() == "patterns":
            for spec in groups:
                self._append({"name": spec.name}).show_group(spec, unfrozen.get(spec.name))
        self._refresh()

    def _mode_of(self, groups: tuple[GroupSpec, ...], unfrozen: Mapping[str, int]) -> GroupsMode:
        """The preset that makes ``groups``, else patterns; ``unfrozen`` are the epochs after which groups are."""
        if not groups:
            return "one"
        if not unfrozen and groups == self._preset("head"):
            return "head"
        if list(unfrozen) == [BACKBONE] and groups == self._preset("unfreeze"):
            return "unfreeze"
        if not unfrozen and groups == self._preset("layers"):
            return "layers"
        return "patterns"

    def set_schedules(self, own: Mapping[str, ScheduleSpec]) -> None:
        """Set the groups' own schedules, by group name (perhaps of a group to come). No signal."""
        self._schedules = dict(own)

    def set_network(self, name: str) -> None:
        """Set the network, whose modules are not known until ``set_outline``. No signal."""
        if name != self._network:
            self._network, self._outline = name, ()
            self._refresh()

    def set_base_lr(self, lr: float) -> None:
        """Set the optimizer's LR, from which the groups' LRs are derived. No signal."""
        self._base = lr
        self._refresh()

    def set_epochs(self, epochs: int) -> None:
        """Set the number of epochs, from which an unedited epoch of unfreezing is derived. No signal."""
        self.fields.set_epochs(epochs)
        self._refresh()

    def set_lrs_free(self, free: bool) -> None:
        """Set whether groups may have their own LRs (not if an expression is the LR itself). No signal."""
        self._free = free
        self._refresh()

    def set_outline(self, outline: Outline) -> None:
        """Set the network's modules in order, each with its own number of parameters."""
        before = self.first_error(), self.groups()
        self._outline = tuple(outline)
        self._refresh()
        if (self.first_error(), self.groups()) != before:
            self.changed.emit()

    def label_width(self) -> int:
        """The width of the labels in pixels."""
        return max([self._label.sizeHint().width(), *(card.form.label_width() for card in self._cards)])

    def set_label_width(self, pixels: int) -> None:
        """Align with the forms above."""
        self._label_width = pixels
        self._label.setMinimumWidth(pixels)
        for card in self._cards:
            card.set_label_width(pixels)

    def _preset(self, mode: GroupsMode) -> tuple[GroupSpec, ...] | None:
        """The groups of a preset; None if something is wrong with it."""
        return self.fields.groups(mode, self._network, self._outline, self._base if self._free else None)

    def _choose(self) -> None:
        if self.mode() == "patterns" and not self._cards:
            head = self._preset("head")
            self._append(head[0].model_dump() if head else {"name": "head"})
        if self.mode() != "one" and not self._outline:
            self.outline_needed.emit()
        self._refresh()
        self.changed.emit()

    def _add_group(self) -> None:
        taken = {card.form.editor("name").raw() for card in self._cards}
        name = next(n for n in (f"group{i}" for i in range(len(self._cards) + 1, 999)) if n not in taken)
        card = self._append({"name": name})
        self._refresh()
        card.form.editor("modules").setFocus()
        self.changed.emit()

    def _append(self, values: dict[str, Any]) -> GroupCard:
        card = GroupCard(values, len(self._cards) + 1)
        card.set_label_width(self._label_width)
        self._cards.append(card)
        self._column.insertWidget(len(self._cards), card)
        card.changed.connect(self._edited)
        card.removed.connect(lambda: self._remove(card))
        return card

    def _remove(self, card: GroupCard) -> None:
        self._cards.remove(card)
        self._discard(card)
        for number, left in enumerate(self._cards, 1):
            left.set_number(number)
        self._edited()

    def _clear(self) -> None:
        for card in self._cards:
            self._discard(card)
        self._cards = []

    def _discard(self, card: GroupCard) -> None:
        self._column.removeWidget(card)
        card.hide()
        card.deleteLater()

    def _edited(self) -> None:
        self._refresh()
        self.changed.emit()

    def _refresh(self) -> None:
        patterns = self.mode() == "patterns"
        self.add.setVisible(patterns)
        self.fields.show_mode(self.mode())
        for card in self._cards:
            card.setVisible(patterns)
        if patterns:
            self._match_cards()
        specs = self._specs() or ()
        lines = [] if patterns else [self._line(specs, place) for place in range(len(specs))]
        if "rest" in self.names() and self._outline:
            lines.append(self._line(specs, -1))
        problem = self.first_error() if not patterns or not self._cards else None
        self.summary.show_text(problem or "\n".join(lines), error=problem is not None)
        self.summary.setVisible(bool(self.summary.full_text()))

    def _match_cards(self) -> None:
        specs: list[GroupSpec | None] = [card.form.value() for card in self._cards]
        groups = [spec.modules if spec else () for spec in specs]
        for index, (card, spec) in enumerate(zip(self._cards, specs, strict=True)):
            card.form.enable_row("lr", self._free, tr("The schedule's expression is the LR itself."))
            problem = self._problem(groups, index) if spec and self._outline else None
            card.form.set_error("modules", problem)
            known = spec is not None and bool(self._outline)
            hint = self._count(groups, index) if known else tr("Matching modules are shown once the network is built")
            card.form.set_hint("modules", hint)
            card.form.set_error("name", self._name_problem(index))

    def _problem(self, groups: Sequence[Sequence[str]], index: int) -> str | None:
        missing = unmatched(groups[index], self._outline)
        if missing:
            return tr("{pattern} matches no module", pattern=missing[0])
        if not any(count for name, count in self._outline if owner(name, groups) == index):
            return tr("all matching modules belong to earlier groups")
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
        lr = self._base if index < 0 or specs[index].lr is None else specs[index].lr
        what = self._count(groups, index) if self._outline else tr("modules {names}", names=", ".join(groups[index]))
        line = tr("{name}: {what}, LR {lr}", name=name, what=what, lr=float_text(float(f"{lr or 0.0:.4g}")))
        return tr("{line}, frozen at first", line=line) if index >= 0 and specs[index].frozen else line
