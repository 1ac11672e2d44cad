"""The main window: layout and menus."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QSize, Qt, Signal
from PySide6.QtGui import QAction, QActionGroup, QCloseEvent, QKeySequence, QPaintEvent
from PySide6.QtWidgets import (
    QAbstractButton,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QMainWindow,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QSplitter,
    QTabWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from gui.advice.panel import AdvicePanel
from gui.core.settings import Settings
from gui.core.translation import tr
from gui.learning_rate.panel import LRPanel
from gui.log.panel import LogPanel
from gui.plots.stack import PlotStack
from gui.run_bar.action_line import ActionLine
from gui.run_bar.banner import Banner
from gui.run_bar.transport import Transport
from gui.schedule.panel import SchedulePanel
from gui.setup.panel import SetupPanel
from gui.setup.start_page import StartPage
from gui.widgets.labels import scroll_area, scroll_into_view
from gui.widgets.state_chip import StateChip

SIDE_WIDTH = 310
FOLDED_WIDTH = 190
# Pixels that each column has at least, so that all three fit beside each other in 960 pixels:
_LEAST_SETUP, _LEAST_MIDDLE, _LEAST_SIDE = 250, 396, 290
DRAWER_HEIGHT = 250
_PAGE_HEIGHT = 90
_TITLE_BAR = 36  # pixels that the frame around the window takes, which nobody knows before it is shown


class MainWindow(QMainWindow):
    """All panels, laid out.

    Signals:
        first_painted(): the window was painted for the first time.
        leave_wanted(): the user closes the window; it stays open until ``leave`` is called.
        came_back(): the window was activated again.
        renamed(str): the user renamed the run.
    """

    first_painted = Signal()
    leave_wanted = Signal()
    came_back = Signal()
    renamed = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self._leaving = False
        self._painted = False
        self.drawer_height = DRAWER_HEIGHT
        self.setup, self.schedule, self.lr_panel = SetupPanel(), SchedulePanel(), LRPanel()
        self.banner, self.start_page, self.plots = Banner(), StartPage(), PlotStack()
        self.transport, self.action_line, self.log = Transport(), ActionLine(), LogPanel()
        self.chip, self.device, self.advice = StateChip(), QLabel(), AdvicePanel()
        self._make_actions()
        self._make_menus()
        self._lay_out()
        for button in self.findChildren(QAbstractButton):
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)  # a click leaves the focus, so that Space starts and pauses
        self.transport.setFocus()
        self._fit_to_screen(QSize(1280, 800))
        self.show_title("")

    def show_title(self, text: str) -> None:
        """Set the title of the window: ``text``, short enough for the task bar, and the program's name."""
        self.setWindowTitle(f"{text} – Tiller" if text else "Tiller")

    def show_name(self, name: str, placeholder: str) -> None:
        """Show the run's name; ``placeholder`` is shown if it has none."""
        if not self.name.hasFocus():
            self.name.setText(name)
        self.name.setPlaceholderText(placeholder)

    def show_side(self, which: QWidget) -> None:
        """Bring the panel ``which`` on the right to the front."""
        for index in range(self.side.count()):
            area = self.side.widget(index)
            if isinstance(area, QScrollArea) and area.widget() is which:
                self.side.setCurrentIndex(index)

    def fold(self, folded: bool) -> None:
        """Give the left column the width of the whole setup, or of its summary."""
        self.setup.setMinimumWidth(FOLDED_WIDTH if folded else _LEAST_SETUP)
        left, middle, right = self.columns.sizes()
        width = FOLDED_WIDTH + 20 if folded else SIDE_WIDTH
        self.columns.setSizes([width, left + middle - width, right])

    def add_drawer(self, drawer: QWidget) -> None:
        """Put ``drawer`` below everything but the transport, as wide as the window."""
        height = self.levels.height()
        self.levels.addWidget(drawer)
        self.levels.setStretchFactor(0, 1)
        part = min(self.drawer_height, height // 2)
        self.levels.setSizes([height - part, part])

    def restore_layout(self, settings: Settings) -> None:
        """Restore sizes, positions and plot options."""
        if settings.geometry:
            self.restoreGeometry(settings.geometry)
            if not self.isMaximized():
                self._fit_to_screen(self.size())
        for name, splitter in (("columns", self.columns), ("rows", self.rows)):
            if sizes := settings.splitter_sizes.get(name):
                splitter.setSizes(sizes)
        if drawer := settings.splitter_sizes.get("levels"):
            self.drawer_height = drawer[-1]
        plots = self.plots
        plots.set_axis(settings.x_axis)
        plots.loss.slider.setValue(round(settings.smoothing * 100))
        plots.loss.log_button.setChecked(settings.log_loss)
        plots.lr.log_button.setChecked(settings.log_lr)

    def _fit_to_screen(self, wanted: QSize) -> None:
        """Take the size ``wanted``, or what of it the screen has room for beside its panels."""
        room = self.screen().availableGeometry()
        self.resize(wanted.boundedTo(room.size() - QSize(0, _TITLE_BAR)))

    def store_layout(self, settings: Settings) -> None:
        """Write sizes, positions and plot options to ``settings``, and save them."""
        plots = self.plots
        settings.geometry = bytes(self.saveGeometry().data())
        sizes = {"columns": self.columns.sizes(), "rows": self.rows.sizes()}
        drawer = self.levels.sizes()[1:] or [self.drawer_height]
        settings.splitter_sizes = {**sizes, "levels": [part or self.drawer_height for part in drawer]}
        settings.x_axis = plots.axis
        settings.smoothing = plots.loss.slider.value() / 100
        settings.log_loss = plots.loss.log_button.isChecked()
        settings.log_lr = plots.lr.log_button.isChecked()
        settings.save()

    def leave(self) -> None:
        """Close without asking."""
        self._leaving = True
        self.close()

    def closeEvent(self, event: QCloseEvent) -> None:
        """Emit ``leave_wanted`` unless ``leave`` was called."""
        if self._leaving:
            event.accept()
        else:
            event.ignore()
            self.leave_wanted.emit()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Emit ``first_painted`` after the first painting."""
        super().paintEvent(event)
        if not self._painted:
            self._painted = True
            self.first_painted.emit()

    def changeEvent(self, event: QEvent) -> None:
        """Emit ``came_back`` when the window is activated."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.ActivationChange and self.isActiveWindow():
            self.came_back.emit()

    # -- building

    def _make_actions(self) -> None:
        def action(text: str, tip: str, keys: QKeySequence.StandardKey | str | None = None) -> QAction:
            made = QAction(text, self)
            made.setToolTip(tip)
            if keys is not None:
                made.setShortcut(QKeySequence(keys))
            return made

        keys = QKeySequence.StandardKey
        self.new = action(tr("New"), tr("A new run, with these settings to start from"), keys.New)
        self.open = action(tr("Open…"), tr("Open a recipe or a checkpoint"), keys.Open)
        self.save = action(tr("Save"), tr("Save the whole state of the run; before the start, the recipe"), keys.Save)
        self.save_as = action(tr("Save as…"), tr("Save into a file of your choice"), keys.SaveAs)
        self.quit = action(tr("Quit"), tr("Save and leave"), keys.Quit)
        self.toggle = action(tr("Start or pause"), tr("Start, pause or resume"))
        self.toggle.setShortcut(QKeySequence(Qt.Key.Key_Space))
        self.run_epoch = action(tr("Run 1 epoch"), tr("Train one epoch, then pause"), "Ctrl+E")
        self.stop = action(tr("Stop"), tr("Save the run and end it here"))
        self.find_lr = action(tr("Find a learning rate…"), tr("LR range test: try learning rates on a copy of the run"))
        self.show_log = action(tr("Log"), tr("What happened, line by line (Ctrl+L)"), "Ctrl+L")
        self.show_log.setCheckable(True)
        self.show_runs = action(tr("Runs"), tr("All runs: search, compare, continue (Ctrl+R)"), "Ctrl+R")
        self.show_runs.setCheckable(True)
        self.library_settings = action(tr("Library settings…"), tr("Which checkpoints are kept"))
        self.tutorial = action(tr("Learning-rate schedules: a tutorial"), "", keys.HelpContents)
        self.about = action(tr("About Tiller"), "")
        self.quit.triggered.connect(self.close)
        self.themes = QActionGroup(self)
        for name, text in (("system", tr("As the system")), ("light", tr("Light")), ("dark", tr("Dark"))):
            theme = self.themes.addAction(text)
            theme.setCheckable(True)
            theme.setData(name)

    def _make_menus(self) -> None:
        bar = self.menuBar()
        file = bar.addMenu(tr("&File"))
        file.addActions([self.new, self.open, self.save, self.save_as])
        self.export = file.addMenu(tr("Export"))
        file.addAction(self.library_settings)
        file.addSeparator()
        file.addAction(self.quit)
        self.edit = bar.addMenu(tr("&Edit"))
        self.edit.setToolTipsVisible(True)
        bar.addMenu(tr("&Run")).addActions([self.toggle, self.run_epoch, self.stop, self.find_lr])
        view = bar.addMenu(tr("&View"))
        view.addActions([self.show_log, self.show_runs])
        view.addMenu(tr("Theme")).addActions(self.themes.actions())
        about = bar.addMenu(tr("&Help"))
        about.addAction(self.tutorial)
        self.examples = about.addMenu(tr("Examples"))
        about.addAction(self.about)

    def _lay_out(self) -> None:
        self.columns = QSplitter(Qt.Orientation.Horizontal)
        self.columns.setChildrenCollapsible(False)
        self.setup.setMinimumWidth(_LEAST_SETUP)
        self.columns.addWidget(self.setup)
        self.columns.addWidget(self._middle())
        self.side = QTabWidget()
        self.side.setDocumentMode(True)
        self.side.tabBar().setExpanding(True)
        self.side.addTab(_scrolled(self.lr_panel), tr("Learning rate"))
        self.side.addTab(_scrolled(self.schedule), tr("Schedule"))
        self.side.setMinimumWidth(_LEAST_SIDE)
        right = QWidget()
        stack = QVBoxLayout(right)
        stack.setContentsMargins(0, 0, 0, 0)
        stack.setSpacing(0)
        stack.addWidget(self.side, 1)
        stack.addWidget(self.advice)
        self.columns.addWidget(right)
        self.columns.setStretchFactor(1, 1)
        self.columns.setSizes([SIDE_WIDTH, 1280 - 2 * SIDE_WIDTH - 30, SIDE_WIDTH + 30])
        whole = QWidget()
        layout = QVBoxLayout(whole)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self._top())
        layout.addWidget(_line())
        self.levels = QSplitter(Qt.Orientation.Vertical)
        self.levels.setChildrenCollapsible(False)
        self.levels.addWidget(self.columns)
        self.show_runs.toggled.connect(self.start_page.make_room)
        layout.addWidget(self.levels, 1)
        layout.addWidget(_line())
        layout.addWidget(self.transport)
        layout.addWidget(self._bottom())
        self.setCentralWidget(whole)

    def _top(self) -> QWidget:
        bar = QWidget()
        row = QHBoxLayout(bar)
        row.setContentsMargins(12, 6, 12, 6)
        row.setSpacing(6)
        for action in (self.new, self.open, self.save):
            button = QToolButton()
            button.setDefaultAction(action)
            button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextOnly)
            row.addWidget(button)
        self.name = QLineEdit()
        self.name.setFrame(False)
        self.name.setMaxLength(200)
        self.name.setAccessibleName(tr("Name of the run"))
        self.name.setToolTip(tr("The run's name; click to change it."))
        self.name.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.name.editingFinished.connect(lambda: self.renamed.emit(self.name.text().strip()))
        row.addSpacing(12)
        row.addWidget(self.name, 1)
        row.addWidget(self.chip)
        row.addSpacing(6)
        row.addWidget(self.device)
        return bar

    def _middle(self) -> QWidget:
        middle = QWidget()
        middle.setMinimumWidth(_LEAST_MIDDLE)
        column = QVBoxLayout(middle)
        column.setContentsMargins(0, 0, 0, 0)
        page = QWidget()  # scrolls where the window is too low: the plots stay high enough to be read
        parts = QVBoxLayout(page)
        parts.setContentsMargins(6, 6, 6, 6)
        parts.setSpacing(6)
        parts.addWidget(self.banner)
        parts.addWidget(self.start_page)
        parts.addWidget(self.plots, 1)
        self.page = scroll_area(page)
        self.page.setMinimumHeight(_PAGE_HEIGHT)
        self.banner.appeared.connect(lambda: scroll_into_view(self.banner))
        self.rows = QSplitter(Qt.Orientation.Vertical)
        self.rows.setChildrenCollapsible(False)
        self.rows.addWidget(self.page)
        self.rows.addWidget(self.log)
        self.rows.setStretchFactor(0, 1)
        self.rows.setSizes([600, 210])
        self.log.setMinimumHeight(110)
        self.log.hide()
        self.show_log.toggled.connect(self.log.setVisible)
        column.addWidget(self.rows, 1)
        return middle

    def _bottom(self) -> QWidget:
        bar = QWidget()
        row = QHBoxLayout(bar)
        row.setContentsMargins(12, 0, 12, 8)
        row.addWidget(self.action_line, 1)
        for action in (self.show_log, self.show_runs):
            row.addWidget(_toggle(action))
        return bar


def _scrolled(panel: QWidget) -> QScrollArea:
    area = scroll_area(panel)
    area.setMinimumWidth(_LEAST_SIDE)
    return area


def _toggle(action: QAction) -> QPushButton:
    """A button that opens and closes what ``action`` does."""
    button = QPushButton(action.text())
    button.setCheckable(True)

    def follow() -> None:
        button.setEnabled(action.isEnabled())
        button.setToolTip(action.toolTip())

    follow()
    button.toggled.connect(action.setChecked)
    action.toggled.connect(button.setChecked)
    action.changed.connect(follow)
    return button


def _line() -> QFrame:
    line = QFrame()
    line.setFrameShape(QFrame.Shape.HLine)
    line.setProperty("role", "line")
    return line
