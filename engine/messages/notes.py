"""Notes about interventions: which act a note means, and what was noted about it last."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from engine.messages.commands import About
from engine.messages.events import CommandEvent

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


def reference(intervention: CommandEvent, interventions: Sequence[CommandEvent]) -> About | None:
    """How a note refers to ``act`` (the very object) of ``hand``; None where it is none of its acts."""
    there = _at(interventions, intervention.epoch, intervention.batch)
    nth = next((n for n, other in enumerate(there) if other is intervention), None)
    return None if nth is None else About(epoch=intervention.epoch, batch=intervention.batch, nth=nth)


def meant(about: About, interventions: Sequence[CommandEvent]) -> CommandEvent | None:
    """The act of ``hand`` that a note is about, or None where there is none."""
    there = _at(interventions, about.epoch, about.batch)
    return there[about.nth] if about.nth < len(there) else None


def about_of(note: CommandEvent) -> About | None:
    """What the applied note ``note`` is about, or None for one of its own."""
    about = note.command.get("about") if note.name == "note" else None
    return About(**about) if about else None


def notes(interventions: Sequence[CommandEvent]) -> list[tuple[CommandEvent, str]]:
    """Each act of ``hand`` that was noted about, with what was noted last; emptied notes are left out."""
    found: dict[int, tuple[CommandEvent, str]] = {}
    for event in interventions:
        about = about_of(event)
        intervention = meant(about, interventions) if about is not None else None
        if intervention is not None:
            found[id(intervention)] = (intervention, str(event.command["text"]))
    return [(intervention, text) for intervention, text in found.values() if text]


def stands(note: CommandEvent, interventions: Sequence[CommandEvent], left: Sequence[CommandEvent]) -> bool:
    """Whether ``note``, of ``hand``, is about an act that is among those that are ``left`` of it."""
    about = about_of(note)
    intervention = meant(about, interventions) if about is not None else None
    return about is not None and intervention is not None and meant(about, left) == intervention


def _at(interventions: Sequence[CommandEvent], epoch: int, batch: int) -> list[CommandEvent]:
    return [e for e in interventions if can_be_noted(e) and (e.epoch, e.batch) == (epoch, batch)]
