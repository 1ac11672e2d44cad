"""The start page: the newest run that can be continued, or three steps for new users."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from PySide6.QtCore import QLocale, Qt, Signal
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from gui.core.translation import tr
from gui.widgets.labels import ElidedLabel, as_tip, label, set_role

_CARDS: Final = 5  # the list of runs has the others


@dataclass(frozen=True, kw_only=True)
class Resumable:
    """A run that can be continued: ``title`` such as "digits, epoch 7 of 30", ``when`` it last trained (local time).

    ``interrupted``: its process ended while it was training.
    """

    run: str
    title: str
    when: datetime
    interrupted: bool = False


def age_text(when: datetime, now: datetime) -> str:
    """The age of ``when``: just now, 5 minutes ago, yesterday, 12 Nov. Both are local times."""
    ago = now - when
    minutes = int(ago / timedelta(minutes=1))
    days = (now.date() - when.date()).days
    if minutes < 1:
        return tr("just now")
    if minutes < 60:
        return tr("1 minute ago") if minutes == 1 else tr("{n} minutes ago", n=minutes)
    if days == 0 or minutes < 6 * 60:
        hours = minutes // 60
        return tr("1 hour ago") if hours == 1 else tr("{n} hours ago", n=hours)
    if days == 1:
        return tr("yesterday")
    month = QLocale().monthName(when.month, QLocale.FormatType.ShortFormat)
    if when.year == now.year:
        return tr("{day} {month}", day=when.day, month=month)
    return tr("{day} {month} {year}", day=when.day, month=month, year=when.year)


class StartPage(QWidget):
    """The newest run to continue, with more on demand so that the plots keep their room; without any, how to begin.

    Signals:
        continue_requested(str): continue the run with this id.
        open_requested(): choose a file.
    """

    continue_requested = Signal(str)
    open_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._heading = label("", "title")
        self._cards = QVBoxLayout()
        self._cards.setSpacing(6)
        self._more = QPushButton()
        self._more.setCheckable(True)
        self._more.setToolTip(tr("Show more runs that can be continued. All runs are under Runs."))
        self._more.toggled.connect(self._show_more)
        self._open = QPushButton(tr("Open…"))
        self._open.setToolTip(tr("Open a recipe or a checkpoint from a file."))
        self._open.clicked.connect(self.open_requested)
        self._whole, self._steps = QWidget(), _steps()
        around = QVBoxLayout(self)
        around.setContentsMargins(0, 0, 0, 0)
        around.addWidget(self._whole)
        layout = QVBoxLayout(self._whole)
        layout.setContentsMargins(12, 4, 12, 6)
        layout.setSpacing(6)
        head = QHBoxLayout()
        head.addWidget(self._heading)
        head.addStretch(1)
        head.addWidget(self._more)
        head.addWidget(self._open)
        layout.addLayout(head)
        layout.addLayout(self._cards)
        layout.addWidget(self._steps)
        self.show_resumables([])

    def show_resumables(self, runs: Sequence[Resumable], now: datetime | None = None) -> None:
        """Show the newest of ``runs`` (newest first) as cards; their age is relative to ``now``."""
        for old in self._all_cards():
            self._cards.removeWidget(old)
            old.hide()
            old.deleteLater()
        relative_to = now or datetime.now()
        for run in runs[:_CARDS]:
            self._cards.addWidget(self._card(run, relative_to))
        more = len(runs[:_CARDS]) - 1
        self._heading.setText(tr("Continue") if runs else tr("A new run in three steps"))
        self._steps.setVisible(not runs)
        self._more.setText(tr("{n} more", n=more))
        self._more.setVisible(more > 0)
        self._show_more(self._more.isChecked())

    def _show_more(self, more: bool) -> None:
        for index, card in enumerate(self._all_cards()):
            card.setVisible(more or index == 0)

    def _all_cards(self) -> list[QWidget]:
        items = (self._cards.itemAt(i) for i in range(self._cards.count()))
        return [card for item in items if item is not None and (card := item.widget()) is not None]

    def make_room(self, wanted: bool) -> None:
        """Hide the page while the list of runs is open, which shows the same runs and needs the space."""
        self._whole.setVisible(not wanted)

    def _card(self, run: Resumable, now: datetime) -> QFrame:
        card = QFrame()
        set_role(card, "card")
        card.setFrameShape(QFrame.Shape.StyledPanel)
        title = ElidedLabel(run.title)
        go_on = QPushButton(tr("Continue"))
        go_on.setAccessibleName(tr("Continue {run}", run=run.title))
        go_on.setToolTip(as_tip(tr("Continue training where the run stopped.")))
        go_on.clicked.connect(lambda: self.continue_requested.emit(run.run))
        layout = QHBoxLayout(card)
        layout.setContentsMargins(12, 6, 8, 6)
        layout.setSpacing(10)
        layout.addWidget(title, 1)
        if run.interrupted:
            layout.addWidget(label(tr("interrupted"), "hint"))
        layout.addWidget(label(age_text(run.when, now), "hint"))
        layout.addWidget(go_on)
        return card


def _steps() -> QWidget:
    steps = (
        (tr("Choose"), tr("Data and network are on the left. The defaults work as they are.")),
        (tr("Start"), tr("The curves are drawn here while the network learns. Space pauses.")),
        (tr("Steer"), tr("Change the LR on the right while it trains: halve it, double it or drag its curve.")),
    )
    whole = QWidget()
    grid = QGridLayout(whole)
    grid.setContentsMargins(0, 0, 0, 0)
    grid.setHorizontalSpacing(22)
    grid.setVerticalSpacing(2)
    for column, (title, text) in enumerate(steps):
        grid.setColumnStretch(column, 1)
        head: QLabel = label(tr("{number}. {title}", number=column + 1, title=title), wrap=True)
        font = head.font()
        font.setBold(True)
        head.setFont(font)
        top = Qt.AlignmentFlag.AlignTop
        grid.addWidget(head, 0, column, top)
        grid.addWidget(label(text, "hint", wrap=True), 1, column, top)
    return whole
