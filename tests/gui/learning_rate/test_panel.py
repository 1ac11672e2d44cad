"""The hand panel: what a person does with keys and mouse, and the commands that come of it."""

from __future__ import annotations

from typing import Any

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QComboBox, QLabel, QLineEdit, QPushButton, QRadioButton, QSlider
from pytestqt.qtbot import QtBot

from engine.messages.commands import ReleaseLR, ScaleLR, SetLR
from gui.core.lr_text import is_begun, lr_text, read_lr
from gui.learning_rate.panel import LRPanel
from gui.learning_rate.staged_change import StagedChange
from gui.widgets.lr_slider import LRSlider

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")  # the offscreen platform's, not ours

LEFT = Qt.MouseButton.LeftButton


class Driver:
    """The panel, and what it said."""

    def __init__(self, panel: LRPanel, qtbot: QtBot) -> None:
        self.panel, self.qtbot = panel, qtbot
        self.commands: list[Any] = []
        self.staged: list[Any] = []
        panel.command_wanted.connect(self.commands.append)
        panel.staged.connect(self.staged.append)

    def one(self, lr: float = 0.01, plan: float = 0.01, *, holding: bool = False, touched: bool = False) -> None:
        self.panel.show_lrs(["all"], [lr], [plan], [holding], [touched])
        self.panel.set_enabled_because(None)

    def two(self, rest: float = 0.001, head: float = 0.01, holding: tuple[bool, bool] = (False, False)) -> None:
        self.panel.show_lrs(["rest", "head"], [rest, head], [0.001, 0.01], list(holding), [False, False])
        self.panel.set_enabled_because(None)

    def button(self, text: str) -> QPushButton:
        found = [b for b in self.panel.findChildren(QPushButton) if b.text().startswith(text) and b.isVisible()]
        assert len(found) == 1, text
        return found[0]

    def click(self, text: str) -> None:
        self.qtbot.mouseClick(self.button(text), LEFT)

    def radio(self, text: str) -> QRadioButton:
        (found,) = [b for b in self.panel.findChildren(QRadioButton) if b.text() == text]
        return found

    def choose(self, text: str) -> None:
        radio = self.radio(text)
        self.qtbot.mouseClick(radio, LEFT, pos=QPoint(8, radio.height() // 2))

    @property
    def field(self) -> QLineEdit:
        return self.panel.findChild(StagedChange).findChild(QLineEdit)

    @property
    def slider(self) -> QSlider:
        return self.panel.findChild(QSlider)

    def type(self, text: str) -> None:
        self.field.selectAll()
        self.qtbot.keyClicks(self.field, text)

    def says(self, part: str) -> bool:
        return any(part in w.text() for w in self.panel.findChildren(QLabel) if w.isVisibleTo(self.panel))


@pytest.fixture
def interventions(qtbot: QtBot) -> Driver:
    panel = LRPanel()
    qtbot.addWidget(panel)
    panel.resize(310, 560)
    panel.show()
    return Driver(panel, qtbot)


def test_quick_buttons_intervention_at_once_and_leave_follow_or_hold_alone(interventions: Driver) -> None:
    interventions.one()
    for text in ("÷10", "÷2", "×2", "×10"):
        interventions.click(text)
    assert interventions.commands == [ScaleLR(factor=f) for f in (0.1, 0.5, 2.0, 10.0)]
    assert interventions.staged == []


def test_a_typed_lr_is_staged_and_sent_only_by_apply(interventions: Driver) -> None:
    interventions.one()
    interventions.type("1e-3")
    assert interventions.staged[-1] == SetLR(lr=0.001, then="follow")
    assert interventions.commands == []
    assert interventions.says("0.01 -> 0.001")
    interventions.click("Apply")
    assert interventions.commands == [SetLR(lr=0.001, then="follow")]
    assert interventions.staged[-1] is None
    assert interventions.field.text() == "0.01"  # the confirmed rate, until an event brings another


def test_what_was_sent_is_said_until_an_event_answers(interventions: Driver) -> None:
    interventions.one()
    interventions.click("÷2")
    assert interventions.says("It applies at the next batch")
    interventions.one(0.005, 0.01, touched=True)
    assert not interventions.says("It applies at the next batch")
    interventions.click("÷2")
    interventions.panel.show_warning("the rest of the curve rises to 0.2")
    assert not interventions.says("It applies at the next batch")
    assert interventions.says("rises to 0.2")
    interventions.click("÷2")
    assert not interventions.says("rises to 0.2")


def test_enter_in_the_field_applies(interventions: Driver) -> None:
    interventions.one()
    interventions.type("0.05")
    interventions.qtbot.keyClick(interventions.field, Qt.Key.Key_Return)
    assert interventions.commands == [SetLR(lr=0.05, then="follow")]
    interventions.qtbot.keyClick(interventions.field, Qt.Key.Key_Return)
    assert len(interventions.commands) == 1


@pytest.mark.parametrize("where", ["field", "slider"])
def test_escape_drops_what_is_staged(interventions: Driver, where: str) -> None:
    interventions.one()
    interventions.type("0.5")
    interventions.qtbot.keyClick(getattr(interventions, where), Qt.Key.Key_Escape)
    assert interventions.staged[-1] is None
    assert interventions.field.text() == "0.01"
    assert not interventions.button("Apply").isEnabled()
    assert interventions.commands == []


def test_keep_this_lr_alone_stages_a_hold_of_the_lr_current(interventions: Driver) -> None:
    interventions.one()
    interventions.choose("Hold this LR")
    assert interventions.staged == [SetLR(lr=0.01, then="hold")]
    interventions.choose("Scale the schedule")
    assert interventions.staged[-1] is None
    interventions.choose("Hold this LR")
    interventions.type("0.2")
    interventions.click("Apply")
    assert interventions.commands == [SetLR(lr=0.2, then="hold")]


def test_a_quick_button_takes_the_choice_of_hold_with_it(interventions: Driver) -> None:
    interventions.one()
    interventions.choose("Hold this LR")
    interventions.click("÷2")
    assert interventions.commands == [ScaleLR(factor=0.5, then="hold")]
    assert interventions.staged[-1] is None


def test_the_choice_shows_what_is_confirmed(interventions: Driver) -> None:
    interventions.one(0.005, 0.01, holding=True)
    assert interventions.radio("Hold this LR").isChecked()
    assert interventions.says("held")
    interventions.one()
    assert interventions.radio("Scale the schedule").isChecked()


def test_the_slider_stages_on_keys_and_marks_two_digits(interventions: Driver) -> None:
    interventions.one()
    interventions.slider.setFocus()
    interventions.qtbot.keyClick(interventions.slider, Qt.Key.Key_Right)
    assert interventions.staged[-1] == SetLR(lr=0.011, then="follow")
    assert interventions.field.text() == "0.011"
    interventions.qtbot.keyClick(interventions.slider, Qt.Key.Key_Home)
    assert interventions.staged[-1] == SetLR(lr=1e-6, then="follow")


def test_dragging_the_handle_stages_and_sends_nothing(interventions: Driver) -> None:
    interventions.one()
    interventions.qtbot.wait(1)
    y = interventions.slider.height() // 2
    slider = interventions.panel.findChild(LRSlider)
    x = round(slider.slider().x_of(interventions.slider.value()))
    interventions.qtbot.mousePress(interventions.slider, LEFT, pos=QPoint(x, y))
    interventions.qtbot.mouseMove(interventions.slider, QPoint(x + 40, y))
    interventions.qtbot.mouseRelease(interventions.slider, LEFT, pos=QPoint(x + 40, y))
    assert interventions.staged[-1].lr > 0.03
    assert interventions.commands == []


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ("fast", "not a number"),
        ("-1", "0 or more"),
        ("2000", "at most 1000"),
        ("nan", "not a number"),
        ("1_0", "not a"),
    ],
)
def test_nonsense_is_answered_in_place_and_stages_nothing(interventions: Driver, typed: str, says: str) -> None:
    interventions.one()
    interventions.type(typed)
    interventions.qtbot.keyClick(interventions.field, Qt.Key.Key_Return)
    assert interventions.says(says)
    assert interventions.commands == []
    assert not interventions.button("Apply").isEnabled()
    assert interventions.staged[-1:] in ([], [None])
    interventions.click("Discard")
    assert interventions.field.text() == "0.01"
    assert not interventions.says(says)


