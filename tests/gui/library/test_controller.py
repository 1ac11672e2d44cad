"""The panel of runs in the whole window, on a real library with real runs."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QDialog, QLineEdit, QMessageBox, QPushButton, QToolButton

from engine.common.position import Position
from engine.library import Library, Retention
from engine.library.schema import connect
from engine.messages.commands import Pause, Rewind
from engine.training.job import Job
from engine.training.trainer import Trainer
from gui.compare.window import CompareWindow
from gui.core.settings import Settings
from gui.library.panel import BIN, RunsPanel
from gui.library.retention_dialog import RetentionDialog
from gui.library.run_list import ACCURACY, LR, NAME, NOTE, TAGS
from gui.log.epochs_dialog import EpochsDialog
from tests.engine.running import at, commands
from tests.gui.app_fixture import LEFT, Driver, tiny

Make = Callable[..., Driver]


@pytest.fixture
def runs(own_folders: Path) -> list[str]:
    """A library with three runs: one finished, one with another LR and interventions, one stopped in epoch 2."""
    library = Library(own_folders / "library")
    faster = {"name": "SGD", "lr": 0.2, "momentum": 0.9}
    for job in (
        Job(recipe=tiny(epochs=3), name="plain"),
        Job(recipe=tiny(epochs=3, optimizer=faster), name="fast", lines=commands(at(2, 3, "scale_lr", factor=0.5))),
        Job(recipe=tiny(epochs=3, seed=7), name="half", lines=commands(at(2, 3, "stop"))),
    ):
        Trainer(job, lambda _: None, library).run()
    found = [row.id for row in library.runs()]
    library.close()
    return found


class PanelDriver:
    """The panel of runs, used as a person uses it."""

    def __init__(self, driver: Driver) -> None:
        self.driver = driver
        assert driver.app.library_controller.panel is None  # nothing of it is created before it is opened
        driver.click(driver.window, "Runs")
        assert driver.app.library_controller.panel is not None
        self.panel: RunsPanel = driver.app.library_controller.panel
        self.driver.wait(lambda: self.panel.use.text())

    def names(self) -> list[str]:
        model = self.panel.model
        return [str(model.index(row, NAME).data()) for row in range(model.rowCount())]

    def choose(self, *runs: str) -> None:
        """Click on the rows of runs, with Ctrl from the second on."""
        table = self.panel.table
        for place, run in enumerate(runs):
            row = self.panel.model.row_of(run)
            assert row is not None
            where = table.visualRect(self.panel.model.index(row, LR)).center()
            keys = Qt.KeyboardModifier.ControlModifier if place else Qt.KeyboardModifier.NoModifier
            self.driver.qtbot.mouseClick(table.viewport(), LEFT, keys, where)

    def press(self, text: str) -> None:
        (button,) = [b for b in self.panel.findChildren(QToolButton) if b.text() == text and b.isVisible()]
        assert button.isEnabled(), button.toolTip()
        self.driver.qtbot.mouseClick(button, LEFT)

    def tip(self, text: str) -> str:
        (button,) = [b for b in self.panel.findChildren(QToolButton) if b.text() == text and b.isVisible()]
        assert not button.isEnabled()
        return button.toolTip()

    def type_into(self, run: str, column: int, text: str) -> None:
        table, row = self.panel.table, self.panel.model.row_of(run)
        assert row is not None
        index = self.panel.model.index(row, column)
        table.scrollTo(index)
        where: QPoint = table.visualRect(index).center()
        self.driver.qtbot.mouseClick(table.viewport(), LEFT, pos=where)
        self.driver.qtbot.mouseDClick(table.viewport(), LEFT, pos=where)
        editor = table.viewport().findChild(QLineEdit)
        editor.selectAll()
        self.driver.qtbot.keyClicks(editor, text)
        self.driver.qtbot.keyClick(editor, Qt.Key.Key_Return)

    def show_bin(self) -> None:
        self.panel.state.setCurrentIndex(self.panel.state.findData(BIN))
        self.panel.state.activated.emit(self.panel.state.currentIndex())

    def answer(self, text: str) -> None:
        """Press a button of the question."""
        box = self.driver.window.findChild(QMessageBox)
        (button,) = [b for b in box.findChildren(QPushButton) if b.text() == text]
        self.driver.qtbot.mouseClick(button, LEFT)

    def dialog(self, kind: type[QDialog]) -> QDialog:
        self.driver.wait(lambda: self.driver.window.findChild(kind))
        found: QDialog = self.driver.window.findChild(kind)
        return found


def test_runs_are_searched_renamed_tagged_deleted_and_restored(runs: list[str], new_driver: Make) -> None:
    plain, fast, half = runs
    driver = new_driver(wait_for_torch=False)
    drawer, library = PanelDriver(driver), driver.app.library
    assert library is not None
    driver.wait(lambda: drawer.names() == ["half", "fast", "plain"])
    assert "3 runs" in drawer.panel.use.text()
    drawer.panel.table.sortByColumn(ACCURACY, Qt.SortOrder.DescendingOrder)
    best = [drawer.panel.model.run(row).best_accuracy or 0 for row in range(3)]
    assert best == sorted(best, reverse=True)
    driver.qtbot.keyClicks(drawer.panel.search, "fast")
    assert drawer.names() == ["fast"]
    drawer.panel.search.clear()

    drawer.type_into(plain, NAME, "baseline")
    driver.wait(lambda: "baseline" in drawer.names())
    drawer.type_into(plain, TAGS, "paper, good")
    driver.wait(lambda: drawer.panel.tag.findData("good") > 0)
    drawer.type_into(plain, NOTE, "to be kept")
    driver.wait(lambda: [row.notes for row in library.runs()] == ["to be kept", "", ""])
    row = library.run(plain)
    assert row is not None
    assert (row.name, row.tags) == ("baseline", ("paper", "good"))

    drawer.choose(half, fast)
    drawer.press("Delete")
    driver.wait(lambda: drawer.names() == ["baseline"])
    driver.wait(lambda: drawer.panel.use.text().startswith("1 run, "))
    driver.click(drawer.panel, "Undo")
    driver.wait(lambda: len(drawer.names()) == 3)
    drawer.choose(half)
    drawer.press("Delete")
    driver.wait(lambda: len(drawer.names()) == 2)
    drawer.show_bin()
    driver.wait(lambda: drawer.names() == ["half"])
    drawer.choose(half)
    drawer.press("Delete permanently")
    drawer.answer("Delete permanently")
    driver.wait(lambda: library.run(half) is None)
    driver.wait(lambda: driver.shows(drawer.panel, "The recycle bin is empty."))


def test_two_runs_are_compared(runs: list[str], new_driver: Make) -> None:
    plain, fast, _ = runs
    drawer = PanelDriver(new_driver(wait_for_torch=False))
    drawer.driver.wait(lambda: len(drawer.names()) == 3)
    drawer.choose(plain)
    assert "two to six runs" in drawer.tip("Compare")
    drawer.choose(plain, fast)
    drawer.press("Compare")
    window = drawer.dialog(CompareWindow)
    assert isinstance(window, CompareWindow)
    table = window.table
    cells = {
        table.item(row, 0).text(): [table.item(row, c).text() for c in (1, 2) if table.item(row, c)]
        for row in range(table.rowCount())
    }
    names = [table.horizontalHeaderItem(column).text() for column in (1, 2)]
    assert names == ["fast", "plain"]
    assert cells["optimizer.lr"] == ["0.2", "0.05"]
    assert cells["Epoch 2, batch 3"][1] == "–"
    assert "optimizer.momentum" not in cells
    assert len(window.plots.loss.traces) == 4
    assert len(window.plots.lr.traces) == 2
    assert window.legend.values[1][0].text() == "3"  # the epoch at its end
    window.plots.cursor_moved.emit(1.1)
    assert window.legend.values[1][0].text() == "1"
    window.close()


def test_a_run_is_resumed_where_it_stopped_unless_another_process_has_it_open(
    runs: list[str], new_driver: Make, own_folders: Path
) -> None:
    plain, _, half = runs
    driver = new_driver()
    drawer = PanelDriver(driver)
    driver.wait(lambda: len(drawer.names()) == 3)
    another = Library(own_folders / "library")
    lock = another.own(half)
    drawer.choose(half)
    driver.app.library_controller.open(half)  # the panel does not show yet that the run was resumed elsewhere
    driver.wait(lambda: "“half” is running in another window or program" in drawer.panel.note.text())
    driver.app.library_controller.look()
    driver.wait(lambda: not drawer.panel.run_actions.open.isEnabled())
    assert "Stop it there first" in drawer.tip("Open")
    assert "Stop it there first" in drawer.tip("Delete")
    assert not driver.app.current_run.active
    lock.release()
    another.close()
    driver.app.library_controller.look()
    driver.wait(drawer.panel.run_actions.open.isEnabled)
    drawer.press("Open")
    driver.wait(lambda: driver.of("start"))
    driver.reach("ready")
    assert driver.model.position == Position(epoch=2, batch=3)
    driver.wait(lambda: "shown in this window already" in drawer.panel.run_actions.open.toolTip())
    assert drawer.panel.run_actions.delete.isEnabled() is False
    driver.click(driver.window.transport, "Resume")
    assert driver.finish().reason == "finished"

    drawer.choose(plain)  # going back is possible in a finished run
    drawer.press("Go back")
    dialog = drawer.dialog(EpochsDialog)
    assert isinstance(dialog, EpochsDialog)
    assert [dialog.list.item(row).text()[:14] for row in range(dialog.list.count())] == [
        "End of epoch 2",
        "End of epoch 1",
        "The start",
    ]
    dialog.list.setCurrentRow(1)
    driver.qtbot.keyClick(dialog, Qt.Key.Key_Return)
    driver.wait(lambda: driver.of("branch"))
    (branch,) = driver.of("branch")
    assert (branch.parent, branch.epoch, branch.batch) == (plain, 2, 0)
    driver.wait(lambda: "↳ plain" in drawer.names())


def test_the_library_is_checked_and_rebuilt_and_imports_checkpoints(
    runs: list[str], new_driver: Make, own_folders: Path
) -> None:
    driver = new_driver(wait_for_torch=False)
    drawer, library = PanelDriver(driver), driver.app.library
    assert library is not None
    driver.wait(lambda: len(drawer.names()) == 3)
    actions, note = drawer.panel.run_actions, drawer.panel.note
    library.retention = Retention(limit_bytes=1)
    driver.app.library_controller.look()
    driver.wait(lambda: "more than 1 bytes: delete runs and empty the recycle bin" in drawer.panel.use.text())
    actions.check.trigger()
    driver.wait(lambda: "The library is intact" in note.text())
    file = library.newest_checkpoint(runs[0])
    assert file is not None
    maintenance = driver.app.library_controller.maintenance
    assert maintenance is not None
    maintenance.import_checkpoint(file)
    driver.wait(lambda: len(drawer.names()) == 4)
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    maintenance.import_checkpoint(file)
    driver.wait(lambda: "Not imported" in note.text())
    actions.check.trigger()
    driver.wait(lambda: "1 checkpoints are damaged or missing" in driver.window.banner.text())
    actions.rebuild.trigger()
    drawer.answer("Rebuild")
    driver.wait(lambda: "the old one is kept as runs.old" in note.text())
    assert len(drawer.names()) == 4


def test_retention_settings_are_stored_and_passed_to_the_library(new_driver: Make) -> None:
    driver = new_driver(wait_for_torch=False)
    driver.window.library_settings.trigger()
    dialog = driver.window.findChild(RetentionDialog)
    assert dialog.retention() == Retention()
    dialog.last.setValue(5)
    dialog.before.setValue(2)
    dialog.limit.setValue(0)
    driver.qtbot.mouseClick(dialog.buttons.buttons()[0], LEFT)
    wanted = Retention(last=5, before=2, limit_bytes=None)
    library = driver.app.library
    assert library is not None
    assert library.retention == wanted == Settings().retention
    driver.close()
    again = new_driver(wait_for_torch=False)
    assert again.app.library is not None
    assert again.app.library.retention == wanted


def test_a_branch_of_the_run_in_the_window_appears_by_itself(driver: Driver) -> None:
    drawer = PanelDriver(driver)
    driver.pause_at(tiny(epochs=4), 3)
    driver.wait(lambda: len(drawer.names()) == 1)
    driver.app.current_run.post(Rewind(epoch=1))
    driver.wait(lambda: len(drawer.names()) == 2)
    driver.app.current_run.post(Pause(), Position(epoch=2, batch=1))
    driver.wait(lambda: [drawer.panel.model.run(row).row.state for row in range(2)] == ["abandoned", "paused"])


def test_the_start_page_offers_interrupted_runs_first_and_continues_one(
    runs: list[str], new_driver: Make, own_folders: Path
) -> None:
    _, fast, half = runs
    with closing(connect(own_folders / "library")) as db:  # as a process that was killed leaves it
        db.execute("UPDATE runs SET state = 'training', updated = 1, epochs = 9 WHERE id = ?", (half,))
        db.execute("UPDATE runs SET state = 'stopped', epochs = 9 WHERE id = ?", (fast,))
    driver = new_driver()
    page = driver.window.start_page
    driver.wait(lambda: driver.shows(page, "interrupted"))
    driver.click(page, "1 more")
    buttons = [b for b in page.findChildren(QPushButton) if b.text() == "Continue" and b.isVisible()]
    buttons.sort(key=lambda b: b.mapToGlobal(QPoint()).y())
    assert [b.accessibleName() for b in buttons] == [
        "Continue half, epoch 1 of 9",
        "Continue fast, epoch 3 of 9",
    ]
    driver.qtbot.mouseClick(buttons[0], LEFT)
    driver.wait(lambda: driver.of("start"))
    assert driver.of("start")[0].run == half
    assert (driver.of("start")[0].epoch, driver.of("start")[0].batch) == (2, 3)
    assert driver.finish().reason == "finished"  # it goes on by itself
