"""Notes about interventions: which intervention a note is about, and the latest note about each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from engine.messages.commands import About
from engine.messages.events import CommandEvent

NOTABLE: Final = (
    "set_lr",
    "scale_lr",
    "release_lr",
    "set_schedule",
    "set_optimizer",
    "freeze",
    "unfreeze",
    "set_epochs",
)
"""Names of the interventions that a note can be about: those that change the run."""


def can_have_note(event: CommandEvent) -> bool:
    """Whether ``event`` is an applied intervention that a note can be about."""
    return event.status == "applied" and event.name in NOTABLE


def reference(intervention: CommandEvent, interventions: Sequence[CommandEvent]) -> About | None:
    """How a note refers to the object ``intervention`` of ``interventions``; None if it is not one of them."""
    same_position = _at(interventions, intervention.epoch, intervention.batch)
    nth = next((n for n, other in enumerate(same_position) if other is intervention), None)
    return None if nth is None else About(epoch=intervention.epoch, batch=intervention.batch, nth=nth)


def referenced(about: About, interventions: Sequence[CommandEvent]) -> CommandEvent | None:
    """The intervention of ``interventions`` that ``about`` refers to; None if there is none."""
    same_position = _at(interventions, about.epoch, about.batch)
    return same_position[about.nth] if about.nth < len(same_position) else None


def about_of(note: CommandEvent) -> About | None:
    """The ``about`` of an applied note; None for a note that stands alone or any other command."""
    about = note.command.get("about") if note.name == "note" else None
    return About(**about) if about else None


def notes(interventions: Sequence[CommandEvent]) -> list[tuple[CommandEvent, str]]:
    """Each of ``interventions`` that has a note, with its latest text. An empty text removes the note."""
    found: dict[int, tuple[CommandEvent, str]] = {}
    for event in interventions:
        about = about_of(event)
        intervention = referenced(about, interventions) if about is not None else None
        if intervention is not None:
            found[id(intervention)] = (intervention, str(event.command["text"]))
    return [(intervention, text) for intervention, text in found.values() if text]


def remains(note: CommandEvent, interventions: Sequence[CommandEvent], kept: Sequence[CommandEvent]) -> bool:
    """Whether the intervention that ``note`` is about is among those of ``interventions`` that are ``kept``."""
    about = about_of(note)
    intervention = referenced(about, interventions) if about is not None else None
    return about is not None and intervention is not None and referenced(about, kept) == intervention


def _at(interventions: Sequence[CommandEvent], epoch: int, batch: int) -> list[CommandEvent]:
    return [e for e in interventions if can_have_note(e) and (e.epoch, e.batch) == (epoch, batch)]
