"""A form made from a spec class: one row a field, with the spec's own words, ranges and judgement."""

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
from gui.widgets.field_text import annotated, bounds, kind_of, tooltip, usual_text, write
from gui.widgets.fields import (
    EMPTY,
    CheckEditor,
    ChoiceEditor,
    Editor,
    LineEditor,
    WholeEditor,
    read_float,
    read_int,
    read_list,
)
from gui.widgets.notes import Note


def editor_for(info: FieldInfo, labels: Mapping[Any, str] | None = None) -> Editor:
    """The editor that fits a field's type.

    Raises:
        TypeError: the field holds what no single editor edits (another spec, say).
    """
    kind, metadata = kind_of(info)
    title = said(info.title or "")
    placeholder = "" if info.is_required() or info.default is None else write(info.default)
    if get_origin(kind) is Literal:
        return ChoiceEditor(get_args(kind), labels)
    if kind is bool:
        return CheckEditor(title)
    if kind is int:
        limits = bounds(metadata)
        return WholeEditor(limits.get("ge"), limits.get("le"), placeholder)
    if kind is float and NoneType in get_args(info.annotation) and info.default is not None:
        return LineEditor(read_float, write, tr("none"), empty=None)  # else an emptied field would be its default
    if kind is float:
        return LineEditor(read_float, write, placeholder)
    if kind is str:
        return LineEditor(placeholder=placeholder)
    if get_origin(kind) is tuple:
        item, _ = annotated(get_args(kind)[0])
        read = {int: read_int, float: read_float}.get(item, str)
        return LineEditor(read_list(read), write, placeholder)
    raise TypeError(f"no editor for {kind!r}")


@dataclass
class _Row:
    label: QLabel | None
    editor: Editor
    note: Note
    hint: str
    tip: str
    advanced: bool
    shown: bool = True


