"""A field's type and limits, from a spec's metadata, and both as text."""

from __future__ import annotations

import html
from collections.abc import Sequence
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic.fields import FieldInfo

from gui.core.translation import said, tr
from gui.widgets.fields import float_text

_BOUNDS = {
    "ge": "at least {bound}",
    "gt": "more than {bound}",
    "le": "at most {bound}",
    "lt": "less than {bound}",
}


def bounds(metadata: Sequence[Any]) -> dict[str, float]:
    """The limits in a field's metadata, by ``ge``, ``gt``, ``le`` and ``lt``."""
    found: dict[str, float] = {}
    for item in metadata:
        found |= {key: getattr(item, key) for key in _BOUNDS if getattr(item, key, None) is not None}
    return found


def tooltip(info: FieldInfo) -> str:
    """What a field means, its allowed and usual values and its default, as rich text."""
    extra = info.json_schema_extra if isinstance(info.json_schema_extra, dict) else {}
    lines = [said(info.description)] if info.description else []
    kind, metadata = type_of(info)
    if get_origin(kind) is tuple:
        metadata = unwrapped(get_args(kind)[0])[1]
    limits = ", ".join(tr(_BOUNDS[key], bound=float_text(bound)) for key, bound in bounds(metadata).items())
    if limits:
        lines.append(tr("Allowed: {limits}.", limits=limits))
    if "usual" in extra:
        lines.append(usual_text(info) + ".")
    if not info.is_required() and info.default not in (None, ""):
        lines.append(tr("Default: {value}.", value=to_text(info.default)))
    return "<qt>" + "<br>".join(html.escape(line) for line in lines) + "</qt>"


def usual_text(info: FieldInfo) -> str:
    """The usual range ("usually 0.1 to 0.5"), or an empty text if the spec has none."""
    extra = info.json_schema_extra
    pair = extra.get("usual") if isinstance(extra, dict) else None
    if not isinstance(pair, list):
        return ""
    low, high = (float_text(v) if isinstance(v, (int, float)) else str(v) for v in pair)
    return tr("usually {low} to {high}", low=low, high=high)


def to_text(value: Any) -> str:
    """A value as the text of a field."""
    if isinstance(value, bool):
        return tr("on") if value else tr("off")
    if isinstance(value, float):
        return float_text(value)
    return ", ".join(to_text(v) for v in value) if isinstance(value, tuple) else str(value)


def unwrapped(annotation: Any) -> tuple[Any, list[Any]]:
    """The type within Annotated and Optional, and the metadata of Annotated."""
    metadata: list[Any] = []
    while True:
        origin = get_origin(annotation)
        if origin is Annotated:
            annotation, *more = get_args(annotation)
            for item in more:
                metadata += item.metadata if isinstance(item, FieldInfo) else [item]
        elif origin in (Union, UnionType):
            annotation = next(a for a in get_args(annotation) if a is not NoneType)
        else:
            return annotation, metadata


def lists(info: FieldInfo) -> bool:
    """Whether the field also takes a list of values instead of one."""
    return any(get_origin(unwrapped(arg)[0]) is tuple for arg in get_args(info.annotation))


def type_of(info: FieldInfo) -> tuple[Any, list[Any]]:
    """A field's type without Annotated and Optional, and its metadata."""
    kind, metadata = unwrapped(info.annotation)
    return kind, [*info.metadata, *metadata]
