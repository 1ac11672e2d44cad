"""Presets of groups for fine-tuning: the groups that they make, and the backbone that they unfreeze."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QLineEdit
from pytestqt.qtbot import QtBot

from engine.common.position import Position
from engine.messages.commands import CommandAt, Unfreeze
from engine.recipe.recipe import GroupSpec, Recipe
from gui.setup.group_presets import blocks, frozen_backbone, head_and_rest, layer_by_layer
from gui.setup.groups import GroupsPanel
from tests.gui.app_fixture import Driver, tiny

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")  # a warning of the offscreen platform

RESNET = [
    ("conv1", 576), ("bn1", 128), ("relu", 0), ("layer1", 0), ("layer1.0.conv1", 36864), ("layer1.0.bn1", 128),
    ("layer2.0.conv1", 73728), ("layer3.0.conv1", 294912), ("layer4.0.conv1", 1179648), ("fc", 5130),
]  # fmt: skip
VGG = [
    ("features", 0), ("features.0", 640), ("features.1", 128), ("features.2", 0), ("features.4", 73856),
    ("features.5", 256), ("features.8", 295168), ("classifier", 0), ("classifier.0", 262656), ("classifier.3", 5130),
]  # fmt: skip
LENET = [("conv1", 156), ("conv2", 2416), ("pool", 0), ("fc1", 48120), ("fc2", 10164), ("fc3", 850)]


def test_blocks_are_the_top_level_modules_each_with_its_norm() -> None:
    assert blocks("resnet18", RESNET) == [("conv1", "bn1"), ("layer1",), ("layer2",), ("layer3",), ("layer4",)]
    assert blocks("vgg11_bn", VGG) == [("features.0", "features.1"), ("features.4", "features.5"), ("features.8",)]
    assert blocks("lenet5", LENET) == [("conv1",), ("conv2",)]
    assert blocks("small_cnn", []) == []


def test_a_deep_network_has_at_most_twelve_blocks() -> None:
    deep = [*((f"stage{i}", 1000 + i) for i in range(40)), ("out", 10)]
    found = blocks("net.py:make", deep)
    assert len(found) <= 12
    assert [name for names in found for name in names] == [f"stage{i}" for i in range(40)]


def test_layer_by_layer_multiplies_the_lr_of_each_earlier_block_by_the_factor() -> None:
    groups = layer_by_layer("resnet18", RESNET, 0.01, 0.5)
    assert groups is not None
    lrs = {group.name: group.lr for group in groups}
    assert lrs == {
        "conv1": 0.0003125, "layer1": 0.000625, "layer2": 0.00125, "layer3": 0.0025, "layer4": 0.005, "head": 0.01,
    }  # fmt: skip
    Recipe(groups=groups)
    even = layer_by_layer("resnet18", RESNET, None, 0.5)
    assert even is not None
    assert {group.lr for group in even} == {None}


def test_a_frozen_backbone_is_everything_but_the_head() -> None:
    head = GroupSpec(name="head", modules=("fc",), lr=0.1)
    body = GroupSpec(name="backbone", modules=("conv1", "bn1", "layer1", "layer2", "layer3", "layer4"), frozen=True)
    assert frozen_backbone("resnet18", RESNET, 0.01) == (body, head)
    assert head_and_rest("resnet18", RESNET, 0.01) == (head,)
    assert frozen_backbone("resnet18", [], 0.01) is None
    assert frozen_backbone("net.py:make", [("only", 10)], 0.01) is None


@pytest.fixture
def panel(qtbot: QtBot) -> GroupsPanel:
    made = GroupsPanel()
    qtbot.addWidget(made)
    made.set_network("resnet18")
    made.set_outline(RESNET)
    with qtbot.waitExposed(made):
        made.show()
    return made


def pick(qtbot: QtBot, combo: QComboBox, value: str) -> None:
    combo.setFocus()
    qtbot.keyClick(combo, Qt.Key.Key_Home)
    for _ in range(combo.findData(value)):
        qtbot.keyClick(combo, Qt.Key.Key_Down)
    assert combo.currentData() == value


def retype(qtbot: QtBot, edit: QLineEdit, text: str) -> None:
    edit.setFocus()
    edit.selectAll()
    qtbot.keyClicks(edit, text)


def test_a_wrong_factor_is_an_error(qtbot: QtBot, panel: GroupsPanel) -> None:
    pick(qtbot, panel.choice.combo, "layers")
    assert panel.groups() == layer_by_layer("resnet18", RESNET, 0.01, 0.75)
    assert panel.names() == ["conv1", "layer1", "layer2", "layer3", "layer4", "head"]
    assert "layer4: 1 module, 1,179,648 parameters, LR 0.0075" in panel.summary.full_text()
    retype(qtbot, panel.fields.factor.edit, "0.5")
    assert panel.groups() == layer_by_layer("resnet18", RESNET, 0.01, 0.5)
    retype(qtbot, panel.fields.factor.edit, "2")
    assert panel.groups() is None
    assert panel.first_error() == "Groups: the factor must be more than 0 and at most 1"
    assert panel.summary.is_error()


def test_a_backbone_is_unfrozen_after_the_epoch_typed(qtbot: QtBot, panel: GroupsPanel) -> None:
    pick(qtbot, panel.choice.combo, "unfreeze")
    assert panel.commands() == (CommandAt(at=Position(epoch=6), intervention=Unfreeze(group="backbone")),)
    panel.set_epochs(12)  # it was not edited, so it follows
    assert panel.commands() == (CommandAt(at=Position(epoch=3), intervention=Unfreeze(group="backbone")),)
    retype(qtbot, panel.fields.unfreeze.edit, "11")
    assert panel.commands() == (CommandAt(at=Position(epoch=12), intervention=Unfreeze(group="backbone")),)
    retype(qtbot, panel.fields.unfreeze.edit, "12")
    assert panel.commands() == ()
    assert panel.first_error() == "Groups: unfreeze after an epoch from 1 to 11"
    pick(qtbot, panel.choice.combo, "one")
    assert panel.commands() == ()
    assert panel.first_error() is None


def test_groups_are_shown_as_their_preset_or_as_patterns(qtbot: QtBot, panel: GroupsPanel) -> None:
    pick(qtbot, panel.choice.combo, "unfreeze")
    retype(qtbot, panel.fields.unfreeze.edit, "7")
    groups, interventions = panel.groups(), panel.commands()
    assert groups is not None
    again = GroupsPanel()
    qtbot.addWidget(again)
    again.set_network("resnet18")
    again.set_groups(groups, interventions)  # the modules are not known yet
    assert again.mode() == "patterns"
    assert again.groups() == groups
    assert again.commands() == interventions
    again.set_outline(RESNET)
    again.set_groups(groups, interventions)
    assert again.mode() == "unfreeze"
    assert again.commands() == interventions
    again.set_groups(groups)  # a recipe alone: frozen to the end, and shown so
    assert again.mode() == "patterns"
    assert again.commands() == ()


def test_a_group_of_patterns_is_frozen_until_an_epoch_or_to_the_end(qtbot: QtBot, panel: GroupsPanel) -> None:
    pick(qtbot, panel.choice.combo, "patterns")
    card = panel._cards[0]
    assert not card.unfreeze.isVisible()
    qtbot.keyClick(card.form.editor("frozen").control(), Qt.Key.Key_Space)
    assert card.unfreeze.isVisible()
    assert card.unfreeze.edit.placeholderText() == "never"
    assert panel.commands() == ()
    retype(qtbot, card.unfreeze.edit, "4")
    assert panel.commands() == (CommandAt(at=Position(epoch=5), intervention=Unfreeze(group="head")),)
    retype(qtbot, card.unfreeze.edit, "30")
    assert panel.first_error() == "Group 1: unfreeze after an epoch from 1 to 29"


def test_a_frozen_backbone_is_unfrozen_in_a_run_that_was_stopped_before(driver: Driver) -> None:
    driver.set_up(tiny(epochs=6))
    groups = driver.window.setup.groups
    pick(driver.qtbot, groups.choice.combo, "unfreeze")
    driver.wait(lambda: driver.window.setup.recipe() is not None)
    retype(driver.qtbot, groups.fields.unfreeze.edit, "3")
    recipe = driver.window.setup.recipe()
    assert recipe is not None
    assert [(g.name, g.frozen) for g in recipe.groups] == [("backbone", True), ("head", False)]
    assert driver.app.settings.last_commands == (
        CommandAt(at=Position(epoch=4), intervention=Unfreeze(group="backbone")),
    )
    driver.click(driver.window.transport, "Run 1 epoch")
    driver.reach("paused")
    assert driver.of("lr")[-1].frozen == [True, False]
    assert driver.shows(driver.window.setup, "backbone after epoch 3")
    driver.click(driver.window.transport, "Stop")
    driver.finish()
    driver.click(driver.window.banner, "Continue")
    driver.wait(lambda: len(driver.answers("unfreeze")) == 2)
    before, answer = driver.answers("unfreeze")
    assert before.status == "rejected"  # the run was stopped before that position
    assert (answer.status, answer.epoch, answer.batch) == ("applied", 4, 0)
    driver.finish()
    assert driver.of("lr")[-1].frozen == [False, False]
