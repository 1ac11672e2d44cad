"""The table of runs: what is kept when it is refreshed, and which actions are possible."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QItemSelectionModel, Qt
from PySide6.QtTest import QSignalSpy
from PySide6.QtWidgets import QLineEdit
from pytestqt.qtbot import QtBot

from engine.library import Overview
from gui.library.panel import RunsPanel
from gui.library.run_list import LOSS, NAME
from tests.gui.library.test_run_list import overview


@pytest.fixture
def panel(qtbot: QtBot) -> RunsPanel:
    made = RunsPanel()
    qtbot.addWidget(made)
    made.resize(1200, 300)
    made.show()
    show(made, [overview("a", updated=3.0), overview("b", updated=2.0), overview("c", updated=1.0)])
    return made


def show(panel: RunsPanel, runs: list[Overview]) -> None:
    panel.show_runs(runs, {run.row.id: run.row.name for run in runs}, 0, in_bin=False)


def choose(panel: RunsPanel, *rows: int) -> None:
    panel.table.clearSelection()
    flags = QItemSelectionModel.SelectionFlag
    for row in rows:
        panel.table.selectionModel().select(panel.model.index(row, 0), flags.Select | flags.Rows)


def names(panel: RunsPanel) -> list[str]:
    return [panel.model.run(row).row.name for row in range(panel.model.rowCount())]


def test_the_selection_is_kept_when_runs_are_added_or_sorted(panel: RunsPanel) -> None:
    choose(panel, 1, 2)
    show(panel, [overview("new", updated=9.0), overview("a"), overview("b", updated=2.0), overview("c", updated=1.0)])
    assert [run.row.id for run in panel.chosen()] == ["b", "c"]
    panel.table.sortByColumn(NAME, Qt.SortOrder.DescendingOrder)
    assert names(panel) == ["new", "c", "b", "a"]
    assert [run.row.id for run in panel.chosen()] == ["c", "b"]


def test_nothing_changes_while_a_cell_is_edited(panel: RunsPanel, qtbot: QtBot) -> None:
    choose(panel, 0)
    panel.run_actions.rename.trigger()
    editor = panel.table.viewport().findChild(QLineEdit)
    qtbot.keyClicks(editor, "mine")
    show(panel, [overview("x")])
    assert names(panel) == ["a", "b", "c"]
    typed: list[tuple[str, int, str]] = []
    panel.model.typed.connect(lambda *what: typed.append(what))
    qtbot.keyClick(editor, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: typed == [("a", NAME, "mine")])
    assert names(panel)[0] == "a"  # until the library confirms it
    show(panel, [overview("x")])
    assert names(panel) == ["x"]


def test_a_name_cannot_be_empty(panel: RunsPanel) -> None:
    typed: list[object] = []
    panel.model.typed.connect(lambda *what: typed.append(what))
    panel.model.setData(panel.model.index(0, NAME), "  ")
    assert typed == []


def test_the_table_is_painted_again_only_where_something_changed(panel: RunsPanel) -> None:
    same = [overview("a", updated=3.0), overview("b", updated=2.0), overview("c", updated=1.0)]
    changed, reset = QSignalSpy(panel.model.dataChanged), QSignalSpy(panel.model.modelReset)
    show(panel, same)
    assert (changed.count(), reset.count()) == (0, 0)
    show(panel, [overview("a", updated=3.0, best_loss=0.25), *same[1:]])
    assert (changed.count(), reset.count()) == (1, 0)
    assert panel.model.index(0, LOSS).data() == "0.25"


def test_disabled_actions_give_the_reason(panel: RunsPanel) -> None:
    actions = panel.run_actions
    choose(panel)
    assert "Select a run first" in actions.open.toolTip()
    choose(panel, 0, 1)
    assert "one run only" in actions.open.toolTip()
    assert actions.compare.isEnabled()
    show(panel, [overview("a", live=True, state="training"), overview("b", epochs_done=0)])
    choose(panel, 0)
    assert "open in another window" in actions.delete.toolTip()
    panel.show_own("a", active=True)
    choose(panel, 0)
    assert "Stop it first" in actions.delete.toolTip()
    assert "shown in this window already" in actions.open.toolTip()
    assert actions.go_back.isEnabled()
    choose(panel, 1)
    assert "It has not completed an epoch" in actions.go_back.toolTip()


def test_more_than_six_are_not_compared(panel: RunsPanel) -> None:
    show(panel, [overview(f"r{n}", updated=float(n)) for n in range(7)])
    choose(panel, *range(7))
    assert not panel.run_actions.compare.isEnabled()
    choose(panel, *range(6))
    assert panel.run_actions.compare.isEnabled()
