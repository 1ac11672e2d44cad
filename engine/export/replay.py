"""A run as the two files that reproduce it: its recipe, and what the hand did. Imports no torch."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from engine.commands import At, HandLine, Stop, hand_command
from engine.events import CommandEvent
from engine.recipe import Recipe, recipe_from_json


def replay(recipe: Recipe, lines: Sequence[HandLine]) -> tuple[str, str]:
    """The texts of RECIPE.json and HAND.jsonl that ``main.py train`` replays to the same weights, bit for bit."""
    hand = "".join(json.dumps(line.to_dict()) + "\n" for line in lines)
    return json.dumps(json.loads(recipe.to_json()), indent=2) + "\n", hand


def road(hand: Sequence[CommandEvent], stopped: At | None = None) -> list[HandLine]:
    """The acts that were carried out, as lines of a hand.

    Where the run went back, only the road that it is on counts: what was undone is not in ``hand`` any more, and the
    going back is left out. Saving changes nothing.

    Args:
        hand: the acts that were carried out, in order.
        stopped: where the run stands, of one that has not come to its end: the replay stops there.
    """
    lines = [
        HandLine(
            at=At(epoch=act.epoch, batch=act.batch),
            act=hand_command(act.command),
        )
        for act in hand
        if act.name not in ("rewind", "save", "stop")
    ]
    return [*lines, HandLine(at=stopped, act=Stop())] if stopped is not None else lines


def replay_of(snapshot: dict[str, Any]) -> tuple[str, str]:
    """``replay`` of the run that a snapshot's content is of, up to where it stands."""
    epoch, batch = snapshot["position"]
    over = epoch > snapshot["rate"]["epochs"]
    hand = [CommandEvent(**act) for act in json.loads(snapshot["hand"])]
    return replay(recipe_from_json(snapshot["recipe"]), road(hand, None if over else At(epoch=epoch, batch=batch)))
