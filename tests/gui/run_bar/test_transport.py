"""The run bar and the state chip: what each state offers, and numbers that do not move."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QProgressBar, QPushButton
from pytestqt.qtbot import QtBot

from engine.common.lifecycle import STATES, TERMINAL, State, allowed
from gui.core.run_model import refusal
from gui.run_bar.transport import Transport, duration_text, speed_text
from gui.widgets.state_chip import StateChip

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")  # a warning of the offscreen platform

SIGNALS = ("start", "pause", "resume", "run_epoch", "stop", "cancel")


@pytest.fixture
def bar(qtbot: QtBot) -> Transport:
    made = Transport()
    qtbot.addWidget(made)
    made.resize(1000, 50)
    made.show()
    return made


@pytest.fixture
def emitted(bar: Transport) -> list[str]:
    heard: list[str] = []
    for name in SIGNALS:
        getattr(bar, name).connect(lambda name=name: heard.append(name))
    return heard


def button(bar: Transport, *texts: str) -> QPushButton:
    (found,) = [b for b in bar.findChildren(QPushButton) if b.text() in texts]
    return found


def show(bar: Transport, state: State) -> None:
    bar.show_state(state, lambda action: refusal(state, action))


def main(bar: Transport) -> QPushButton:
    return button(bar, "Start", "Pause", "Resume")


def shown_bar(bar: Transport) -> QProgressBar:
    (found,) = [p for p in bar.findChildren(QProgressBar) if p.isVisible()]
    return found


def label(bar: Transport, part: str) -> QLabel:
    (found,) = [w for w in bar.findChildren(QLabel) if part in w.text()]
    return found


@pytest.mark.parametrize(
    ("state", "face", "signal"),
    [
        ("ready", "Start", "start"),
        ("training", "Pause", "pause"),
        ("paused", "Resume", "resume"),
        ("diverged", "Resume", "resume"),
    ],
)
def test_the_first_button_depends_on_the_state(
    bar: Transport, emitted: list[str], qtbot: QtBot, state: State, face: str, signal: str
) -> None:
    show(bar, state)
    assert main(bar).text() == face
    qtbot.mouseClick(main(bar), Qt.MouseButton.LeftButton)
    bar.toggle()
    assert emitted == [signal, signal]


@pytest.mark.parametrize("state", STATES)
def test_buttons_follow_the_lifecycle_table_and_give_the_reason(bar: Transport, state: State) -> None:
    show(bar, state)
    for text, action in (("Run 1 epoch", "run_epoch"), ("Stop", "stop")):
        assert button(bar, text).isEnabled() == allowed(state, action), (state, text)
        assert button(bar, text).toolTip()
    if state in TERMINAL or state == "loading":
        assert not main(bar).isEnabled()
        assert "run " in main(bar).toolTip()


def test_a_disabled_button_gives_the_table_s_reason(bar: Transport, emitted: list[str]) -> None:
    show(bar, "finished")
    assert "The run has finished." in main(bar).toolTip()
    bar.toggle()
    assert emitted == []


def test_a_mistake_in_the_recipe_blocks_with_its_own_reason(bar: Transport, emitted: list[str], qtbot: QtBot) -> None:
    bar.show_state("ready", lambda _: "Batch size: must be at least 1.")
    assert "Batch size: must be at least 1." in main(bar).toolTip()
    qtbot.mouseClick(main(bar), Qt.MouseButton.LeftButton)
    assert emitted == []
    show(bar, "ready")
    qtbot.mouseClick(main(bar), Qt.MouseButton.LeftButton)
    assert emitted == ["start"]


def test_the_other_buttons_emit_their_signals(bar: Transport, emitted: list[str], qtbot: QtBot) -> None:
    show(bar, "training")
    qtbot.mouseClick(button(bar, "Run 1 epoch"), Qt.MouseButton.LeftButton)
    qtbot.mouseClick(button(bar, "Stop"), Qt.MouseButton.LeftButton)
    assert emitted == ["run_epoch", "stop"]


def test_progress_is_that_of_the_whole_run(bar: Transport) -> None:
    bar.show_progress(7, 12, 24, 30, 812.4, 80.0)
    assert label(bar, "Epoch").text() == "Epoch 7/30"
    assert label(bar, "batch").text() == "batch 12/24"
    assert label(bar, "ETA").text() == "ETA 1:20"
    assert label(bar, "images/s").text() == "812 images/s"
    progress = shown_bar(bar)
    assert progress.value() / progress.maximum() == pytest.approx(6.5 / 30, abs=1e-3)
    bar.show_progress(30, 24, 24, 30, None, None)
    assert progress.value() == progress.maximum()
    assert label(bar, "ETA").text() == "ETA –"


def test_nothing_moves_when_digits_change(bar: Transport, qtbot: QtBot) -> None:
    places = set()
    for epoch, batch, speed, eta in ((1, 0, 3.2, 5.0), (8, 111, 811.0, 3599.0), (100, 938, 9999.0, 36000.0)):
        show(bar, "training" if batch else "paused")
        bar.show_progress(epoch, batch, 938, 100, speed, eta)
        qtbot.wait(1)
        widgets = [main(bar), shown_bar(bar)]
        widgets += [label(bar, part) for part in ("Epoch", "batch", "ETA", "images/s")]
        places.add(tuple((w.mapTo(bar, w.rect().topLeft()).x(), w.width()) for w in widgets))
    assert len(places) == 1


def test_loading_shows_its_share_and_can_be_cancelled(bar: Transport, emitted: list[str], qtbot: QtBot) -> None:
    show(bar, "loading")
    bar.show_loading("Downloading MNIST", 3_000_000_000, 6_000_000_000)
    progress = shown_bar(bar)
    assert progress.value() / progress.maximum() == pytest.approx(0.5)
    qtbot.mouseClick(button(bar, "Cancel"), Qt.MouseButton.LeftButton)
    assert emitted == ["cancel"]
    bar.show_loading("Importing torch")
    assert progress.maximum() == 0  # busy: the total is not known
    show(bar, "ready")
    assert not button(bar, "Cancel").isVisible()


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(-3, "0:00"), (0.4, "0:00"), (80, "1:20"), (3725, "1:02:05"), (86_400, "24:00:00"), (187_200, "2 d 4 h")],
)
def test_durations_are_short(seconds: float, words: str) -> None:
    assert duration_text(seconds) == words


def test_speeds_are_short() -> None:
    assert [speed_text(v) for v in (0.0, 3.14, 9.96, 812.4, 12345.0)] == [
        "0.0 images/s",
        "3.1 images/s",
        "10 images/s",
        "812 images/s",
        "12,345 images/s",
    ]


def test_the_chip_has_a_word_for_every_state_and_one_width(qtbot: QtBot) -> None:
    chip = StateChip()
    qtbot.addWidget(chip)
    words, widths, colours = set(), set(), {}
    for state in STATES:
        chip.show_state(state)
        words.add(chip.text())
        widths.add(chip.sizeHint().width())
        colours[state] = chip.color().name()
    assert len(words) == len(STATES)
    assert len(widths) == 1
    assert len({colours[s] for s in ("training", "paused", "diverged", "finished")}) == 4
