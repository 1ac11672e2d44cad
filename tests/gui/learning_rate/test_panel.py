"""The LR panel: keys and mouse, and the commands that they give."""

from __future__ import annotations

from html import unescape
from typing import Any

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QComboBox, QLabel, QLineEdit, QPushButton, QRadioButton, QSlider
from pytestqt.qtbot import QtBot

from engine.messages.commands import ReleaseLR, ScaleLR, SetLR
from gui.core.lr_text import is_incomplete, lr_text, read_lr
from gui.learning_rate.panel import LRPanel
from gui.learning_rate.staged_change import StagedChange
from gui.widgets.lr_slider import LRSlider

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")  # the offscreen platform's, not ours

LEFT = Qt.MouseButton.LeftButton


class Driver:
    """The panel, and what it emitted."""

    def __init__(self, panel: LRPanel, qtbot: QtBot) -> None:
        self.panel, self.qtbot = panel, qtbot
        self.commands: list[Any] = []
        self.staged: list[Any] = []
        panel.command_wanted.connect(self.commands.append)
        panel.staged.connect(self.staged.append)

    def one(self, lr: float = 0.01, scheduled: float = 0.01, *, holding: bool = False, touched: bool = False) -> None:
        self.panel.show_lrs(["all"], [lr], [scheduled], [holding], [touched])
        self.panel.set_enabled_because(None)

    def two(self, rest: float = 0.001, head: float = 0.01, holding: tuple[bool, bool] = (False, False)) -> None:
        self.panel.show_lrs(["rest", "head"], [rest, head], [0.001, 0.01], list(holding), [False, False])
        self.panel.set_enabled_because(None)

    def button(self, text: str) -> QPushButton:
        found = [b for b in self.panel.findChildren(QPushButton) if b.text().startswith(text) and b.isVisible()]
        assert len(found) == 1, text
        return found[0]

    def tip(self, text: str) -> str:
        return unescape(self.button(text).toolTip())

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

    def shows(self, part: str) -> bool:
        return any(part in w.text() for w in self.panel.findChildren(QLabel) if w.isVisibleTo(self.panel))


@pytest.fixture
def lr_panel(qtbot: QtBot) -> Driver:
    panel = LRPanel()
    qtbot.addWidget(panel)
    panel.resize(310, 560)
    panel.show()
    return Driver(panel, qtbot)


def test_quick_buttons_apply_at_once_and_keep_follow_or_hold(lr_panel: Driver) -> None:
    lr_panel.one()
    for text in ("÷10", "÷2", "×2", "×10"):
        lr_panel.click(text)
    assert lr_panel.commands == [ScaleLR(factor=f) for f in (0.1, 0.5, 2.0, 10.0)]
    assert lr_panel.staged == []


def test_a_typed_lr_is_pending_and_sent_only_by_apply(lr_panel: Driver) -> None:
    lr_panel.one()
    lr_panel.type("1e-3")
    assert lr_panel.staged[-1] == SetLR(lr=0.001, then="follow")
    assert lr_panel.commands == []
    assert lr_panel.shows("0.01 -> 0.001")
    lr_panel.click("Apply")
    assert lr_panel.commands == [SetLR(lr=0.001, then="follow")]
    assert lr_panel.staged[-1] is None
    assert lr_panel.field.text() == "0.01"  # the confirmed LR, until an event brings another


def test_that_a_change_was_sent_is_shown_until_an_event_answers(lr_panel: Driver) -> None:
    lr_panel.one()
    lr_panel.click("÷2")
    assert lr_panel.shows("It applies at the next batch")
    lr_panel.one(0.005, 0.01, touched=True)
    assert not lr_panel.shows("It applies at the next batch")
    lr_panel.click("÷2")
    lr_panel.panel.show_warning("the rest of the curve rises to 0.2")
    assert not lr_panel.shows("It applies at the next batch")
    assert lr_panel.shows("rises to 0.2")
    lr_panel.click("÷2")
    assert not lr_panel.shows("rises to 0.2")


def test_enter_in_the_field_applies(lr_panel: Driver) -> None:
    lr_panel.one()
    lr_panel.type("0.05")
    lr_panel.qtbot.keyClick(lr_panel.field, Qt.Key.Key_Return)
    assert lr_panel.commands == [SetLR(lr=0.05, then="follow")]
    lr_panel.qtbot.keyClick(lr_panel.field, Qt.Key.Key_Return)
    assert len(lr_panel.commands) == 1


