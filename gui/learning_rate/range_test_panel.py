"""The search for a rate: from where to where, how far it is, what it found, and what it suggests."""

from __future__ import annotations

from typing import Any, Final

from pydantic import ValidationError
from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QDialog,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QStackedLayout,
    QVBoxLayout,
    QWidget,
)

from engine.common.spec import first_problem
from engine.messages.commands import FindLR
from engine.messages.events import RangeTestEvent, Suggestion
from gui.core.lr_text import lr_text
from gui.core.translation import said, tr
from gui.plots.range_test import RangeTestPlot
from gui.widgets.fields import EMPTY
from gui.widgets.forms import editor_for
from gui.widgets.hint_label import HintLabel
from gui.widgets.labels import as_tip, label, set_available

_FIELDS: Final = ("lr_min", "lr_max", "steps")
_DIGITS: Final = 3  # a suggestion is no more exact than this


class SuggestionRow(QWidget):
    """One suggestion: its rate, the sentence that says what it is, and [Use this].

    Signals:
        use_wanted(float): the rate as it is shown.
    """

    use_wanted = Signal(float)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._lr = 0.0
        self.lr, self.sentence = label("", "title"), label("", "", wrap=True)
        self.use = QPushButton(tr("Use this"))
        self.use.setAutoDefault(False)
        self.use.setToolTip(
            tr("In a run, stage this LR in the learning rate panel; before the start, put it into the recipe.")
        )
        self.use.clicked.connect(lambda: self.use_wanted.emit(self._lr))
        self.lr.setMinimumWidth(84)
        line = QHBoxLayout(self)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(12)
        line.addWidget(self.lr)
        line.addWidget(self.sentence, 1)
        line.addWidget(self.use)

    def show_suggestion(self, suggestion: Suggestion) -> None:
        """Show the rate, or why there is none."""
        self._lr = float(f"{suggestion.lr or 0.0:.{_DIGITS}g}")
        self.lr.setText("–" if suggestion.lr is None else lr_text(self._lr, _DIGITS))
        self.sentence.setText(said(suggestion.text))
        self.use.setVisible(suggestion.lr is not None)
        self.use.setAccessibleName(tr("Use {lr}", lr=self.lr.text()))