def test_a_number_half_typed_is_no_mistake_yet(interventions: Driver) -> None:
    interventions.one()
    interventions.type("1e-")
    assert not interventions.says("not a number")
    interventions.qtbot.keyClick(interventions.field, Qt.Key.Key_Return)
    assert interventions.says("not a number")


def test_confirmed_lrs_do_not_overwrite_what_is_being_typed(interventions: Driver) -> None:
    interventions.one()
    interventions.type("0.2")
    interventions.one(0.009, 0.009)
    assert interventions.field.text() == "0.2"
    assert interventions.says("0.009 -> 0.2")
    interventions.click("Apply")
    assert interventions.commands == [SetLR(lr=0.2, then="follow")]


def test_the_chip_says_the_factor_and_hides_at_one(interventions: Driver) -> None:
    interventions.one(0.005, 0.01, touched=True)
    assert interventions.says("×0.5 of schedule")
    interventions.one(0.01, 0.01, touched=True)
    assert not interventions.says("of schedule")


def test_back_to_schedule_only_where_interventions_has_been(interventions: Driver) -> None:
    interventions.one(0.0025, 0.0025)
    back = interventions.button("Return to schedule (0.0025)")
    assert not back.isEnabled()
    assert "follows the schedule already" in back.toolTip()
    interventions.one(0.005, 0.0025, touched=True)
    interventions.click("Return to schedule (0.0025)")
    assert interventions.commands == [ReleaseLR()]


