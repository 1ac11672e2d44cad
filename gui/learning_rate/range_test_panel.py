"""The window of the LR range test: its settings, its progress, its result and the suggested LRs."""

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
_DIGITS: Final = 3  # significant digits of a suggestion


class SuggestionRow(QWidget):
    """One suggestion: its LR, a sentence that explains it, and [Use this].

    Signals:
        use_wanted(float): the user wants to use this LR, rounded as shown.
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
        """Show the LR, or why there is none."""
        self._lr = float(f"{suggestion.lr or 0.0:.{_DIGITS}g}")
        self.lr.setText("–" if suggestion.lr is None else lr_text(self._lr, _DIGITS))
        self.sentence.setText(said(suggestion.text))
        self.use.setVisible(suggestion.lr is not None)
        self.use.setAccessibleName(tr("Use {lr}", lr=self.lr.text()))


class RangeTestPanel(QDialog):
    """Asks for a range test, and shows its progress and its result.

    Signals:
        start_wanted(FindLR): a test with these settings should start.
        cancel_wanted(): the running test should be cancelled; also when the window is closed during a test.
        use_wanted(float): the user wants to use this suggested LR.
    """

    start_wanted = Signal(object)
    cancel_wanted = Signal()
    use_wanted = Signal(float)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr("Find a learning rate"))
        self._reason: str | None = tr("There is no run yet.")
        self._running = False
        self._build()
        self.resize(720, 620)
        self._validate()

    @property
    def running(self) -> bool:
        """Whether a test is shown as running."""
        return self._running

    def set_enabled_because(self, reason: str | None) -> None:
        """Allow a test (None), or disable the button with ``reason`` as its tooltip."""
        self._reason = reason
        self._validate()

    def show_progress(self, done: int, total: int) -> None:
        """Show that a test is running and has tried ``done`` of ``total`` LRs; 0 of 0: it waits."""
        self._set_running(True)
        self.bar.setMaximum(max(1, total))
        self.bar.setValue(done)
        self.count.setText(tr("{done} of {total} LRs tried", done=done, total=total) if total else tr("Waiting…"))
        self._note.show_text("")

    def show_result(self, event: RangeTestEvent) -> None:
        """Show the result of a test."""
        self._set_running(False)
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
                    "The LR is that of {group}, the fastest group; the others keep their proportion.",
                    group=event.group,
                )
            )
        self._note.show_text(self._result_text(event))

    def show_problem(self, text: str, *, error: bool = True) -> None:
        """Show why a test gave no result; the result before it stays."""
        self._set_running(False)
        self._note.show_text(text, error=error)

    def clear(self) -> None:
        """Remove the result: it was another run's."""
        self._set_running(False)
        self.plot.clear()
        self._note.show_text("")
        for shown in (*self._rows.values(), self._group, self._why):
            shown.hide()

    def settings(self) -> FindLR:
        """The settings as typed.

        Raises:
            ValidationError: a field is out of range, or the last LR is not greater than the first.
        """
        typed: dict[str, Any] = {name: editor.raw() for name, editor in self._editors.items()}
        return FindLR(**{name: value for name, value in typed.items() if value is not EMPTY})

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Escape cancels the test; if none is running, it closes the window."""
        if event.key() == Qt.Key.Key_Escape and self._running:
            self.cancel_wanted.emit()
        else:
            super().keyPressEvent(event)

    def done(self, result: int) -> None:
        """Closing the window cancels the test."""
        if self._running:
            self.cancel_wanted.emit()
        super().done(result)

    def _start(self) -> None:
        settings = self.settings()
        self.show_progress(0, 0)
        self.start_wanted.emit(settings)

    def _set_running(self, running: bool) -> None:
        self._running = running
        self._stack.setCurrentIndex(int(running))
        for editor in self._editors.values():
            editor.setEnabled(not running)

    def _validate(self) -> None:
        """Show what is wrong with the settings, and enable the button if nothing is."""
        errors: dict[str, str] = {}
        try:
            self.settings()
        except ValidationError as error:
            first = first_problem(error)
            errors[first.field] = said(first.problem)
        for name, editor in self._editors.items():
            editor.set_problem(errors.get(name))
        titles = _titles()
        texts = [tr("{field}: {problem}", field=titles.get(n, n), problem=p) for n, p in errors.items()]
        self._error.show_text(" ".join(texts), error=True)
        set_available(self.start, self._reason or (texts[0] if texts else None), tr("Takes a few seconds."))

    def _result_text(self, event: RangeTestEvent) -> str:
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
            editor.edited.connect(self._validate)
            fields.addWidget(title, 0, column)
            fields.addWidget(editor, 1, column)
        self._error, self._note = HintLabel(), HintLabel()
        self.start = QPushButton(tr("Find a learning rate"))
        self.start.setProperty("role", "primary")
        self.start.setDefault(True)
        self.start.clicked.connect(self._start)
        self.bar, self.count = QProgressBar(), label("", "hint")
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName(tr("LRs tried"))
        self.cancel = QPushButton(tr("Cancel"))
        self.cancel.setAutoDefault(False)
        self.cancel.clicked.connect(self.cancel_wanted)
        self.plot = RangeTestPlot()
        self._rows = {"bold": SuggestionRow(), "steady": SuggestionRow()}
        self._group, self._why = label("", "hint", wrap=True), label("", "", wrap=True)
        for shown in (*self._rows.values(), self._group, self._why):
            shown.hide()
        for row in self._rows.values():
            row.use_wanted.connect(self.use_wanted)
        top = QHBoxLayout()
        top.setSpacing(16)
        top.addLayout(fields)
        top.addWidget(self._make_start_row(), 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(14, 12, 14, 12)
        layout.setSpacing(8)
        about = tr(
            "A copy of the network trains while its learning rate grows with each batch, and the loss shows which "
            "learning rates it tolerates. The run itself does not change."
        )
        layout.addWidget(label(about, "hint", wrap=True))
        layout.addLayout(top)
        layout.addWidget(self._error)
        layout.addWidget(self.plot, 1)
        for widget in (self._note, *self._rows.values(), self._why, self._group):
            layout.addWidget(widget)

    def _make_start_row(self) -> QWidget:
        """[Find a learning rate], or during a test its progress and [Cancel]."""
        idle, running, row = QWidget(), QWidget(), QWidget()
        idle_line, running_line, progress = QHBoxLayout(idle), QHBoxLayout(running), QVBoxLayout()
        progress.addStretch(1)
        progress.addWidget(self.count)
        progress.addWidget(self.bar)
        progress.addStretch(1)
        for line in (idle_line, running_line):
            line.setContentsMargins(0, 0, 0, 0)
        idle_line.addWidget(self.start, 0, Qt.AlignmentFlag.AlignBottom)
        idle_line.addStretch(1)
        running_line.addLayout(progress, 1)
        running_line.addWidget(self.cancel, 0, Qt.AlignmentFlag.AlignBottom)
        self._stack = QStackedLayout(row)
        self._stack.addWidget(idle)
        self._stack.addWidget(running)
        return row


def _titles() -> dict[str, str]:
    return {"lr_min": tr("From"), "lr_max": tr("To"), "steps": tr("Steps")}


def _tips() -> dict[str, str]:
    return {
        "lr_min": tr("The first LR to try, usually 1e-7 to 1e-5."),
        "lr_max": tr("The last LR to try, usually 1 to 10. The test ends early if the loss diverges."),
        "steps": tr("How many LRs to try, one per batch: 20 to 10000, usually 100."),
    }
