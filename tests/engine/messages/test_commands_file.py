"""The commands file: reading it, the errors of bad lines, and what a resume skips."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from engine.common.errors import SpecError
from engine.common.position import Position
from engine.messages.commands import CommandAt, Note, SetLR
from engine.messages.commands_file import WaitingCommands, command_json, parse_commands, read_commands
from engine.messages.events import CommandEvent
from tests.engine.running import at, commands, commands_text


def test_lines_are_read_and_written_back() -> None:
    lines = commands(at(4, 0, "set_lr", lr=0.05), at(4, 3, "note", text="x"))
    assert lines[0] == CommandAt(at=Position(epoch=4), intervention=SetLR(lr=0.05))
    assert tuple(parse_commands(WaitingCommands(lines).to_json())) == lines
    assert parse_commands('\n  \n{"at": {"epoch": 2}, "command": "stop"}\r\n\n')[0].at == Position(epoch=2, batch=0)


def test_a_note_may_contain_other_line_separators() -> None:
    (line,) = parse_commands('{"at": {"epoch": 1}, "command": "note", "text": "a\u2028b\x85c"}')
    assert line.intervention == Note(text="a\u2028b\x85c")


def test_a_file_with_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    (tmp_path / "commands.jsonl").write_bytes(b"\xef\xbb\xbf" + commands_text(at(1, 0, "stop")).encode())
    assert len(read_commands(tmp_path / "commands.jsonl")) == 1


GOOD = '{"at": {"epoch": 3}, "command": "stop"}\n'


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("nonsense", "commands line 1: is not JSON"),
        ("[" * 100_000, "commands line 1: is not JSON"),
        ("[1]", "commands line 1: must be an object such as"),
        ('{"command": "stop"}', 'commands line 1.at: is required, such as {"epoch": 4, "batch": 0}'),
        (GOOD + '{"at": {"epoch": 0}, "command": "stop"}', "commands line 2.at.epoch: must be at least 1; it is 0"),
        ('{"at": {"epoch": 1.5}, "command": "stop"}', "commands line 1.at.epoch: must be a whole number"),
        ('{"at": {"epoch": 1}}', "commands line 1.command: is required"),
        ('{"at": {"epoch": 1}, "command": "fly"}', "commands line 1.command: 'fly' is not known; allowed: set_lr, "),
        ('{"at": {"epoch": 1}, "command": "start"}', "commands line 1.command: 'start' is not known"),
        ('{"at": {"epoch": 1}, "command": "set_lr"}', "commands line 1.lr: is required"),
        ('{"at": {"epoch": 1}, "command": "set_lr", "lr": NaN}', "commands line 1.lr: must be a finite number"),
        ('{"at": {"epoch": 1}, "command": "set_lr", "lr": 1, "x": 2}', "commands line 1.x: is not a key here"),
        (GOOD + "\n" + '{"at": {"epoch": 2, "batch": 7}, "command": "stop"}', "commands line 3.at: must not decrease"),
    ],
)
def test_the_error_of_a_bad_line_names_its_number_and_field(text: str, problem: str) -> None:
    with pytest.raises(SpecError) as error:
        parse_commands(text)
    assert str(error.value).startswith(problem)
    assert "\n" not in str(error.value)


def test_positions_may_decrease_after_a_rewind_only() -> None:
    back = at(10, 0, "rewind", epoch=5)
    assert len(commands(at(9, 0, "note", text="x"), back, at(7, 0, "stop"))) == 3
    with pytest.raises(SpecError, match=r"line 3\.at: must not decrease"):
        commands(back, at(7, 0, "note", text="x"), at(6, 0, "stop"))


def test_an_unreadable_file_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "latin").write_bytes(b"\xe9")
    for name, problem in (("no", "No such file"), ("", "Is a directory"), ("latin", "is not text in UTF-8")):
        with pytest.raises(SpecError, match=f"^commands: .*{problem}"):
            read_commands(tmp_path / name)


def applied(line: CommandAt) -> CommandEvent:
    return CommandEvent(
        id=0, command=command_json(line.intervention), status="applied", epoch=line.at.epoch, batch=line.at.batch
    )


def waiting(lines: tuple[CommandAt, ...], start: tuple[int, int], done: tuple[int, ...] = ()) -> list[int]:
    """The indices of the lines that wait in a run that resumes at ``start``, with the lines ``done`` applied."""
    position = Position(epoch=start[0], batch=start[1])
    rest = WaitingCommands(lines, position, [applied(lines[index]) for index in done]).rest()
    return [index for index, line in enumerate(lines) if any(line is kept for kept in rest)]


def scale(epoch: int, batch: int = 0) -> dict[str, Any]:
    return at(epoch, batch, "scale_lr", factor=0.5)


def test_each_line_is_due_once_at_or_after_its_position() -> None:
    lines = commands(scale(1, 2), scale(1, 2), scale(3))
    commands_file = WaitingCommands(lines)
    assert commands_file.due(Position(epoch=1, batch=1)) is None
    assert [commands_file.due(Position(epoch=1, batch=2)) for _ in range(3)] == [lines[0], lines[1], None]
    assert commands_file.rest() == [lines[2]]
    assert commands_file.due(Position(epoch=9)) == lines[2]


@pytest.mark.parametrize(
    ("start", "done", "expected"),
    [
        ((1, 0), (), [0, 1, 2, 3]),
        ((2, 1), (), [1, 2, 3]),  # before the lines at (2, 1)
        ((2, 1), (0, 1), [2, 3]),  # between them
        ((2, 1), (0, 1, 2), [3]),  # after them
        ((2, 2), (0, 1, 2), [3]),
        ((4, 0), (0, 1, 2, 3), []),
    ],
)
def test_a_resume_skips_the_lines_that_the_checkpoint_contains(
    start: tuple[int, int], done: tuple[int, ...], expected: list[int]
) -> None:
    lines = commands(scale(1, 2), scale(2, 1), scale(2, 1), scale(3))
    if (start, done) == ((2, 1), (0, 1)):
        assert len(waiting(lines, start, done)) == len(expected)  # either of the two equal lines may wait
    else:
        assert waiting(lines, start, done) == expected


def test_a_save_and_a_stop_at_the_resumed_position_are_skipped() -> None:
    lines = commands(at(2, 1, "save"), at(2, 1, "stop"), scale(2, 1), at(3, 0, "stop"))
    assert waiting(lines, (2, 1)) == [2, 3]


def test_lines_after_a_pending_rewind_wait_whatever_their_position() -> None:
    lines = commands(scale(3), at(8, 0, "rewind", epoch=4), scale(6), at(8, 0, "rewind", epoch=4), at(7, 0, "stop"))
    assert waiting(lines, (5, 0), (0,)) == [1, 2, 3, 4]
    assert waiting(lines, (7, 0), (0, 1)) == [3, 4]  # in the first branch, which undid the line at (6, 0)
    assert waiting(lines, (6, 0), (0, 1)) == [2, 3, 4]
    assert waiting(lines, (6, 0), (0, 1, 3)) == [4]  # in the second branch: both rewinds are applied