def test_one_group_has_no_group_buttons(interventions: Driver) -> None:
    interventions.one()
    assert not [
        b
        for b in interventions.panel.findChildren(QPushButton)
        if b.text() == "All" and b.isVisibleTo(interventions.panel)
    ]
    assert not interventions.panel.findChild(QComboBox).isVisibleTo(interventions.panel)


def test_all_groups_are_scaled_by_buttons_and_by_a_typed_rate(interventions: Driver) -> None:
    interventions.two()
    assert interventions.says("0.001 – 0.01")
    interventions.click("÷2")
    interventions.type("0.02")
    assert interventions.says("head 0.01 -> 0.02")
    interventions.click("Apply")
    assert interventions.commands == [ScaleLR(factor=0.5), ScaleLR(factor=2.0)]


def test_a_typed_lr_for_all_is_scaled_from_the_lr_at_that_position(interventions: Driver) -> None:
    interventions.two()
    interventions.type("0.02")
    interventions.two(0.0005, 0.005)
    assert interventions.staged[-1] == ScaleLR(factor=4.0)


def test_all_groups_cannot_be_scaled_to_zero(interventions: Driver) -> None:
    interventions.two()
    interventions.type("0")
    assert interventions.says("Choose one group")
    interventions.click("head")
    interventions.type("0")
    assert interventions.staged[-1] == SetLR(lr=0.0, then="follow", group="head")


def test_one_group_of_several_is_set_by_name(interventions: Driver) -> None:
    chosen: list[str | None] = []
    interventions.panel.group_chosen.connect(chosen.append)
    interventions.two()
    interventions.click("head")
    interventions.type("0.05")
    interventions.click("Apply")
    interventions.click("×2")
    assert chosen == ["head"]
    assert interventions.commands == [SetLR(lr=0.05, then="follow", group="head"), ScaleLR(factor=2.0, group="head")]


def test_choosing_another_group_drops_what_was_staged(interventions: Driver) -> None:
    interventions.two()
    interventions.type("0.05")
    interventions.click("rest")
    assert interventions.staged[-1] is None
    assert interventions.field.text() == "0.001"


def test_groups_that_differ_show_neither_choice_and_a_scale_keeps_both(interventions: Driver) -> None:
    interventions.two(holding=(True, False))
    assert not interventions.radio("Hold this LR").isChecked()
    assert not interventions.radio("Scale the schedule").isChecked()
    assert interventions.says("1 of 2 held")
    interventions.type("0.02")
    interventions.click("Apply")
    assert interventions.commands == [ScaleLR(factor=2.0, then="keep")]


def test_many_groups_become_a_list(interventions: Driver) -> None:
    names = [f"features.layer{i}" for i in range(12)]
    interventions.panel.show_lrs(names, [0.1] * 12, [0.1] * 12, [False] * 12, [False] * 12)
    interventions.panel.set_enabled_because(None)
    box = interventions.panel.findChild(QComboBox)
    assert box.isVisibleTo(interventions.panel)
    interventions.qtbot.keyClick(box, Qt.Key.Key_Down)
    interventions.click("÷2")
    assert interventions.commands == [ScaleLR(factor=0.5, group=names[0])]