@pytest.mark.parametrize("where", ["field", "slider"])
def test_escape_discards_the_pending_change(lr_panel: Driver, where: str) -> None:
    lr_panel.one()
    lr_panel.type("0.5")
    lr_panel.qtbot.keyClick(getattr(lr_panel, where), Qt.Key.Key_Escape)
    assert lr_panel.staged[-1] is None
    assert lr_panel.field.text() == "0.01"
    assert not lr_panel.button("Apply").isEnabled()
    assert lr_panel.commands == []


def test_hold_this_lr_alone_makes_a_hold_of_the_current_lr_pending(lr_panel: Driver) -> None:
    lr_panel.one()
    lr_panel.choose("Hold this LR")
    assert lr_panel.staged == [SetLR(lr=0.01, then="hold")]
    lr_panel.choose("Scale the schedule")
    assert lr_panel.staged[-1] is None
    lr_panel.choose("Hold this LR")
    lr_panel.type("0.2")
    lr_panel.click("Apply")
    assert lr_panel.commands == [SetLR(lr=0.2, then="hold")]


def test_a_quick_button_uses_the_chosen_mode(lr_panel: Driver) -> None:
    lr_panel.one()
    lr_panel.choose("Hold this LR")
    lr_panel.click("÷2")
    assert lr_panel.commands == [ScaleLR(factor=0.5, then="hold")]
    assert lr_panel.staged[-1] is None


def test_the_mode_shows_what_is_confirmed(lr_panel: Driver) -> None:
    lr_panel.one(0.005, 0.01, holding=True)
    assert lr_panel.radio("Hold this LR").isChecked()
    assert lr_panel.shows("held")
    lr_panel.one()
    assert lr_panel.radio("Scale the schedule").isChecked()


def test_keys_on_the_slider_make_an_lr_of_two_digits_pending(lr_panel: Driver) -> None:
    lr_panel.one()
    lr_panel.slider.setFocus()
    lr_panel.qtbot.keyClick(lr_panel.slider, Qt.Key.Key_Right)
    assert lr_panel.staged[-1] == SetLR(lr=0.011, then="follow")
    assert lr_panel.field.text() == "0.011"
    lr_panel.qtbot.keyClick(lr_panel.slider, Qt.Key.Key_Home)
    assert lr_panel.staged[-1] == SetLR(lr=1e-6, then="follow")


def test_dragging_the_handle_makes_a_change_pending_and_sends_nothing(lr_panel: Driver) -> None:
    lr_panel.one()
    lr_panel.qtbot.wait(1)
    y = lr_panel.slider.height() // 2
    slider = lr_panel.panel.findChild(LRSlider)
    x = round(slider.slider().x_of(lr_panel.slider.value()))
    lr_panel.qtbot.mousePress(lr_panel.slider, LEFT, pos=QPoint(x, y))
    lr_panel.qtbot.mouseMove(lr_panel.slider, QPoint(x + 40, y))
    lr_panel.qtbot.mouseRelease(lr_panel.slider, LEFT, pos=QPoint(x + 40, y))
    assert lr_panel.staged[-1].lr > 0.03
    assert lr_panel.commands == []


@pytest.mark.parametrize(
    ("typed", "text"),
    [
        ("fast", "not a number"),
        ("-1", "0 or more"),
        ("2000", "at most 1000"),
        ("nan", "not a number"),
        ("1_0", "not a"),
    ],
)
def test_text_that_is_no_lr_shows_why_and_no_change_is_pending(lr_panel: Driver, typed: str, text: str) -> None:
    lr_panel.one()
    lr_panel.type(typed)
    lr_panel.qtbot.keyClick(lr_panel.field, Qt.Key.Key_Return)
    assert lr_panel.shows(text)
    assert lr_panel.commands == []
    assert not lr_panel.button("Apply").isEnabled()
    assert lr_panel.staged[-1:] in ([], [None])
    lr_panel.click("Discard")
    assert lr_panel.field.text() == "0.01"
    assert not lr_panel.shows(text)


