"""The table of a drawn schedule's points: editing, fixed points, and the rest for a schedule that starts later."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QAbstractItemView, QLineEdit
from pytestqt.qtbot import QtBot

from engine.schedules import Drawn
from gui.schedule.context import Context
from gui.schedule.drawn_editor import CurrentLine, PointsEditor
from gui.schedule.editor import ScheduleEditor, make_form
from gui.widgets.forms import SpecForm

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")

LEFT = Qt.MouseButton.LeftButton
LINE = Drawn(points=((0.0, 0.1), (10.0, 0.01), (30.0, 0.001)))


@pytest.fixture
def form(qtbot: QtBot) -> SpecForm:
    made = make_form(Drawn, Context(span=30, lr=0.01), ScheduleEditor)
    assert isinstance(made, SpecForm)
    qtbot.addWidget(made)
    made.resize(290, 500)
    with qtbot.waitExposed(made):
        made.show()
    return made


@pytest.fixture
def editor(form: SpecForm) -> PointsEditor:
    made = form.editor("points")
    assert isinstance(made, PointsEditor)
    return made


def cell(editor: PointsEditor, row: int, column: int) -> QPoint:
    return editor.table.visualRect(editor.model.index(row, column)).center()


def type_into(qtbot: QtBot, editor: PointsEditor, row: int, column: int, text: str) -> None:
    """Double-click the cell, type, and press Enter."""
    spot = cell(editor, row, column)
    qtbot.mouseClick(editor.table.viewport(), LEFT, pos=spot)
    qtbot.mouseDClick(editor.table.viewport(), LEFT, pos=spot)
    assert editor.table.state() == QAbstractItemView.State.EditingState
    # The line edit of an earlier cell may not be destroyed yet.
    (field,) = [f for f in editor.table.viewport().findChildren(QLineEdit) if f.isVisible()]
    field.selectAll()
    qtbot.keyClicks(field, text)
    qtbot.keyClick(field, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: editor.table.state() != QAbstractItemView.State.EditingState)


def test_the_initial_line_fits_the_run(form: SpecForm) -> None:
    assert form.value() == Drawn(points=((0.0, 0.01), (30.0, 0.0001)))
    assert form.minimumSizeHint().width() <= 300


def test_the_titles_of_the_table_are_not_cut_off(form: SpecForm, editor: PointsEditor) -> None:
    form.resize(245, 500)  # as in a window of 1024 pixels
    header = editor.table.horizontalHeader()
    assert all(header.sectionSize(column) >= header.sectionSizeHint(column) for column in (0, 1))
    assert header.length() == editor.table.viewport().width()


def test_a_cell_is_edited_and_the_points_stay_in_order(qtbot: QtBot, form: SpecForm, editor: PointsEditor) -> None:
    form.set_value(LINE)
    with qtbot.waitSignals([form.field_edited, form.changed]):
        type_into(qtbot, editor, 1, 0, "40")
    assert form.value() == Drawn(points=((0.0, 0.1), (30.0, 0.001), (40.0, 0.01)))
    type_into(qtbot, editor, 0, 1, "0,2")
    assert form.value().points[0] == (0.0, 0.2)


@pytest.mark.parametrize(
    ("row", "column", "text", "part"),
    [
        (1, 1, "much", "must be a number"),
        (1, 0, "30", "must come after the previous point"),
        (2, 1, "0", "scale to linear"),
    ],
)
def test_an_invalid_cell_shows_why_and_keeps_the_text(
    qtbot: QtBot, form: SpecForm, editor: PointsEditor, row: int, column: int, text: str, part: str
) -> None:
    form.set_value(LINE)
    type_into(qtbot, editor, row, column, text)
    assert form.value() is None
    assert part in form.errors()["points"] + form.errors().get("", "")
    assert any(editor.model.index(r, column).data() == text for r in range(3))


def test_points_are_added_on_the_line_and_removed_by_key(qtbot: QtBot, form: SpecForm, editor: PointsEditor) -> None:
    form.set_value(LINE)
    qtbot.mouseClick(editor.table.viewport(), LEFT, pos=cell(editor, 1, 0))
    qtbot.mouseClick(editor.add, LEFT)
    assert form.value().points == ((0.0, 0.1), (10.0, 0.01), (20.0, 0.00316), (30.0, 0.001))
    qtbot.keyClick(editor.table, Qt.Key.Key_Delete)
    assert form.value() == LINE
    qtbot.mouseClick(editor.table.viewport(), LEFT, pos=cell(editor, 2, 0))
    qtbot.mouseClick(editor.add, LEFT)
    assert form.value().points[-1] == (35.0, 0.001)


def test_the_last_point_cannot_be_removed(qtbot: QtBot, form: SpecForm, editor: PointsEditor) -> None:
    form.set_value(Drawn(points=((0.0, 0.1),)))
    qtbot.mouseClick(editor.table.viewport(), LEFT, pos=cell(editor, 0, 0))
    assert not editor.remove.isEnabled()
    qtbot.keyClick(editor.table, Qt.Key.Key_Delete)
    assert form.value() == Drawn(points=((0.0, 0.1),))


def test_unedited_points_move_with_the_start(form: SpecForm, editor: PointsEditor) -> None:
    form.set_value(LINE)
    editor.set_origin(7.0)
    assert form.value() == LINE
    assert [x for x, _ in editor.points()] == [7.0, 17.0, 37.0]


def test_edited_points_are_fixed_and_a_later_schedule_gets_the_rest(
    qtbot: QtBot, form: SpecForm, editor: PointsEditor
) -> None:
    form.set_value(LINE)
    editor.set_origin(10.0)
    editor.move_point(20.0, 20.0, 0.05)
    assert form.value() == Drawn(points=((0.0, 0.1), (10.0, 0.05), (30.0, 0.001)))
    with qtbot.waitSignal(form.changed):
        editor.set_origin(15.0)
    assert [x for x, _ in editor.points()] == [15.0, 20.0, 40.0]
    assert form.value().points == ((0.0, pytest.approx(0.1 * 0.5**0.5)), (5.0, 0.05), (25.0, 0.001))
    editor.set_origin(10.0)
    assert form.value() == Drawn(points=((0.0, 0.1), (10.0, 0.05), (30.0, 0.001)))


def test_the_current_schedule_is_shown_from_its_start_and_edited_from_now_on(
    form: SpecForm, editor: PointsEditor
) -> None:
    form.set_value(LINE)
    editor.set_origin(25.0, CurrentLine(LINE, 5.0))
    assert form.value() == LINE
    assert editor.model.index(0, 0).data() == "5"
    assert editor.points() == [(25.0, LINE.lr_at(20.0)), (35.0, 0.001)]
    editor.move_point(35.0, 40.0, 0.002)
    assert [x for x, _ in editor.points()] == [25.0, 40.0]
    assert form.value().points[1] == (15.0, 0.002)


def test_points_can_be_fixed_without_an_edit(form: SpecForm, editor: PointsEditor) -> None:
    editor.set_origin(4.0)
    form.set_value(LINE)
    editor.fix()
    editor.set_origin(9.0)
    assert form.value() == LINE.after(5.0)
    assert form.value().points[1] == (5.0, 0.01)
