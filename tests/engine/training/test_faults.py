"""Real faults: each is reported, training continues, nothing is lost (``python -m tests.faults``)."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.faults.base import NotHereError
from tests.faults.kinds import FAULTS

# Patterns that must be found in the messages.
MESSAGES: dict[str, list[str]] = {
    "disk full for two epochs": [
        "a checkpoint could not be saved: .*the disk is full: free some space; training continues",
        "checkpoints are saved again",
    ],
    "disk full until the end": ["the disk is full: free some space"],
    "folder read-only for two epochs": ["the folder is read-only: make it writable", "checkpoints are saved again"],
    "library on a read-only disk": ["cannot be used: the folder is read-only.*choose another with --library"],
    "folder moved away in mid-run": [
        "is missing; checkpoints are still saved",
        "is written again, including everything since",
    ],
    "index locked by another process": [
        "another program has locked the index",
        "the run library is written again, including everything since",
    ],
    "index damaged in mid-run": ["the damaged file is kept as runs.damaged"],
    "index deleted": ["the library's index was missing and has been rebuilt from its copy and the checkpoints"],
    "newest checkpoint: one bit flipped": ["is damaged: its checksum.*resumes from an older checkpoint"],
    "newest checkpoint: cut short": ["is damaged: its checksum.*resumes from an older checkpoint"],
    "every checkpoint damaged": [
        "5 older checkpoints of the run cannot be read either",
        "it is trained again from its recipe and interventions",
    ],
    "newest checkpoint: a hostile pickle": ["contains more than data and was not loaded"],
    "kill -9": [],
}
SLOW = {"library on a read-only disk", "kill -9"}


@pytest.mark.parametrize("name", [pytest.param(n, marks=pytest.mark.slow) if n in SLOW else n for n in FAULTS])
def test_nothing_is_lost_and_the_fault_is_reported(name: str, tmp_path: Path) -> None:
    try:
        outcome = FAULTS[name](tmp_path)
    except NotHereError as why:
        pytest.skip(str(why))
    assert outcome.lost == []
    assert outcome.continued
    for pattern in MESSAGES[name]:
        assert [text for text in outcome.messages if re.search(pattern, text)], outcome.messages
    for text in outcome.messages:
        assert "\n" not in text
        assert "Error" not in text
    assert bool(outcome.messages) == bool(MESSAGES[name])
