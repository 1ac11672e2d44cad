"""What is looked up beside training: PyTorch, devices, data, the network's modules, runs that can go on."""

from __future__ import annotations

from datetime import datetime

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtWidgets import QLabel

from engine.common.errors import SpecError
from engine.library import Library
from engine.recipe.data_sets import DATA_SETS
from engine.recipe.recipe import DataSpec, ModelSpec, recipe_from_json
from engine.training import queries
from gui.core.task_runner import Failure, Task, TaskRunner
from gui.core.translation import said, tr
from gui.setup.panel import SetupPanel
from gui.setup.start_page import Resumable, StartPage

_SHOWN = 3
SETTLE_MS = 300
"""A network is built when nothing was typed for this long."""


class Lookups(QObject):
    """Asks on a worker thread and shows the answers.

    Signals:
        torch_loaded(): PyTorch is there.
        free(): training can begin.
        judged(): what stands in the way of a start is known anew: ``data_problem`` is another, or the network's is.
        torch_failed(str, str): why it cannot, and the details.
        download_told(str, int, int): what is fetched, and how much of how much is done.
        download_over(): nothing is fetched any more.
    """

    torch_loaded = Signal()
    free = Signal()
    judged = Signal()
    torch_failed = Signal(str, str)
    download_told = Signal(str, object, object)  # bytes do not fit into Qt's numbers
    download_over = Signal()

    def __init__(
        self, setup: SetupPanel, start_page: StartPage, device: QLabel, tasks: TaskRunner, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._setup, self._start_page, self._device = setup, start_page, device
        self._tasks = tasks
        self._data: DataSpec | None = None
        self._loaded = False
        self.fetching = False
        self._network: tuple[ModelSpec, DataSpec] | None = None
        self._building = False
        self._network_problem = False
        self.data_problem: str | None = None
        self._settle = QTimer(self)
        self._settle.setSingleShot(True)
        self._settle.setInterval(SETTLE_MS)
        self._settle.timeout.connect(self._ask_outline)

    @property
    def ready(self) -> bool:
        """Whether training can begin: PyTorch is there, and no network is built beside, which moves its generator."""
        return self._loaded and not self._building

    def load_torch(self) -> None:
        """Import PyTorch on the worker thread, with a note where the device will stand."""
        self._device.setText(tr("Loading PyTorch…"))
        self._tasks.submit(lambda _: queries.load_torch(), self._show_devices, self._torch_failed, lane="torch")

    def look_for_runs(self, library: Library) -> None:
        """Offer the runs of ``library`` that were left unfinished."""
        show = self._start_page.show_resumables
        self._tasks.submit(lambda _: _unfinished(library), show, lambda _: None, key="unfinished runs")

    def outline(self, model: ModelSpec, data: DataSpec) -> None:
        """Show the modules of the network that ``model`` names, or what is wrong with it; once typing has settled."""
        self._network = model, data
        self._settle.start()

    def drop_outline(self) -> None:
        """A run begins, which builds the network itself."""
        self._settle.stop()

    def check_data(self, data: DataSpec) -> None:
        """Say whether the data set is there."""
        if self._data is not None and (data.name, data.root) == (self._data.name, self._data.root):
            return
        self._data, self.data_problem = data, None
        self._setup.set_data_status("", False)
        self._tasks.cancel("data")
        self._ask_data(data)

    def look_again(self) -> None:
        """The person comes back to the window: what was missing may be there now, what was wrong may be mended."""
        if self.data_problem is not None and self._data is not None and not self.fetching:
            self._ask_data(self._data)
        if self._network_problem:
            self._settle.start()

    def _ask_data(self, data: DataSpec) -> None:
        if DATA_SETS[data.name].in_root:
            self._tasks.submit(
                lambda _: queries.data_problem(data), self._show_data, self._data_failed, lane="torch", key="data"
            )

    def _ask_outline(self) -> None:
        if self._network is not None:
            model, data = self._network
            self._building = True
            self._tasks.submit(
                lambda _: queries.network_outline(model, data),
                self._show_network,
                self._network_failed,
                lane="torch",
                key="outline",
            )

    def download(self, data: DataSpec) -> None:
        """Fetch the data set."""

        def work(task: Task) -> str | None:
            return queries.download(data, task.progress, task.cancelled)

        def progress(what: str, done: int, total: int) -> None:
            self.download_told.emit(said(what), done, total)

        self._data, self.fetching = data, True
        self.data_problem = tr("The data set is being fetched.")
        text = tr("Starting the download…")
        self._setup.set_data_status(text, False)
        self.judged.emit()
        self.download_told.emit(text, 0, 0)
        self._tasks.submit(
            work,
            self._downloaded,
            lambda failure: self._downloaded(failure.problem),
            lane="downloads",
            key="download",
            progress=progress,
        )

    def cancel_download(self) -> None:
        """Stop fetching; what was fetched whole is kept."""
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
        text = said(problem) if problem is not None else tr("The data set is there.")
        self.data_problem = text if problem else None
        self._setup.set_data_status(text, bool(problem))
        self.judged.emit()

    def _show_network(self, outline: queries.NetworkOutline) -> None:
        if not self._settle.isActive():  # or it is of a network that is not wanted any more
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
        self.judged.emit()
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
            continue  # it came to nothing, and nobody would miss it
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
