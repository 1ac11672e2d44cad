"""Reads JSON that people write: recipes and commands files. Both go through here, so that both take the same text."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from engine.common.errors import SpecError
from engine.common.spec import LARGEST

_MOST: Final = 64 * 10**6  # bytes; a commands file of a million lines has as many


def read_text(path: str | Path, what: str) -> str:
    """The text of a file in UTF-8, without the byte order mark that some editors write first.

    Raises:
        SpecError: the file cannot be read, is too large or is not UTF-8; ``what`` is its field.
    """
    try:
        with Path(path).open("rb") as file:
            raw = file.read(_MOST + 1)  # a device has no end
        if len(raw) > _MOST:
            raise SpecError(what, f"{path} has more than {_MOST // 10**6} MB; it is not a file of this kind")
        return raw.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    except OSError as error:
        raise SpecError(what, f"{path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise SpecError(what, f"{path} is not text in UTF-8") from None
    except SpecError:
        raise
    except ValueError as error:  # a NUL in the path
        raise SpecError(what, f"{str(path)!r} cannot be read: {error}") from None


def read_json(text: str) -> Any:
    """The data in ``text``; whole floats such as ``3.0`` become integers, which every field for numbers takes.

    Raises:
        SpecError: it is not JSON, or has an escape for half of a character, such as ``\\ud800``.
    """
    try:
        data = json.loads(text, parse_float=_number)
        if "\\u" in text:
            json.dumps(data, ensure_ascii=False).encode()
        return data
    except UnicodeEncodeError as error:
        half = error.object[error.start]
        raise SpecError("", f"has {half!r}, which is no character but half of a surrogate pair") from None
    except (ValueError, RecursionError) as error:
        raise SpecError("", f"is not JSON: {error}") from None


def _number(text: str) -> float:
    value = float(text)
    return int(value) if value.is_integer() and abs(value) <= LARGEST else value
