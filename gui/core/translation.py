"""Translation of every string that the user sees."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QCoreApplication

from engine.common.errors import SpecError
from engine.common.text import Text

CONTEXT = "Tiller"


def tr(text: str, /, **values: Any) -> str:
    """``text`` in the user's language, its ``{fields}`` filled with ``values``."""
    translated = QCoreApplication.translate(CONTEXT, text)
    if not values:
        return translated
    try:
        return translated.format(**values)
    except (
        ValueError,
        LookupError,
        AttributeError,
        TypeError,
    ):  # a mistake in the translation must not hide the sentence
        return text.format(**values)


def said(text: str | Exception) -> str:
    """A sentence of the engine or of an error in the user's language, by its template if it has one."""
    if isinstance(text, SpecError):
        problem = said(text.problem)
        return tr("{field}: {problem}", field=text.field, problem=problem) if text.field else problem
    if isinstance(text, Text):
        return tr(text.template, **{k: said(v) if isinstance(v, Text) else v for k, v in text.values.items()})
    return tr(str(text))
