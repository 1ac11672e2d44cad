"""The errors that cross a package boundary; what stays within a package is defined there."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from engine.common.text import Text, shortened

MemoryUse = Literal["data", "network", "batch", "validation"]
"""What memory is needed for."""


_FIELD, _PROBLEM = 200, 2000  # most characters: an error message is a few lines, whatever the input


class SpecError(ValueError):
    """Invalid input.

    Attributes:
        field: path of the field, such as ``schedule.gamma``; empty if no single field is wrong.
        problem: what is wrong and what is allowed, to follow the field's name in a sentence.
    """

    def __init__(self, field: str, problem: str) -> None:
        field = shortened(field, _FIELD)
        if len(problem) > _PROBLEM:  # of input, such as an unknown name of a million characters
            problem = shortened(problem, _PROBLEM)
        super().__init__(f"{field}: {problem}" if field else problem)
        self.field = field
        self.problem = problem


class CheckpointError(SpecError):
    """A file that cannot be read as a checkpoint; the message says why, in one line."""

    def __init__(self, path: str | Path, problem: str) -> None:
        super().__init__("checkpoint", f"{path} {problem}")


class NotDownloaded(SpecError):  # noqa: N818 - a state of the disk
    """A file is missing or damaged that can be downloaded.

    ``window`` says so to a person at the window, where Download is a button; ``problem`` names the option.
    """

    def __init__(self, field: str, problem: str, window: str) -> None:
        super().__init__(field, problem)
        self.window = window


class DataMissing(NotDownloaded):
    """Files of a data set were not found. ``files`` are their names, ``folder`` is where they should be."""

    def __init__(self, files: Sequence[str], folder: Path, root: Path) -> None:
        super().__init__(
            "data.root",
            Text(
                "data set not found: {files} not found in {folder} (root is {root}). Download it with --download or, "
                "if you are offline, put the files into {folder} or set another root",
                files=", ".join(files),
                folder=folder,
                root=root,
            ),
            Text("Data set not found in {folder}. Press Download, or put its files there.", folder=folder),
        )
        self.files = tuple(files)
        self.folder = folder


class CodeNotAllowed(SpecError):  # noqa: N818 - a question to the user
    """A Python file with a network was not run, because the user has not allowed this version of it."""

    def __init__(self, file: str) -> None:
        super().__init__("model.name", Text("{path} was not run: you have not allowed it yet", path=file))
        self.file = file


class RunInUseError(SpecError):
    """Another process has the run open."""


class ExpressionError(ValueError):
    """An invalid expression, or one without a usable value. ``position`` is the offset in the given text, from 0."""

    def __init__(self, problem: str, position: int = 0) -> None:
        super().__init__(problem)
        self.problem = problem
        self.position = position


class ScheduleError(ValueError):
    """A schedule that cannot be run to its end; the message says where and why, ``field`` names the field at fault.

    ``part`` is the spec that has the field, where that may be a part of a composed schedule.
    """

    def __init__(self, problem: str, field: str = "", part: object | None = None) -> None:
        super().__init__(problem)
        self.field = field
        self.part = part


class Rejected(Exception):  # noqa: N818 - an answer to the command, not an error of the program
    """A command was rejected. ``reason`` says why; ``hold`` says that the command with ``hold`` would be applied."""

    def __init__(self, reason: Text, *, hold: bool = False) -> None:
        super().__init__(str(reason))
        self.reason = reason
        self.hold = hold


class IllegalAction(Exception):  # noqa: N818 - a rejection, not an error of the program
    """The action is not possible in the current state. The message says why."""


class Cancelled(Exception):  # noqa: N818 - requested, not an error
    """What was running was cancelled."""


class DownloadError(Exception):
    """A file could not be downloaded. The message says what was tried and what to do offline."""


class OutOfMemory(Exception):  # noqa: N818 - like MemoryError of Python and OutOfMemoryError of PyTorch
    """Memory ran out for ``what``; ``text`` says what did not fit."""

    def __init__(self, what: MemoryUse, text: Text) -> None:
        super().__init__(text)
        self.what, self.text = what, text
