"""Sentences for a person, kept with their template so that the window can translate them."""

from __future__ import annotations

from typing import Any


class Text(str):
    """A finished English sentence that still knows its ``template`` and ``values``.

    The engine says everything in English. A translator needs the template ("cut from {old} to {new}"), not the
    finished sentence, so both travel together. It is a ``str`` wherever one is expected (JSON included).
    """

    template: str
    values: dict[str, Any]

    def __new__(cls, template: str, /, **values: Any) -> Text:
        """Fill ``template`` (``str.format`` syntax) with ``values``."""
        self = super().__new__(cls, template.format(**values) if values else template)
        self.template = template
        self.values = values
        return self


def number(value: float) -> str:
    """``value`` as a person writes a rate: at most six significant digits, no trailing zeros."""
    return f"{value:.6g}"
