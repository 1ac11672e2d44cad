"""Settings are stored and read again; nothing that is stored keeps the program from starting."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from engine.library import Retention
from engine.recipe.recipe import SGD, Recipe
from gui.core.settings import Settings

CHOICES: dict[str, Any] = {
    "geometry": bytes(range(256)),
    "window_state": b"\x00\xff",
    "splitter_sizes": {"main": [300, 800, 310], "plots": [2, 2, 1]},
    "theme": "dark",
    "last_folder": "/data/with, comma; and ü",
    "smoothing": 0.9,
    "log_loss": False,
    "log_lr": False,
    "x_axis": "steps",
    "retention": Retention(last=2, best=4, monitor="val_accuracy", before=7, minutes=0.0, limit_bytes=None),
    "last_recipe": Recipe(optimizer=SGD(lr=0.05, momentum=0.8), epochs=12),
}


def test_every_setting_is_restored_in_the_next_session(tmp_path: Path) -> None:
    first = Settings(tmp_path)
    for name, value in CHOICES.items():
        setattr(first, name, value)
    assert first.save()
    second = Settings(tmp_path)
    assert {name: getattr(second, name) for name in CHOICES} == CHOICES


def test_the_first_start_has_defaults() -> None:
    settings = Settings()
    assert settings.theme == "system"
    assert settings.last_recipe == Recipe()
    assert settings.geometry == b""
    assert settings.x_axis == "epochs"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "{",
        "null",
        "[]",
        "NaN",
        '"purple"',
        "-1",
        "1e999",
        "@Variant(",
        "[" * 5000,
        '{"model": {}}',
        "é\x00",
        "{}x",
    ],
)
@pytest.mark.parametrize("name", CHOICES)
def test_a_damaged_value_is_its_default(tmp_path: Path, name: str, text: str) -> None:
    choice = getattr(Settings, name)
    settings = Settings(tmp_path)
    settings.store(choice.key, text)
    settings.save()
    value = getattr(Settings(tmp_path), name)
    assert type(value) is type(choice.default)
    if text not in ('"purple"', '{"model": {}}'):  # a word is a valid folder
        assert value == choice.default


def test_values_of_another_kind_are_defaults(tmp_path: Path) -> None:
    (tmp_path / "tiller.ini").write_text(
        "[plots]\nsmoothing=1.5\nlog_loss=a, b\nx_axis=@Invalid()\n"
        '[window]\ntheme=@ByteArray(dark)\nsplitters="{\\"main\\": [-5]}"\n[setup]\nrecipe="{\\"epochs\\": 0}"\n'
    )
    settings = Settings(tmp_path)
    assert (settings.smoothing, settings.log_loss, settings.x_axis) == (0.6, True, "epochs")
    assert (settings.theme, settings.splitter_sizes, settings.last_recipe) == ("system", {}, Recipe())


@pytest.mark.parametrize("content", [b"", b"\x00\xff" * 500, b"[[[[\n====\n", b"no section\nat=all"])
def test_a_damaged_file_is_an_empty_one(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "tiller.ini").write_bytes(content)
    settings = Settings(tmp_path)
    assert settings.theme == "system"
    settings.theme = "dark"
    assert settings.theme == "dark"


def test_a_folder_that_cannot_be_written_is_reported(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    settings = Settings(tmp_path / "file")
    settings.theme = "light"
    assert settings.save() is False
    assert settings.theme == "light"


def test_the_environment_names_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TILLER_SETTINGS", str(tmp_path / "elsewhere"))
    settings = Settings()
    settings.smoothing = 0.3
    settings.save()
    assert (tmp_path / "elsewhere" / "tiller.ini").exists()


def test_settings_can_be_reset(tmp_path: Path) -> None:
    settings = Settings(tmp_path)
    settings.x_axis = "time"
    settings.forget()
    settings.save()
    assert Settings(tmp_path).x_axis == "epochs"


@pytest.mark.parametrize(
    "text", ['{"last": 0}', '{"best": -1}', '{"minutes": 1e999}', '{"monitor": "luck"}', '{"limit_bytes": -5}']
)
def test_invalid_retention_settings_become_the_defaults(tmp_path: Path, text: str) -> None:
    settings = Settings(tmp_path)
    settings.store(Settings.retention.key, text)
    assert settings.retention == Retention()
