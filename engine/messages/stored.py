"""Epochs and answered commands that were stored as JSON, in a checkpoint or in the library, and are not trusted."""

from __future__ import annotations

from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from engine.common.errors import SpecError
from engine.common.spec import first_problem
from engine.messages.commands import to_intervention
from engine.messages.events import CommandEvent, EpochEvent

_EPOCH: Final[TypeAdapter[EpochEvent]] = TypeAdapter(EpochEvent)
_EPOCHS: Final[TypeAdapter[list[EpochEvent]]] = TypeAdapter(list[EpochEvent])
_COMMAND: Final[TypeAdapter[CommandEvent]] = TypeAdapter(CommandEvent)
_COMMANDS: Final[TypeAdapter[list[CommandEvent]]] = TypeAdapter(list[CommandEvent])


def epoch_from_json(text: str) -> EpochEvent:
    """An epoch. Raises SpecError where ``text`` is none."""
    epoch: EpochEvent = _read(_EPOCH, text)
    return epoch


def epochs_from_json(text: str) -> list[EpochEvent]:
    """A list of epochs. Raises SpecError where ``text`` is none."""
    epochs: list[EpochEvent] = _read(_EPOCHS, text)
    return epochs


def command_from_json(text: str) -> CommandEvent:
    """An answered intervention. Raises SpecError where ``text`` is none, or the command is not known or invalid."""
    event: CommandEvent = _read(_COMMAND, text)
    to_intervention(event.command)
    return event


def commands_from_json(text: str) -> list[CommandEvent]:
    """A list of answered interventions. Raises SpecError as ``command_from_json``."""
    events: list[CommandEvent] = _read(_COMMANDS, text)
    for index, event in enumerate(events):
        try:
            to_intervention(event.command)
        except SpecError as error:
            raise SpecError(f"[{index}].command.{error.field}".removesuffix("."), error.problem) from None
    return events


def _read(kind: TypeAdapter[Any], text: str) -> Any:
    try:
        return kind.validate_json(text)
    except ValidationError as error:
        raise first_problem(error) from None
