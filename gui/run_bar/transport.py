"""The bottom bar: start, pause, run one epoch, finish; and how far the run has come."""

from __future__ import annotations

from typing import Final, Literal

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QPushButton, QSizePolicy, QStackedWidget, QWidget

from engine.common.lifecycle import Action, IllegalAction, State, next_state
from gui.core.translation import said, tr
from gui.widgets.labels import ElidedLabel, Readout, set_available, set_role

_FINE: Final = 10_000  # positions of the progress bar


def duration_words(seconds: float) -> str:
    """A length of time for a glance: 1:20, 1:02:03, 2 d 4 h."""
    total = max(0, round(seconds))
    minutes, s = divmod(total, 60)
    hours, m = divmod(minutes, 60)
    if hours >= 48:
        return tr("{days} d {hours} h", days=hours // 24, hours=hours % 24)
    return f"{hours}:{m:02}:{s:02}" if hours else f"{m}:{s:02}"


def speed_words(images_per_second: float) -> str:
    """812 images/s; one decimal below 10."""
    lr = images_per_second
    return tr("{n} images/s", n=f"{lr:,.0f}" if lr >= 9.95 else f"{lr:.1f}")


class Transport(QWidget):
    """Buttons that only say what was pressed, and the confirmed progress beside them.

    Signals: start, pause, resume, run_epoch, finish; cancel, while something is loading.
    """

    start = Signal()
    pause = Signal()
    resume = Signal()
    run_epoch = Signal()
    finish = Signal()
    cancel = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._main_intervention: Literal["start", "pause", "resume"] = "start"
        self._main, self._epoch = QPushButton(), QPushButton(tr("Run 1 epoch"))
        self._finish, self._cancel = QPushButton(tr("Finish now")), QPushButton(tr("Cancel"))
        set_role(self._main, "primary")
        metrics = self.fontMetrics()
        faces = (tr("Start"), tr("Pause"), tr("Resume"))
        self._main.setMinimumWidth(max(metrics.horizontalAdvance(face) for face in faces) + 44)
        self._main.setDefault(True)
        self._main.clicked.connect(self._on_main)
        self._epoch.clicked.connect(self.run_epoch)
        self._finish.clicked.connect(self.finish)
        self._cancel.clicked.connect(self.cancel)
        self._place, self._batch, self._eta, self._speed = Readout(), Readout(), Readout(), Readout()
        self._validating: int | None = None
        self._at = (1, 0, "")  # the epoch under way, all of them (0: no run), and the batch in words
        self._batch.reserve(tr("validating…"))
        self._bar, self._loading_bar = QProgressBar(), QProgressBar()
        self._loading = ElidedLabel()
        for bar in (self._bar, self._loading_bar):
            bar.setTextVisible(False)
            bar.setFixedHeight(8)
            bar.setMinimumWidth(60)
            bar.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._bar.setRange(0, _FINE)
        self._bar.setAccessibleName(tr("Progress of the run"))
        self._eta.reserve(tr("ETA {time}", time="00:00:00"))
        self._speed.reserve(speed_words(10_000))
        self._eta.setToolTip(tr("Time left at the present pace."))
        self._speed.setToolTip(tr("Training images a second, validation left out."))
        self._pages = QStackedWidget()
        self._pages.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        for widgets in (
            (self._place, self._bar, self._batch, self._eta, self._speed),
            (self._loading, self._loading_bar, self._cancel),
        ):
            self._pages.addWidget(_row(*widgets))
        layout = QHBoxLayout(self)
        layout.setContentsMargins(12, 6, 12, 6)
        layout.setSpacing(8)
        for button in (self._main, self._epoch, self._finish):
            layout.addWidget(button)
        layout.addSpacing(8)
        layout.addWidget(self._pages, 1)
        self.setFocusProxy(self._main)
        self.clear_progress()
        self.show_state("ready")

    def show_state(self, state: State, blocked: str | None = None, begun: bool = True, loading: bool = False) -> None:
        """Offer what is possible in ``state``.

        ``blocked`` is why nothing is (a recipe with a mistake), or None; ``begun`` whether there is a run to finish;
        ``loading`` whether something is fetched that ``show_loading`` tells of.
        """
        if state == "training":
            self._main_intervention = "pause"
        elif state in ("paused", "diverged"):
            self._main_intervention = "resume"
        else:
            self._main_intervention = "start"
        face = {"start": tr("Start"), "pause": tr("Pause"), "resume": tr("Resume")}[self._main_intervention]
        tip = {
            "start": tr("Begin training (Space)."),
            "pause": tr("Stand still after the batch under way (Space)."),
            "resume": tr("Go on (Space)."),
        }[self._main_intervention]
        self._main.setText(face)
        on_epoch = tr("Train to the end of this epoch, then pause.")
        off_epoch = tr("Train one epoch, then pause.")
        set_available(self._main, blocked or _refusal(state, self._main_intervention), tip)
        set_available(
            self._epoch, blocked or _refusal(state, "run_epoch"), on_epoch if state == "training" else off_epoch
        )
        nothing = None if begun else tr("There is no run yet.")
        set_available(self._finish, blocked or nothing or _refusal(state, "stop"), tr("End the run here and save it."))
        if state != "loading" and not loading:
            self._pages.setCurrentIndex(0)

    def show_progress(
        self,
        epoch: int,
        batches_done: int,
        batches_per_epoch: int,
        epochs: int,
        images_per_second: float | None,
        eta_seconds: float | None,
    ) -> None:
        """Show how far the run is: ``batches_done`` in ``epoch`` (from 1), the one under way. None: not known yet."""
        whole = max(1, epochs * batches_per_epoch)
        done = (epoch - 1) * batches_per_epoch + batches_done
        self._place.reserve(tr("Epoch {epoch}/{epochs}", epoch=epochs, epochs=epochs))
        self._batch.reserve(tr("batch {batch}/{batches}", batch=batches_per_epoch, batches=batches_per_epoch))
        self._at = epoch, epochs, tr("batch {batch}/{batches}", batch=batches_done, batches=batches_per_epoch)
        self._say_place()
        self._bar.setValue(min(_FINE, _FINE * done // whole))
        eta = "–" if eta_seconds is None else duration_words(eta_seconds)
        self._eta.setText(tr("ETA {time}", time=eta))
        self._speed.setText(tr("– images/s") if images_per_second is None else speed_words(images_per_second))

    def show_validating(self, epoch: int | None) -> None:
        """Epoch ``epoch``'s batches are done and it is being validated, for long enough to be worth a word; or None."""
        self._validating = epoch
        self._say_place()

    def _say_place(self) -> None:
        epoch, epochs, batch = self._at
        if self._validating is not None:
            epoch, batch = self._validating, tr("validating…")
        if epochs:
            self._place.setText(tr("Epoch {epoch}/{epochs}", epoch=min(epoch, epochs), epochs=epochs))
            self._batch.setText(batch)

    def clear_progress(self) -> None:
        """Before the first batch: no numbers."""
        self._validating, self._at = None, (1, 0, "")
        for readout in (self._place, self._batch, self._eta, self._speed):
            readout.clear()
        self._place.setText(tr("Not started"))
        self._bar.setValue(0)

    def show_loading(self, text: str, done: int = 0, total: int = 0) -> None:
        """Say what is being prepared and how much of it is done, with [Cancel]; ``total`` 0 where it is not known."""
        self._loading.setText(said(text))
        # Qt's counts are 32 bits, and a download's bytes are not.
        self._loading_bar.setRange(0, _FINE if total else 0)
        if total:
            self._loading_bar.setValue(min(_FINE, _FINE * done // total))
        self._pages.setCurrentIndex(1)

    def toggle(self) -> None:
        """Press the first button, as Space in the window does; nothing where it is disabled."""
        self._main.click()

    def _on_main(self) -> None:
        {"start": self.start, "pause": self.pause, "resume": self.resume}[self._main_intervention].emit()


def _refusal(state: State, action: Action) -> str | None:
    """Why ``action`` is not possible in ``state``, as a sentence; None where it is."""
    try:
        next_state(state, action)
    except IllegalAction as refusal:
        reason = said(str(refusal))
        return tr("{reason}.", reason=reason[:1].upper() + reason[1:])
    return None


def _row(*widgets: QWidget) -> QWidget:
    page = QWidget()
    layout = QHBoxLayout(page)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(12)
    for widget in widgets:
        layout.addWidget(widget, 1 if isinstance(widget, (QProgressBar, ElidedLabel)) else 0)
    return page
