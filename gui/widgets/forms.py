"""A form made from a spec class: a row for each field, with the spec's texts, ranges and errors."""

from __future__ import annotations

import html
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from types import NoneType
from typing import Any, Literal, get_args, get_origin

from pydantic import ValidationError
from pydantic.fields import FieldInfo
from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtWidgets import QGridLayout, QLabel, QToolButton, QWidget

from engine.common.spec import Spec, problems
from gui.core.translation import said, tr
from gui.widgets.field_text import bounds, lists, to_text, tooltip, type_of, unwrapped, usual_text
from gui.widgets.fields import (
    EMPTY,
    CheckEditor,
    ChoiceEditor,
    Editor,
    IntegerEditor,
    LineEditor,
    read_float,
    read_float_or_list,
    read_int,
    read_list,
)
from gui.widgets.hint_label import HintLabel


def editor_for(info: FieldInfo, labels: Mapping[Any, str] | None = None) -> Editor:
    """The editor for a field's type.

    Raises:
        TypeError: no editor fits the type (another spec, for example).
    """
    kind, metadata = type_of(info)
    title = said(info.title or "")
    placeholder = "" if info.is_required() or info.default is None else to_text(info.default)
    if get_origin(kind) is Literal:
        return ChoiceEditor(get_args(kind), labels)
    if kind is bool:
        return CheckEditor(title)
    if kind is int:
        limits = bounds(metadata)
        return IntegerEditor(limits.get("ge"), limits.get("le"), placeholder)
    if kind is float and NoneType in get_args(info.annotation) and info.default is not None:
        return LineEditor(read_float, to_text, tr("none"), empty=None)  # else an emptied field would be its default
    if kind is float:
        return LineEditor(read_float_or_list if lists(info) else read_float, to_text, placeholder)
    if kind is str:
        return LineEditor(placeholder=placeholder)
    if get_origin(kind) is tuple:
        item, _ = unwrapped(get_args(kind)[0])
        read = {int: read_int, float: read_float}.get(item, str)
        return LineEditor(read_list(read), to_text, placeholder)
    raise TypeError(f"no editor for {kind!r}")


@dataclass
class _FieldRow:
    label: QLabel | None
    editor: Editor
    note: HintLabel
    hint: str
    tip: str
    advanced: bool
    shown: bool = True


