"""The setup panel: the recipe as forms before the start, and as a summary afterwards."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from typing import Any, Final

from pydantic import ValidationError
from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from engine.common.spec import first_problem
from engine.messages.commands import CommandAt
from engine.recipe.data_sets import DATA_SETS
from engine.recipe.networks import find_network
from engine.recipe.optimizers import OPTIMIZERS
from engine.recipe.recipe import DataSpec, ModelSpec, Recipe
from engine.schedules import LambdaLR, ScheduleSpec
from gui.core.translation import said, tr
from gui.setup.code_question import CodeQuestion
from gui.setup.groups import GroupsPanel
from gui.setup.outline import Outline
from gui.setup.path_fields import FolderEditor, NetworkEditor
from gui.setup.training_forms import TrainingForms
from gui.widgets.fields import ChoiceEditor
from gui.widgets.forms import SpecForm
from gui.widgets.hint_label import HintLabel
from gui.widgets.labels import heading, scroll_area

MARGIN: Final = 10


class SetupPanel(QWidget):
    """Edits a recipe without its schedule, which comes from ``set_schedule``.

    Signals:
        recipe_changed(object): the Recipe, or None while it is not valid; not after ``set_recipe``.
        outline_wanted(object, object): the ModelSpec and DataSpec of the network that ``set_outline`` should describe.
        download_requested(object): the DataSpec of the data set to download.
        duplicate_requested(): set up a new run with this recipe.
    """

    recipe_changed = Signal(object)
    outline_wanted = Signal(object, object)
    download_requested = Signal(object)
    duplicate_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        start = Recipe()
        self._schedule: ScheduleSpec | None = start.schedule
        self._reported: tuple[Recipe | None, str | None, tuple[CommandAt, ...]] = (None, None, ())
        self._free_lr: float | None = None
        self._network = NetworkEditor()
        names = ChoiceEditor(tuple(DATA_SETS), {name: said(entry.title) for name, entry in DATA_SETS.items()})
        self.data = SpecForm(DataSpec, editors={"name": names, "root": FolderEditor(tr("Tiller's folder"))})
        self.model = SpecForm(ModelSpec, editors={"name": self._network})
        self.training = TrainingForms()
        self.length = self.training.length
        self.optimizers = {name: SpecForm(kind, kind.starting_values) for name, kind in OPTIMIZERS.items()}
        self.optimizer = ChoiceEditor(tuple(OPTIMIZERS))
        self.when = HintLabel(lines=0)
        self.groups = GroupsPanel()
        self.status = HintLabel(lines=0)
        self.code_question = CodeQuestion()
        self.download = QPushButton(tr("Download"))
        self.summary = QLabel()
        self.duplicate = QPushButton(tr("Duplicate as new"))
        self._build()
        self._connect()
        self.set_devices([])
        self.set_data_status("", False)
        self.set_running(None)
        self.set_recipe(start)

    def recipe(self) -> Recipe | None:
        """The recipe, or None while something is wrong (``first_error`` says what)."""
        return self._make()[0]

    def first_error(self) -> str | None:
        """Why the recipe is not valid, as a sentence, or None."""
        return self._make()[1]

    def group_names(self) -> list[str]:
        """The names of the parameter groups, in the order of the run."""
        return self.groups.names()

    def commands(self) -> tuple[CommandAt, ...]:
        """The commands for the run: those that unfreeze groups."""
        return self.groups.commands()

    def set_recipe(self, recipe: Recipe, interventions: Sequence[CommandAt] = ()) -> None:
        """Show ``recipe`` and when ``interventions`` unfreeze its groups. No signal but ``outline_wanted``."""
        self._schedule, self._free_lr = recipe.schedule, None
        self.data.set_value(recipe.data)
        self.model.set_error("name", None)
        self.model.set_value(recipe.model)
        self.training.set_recipe(recipe)
        self.optimizer.show_value(recipe.optimizer.name)
        self.optimizers[recipe.optimizer.name].set_value(recipe.optimizer)
        self._fit()
        own_lrs = any(group.lr is not None for group in recipe.groups)
        gives_lr = isinstance(recipe.schedule, LambdaLR) and recipe.optimizer.lr == 1.0 and not own_lrs
        if gives_lr:
            self._free_lr = recipe.optimizer.starting_values["lr"]
        self._fit_lrs()
        self.groups.set_network(recipe.model.name)
        self.groups.set_epochs(recipe.epochs)
        self.groups.set_groups(recipe.groups, interventions)
        self._reported = (*self._make(), self.commands())
        self._ask_outline()

    def set_schedule(self, spec: ScheduleSpec | None, own: Mapping[str, ScheduleSpec] | None = None) -> None:
        """Set the recipe's schedule (None while it is not valid) and the groups' ``own`` schedules."""
        self._schedule = spec
        self.groups.set_schedules(own or {})
        self._report()

    def set_base_lr(self, lr: float | None) -> None:
        """Fix the optimizer's LR (at 1 if an expression is the LR itself); with None it can be edited again."""
        form = self._optimizer_form()
        if lr is None and self._free_lr is not None:
            form.set_fields({"lr": self._free_lr})
            self._free_lr = None
        elif lr is not None:
            if self._free_lr is None:
                spec = form.value()
                self._free_lr = spec.lr if spec is not None else OPTIMIZERS[self.optimizer.raw()].starting_values["lr"]
            form.set_fields({"lr": lr})
        self._fit_lrs()
        self._report()

    def set_devices(self, devices: list[tuple[str, str]]) -> None:
        """Set the CUDA devices, as (``cuda:0``, description). Auto and the CPU are always offered."""
        self.training.set_devices(devices)
        self._report()

    def set_data_status(self, text: str, can_download: bool) -> None:
        """Show whether the data set was found; an empty ``text`` hides it. ``can_download`` shows the button."""
        self.status.show_text(text)
        self.status.setVisible(bool(text))
        self.download.setVisible(can_download and DATA_SETS[self.data.editor("name").raw()].can_download)

    def set_outline(self, outline: Outline) -> None:
        """Set the network's modules in order, each with its own number of parameters."""
        self.groups.set_outline(outline)

    def set_network_problem(self, problem: str | None) -> None:
        """Show what is wrong with the user's network at its field; None: it can be built."""
        self.model.note("name").set_lines(0 if problem else 1)  # a message of the user's code, in full
        self.model.set_error("name", problem)
        self._report()

    def set_running(self, summary: Sequence[tuple[str, str]] | None) -> None:
        """Show ``summary`` (names and values) instead of the forms while there is a run; None shows the forms."""
        lines = (f"{html.escape(name)}<br><b>{html.escape(value)}</b>" for name, value in summary or ())
        self.summary.setText(f"<qt>{'<p>'.join(lines)}</qt>")
        self._folded.setVisible(summary is not None)
        self._scroll.setVisible(summary is None)

    def _build(self) -> None:
        self.download.setToolTip(tr("Download the data set into the folder"))
        self.download.setAutoDefault(False)
        self.duplicate.setToolTip(tr("Set up a new run with these settings. This run stays in the library."))
        self.optimizer.combo.setAccessibleName(tr("Optimizer"))
        self.summary.setWordWrap(True)
        inner = QWidget()
        column = QVBoxLayout(inner)
        column.setContentsMargins(MARGIN, MARGIN, MARGIN, MARGIN)
        column.setSpacing(4)
        status = QHBoxLayout()
        status.addWidget(self.status, 1)
        status.addWidget(self.download, 0, Qt.AlignmentFlag.AlignTop)
        self._section(column, tr("Data"), self.data)
        column.addLayout(status)
        self._section(column, tr("Network"), self.model, self.code_question)
        self._section(column, tr("Optimizer"), self._optimizer_row(), self.when, *self.optimizers.values())
        self._section(column, tr("Training"), self.training)
        self._section(column, tr("Learning rates of groups"), self.groups)
        column.addStretch(1)
        self._scroll = scroll_area(inner)
        self._folded = QWidget()
        folded = QVBoxLayout(self._folded)
        folded.setContentsMargins(MARGIN, MARGIN, MARGIN, MARGIN)
        folded.addWidget(self.summary)
        folded.addWidget(self.duplicate, 0, Qt.AlignmentFlag.AlignLeft)
        folded.addStretch(1)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(self._scroll)
        whole.addWidget(self._folded)

    def _section(self, column: QVBoxLayout, title: str, *widgets: QWidget) -> None:
        if column.count():
            column.addSpacing(6)
        column.addWidget(heading(title))
        for widget in widgets:
            column.addWidget(widget)

    def _optimizer_row(self) -> QWidget:
        row = QWidget()
        line = QHBoxLayout(row)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(8)
        self._optimizer_label = QLabel(tr("Optimizer"))
        self._optimizer_label.setBuddy(self.optimizer.combo)
        line.addWidget(self._optimizer_label)
        line.addWidget(self.optimizer, 1)
        return row

    def _connect(self) -> None:
        self.data.field_edited.connect(self._data_edited)
        self.model.field_edited.connect(self._model_edited)
        self.optimizer.edited.connect(self._switch_optimizer)
        self.groups.changed.connect(self._report)
        self.groups.outline_needed.connect(self._ask_outline)
        self.training.changed.connect(self._report)
        for form in (self.data, self.model, *self.optimizers.values()):
            form.changed.connect(self._report)
        self.data.changed.connect(self._ask_outline)
        self.model.changed.connect(self._ask_outline)
        self.download.clicked.connect(lambda: self.download_requested.emit(self.data.value()))
        self.duplicate.clicked.connect(self.duplicate_requested)

    def _optimizer_form(self) -> SpecForm:
        return self.optimizers[self.optimizer.raw()]

    def _data_edited(self, name: str) -> None:
        if name in ("name", "root"):
            self.set_data_status("", False)
            self._fit()

    def _model_edited(self, name: str) -> None:
        self.model.set_error("name", None)  # until it is built again
        if name == "name":
            self._fit()
            self.groups.set_network(self._network.raw())

    def _switch_optimizer(self) -> None:
        name = self.optimizer.raw()
        kind = OPTIMIZERS[name]
        first: dict[str, Any] = dict(kind.starting_values)
        if self._free_lr is not None:
            self._free_lr, first["lr"] = first["lr"], 1.0
        self.optimizers[name].set_value(kind(**first))
        self._fit()
        self._fit_lrs()
        self._report()

    def _fit(self) -> None:
        """Show the fields that apply to the choices, and why others do not."""
        self.data.show_row("root", DATA_SETS[self.data.editor("name").raw()].in_root)
        network = find_network(self._network.raw())
        possible = network is not None and network.pretrained
        if not possible:
            self.model.set_fields({"pretrained": False})
        self.model.enable_row("pretrained", possible, tr("There are no pretrained weights for this network."))
        kind = OPTIMIZERS[self.optimizer.raw()]
        self.when.show_text(said(kind.when))
        self.optimizer.combo.setToolTip(
            f"<qt>{html.escape(said(kind.__doc__ or ''))} {html.escape(said(kind.when))}</qt>"
        )
        for name, form in self.optimizers.items():
            form.setVisible(name == self.optimizer.raw())
        self._align()

    def _align(self) -> None:
        forms = (self.data, self.model, *self.training.forms, self._optimizer_form(), self.groups)
        width = max(form.label_width() for form in forms)
        for form in forms:
            form.set_label_width(width)
        self._optimizer_label.setMinimumWidth(width)

    def _fit_lrs(self) -> None:
        free = self._free_lr is None
        why = tr("The schedule's expression is the LR itself, so the optimizer's LR is 1. Change that in the schedule.")
        for form in self.optimizers.values():
            form.enable_row("lr", free, why)
        self.groups.set_lrs_free(free)
        if (spec := self._optimizer_form().value()) is not None:
            self.groups.set_base_lr(spec.lr)

    def _ask_outline(self) -> None:
        model, data = self.model.value(), self.data.value()
        wanted = self.groups.mode() != "one" or (model is not None and model.user_function() is not None)
        if wanted and model is not None and data is not None:
            self.outline_wanted.emit(model, data)

    def _report(self) -> None:
        if (spec := self._optimizer_form().value()) is not None:
            self.groups.set_base_lr(spec.lr)
        if (length := self.length.value()) is not None:
            self.groups.set_epochs(length.epochs)
        if (made := (*self._make(), self.commands())) != self._reported:
            self._reported = made
            self.recipe_changed.emit(made[0])

    def _make(self) -> tuple[Recipe | None, str | None]:
        for form in (self.data, self.model, self._optimizer_form(), *self.training.forms):
            for field, problem in form.errors().items():
                info = form.kind.model_fields.get(field)
                title = said(info.title or field) if info else field
                return None, f"{title}: {problem}" if title else problem
        if wrong := self.groups.first_error():
            return None, wrong
        if self._schedule is None:
            return None, tr("The schedule is not valid: see its form.")
        given = {
            "data": self.data.value(),
            "model": self.model.value(),
            "optimizer": self._optimizer_form().value(),
            "schedule": self._schedule,
            "groups": self.groups.groups() or (),
            **self.training.fields(),
        }
        try:
            return Recipe.model_validate(given), None
        except ValidationError as error:
            return None, said(first_problem(error))
