"""The choice of the parameter group whose schedule is edited, and the schedule of each group."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QAbstractButton, QPushButton, QVBoxLayout, QWidget

from gui.core.translation import tr
from gui.schedule.group_schedules import Schedules
from gui.schedule.stage_card import in_short
from gui.widgets.group_picker import GroupPicker
from gui.widgets.hint_label import HintLabel


class ScheduleTarget(QWidget):
    """[All | rest | head], and text about their schedules. Hidden if there is only one group.

    Signals:
        chosen(): another group was chosen, or all of them; see ``group()``.
        shared_wanted(): the user wants the chosen group on the schedule of all groups again.
    """

    chosen = Signal()
    shared_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.picker, self.note = GroupPicker(), HintLabel(lines=0)
        self.shared = QPushButton(tr("Same as all groups"))
        self.shared.setAutoDefault(False)
        self.shared.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.shared.setToolTip(tr("Remove this group's own schedule, so that it has the schedule of all groups"))
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(self.picker)
        column.addWidget(self.note)
        column.addWidget(self.shared, 0, Qt.AlignmentFlag.AlignLeft)
        self.picker.chosen.connect(self.chosen)
        self.shared.clicked.connect(self.shared_wanted)
        self.hide()

    def group(self) -> str | None:
        """The name of the chosen group; None for all of them, or if there is only one."""
        return self.picker.group()

    def show_groups(self, names: Sequence[str]) -> None:
        """Offer the groups ``names``. Emits ``chosen`` if the chosen one is not among them."""
        before = self.group()
        self.picker.show_groups(list(names))
        for button in self.picker.findChildren(QAbstractButton):
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)  # a click leaves Space to start and pause
        self.setVisible(len(names) > 1)
        if self.group() != before:
            self.chosen.emit()

    def show_schedules(self, schedules: Schedules, names: Sequence[str], why_not: str | None, running: bool) -> None:
        """Show the schedule of each group.

        Args:
            schedules: the current schedules, or the recipe's.
            names: the groups, in order.
            why_not: why all groups must have the same schedule, or None.
            running: whether a run is under way. Then a group's own schedule can be replaced, but not removed.
        """
        group, differ = self.group(), schedules.differ(names)
        self.picker.setEnabled(why_not is None)
        self.picker.set_tip(why_not or tr("The schedule to edit: that of all groups, or one group's own"))
        lines = self._lines(schedules, names) if differ else []
        if why_not is not None:
            lines = [why_not]
        elif not differ:
            one = tr("{group} has the schedule of all groups. A change gives it its own.", group=group)
            lines = [one if group is not None else tr("All groups have this schedule.")]
        elif group is None:
            lines.append(tr("A change here gives all groups the same schedule."))
        self.note.show_text("\n".join(lines))
        self.shared.setVisible(not running and group in schedules.own)

    def _lines(self, schedules: Schedules, names: Sequence[str]) -> list[str]:
        """A line for each schedule, with the groups that have it."""
        groups: dict[str, list[str]] = {}
        for name in names:
            spec = schedules.of(name, names)
            groups.setdefault(", ".join(filter(None, (type(spec).__name__, in_short(spec)))), []).append(name)
        return [tr("{group}: {schedule}", group=", ".join(same), schedule=text) for text, same in groups.items()]
