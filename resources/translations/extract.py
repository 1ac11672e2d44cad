"""Collect every English string that the window can show, and write them for Qt's translation tools.

    python -m resources.translations.extract [LANGUAGE ...]

creates ``tiller_LANGUAGE.ts`` for each language named (such as ``de``) and updates every ``tiller_*.ts`` that exists.
``gui/core/language.py`` says how to add a language. The result depends on the sources alone: sorted, without dates or
line numbers.
"""

from __future__ import annotations

import ast
import sys
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final
from xml.sax.saxutils import escape, quoteattr

from engine.common.spec import Spec
from engine.recipe.data_sets import DATA_SETS
from engine.recipe.recipe import OptimizerSpec  # with it comes every spec that a form is made of
from engine.schedules.base import ScheduleSpec
from gui.core.translation import CONTEXT

ROOT: Final = Path(__file__).parents[2]
FOLDER: Final = Path(__file__).parent
_SPECS: Final = ("engine.recipe.recipe", "engine.recipe.optimizers", "engine.schedules.")
# Which argument of a call is a sentence that is translated later, where it is written out.
_CALLS: Final = {"tr": 0, "Text": 0, "SpecError": 1, "ExpressionError": 0}
_MUST_BE_READABLE: Final = ("tr", "Text")
_TABLES: Final = ("_SENTENCES", "_WHY_NOT")
_PASSES_ON: Final = "gui/core/translation.py"  # tr and said themselves: their argument is somebody else's


class Unreadable(Exception):  # noqa: N818 - a finding about the sources
    """A call whose string cannot be known from its source."""


def strings(root: Path = ROOT) -> set[str]:
    """Every string of ``engine/`` and ``gui/`` under ``root``, and of the forms' specs, that a translation can have.

    Raises:
        Unreadable: a ``tr(...)`` or ``Text(...)`` gets neither a literal nor a name or table of literals.
    """
    found = _of_specs()
    for room in ("engine", "gui"):
        for path in sorted((root / room).rglob("*.py")):
            found |= of_source(path.read_text(encoding="utf-8"), path.relative_to(root).as_posix())
    return {text for text in found if any(c.isalpha() for c in text)}


def of_source(source: str, name: str) -> set[str]:
    """The strings of one module's ``source``; ``name`` is its path, for the error.

    Raises:
        Unreadable: as ``strings``.
    """
    module = ast.parse(source)
    named: dict[str, list[ast.expr]] = {}
    for node in ast.walk(module):
        if isinstance(node, (ast.Assign, ast.AnnAssign)) and node.value is not None:
            for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                if isinstance(target, ast.Name):
                    named.setdefault(target.id, []).append(node.value)
    found = {text for table in _TABLES for value in named.get(table, ()) for text in _literals(value, {})}
    for node in ast.walk(module):
        kind = node.func.id if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) else ""
        if not isinstance(node, ast.Call) or kind not in _CALLS or len(node.args) <= _CALLS[kind]:
            continue
        try:
            found |= set(_literals(node.args[_CALLS[kind]], named))
        except Unreadable:
            if kind in _MUST_BE_READABLE and name != _PASSES_ON:
                raise Unreadable(f"{name}:{node.lineno}: {ast.unparse(node)}") from None
    return found


def _literals(value: ast.expr, named: dict[str, list[ast.expr]]) -> Iterator[str]:
    """The strings that ``value`` can be: a literal, one of two, or what a name or a table of the module holds."""
    if isinstance(value, ast.Constant) and isinstance(value.value, str):
        yield value.value
    elif isinstance(value, ast.IfExp):
        yield from _literals(value.body, named)
        yield from _literals(value.orelse, named)
    elif isinstance(value, ast.Dict):
        for item in value.values:
            yield from _literals(item, named)
    elif isinstance(value, ast.Subscript):
        yield from _literals(value.value, named)
    elif isinstance(value, ast.Name) and value.id in named:
        for one in named[value.id]:
            yield from _literals(one, {})
    else:
        raise Unreadable


def form_specs() -> list[type[Spec]]:
    """The spec classes that the window makes forms of."""
    return [kind for kind in _subclasses(Spec) if kind.__module__.startswith(_SPECS)]


def _of_specs() -> set[str]:
    """Titles and descriptions of the fields that forms are made of, and what the pickers show of each choice."""
    found: set[str | None] = set()
    for kind in form_specs():
        found |= {text for field in kind.model_fields.values() for text in (field.title, field.description)}
        if issubclass(kind, (ScheduleSpec, OptimizerSpec)) and hasattr(kind, "when"):
            found |= {kind.__doc__, kind.when, getattr(kind, "formula", None)}
    found |= {entry.title for entry in DATA_SETS.values()}
    return {text for text in found if text}


def _subclasses(kind: type[Spec]) -> Iterator[type[Spec]]:
    for sub in kind.__subclasses__():
        yield sub
        yield from _subclasses(sub)


def catalogue(texts: set[str], language: str, done: dict[str, str] | None = None) -> str:
    """A .ts file of ``texts``, in ``language``, with the translations ``done`` (by English text) filled in."""
    lines = ['<?xml version="1.0" encoding="utf-8"?>', "<!DOCTYPE TS>"]
    lines += [f'<TS version="2.1" sourcelanguage="en" language={quoteattr(language)}>']
    lines += ["<context>", f"    <name>{CONTEXT}</name>"]
    for text in sorted(texts):
        translation = (done or {}).get(text)
        state = "" if translation else ' type="unfinished"'
        lines += ["    <message>", f"        <source>{escape(text)}</source>"]
        lines += [f"        <translation{state}>{escape(translation or '')}</translation>", "    </message>"]
    return "\n".join([*lines, "</context>", "</TS>", ""])


def renewed(old: str, texts: set[str]) -> str:
    """The .ts file ``old`` with exactly ``texts``: its finished translations are kept where they still apply."""
    tree = ET.fromstring(old)
    done = {}
    for message in tree.iter("message"):
        translation = message.find("translation")
        if translation is not None and translation.text and translation.get("type") is None:
            done[message.findtext("source", "")] = translation.text
    return catalogue(texts, tree.get("language", ""), done)


def main(languages: Sequence[str] = (), folder: Path = FOLDER) -> int:
    """Create ``tiller_<language>.ts`` for ``languages``, update the others in ``folder``; returns the exit status."""
    try:
        texts = strings()
    except Unreadable as error:
        print(f"This string cannot be collected; write it as a literal: {error}", file=sys.stderr)
        return 1
    for language in languages:
        path = folder / f"tiller_{language}.ts"
        if not path.exists():
            path.write_text(catalogue(texts, language), encoding="utf-8", newline="\n")
    for path in sorted(folder.glob("tiller_*.ts")):
        path.write_text(renewed(path.read_text(encoding="utf-8"), texts), encoding="utf-8", newline="\n")
    print(f"{len(texts)} strings")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