def test_an_incomplete_number_is_no_error_yet(lr_panel: Driver) -> None:
    lr_panel.one()
    lr_panel.type("1e-")
    assert not lr_panel.shows("not a number")
    lr_panel.qtbot.keyClick(lr_panel.field, Qt.Key.Key_Return)
    assert lr_panel.shows("not a number")


def test_confirmed_lrs_do_not_overwrite_what_is_typed(lr_panel: Driver) -> None:
    lr_panel.one()
    lr_panel.type("0.2")
    lr_panel.one(0.009, 0.009)
    assert lr_panel.field.text() == "0.2"
    assert lr_panel.shows("0.009 -> 0.2")
    lr_panel.click("Apply")
    assert lr_panel.commands == [SetLR(lr=0.2, then="follow")]


def test_the_badge_shows_the_factor_and_hides_at_one(lr_panel: Driver) -> None:
    lr_panel.one(0.005, 0.01, touched=True)
    assert lr_panel.shows("×0.5 of schedule")
    lr_panel.one(0.01, 0.01, touched=True)
    assert not lr_panel.shows("of schedule")


def test_return_to_schedule_only_after_a_change(lr_panel: Driver) -> None:
    lr_panel.one(0.0025, 0.0025)
    back = lr_panel.button("Return to schedule (0.0025)")
    assert not back.isEnabled()
    assert "follows the schedule already" in back.toolTip()
    lr_panel.one(0.005, 0.0025, touched=True)
    assert lr_panel.button("Return to schedule (0.0025)").isEnabled()


def test_return_to_schedule_is_pending_until_it_is_applied(lr_panel: Driver) -> None:
    lr_panel.one(0.005, 0.05, holding=True)
    assert "0.005 -> 0.05 at the next batch" in lr_panel.tip("Return to schedule (0.05)")
    lr_panel.click("Return to schedule")
    assert (lr_panel.staged, lr_panel.commands) == ([ReleaseLR()], [])
    assert lr_panel.shows("0.005 -> 0.05 at the next batch")
    lr_panel.one(0.005, 0.04, holding=True)
    assert lr_panel.shows("0.005 -> 0.04 at the next batch")
    lr_panel.click("Discard")
    assert lr_panel.staged[-1] is None
    assert lr_panel.radio("Hold this LR").isChecked()
    lr_panel.click("Return to schedule")
    lr_panel.click("Apply")
    assert lr_panel.commands == [ReleaseLR()]
    assert lr_panel.staged[-1] is None


def test_nothing_is_pending_once_the_lr_is_on_its_schedule(lr_panel: Driver) -> None:
    lr_panel.one(0.005, 0.05, holding=True)
    lr_panel.click("Return to schedule")
    lr_panel.one(0.05, 0.05)
    assert lr_panel.staged[-1] is None


@pytest.mark.parametrize(
    ("lr", "warning"),
    [(0.005, "jumps to ×10"), (0.5, "jumps to ×0.1"), (0.025, None), (0.1, None), (0.0, None)],
)
def test_a_return_to_schedule_that_more_than_doubles_or_halves_the_lr_carries_a_warning(
    lr_panel: Driver, lr: float, warning: str | None
) -> None:
    lr_panel.one(lr, 0.05, holding=True)
    lr_panel.click("Return to schedule")
    assert lr_panel.shows(warning or "at the next batch.")
    assert lr_panel.shows("jumps") == (warning is not None)


@pytest.mark.parametrize(
    ("change", "staged"),
    [
        (lambda d: d.type("0.02"), SetLR(lr=0.02, then="hold")),
        (lambda d: d.panel.stage_lr(0.02), SetLR(lr=0.02, then="hold")),
        (lambda d: d.choose("Scale the schedule"), SetLR(lr=0.005, then="follow")),
        (lambda d: d.choose("Hold this LR"), None),
    ],
    ids=["a typed LR", "a drag in the plot", "scale", "hold"],
)
def test_another_change_replaces_a_pending_return_to_schedule(lr_panel: Driver, change: Any, staged: Any) -> None:
    lr_panel.one(0.005, 0.05, holding=True)
    lr_panel.click("Return to schedule")
    change(lr_panel)
    assert lr_panel.staged[-1] == staged


