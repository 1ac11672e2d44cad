"""The window that compares runs."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from engine.library.comparison import ComparedRun
from engine.messages.events import EpochEvent
from gui.compare.rows import rows_of
from gui.compare.window import CompareWindow
from tests.gui.app_fixture import tiny_dict


def epoch(number: int, lr: float = 0.1, **values: float) -> EpochEvent:
    lrs: Any = {"lr": [lr], "lr_min": [lr], "lr_max": [lr], "seconds": 1.0, "images_per_second": 1.0}
    metrics = {"train_loss": 0.5, "train_accuracy": 0.8, "val_loss": 1 / number, "val_accuracy": number / 10}
    return EpochEvent(epoch=number, **lrs, **{**metrics, **values})


def compared_run(run: str, name: str = "same", epochs: int = 3, **recipe: Any) -> ComparedRun:
    history = tuple(epoch(n) for n in range(1, epochs + 1))
    x = np.array([0.0, epochs - 0.5] if epochs else [])
    lr = np.array([[0.1], [0.0]]) if epochs else np.empty((0, 0))
    made = json.loads(json.dumps(tiny_dict(**recipe)))
    return ComparedRun(run=run, name=name, recipe=made, history=history, interventions=(), x=x, lr=lr)


def test_runs_of_one_name_have_their_ids_and_a_run_without_an_epoch_is_listed(qtbot: QtBot) -> None:
    window = CompareWindow([compared_run("a"), compared_run("b"), compared_run("c", "new", epochs=0)])
    qtbot.addWidget(window)
    window.show()
    names = [window.table.horizontalHeaderItem(column).text() for column in range(1, 4)]
    assert names == ["same (a)", "same (b)", "new"]
    assert [value.text() for value in window.legend.values[2]] == ["–", "–", "–", "–"]
    window.plots.cursor_moved.emit(2.1)
    assert [value.text() for value in window.legend.values[0]] == ["2", "0.5", "0.1", "20.00%"]
    window.plots.cursor_moved.emit(2.9)
    assert window.legend.values[0][2].text() == "0"  # the LR at that position, not at the start of the epoch
    window.plots.cursor_moved.emit(7.0)
    assert window.legend.values[0][0].text() == "–"


def test_losses_are_compared_on_a_log_axis_that_can_be_switched_off(qtbot: QtBot) -> None:
    window = CompareWindow([compared_run("a"), compared_run("b", epochs=2)])
    qtbot.addWidget(window)
    plots = window.plots

    def val_losses() -> list[float]:
        return plots.loss.traces[1][0].getData()[1].tolist()  # type: ignore[no-any-return]

    losses = [1, 1 / 2, 1 / 3]
    assert val_losses() == pytest.approx(np.log10(losses))
    assert plots.loss.left.log
    plots.log_button.click()
    assert val_losses() == pytest.approx(losses)
    assert not plots.loss.left.log
    low, high = plots.loss.view.viewRange()[1]
    assert low < 1 / 3
    assert high > 1


def test_the_table_has_the_differences_and_names_what_is_identical() -> None:
    rows = {row.title: row.values for row in rows_of([compared_run("a"), compared_run("b", epochs=2)])}
    assert rows["Recipe: identical"] == ()
    assert rows["Interventions: none"] == ()
    assert rows["Best validation accuracy"] == ("30.00% in epoch 3", "20.00% in epoch 2")
    rows = {
        row.title: row.values
        for row in rows_of([compared_run("a"), compared_run("b", schedule={"name": "Constant"}, epochs=3)])
    }
    assert rows["schedule"] == ("StepLR(step_size=2, gamma=0.5)", "Constant()")
