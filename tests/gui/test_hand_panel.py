"""The hand panel: what a person does with keys and mouse, and the commands that come of it."""

from __future__ import annotations

from typing import Any

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QComboBox, QLabel, QLineEdit, QPushButton, QRadioButton, QSlider
from pytestqt.qtbot import QtBot

from engine.commands import ReleaseLR, ScaleLR, SetLR
from gui.panels.hand import HandPanel
from gui.panels.slider import LogSlider, is_begun, rate_text, read_rate
from gui.panels.stage import StagedChange

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")  # the offscreen platform's, not ours

LEFT = Qt.MouseButton.LeftButton


class Driver:
    """The panel, and what it said."""

    def __init__(self, panel: HandPanel, qtbot: QtBot) -> None:
        self.panel, self.qtbot = panel, qtbot
        self.commands: list[Any] = []
        self.staged: list[Any] = []
        panel.command_wanted.connect(self.commands.append)
        panel.staged.connect(self.staged.append)

    def one(self, lr: float = 0.01, plan: float = 0.01, *, holding: bool = False, touched: bool = False) -> None:
        self.panel.show_rates(["all"], [lr], [plan], [holding], [touched])
        self.panel.set_enabled_because(None)

    def two(self, rest: float = 0.001, head: float = 0.01, holding: tuple[bool, bool] = (False, False)) -> None:
        self.panel.show_rates(["rest", "head"], [rest, head], [0.001, 0.01], list(holding), [False, False])
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
def hand(qtbot: QtBot) -> Driver:
    panel = HandPanel()
    qtbot.addWidget(panel)
    panel.resize(310, 560)
    panel.show()
    return Driver(panel, qtbot)


def test_quick_buttons_act_at_once_and_leave_follow_or_hold_alone(hand: Driver) -> None:
    hand.one()
    for text in ("÷10", "÷2", "×2", "×10"):
        hand.click(text)
    assert hand.commands == [ScaleLR(factor=f) for f in (0.1, 0.5, 2.0, 10.0)]
    assert hand.staged == []


def test_a_typed_rate_is_staged_and_sent_only_by_apply(hand: Driver) -> None:
    hand.one()
    hand.type("1e-3")
    assert hand.staged[-1] == SetLR(lr=0.001, then="follow")
    assert hand.commands == []
    assert hand.says("0.01 → 0.001")
    hand.click("Apply")
    assert hand.commands == [SetLR(lr=0.001, then="follow")]
    assert hand.staged[-1] is None
    assert hand.field.text() == "0.01"  # the confirmed rate, until an event brings another


def test_what_was_sent_is_said_until_an_event_answers(hand: Driver) -> None:
    hand.one()
    hand.click("÷2")
    assert hand.says("It acts at the next batch")
    hand.one(0.005, 0.01, touched=True)
    assert not hand.says("It acts at the next batch")
    hand.click("÷2")
    hand.panel.show_warning("the rest of the curve rises to 0.2")
    assert not hand.says("It acts at the next batch")
    assert hand.says("rises to 0.2")
    hand.click("÷2")
    assert not hand.says("rises to 0.2")


def test_enter_in_the_field_applies(hand: Driver) -> None:
    hand.one()
    hand.type("0.05")
    hand.qtbot.keyClick(hand.field, Qt.Key.Key_Return)
    assert hand.commands == [SetLR(lr=0.05, then="follow")]
    hand.qtbot.keyClick(hand.field, Qt.Key.Key_Return)
    assert len(hand.commands) == 1


@pytest.mark.parametrize("where", ["field", "slider"])
def test_escape_drops_what_is_staged(hand: Driver, where: str) -> None:
    hand.one()
    hand.type("0.5")
    hand.qtbot.keyClick(getattr(hand, where), Qt.Key.Key_Escape)
    assert hand.staged[-1] is None
    assert hand.field.text() == "0.01"
    assert not hand.button("Apply").isEnabled()
    assert hand.commands == []


def test_keep_this_lr_alone_stages_a_hold_of_the_rate_in_force(hand: Driver) -> None:
    hand.one()
    hand.choose("Keep this LR")
    assert hand.staged == [SetLR(lr=0.01, then="hold")]
    hand.choose("Keep the curve's shape")
    assert hand.staged[-1] is None
    hand.choose("Keep this LR")
    hand.type("0.2")
    hand.click("Apply")
    assert hand.commands == [SetLR(lr=0.2, then="hold")]


def test_a_quick_button_takes_the_choice_of_hold_with_it(hand: Driver) -> None:
    hand.one()
    hand.choose("Keep this LR")
    hand.click("÷2")
    assert hand.commands == [ScaleLR(factor=0.5, then="hold")]
    assert hand.staged[-1] is None


def test_the_choice_shows_what_is_confirmed(hand: Driver) -> None:
    hand.one(0.005, 0.01, holding=True)
    assert hand.radio("Keep this LR").isChecked()
    assert hand.says("held")
    hand.one()
    assert hand.radio("Keep the curve's shape").isChecked()


