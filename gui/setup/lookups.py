"""What is looked up beside training: PyTorch, devices, data, the network's modules, runs that can go on."""

from __future__ import annotations

from datetime import datetime

from PySide6.QtCore import QObject, QTimer, Signal

from engine.common.spec import SpecError
from engine.library import Library
from engine.qthread import Failure, Question, Worker
from engine.recipe.data_sets import DATA_SETS
from engine.recipe.recipe import DataSpec, ModelSpec, recipe_from_json
from engine.training import queries
from gui.core.translation import said, tr
from gui.main_window import MainWindow
from gui.setup.start_page import Resumable

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

    def __init__(self, window: MainWindow, worker: Worker, downloads: Worker, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._window = window
        self._worker, self._downloads = worker, downloads
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
        worker.answered.connect(self._answered)
        downloads.answered.connect(self._downloaded)
        downloads.progressed.connect(lambda _, what, done, total: self.download_told.emit(said(what), done, total))

    @property
    def ready(self) -> bool:
        """Whether training can begin: PyTorch is there, and no network is built beside, which moves its generator."""
        return self._loaded and not self._building

    def load_torch(self) -> None:
        """Import PyTorch on the worker thread, with a note where the device will stand."""
        self._window.device.setText(tr("Loading PyTorch…"))
        self._worker.ask("torch", lambda _: queries.load_torch())

    def look_for_runs(self, library: Library) -> None:
        """Offer the runs of ``library`` that were left unfinished."""
        self._worker.ask("runs", lambda _: _unfinished(library))

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
        self._window.setup.set_data_status("", False)
        self._worker.cancel("data")
        self._ask_data(data)

    def look_again(self) -> None:
        """The person comes back to the window: what was missing may be there now, what was wrong may be mended."""
        if self.data_problem is not None and self._data is not None and not self.fetching:
            self._ask_data(self._data)
        if self._network_problem:
            self._settle.start()

    def _ask_data(self, data: DataSpec) -> None:
        if DATA_SETS[data.name].in_root:
            self._worker.ask("data", lambda _: queries.data_problem(data))

    def _ask_outline(self) -> None:
        if self._network is not None:
            model, data = self._network
            self._building = True
            self._worker.ask("outline", lambda _: queries.outline(model, data))

    def download(self, data: DataSpec) -> None:
        """Fetch the data set."""

        def work(question: Question) -> str | None:
            return queries.download(data, question.progress, question.cancelled)

        self._data, self.fetching = data, True
        self.data_problem = tr("The data set is being fetched.")
        text = tr("Starting the download…")
        self._window.setup.set_data_status(text, False)
        self.judged.emit()
        self.download_told.emit(text, 0, 0)
        self._downloads.ask("download", work)

    def cancel_download(self) -> None:
        """Stop fetching; what was fetched whole is kept."""
        self._downloads.cancel("download")
        self._data, self.fetching = None, False
        self.data_problem = tr("The download was cancelled.")
        self._window.setup.set_data_status(self.data_problem, True)
        self.download_over.emit()

    def _downloaded(self, _key: str, answer: object) -> None:
        self.fetching = False
        self._show_data(answer)
        self.download_over.emit()

    def _show_data(self, answer: object) -> None:
        problem = answer.problem if isinstance(answer, Failure) else answer
        text = said(problem) if isinstance(problem, str) else tr("The data set is there.")
        self.data_problem = text if problem else None
        self._window.setup.set_data_status(text, bool(problem))
        self.judged.emit()

    def _show_network(self, answer: object) -> None:
        self._building = False
        if not self._settle.isActive():  # or it is of a network that is not wanted any more
            problem = answer.problem if isinstance(answer, Failure) else None
            self._network_problem = problem is not None
            self._window.setup.set_network_problem(said(problem) if problem else None)
            if isinstance(answer, queries.Outline):
                self._window.setup.set_outline(answer.modules)
        self.judged.emit()
        if self.ready:
            self.free.emit()

    def _answered(self, key: str, answer: object) -> None:
        window = self._window
        if key == "torch":
            self._torch_answered(answer)
        elif key == "outline":
            self._show_network(answer)
        elif key == "data":
            self._show_data(answer)
        elif key == "runs" and isinstance(answer, list):
            window.start_page.show_resumables(answer)

    def _torch_answered(self, answer: object) -> None:
        if isinstance(answer, Failure):
            self._window.device.setText(tr("PyTorch did not load"))
            self.torch_failed.emit(answer.problem, answer.details or "")
            return
        assert isinstance(answer, list)
        self._loaded = True
        self._window.setup.set_devices([(n, d) for n, d in answer if n.startswith("cuda")])
        self._window.device.setText(tr("cuda:0") if any(n == "cuda:0" for n, _ in answer) else tr("CPU"))
        self._window.device.setToolTip(said(answer[0][1]))
        self.torch_loaded.emit()
        if self.ready:
            self.free.emit()


def _unfinished(library: Library) -> list[Resumable]:
    found = []
    rows = sorted(library.runs(), key=lambda row: (row.state == "interrupted", row.updated), reverse=True)
    for row in rows:
        if row.live or row.state in ("finished", "left") or row.epochs_done >= row.epochs:
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
