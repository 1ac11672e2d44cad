"""The setup panel: the recipe that the forms make, and what it shows if there is none."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton, QComboBox, QFileDialog, QLineEdit, QWidget
from pytestqt.qtbot import QtBot

from engine.recipe.recipe import SGD, Adam, AdamW, DataSpec, GroupSpec, GuardSpec, ModelSpec, Recipe, RMSprop
from engine.schedules import CosineAnnealingLR, LambdaLR, StepLR
from gui.setup.outline import owner, unmatched
from gui.setup.panel import SetupPanel
from gui.setup.path_fields import network_function

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")  # a warning of the offscreen platform

OUTLINE = [("conv1", 80), ("bn1", 16), ("block.0.conv", 1168), ("block.1.conv", 2320), ("fc", 650)]


@pytest.fixture
def panel(qtbot: QtBot) -> SetupPanel:
    made = SetupPanel()
    qtbot.addWidget(made)
    made.resize(300, 640)
    with qtbot.waitExposed(made):
        made.show()
    return made


def pick(qtbot: QtBot, combo: QWidget, value: str) -> None:
    assert isinstance(combo, QComboBox)
    combo.setFocus()
    qtbot.keyClick(combo, Qt.Key.Key_Home)
    for _ in range(combo.findData(value)):
        qtbot.keyClick(combo, Qt.Key.Key_Down)
    assert combo.currentData() == value


def retype(qtbot: QtBot, edit: QWidget, text: str) -> None:
    assert isinstance(edit, QLineEdit)
    edit.setFocus()
    edit.selectAll()
    qtbot.keyClicks(edit, text)


def click(qtbot: QtBot, button: QAbstractButton) -> None:
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def test_it_starts_with_the_default_recipe(panel: SetupPanel) -> None:
    assert panel.recipe() == Recipe()
    assert panel.first_error() is None


def test_a_recipe_is_shown_and_returned_unchanged_without_a_signal(qtbot: QtBot, panel: SetupPanel) -> None:
    recipe = Recipe(
        data=DataSpec(name="mnist", batch_size=32, augment=True, root="/data"),
        model=ModelSpec(name="resnet18", pretrained=True),
        optimizer=AdamW(lr=0.002, betas=(0.8, 0.99), eps=1e-7),
        schedule=CosineAnnealingLR(T_max=12),
        groups=(
            GroupSpec(name="early", modules=("conv1", "layer1"), frozen=True),
            GroupSpec(name="late", modules=("layer4.*",), lr=0.01, schedule=StepLR(step_size=3)),
        ),
        epochs=12,
        seed=2**63 - 1,
        device="cuda:3",
        precision="bfloat16",
    )
    with qtbot.assertNotEmitted(panel.recipe_changed):
        panel.set_recipe(recipe)
    assert panel.recipe() == recipe


def test_typed_epochs_make_a_new_recipe_and_wrong_ones_none(qtbot: QtBot, panel: SetupPanel) -> None:
    seen: list[Recipe | None] = []
    panel.recipe_changed.connect(seen.append)
    retype(qtbot, panel.length.editor("epochs").control(), "12")
    assert seen[-1] == Recipe(epochs=12)
    retype(qtbot, panel.length.editor("epochs").control(), "0")
    assert seen[-1] is None
    assert panel.first_error() == "Epochs: must be at least 1; it is 0"


@pytest.mark.parametrize(
    ("name", "wanted"),
    [("SGD", SGD(lr=0.01, momentum=0.9)), ("Adam", Adam()), ("AdamW", AdamW()), ("RMSprop", RMSprop(lr=0.001))],
)
def test_a_chosen_optimizer_has_its_usual_starting_lr(
    qtbot: QtBot, panel: SetupPanel, name: str, wanted: object
) -> None:
    pick(qtbot, panel.optimizer.combo, "RMSprop" if name != "RMSprop" else "Adam")
    retype(qtbot, panel.optimizers[panel.optimizer.raw()].editor("lr").control(), "0.5")
    pick(qtbot, panel.optimizer.combo, name)
    recipe = panel.recipe()
    assert recipe is not None
    assert recipe.optimizer == wanted
    assert panel.optimizers[name].isVisible()


def test_the_folder_is_shown_only_for_data_that_needs_one(qtbot: QtBot, panel: SetupPanel) -> None:
    root = panel.data.editor("root")
    assert not root.isVisible()
    pick(qtbot, panel.data.editor("name").control(), "mnist")
    assert root.isVisible()
    retype(qtbot, root.control(), "/data")
    assert panel.recipe() == Recipe(data=DataSpec(name="mnist", root="/data"))
    pick(qtbot, panel.data.editor("name").control(), "digits")
    assert panel.recipe() == Recipe()


def test_a_folder_is_chosen_with_the_browse_button(
    qtbot: QtBot, panel: SetupPanel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: "/chosen")
    pick(qtbot, panel.data.editor("name").control(), "mnist")
    click(qtbot, panel.data.editor("root").findChildren(QAbstractButton)[0])
    assert panel.recipe() == Recipe(data=DataSpec(name="mnist", root="/chosen"))


def test_missing_data_can_be_downloaded(qtbot: QtBot, panel: SetupPanel) -> None:
    pick(qtbot, panel.data.editor("name").control(), "mnist")
    panel.set_data_status("MNIST is not on this machine.", True)
    assert panel.status.text() == "MNIST is not on this machine."
    with qtbot.waitSignal(panel.download_requested) as asked:
        click(qtbot, panel.download)
    assert asked.args == [DataSpec(name="mnist")]
    pick(qtbot, panel.data.editor("name").control(), "digits")
    assert not panel.download.isVisible()
    assert not panel.status.isVisible()


def test_pretrained_is_enabled_only_if_there_are_weights(qtbot: QtBot, panel: SetupPanel) -> None:
    box = panel.model.editor("pretrained").control()
    assert not box.isEnabled()
    assert "no pretrained weights" in box.toolTip()
    pick(qtbot, panel.model.editor("name").control(), "resnet18")
    assert box.isEnabled()
    qtbot.keyClick(box, Qt.Key.Key_Space)
    assert panel.recipe() == Recipe(model=ModelSpec(name="resnet18", pretrained=True))
    pick(qtbot, panel.model.editor("name").control(), "lenet5")
    assert panel.recipe() == Recipe(model=ModelSpec(name="lenet5"))


def test_a_users_network_is_a_file_and_a_function(
    qtbot: QtBot, panel: SetupPanel, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "net.py"
    file.write_text("import torch\n\ndef helper(x): ...\n\ndef build(in_channels, num_classes): ...\n")
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(file), ""))
    pick(qtbot, panel.model.editor("name").control(), "")
    assert panel.recipe() is None
    click(qtbot, panel._network.browse)
    assert panel.recipe() == Recipe(model=ModelSpec(name=f"{file}:build"))
    retype(qtbot, panel._network.own.edit, "net.py:2x")
    assert panel.first_error() == "Network: '2x' is not a function name; enter FILE.py:FUNCTION"


def test_a_file_that_is_not_python_has_no_function(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_bytes(b"def f(:\x00")
    assert network_function(tmp_path / "a.py") == ""
    assert network_function(tmp_path / "missing.py") == ""


def test_devices_are_set_later_and_auto_names_one(qtbot: QtBot, panel: SetupPanel) -> None:
    combo = panel.training.machine.editor("device").control()
    assert isinstance(combo, QComboBox)
    assert combo.currentText() == "Auto (cpu)"
    panel.set_devices([("cuda:0", "H200"), ("cuda:1", "H200")])
    assert combo.currentText() == "Auto (cuda:0)"
    pick(qtbot, combo, "cuda:1")
    assert panel.recipe() == Recipe(device="cuda:1")
    panel.set_devices([("cuda:0", "H200"), ("cuda:1", "H200")])
    assert panel.recipe() == Recipe(device="cuda:1")


def test_the_schedule_comes_from_outside(qtbot: QtBot, panel: SetupPanel) -> None:
    with qtbot.waitSignal(panel.recipe_changed) as changed:
        panel.set_schedule(CosineAnnealingLR(T_max=30))
    assert changed.args == [Recipe(schedule=CosineAnnealingLR(T_max=30))]
    panel.set_schedule(None)
    assert panel.recipe() is None
    assert "schedule" in (panel.first_error() or "")


def test_an_expression_that_is_the_lr_itself_fixes_the_optimizers_lr_at_one(qtbot: QtBot, panel: SetupPanel) -> None:
    retype(qtbot, panel.optimizers["SGD"].editor("lr").control(), "0.02")
    pick(qtbot, panel.groups.choice.combo, "head")
    panel.set_base_lr(1.0)
    recipe = panel.recipe()
    assert recipe is not None
    assert recipe.optimizer.lr == 1.0
    assert recipe.groups[0].lr is None
    control = panel.optimizers["SGD"].editor("lr").control()
    assert not control.isEnabled()
    assert "is the LR itself" in control.toolTip()
    panel.set_base_lr(None)
    recipe = panel.recipe()
    assert recipe is not None
    assert (recipe.optimizer.lr, recipe.groups[0].lr) == (0.02, 0.2)


def test_a_recipe_whose_expression_is_the_lr_itself_is_shown_with_a_fixed_lr(panel: SetupPanel) -> None:
    recipe = Recipe(optimizer=SGD(lr=1.0, momentum=0.9), schedule=LambdaLR(lr_lambda=("0.01*0.9**epoch",)))
    panel.set_recipe(recipe)
    assert panel.recipe() == recipe
    assert not panel.optimizers["SGD"].editor("lr").control().isEnabled()


@pytest.mark.parametrize(
    ("network", "pattern"),
    [("small_cnn", "fc"), ("lenet5", "fc*"), ("resnet18", "fc"), ("vgg11_bn", "classifier")],
)
def test_head_and_rest_gives_the_last_layers_ten_times_the_lr(
    qtbot: QtBot, panel: SetupPanel, network: str, pattern: str
) -> None:
    pick(qtbot, panel.model.editor("name").control(), network)
    with qtbot.waitSignal(panel.outline_wanted) as wanted:
        pick(qtbot, panel.groups.choice.combo, "head")
    assert wanted.args == [ModelSpec(name=network), DataSpec()]
    recipe = panel.recipe()
    assert recipe is not None
    assert recipe.groups == (GroupSpec(name="head", modules=(pattern,), lr=0.1),)
    retype(qtbot, panel.optimizers["SGD"].editor("lr").control(), "0.003")
    recipe = panel.recipe()
    assert recipe is not None
    assert recipe.groups[0].lr == 0.03
    assert panel.group_names() == ["rest", "head"]
    panel.set_recipe(recipe)
    assert panel.groups.mode() == "head"


def test_patterns_show_what_they_match_and_are_wrong_if_that_is_nothing(qtbot: QtBot, panel: SetupPanel) -> None:
    pick(qtbot, panel.groups.choice.combo, "patterns")
    panel.set_outline(OUTLINE)
    first = panel.groups._cards[0].form
    assert first.note("modules").full_text() == "1 module, 650 parameters"
    retype(qtbot, first.editor("modules").control(), "block, fc")
    assert first.note("modules").full_text() == "3 modules, 4,138 parameters"
    assert panel.groups.summary.full_text() == "rest: 2 modules, 96 parameters, LR 0.01"
    retype(qtbot, first.editor("modules").control(), "layer9")
    assert first.note("modules").full_text() == "layer9 matches no module"
    assert first.note("modules").is_error()
    assert panel.recipe() is None
    assert panel.first_error() == "Group 1, modules: layer9 matches no module"


def test_the_first_matching_group_has_the_module_and_an_empty_group_is_wrong(qtbot: QtBot, panel: SetupPanel) -> None:
    pick(qtbot, panel.groups.choice.combo, "patterns")
    panel.set_outline(OUTLINE)
    retype(qtbot, panel.groups._cards[0].form.editor("modules").control(), "block")
    click(qtbot, panel.groups.add)
    second = panel.groups._cards[1].form
    retype(qtbot, second.editor("modules").control(), "block.0")
    assert second.note("modules").full_text() == "all matching modules belong to earlier groups"
    retype(qtbot, second.editor("modules").control(), "*conv*")
    assert second.note("modules").full_text() == "1 module, 80 parameters"
    retype(qtbot, second.editor("name").control(), "head")
    assert second.errors() == {"name": "head is used twice"}
    retype(qtbot, second.editor("name").control(), "rest")
    assert second.errors() == {"name": "rest is taken; choose another"}
    click(qtbot, panel.groups._cards[1].remove)
    recipe = panel.recipe()
    assert recipe is not None
    assert recipe.groups == (GroupSpec(name="head", modules=("block",), lr=0.1),)


def test_modules_belong_to_groups_as_in_the_engine() -> None:
    groups = [("block.1", "x"), ("block*",)]
    assert [owner(name, groups) for name, _ in OUTLINE] == [-1, -1, 1, 0, -1]
    assert owner("Block.1.conv", groups) == -1
    assert unmatched(("block.?", "BLOCK", "fc"), OUTLINE) == ["BLOCK"]


def test_the_modules_of_another_network_are_not_known(qtbot: QtBot, panel: SetupPanel) -> None:
    pick(qtbot, panel.groups.choice.combo, "patterns")
    panel.set_outline(OUTLINE)
    with qtbot.waitSignal(panel.outline_wanted) as wanted:
        pick(qtbot, panel.model.editor("name").control(), "lenet5")
    assert wanted.args[0] == ModelSpec(name="lenet5")
    assert panel.groups._cards[0].form.note("modules").full_text().startswith("Matching modules are shown")


def test_with_one_group_no_outline_is_wanted(qtbot: QtBot, panel: SetupPanel) -> None:
    with qtbot.assertNotEmitted(panel.outline_wanted):
        pick(qtbot, panel.model.editor("name").control(), "resnet18")


def test_while_a_run_trains_a_summary_and_duplicate_as_new_are_shown(qtbot: QtBot, panel: SetupPanel) -> None:
    panel.set_running([("Data set", "digits"), ("Schedule", "<StepLR>")])
    assert not panel._scroll.isVisible()
    assert panel.summary.isVisible()
    with qtbot.waitSignal(panel.duplicate_requested):
        click(qtbot, panel.duplicate)
    panel.set_running(None)
    assert panel._scroll.isVisible()


def test_it_fits_a_column_of_300_pixels(qtbot: QtBot, panel: SetupPanel) -> None:
    pick(qtbot, panel.data.editor("name").control(), "fashion_mnist")
    pick(qtbot, panel.model.editor("name").control(), "")
    for form in panel.optimizers.values():
        form.open_more()
    pick(qtbot, panel.groups.choice.combo, "patterns")
    for name in ("SGD", "Adam", "AdamW", "RMSprop"):
        pick(qtbot, panel.optimizer.combo, name)
        inner = panel._scroll.widget()
        assert inner.minimumSizeHint().width() <= panel._scroll.viewport().width()


def test_every_control_has_an_accessible_name(panel: SetupPanel) -> None:
    kinds = (QLineEdit, QComboBox, QAbstractButton)
    for widget in (w for kind in kinds for w in panel.findChildren(kind)):
        text = widget.text() if isinstance(widget, QAbstractButton) else ""
        assert widget.accessibleName() or text, widget


def test_the_loss_limit_is_under_more_and_empty_means_none(qtbot: QtBot, panel: SetupPanel) -> None:
    limit = panel.training.guard.editor("loss_limit").control()
    assert isinstance(limit, QLineEdit)
    assert not limit.isVisible()
    (more,) = [b for b in panel.training.findChildren(QAbstractButton) if b.text() == "More" and b.isVisible()]
    click(qtbot, more)
    assert limit.isVisible()
    assert limit.text() == "1000"
    retype(qtbot, limit, "20")
    assert panel.recipe() == Recipe(guard=GuardSpec(loss_limit=20.0))
    retype(qtbot, limit, "0")
    assert panel.first_error() == "Loss limit: must be greater than 0; it is 0"
    limit.selectAll()
    qtbot.keyClick(limit, Qt.Key.Key_Backspace)
    assert panel.recipe() == Recipe(guard=GuardSpec(loss_limit=None))
    assert limit.placeholderText() == "none"
    panel.set_recipe(Recipe())
    assert limit.text() == "1000"
