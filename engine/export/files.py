"""Text that leaves Tiller, into a file of the person's choice."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from engine.common.spec import SpecError
from engine.common.text import Text


def write(path: Path, text: str) -> None:
    """Write ``text`` to ``path`` in UTF-8, in one piece or not at all.

    Raises:
        SpecError: it could not be written.
    """
    part = path.with_name(f"{path.name}.part")
    try:
        part.write_text(text, encoding="utf-8", newline="\n")
        os.replace(part, path)  # noqa: PTH105 - the law of files names it
    except OSError as error:
        with suppress(OSError):
            part.unlink(missing_ok=True)
        reason = error.strerror or str(error)
        raise SpecError("", Text("{path} cannot be written: {reason}", path=path, reason=reason)) from None


def make_folder(path: Path) -> None:
    """Make the folder ``path`` where it is not there.

    Raises:
        SpecError: it could not be made.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SpecError("", Text("{path} cannot be made: {reason}", path=path, reason=error.strerror)) from None