class SpecForm(QWidget):
    """Edits one spec. Every keystroke is judged by the spec class itself.

    A hidden row (``show_row``) is not part of the value: its field takes its default. A field that is neither shown
    nor in ``only`` keeps what ``set_value`` brought.

    Signals:
        changed(object): the valid spec, or None while a field is wrong; after every edit that changes either the spec
            or the errors. Never after ``set_value`` and the like.
        field_edited(str): the person edited this field; before ``changed``.
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
            initial: values to show first; the rest are the defaults, and required fields without one stay empty.
            only: the fields to show, in the class's order; all of them where None.
            editors: editors of the caller's own, by field.
            labels: how a choice's entries read, by field.
            parent: Qt's.
        """
        super().__init__(parent)
        self.kind = kind
        self._rows: dict[str, _Row] = {}
        self._kept: dict[str, Any] = {}
        self._spec: Spec | None = None
        self._errors: dict[str, str] = {}
        self._blamed: dict[str, str] = {}
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(8)
        self._grid.setVerticalSpacing(1)
        self._grid.setColumnStretch(1, 1)
        self._more, self._unfolded = QToolButton(), False
        self._general = Note(lines=0)
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
        self._level()
        self.set_label_width(self.label_width())
        self._unfold(False)
        defaults = {n: kind.model_fields[n].default for n in names if not kind.model_fields[n].is_required()}
        self.set_fields({**defaults, **{n: v for n, v in (initial or {}).items() if n in self._rows}})

    def value(self) -> Any:
        """The spec, or None while a field is wrong."""
        return self._spec

    def errors(self) -> dict[str, str]:
        """What is wrong, by field (the empty name for what concerns no shown field)."""
        return dict(self._errors)

    def set_value(self, spec: Spec) -> None:
        """Show ``spec`` (of this form's class) without a signal."""
        values = {name: getattr(spec, name) for name in self.kind.model_fields}
        self._kept = {n: v for n, v in values.items() if n not in self._rows and n in spec.model_fields_set}
        self.set_fields({n: v for n, v in values.items() if n in self._rows})

    def set_fields(self, values: Mapping[str, Any]) -> None:
        """Show some fields' values without a signal."""
        for name, value in values.items():
            self._rows[name].editor.show_value(value)
        self._judge()

    def has(self, name: str) -> bool:
        """Whether there is a row for this field."""
        return name in self._rows

    def editor(self, name: str) -> Editor:
        """The editor of a field."""
        return self._rows[name].editor

    def note(self, name: str) -> Note:
        """The line of words under a field."""
        return self._rows[name].note

    def set_hint(self, name: str, hint: str | None) -> None:
        """What stands under a field while it is right; None: the usual range."""
        row = self._rows[name]
        row.hint = usual_text(self.kind.model_fields[name]) if hint is None else hint
        self._tell(name)

    def blame(self, name: str, problem: str | None) -> None:
        """Show what is wrong with a field that only the caller can see. ``errors`` has it; ``value`` stays the spec."""
        if self._blamed.get(name) != problem:
            self._blamed = {n: p for n, p in {**self._blamed, name: problem}.items() if p is not None}
            self._judge()

    def show_row(self, name: str, shown: bool) -> None:
        """Show or hide a field; hidden, it takes its default."""
        self._rows[name].shown = shown
        self._lay_out()
        self._judge()

    def enable_row(self, name: str, enabled: bool, why: str = "") -> None:
        """Enable a field, or disable it with the reason in its tooltip."""
        row = self._rows[name]
        row.editor.setEnabled(enabled)
        if row.label:
            row.label.setEnabled(enabled)
        tip = row.tip if enabled else f"<qt>{html.escape(why)}</qt>"
        row.editor.control().setToolTip(tip)
        row.editor.setToolTip(tip)

    def label_width(self) -> int:
        """The width that the labels need, in pixels."""
        return max((row.label.sizeHint().width() for row in self._rows.values() if row.label), default=0)

    def set_label_width(self, pixels: int) -> None:
        """Give the labels' column a width, so that forms above each other align."""
        self._grid.setColumnMinimumWidth(0, pixels)
        for row in self._rows.values():
            row.note.set_field_start(pixels + self._grid.horizontalSpacing() + 3)

    def changeEvent(self, event: QEvent) -> None:
        """Keep the labels beside the middle of their fields, whose height is the style's."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.StyleChange:
            self._level()

    def _level(self) -> None:
        for row in self._rows.values():
            if row.label is not None:
                row.label.setMinimumHeight(row.editor.control().sizeHint().height())

    def open_more(self) -> None:
        """Unfold the advanced fields."""
        self._unfold(True)

    def _add(self, name: str, editors: Mapping[str, Editor], labels: Mapping[str, Mapping[Any, str]]) -> None:
        info = self.kind.model_fields[name]
        editor = editors.get(name) or editor_for(info, labels.get(name))
        title, tip = said(info.title or name), tooltip(info)
        label = None if editor.has_own_label else QLabel(title)
        row = _Row(label, editor, Note(editor.note_lines), usual_text(info), tip, _is_advanced(info))
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
        self._more.clicked.connect(lambda: self._unfold(not self._unfolded))
        self._grid.addWidget(self._more, self._grid.rowCount(), 0, 1, 2, Qt.AlignmentFlag.AlignLeft)

    def _unfold(self, unfolded: bool) -> None:
        self._unfolded = unfolded
        self._more.setArrowType(Qt.ArrowType.DownArrow if unfolded else Qt.ArrowType.RightArrow)
        self._more.setAccessibleName(
            tr("Hide the settings that are rarely changed") if unfolded else tr("More settings")
        )
        self._lay_out()

    def _lay_out(self) -> None:
        for row in self._rows.values():
            visible = row.shown and (not row.advanced or self._unfolded)
            for widget in (row.label, row.editor, row.note):
                if widget is not None:
                    widget.setVisible(visible)
        self._more.setVisible(any(row.advanced and row.shown for row in self._rows.values()))

    def _edited(self, name: str) -> None:
        before = self._spec, self._errors
        self.field_edited.emit(name)
        self._judge()
        if (self._spec, self._errors) != before:
            self.changed.emit(self._spec)

    def _judge(self) -> None:
        given = dict(self._kept)
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
                root, where = _split(problem.field)
                text = (
                    tr("number {n}: {problem}", n=where + 1, problem=said(problem.problem)) if where is not None else ""
                )
                field = root if root in self._rows and self._rows[root].shown else ""
                full = text or said(problem.problem)
                found.setdefault(field, full if field else f"{root} {full}".strip())
        self._errors = {**self._blamed, **found}
        for name in self._rows:
            self._tell(name)
        self._general.say(found.get("", ""), error=True)
        self._general.setVisible("" in found)
        if any(self._rows[name].advanced for name in self._errors if name):
            self.open_more()

    def _tell(self, name: str) -> None:
        row, problem = self._rows[name], self._errors.get(name)
        row.note.say(problem or row.hint, error=problem is not None)
        row.editor.set_problem(problem)


def _is_tag(info: FieldInfo) -> bool:
    return get_origin(info.annotation) is Literal and len(get_args(info.annotation)) == 1


def _is_advanced(info: FieldInfo) -> bool:
    return isinstance(info.json_schema_extra, dict) and bool(info.json_schema_extra.get("advanced"))


def _split(path: str) -> tuple[str, int | None]:
    """The first part of a problem's path, and the index that follows it: milestones[1] is ("milestones", 1)."""
    found = re.match(r"([^.\[]*)(?:\[(\d+)\])?", path)
    root, index = found.groups() if found else (path, None)
    return root or "", int(index) if index else None
