"""Python source: values and calls, broken over several lines if they are long."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any, Final

WIDTH: Final = 100


def value(given: Any) -> str:
    """``given`` as Python source; tuples other than pairs become lists, as in PyTorch's documentation."""
    if isinstance(given, tuple) and len(given) != 2:
        return listed([value(item) for item in given])
    return repr(given)


def call(name: str, *arguments: str, **named: str) -> str:
    """``name(arguments, key=value)``, over several lines if one is too long."""
    return enclosed(f"{name}(", [*arguments, *(f"{key}={text}" for key, text in named.items())], ")")


def listed(items: Sequence[str]) -> str:
    """``[a, b]``, over several lines if one is too long: short items many a line, long ones one a line."""
    whole = ", ".join(items)
    if len(whole) > WIDTH and not any(len(item) > WIDTH // 3 or "\n" in item for item in items):
        return f"[\n{textwrap.fill(whole, WIDTH, initial_indent='    ', subsequent_indent='    ')},\n]"
    return enclosed("[", items, "]")


def mapping(pairs: Mapping[str, str]) -> str:
    """``{"key": value}`` with quoted keys."""
    return enclosed("{", [f"{quoted(key)}: {text}" for key, text in pairs.items()], "}")


def quoted(text: str) -> str:
    """``text`` as a string literal in double quotes."""
    return json.dumps(text, ensure_ascii=False)


def enclosed(head: str, parts: Sequence[str], tail: str) -> str:
    """``parts`` between ``head`` and ``tail``, on one line if they fit."""
    line = head + ", ".join(parts) + tail
    if len(line) <= WIDTH - 10 and "\n" not in line:
        return line
    inner = "".join(textwrap.indent(part, "    ") + ",\n" for part in parts)
    return f"{head}\n{inner}{tail}"


def indented(text: str, levels: int = 1) -> str:
    """``text`` indented by ``levels``; empty lines stay empty."""
    return textwrap.indent(text, "    " * levels)
