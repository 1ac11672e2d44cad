"""The Python files of a user's own network: where they are, which version of them was run, and which may be run."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path

from engine.common.errors import CodeNotAllowed
from engine.common.files import open_regular
from engine.common.text import Text

Allowed = frozenset[tuple[str, str]]
"""Files that may be run: the path, without links, and the digest of each."""


def absolute(file: str) -> str:
    """The path of ``file``, relative to the current folder or to a home (``~``), from the root."""
    try:
        return os.path.abspath(os.path.expanduser(file))  # noqa: PTH100, PTH111 - pathlib raises for an unknown user
    except OSError:  # the current folder is gone
        return file


def digest(path: str | Path) -> str | None:
    """SHA-256 in hex of the file at ``path``; None if it cannot be read."""
    try:
        with open_regular(Path(path)) as file:
            return hashlib.sha256(file.read()).hexdigest()
    except (OSError, ValueError):  # ValueError: a name with a NUL
        return None


def changes(sources: Mapping[str, str]) -> list[Text]:
    """A sentence for each file of ``sources`` (path to digest) that is another now, or gone."""
    found = []
    for path, then in sources.items():
        now = digest(path)
        if now is None:
            found.append(Text("{path} cannot be read any more: the run's network came from it", path=path))
        elif now != then:
            found.append(
                Text("{path} has changed since the checkpoint was written: the network may be another one", path=path)
            )
    return found


def version(file: str) -> tuple[str, str] | None:
    """The path of ``file``, without links, and its digest; None if it cannot be read."""
    path = os.path.realpath(file)
    found = digest(path)
    return None if found is None else (path, found)


def check_allowed(function: tuple[str, str] | None, allowed: Allowed | None) -> None:
    """Check that the file of a user's ``function`` may be run; with ``allowed`` None, any may.

    Raises:
        CodeNotAllowed: it is not among those that are ``allowed``, or has changed since.
    """
    if function is not None and allowed is not None and (found := version(function[0])) and found not in allowed:
        raise CodeNotAllowed(function[0])
