from __future__ import annotations

from PySide6.QtWidgets import QTextBrowser
from pytestqt.qtbot import QtBot

from engine.recipe.presets import PRESETS, preset
from gui.core.settings import Settings
from gui.help.controller import HelpController
from gui.main_window import MainWindow


def test_every_example_recipe_has_its_own_title(qtbot: QtBot) -> None:
    window = MainWindow()
    qtbot.addWidget(window)
    offered = HelpController(window, tutorial=window.tutorial, about=window.about, examples=window.examples)
    actions = window.examples.actions()
    assert len({action.text() for action in actions}) == len(PRESETS)
    assert not any(action.text() in PRESETS for action in actions)
    for name, action in zip(PRESETS, actions, strict=True):
        with qtbot.waitSignal(offered.example_wanted) as wanted:
            action.trigger()
        assert wanted.args == [preset(name)]


def test_the_tutorial_is_shown_beside_the_run(qtbot: QtBot) -> None:
    window = MainWindow()
    qtbot.addWidget(window)
    HelpController(window, tutorial=window.tutorial, about=window.about, examples=window.examples).show_tutorial()
    (text,) = window.findChildren(QTextBrowser)
    assert text.isVisible()
    assert "ReduceLROnPlateau" in text.toPlainText()


def test_the_tutorial_window_opens_again_unchanged(qtbot: QtBot) -> None:
    left, settings = MainWindow(), Settings()
    qtbot.addWidget(left)
    left.plots.set_axis("steps")
    left.plots.loss.slider.setValue(42)
    left.plots.loss.log_button.setChecked(True)
    left.plots.lr.log_button.setChecked(False)
    left.store_layout(settings)
    again = MainWindow()
    qtbot.addWidget(again)
    again.restore_layout(Settings())
    assert again.plots.axis == "steps"
    assert again.plots.loss.slider.value() == 42
    assert again.plots.loss.log
    assert not again.plots.lr.log
