"""Comparing schedules: added, drawn beside each other, shown in the editor, removed."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton

from engine.messages.commands import SetSchedule
from engine.schedules import CosineAnnealingLR, Drawn, ExponentialLR, LambdaLR, OneCycleLR, StepLR
from gui.theme.theme import DARK, LIGHT
from tests.gui.app_fixture import LEFT, Driver, tiny

pytestmark = pytest.mark.qt_log_ignore("does not support propagateSizeHints")


def add(driver: Driver) -> None:
    """Add the edited schedule, and wait for its curve."""
    before = len(driver.app.candidates._candidates)
    driver.click(driver.window.schedule, "Compare")
    assert len(driver.app.candidates._candidates) == before + 1
    settle(driver)


def settle(driver: Driver) -> None:
    driver.wait(lambda: all(c.curve is not None for c in driver.app.candidates._candidates))


def lines(driver: Driver) -> dict[str, list[float]]:
    """The first and the last LR of each candidate on the plot, by its letter."""
    return {c.key: [curve.at(0, curve.begin), curve.last(0)] for c, curve in driver.window.plots.lr.candidates}


def button_of(driver: Driver, letter: str, button: str) -> QAbstractButton:
    row = driver.window.schedule.candidates._rows[letter]
    found: QAbstractButton = getattr(row, button)
    return found


def test_three_candidates_are_compared_before_the_start_and_one_is_edited(driver: Driver) -> None:
    driver.set_up(tiny(epochs=10))
    panel, plot = driver.window.schedule, driver.window.plots.lr
    for kind in (ExponentialLR, CosineAnnealingLR, OneCycleLR):
        panel.editor.choose(kind)
        add(driver)
    panel.editor.choose(StepLR)
    wanted = {"A": [0.05, 0.05 * 0.95**9], "B": [0.05, pytest.approx(0.00122, rel=0.01)], "C": [0.02, 2e-6]}
    assert {k: v[0] for k, v in lines(driver).items()} == {k: pytest.approx(v[0]) for k, v in wanted.items()}
    assert lines(driver)["A"][1] == pytest.approx(wanted["A"][1])
    assert lines(driver)["B"][1] == wanted["B"][1]
    plot.refresh()
    names = [entry.name for entry in plot.entries()]
    assert names == ["Projected", "A ExponentialLR", "B CosineAnnealingLR", "C OneCycleLR"]
    assert driver.shows(panel.candidates, "A: ExponentialLR")
    assert driver.shows(panel.candidates, "ends at 0.03151")
    driver.qtbot.mouseClick(button_of(driver, "B", "edit"), LEFT)
    assert panel.schedule() == CosineAnnealingLR(T_max=10)
    driver.qtbot.mouseClick(button_of(driver, "A", "remove"), LEFT)
    assert set(lines(driver)) == {"B", "C"}
    panel.editor.choose(ExponentialLR)
    add(driver)
    assert set(lines(driver)) == {"A", "B", "C"}


def test_a_schedule_that_cannot_be_added_shows_why(driver: Driver) -> None:
    driver.set_up(tiny(epochs=10))
    panel = driver.window.schedule
    button = panel.candidates.add
    add(driver)
    assert not button.isEnabled()
    assert "compared already" in button.toolTip()
    for kind in (ExponentialLR, CosineAnnealingLR, OneCycleLR):
        panel.editor.choose(kind)
        assert button.isEnabled()
        add(driver)
    panel.editor.choose(Drawn)
    assert not button.isEnabled()
    assert "remove one first" in button.toolTip()


def test_candidates_follow_the_recipe(driver: Driver) -> None:
    driver.set_up(tiny(epochs=10))
    panel, setup = driver.window.schedule, driver.window.setup
    panel.editor.choose(ExponentialLR)
    add(driver)
    made = setup.recipe()
    assert made is not None
    slower = made.optimizer.model_copy(update={"lr": 0.001})
    driver.app.setup_controller.amend(made.model_copy(update={"optimizer": slower, "epochs": 20}))
    driver.wait(lambda: lines(driver).get("A") == [0.001, pytest.approx(0.001 * 0.95**19)])


def test_an_expression_that_gives_the_lr_leaves_the_others_on_their_lr(driver: Driver) -> None:
    driver.set_up(tiny(epochs=10))
    panel = driver.window.schedule
    panel.editor.choose(ExponentialLR)
    add(driver)
    panel.editor.choose(LambdaLR)
    panel.editor.gives.combo.setFocus()
    driver.qtbot.keyClick(panel.editor.gives.combo, Qt.Key.Key_Down)
    add(driver)
    assert lines(driver)["A"][0] == 0.05
    assert lines(driver)["B"][0] == 0.01
    driver.qtbot.mouseClick(button_of(driver, "A", "edit"), LEFT)
    assert panel.schedule() == ExponentialLR(gamma=0.95)
    settle(driver)
    assert lines(driver)["B"][0] == 0.01
    driver.qtbot.mouseClick(button_of(driver, "B", "edit"), LEFT)
    assert panel.editor.gives_lr()


def test_during_a_run_a_candidate_is_drawn_from_its_start_and_applied(driver: Driver) -> None:
    driver.pause_at(tiny(epochs=12, schedule={"name": "ConstantLR", "factor": 1.0}), epoch=4)
    panel, plot = driver.window.schedule, driver.window.plots.lr
    driver.window.show_side(panel)
    panel.editor.choose(ExponentialLR)
    add(driver)
    panel.editor.choose(CosineAnnealingLR)
    add(driver)
    assert [curve.begin for _, curve in plot.candidates] == [3.0, 3.0]
    driver.qtbot.mouseClick(panel.pending.discard, LEFT)
    driver.resume_to(6)
    driver.wait(lambda: [curve.begin for _, curve in plot.candidates] == [5.0, 5.0])
    assert not plot.pending.known
    driver.qtbot.mouseClick(button_of(driver, "A", "edit"), LEFT)
    assert panel.command() == SetSchedule(schedule=ExponentialLR(gamma=0.95))
    driver.wait(lambda: plot.pending.known and plot.pending.last(0) == lines(driver)["A"][1])
    driver.click(panel, "Apply")
    assert driver.answer("set_schedule").status == "applied"
    driver.wait(lambda: plot.projected.last(0) == lines(driver)["A"][1])
    driver.qtbot.mouseClick(button_of(driver, "A", "remove"), LEFT)
    assert set(lines(driver)) == {"B"}


def test_a_candidate_without_a_curve_shows_why(driver: Driver) -> None:
    driver.pause_at(tiny(epochs=12), epoch=4)
    panel = driver.window.schedule
    driver.window.show_side(panel)
    panel.editor.choose(LambdaLR)
    panel.editor.stage(LambdaLR(lr_lambda=("1/(epoch-5)",)))
    driver.click(panel, "Compare")
    driver.wait(lambda: driver.app.candidates._candidates[0].problem is not None)
    assert lines(driver) == {}
    assert "cannot be used" in panel.candidates._rows["A"].toolTip()


def test_a_drawn_candidate_is_fixed_on_the_plot_while_the_run_trains(driver: Driver) -> None:
    driver.pause_at(tiny(epochs=12), epoch=3)
    panel, plot = driver.window.schedule, driver.window.plots.lr
    driver.window.show_side(panel)
    panel.editor.stage(Drawn(points=((0.0, 0.05), (6.0, 0.01), (9.0, 0.001))))
    add(driver)
    driver.qtbot.mouseClick(panel.pending.discard, LEFT)
    driver.resume_to(6)
    driver.wait(lambda: [curve.begin for _, curve in plot.candidates] == [5.0])
    assert plot.candidates[0][1].at(0, 8.0) == 0.01


def test_candidates_use_the_colours_of_the_theme(driver: Driver) -> None:
    driver.set_up(tiny(epochs=10))
    panel, plot = driver.window.schedule, driver.window.plots.lr
    panel.editor.choose(ExponentialLR)
    add(driver)
    driver.app.theme.set_mode("dark")
    assert plot.candidates[0][1].traces[0].opts["pen"].color().name() == DARK.candidates[0]
    assert panel.candidates._rows["A"]._swatch._pen.color().name() == DARK.candidates[0]
    driver.app.theme.set_mode("light")
    assert panel.candidates._rows["A"]._swatch._pen.color().name() == LIGHT.candidates[0]


def test_a_candidate_for_one_group_is_drawn_for_that_group_alone(driver: Driver) -> None:
    groups = [{"name": "head", "modules": ["head"], "lr": 0.5}]
    driver.set_up(tiny(schedule={"name": "Constant"}, epochs=10, groups=groups))
    panel, plot = driver.window.schedule, driver.window.plots.lr
    panel.choose_group("head")
    panel.editor.choose(ExponentialLR)
    add(driver)
    assert lines(driver)["A"] == [0.5, pytest.approx(0.5 * 0.95**9)]
    assert len(plot.candidates[0][1].traces) == 1
    assert driver.shows(panel.candidates, "A: head: ExponentialLR")
    panel.choose_group(None)
    panel.editor.choose(StepLR)
    add(driver)
    assert len(plot.candidates[1][1].traces) == 2
    driver.qtbot.mouseClick(button_of(driver, "A", "edit"), LEFT)
    assert panel.group() == "head"
    assert panel.schedule() == ExponentialLR(gamma=0.95)
