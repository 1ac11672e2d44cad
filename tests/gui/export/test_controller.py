"""Export from the window: code on the clipboard or in a file, tables, and files that replay a run."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication, QFileDialog, QMessageBox

import main
from engine.messages.commands import ScaleLR
from engine.training.queries import pytorch_code
from tests.gui.app_fixture import LEFT, Driver, tiny


@pytest.fixture
def chosen(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The paths that the file dialogs return, the last entry first."""
    paths: list[Path] = []
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(paths.pop()), "") if paths else ("", ""))
    return paths


@pytest.fixture(autouse=True)
def empty_clipboard(qapp: QApplication) -> None:
    QGuiApplication.clipboard().clear()


def clipboard() -> str:
    return QGuiApplication.clipboard().text()


def test_the_recipe_of_the_forms_is_copied_as_code(driver: Driver) -> None:
    recipe = tiny()
    driver.set_up(recipe)
    driver.window.show_side(driver.window.schedule)
    button = driver.app.export.button
    assert button.isVisible()
    driver.qtbot.mouseClick(button, LEFT)
    driver.wait(lambda: clipboard() == pytorch_code(recipe))
    assert button.text() == "Copied"
    assert driver.shows(driver.window.action_line, "Copied as PyTorch code")
    driver.wait(lambda: button.text() == "Copy as PyTorch code")


def test_the_code_of_a_run_has_its_interventions_as_comments(driver: Driver) -> None:
    recipe = tiny()
    driver.pause_at(recipe, 2, 1)
    driver.app.current_run.post(ScaleLR(factor=0.5))
    driver.answer("scale_lr")
    driver.qtbot.keyClick(
        driver.window, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
    )
    driver.wait(lambda: "StepLR" in clipboard())
    said = [
        "The run also had these interventions, which this code leaves out:",
        "epoch 2, batch 1: Lower LR: 0.05 -> 0.025",
    ]
    assert clipboard() == pytorch_code(recipe, said)
    assert all(f"# {line}\n" in clipboard() for line in said)


def test_an_invalid_recipe_is_reported_and_nothing_is_copied(driver: Driver) -> None:
    driver.set_up(tiny(schedule={"name": "LambdaLR", "lr_lambda": "1 / (3 - epoch)"}))
    driver.app.export.copy_code.trigger()
    driver.wait(lambda: driver.window.banner.isVisible())
    assert "divides by zero" in driver.window.banner.text()
    assert clipboard() == ""


def test_code_and_table_are_saved(driver: Driver, chosen: list[Path], tmp_path: Path) -> None:
    recipe = tiny()
    export = driver.app.export
    driver.window.export.aboutToShow.emit()
    assert not export.save_table.isEnabled()
    assert export.save_table.toolTip() == "No epoch has ended yet."
    driver.pause_at(recipe, 3)
    driver.window.export.aboutToShow.emit()
    assert export.save_table.isEnabled()
    chosen.append(tmp_path / "run.csv")
    export.save_table.trigger()
    driver.wait(lambda: (tmp_path / "run.csv").is_file())
    with (tmp_path / "run.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [float(row["val_loss"]) for row in rows] == [e.val_loss for e in driver.of("epoch")]
    driver.wait(lambda: driver.shows(driver.window.action_line, "run.csv"))
    chosen.append(tmp_path / "train.py")
    export.save_code.trigger()
    driver.wait(lambda: (tmp_path / "train.py").is_file())
    assert (tmp_path / "train.py").read_text() == pytorch_code(recipe)
    chosen.append(tmp_path / "no such folder" / "train.py")
    export.save_code.trigger()
    driver.wait(lambda: driver.window.banner.isVisible())
    assert "cannot be written" in driver.window.banner.text()
    export.save_table.trigger()  # the dialog is cancelled
    assert sorted(p.name for p in tmp_path.iterdir() if p.is_file()) == ["run.csv", "train.py"]


def test_recipe_and_interventions_of_a_stopped_run_replay_it_headless(
    driver: Driver, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    driver.pause_at(tiny(), 2, 1)
    driver.click(driver.window.lr_panel, "÷2")
    driver.answer("scale_lr")
    driver.resume_to(3, 2)
    driver.click(driver.window.transport, "Stop")
    end = driver.finish()
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(tmp_path))
    driver.app.export.save_replay.trigger()
    driver.wait(lambda: (tmp_path / "commands.jsonl").is_file())
    capfd.readouterr()
    words = ["train", str(tmp_path / "recipe.json"), "--commands", str(tmp_path / "commands.jsonl")]
    assert main.main([*words, "--library", str(tmp_path / "library")]) == 0
    replayed = json.loads(capfd.readouterr().out.splitlines()[-1])
    assert (replayed["reason"], replayed["epoch"], replayed["batch"]) == ("stopped", 3, 2)
    assert replayed["weights_sha256"] == end.weights_sha256


def test_files_of_a_replay_are_replaced_after_a_question(
    driver: Driver, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    driver.pause_at(tiny(), 2, 1)
    (tmp_path / "recipe.json").write_text("another program's")
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(tmp_path))
    questions: list[str] = []
    answers = [QMessageBox.StandardButton.Yes, QMessageBox.StandardButton.Cancel]

    def ask(_parent: object, _title: str, text: str, *_: object) -> QMessageBox.StandardButton:
        questions.append(text)
        return answers.pop()

    monkeypatch.setattr(QMessageBox, "question", ask)
    driver.app.export.save_replay.trigger()
    assert questions == [f"{tmp_path} has recipe.json already. Replace?"]
    assert [p.name for p in tmp_path.iterdir() if p.is_file()] == ["recipe.json"]
    driver.app.export.save_replay.trigger()
    driver.wait(lambda: (tmp_path / "commands.jsonl").is_file())
    assert (tmp_path / "recipe.json").read_text().startswith("{")
