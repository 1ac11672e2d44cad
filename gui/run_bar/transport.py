"""The run bar: Start, Pause or Resume, Run 1 epoch, Stop; and how far the run is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Literal

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QPushButton, QSizePolicy, QStackedWidget, QWidget

from engine.common.lifecycle import Action, State
from gui.core.translation import said, tr
from gui.widgets.labels import ElidedLabel, Readout, set_available, set_role

_FINE: Final = 10_000  # positions of the progress bar


def duration_text(seconds: float) -> str:
    """A duration as text: 1:20, 1:02:03, 2 d 4 h."""
    total = max(0, round(seconds))
    minutes, s = divmod(total, 60)
    hours, m = divmod(minutes, 60)
    if hours >= 48:
        return tr("{days} d {hours} h", days=hours // 24, hours=hours % 24)
    return f"{hours}:{m:02}:{s:02}" if hours else f"{m}:{s:02}"


def speed_text(images_per_second: float) -> str:
    """812 images/s; one decimal below 10."""
    n = images_per_second
    return tr("{n} images/s", n=f"{n:,.0f}" if n >= 9.95 else f"{n:.1f}")


class Transport(QWidget):
    """The buttons, which only emit signals, and the confirmed progress beside them.

    Signals:
        start(), pause(), resume(), run_epoch(), stop(): the button was pressed.
        cancel(): Cancel was pressed, which is there while something is loaded.
    """

    start = Signal()
    pause = Signal()
    resume = Signal()
    run_epoch = Signal()
    stop = Signal()
    cancel = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._main_action: Literal["start", "pause", "resume"] = "start"
        self._main, self._epoch = QPushButton(), QPushButton(tr("Run 1 epoch"))
        self._stop, self._cancel = QPushButton(tr("Stop")), QPushButton(tr("Cancel"))
        set_role(self._main, "primary")
        metrics = self.fontMetrics()
        texts = (tr("Start"), tr("Pause"), tr("Resume"))
        self._main.setMinimumWidth(max(metrics.horizontalAdvance(text) for text in texts) + 44)
        self._main.setDefault(True)
        self._main.clicked.connect(self._on_main)
        self._epoch.clicked.connect(self.run_epoch)
        self._stop.clicked.connect(self.stop)
        self._cancel.clicked.connect(self.cancel)
        self._epoch_readout, self._batch, self._eta, self._speed = Readout(), Readout(), Readout(), Readout()
        self._validating: int | None = None
        self._position = (1, 0, "")  # the current epoch, the number of epochs (0: no run), and the batch as text
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
        self._speed.reserve(speed_text(10_000))
        self._eta.setToolTip(tr("Time left at the current pace."))
        self._speed.setToolTip(tr("Training images per second, without validation."))
        self._pages = QStackedWidget()
        self._pages.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        for widgets in (
            (self._epoch_readout, self._bar, self._batch, self._eta, self._speed),
            (self._loading, self._loading_bar, self._cancel),
        ):
            self._pages.addWidget(_row(*widgets))
        layout = QHBoxLayout(self)
        layout.setContentsMargins(12, 6, 12, 6)
        layout.setSpacing(8)
        for button in (self._main, self._epoch, self._stop):
            layout.addWidget(button)
        layout.addSpacing(8)
        layout.addWidget(self._pages, 1)
        self.setFocusProxy(self._main)
        self.clear_progress()
        self.show_state("ready", lambda _: None)

    def show_state(self, state: State, why_not: Callable[[Action], str | None], downloading: bool = False) -> None:
        """Show the buttons for ``state``.

        Args:
            state: the state of the run; ``ready`` before there is one.
            why_not: why an action is not possible, as a sentence, or None where it is.
            downloading: whether ``show_loading`` shows a download, which stays.
        """
        if state == "training":
            self._main_action = "pause"
        elif state in ("paused", "diverged"):
            self._main_action = "resume"
        else:
            self._main_action = "start"
        text = {"start": tr("Start"), "pause": tr("Pause"), "resume": tr("Resume")}[self._main_action]
        tip = {
            "start": tr("Start training (Space)."),
            "pause": tr("Pause after the current batch (Space)."),
            "resume": tr("Resume training (Space)."),
        }[self._main_action]
        self._main.setText(text)
        epoch_tip = tr("Train one epoch, then pause.")
        if state == "training":
            epoch_tip = tr("Train to the end of this epoch, then pause.")
        main_why_not = why_not(self._main_action)
        if main_why_not is not None and self.window().focusWidget() is self._main:
            self._pages.setFocus()  # until it is back; Qt would give it to the next button, and Space would press that
        set_available(self._main, main_why_not, tip)
        if main_why_not is None and self.window().focusWidget() is self._pages:
            self._main.setFocus()
        set_available(self._epoch, why_not("run_epoch"), epoch_tip)
        set_available(self._stop, why_not("stop"), tr("Save the run and end it here. It can be continued."))
        if state != "loading" and not downloading:
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
        """Show the progress: ``batches_done`` batches of ``epoch`` (from 1). None: not known yet."""
        whole = max(1, epochs * batches_per_epoch)
        done = (epoch - 1) * batches_per_epoch + batches_done
        self._epoch_readout.reserve(tr("Epoch {epoch}/{epochs}", epoch=epochs, epochs=epochs))
        self._batch.reserve(tr("batch {batch}/{batches}", batch=batches_per_epoch, batches=batches_per_epoch))
        self._position = epoch, epochs, tr("batch {batch}/{batches}", batch=batches_done, batches=batches_per_epoch)
        self._show_position()
        self._bar.setValue(min(_FINE, _FINE * done // whole))
        eta = "–" if eta_seconds is None else duration_text(eta_seconds)
        self._eta.setText(tr("ETA {time}", time=eta))
        self._speed.setText(tr("– images/s") if images_per_second is None else speed_text(images_per_second))

    def show_validating(self, epoch: int | None) -> None:
        """Show that ``epoch`` is being validated; None: no validation goes on."""
        self._validating = epoch
        self._show_position()

    def _show_position(self) -> None:
        epoch, epochs, batch = self._position
        if self._validating is not None:
            epoch, batch = self._validating, tr("validating…")
        if epochs:
            self._epoch_readout.setText(tr("Epoch {epoch}/{epochs}", epoch=min(epoch, epochs), epochs=epochs))
            self._batch.setText(batch)

    def clear_progress(self) -> None:
        """Show no numbers, as before the first batch."""
        self._validating, self._position = None, (1, 0, "")
        for readout in (self._epoch_readout, self._batch, self._eta, self._speed):
            readout.clear()
        self._epoch_readout.setText(tr("Not started"))
        self._bar.setValue(0)

    def show_loading(self, text: str, done: int = 0, total: int = 0) -> None:
        """Show what is being loaded, its progress, and Cancel; ``total`` is 0 if it is not known."""
        self._loading.setText(said(text))
        # Qt's counts are 32 bits, and a download's bytes are not.
        self._loading_bar.setRange(0, _FINE if total else 0)
        if total:
            self._loading_bar.setValue(min(_FINE, _FINE * done // total))
        self._pages.setCurrentIndex(1)

    def toggle(self) -> None:
        """Press Start, Pause or Resume, as Space in the window does; does nothing where it is disabled."""
        self._main.click()

    def _on_main(self) -> None:
        {"start": self.start, "pause": self.pause, "resume": self.resume}[self._main_action].emit()


def _row(*widgets: QWidget) -> QWidget:
    page = QWidget()
    layout = QHBoxLayout(page)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(12)
    for widget in widgets:
        layout.addWidget(widget, 1 if isinstance(widget, (QProgressBar, ElidedLabel)) else 0)
    return page