class FinderPanel(QDialog):
    """A window beside the run. It shows and says; what is searched is the run's business.

    Signals:
        find_wanted(FindLR): search with these settings.
        cancel_wanted(): the search under way is to end; closing the window while one is asks for it too.
        use_wanted(float): a suggested rate is wanted in the hand's panel.
    """

    find_wanted = Signal(object)
    cancel_wanted = Signal()
    use_wanted = Signal(float)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr("Find a learning rate"))
        self._reason: str | None = tr("There is no run yet.")
        self._searching = False
        self._build()
        self.resize(720, 620)
        self._judge()

    @property
    def searching(self) -> bool:
        """Whether a search is shown as under way."""
        return self._searching

    def set_enabled_because(self, reason: str | None) -> None:
        """Let the person search (None), or not, with ``reason`` as the tooltip."""
        self._reason = reason
        self._judge()

    def show_progress(self, done: int, total: int) -> None:
        """A search is under way."""
        self._set_searching(True)
        self.bar.setMaximum(max(1, total))
        self.bar.setValue(done)
        self.count.setText(tr("{done} of {total} LRs tried", done=done, total=total) if total else tr("Waiting…"))
        self._note.show_text("")

    def show_finding(self, event: RangeTestEvent) -> None:
        """Show what a search found."""
        self._set_searching(False)
        self.plot.show_result(event)
        for suggestion in event.suggestions:
            self._rows[suggestion.kind].show_suggestion(suggestion)
        reasons = {s.text for s in event.suggestions if s.lr is None}
        alike = len(reasons) == 1 and all(s.lr is None for s in event.suggestions)
        self._why.setText(said(event.suggestions[0].text) if alike else "")
        self._why.setVisible(alike)
        for row in self._rows.values():
            row.setVisible(not alike)
        self._group.setVisible(event.group is not None and not alike)
        if event.group is not None:
            self._group.setText(
                tr(
                    "The rate is that of {group}, the fastest group; the others keep their proportion.",
                    group=event.group,
                )
            )
        self._note.show_text(self._where(event))

    def show_problem(self, text: str, *, error: bool = True) -> None:
        """The search found nothing, for the reason in ``text``; what was found before stays."""
        self._set_searching(False)
        self._note.show_text(text, error=error)

    def clear(self) -> None:
        """Forget what was found: it was another run's."""
        self._set_searching(False)
        self.plot.clear()
        self._note.show_text("")
        for shown in (*self._rows.values(), self._group, self._why):
            shown.hide()

    def settings(self) -> FindLR:
        """What is typed.

        Raises:
            ValidationError: a field is out of range, or the limits are the wrong way round.
        """
        typed: dict[str, Any] = {name: editor.raw() for name, editor in self._editors.items()}
        return FindLR(**{name: value for name, value in typed.items() if value is not EMPTY})

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Escape calls the search off; without one it closes the window."""
        if event.key() == Qt.Key.Key_Escape and self._searching:
            self.cancel_wanted.emit()
        else:
            super().keyPressEvent(event)

    def done(self, result: int) -> None:
        """Closing calls the search off."""
        if self._searching:
            self.cancel_wanted.emit()
        super().done(result)

    def _find(self) -> None:
        settings = self.settings()
        self.show_progress(0, 0)
        self.find_wanted.emit(settings)

    def _set_searching(self, searching: bool) -> None:
        self._searching = searching
        self._stack.setCurrentIndex(int(searching))
        for editor in self._editors.values():
            editor.setEnabled(not searching)

    def _judge(self) -> None:
        """Say what is wrong with what is typed, and whether it can be searched."""
        wrong: dict[str, str] = {}
        try:
            self.settings()
        except ValidationError as error:
            first = first_problem(error)
            wrong[first.field] = said(first.problem)
        for name, editor in self._editors.items():
            editor.set_problem(wrong.get(name))
        titles = _titles()
        said_wrong = [tr("{field}: {problem}", field=titles.get(n, n), problem=p) for n, p in wrong.items()]
        self._wrong.show_text(" ".join(said_wrong), error=True)
        set_available(self.start, self._reason or (said_wrong[0] if wrong else None), tr("Takes a few seconds."))

    def _where(self, event: RangeTestEvent) -> str:
        tried = tr("{count} LRs tried in epoch {epoch}.", count=len(event.lr), epoch=event.epoch)
        if event.diverged:
            return tr("{tried} It ended early: the loss diverged.", tried=tried)
        return tried

    def _build(self) -> None:
        self._editors = {name: editor_for(FindLR.model_fields[name]) for name in _FIELDS}
        titles, tips = _titles(), _tips()
        fields = QGridLayout()
        fields.setHorizontalSpacing(12)
        fields.setVerticalSpacing(3)
        for column, (name, editor) in enumerate(self._editors.items()):
            info = FindLR.model_fields[name]
            title = QLabel(titles[name])
            title.setBuddy(editor.control())
            editor.control().setAccessibleName(title.text())
            title.setToolTip(as_tip(tips[name]))
            editor.setToolTip(as_tip(tips[name]))
            editor.show_value(info.default)
            editor.setFixedWidth(110)
            editor.edited.connect(self._judge)
            fields.addWidget(title, 0, column)
            fields.addWidget(editor, 1, column)
        self._wrong, self._note = HintLabel(), HintLabel()
        self.start = QPushButton(tr("Find a learning rate"))
        self.start.setProperty("role", "primary")
        self.start.setDefault(True)
        self.start.clicked.connect(self._find)
        self.bar, self.count = QProgressBar(), label("", "hint")
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName(tr("LRs tried"))
        self.cancel = QPushButton(tr("Cancel"))
        self.cancel.setAutoDefault(False)
        self.cancel.clicked.connect(self.cancel_wanted)
        self.plot = RangeTestPlot()
        self._rows = {"steepest": SuggestionRow(), "valley": SuggestionRow()}
        self._group, self._why = label("", "hint", wrap=True), label("", "", wrap=True)
        for shown in (*self._rows.values(), self._group, self._why):
            shown.hide()
        for row in self._rows.values():
            row.use_wanted.connect(self.use_wanted)
        top = QHBoxLayout()
        top.setSpacing(16)
        top.addLayout(fields)
        top.addWidget(self._intervention(), 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(14, 12, 14, 12)
        layout.setSpacing(8)
        untouched = tr(
            "A copy of the network trains on while its rate grows batch by batch, and the loss shows which rates it "
            "bears. The run itself is untouched: it stands, and goes on, as if nothing had been tried."
        )
        layout.addWidget(label(untouched, "hint", wrap=True))
        layout.addLayout(top)
        layout.addWidget(self._wrong)
        layout.addWidget(self.plot, 1)
        for widget in (self._note, *self._rows.values(), self._why, self._group):
            layout.addWidget(widget)

    def _intervention(self) -> QWidget:
        """[Find a rate], or while a search is under way its progress and [Cancel]."""
        idle, busy, both = QWidget(), QWidget(), QWidget()
        at_rest, at_work = QHBoxLayout(idle), QHBoxLayout(busy)
        told = QVBoxLayout()
        told.addStretch(1)
        told.addWidget(self.count)
        told.addWidget(self.bar)
        told.addStretch(1)
        for line in (at_rest, at_work):
            line.setContentsMargins(0, 0, 0, 0)
        at_rest.addWidget(self.start, 0, Qt.AlignmentFlag.AlignBottom)
        at_rest.addStretch(1)
        at_work.addLayout(told, 1)
        at_work.addWidget(self.cancel, 0, Qt.AlignmentFlag.AlignBottom)
        self._stack = QStackedLayout(both)
        self._stack.addWidget(idle)
        self._stack.addWidget(busy)
        return both


def _titles() -> dict[str, str]:
    return {"lr_min": tr("From"), "lr_max": tr("To"), "steps": tr("Steps")}


def _tips() -> dict[str, str]:
    return {
        "lr_min": tr("The first LR to try, usually 1e-7 to 1e-5."),
        "lr_max": tr("The last LR to try, usually 1 to 10. The test ends early if the loss diverges."),
        "steps": tr("How many LRs to try, one per batch: 20 to 10000, usually 100."),
    }
