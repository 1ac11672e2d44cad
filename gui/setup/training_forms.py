"""The forms for the length of a run, its seed, device, precision and loss limit."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from engine.recipe.recipe import GuardSpec, Recipe
from gui.core.translation import tr
from gui.widgets.fields import ChoiceEditor
from gui.widgets.forms import SpecForm


class TrainingForms(QWidget):
    """Edits the recipe's fields about the training itself.

    Signals:
        changed(): the user changed a field or what is wrong with it.
    """

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._device = ChoiceEditor(())
        self.length = SpecForm(Recipe, only=("epochs", "seed"))
        self.machine = SpecForm(Recipe, only=("device", "precision"), editors={"device": self._device})
        self.guard = SpecForm(GuardSpec)
        self.forms = (self.length, self.machine, self.guard)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        for form in self.forms:
            column.addWidget(form)
            form.changed.connect(self.changed)

    def set_recipe(self, recipe: Recipe) -> None:
        """Show the fields of ``recipe``, without a signal."""
        self.machine.set_fields({"device": recipe.device, "precision": recipe.precision})
        self.length.set_fields({"epochs": recipe.epochs, "seed": recipe.seed})
        self.guard.set_value(recipe.guard)

    def set_devices(self, devices: list[tuple[str, str]]) -> None:
        """Set the CUDA devices, as (``cuda:0``, description). Auto and the CPU are always offered."""
        gpus = [(name, label) for name, label in devices if name not in ("auto", "cpu")]
        first = gpus[0][0] if gpus else "cpu"
        self._device.set_choices(
            [
                ("auto", tr("Auto ({device})", device=first)),
                ("cpu", tr("CPU")),
                *((name, f"{name}, {label}" if label else name) for name, label in gpus),
            ]
        )

    def fields(self) -> dict[str, Any]:
        """The recipe's fields. Call it only while no form has an error."""
        length = self.length.value()
        return {
            "epochs": length.epochs,
            "seed": length.seed,
            "device": self._device.raw(),
            "precision": self.machine.editor("precision").raw(),
            "guard": self.guard.value(),
        }