def test_a_pending_return_of_several_groups_names_what_changes(lr_panel: Driver) -> None:
    lr_panel.panel.show_lrs(["rest", "head"], [0.001, 0.01], [0.001, 0.1], [False, True], [False, True])
    lr_panel.panel.set_enabled_because(None)
    lr_panel.click("Return to schedule")
    assert lr_panel.shows("head 0.01 -> 0.1 at the next batch. ⚠ The LR jumps to ×10.")
    lr_panel.click("Apply")
    assert lr_panel.commands == [ReleaseLR()]


def test_the_quick_buttons_name_the_lr_that_they_give(lr_panel: Driver) -> None:
    lr_panel.one(0.005, 0.01, touched=True)
    assert "0.005 -> 0.05 at the next batch" in lr_panel.tip("×10")
    lr_panel.two()
    assert "head 0.01 -> 0.005 at the next batch" in lr_panel.tip("÷2")


def test_the_hint_says_what_to_do_or_why_nothing_can_be_done(lr_panel: Driver) -> None:
    assert lr_panel.shows("There is no run yet.")
    lr_panel.one()
    assert lr_panel.shows("Type an LR or drag the slider, then apply.")
    lr_panel.type("0.02")
    lr_panel.panel.set_enabled_because("The run has finished.")
    assert lr_panel.shows("The run has finished.")
    assert not lr_panel.shows("Type an LR")


def test_apply_and_discard_say_that_nothing_is_pending(lr_panel: Driver) -> None:
    lr_panel.one()
    for text in ("Apply", "Discard"):
        assert not lr_panel.button(text).isEnabled()
        assert "No change is pending" in lr_panel.tip(text)
    lr_panel.type("0.5")
    assert "Enter" in lr_panel.tip("Apply")
    lr_panel.panel.set_enabled_because("The run has finished.")
    assert "The run has finished" in lr_panel.tip("Apply")


def test_one_group_has_no_group_buttons(lr_panel: Driver) -> None:
    lr_panel.one()
    assert not [
        b for b in lr_panel.panel.findChildren(QPushButton) if b.text() == "All" and b.isVisibleTo(lr_panel.panel)
    ]
    assert not lr_panel.panel.findChild(QComboBox).isVisibleTo(lr_panel.panel)


def test_all_groups_are_scaled_by_buttons_and_by_a_typed_lr(lr_panel: Driver) -> None:
    lr_panel.two()
    assert lr_panel.shows("0.001 – 0.01")
    lr_panel.click("÷2")
    lr_panel.type("0.02")
    assert lr_panel.shows("head 0.01 -> 0.02")
    lr_panel.click("Apply")
    assert lr_panel.commands == [ScaleLR(factor=0.5), ScaleLR(factor=2.0)]


def test_a_typed_lr_for_all_is_scaled_from_the_lr_at_that_position(lr_panel: Driver) -> None:
    lr_panel.two()
    lr_panel.type("0.02")
    lr_panel.two(0.0005, 0.005)
    assert lr_panel.staged[-1] == ScaleLR(factor=4.0)


def test_all_groups_cannot_be_scaled_to_zero(lr_panel: Driver) -> None:
    lr_panel.two()
    lr_panel.type("0")
    assert lr_panel.shows("Choose one group")
    lr_panel.click("head")
    lr_panel.type("0")
    assert lr_panel.staged[-1] == SetLR(lr=0.0, then="follow", group="head")


def test_one_group_of_several_is_set_by_name(lr_panel: Driver) -> None:
    chosen: list[str | None] = []
    lr_panel.panel.group_chosen.connect(chosen.append)
    lr_panel.two()
    lr_panel.click("head")
    lr_panel.type("0.05")
    lr_panel.click("Apply")
    lr_panel.click("×2")
    assert chosen == ["head"]
    assert lr_panel.commands == [SetLR(lr=0.05, then="follow", group="head"), ScaleLR(factor=2.0, group="head")]


def test_choosing_another_group_discards_the_pending_change(lr_panel: Driver) -> None:
    lr_panel.two()
    lr_panel.type("0.05")
    lr_panel.click("rest")
    assert lr_panel.staged[-1] is None
    assert lr_panel.field.text() == "0.001"


def test_groups_that_differ_show_neither_mode_and_a_scale_keeps_both(lr_panel: Driver) -> None:
    lr_panel.two(holding=(True, False))
    assert not lr_panel.radio("Hold this LR").isChecked()
    assert not lr_panel.radio("Scale the schedule").isChecked()
    assert lr_panel.shows("1 of 2 held")
    lr_panel.type("0.02")
    lr_panel.click("Apply")
    assert lr_panel.commands == [ScaleLR(factor=2.0, then="keep")]


