"""What a spec's metadata says of a field: its type, its limits, and both in words."""

from __future__ import annotations

import html
from collections.abc import Sequence
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic.fields import FieldInfo

from gui.core.translation import said, tr
from gui.widgets.fields import plain

_BOUNDS = {
    "ge": "at least {bound}",
    "gt": "more than {bound}",
    "le": "at most {bound}",
    "lt": "less than {bound}",
}


def bounds(metadata: Sequence[Any]) -> dict[str, float]:
    """The limits among a field's metadata: ``ge``, ``gt``, ``le``, ``lt``."""
    found: dict[str, float] = {}
    for item in metadata:
        found |= {key: getattr(item, key) for key in _BOUNDS if getattr(item, key, None) is not None}
    return found


def tooltip(info: FieldInfo) -> str:
    """What a field means, what is allowed, what is usual and what the default is, as rich text."""
    extra = info.json_schema_extra if isinstance(info.json_schema_extra, dict) else {}
    lines = [said(info.description)] if info.description else []
    kind, metadata = kind_of(info)
    if get_origin(kind) is tuple:
        metadata = annotated(get_args(kind)[0])[1]
    limits = ", ".join(tr(_BOUNDS[key], bound=plain(bound)) for key, bound in bounds(metadata).items())
    if limits:
        lines.append(tr("Allowed: {limits}.", limits=limits))
    if "usual" in extra:
        lines.append(usual_text(info) + ".")
    if not info.is_required() and info.default not in (None, ""):
        lines.append(tr("Default: {value}.", value=write(info.default)))
    return "<qt>" + "<br>".join(html.escape(line) for line in lines) + "</qt>"


def usual_text(info: FieldInfo) -> str:
    """ "usually 0.1 to 0.5", or nothing where the spec does not say."""
    extra = info.json_schema_extra
    pair = extra.get("usual") if isinstance(extra, dict) else None
    if not isinstance(pair, list):
        return ""
    low, high = (plain(v) if isinstance(v, (int, float)) else str(v) for v in pair)
    return tr("usually {low} to {high}", low=low, high=high)


def write(value: Any) -> str:
    """A value as it is written into a field."""
    if isinstance(value, bool):
        return tr("on") if value else tr("off")
    if isinstance(value, float):
        return plain(value)
    return ", ".join(write(v) for v in value) if isinstance(value, tuple) else str(value)


def annotated(annotation: Any) -> tuple[Any, list[Any]]:
    """A field's bare type (of an optional one: the type it may have) and what is said about it."""
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


def kind_of(info: FieldInfo) -> tuple[Any, list[Any]]:
    """A field's bare type and its metadata."""
    kind, metadata = annotated(info.annotation)
    return kind, [*info.metadata, *metadata]
