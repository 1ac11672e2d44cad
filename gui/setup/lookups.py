"""Background lookups for the setup: PyTorch, devices, data, the network's modules, and unfinished runs."""

from __future__ import annotations

from datetime import datetime

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtWidgets import QLabel

from engine.common.errors import SpecError
from engine.library import Library
from engine.recipe.data_sets import DATA_SETS
from engine.recipe.recipe import DataSpec, ModelSpec, recipe_from_json
from engine.training import queries
from gui.core.allowed_code import AllowedCode, Version
from gui.core.task_runner import Failure, Task, TaskRunner
from gui.core.translation import said, tr
from gui.setup.panel import SetupPanel
from gui.setup.start_page import Resumable, StartPage

_SHOWN = 3
SETTLE_MS = 300
"""Typing must pause for this long before a network is built."""


class Lookups(QObject):
    """Runs lookups on worker threads and shows their results.

    Signals:
        torch_loaded(): PyTorch is imported.
        free(): training can begin.
        checked(): ``data_problem``, ``code_problem`` or the problem with the network has changed.
        torch_failed(str, str): why PyTorch could not be imported, and the details.
        download_progressed(str, int, int): what is being downloaded, how many bytes are done, and how many there
            are.
        download_over(): the download has ended.
    """

    torch_loaded = Signal()
    free = Signal()
    checked = Signal()
    torch_failed = Signal(str, str)
    download_progressed = Signal(str, object, object)  # counts of bytes do not fit into Qt's integers
    download_over = Signal()

    def __init__(
        self,
        setup: SetupPanel,
        start_page: StartPage,
        device: QLabel,
        tasks: TaskRunner,
        code: AllowedCode,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._code = code
        self._model: ModelSpec | None = None
        self._setup, self._start_page, self._device = setup, start_page, device
        self._tasks = tasks
        self._data: DataSpec | None = None
        self._loaded = False
        self.fetching = False
        self._network: tuple[ModelSpec, DataSpec] | None = None
        self._building = False
        self._network_problem = False
        self.data_problem: str | None = None
        self.code_problem: str | None = None
        setup.code_question.allowed.connect(self._allow)
        self._settle = QTimer(self)
        self._settle.setSingleShot(True)
        self._settle.setInterval(SETTLE_MS)
        self._settle.timeout.connect(self._ask_outline)

    @property
    def ready(self) -> bool:
        """Whether training can begin: PyTorch is imported, and no network is being built, which uses its random
        generator.
        """
        return self._loaded and not self._building

    def load_torch(self) -> None:
        """Import PyTorch on a worker thread; the label of the device shows that it is loading."""
        self._device.setText(tr("Loading PyTorch…"))
        self._tasks.submit(lambda _: queries.load_torch(), self._show_devices, self._torch_failed, lane="torch")

    def look_for_runs(self, library: Library) -> None:
        """Offer the unfinished runs of ``library``."""
        show = self._start_page.show_resumables
        self._tasks.submit(lambda _: _unfinished(library), show, lambda _: None, key="unfinished runs")

    def outline(self, model: ModelSpec, data: DataSpec) -> None:
        """Show the modules of the network ``model``, or what is wrong with it, once typing has paused."""
        self._network = model, data
        self._settle.start()

    def wait_with_code(self) -> None:
        """Run no Python file until the user does something, even one that is allowed: called when the window opens."""
        if self._model is not None and self._model.user_function() is not None:
            self._settle.stop()

    def drop_outline(self) -> None:
        """Do not build the network, because a run begins, which builds it itself."""
        self._settle.stop()

    def check_code(self, model: ModelSpec | None) -> None:
        """Ask whether the file of the network ``model`` may be run, unless that is known."""
        self._model = model
        needed = self._code.needed(model)
        self.code_problem = tr("First allow {path} to be run.", path=needed[0]) if needed is not None else None
        self._setup.code_question.ask(needed)

    def _allow(self, file: Version) -> None:
        self._code.allow(file)
        self.check_code(self._model)
        self.checked.emit()
        self._ask_outline()

    def check_data(self, data: DataSpec) -> None:
        """Show whether the data set was found."""
        if self._data is not None and (data.name, data.root) == (self._data.name, self._data.root):
            return
        self._data, self.data_problem = data, None
        self._setup.set_data_status("", False)
        self._tasks.cancel("data")
        self._ask_data(data)

    def look_again(self) -> None:
        """Check again what was missing or wrong; called when the user returns to the window."""
        if self.data_problem is not None and self._data is not None and not self.fetching:
            self._ask_data(self._data)
        self.check_code(self._model)
        self.checked.emit()
        if self._network_problem:
            self._settle.start()

    def _ask_data(self, data: DataSpec) -> None:
        if DATA_SETS[data.name].in_root:
            self._tasks.submit(
                lambda _: queries.data_problem(data), self._show_data, self._data_failed, lane="torch", key="data"
            )

    def _ask_outline(self) -> None:
        if self._network is not None and self._code.needed(self._network[0]) is None:
            model, data = self._network
            allowed = self._code.current()
            self._building = True
            self._tasks.submit(
                lambda task: queries.network_outline(model, data, allowed, task.cancelled),
                self._show_network,
                self._network_failed,
                lane="torch",
                key="outline",
            )

    def download(self, data: DataSpec) -> None:
        """Download the data set."""

        def work(task: Task) -> str | None:
            return queries.download(data, task.progress, task.cancelled)

        def progress(what: str, done: int, total: int) -> None:
            self.download_progressed.emit(said(what), done, total)

        self._data, self.fetching = data, True
        self.data_problem = tr("The data set is being downloaded.")
        text = tr("Starting the download…")
        self._setup.set_data_status(text, False)
        self.checked.emit()
        self.download_progressed.emit(text, 0, 0)
        self._tasks.submit(
            work,
            self._downloaded,
            lambda failure: self._downloaded(failure.problem),
            lane="downloads",
            key="download",
            progress=progress,
        )

    def cancel_download(self) -> None:
        """Cancel the download; files that are complete are kept."""
        self._tasks.cancel("download")
        self._data, self.fetching = None, False
        self.data_problem = tr("The download was cancelled.")
        self._setup.set_data_status(self.data_problem, True)
        self.download_over.emit()

    def _downloaded(self, problem: str | None) -> None:
        self.fetching = False
        self._show_data(problem)
        self.download_over.emit()

    def _data_failed(self, failure: Failure) -> None:
        self._show_data(failure.problem)

    def _show_data(self, problem: str | None) -> None:
        text = said(problem) if problem is not None else tr("Data set found")
        self.data_problem = text if problem else None
        self._setup.set_data_status(text, bool(problem))
        self.checked.emit()

    def _show_network(self, outline: queries.NetworkOutline) -> None:
        if not self._settle.isActive():  # otherwise the network has changed since
            self._network_problem = False
            self._setup.set_network_problem(None)
            self._setup.set_outline(outline.modules)
        self._built()

    def _network_failed(self, failure: Failure) -> None:
        if not self._settle.isActive():
            self._network_problem = True
            self._setup.set_network_problem(said(failure.problem))
        self._built()

    def _built(self) -> None:
        self._building = False
        self.checked.emit()
        if self.ready:
            self.free.emit()

    def _torch_failed(self, failure: Failure) -> None:
        self._device.setText(tr("PyTorch did not load"))
        self.torch_failed.emit(failure.problem, failure.details or "")

    def _show_devices(self, devices: list[tuple[str, str]]) -> None:
        self._loaded = True
        self._setup.set_devices([(n, d) for n, d in devices if n.startswith("cuda")])
        self._device.setText(tr("cuda:0") if any(n == "cuda:0" for n, _ in devices) else tr("CPU"))
        self._device.setToolTip(said(devices[0][1]))
        self.torch_loaded.emit()
        if self.ready:
            self.free.emit()


def _unfinished(library: Library) -> list[Resumable]:
    found = []
    rows = sorted(library.runs(), key=lambda row: (row.state == "interrupted", row.updated), reverse=True)
    for row in rows:
        if row.live or row.state in ("finished", "abandoned") or row.epochs_done >= row.epochs:
            continue
        interrupted = row.state == "interrupted"
        if not interrupted and library.newest_checkpoint(row.id) is None:
            continue  # nothing of it is left to continue
        try:
            data = recipe_from_json(row.recipe).data.name
        except SpecError:
            continue
        name = row.name or data
        title = tr("{name}, epoch {done} of {epochs}", name=name, done=row.epochs_done, epochs=row.epochs)
        when = datetime.fromtimestamp(row.updated)
        found.append(Resumable(run=row.id, title=title, when=when, interrupted=interrupted))
        if len(found) == _SHOWN:
            break
    return found
