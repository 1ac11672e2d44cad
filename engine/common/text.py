"""Sentences for people that keep their template, so that the window can translate them."""

from __future__ import annotations

from typing import Any


class Text(str):
    """An English sentence that keeps its ``template`` and ``values``.

    All texts of the engine are English. To translate one, the window needs the template ("LR {old} -> {new}") and
    not the finished sentence. Everywhere else, JSON included, it is a plain ``str``.
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
    """``value`` with at most six significant digits and no trailing zeros, as LRs are written."""
    return f"{value:.6g}"


def shortened(text: str, most: int = 1000) -> str:
    """``text``, without its middle where it has more than ``most`` characters."""
    if len(text) <= most:
        return text
    part = (most - 40) // 2
    return f"{text[:part]} ... ({len(text)} characters) ... {text[-part:]}"
