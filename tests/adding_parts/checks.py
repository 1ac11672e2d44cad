"""What the parts of ``parts.py`` must do without a change of anything else. Run by ``test_adding_parts.py``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QLineEdit
from pytestqt.qtbot import QtBot

from engine.advice.on_recipe import for_recipe
from engine.common.errors import SpecError
from engine.data.registry import describe
from engine.messages.commands import SetOptimizer
from engine.recipe.optimizers import OPTIMIZERS
from engine.recipe.recipe import DataSpec, ModelSpec, Recipe, recipe_from_json
from engine.schedules import Constant
from engine.training import queries
from engine.training.job import Job
from gui.learning_rate.optimizer import GroupOptimizer, OptimizerSection
from gui.setup.panel import SetupPanel
from tests.adding_parts.parts import FACTS
from tests.engine.running import at, commands, library_at, run

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")  # the offscreen platform's, not ours

CHOSEN: dict[str, Any] = {
    "data": {"name": "colours", "batch_size": 30},
    "model": {"name": "mean_net"},
    "optimizer": {"name": "Adadelta", "lr": 0.5},
    "schedule": {"name": "Constant"},
    "epochs": 4,
    "device": "cpu",
}


def recipe(**changes: Any) -> Recipe:
    return recipe_from_json(json.dumps({**CHOSEN, **changes}))


def test_a_recipe_can_name_them() -> None:
    made = recipe()
    assert (made.data.name, made.model.name, made.optimizer.name) == ("colours", "mean_net", "Adadelta")
    assert recipe_from_json(made.to_json()) == made
    assert describe(made.data) == FACTS
    for part, known in (("data", "colours"), ("model", "mean_net"), ("optimizer", "Adadelta")):
        with pytest.raises(SpecError, match=rf"^{part}.name: 'x' is not known; allowed: .*{known}"):
            recipe(**{part: {"name": "x"}})
    with pytest.raises(SpecError, match=r"optimizer\.rho: must be less than 1"):
        recipe(optimizer={"name": "Adadelta", "rho": 1.0})


def pick(qtbot: QtBot, combo: Any, value: str) -> None:
    assert isinstance(combo, QComboBox)
    combo.setFocus()
    qtbot.keyClick(combo, Qt.Key.Key_Home)
    for _ in range(combo.findData(value)):
        qtbot.keyClick(combo, Qt.Key.Key_Down)
    assert combo.currentData() == value


def test_the_window_offers_them(qtbot: QtBot) -> None:
    panel = SetupPanel()
    qtbot.addWidget(panel)
    panel.show()
    data, network = panel.data.editor("name").control(), panel.model.editor("name").control()
    pick(qtbot, data, "colours")
    pick(qtbot, network, "mean_net")
    pick(qtbot, panel.optimizer.combo, "Adadelta")
    assert data.currentText() == "Colours, 12 × 10"
    assert not panel.data.editor("root").isVisible()
    assert not panel.model.editor("pretrained").control().isEnabled()
    rho = panel.optimizers["Adadelta"].editor("rho").control()
    assert rho.isVisible()
    made = panel.recipe()
    assert made == Recipe(
        data=DataSpec(name="colours"), model=ModelSpec(name="mean_net"), optimizer=OPTIMIZERS["Adadelta"](lr=0.5)
    )
    pick(qtbot, panel.groups.choice.combo, "head")
    assert panel.recipe().groups[0].modules == ("last",)
    again = SetupPanel()
    qtbot.addWidget(again)
    again.set_recipe(made)
    assert again.recipe() == made


def test_its_hyperparameter_can_be_changed_in_the_window(qtbot: QtBot) -> None:
    section, sent = OptimizerSection(), list[SetOptimizer]()
    qtbot.addWidget(section)
    section.command_wanted.connect(sent.append)
    section.begin("Adadelta")
    section.show_values([GroupOptimizer("all", {"weight_decay": 0.0, "rho": 0.9})])
    section.head.click()
    assert section.form is not None
    field = section.form.editor("rho").control()
    assert isinstance(field, QLineEdit)
    field.selectAll()
    qtbot.keyClicks(field, "0.8")
    section.apply.click()
    assert sent == [SetOptimizer(rho=0.8)]


def test_they_are_looked_up_and_advised_on() -> None:
    made = recipe(groups=[{"name": "head", "modules": ["last"]}])
    outline = queries.network_outline(made.model, made.data)
    assert outline.modules[-1] == ("last", 12)
    assert queries.batches_per_epoch(made.data) == 3
    assert queries.data_problem(made.data) is None
    assert "torch.optim.Adadelta(" in queries.pytorch_code(made)
    assert "by_task" in {
        advice.key for advice in for_recipe(recipe(schedule={"name": "StepLR", "step_size": 2}, epochs=9))
    }
    high = [a for a in for_recipe(recipe(optimizer={"name": "Adadelta", "lr": 50.0})) if a.key == "first_lr"]
    assert high[0].action.optimizer == OPTIMIZERS["Adadelta"](lr=0.5)
    assert not [a for a in for_recipe(recipe()) if a.key == "first_lr"]


def test_they_are_trained_and_resumed_to_the_last_bit(tmp_path: Path) -> None:
    made = recipe(groups=[{"name": "head", "modules": ["last"], "lr": 1.0}])
    lines = commands(at(2, 1, "set_optimizer", rho=0.5), at(3, 2, "save", path=str(tmp_path / "part.tiller")))
    with library_at(tmp_path / "library") as library:
        events = run(Job(recipe=made, lines=lines), library)
    assert [(answer.name, answer.status) for answer in events.answers] == [
        ("set_optimizer", "applied"),
        ("save", "applied"),
    ]
    assert events.epochs[-1].train_loss < events.epochs[0].train_loss
    (start,) = events.of("start")
    assert (start.batches_per_epoch, start.groups) == (3, ["rest", "head"])
    resumed = run(Job(checkpoint=tmp_path / "part.tiller"))
    assert resumed.end.weights_sha256 == events.end.weights_sha256
    other = run(Job(recipe=made))
    assert other.end.weights_sha256 != events.end.weights_sha256
    assert isinstance(made.schedule, Constant)
