"""The optimizer's hyperparameters other than the LR, in a section that is folded at first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from pydantic import ValidationError
from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QAbstractButton, QHBoxLayout, QPushButton, QToolButton, QVBoxLayout, QWidget

from engine.common.spec import first_problem
from engine.messages.commands import SetOptimizer
from engine.recipe.optimizers import OPTIMIZERS
from engine.recipe.recipe import Recipe
from gui.core.translation import said, tr
from gui.widgets.field_text import to_text
from gui.widgets.fields import EMPTY
from gui.widgets.forms import SpecForm
from gui.widgets.labels import ElidedLabel, as_tip, label, scroll_into_view, set_available, set_role

_CYCLED: Final = ("momentum", "betas")


@dataclass(frozen=True)
class GroupOptimizer:
    """What an event confirmed of a group: its hyperparameters, and the schedule that changes its momentum, if any."""

    group: str
    values: dict[str, Any]
    cycled_by: str | None = None


class OptimizerSection(QWidget):
    """[> SGD: momentum 0.9, ...]; unfolded, one field each, as the optimizer's spec describes it.

    Signals:
        command_wanted(SetOptimizer): to be applied at the next batch.
    """

    command_wanted = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.form: SpecForm | None = None
        self._kind = type(Recipe().optimizer)
        self._groups: list[GroupOptimizer] = []
        self._group: str | None = None
        self._reason: str | None = None
        self.head, self.summary = QToolButton(), ElidedLabel()
        set_role(self.summary, "hint")
        self.head.setCheckable(True)
        self.head.setProperty("role", "quiet")
        self.head.setAutoRaise(True)
        self.head.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.head.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.head.toggled.connect(self._fold)
        self.body = QWidget()
        self.note = label("", "hint", wrap=True)
        self.apply, self.discard_button = QPushButton(tr("Apply")), QPushButton(tr("Discard"))
        self.apply.clicked.connect(self._send)
        self.discard_button.clicked.connect(self.discard)
        for button in (self.apply, self.discard_button):
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        buttons = QHBoxLayout()
        buttons.addWidget(self.apply, 1)
        buttons.addWidget(self.discard_button)
        self._fields = QVBoxLayout(self.body)
        self._fields.setContentsMargins(6, 0, 0, 0)
        self._fields.setSpacing(4)
        self._fields.addWidget(self.note)
        self._fields.addLayout(buttons)
        line = QHBoxLayout()
        line.setSpacing(4)
        line.addWidget(self.head)
        line.addWidget(self.summary, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addLayout(line)
        column.addWidget(self.body)
        self._fold(False)
        self.hide()

    def begin(self, optimizer: str) -> None:
        """Show the optimizer of a new run, by its name in the recipe."""
        self._kind = OPTIMIZERS[optimizer]
        if self.form is not None:
            self._fields.removeWidget(self.form)
            self.form.hide()
            self.form.deleteLater()
        self.form, self._groups = None, []
        self.head.setText(tr("Optimizer"))
        self.summary.setText(optimizer)
        self._show_note("")
        self.show()

    def show_values(self, groups: Sequence[GroupOptimizer]) -> None:
        """Show what an event confirmed; what is typed stays."""
        if list(groups) != self._groups:
            pending = self.changes()
            self._groups = list(groups)
            self._show_note("")
            self._show(pending)

    def choose(self, group: str | None) -> None:
        """Show the values of ``group``; None for all."""
        if group != self._group:
            self._group = group
            self._show({})

    def set_enabled_because(self, reason: str | None) -> None:
        """Enable the controls (None), or disable them with ``reason`` as their tooltips."""
        self._reason = reason
        self._show({} if reason is not None else self.changes())

    def show_problem(self, reason: str) -> None:
        """Show why the last command was rejected."""
        self._show_note(tr("{reason}.", reason=said(reason)[:1].upper() + said(reason)[1:]), error=True)

    def changes(self) -> dict[str, Any]:
        """The typed values that differ from the confirmed ones, by PyTorch's names."""
        if self.form is None or not self._groups:
            return {}
        typed = {name: self.form.editor(name).raw() for name in self._groups[0].values}
        chosen = self._chosen()
        return {
            name: value
            for name, value in typed.items()
            if value is not EMPTY and any(value != _value(group.values[name]) for group in chosen)
        }

    def discard(self) -> None:
        """Discard what is typed."""
        self._show_note("")
        self._show({})

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter applies what is typed, Escape discards it."""
        key, changed = event.key(), bool(self.changes())
        if changed and key == Qt.Key.Key_Escape:
            self.discard()
        elif changed and key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.apply.click()
        else:
            super().keyPressEvent(event)

    def _chosen(self) -> list[GroupOptimizer]:
        return [g for g in self._groups if self._group in (None, g.group)] or self._groups

    def _send(self) -> None:
        try:
            command = SetOptimizer.model_validate({**self.changes(), "group": self._group})
        except ValidationError as error:
            self.show_problem(str(first_problem(error)))
            return
        self._show({})  # until an event confirms it
        self._show_note(tr("Sent. It applies at the next batch."))
        self.command_wanted.emit(command)

    def _fold(self, unfolded: bool) -> None:
        self.head.setArrowType(Qt.ArrowType.DownArrow if unfolded else Qt.ArrowType.RightArrow)
        tip = tr("Weight decay, momentum and other hyperparameters, which can be changed while the run trains.")
        self.head.setToolTip(as_tip(tip))
        self.body.setVisible(unfolded)
        if unfolded and self.form is None and self._groups:
            self._show({})
        if unfolded:
            scroll_into_view(self.body)

    def _make_form(self) -> SpecForm:
        form = SpecForm(self._kind, only=tuple(self._groups[0].values))
        form.changed.connect(lambda _: self._edited())
        form.field_edited.connect(lambda _: self._edited())
        for button in form.findChildren(QAbstractButton):
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)  # a click leaves Space to start and pause
        self._fields.insertWidget(0, form)
        return form

    def _show(self, pending: dict[str, Any]) -> None:
        """Show the confirmed values, except the fields that are ``pending``."""
        if not self._groups:
            return
        chosen = self._chosen()
        self.summary.setText(_summary(self._kind.__name__, chosen))
        if self.form is None:
            if not self.head.isChecked():
                return
            self.form = self._make_form()
        values = {name: _value(value) for name, value in chosen[0].values.items()}
        self.form.set_fields({name: value for name, value in values.items() if name not in pending})
        cycled_by = next((g.cycled_by for g in chosen if g.cycled_by), None)
        for name, value in values.items():
            why = self._reason
            hint = None
            if name in _CYCLED and cycled_by is not None:
                hint = tr("moved by the schedule")
                why = why or tr(
                    "{schedule} moves it itself. Choose a schedule that does not, or set its cycle_momentum to off.",
                    schedule=cycled_by,
                )
            elif any(_value(g.values[name]) != value for g in chosen):
                hint = tr(
                    "differs by group: {values}", values=", ".join(to_text(_value(g.values[name])) for g in chosen)
                )
                why = why or tr("The groups differ here. Choose one of them above.")
            self.form.set_hint(name, hint)
            self.form.enable_row(name, why is None, why or "")
        self._update_buttons()

    def _edited(self) -> None:
        self._show_note("")
        self._update_buttons()

    def _update_buttons(self) -> None:
        """Enable the buttons, or say in their tooltips why not."""
        changes = self.changes()
        errors = self.form.errors() if self.form is not None else {}
        why = self._reason
        if why is None and any(errors.values()):
            why = tr("A field above is not valid.")
        if why is None and not changes:
            why = tr("Type another value above first.")
        given = ", ".join(f"{name} {to_text(value)}" for name, value in changes.items())
        set_available(self.apply, why, tr("{changes}, at the next batch (Enter).", changes=given))
        set_available(
            self.discard_button, None if changes else tr("Nothing is changed."), tr("Discard what was typed (Escape).")
        )

    def _show_note(self, text: str, *, error: bool = False) -> None:
        set_role(self.note, "error" if error else "hint")
        self.note.setText(text)
        self.note.setVisible(bool(text))


def _value(value: Any) -> Any:
    """``value`` as in a spec, which has tuples where JSON has lists."""
    return tuple(value) if isinstance(value, list) else value


def _summary(kind: str, groups: Sequence[GroupOptimizer]) -> str:
    """The values that are often changed: "SGD: momentum 0.9, weight_decay 0.0005"."""
    shown = [name for name in ("momentum", "betas", "weight_decay") if name in groups[0].values]
    parts = []
    for name in shown:
        values = {to_text(_value(group.values[name])) for group in groups}
        parts.append(f"{name} {values.pop()}" if len(values) == 1 else tr("{name} differs", name=name))
    return tr("{optimizer}: {values}", optimizer=kind, values=", ".join(parts))
