"""The Help menu: the tutorial, example recipes, and the About dialog."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QDialog, QMenu, QMessageBox, QTextBrowser, QVBoxLayout, QWidget

from engine import __version__
from engine.recipe.presets import PRESETS, preset, tutorial_text
from gui.core.translation import tr


class HelpController(QObject):
    """Shows the tutorial and the About dialog, and offers example recipes.

    Signals:
        example_wanted(Recipe): an example recipe was chosen.
    """

    example_wanted = Signal(object)

    def __init__(self, window: QWidget, *, tutorial: QAction, about: QAction, examples: QMenu) -> None:
        super().__init__(window)
        self._window = window
        self._tutorial: QDialog | None = None
        about.triggered.connect(self._about)
        tutorial.triggered.connect(self.show_tutorial)
        titles = {
            "digits": tr("Handwritten digits, StepLR"),
            "tutorial/step_lr": tr("StepLR: half the LR every 10 epochs"),
            "tutorial/multi_step_lr": tr("MultiStepLR: a tenth at epochs 15, 30 and 45"),
            "tutorial/exponential_lr": tr("ExponentialLR: 2% less each epoch"),
            "tutorial/cosine_annealing_lr": tr("CosineAnnealingLR: down, and up again past T_max"),
            "tutorial/lambda_lr": tr("LambdaLR: a line, then level"),
            "tutorial/layered_lambda_lr": tr("LambdaLR: two layer groups"),
            "tutorial/reduce_lr_on_plateau": tr("ReduceLROnPlateau: halve the LR when nothing improves"),
            "fine_tune/head_and_rest": tr("Fine-tuning: a new head at ten times the LR of the rest"),
            "fine_tune/layer_by_layer": tr("Fine-tuning: each earlier block slower"),
        }
        for name in PRESETS:
            action = examples.addAction(titles.get(name, name))
            action.triggered.connect(lambda _=False, name=name: self.example_wanted.emit(preset(name)))

    def show_tutorial(self) -> None:
        """Show the tutorial in a window of its own."""
        if self._tutorial is None:
            self._tutorial = QDialog(self._window)
            self._tutorial.setWindowTitle(tr("Learning-rate schedules: a tutorial"))
            self._tutorial.resize(760, 720)
            text = QTextBrowser()
            text.setOpenExternalLinks(True)
            text.setMarkdown(tutorial_text())
            layout = QVBoxLayout(self._tutorial)
            layout.addWidget(text)
        self._tutorial.show()
        self._tutorial.raise_()

    def _about(self) -> None:
        text = tr(
            "Tiller {version}. Train convolutional networks and steer the learning rate while they train.",
            version=__version__,
        )
        QMessageBox.about(self._window, tr("About Tiller"), text)
