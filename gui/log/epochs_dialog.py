"""A dialog to choose the end of one of a run's epochs."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QListWidget, QVBoxLayout, QWidget

from engine.common.position import Position
from engine.messages.events import EpochEvent
from gui.core.lr_text import lr_text
from gui.core.translation import tr
from gui.widgets.labels import label


def ends_of(history: Sequence[EpochEvent], position: Position | None = None) -> list[tuple[str, int]]:
    """The ends of the epochs of ``history``, newest first, then the start: a text and the epoch of each.

    Those at or after ``position``, the run's own, are left out.
    """
    ends = [
        (
            tr(
                "End of epoch {epoch}: validation accuracy {accuracy}, loss {loss}, LR {lr}",
                epoch=event.epoch,
                accuracy=f"{event.val_accuracy:.1%}",
                loss=f"{event.val_loss:.4g}",
                lr=lr_text(event.lr[0]),
            ),
            event.epoch,
        )
        for event in reversed(history)
        if position is None or Position(epoch=event.epoch + 1) < position
    ]
    return [*ends, (tr("The start"), 0)]


class EpochsDialog(QDialog):
    """Asks which epoch's end to go back to.

    Signals:
        chosen(int): the epoch; 0 is the start.
    """

    chosen = Signal(int)

    def __init__(self, name: str, ends: Sequence[tuple[str, int]], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr("Go back in {name}", name=name))
        self._ends = list(ends)
        self.list = QListWidget()
        self.list.addItems([text for text, _ in ends])
        self.list.setCurrentRow(0)
        self.list.setAccessibleName(tr("Epochs"))
        self.list.itemDoubleClicked.connect(lambda _: self.accept())
        kind = QDialogButtonBox.StandardButton
        self.buttons = QDialogButtonBox(kind.Ok | kind.Cancel)
        self.buttons.button(kind.Ok).setText(tr("Go back"))
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        self.accepted.connect(lambda: self.chosen.emit(self._ends[self.list.currentRow()][1]))
        self.finished.connect(self.deleteLater)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(14, 12, 14, 12)
        layout.setSpacing(8)
        kept = tr("A new branch starts there, exactly as the run was then. This run is kept.")
        layout.addWidget(label(kept, "hint", wrap=True))
        layout.addWidget(self.list, 1)
        layout.addWidget(self.buttons)
        self.resize(520, 340)
