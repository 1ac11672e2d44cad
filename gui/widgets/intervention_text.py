"""Interventions in plain words, and how one is put back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from engine.messages.commands import SetLR, Then
from engine.messages.events import WITHDRAWN, CommandEvent
from engine.schedules import SCHEDULES
from engine.schedules.base import form_metadata
from gui.core.lr_text import lr_text
from gui.core.translation import said, tr

LR_COMMANDS: Final = ("set_lr", "scale_lr", "release_lr")
_SHOWN: Final = 3  # rates that one line lists before it is cut short

CHANGING: Final = frozenset(
    {
        "set_lr",
        "scale_lr",
        "release_lr",
        "set_schedule",
        "set_optimizer",
        "freeze",
        "unfreeze",
        "set_epochs",
    }
)
"""Interventions that change how the run goes on: each can be gone back to."""


def describe(event: CommandEvent) -> str:
    """What the person asked for, in a line; with the reason where it was refused, unless the person took it back."""
    intervention = _intervention(event)
    if event.status == "rejected" and event.reason == WITHDRAWN:
        return tr("Taken back: {intervention}", intervention=intervention)
    if event.status == "rejected":
        reason = said(event.reason) if event.reason else tr("no reason was given")
        return tr("Refused: {intervention} ({reason})", intervention=intervention, reason=reason)
    if event.status == "queued":
        return tr("{intervention} (at the next batch)", intervention=intervention)
    return intervention


def schedule_text(schedule: Mapping[str, Any]) -> str:
    """A schedule as PyTorch writes it: ``CosineAnnealingLR(T_max=18, eta_min=0)``."""
    name = str(schedule.get("name", "?"))
    known = next((spec for spec in SCHEDULES if spec.model_fields["name"].default == name), None)
    parts = []
    for key, value in schedule.items():
        field = known.model_fields.get(key) if known else None
        if key == "name" or (field is not None and form_metadata(field).get("advanced") and value == field.default):
            continue
        parts.append(f"{key}={_value(value)}")
    return f"{name}({', '.join(parts)})"


def restore_lr_commands(event: CommandEvent, groups: Sequence[str]) -> tuple[SetLR, ...]:
    """The commands that bring the rates back to what they were before ``event``; empty where there is nothing to do.

    ``groups`` names the run's groups in the order of the event's rates. Limits: it is the number that comes back, at
    the present place on the plan, not the state before. An event does not say whether a group was held before it, so
    where it changed that, the group follows its curve again; and a swapped schedule stays swapped, which is why only
    changes of the rate can be put back.
    """
    known = len(event.lr_before) == len(event.lr) == len(groups)
    if event.status != "applied" or event.name not in LR_COMMANDS or not known:
        return ()
    then: Then = "keep" if event.name != "release_lr" and event.command.get("then", "keep") == "keep" else "follow"
    moved = [i for i, (before, after) in enumerate(zip(event.lr_before, event.lr, strict=True)) if before != after]
    if len(groups) == 1:
        return tuple(SetLR(lr=event.lr_before[i], then=then) for i in moved)
    return tuple(SetLR(lr=event.lr_before[i], then=then, group=groups[i]) for i in moved)


def _intervention(event: CommandEvent) -> str:
    command = event.command
    group = command.get("group")
    match event.name:
        case "set_lr" | "scale_lr" | "release_lr":
            return _lr_intervention(event, command, tr("LR of {group}", group=group) if group else tr("LR"))
        case "set_schedule":
            schedule = schedule_text(command.get("schedule") or {})
            if command.get("start") == "replay":
                words = tr("New schedule, as if from epoch 1: {schedule}", schedule=schedule)
            else:
                words = tr("New schedule from here: {schedule}", schedule=schedule)
            return tr("{words}, for {group}", words=words, group=group) if group else words
        case "set_optimizer":
            given = {k: v for k, v in command.items() if k not in ("command", "group") and v is not None}
            changes = ", ".join(f"{key}={_value(value)}" for key, value in given.items())
            if group:
                return tr("Optimizer, for {group}: {changes}", group=group, changes=changes)
            return tr("Optimizer: {changes}", changes=changes)
        case "freeze":
            return tr("Freeze {group}", group=group)
        case "unfreeze":
            return tr("Train {group} again", group=group)
        case "set_epochs":
            return tr("Train for {epochs} epochs in all", epochs=command.get("epochs"))
        case "save":
            path = command.get("path")
            return tr("Save a checkpoint as {path}", path=path) if path else tr("Save a checkpoint")
        case "rewind":
            epoch, batch = int(command.get("epoch", 0)), command.get("batch")
            if batch is not None:
                return tr("Go back to epoch {epoch}, batch {batch}, in a new branch", epoch=epoch + 1, batch=batch)
            if epoch == 0:
                return tr("Go back to the start, in a new branch")
            return tr("Go back to the end of epoch {epoch}, in a new branch", epoch=epoch)
        case "note":
            return tr("Note: {remark}", remark=command.get("text", ""))
        case "start":
            return tr("Start")
        case "pause":
            return tr("Pause")
        case "resume":
            return tr("Resume")
        case "run_epoch":
            return tr("Run 1 epoch")
        case "find_lr":
            return tr("Search for a rate, on a copy")
        case "cancel_find":
            return tr("Call the search for a rate off")
        case "cancel_rewind":
            return tr("Call going back off")
        case "withdraw":
            return tr("Take back what waits for its moment")
        case "stop":
            return tr("Save and end the run")
        case other:
            return other


def _lr_intervention(event: CommandEvent, command: Mapping[str, Any], lr: str) -> str:
    then = command.get("then", "keep")
    moves = _moves(event)
    if event.name == "set_lr":
        values = {"lr": lr, "to": lr_text(float(command.get("lr", 0)))}
        if then == "follow":
            return tr("Set the {lr} to {to}, keeping the curve's shape", **values)
        if then == "hold":
            return tr("Set the {lr} to {to} and keep it there", **values)
        return tr("Set the {lr} to {to}", **values)
    if event.name == "release_lr":
        return tr("{lr} back to plan: {moves}", lr=lr, moves=moves) if moves else tr("{lr} back to plan", lr=lr)
    intervention = tr("{lr} ×{factor}", lr=lr, factor=lr_text(float(command.get("factor", 1)), 4))
    if moves:
        intervention = tr("{intervention}: {moves}", intervention=intervention, moves=moves)
    if then == "follow":
        return tr("{intervention}, keeping the curve's shape", intervention=intervention)
    return tr("{intervention}, kept there", intervention=intervention) if then == "hold" else intervention


def _moves(event: CommandEvent) -> str:
    """The rates that changed, as "0.01 → 0.005"; equal moves once."""
    if len(event.lr_before) != len(event.lr):
        return ""
    pairs = dict.fromkeys((b, a) for b, a in zip(event.lr_before, event.lr, strict=True) if b != a)
    shown = [tr("{old} → {new}", old=lr_text(b, 4), new=lr_text(a, 4)) for b, a in list(pairs)[:_SHOWN]]
    return ", ".join([*shown, "…"] if len(pairs) > _SHOWN else shown)


def _value(value: Any) -> str:
    if isinstance(value, bool) or value is None:
        return str(value)
    if isinstance(value, (int, float)):
        return lr_text(value)
    if isinstance(value, Mapping):
        return schedule_text(value)
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(_value, value))}]"
    return repr(value)
