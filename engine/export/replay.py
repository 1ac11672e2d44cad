"""A run as the two files that reproduce it: its recipe, and what the hand did. Imports no torch."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from engine.messages.commands import CommandAt, Position, Stop, to_intervention
from engine.messages.events import CommandEvent
from engine.recipe.recipe import Recipe, recipe_from_json


def replay(recipe: Recipe, lines: Sequence[CommandAt]) -> tuple[str, str]:
    """The texts of RECIPE.json and COMMANDS.jsonl that ``main.py train`` replays to the same weights, bit for bit."""
    interventions = "".join(json.dumps(line.to_dict()) + "\n" for line in lines)
    return json.dumps(json.loads(recipe.to_json()), indent=2) + "\n", interventions


def road(interventions: Sequence[CommandEvent], stopped: Position | None = None) -> list[CommandAt]:
    """The acts that were carried out, as lines of a hand.

    Where the run went back, only the road that it is on counts: what was undone is not in ``hand`` any more, and the
    going back is left out. Saving changes nothing.

    Args:
        hand: the acts that were carried out, in order.
        stopped: where the run stands, of one that has not come to its end: the replay stops there.
    """
    lines = [
        CommandAt(
            at=Position(epoch=intervention.epoch, batch=intervention.batch),
            intervention=to_intervention(intervention.command),
        )
        for intervention in interventions
        if intervention.name not in ("rewind", "save", "stop")
    ]
    return [*lines, CommandAt(at=stopped, intervention=Stop())] if stopped is not None else lines


def replay_of(checkpoint: dict[str, Any]) -> tuple[str, str]:
    """``replay`` of the run that a checkpoint's content is of, up to where it stands."""
    epoch, batch = checkpoint["position"]
    over = epoch > checkpoint["rate"]["epochs"]
    interventions = [CommandEvent(**intervention) for intervention in json.loads(checkpoint["interventions"])]
    return replay(
        recipe_from_json(checkpoint["recipe"]),
        road(interventions, None if over else Position(epoch=epoch, batch=batch)),
    )
