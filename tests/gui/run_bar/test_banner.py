"""The banner and the start page: one message at a time, its actions, and ages as text."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QAbstractButton, QLabel, QPlainTextEdit, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from gui.run_bar.banner import Banner, BannerAction
from gui.setup.start_page import Resumable, StartPage, age_text

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")  # a warning of the offscreen platform

LEFT = Qt.MouseButton.LeftButton
DIVERGED = "The loss became not finite in epoch 7, batch 12; that update was skipped."


@pytest.fixture
def banner(qtbot: QtBot) -> Banner:
    made = Banner()
    qtbot.addWidget(made)
    made.resize(760, 60)
    return made


@pytest.fixture
def emitted(banner: Banner) -> list[tuple[str, Any]]:
    heard: list[tuple[str, Any]] = []
    banner.more_epochs_wanted.connect(lambda n: heard.append(("more", n)))
    banner.continue_wanted.connect(lambda: heard.append(("continue", None)))
    return heard


def ways(*names: str, heard: list[str] | None = None) -> list[BannerAction]:
    return [BannerAction(name, f"what {name} does", lambda name=name: (heard or []).append(name)) for name in names]


def offered(banner: Banner) -> list[str]:
    return [b.text() for b in banner.findChildren(QAbstractButton) if b.isVisibleTo(banner) and b.text() != "✕"]


def click(banner: Any, text: str, qtbot: QtBot) -> None:
    (found,) = [b for b in banner.findChildren(QAbstractButton) if b.text() == text and b.isVisibleTo(banner)]
    qtbot.mouseClick(found, LEFT)


def test_without_a_message_the_banner_is_hidden(banner: Banner) -> None:
    assert banner.isHidden()
    assert banner.subject() is None


@pytest.mark.parametrize("chosen", ["Back", "Go on", "Stop"])
def test_an_action_is_called_after_the_message_is_closed(banner: Banner, qtbot: QtBot, chosen: str) -> None:
    made: list[tuple[str, bool]] = []
    choices = [BannerAction(t, "", lambda t=t: made.append((t, banner.isHidden()))) for t in ("Back", "Go on", "Stop")]
    banner.show_diverged(DIVERGED, "The last good state is the start.", choices)
    assert banner.text() == DIVERGED
    assert offered(banner) == ["Back", "Go on", "Stop"]
    click(banner, chosen, qtbot)
    assert made == [(chosen, True)]


def test_an_action_may_show_a_message(banner: Banner, qtbot: QtBot) -> None:
    banner.show_failure(
        "one", choices=[BannerAction("Try", "", lambda: banner.show_failure("two", choices=ways("Again")))]
    )
    click(banner, "Try", qtbot)
    assert banner.text() == "two"
    assert offered(banner) == ["Again"]


def test_the_actions_of_an_earlier_message_are_removed(banner: Banner, qtbot: QtBot) -> None:
    banner.show_diverged(DIVERGED, "", ways("A", "B", "C"))
    banner.show_failure("Out of memory.", "Traceback", choices=ways("D"))
    assert sorted(offered(banner)) == ["Copy", "D", "Details"]
    banner.show_failure("Not saved.")
    assert offered(banner) == []


def test_one_action_is_beside_the_message_and_more_are_below(banner: Banner, qtbot: QtBot) -> None:
    banner.show()
    banner.show_offer("Continue?", "", ways("Continue"))
    qtbot.wait(1)
    low = banner.height()
    banner.show_offer("Continue?", "", ways("Continue", "Not now"))
    qtbot.wait(1)
    assert banner.sizeHint().height() > low


def test_finished_offers_more_epochs(banner: Banner, emitted: list[tuple[str, Any]], qtbot: QtBot) -> None:
    banner.show_finished(
        "Finished: 97.8% validation accuracy after 30 epochs.", "With more epochs the LR continues at 0.00125."
    )
    assert any(
        w.text() == "With more epochs the LR continues at 0.00125." and w.isVisibleTo(banner)
        for w in banner.findChildren(QLabel)
    )
    click(banner, "+10 epochs", qtbot)
    assert emitted == [("more", 10)]
    assert banner.isHidden()


def test_a_message_is_closed_without_an_action(banner: Banner, emitted: list[tuple[str, Any]], qtbot: QtBot) -> None:
    banner.show_failure("Not saved: <b>no space left</b>")
    assert banner.text() == "Not saved: <b>no space left</b>"
    click(banner, "✕", qtbot)
    assert banner.isHidden()
    assert emitted == []


def test_a_failure_has_details_to_read_and_copy(banner: Banner, qtbot: QtBot) -> None:
    banner.show_failure("Out of memory. Try a smaller batch size.", "Traceback ...\nRuntimeError: CUDA")
    details = banner.findChild(QPlainTextEdit)
    assert not details.isVisibleTo(banner)
    click(banner, "Details", qtbot)
    assert details.isVisibleTo(banner)
    click(banner, "Copy", qtbot)
    copied = QGuiApplication.clipboard().text()
    assert copied == "Out of memory. Try a smaller batch size.\n\nTraceback ...\nRuntimeError: CUDA"


def test_a_failure_without_details_offers_none(banner: Banner) -> None:
    banner.show_failure("The checkpoint is damaged.")
    assert offered(banner) == []


def test_details_fold_again_for_the_next_message(banner: Banner, qtbot: QtBot) -> None:
    banner.show_failure("one", "Traceback 1")
    click(banner, "Details", qtbot)
    banner.show_failure("two", "Traceback 2")
    assert not banner.findChild(QPlainTextEdit).isVisibleTo(banner)


def test_a_message_never_replaces_a_more_serious_one(banner: Banner) -> None:
    banner.show_diverged(DIVERGED, "", ways("Stop"))
    banner.show_finished("Finished.")
    assert banner.subject() == "diverged"
    banner.show_failure("Out of memory.")
    assert banner.subject() == "failure"
    banner.clear()
    banner.show_finished("Finished.")
    assert banner.subject() == "finished"


NOW = datetime(2025, 11, 20, 12, 0)


@pytest.mark.parametrize(
    ("ago", "words"),
    [
        (timedelta(minutes=-5), "just now"),
        (timedelta(seconds=40), "just now"),
        (timedelta(minutes=1), "1 minute ago"),
        (timedelta(minutes=5, seconds=50), "5 minutes ago"),
        (timedelta(hours=1, minutes=20), "1 hour ago"),
        (timedelta(hours=11), "11 hours ago"),
        (timedelta(hours=13), "yesterday"),
        (timedelta(hours=35), "yesterday"),
        (timedelta(days=8), "12 Nov"),
        (timedelta(days=365), "20 Nov 2024"),
    ],
)
def test_age_as_text(ago: timedelta, words: str) -> None:
    assert age_text(NOW - ago, NOW) == words


def test_a_little_before_midnight_is_not_yesterday() -> None:
    just_after = datetime(2025, 11, 20, 0, 10)
    assert age_text(just_after - timedelta(minutes=20), just_after) == "20 minutes ago"
    assert age_text(just_after - timedelta(hours=3), just_after) == "3 hours ago"


def test_the_start_page_continues_the_newest_run_and_more_on_demand(qtbot: QtBot) -> None:
    page = StartPage()
    qtbot.addWidget(page)
    page.show()
    asked: list[str] = []
    page.continue_requested.connect(asked.append)
    page.open_requested.connect(lambda: asked.append("open"))
    runs = [
        Resumable(run=f"r{i}", title=f"digits, epoch {i} of 30", when=NOW - timedelta(days=i), interrupted=i == 0)
        for i in range(5)
    ]

    def go_on() -> list[QAbstractButton]:
        return [b for b in page.findChildren(QAbstractButton) if b.text() == "Continue" and b.isVisible()]

    page.show_resumables(runs, NOW)
    qtbot.wait(1)  # a card appears in the next iteration of the event loop
    texts = [w.text() for w in page.findChildren(QLabel) if w.isVisible()]
    assert {"digits, epoch 0 of 30", "just now"} < set(texts)
    assert len(go_on()) == 1
    click(page, "4 more", qtbot)
    qtbot.mouseClick(go_on()[1], LEFT)
    click(page, "Open…", qtbot)
    assert asked == ["r1", "open"]
    page.show_resumables([], NOW)
    assert not go_on()


def test_the_three_steps_are_shown_in_full_where_the_page_is_narrow(qtbot: QtBot) -> None:
    around, page = QWidget(), StartPage()
    qtbot.addWidget(around)
    layout = QVBoxLayout(around)
    layout.addWidget(page)
    layout.addStretch(1)
    around.resize(400, 600)
    around.show()
    qtbot.waitExposed(around)
    shown = [text for text in page.findChildren(QLabel) if text.isVisible()]
    assert len(shown) == 7
    assert all(text.height() >= text.heightForWidth(text.width()) for text in shown if text.wordWrap())


def test_actions_that_do_not_fit_wrap_into_the_next_line(banner: Banner, qtbot: QtBot) -> None:
    banner.show_diverged(DIVERGED, "", ways("Back, at a tenth of the LR", "Back, as it was", "Go on as it is", "Stop"))
    banner.show()

    def tops() -> list[int]:
        return [button.geometry().top() for button in banner._choices]

    banner.resize(800, banner.heightForWidth(800))
    qtbot.waitUntil(lambda: len(set(tops())) == 1)
    banner.resize(360, banner.heightForWidth(360))
    qtbot.waitUntil(lambda: len(set(tops())) > 1)
    for button in banner._choices:
        assert button.width() >= button.sizeHint().width()
        assert button.geometry().right() <= button.parentWidget().width()
        assert button.geometry().bottom() <= button.parentWidget().height()
