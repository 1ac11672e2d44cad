"""Forms made from specs: typing, the spec's errors, and signals for edits only."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QWidget
from pytestqt.qtbot import QtBot

from engine.common.spec import Spec
from engine.recipe.recipe import SGD, Adam, DataSpec, Recipe
from engine.schedules import SCHEDULES, ComposedSpec, Drawn, MultiStepLR, OneCycleLR, ReduceLROnPlateau, StepLR
from gui.widgets.fields import LineEditor, float_text
from gui.widgets.forms import SpecForm

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")  # a warning of the offscreen platform


def show(qtbot: QtBot, form: SpecForm, width: int = 300) -> SpecForm:
    qtbot.addWidget(form)
    form.resize(width, 400)
    with qtbot.waitExposed(form):
        form.show()
    return form


def retype(qtbot: QtBot, form: SpecForm, field: str, text: str) -> None:
    edit = form.editor(field).control()
    edit.setFocus()
    qtbot.keyClick(edit, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    qtbot.keyClick(edit, Qt.Key.Key_Delete)
    if text:
        qtbot.keyClicks(edit, text)


def pick(qtbot: QtBot, combo: QWidget, value: str) -> None:
    """Choose an entry of a combo box with the keyboard."""
    assert isinstance(combo, QComboBox)
    combo.setFocus()
    qtbot.keyClick(combo, Qt.Key.Key_Home)
    for _ in range(combo.findData(value)):
        qtbot.keyClick(combo, Qt.Key.Key_Down)
    assert combo.currentData() == value


@pytest.mark.parametrize(
    ("value", "text"), [(0.001, "0.001"), (1e-8, "1e-8"), (30.0, "30"), (1 / 3, repr(1 / 3)), (1e22, "1e22")]
)
def test_numbers_are_written_short_and_without_loss(value: float, text: str) -> None:
    assert float_text(value) == text
    assert float(text) == value


def test_typing_emits_the_spec_at_each_valid_keystroke(qtbot: QtBot) -> None:
    form = show(qtbot, SpecForm(SGD, {"lr": 0.01, "momentum": 0.9}))
    seen: list[object] = []
    form.changed.connect(seen.append)
    retype(qtbot, form, "lr", "1e-3")
    assert seen[-1] == SGD(lr=1e-3, momentum=0.9) == form.value()
    assert None in seen  # "1e" and "1e-" are not numbers


def test_the_specs_error_is_shown_while_typing_and_nothing_moves(qtbot: QtBot) -> None:
    form = show(qtbot, SpecForm(StepLR, {"step_size": 10}))
    before = [(w.pos(), w.size()) for w in form.findChildren(QWidget)]
    height = form.sizeHint().height()
    retype(qtbot, form, "gamma", "20")
    assert form.errors() == {"gamma": "must be at most 10; it is 20"}
    assert form.value() is None
    note = form.note("gamma")
    assert note.is_error()
    assert note.isVisible()
    assert note.full_text() == "must be at most 10; it is 20"
    qtbot.wait(1)
    assert [(w.pos(), w.size()) for w in form.findChildren(QWidget)] == before
    assert form.sizeHint().height() == height
    assert form.editor("gamma").control().accessibleDescription() == note.full_text()
    retype(qtbot, form, "gamma", "0.5")
    assert form.errors() == {}
    assert not note.is_error()
    assert note.full_text() == "usually 0.1 to 0.5"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "is required"),
        ("x", "must be a whole number; it is 'x'"),
        ("2.5", "must be a whole number; it is 2.5"),
        ("0", "must be at least 1; it is 0"),
    ],
)
def test_a_required_whole_number_shows_what_is_wrong(qtbot: QtBot, text: str, problem: str) -> None:
    form = show(qtbot, SpecForm(StepLR, {"step_size": 10}))
    retype(qtbot, form, "step_size", text)
    assert form.errors() == {"step_size": problem}


def test_an_empty_field_takes_its_default_and_the_placeholder_shows_it(qtbot: QtBot) -> None:
    form = show(qtbot, SpecForm(StepLR, {"step_size": 10, "gamma": 0.5}))
    retype(qtbot, form, "gamma", "")
    assert form.value() == StepLR(step_size=10, gamma=0.1)
    editor = form.editor("gamma")
    assert isinstance(editor, LineEditor)
    assert editor.edit.placeholderText() == "0.1"


def test_a_list_is_read_and_an_error_names_the_wrong_number(qtbot: QtBot) -> None:
    form = show(qtbot, SpecForm(MultiStepLR, {"milestones": (15,)}))
    retype(qtbot, form, "milestones", "[15, 30 45]")
    assert form.value() == MultiStepLR(milestones=(15, 30, 45))
    retype(qtbot, form, "milestones", "15, 0")
    assert form.errors() == {"milestones": "number 2: must be at least 1; it is 0"}
    retype(qtbot, form, "milestones", "30, 15")
    assert form.errors() == {"milestones": "must be in increasing order; it is [30, 15]"}


def test_one_number_or_a_list_of_them_is_read_where_both_are_allowed(qtbot: QtBot) -> None:
    form = show(qtbot, SpecForm(OneCycleLR, {"max_lr": 0.5}))
    retype(qtbot, form, "max_lr", "0.1, 0.2")
    assert form.value() == OneCycleLR(max_lr=(0.1, 0.2))
    retype(qtbot, form, "max_lr", "0.3")
    assert form.value() == OneCycleLR(max_lr=0.3)
    retype(qtbot, form, "max_lr", "0.1, 0")
    assert form.errors() == {"max_lr": "number 2: must be greater than 0; it is 0"}


def test_arrow_keys_change_a_whole_number_within_its_range(qtbot: QtBot) -> None:
    form = show(qtbot, SpecForm(DataSpec, only=("batch_size",)))
    edit = form.editor("batch_size").control()
    for key in (Qt.Key.Key_Up, Qt.Key.Key_PageUp, Qt.Key.Key_Down):
        qtbot.keyClick(edit, key)
    assert form.value() == DataSpec(batch_size=74)
    retype(qtbot, form, "batch_size", "1")
    qtbot.keyClick(edit, Qt.Key.Key_Down)
    assert form.value() == DataSpec(batch_size=1)


def test_a_rule_between_two_fields_is_shown_at_the_wrong_field(qtbot: QtBot) -> None:
    form = show(qtbot, SpecForm(SGD))
    box = form.editor("nesterov").control()
    qtbot.keyClick(box, Qt.Key.Key_Space)
    assert form.errors() == {"nesterov": "needs a momentum above 0 and a dampening of 0"}
    assert form.note("nesterov").toolTip() in ("", "needs a momentum above 0 and a dampening of 0")
    retype(qtbot, form, "momentum", "0.9")
    assert form.value() == SGD(momentum=0.9, nesterov=True)


def test_a_click_on_more_shows_and_hides_advanced_fields(qtbot: QtBot) -> None:
    form = show(qtbot, SpecForm(ReduceLROnPlateau))
    assert form.editor("patience").isVisible()
    assert not form.editor("cooldown").isVisible()
    qtbot.mouseClick(form._more, Qt.MouseButton.LeftButton)
    assert form.editor("cooldown").isVisible()
    qtbot.mouseClick(form._more, Qt.MouseButton.LeftButton)
    assert not form.editor("cooldown").isVisible()


def test_an_error_in_an_advanced_field_shows_it(qtbot: QtBot) -> None:
    form = show(qtbot, SpecForm(ReduceLROnPlateau))
    form.set_fields({"interval": "step"})
    assert form.editor("interval").isVisible()
    assert form.errors() == {"interval": "must be 'epoch' here: the metric is measured once per epoch"}


def test_set_value_shows_every_field_and_emits_nothing(qtbot: QtBot) -> None:
    form = show(qtbot, SpecForm(Adam))
    wanted = Adam(lr=0.003, betas=(0.8, 0.99), eps=1e-6, amsgrad=True, weight_decay=0.01)
    with qtbot.assertNotEmitted(form.changed):
        form.set_value(wanted)
    assert form.value() == wanted


def test_fields_without_a_row_keep_their_value(qtbot: QtBot) -> None:
    form = show(qtbot, SpecForm(Recipe, only=("epochs", "seed")))
    form.set_value(Recipe(epochs=7, precision="bfloat16"))
    retype(qtbot, form, "seed", "3")
    assert form.value() == Recipe(epochs=7, seed=3, precision="bfloat16")


def test_a_hidden_row_is_not_part_of_the_value(qtbot: QtBot) -> None:
    form = show(qtbot, SpecForm(DataSpec, {"root": "/data"}))
    assert form.value() == DataSpec(root="/data")
    form.show_row("root", False)
    assert form.value() == DataSpec()


def test_the_tooltip_of_a_disabled_row_gives_the_reason(qtbot: QtBot) -> None:
    form = show(qtbot, SpecForm(SGD))
    form.enable_row("lr", False, "The expression gives it.")
    control = form.editor("lr").control()
    assert not control.isEnabled()
    assert "The expression gives it." in control.toolTip()
    form.enable_row("lr", True)
    assert "Size of the update steps." in control.toolTip()


@pytest.mark.parametrize(
    "kind",
    [*(kind for kind in SCHEDULES if not issubclass(kind, ComposedSpec) and kind is not Drawn), SGD, Adam, DataSpec],
)
def test_every_control_has_a_name_and_a_tooltip_with_its_range(qtbot: QtBot, kind: type[Spec]) -> None:
    initial = {"step_size": 5, "milestones": (5,), "gamma": 0.5, "T_max": 5, "lr_lambda": ("1",), "T_0": 5}
    initial |= {"base_lr": 0.01, "max_lr": 0.1}
    form = show(qtbot, SpecForm(kind, {k: v for k, v in initial.items() if k in kind.model_fields}))
    assert form.value() is not None
    for name, info in kind.model_fields.items():
        if name == "name" and kind is not DataSpec:
            continue
        control = form.editor(name).control()
        assert control.accessibleName() == info.title
        assert (info.description or "")[:20].split("<")[0] in control.toolTip().replace("&#x27;", "'")
    assert form.minimumSizeHint().width() <= 300


def test_a_tooltip_has_range_usual_range_and_default(qtbot: QtBot) -> None:
    form = show(qtbot, SpecForm(StepLR, {"step_size": 10}))
    tip = form.editor("gamma").control().toolTip()
    for part in (
        "What the LR is multiplied by at each reduction.",
        "more than 0, at most 10",
        "usually 0.1 to 0.5",
        "Default: 0.1",
    ):
        assert part in tip


def test_a_choice_is_made_with_the_keyboard(qtbot: QtBot) -> None:
    form = show(qtbot, SpecForm(ReduceLROnPlateau))
    with qtbot.waitSignal(form.changed):
        pick(qtbot, form.editor("monitor").control(), "train_loss")
    assert form.value().monitor == "train_loss"


def test_tab_moves_down_the_fields(qtbot: QtBot) -> None:
    form = show(qtbot, SpecForm(SGD))
    form.activateWindow()
    form.editor("lr").control().setFocus()
    visited = []
    for _ in range(4):
        visited.append(form.focusWidget())
        qtbot.keyClick(form.focusWidget(), Qt.Key.Key_Tab)
    names = ("lr", "weight_decay", "momentum", "nesterov")
    assert visited == [form.editor(n).control() for n in names]