def test_a_lr_of_zero_disables_factors_and_says_why(interventions: Driver) -> None:
    interventions.one(0.0, 0.0, holding=True)
    assert not interventions.button("×2").isEnabled()
    assert "which no factor changes" in interventions.button("×2").toolTip()
    interventions.type("0.01")
    assert interventions.staged[-1] == SetLR(lr=0.01, then="hold")


def test_a_factor_may_not_pass_the_largest_rate(interventions: Driver) -> None:
    interventions.one(200.0, 200.0)
    assert not interventions.button("×10").isEnabled()
    assert interventions.button("×2").isEnabled()


def test_disabled_for_a_reason_says_it_everywhere_and_drops_the_staged(interventions: Driver) -> None:
    interventions.one()
    interventions.type("0.5")
    interventions.panel.set_enabled_because("The run has finished.")
    assert interventions.staged[-1] is None
    for widget in (
        interventions.field,
        interventions.button("÷2"),
        interventions.button("Return"),
        interventions.radio("Hold this LR"),
    ):
        assert not widget.isEnabled()
        assert "The run has finished." in widget.toolTip()
    interventions.panel.stage_lr(0.3)
    assert interventions.staged[-1] is None


def test_a_drag_in_the_plot_stages(interventions: Driver) -> None:
    interventions.one()
    interventions.panel.stage_lr(0.03)
    assert interventions.staged == [SetLR(lr=0.03, then="follow")]
    assert interventions.field.text() == "0.03"
    interventions.panel.stage_lr(1e9)
    assert interventions.staged[-1] == SetLR(lr=1000.0, then="follow")
    interventions.panel.stage_lr(float("nan"))
    assert interventions.staged[-1] == SetLR(lr=1000.0, then="follow")


def test_the_offer_to_hold_sends_the_same_lr_held(interventions: Driver) -> None:
    interventions.one(0.0, 0.0)
    interventions.panel.offer_hold(SetLR(lr=0.1, then="follow"))
    assert interventions.says("The scheduled LR is 0 here")
    interventions.click("Hold this LR instead")
    assert interventions.commands == [SetLR(lr=0.1, then="hold")]
    assert not interventions.says("The scheduled LR is 0 here")


def test_other_groups_drop_what_was_staged(interventions: Driver) -> None:
    interventions.two()
    interventions.type("0.05")
    interventions.one()
    assert interventions.staged[-1] is None
    assert interventions.field.text() == "0.01"


@pytest.mark.parametrize(
    ("typed", "value"),
    [("1e-3", 0.001), (" 0.5 ", 0.5), (".25", 0.25), ("3.", 3.0), ("0,005", 0.005), ("1E2", 100.0), ("-0", 0.0)],
)
def test_lrs_are_read_as_people_write_them(typed: str, value: float) -> None:
    assert read_lr(typed) == value


@pytest.mark.parametrize("typed", ["", "1,000.5", "1 0", "inf", "0x1", "--1", "1e", "1001", "１"])
def test_what_is_no_lr_is_refused(typed: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        read_lr(typed)


def test_a_number_that_is_begun_is_said_from_a_finished_one() -> None:
    assert [is_begun(t) for t in ("1e", "1e-", ".", "", "0.1", "x", "1e-3")] == [True] * 4 + [False] * 3


def test_lrs_are_written_as_people_write_them() -> None:
    assert [lr_text(v) for v in (0.005, 5e-5, 0.0001, 1.0, 100.0, 1e-12)] == [
        "0.005",
        "5e-5",
        "0.0001",
        "1",
        "100",
        "1e-12",
    ]


def test_the_slider_widens_for_a_lr_outside_and_never_narrows(qtbot: QtBot) -> None:
    slider = LRSlider()
    qtbot.addWidget(slider)
    moved: list[float] = []
    slider.moved.connect(moved.append)
    slider.show_lr(30.0)
    assert slider.value_lr() == 30.0
    slider.show_lr(0.01)
    low, high = slider.span()
    assert (low, high) == (pytest.approx(1e-6), pytest.approx(100))
    assert moved == []