def test_the_slider_stages_on_keys_and_marks_two_digits(hand: Driver) -> None:
    hand.one()
    hand.slider.setFocus()
    hand.qtbot.keyClick(hand.slider, Qt.Key.Key_Right)
    assert hand.staged[-1] == SetLR(lr=0.011, then="follow")
    assert hand.field.text() == "0.011"
    hand.qtbot.keyClick(hand.slider, Qt.Key.Key_Home)
    assert hand.staged[-1] == SetLR(lr=1e-6, then="follow")


def test_dragging_the_handle_stages_and_sends_nothing(hand: Driver) -> None:
    hand.one()
    hand.qtbot.wait(1)
    y = hand.slider.height() // 2
    slider = hand.panel.findChild(LogSlider)
    x = round(slider.slider().x_of(hand.slider.value()))
    hand.qtbot.mousePress(hand.slider, LEFT, pos=QPoint(x, y))
    hand.qtbot.mouseMove(hand.slider, QPoint(x + 40, y))
    hand.qtbot.mouseRelease(hand.slider, LEFT, pos=QPoint(x + 40, y))
    assert hand.staged[-1].lr > 0.03
    assert hand.commands == []


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
def test_nonsense_is_answered_in_place_and_stages_nothing(hand: Driver, typed: str, says: str) -> None:
    hand.one()
    hand.type(typed)
    hand.qtbot.keyClick(hand.field, Qt.Key.Key_Return)
    assert hand.says(says)
    assert hand.commands == []
    assert not hand.button("Apply").isEnabled()
    assert hand.staged[-1:] in ([], [None])
    hand.click("Drop")
    assert hand.field.text() == "0.01"
    assert not hand.says(says)


def test_a_number_half_typed_is_no_mistake_yet(hand: Driver) -> None:
    hand.one()
    hand.type("1e-")
    assert not hand.says("not a number")
    hand.qtbot.keyClick(hand.field, Qt.Key.Key_Return)
    assert hand.says("not a number")


def test_confirmed_rates_do_not_overwrite_what_is_being_typed(hand: Driver) -> None:
    hand.one()
    hand.type("0.2")
    hand.one(0.009, 0.009)
    assert hand.field.text() == "0.2"
    assert hand.says("0.009 → 0.2")
    hand.click("Apply")
    assert hand.commands == [SetLR(lr=0.2, then="follow")]


def test_the_chip_says_the_factor_and_hides_at_one(hand: Driver) -> None:
    hand.one(0.005, 0.01, touched=True)
    assert hand.says("×0.5 of plan")
    hand.one(0.01, 0.01, touched=True)
    assert not hand.says("of plan")


def test_back_to_plan_only_where_the_hand_has_been(hand: Driver) -> None:
    hand.one(0.0025, 0.0025)
    back = hand.button("Back to plan (0.0025)")
    assert not back.isEnabled()
    assert "on the plan already" in back.toolTip()
    hand.one(0.005, 0.0025, touched=True)
    hand.click("Back to plan (0.0025)")
    assert hand.commands == [ReleaseLR()]


def test_one_group_has_no_group_buttons(hand: Driver) -> None:
    hand.one()
    assert not [b for b in hand.panel.findChildren(QPushButton) if b.text() == "All" and b.isVisibleTo(hand.panel)]
    assert not hand.panel.findChild(QComboBox).isVisibleTo(hand.panel)


def test_all_groups_are_scaled_by_buttons_and_by_a_typed_rate(hand: Driver) -> None:
    hand.two()
    assert hand.says("0.001 – 0.01")
    hand.click("÷2")
    hand.type("0.02")
    assert hand.says("head 0.01 → 0.02")
    hand.click("Apply")
    assert hand.commands == [ScaleLR(factor=0.5), ScaleLR(factor=2.0)]


def test_a_typed_rate_for_all_is_scaled_from_the_rate_at_that_moment(hand: Driver) -> None:
    hand.two()
    hand.type("0.02")
    hand.two(0.0005, 0.005)
    assert hand.staged[-1] == ScaleLR(factor=4.0)


def test_all_groups_cannot_be_scaled_to_zero(hand: Driver) -> None:
    hand.two()
    hand.type("0")
    assert hand.says("Choose one group")
    hand.click("head")
    hand.type("0")
    assert hand.staged[-1] == SetLR(lr=0.0, then="follow", group="head")


def test_one_group_of_several_is_set_by_name(hand: Driver) -> None:
    chosen: list[str | None] = []
    hand.panel.group_chosen.connect(chosen.append)
    hand.two()
    hand.click("head")
    hand.type("0.05")
    hand.click("Apply")
    hand.click("×2")
    assert chosen == ["head"]
    assert hand.commands == [SetLR(lr=0.05, then="follow", group="head"), ScaleLR(factor=2.0, group="head")]


def test_choosing_another_group_drops_what_was_staged(hand: Driver) -> None:
    hand.two()
    hand.type("0.05")
    hand.click("rest")
    assert hand.staged[-1] is None
    assert hand.field.text() == "0.001"