class SpecForm(QWidget):
    """Edits one spec. The spec class validates it at every keystroke.

    A hidden row (``show_row``) is not part of the value: its field takes its default. A field without a row keeps the
    value that ``set_value`` set.

    Signals:
        changed(object): the valid spec, or None while a field is wrong, after every edit that changes the spec or the
            errors. No method emits it.
        field_edited(str): the person edited this field; emitted before ``changed``.
    """

    changed = Signal(object)
    field_edited = Signal(str)

    def __init__(
        self,
        kind: type[Spec],
        initial: Mapping[str, Any] | None = None,
        *,
        only: Collection[str] | None = None,
        editors: Mapping[str, Editor] | None = None,
        labels: Mapping[str, Mapping[Any, str]] | None = None,
        parent: QWidget | None = None,
    ) -> None:
        """Make the rows.

        Args:
            kind: the spec class.
            initial: the first values. Other fields show their default, and are empty if they have none.
            only: the fields to show, in the class's order; None: all of them.
            editors: the caller's own editors, by field.
            labels: the texts of choices, by field and value.
            parent: the parent widget.
        """
        super().__init__(parent)
        self.kind = kind
        self._rows: dict[str, _FieldRow] = {}
        self._other_values: dict[str, Any] = {}
        self._spec: Spec | None = None
        self._errors: dict[str, str] = {}
        self._given_errors: dict[str, str] = {}
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(8)
        self._grid.setVerticalSpacing(1)
        self._grid.setColumnStretch(1, 1)
        self._more, self._advanced_shown = QToolButton(), False
        self._general = HintLabel(lines=0)
        names = [n for n in kind.model_fields if (n in only if only is not None else not _is_tag(kind.model_fields[n]))]
        plain_names = [n for n in names if not _is_advanced(kind.model_fields[n])]
        for name in plain_names:
            self._add(name, editors or {}, labels or {})
        self._add_more()
        for name in names:
            if name not in plain_names:
                self._add(name, editors or {}, labels or {})
        self._grid.addWidget(self._general, self._grid.rowCount(), 0, 1, 2)
        self._general.hide()
        self._align_labels()
        self.set_label_width(self.label_width())
        self._show_advanced(False)
        defaults = {n: kind.model_fields[n].default for n in names if not kind.model_fields[n].is_required()}
        self.set_fields({**defaults, **{n: v for n, v in (initial or {}).items() if n in self._rows}})

    def value(self) -> Any:
        """The spec, or None while a field is wrong."""
        return self._spec

    def errors(self) -> dict[str, str]:
        """The errors by field; the empty name has one that concerns no visible field."""
        return dict(self._errors)

    def set_value(self, spec: Spec) -> None:
        """Show ``spec``, of this form's class."""
        values = {name: getattr(spec, name) for name in self.kind.model_fields}
        self._other_values = {n: v for n, v in values.items() if n not in self._rows and n in spec.model_fields_set}
        self.set_fields({n: v for n, v in values.items() if n in self._rows})

    def set_fields(self, values: Mapping[str, Any]) -> None:
        """Show the values of some fields."""
        for name, value in values.items():
            self._rows[name].editor.show_value(value)
        self._validate()

    def has(self, name: str) -> bool:
        """Whether this field has a row."""
        return name in self._rows

    def editor(self, name: str) -> Editor:
        """The editor of a field."""
        return self._rows[name].editor

    def note(self, name: str) -> HintLabel:
        """The hint or error below a field."""
        return self._rows[name].note

    def set_hint(self, name: str, hint: str | None) -> None:
        """Set the text below a field while it is right; None: the usual range."""
        row = self._rows[name]
        row.hint = usual_text(self.kind.model_fields[name]) if hint is None else hint
        self._show_note(name)

    def set_error(self, name: str, problem: str | None) -> None:
        """Show an error of a field that the spec cannot find. ``errors`` has it, ``value`` is still the spec."""
        if self._given_errors.get(name) != problem:
            self._given_errors = {n: p for n, p in {**self._given_errors, name: problem}.items() if p is not None}
            self._validate()

    def show_row(self, name: str, shown: bool) -> None:
        """Show a field, or hide it: then it takes its default."""
        self._rows[name].shown = shown
        self._lay_out()
        self._validate()

    def enable_row(self, name: str, enabled: bool, why: str = "") -> None:
        """Enable a field, or disable it with the reason as its tooltip."""
        row = self._rows[name]
        row.editor.setEnabled(enabled)
        if row.label:
            row.label.setEnabled(enabled)
        tip = row.tip if enabled else f"<qt>{html.escape(why)}</qt>"
        row.editor.control().setToolTip(tip)
        row.editor.setToolTip(tip)

    def label_width(self) -> int:
        """The width of the widest label in pixels."""
        return max((row.label.sizeHint().width() for row in self._rows.values() if row.label), default=0)

    def set_label_width(self, pixels: int) -> None:
        """Set the width of the labels' column, so that forms above each other are aligned."""
        self._grid.setColumnMinimumWidth(0, pixels)
        for row in self._rows.values():
            row.note.set_field_start(pixels + self._grid.horizontalSpacing() + 3)

    def changeEvent(self, event: QEvent) -> None:
        """Align the labels with the fields again, whose height depends on the style."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.StyleChange:
            self._align_labels()

    def _align_labels(self) -> None:
        for row in self._rows.values():
            if row.label is not None:
                row.label.setMinimumHeight(row.editor.control().sizeHint().height())

    def open_more(self) -> None:
        """Show the advanced fields."""
        self._show_advanced(True)

    def _add(self, name: str, editors: Mapping[str, Editor], labels: Mapping[str, Mapping[Any, str]]) -> None:
        info = self.kind.model_fields[name]
        editor = editors.get(name) or editor_for(info, labels.get(name))
        title, tip = said(info.title or name), tooltip(info)
        label = None if editor.has_own_label else QLabel(title)
        row = _FieldRow(label, editor, HintLabel(editor.note_lines), usual_text(info), tip, _is_advanced(info))
        for widget in (editor, editor.control(), label):
            if widget is not None:
                widget.setToolTip(tip)
        editor.control().setAccessibleName(title)
        at = self._grid.rowCount()
        if label is not None:
            label.setBuddy(editor.control())
            self._grid.addWidget(label, at, 0, Qt.AlignmentFlag.AlignTop)
        if editor.full_width:
            self._grid.addWidget(editor, at + 1, 0, 1, 2)
        else:
            self._grid.addWidget(editor, at, 1)
        self._grid.addWidget(row.note, at + 2, 0, 1, 2)
        self._rows[name] = row
        editor.edited.connect(lambda: self._edited(name))

    def _add_more(self) -> None:
        self._more.setText(tr("More"))
        self._more.setToolTip(tr("Settings that are rarely changed"))
        self._more.setAutoRaise(True)
        self._more.setProperty("role", "quiet")
        self._more.setFocusPolicy(Qt.FocusPolicy.TabFocus)  # a click leaves Space to start and pause
        self._more.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self._more.clicked.connect(lambda: self._show_advanced(not self._advanced_shown))
        self._grid.addWidget(self._more, self._grid.rowCount(), 0, 1, 2, Qt.AlignmentFlag.AlignLeft)

    def _show_advanced(self, shown: bool) -> None:
        self._advanced_shown = shown
        self._more.setArrowType(Qt.ArrowType.DownArrow if shown else Qt.ArrowType.RightArrow)
        self._more.setAccessibleName(tr("Hide the settings that are rarely changed") if shown else tr("More settings"))
        self._lay_out()

    def _lay_out(self) -> None:
        for row in self._rows.values():
            visible = row.shown and (not row.advanced or self._advanced_shown)
            for widget in (row.label, row.editor, row.note):
                if widget is not None:
                    widget.setVisible(visible)
        self._more.setVisible(any(row.advanced and row.shown for row in self._rows.values()))

    def _edited(self, name: str) -> None:
        before = self._spec, self._errors
        self.field_edited.emit(name)
        self._validate()
        if (self._spec, self._errors) != before:
            self.changed.emit(self._spec)

    def _validate(self) -> None:
        given = dict(self._other_values)
        for name, row in self._rows.items():
            raw = row.editor.raw() if row.shown else EMPTY
            if raw is not EMPTY:
                given[name] = raw
        found: dict[str, str] = {}
        try:
            self._spec = self.kind.model_validate(given)
        except ValidationError as error:
            self._spec = None
            for problem in problems(error):
                name, index = _split(problem.field)
                text = said(problem.problem)
                if index is not None:
                    text = tr("number {n}: {problem}", n=index + 1, problem=text)
                if name in self._rows and self._rows[name].shown:
                    found.setdefault(name, text)
                else:
                    found.setdefault("", f"{name} {text}".strip())
        self._errors = {**self._given_errors, **found}
        for name in self._rows:
            self._show_note(name)
        self._general.show_text(found.get("", ""), error=True)
        self._general.setVisible("" in found)
        if any(self._rows[name].advanced for name in self._errors if name):
            self.open_more()

    def _show_note(self, name: str) -> None:
        row, problem = self._rows[name], self._errors.get(name)
        row.note.show_text(problem or row.hint, error=problem is not None)
        row.editor.set_problem(problem)


def _is_tag(info: FieldInfo) -> bool:
    return get_origin(info.annotation) is Literal and len(get_args(info.annotation)) == 1


def _is_advanced(info: FieldInfo) -> bool:
    return isinstance(info.json_schema_extra, dict) and bool(info.json_schema_extra.get("advanced"))


def _split(path: str) -> tuple[str, int | None]:
    """The first part of an error's path and the index after it: milestones[1] is ("milestones", 1)."""
    found = re.match(r"([^.\[]*)(?:\[(\d+)\])?", path)
    root, index = found.groups() if found else (path, None)
    return root or "", int(index) if index else None