def test_many_groups_become_a_list(lr_panel: Driver) -> None:
    names = [f"features.layer{i}" for i in range(12)]
    lr_panel.panel.show_lrs(names, [0.1] * 12, [0.1] * 12, [False] * 12, [False] * 12)
    lr_panel.panel.set_enabled_because(None)
    box = lr_panel.panel.findChild(QComboBox)
    assert box.isVisibleTo(lr_panel.panel)
    lr_panel.qtbot.keyClick(box, Qt.Key.Key_Down)
    lr_panel.click("÷2")
    assert lr_panel.commands == [ScaleLR(factor=0.5, group=names[0])]


def test_a_lr_of_zero_disables_factors_and_says_why(lr_panel: Driver) -> None:
    lr_panel.one(0.0, 0.0, holding=True)
    assert not lr_panel.button("×2").isEnabled()
    assert "which no factor changes" in lr_panel.button("×2").toolTip()
    lr_panel.type("0.01")
    assert lr_panel.staged[-1] == SetLR(lr=0.01, then="hold")


def test_a_factor_cannot_exceed_the_largest_lr(lr_panel: Driver) -> None:
    lr_panel.one(200.0, 200.0)
    assert not lr_panel.button("×10").isEnabled()
    assert lr_panel.button("×2").isEnabled()


def test_disabled_controls_show_the_reason_and_the_pending_change_is_discarded(lr_panel: Driver) -> None:
    lr_panel.one()
    lr_panel.type("0.5")
    lr_panel.panel.set_enabled_because("The run has finished.")
    assert lr_panel.staged[-1] is None
    for widget in (
        lr_panel.field,
        lr_panel.button("÷2"),
        lr_panel.button("Return"),
        lr_panel.radio("Hold this LR"),
    ):
        assert not widget.isEnabled()
        assert "The run has finished." in widget.toolTip()
    lr_panel.panel.stage_lr(0.3)
    assert lr_panel.staged[-1] is None


def test_a_drag_in_the_plot_makes_a_change_pending(lr_panel: Driver) -> None:
    lr_panel.one()
    lr_panel.panel.stage_lr(0.03)
    assert lr_panel.staged == [SetLR(lr=0.03, then="follow")]
    assert lr_panel.field.text() == "0.03"
    lr_panel.panel.stage_lr(1e9)
    assert lr_panel.staged[-1] == SetLR(lr=1000.0, then="follow")
    lr_panel.panel.stage_lr(float("nan"))
    assert lr_panel.staged[-1] == SetLR(lr=1000.0, then="follow")


def test_the_offer_to_hold_sends_the_same_lr_held(lr_panel: Driver) -> None:
    lr_panel.one(0.0, 0.0)
    lr_panel.panel.offer_hold(SetLR(lr=0.1, then="follow"))
    assert lr_panel.shows("The scheduled LR is 0 here")
    lr_panel.click("Hold this LR instead")
    assert lr_panel.commands == [SetLR(lr=0.1, then="hold")]
    assert not lr_panel.shows("The scheduled LR is 0 here")


def test_other_groups_discard_the_pending_change(lr_panel: Driver) -> None:
    lr_panel.two()
    lr_panel.type("0.05")
    lr_panel.one()
    assert lr_panel.staged[-1] is None
    assert lr_panel.field.text() == "0.01"


@pytest.mark.parametrize(
    ("typed", "value"),
    [("1e-3", 0.001), (" 0.5 ", 0.5), (".25", 0.25), ("3.", 3.0), ("0,005", 0.005), ("1E2", 100.0), ("-0", 0.0)],
)
def test_lrs_are_read_as_people_write_them(typed: str, value: float) -> None:
    assert read_lr(typed) == value


@pytest.mark.parametrize("typed", ["", "1,000.5", "1 0", "inf", "0x1", "--1", "1e", "1001", "１"])
def test_text_that_is_no_lr_is_rejected(typed: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        read_lr(typed)


def test_an_incomplete_number_is_recognized() -> None:
    assert [is_incomplete(t) for t in ("1e", "1e-", ".", "", "0.1", "x", "1e-3")] == [True] * 4 + [False] * 3


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