def test_groups_that_differ_show_neither_choice_and_a_scale_keeps_both(hand: Driver) -> None:
    hand.two(holding=(True, False))
    assert not hand.radio("Keep this LR").isChecked()
    assert not hand.radio("Keep the curve's shape").isChecked()
    assert hand.says("1 of 2 held")
    hand.type("0.02")
    hand.click("Apply")
    assert hand.commands == [ScaleLR(factor=2.0, then="keep")]


def test_many_groups_become_a_list(hand: Driver) -> None:
    names = [f"features.layer{i}" for i in range(12)]
    hand.panel.show_rates(names, [0.1] * 12, [0.1] * 12, [False] * 12, [False] * 12)
    hand.panel.set_enabled_because(None)
    box = hand.panel.findChild(QComboBox)
    assert box.isVisibleTo(hand.panel)
    hand.qtbot.keyClick(box, Qt.Key.Key_Down)
    hand.click("÷2")
    assert hand.commands == [ScaleLR(factor=0.5, group=names[0])]


def test_a_rate_of_zero_disables_factors_and_says_why(hand: Driver) -> None:
    hand.one(0.0, 0.0, holding=True)
    assert not hand.button("×2").isEnabled()
    assert "no factor lifts it" in hand.button("×2").toolTip()
    hand.type("0.01")
    assert hand.staged[-1] == SetLR(lr=0.01, then="hold")


def test_a_factor_may_not_pass_the_largest_rate(hand: Driver) -> None:
    hand.one(200.0, 200.0)
    assert not hand.button("×10").isEnabled()
    assert hand.button("×2").isEnabled()


def test_disabled_for_a_reason_says_it_everywhere_and_drops_the_staged(hand: Driver) -> None:
    hand.one()
    hand.type("0.5")
    hand.panel.set_enabled_because("The run has finished.")
    assert hand.staged[-1] is None
    for widget in (hand.field, hand.button("÷2"), hand.button("Back"), hand.radio("Keep this LR")):
        assert not widget.isEnabled()
        assert "The run has finished." in widget.toolTip()
    hand.panel.stage_lr(0.3)
    assert hand.staged[-1] is None


def test_a_drag_in_the_plot_stages(hand: Driver) -> None:
    hand.one()
    hand.panel.stage_lr(0.03)
    assert hand.staged == [SetLR(lr=0.03, then="follow")]
    assert hand.field.text() == "0.03"
    hand.panel.stage_lr(1e9)
    assert hand.staged[-1] == SetLR(lr=1000.0, then="follow")
    hand.panel.stage_lr(float("nan"))
    assert hand.staged[-1] == SetLR(lr=1000.0, then="follow")


def test_the_offer_to_hold_sends_the_same_rate_held(hand: Driver) -> None:
    hand.one(0.0, 0.0)
    hand.panel.offer_hold(SetLR(lr=0.1, then="follow"))
    assert hand.says("The plan is 0 here")
    hand.click("Keep this LR instead")
    assert hand.commands == [SetLR(lr=0.1, then="hold")]
    assert not hand.says("The plan is 0 here")


def test_other_groups_drop_what_was_staged(hand: Driver) -> None:
    hand.two()
    hand.type("0.05")
    hand.one()
    assert hand.staged[-1] is None
    assert hand.field.text() == "0.01"


@pytest.mark.parametrize(
    ("typed", "value"),
    [("1e-3", 0.001), (" 0.5 ", 0.5), (".25", 0.25), ("3.", 3.0), ("0,005", 0.005), ("1E2", 100.0), ("-0", 0.0)],
)
def test_rates_are_read_as_people_write_them(typed: str, value: float) -> None:
    assert read_rate(typed) == value


@pytest.mark.parametrize("typed", ["", "1,000.5", "1 0", "inf", "0x1", "--1", "1e", "1001", "１"])
def test_what_is_no_rate_is_refused(typed: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        read_rate(typed)


def test_a_number_that_is_begun_is_told_from_a_finished_one() -> None:
    assert [is_begun(t) for t in ("1e", "1e-", ".", "", "0.1", "x", "1e-3")] == [True] * 4 + [False] * 3


def test_rates_are_written_as_people_write_them() -> None:
    assert [rate_text(v) for v in (0.005, 5e-5, 0.0001, 1.0, 100.0, 1e-12)] == [
        "0.005",
        "5e-5",
        "0.0001",
        "1",
        "100",
        "1e-12",
    ]


def test_the_slider_widens_for_a_rate_outside_and_never_narrows(qtbot: QtBot) -> None:
    slider = LogSlider()
    qtbot.addWidget(slider)
    moved: list[float] = []
    slider.moved.connect(moved.append)
    slider.show_rate(30.0)
    assert slider.rate() == 30.0
    slider.show_rate(0.01)
    low, high = slider.span()
    assert (low, high) == (pytest.approx(1e-6), pytest.approx(100))
    assert moved == []
