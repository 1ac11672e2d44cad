"""Faults injected for real: each is said in words, training goes on, nothing is lost (``python -m tests.faults``)."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.faults.base import NotHereError
from tests.faults.kinds import FAULTS

# What must be said, each somewhere in what was said.
WORDS: dict[str, list[str]] = {
    "disk full for two epochs": [
        "a checkpoint could not be saved: .*the disk is full: free some space; training goes on",
        "checkpoints are saved again",
    ],
    "disk full until the end": ["the disk is full: free some space"],
    "folder read-only for two epochs": ["the folder is read-only: make it writable", "checkpoints are saved again"],
    "library on a read-only disk": ["cannot be used: the folder is read-only.*choose another with --library"],
    "folder moved away in mid-run": [
        "is gone; checkpoints are saved all the same",
        "is written again, with all that had to wait",
    ],
    "index locked by another process": [
        "another program keeps the index locked",
        "the run library is written again, with all that had to wait",
    ],
    "index damaged in mid-run": ["the damaged file is kept as runs.damaged"],
    "index deleted": ["the library's index was gone and was made anew from its copy and the checkpoints"],
    "newest checkpoint: one bit flipped": ["is damaged: its checksum.*goes on from what was saved before"],
    "newest checkpoint: cut short": ["is damaged: its checksum.*goes on from what was saved before"],
    "every checkpoint damaged": [
        "5 older checkpoints of the run cannot be read either",
        "it is trained again, from its recipe and hand",
    ],
    "newest checkpoint: a hostile pickle": ["holds more than data and was not loaded"],
    "kill -9": [],
}
OF_WHOLE_PROCESSES = {"library on a read-only disk", "kill -9"}


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=pytest.mark.slow) if n in OF_WHOLE_PROCESSES else n for n in FAULTS]
)
def test_nothing_is_lost_and_it_is_said_in_words(name: str, tmp_path: Path) -> None:
    try:
        outcome = FAULTS[name](tmp_path)
    except NotHereError as why:
        pytest.skip(str(why))
    assert outcome.lost == []
    assert outcome.went_on
    for pattern in WORDS[name]:
        assert [text for text in outcome.said if re.search(pattern, text)], outcome.said
    for text in outcome.said:
        assert "\n" not in text
        assert "Error" not in text
    assert bool(outcome.said) == bool(WORDS[name])
