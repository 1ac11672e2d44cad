"""Every string a person sees passes through here, so that languages can be added."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QCoreApplication

from engine.common.errors import SpecError
from engine.common.text import Text

CONTEXT = "Tiller"


def tr(text: str, /, **values: Any) -> str:
    """``text`` in the person's language, its ``{fields}`` filled with ``values``."""
    translated = QCoreApplication.translate(CONTEXT, text)
    if not values:
        return translated
    try:
        return translated.format(**values)
    except (ValueError, LookupError, AttributeError, TypeError):  # a slip in the translation must not hide the sentence
        return text.format(**values)


def said(text: str | Exception) -> str:
    """A sentence of the engine, or an error's, in the person's language, translated by its template if it has one."""
    if isinstance(text, SpecError):
        problem = said(text.problem)
        return tr("{field}: {problem}", field=text.field, problem=problem) if text.field else problem
    if isinstance(text, Text):
        return tr(text.template, **{k: said(v) if isinstance(v, Text) else v for k, v in text.values.items()})
    return tr(str(text))
