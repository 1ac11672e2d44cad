"""The columns of the list of runs: titles, text, sorting, searching, and the order of branches."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Final

from engine.common.lifecycle import STATES
from engine.library import Overview, size_text
from gui.core.lr_text import lr_text
from gui.core.translation import tr
from gui.setup.start_page import age_text
from gui.widgets.state_chip import AMBER, state_color, state_text

(NAME, STATE, WHAT, OPTIMIZER, SCHEDULE, EPOCHS, ACCURACY, LOSS, LR, WHEN, TAGS, NOTE, DISK) = range(13)
COLUMNS: Final = 13
EDITABLE: Final = (NAME, TAGS, NOTE)
NUMBERS: Final = (EPOCHS, ACCURACY, LOSS, LR, DISK)
_GROUPED: Final = (NAME, WHEN)  # here branches are listed under their parents


def column_names() -> tuple[str, ...]:
    """The column titles, in order."""
    return (
        tr("Name"),
        tr("State"),
        tr("Data, network"),
        tr("Optimizer"),
        tr("Schedule"),
        tr("Epochs"),
        tr("Best acc."),
        tr("Best loss"),
        tr("LR"),
        tr("Last trained"),
        tr("Tags"),
        tr("Note"),
        tr("Disk"),
    )


def column_tips() -> dict[int, str]:
    """Tooltips of the column titles, by column."""
    return {
        EPOCHS: tr("Epochs completed, of all epochs"),
        ACCURACY: tr("The best validation accuracy of all epochs"),
        LOSS: tr("The lowest validation loss of all epochs"),
        LR: tr("The learning rate of the newest batch; of the first group if there are several"),
        DISK: tr("Disk space used by its checkpoints"),
        TAGS: tr("Words to find the run by, separated by commas; double-click to edit"),
    }


def run_state_text(state: str) -> str:
    """The text for the state of a run in the library."""
    if state == "interrupted":
        return tr("Interrupted")
    if state == "abandoned":
        return tr("Branched")
    return next((state_text(known) for known in STATES if known == state), state)


def run_state_colour(state: str) -> str:
    """The colour for the state of a run in the library."""
    if state == "interrupted":
        return AMBER
    return state_color(next((known for known in STATES if known == state), "stopped"))


def name_of(run: Overview) -> str:
    """The run's name, or its id if it has none."""
    return run.row.name or run.row.id


def text_of(run: Overview, column: int, now: datetime) -> str:
    """The text of a cell; ``now`` (local time) is what ages are relative to."""
    if column == WHEN:
        return age_text(datetime.fromtimestamp(run.row.updated), now)
    return _TEXTS[column](run)


def tags_of(text: str) -> tuple[str, ...]:
    """The tags in ``text``, which are separated by commas: each once, in order."""
    return tuple(dict.fromkeys(word for part in text.split(",") if (word := " ".join(part.split()))))


def matches(run: Overview, search: str, state: str = "", tag: str = "") -> bool:
    """Whether every word of ``search`` is in the run's texts, and the run has ``state`` and ``tag`` if they are given.

    The state "live" matches every run that a process has open.
    """
    row = run.row
    if (state == "live" and not row.live) or (state not in ("", "live") and row.state != state):
        return False
    if tag and tag not in row.tags:
        return False
    texts = (row.name, row.id, *row.tags, row.notes, run.data, run.network, run.optimizer, run.schedule)
    hay = "\n".join(texts).casefold()
    return all(word in hay for word in search.casefold().split())


def arranged(runs: Sequence[Overview], column: int, descending: bool) -> list[tuple[Overview, int]]:
    """The runs sorted by a column, each with its depth of indentation.

    By name or by time, branches are listed under their parent, and a family is placed by its first member. By any other
    column each run is placed by itself. Unknown values come last in either direction.
    """
    key: Callable[[Overview], Any] = _KEYS[column]

    def ordered(some: Sequence[Overview]) -> list[Overview]:
        known = [run for run in some if key(run) is not None]
        unknown = [run for run in some if key(run) is None]
        return [*sorted(known, key=key, reverse=descending), *unknown]

    if column not in _GROUPED:
        return [(run, 0) for run in ordered(runs)]
    return _families(ordered(runs))


def _families(runs: Sequence[Overview]) -> list[tuple[Overview, int]]:
    """``runs`` in their order, but with each run's branches right under it."""
    by_id = {run.row.id: run for run in runs}
    children: dict[str, list[Overview]] = {}
    for run in runs:
        if run.row.parent in by_id:
            children.setdefault(run.row.parent or "", []).append(run)
    made: list[tuple[Overview, int]] = []
    seen: set[str] = set()

    def add(run: Overview, depth: int) -> None:
        if run.row.id in seen:
            return
        seen.add(run.row.id)
        made.append((run, depth))
        for child in children.get(run.row.id, ()):
            add(child, depth + 1)

    for run in runs:
        add(_root(run, by_id), 0)
    return made


def _root(run: Overview, by_id: dict[str, Overview]) -> Overview:
    seen = {run.row.id}
    while (parent := by_id.get(run.row.parent or "")) is not None and parent.row.id not in seen:
        seen.add(parent.row.id)
        run = parent
    return run


_TEXTS: Final[dict[int, Callable[[Overview], str]]] = {
    NAME: name_of,
    STATE: lambda run: run_state_text(run.row.state),
    WHAT: lambda run: tr("{data}, {network}", data=run.data, network=run.network) if run.data else "",
    OPTIMIZER: lambda run: run.optimizer,
    SCHEDULE: lambda run: run.schedule,
    EPOCHS: lambda run: f"{run.row.epochs_done}/{run.row.epochs}",
    ACCURACY: lambda run: "–" if run.best_accuracy is None else f"{run.best_accuracy:.1%}",
    LOSS: lambda run: "–" if run.best_loss is None else f"{run.best_loss:.4g}",
    LR: lambda run: lr_text(run.lr[0], 3) if run.lr else "–",
    TAGS: lambda run: ", ".join(run.row.tags),
    NOTE: lambda run: " ".join(run.row.notes.split()),
    DISK: lambda run: size_text(run.row.bytes) if run.row.bytes else "–",
}
_KEYS: Final[dict[int, Callable[[Overview], Any]]] = {
    NAME: lambda run: name_of(run).casefold(),
    STATE: lambda run: run_state_text(run.row.state).casefold(),
    WHAT: lambda run: (run.data, run.network) if run.data else None,
    OPTIMIZER: lambda run: run.optimizer.casefold() or None,
    SCHEDULE: lambda run: run.schedule.casefold() or None,
    EPOCHS: lambda run: run.row.epochs_done,
    ACCURACY: lambda run: run.best_accuracy,
    LOSS: lambda run: run.best_loss,
    LR: lambda run: run.lr[0] if run.lr else None,
    WHEN: lambda run: run.row.updated,
    TAGS: lambda run: tuple(tag.casefold() for tag in run.row.tags) or None,
    NOTE: lambda run: run.row.notes.casefold() or None,
    DISK: lambda run: run.row.bytes,
}
