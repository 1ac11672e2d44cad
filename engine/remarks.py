"""Notes about acts of the hand: which act a note means, and what was noted about it last."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from engine.commands import About
from engine.events import CommandEvent

NOTED: Final = (
    "set_lr",
    "scale_lr",
    "release_lr",
    "set_schedule",
    "set_optimizer",
    "freeze",
    "unfreeze",
    "set_epochs",
)
"""Acts that change the run, by name: these can be noted about."""


def can_be_noted(event: CommandEvent) -> bool:
    """Whether ``event`` is an act that a note can be about."""
    return event.status == "applied" and event.name in NOTED


def reference(act: CommandEvent, hand: Sequence[CommandEvent]) -> About | None:
    """How a note refers to ``act`` (the very object) of ``hand``; None where it is none of its acts."""
    there = _at(hand, act.epoch, act.batch)
    nth = next((n for n, other in enumerate(there) if other is act), None)
    return None if nth is None else About(epoch=act.epoch, batch=act.batch, nth=nth)


def meant(about: About, hand: Sequence[CommandEvent]) -> CommandEvent | None:
    """The act of ``hand`` that a note is about, or None where there is none."""
    there = _at(hand, about.epoch, about.batch)
    return there[about.nth] if about.nth < len(there) else None


def about_of(note: CommandEvent) -> About | None:
    """What the applied note ``note`` is about, or None for one of its own."""
    about = note.command.get("about") if note.name == "note" else None
    return About(**about) if about else None


def notes(hand: Sequence[CommandEvent]) -> list[tuple[CommandEvent, str]]:
    """Each act of ``hand`` that was noted about, with what was noted last; emptied notes are left out."""
    found: dict[int, tuple[CommandEvent, str]] = {}
    for event in hand:
        about = about_of(event)
        act = meant(about, hand) if about is not None else None
        if act is not None:
            found[id(act)] = (act, str(event.command["text"]))
    return [(act, text) for act, text in found.values() if text]


def stands(note: CommandEvent, hand: Sequence[CommandEvent], left: Sequence[CommandEvent]) -> bool:
    """Whether ``note``, of ``hand``, is about an act that is among those that are ``left`` of it."""
    about = about_of(note)
    act = meant(about, hand) if about is not None else None
    return about is not None and act is not None and meant(about, left) == act


def _at(hand: Sequence[CommandEvent], epoch: int, batch: int) -> list[CommandEvent]:
    return [e for e in hand if can_be_noted(e) and (e.epoch, e.batch) == (epoch, batch)]
