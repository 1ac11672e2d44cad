"""The user's settings, in an INI file in the platform's configuration folder.

Each value is stored as JSON and validated when it is read. A value that is damaged, out of range or from another
version is replaced by its default, so that no stored value can keep Tiller from starting.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any, Final, Generic, Literal, TypeVar, overload

from platformdirs import user_config_dir
from pydantic import ConfigDict, Field, TypeAdapter, ValidationError
from PySide6.QtCore import QSettings

from engine.library import Retention
from engine.messages.commands import CommandAt
from engine.recipe.recipe import Recipe
from gui.theme.theme import ThemeMode

T = TypeVar("T")

Smoothing = Annotated[float, Field(ge=0, lt=1, allow_inf_nan=False)]
XAxis = Literal["epochs", "steps", "time"]
Sizes = dict[str, Annotated[list[Annotated[int, Field(ge=0, le=100_000)]], Field(max_length=20)]]
_BYTES: Final = TypeAdapter(bytes, config=ConfigDict(ser_json_bytes="base64", val_json_bytes="base64"))
_LONGEST: Final = 1_000_000  # characters of one value; a longer one was not written by Tiller


class Setting(Generic[T]):
    """A setting: its key, its type, and its default."""

    def __init__(self, key: str, kind: TypeAdapter[T], default: T) -> None:
        self.key, self.kind, self.default = key, kind, default

    @overload
    def __get__(self, settings: None, owner: type[Settings]) -> Setting[T]: ...
    @overload
    def __get__(self, settings: Settings, owner: type[Settings]) -> T: ...
    def __get__(self, settings: Settings | None, owner: type[Settings]) -> Setting[T] | T:
        """The stored value; the default if there is none or it is invalid."""
        if settings is None:
            return self
        text = settings.stored(self.key)
        if text is None or len(text) > _LONGEST:
            return self.default
        try:
            return self.kind.validate_json(text)
        except ValidationError:
            return self.default

    def __set__(self, settings: Settings, value: T) -> None:
        """Store ``value``."""
        settings.store(self.key, self.kind.dump_json(value).decode())


class Settings:
    """The settings, one attribute each; setting an attribute stores it.

    Args:
        folder: the folder of ``tiller.ini``; by default the one that the environment variable ``TILLER_SETTINGS``
            names, otherwise the platform's configuration folder.
    """

    geometry = Setting[bytes]("window/geometry", _BYTES, b"")
    window_state = Setting[bytes]("window/state", _BYTES, b"")
    splitter_sizes = Setting[Sizes]("window/splitters", TypeAdapter(Sizes), {})
    theme = Setting[ThemeMode]("window/theme", TypeAdapter(ThemeMode), "system")
    last_folder = Setting[str]("files/folder", TypeAdapter(str), "")
    smoothing = Setting[float]("plots/smoothing", TypeAdapter(Smoothing), 0.6)
    log_loss = Setting[bool]("plots/log_loss", TypeAdapter(bool), True)
    log_lr = Setting[bool]("plots/log_lr", TypeAdapter(bool), True)
    x_axis = Setting[XAxis]("plots/x_axis", TypeAdapter(XAxis), "epochs")
    retention = Setting[Retention]("library/retention", TypeAdapter(Retention), Retention())
    offered = Setting[str]("crash/offered", TypeAdapter(str), "")
    last_recipe = Setting[Recipe]("setup/recipe", TypeAdapter(Recipe), Recipe())
    allowed_code = Setting[dict[str, str]]("setup/allowed_code", TypeAdapter(dict[str, str]), {})
    last_commands = Setting[tuple[CommandAt, ...]]("setup/commands", TypeAdapter(tuple[CommandAt, ...]), ())

    def __init__(self, folder: Path | None = None) -> None:
        named = os.environ.get("TILLER_SETTINGS") or user_config_dir("tiller", False)
        self.path = (folder or Path(named)) / "tiller.ini"
        self._file = QSettings(str(self.path), QSettings.Format.IniFormat)

    def stored(self, key: str) -> str | None:
        """The text stored under ``key``; None if there is none."""
        text: Any = self._file.value(key)
        return text if isinstance(text, str) else None

    def store(self, key: str, text: str) -> None:
        """Store ``text`` under ``key``."""
        self._file.setValue(key, text)

    def forget(self) -> None:
        """Reset everything to its default."""
        self._file.clear()

    def save(self) -> bool:
        """Write the file now; returns whether that worked."""
        self._file.sync()
        return self._file.status() == QSettings.Status.NoError
