"""One parameter group of a run: its current LR, schedule and state, and fields to change them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtGui import QMouseEvent, QResizeEvent
from PySide6.QtWidgets import QCheckBox, QFrame, QHBoxLayout, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from engine.messages.commands import Freeze, ScaleLR, SetLR, Unfreeze
from engine.schedules import ScheduleSpec
from gui.core.lr_text import is_incomplete, lr_text, read_factor, read_lr
from gui.core.translation import tr
from gui.theme.theme import set_style_property
from gui.widgets.confirmed_field import ConfirmedField
from gui.widgets.fields import Combo
from gui.widgets.intervention_text import schedule_text
from gui.widgets.labels import ElidedLabel, as_tip, label, set_available, set_role, short_count
from gui.widgets.state_chip import Dot

_MODES: Final = ("release", "follow", "hold")


@dataclass(frozen=True)
class GroupState:
    """What an event confirmed of a group; ``last``: it is the only group that is trained."""

    name: str
    lr: float
    scheduled: float
    holding: bool
    touched: bool
    frozen: bool
    schedule: ScheduleSpec
    last: bool = False

    @property
    def mode(self) -> str:
        """How the LR continues: on the schedule (``release``), on it scaled (``follow``), or held (``hold``)."""
        return "hold" if self.holding else "follow" if self.touched else "release"

    @property
    def factor(self) -> float | None:
        """The factor of the scheduled LR; None if the LR is held or the scheduled LR is 0."""
        if self.holding or self.scheduled == 0:
            return None
        return self.lr / self.scheduled if self.touched else 1.0


class GroupRow(QFrame):
    """Shows what events confirm of a group, and asks for a command or a pending change with each edit.

    Signals:
        command_wanted(SetLR | ScaleLR | Freeze | Unfreeze): to be applied at the next batch.
        change_wanted(str, Change): the LR of this group is to continue like this, once the user has applied it.
        schedule_wanted(str): the user wants to change the schedule of this group.
        clicked(str): the user clicked the row of this group.
    """

    command_wanted = Signal(object)
    change_wanted = Signal(str, str)
    schedule_wanted = Signal(str)
    clicked = Signal(str)

    def __init__(self, name: str, parameters: int | None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.name = name
        self._state: GroupState | None = None
        self._reason: str | None = None
        self.setProperty("role", "card")
        self._build(parameters)

    def show_state(self, state: GroupState) -> None:
        """Show what an event confirmed; what is typed stays."""
        if state == self._state:
            return
        self._state = state
        self.lr.show_confirmed(lr_text(state.lr, 4))
        factor = state.factor
        self.factor.show_confirmed("" if factor is None else tr("×{factor}", factor=lr_text(factor, 3)))
        set_role(self.name_label, "hint" if state.frozen else "")
        self.schedule.show_text(schedule_text(state.schedule.model_dump(mode="json")))
        self._show_mode(state)
        with QSignalBlocker(self.frozen):
            self.frozen.setChecked(state.frozen)
        self._update_tooltips()

    def show_color(self, color: str) -> None:
        """Show the colour of the group's line in the plots."""
        self.dot.show_color(color)

    def show_chosen(self, chosen: bool) -> None:
        """Show whether the controls below the table change this group alone."""
        set_style_property(self, "chosen", chosen)

    def set_enabled_because(self, reason: str | None) -> None:
        """Enable the controls (None), or disable them with ``reason`` as their tooltips."""
        self._reason = reason
        if reason is not None:
            self.discard()
        self._update_tooltips()

    def show_note(self, text: str, *, error: bool = False) -> None:
        """Show ``text`` under the row; empty hides it."""
        set_role(self.note, "error" if error else "hint")
        self.note.setText(text)
        self.note.setVisible(bool(text))

    def is_typed(self) -> bool:
        """Whether something is typed and not applied."""
        return self.lr.is_typed() or self.factor.is_typed()

    def discard(self) -> None:
        """Discard what is typed."""
        self.lr.discard()
        self.factor.discard()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Emit ``clicked`` for a click beside the fields."""
        super().mousePressEvent(event)
        self.clicked.emit(self.name)

    # -- editing

    def _on_lr(self, text: str) -> None:
        value, problem = self._read(self.lr, text)
        if problem is None and value is not None and self._state is not None:
            old, new = lr_text(self._state.lr, 4), lr_text(value)
            self.show_note(tr("{old} -> {new}: Enter applies, Escape discards.", old=old, new=new))

    def _on_factor(self, text: str) -> None:
        value, problem = self._read(self.factor, text)
        if problem is None and value is not None and self._state is not None:
            new = lr_text(self._state.scheduled * value, 4)
            self.show_note(
                tr("Scheduled {old} -> {new}: Enter applies, Escape discards.", old=self._scheduled_text(), new=new)
            )

    def _read(self, field: ConfirmedField, text: str) -> tuple[float | None, str | None]:
        """The value typed in ``field``, or what is wrong with it, which is shown; neither while it is incomplete."""
        value, problem = None, None
        is_factor = field is self.factor
        text = text.strip().lstrip("x×*").strip() if is_factor else text
        if field.is_typed() and not is_incomplete(text):
            try:
                value = read_factor(text) if is_factor else read_lr(text)
            except ValueError as error:
                problem = str(error)
        field.set_problem(problem)
        self.show_note(problem or "", error=True)
        return value, problem

    def _enter_lr(self, text: str) -> None:
        value, problem = self._read(self.lr, text)
        if value is not None and problem is None:
            self._send(SetLR(lr=value, group=self.name))

    def _enter_factor(self, text: str) -> None:
        value, problem = self._read(self.factor, text)
        if value is None or problem is not None or self._state is None:
            return
        # The current LR is multiplied, so that the factor is exact even if the schedule steps before it is applied.
        now = self._state.factor
        if now:
            self._send(ScaleLR(factor=value / now, then="follow", group=self.name))
        else:
            self._send(SetLR(lr=self._state.scheduled * value, then="follow", group=self.name))

    def _choose_mode(self) -> None:
        state, mode = self._state, self.mode.currentData()
        if state is None or mode == state.mode:
            return
        self._show_mode(state)  # until an event confirms it
        self.discard()
        self.change_wanted.emit(self.name, mode)

    def _on_frozen(self) -> None:
        state = self._state
        if state is None:
            return
        with QSignalBlocker(self.frozen):
            self.frozen.setChecked(state.frozen)
        self._send(Unfreeze(group=self.name) if state.frozen else Freeze(group=self.name))

    def _send(self, command: SetLR | ScaleLR | Freeze | Unfreeze) -> None:
        self.discard()
        self.show_note("")
        self.command_wanted.emit(command)

    # -- showing

    def _scheduled_text(self) -> str:
        return lr_text(self._state.scheduled, 4) if self._state is not None else ""

    def _show_mode(self, state: GroupState) -> None:
        back = tr("Return to schedule ({lr})", lr=self._scheduled_text())
        texts = {
            "release": (tr("Scheduled") if state.mode == "release" else back, tr("The scheduled LR")),
            "follow": (tr("Follow"), tr("Scale the schedule from the current LR")),
            "hold": (tr("Hold"), tr("Hold this LR until you return to the schedule")),
        }
        # on the schedule itself there is nothing to follow
        wanted = [(mode, *texts[mode]) for mode in _MODES if mode != "follow" or state.mode != "release"]
        if [self.mode.itemText(i) for i in range(self.mode.count())] != [text for _, text, _ in wanted]:
            self.mode.clear()
            for index, (mode, text, tip) in enumerate(wanted):
                self.mode.addItem(text, mode)
                self.mode.setItemData(index, tip, Qt.ItemDataRole.ToolTipRole)
        self.mode.select(state.mode)

    def _update_tooltips(self) -> None:
        state, why = self._state, self._reason
        exact = lr_text(state.lr, 17) if state is not None else ""
        set_available(self.lr, why, tr("LR {lr}. Type another: Enter applies it, Escape discards it.", lr=exact))
        at_zero = state is not None and state.scheduled == 0
        set_available(
            self.factor,
            why or (tr("The scheduled LR is 0 here, so there is no factor.") if at_zero else None),
            tr(
                "The scheduled LR ({lr}) is multiplied by this. Type another factor: Enter applies it.",
                lr=self._scheduled_text(),
            ),
        )
        tip = tr(
            "How the LR continues: now “{now}”. Another is pending until you apply it.", now=self.mode.currentText()
        )
        set_available(self.mode, why, tip)
        schedule = schedule_text(state.schedule.model_dump(mode="json")) if state is not None else ""
        set_available(self.schedule, why, tr("{schedule}. Choose another for this group…", schedule=schedule))
        only = tr("At least one group must be trained.") if state is not None and state.last else None
        tip = tr("Weights, optimizer state and BatchNorm statistics of a frozen group do not change.")
        set_available(self.frozen, why or only, tip)

    def _build(self, parameters: int | None) -> None:
        self.dot, self.name_label = Dot(), ElidedLabel(self.name)
        bold = self.name_label.font()
        bold.setBold(True)
        self.name_label.setFont(bold)
        self.count = label("" if parameters is None else tr("{n} parameters", n=short_count(parameters)), "hint")
        if parameters is not None:
            self.count.setToolTip(as_tip(tr("{n} parameters", n=f"{parameters:,}")))
        self.lr, self.factor, self.mode = ConfirmedField(), ConfirmedField(), Combo()
        self.schedule, self.frozen = _ElidedButton(), QCheckBox(tr("Frozen"))
        self.note = label("", "hint", wrap=True)
        self.note.hide()
        metrics = self.fontMetrics()
        self.lr.setFixedWidth(metrics.horizontalAdvance("0.0001234") + 14)
        self.factor.setFixedWidth(metrics.horizontalAdvance("×0.333") + 14)
        self.factor.setPlaceholderText(tr("held"))
        self.mode.setMinimumWidth(70)
        self.mode.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.frozen.setFocusPolicy(Qt.FocusPolicy.TabFocus)  # a click leaves Space to start and pause
        for widget, name in (
            (self.lr, tr("Learning rate of {group}", group=self.name)),
            (self.factor, tr("Factor of the scheduled LR of {group}", group=self.name)),
            (self.mode, tr("How the LR of {group} continues", group=self.name)),
            (self.schedule, tr("Schedule of {group}", group=self.name)),
            (self.frozen, tr("Freeze {group}", group=self.name)),
        ):
            widget.setAccessibleName(name)
        self.lr.typing.connect(self._on_lr)
        self.lr.entered.connect(self._enter_lr)
        self.factor.typing.connect(self._on_factor)
        self.factor.entered.connect(self._enter_factor)
        self.mode.activated.connect(self._choose_mode)
        self.schedule.clicked.connect(lambda: self.schedule_wanted.emit(self.name))
        self.frozen.clicked.connect(self._on_frozen)
        first, second, third = QHBoxLayout(), QHBoxLayout(), QHBoxLayout()
        first.addWidget(self.dot)
        first.addWidget(self.name_label, 1)
        first.addWidget(self.frozen)
        for field in (self.lr, self.factor):
            second.addWidget(field)
        second.addWidget(self.mode, 1)
        third.addWidget(self.schedule, 1)
        third.addWidget(self.count)
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 5, 8, 4)
        column.setSpacing(3)
        for row in (first, second, third):
            row.setSpacing(6)
            column.addLayout(row)
        column.addWidget(self.note)


class _ElidedButton(QPushButton):
    """A flat button whose text is elided if there is no room; its tooltip shows all of it."""

    def __init__(self) -> None:
        super().__init__()
        self._full = ""
        self.setProperty("role", "inline")
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)

    def show_text(self, text: str) -> None:
        self._full = text
        self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        room = max(0, self.width() - 6)
        self.setText(self.fontMetrics().elidedText(self._full, Qt.TextElideMode.ElideRight, room))
