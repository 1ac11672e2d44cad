"""Every string a person sees passes through here, so that languages can be added."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QCoreApplication

from engine.words import Words


def tr(text: str, /, **values: Any) -> str:
    """``text`` in the person's language, its ``{fields}`` filled with ``values``."""
    translated = QCoreApplication.translate("Tiller", text)
    return translated.format(**values) if values else translated


def said(text: str) -> str:
    """A sentence of the engine in the person's language, translated by its template where it has one."""
    if isinstance(text, Words):
        return tr(text.template, **text.values)
    return tr(text)
