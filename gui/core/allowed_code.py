"""The Python files with networks that the user has allowed to run."""

from __future__ import annotations

from engine.recipe.recipe import ModelSpec
from engine.recipe.user_code import Allowed, version
from gui.core.settings import Settings

Version = tuple[str, str]
"""A file's path and the digest of its content."""


class AllowedCode:
    """Remembers, for each file, the version that the user allowed. A changed file must be allowed again."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def current(self) -> Allowed:
        """The files that may be run."""
        return frozenset(self._settings.allowed_code.items())

    def allow(self, file: Version) -> None:
        """Allow this version of the file."""
        self._settings.allowed_code = {**self._settings.allowed_code, file[0]: file[1]}

    def needed(self, model: ModelSpec | None) -> Version | None:
        """The file that must be allowed before the network ``model`` can be built, or None."""
        function = model.user_function() if model is not None else None
        file = version(function[0]) if function is not None else None
        return None if file in self.current() else file
