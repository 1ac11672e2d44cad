"""A schedule that no form of fields can edit (stages within it, or drawn points): shown in words, as it is."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from engine.schedules import ScheduleSpec
from gui.notes import Note
from gui.panels.acts import schedule_words
from gui.words import tr

LONGEST = 600


class SpecWords(QWidget):
    """Shows one spec as PyTorch would write it; the counterpart of a ``SpecForm`` for a composed spec.

    Signals:
        changed(object), field_edited(str): never, because nothing can be edited; every form has them.
    """

    changed = Signal(object)
    field_edited = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._spec: ScheduleSpec | None = None
        self.words, self.why = Note(lines=0), Note(lines=0)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(self.words)
        column.addWidget(self.why)
        self.why.say(tr("It comes from a recipe file and is shown as it is. Choose another schedule to edit one here."))

    def value(self) -> ScheduleSpec | None:
        """The spec."""
        return self._spec

    def set_value(self, spec: ScheduleSpec) -> None:
        """Show ``spec``."""
        self._spec = spec
        text = schedule_words(spec.model_dump())
        short = text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
        self.words.say(re.sub(r"([(\[=])", "\\1\u200b", short))  # where a line may break

    def set_fields(self, values: Mapping[str, Any]) -> None:
        """Nothing follows the run here."""

    def set_hint(self, name: str, hint: str | None) -> None:
        """There is no field to hint at."""
