"""Commands as text, and the commands that restore the LR from before an intervention."""

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
_LONGEST: Final = 60  # characters of a short text
_SHOWN: Final = 3  # changes of the LR that one line lists

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
"""Interventions that change the training: a run can go back to just before each."""


def command_text(event: CommandEvent) -> str:
    """The command in one line, with its status unless it was applied and with the reason if it was rejected."""
    command = _text_without_status(event)
    if event.status == "rejected" and event.reason == WITHDRAWN:
        return tr("Withdrawn: {command}", command=command)
    if event.status == "rejected":
        reason = said(event.reason) if event.reason else tr("no reason was given")
        return tr("Rejected: {command} ({reason})", command=command, reason=reason)
    if event.status == "queued":
        return tr("{command} (at the next batch)", command=command)
    return command


def short_command_text(event: CommandEvent) -> str:
    """``command_text`` for a menu or a button: a schedule by its name alone, and at most 60 characters."""
    text, schedule = command_text(event), event.command.get("schedule")
    if isinstance(schedule, Mapping):
        text = text.replace(schedule_text(schedule), str(schedule.get("name", "?")))
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


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
    """The commands that set the LRs to what they were before ``event``; none if it changed no LR.

    They restore the LR at the run's present position, not the state: an event does not say whether a group was held
    before, so a group that ``event`` held or released follows its schedule afterwards; and a schedule that was set
    stays, so only commands that change the LR itself can be undone this way.

    Args:
        event: the command.
        groups: the names of the run's groups, in the order of the event's LRs.
    """
    known = len(event.lr_before) == len(event.lr) == len(groups)
    if event.status != "applied" or event.name not in LR_COMMANDS or not known:
        return ()
    then: Then = "keep" if event.name != "release_lr" and event.command.get("then", "keep") == "keep" else "follow"
    moved = [i for i, (before, after) in enumerate(zip(event.lr_before, event.lr, strict=True)) if before != after]
    if len(groups) == 1:
        return tuple(SetLR(lr=event.lr_before[i], then=then) for i in moved)
    return tuple(SetLR(lr=event.lr_before[i], then=then, group=groups[i]) for i in moved)


def lrs_text(commands: Sequence[SetLR]) -> str:
    """The LRs that ``commands`` set, each once."""
    return ", ".join(dict.fromkeys(lr_text(command.lr, 4) for command in commands))


def _text_without_status(event: CommandEvent) -> str:
    command = event.command
    group = command.get("group")
    match event.name:
        case "set_lr" | "scale_lr" | "release_lr":
            return _lr_command_text(event)
        case "set_schedule":
            schedule = schedule_text(command.get("schedule") or {})
            if command.get("start") == "replay":
                text = tr("New schedule, as if from epoch 1: {schedule}", schedule=schedule)
            else:
                text = tr("New schedule from here: {schedule}", schedule=schedule)
            return tr("{text}, for {group}", text=text, group=group) if group else text
        case "set_optimizer":
            given = {k: v for k, v in command.items() if k not in ("command", "group") and v is not None}
            changes = ", ".join(f"{key}={_value(value)}" for key, value in given.items())
            if group:
                return tr("Change optimizer of {group}: {changes}", group=group, changes=changes)
            return tr("Change optimizer: {changes}", changes=changes)
        case "freeze":
            return tr("Freeze {group}", group=group)
        case "unfreeze":
            return tr("Unfreeze {group}", group=group)
        case "set_epochs":
            return tr("Set epochs to {epochs}", epochs=command.get("epochs"))
        case "save":
            path = command.get("path")
            return tr("Save checkpoint as {path}", path=path) if path else tr("Save checkpoint")
        case "rewind":
            epoch, batch = int(command.get("epoch", 0)), command.get("batch")
            if batch is not None:
                return tr("Go back to epoch {epoch}, batch {batch}", epoch=epoch + 1, batch=batch)
            if epoch == 0:
                return tr("Go back to the start")
            return tr("Go back to the end of epoch {epoch}", epoch=epoch)
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
            return tr("LR range test")
        case "cancel_find":
            return tr("Cancel the LR range test")
        case "cancel_rewind":
            return tr("Cancel going back")
        case "withdraw":
            return tr("Withdraw a pending command")
        case "stop":
            return tr("Stop")
        case other:
            return other


def _lr_command_text(event: CommandEvent) -> str:
    """A command that changes the LR: what it changed, or what it asks for if that is not known."""
    command = event.command
    group, then = command.get("group"), command.get("then", "keep")
    lr = tr("LR of {group}", group=group) if group else tr("LR")
    changes = _changes(event)
    shown = [tr("{old} -> {new}", old=lr_text(old, 4), new=lr_text(new, 4)) for old, new in changes[:_SHOWN]]
    values = ", ".join([*shown, "…"] if len(changes) > _SHOWN else shown)
    if event.name == "release_lr":
        text = tr("Return {group} to schedule", group=group) if group else tr("Return to schedule")
        return tr("{text}: {values}", text=text, values=values) if changes else text
    if event.name == "set_lr" and then == "hold":
        return tr("Hold {lr} at {value}", lr=lr, value=lr_text(float(command.get("lr", 0))))
    if changes and all(new < old for old, new in changes):
        text = tr("Lower {lr}: {values}", lr=lr, values=values)
    elif changes and all(new > old for old, new in changes):
        text = tr("Raise {lr}: {values}", lr=lr, values=values)
    elif changes:
        text = tr("Change {lr}: {values}", lr=lr, values=values)
    elif event.name == "set_lr":
        text = tr("Set {lr} to {value}", lr=lr, value=lr_text(float(command.get("lr", 0))))
    else:
        text = tr("Multiply {lr} by {factor}", lr=lr, factor=lr_text(float(command.get("factor", 1)), 4))
    if then == "follow":
        return tr("{text}, scaling the schedule", text=text)
    return tr("{text}, held", text=text) if then == "hold" else text


def _changes(event: CommandEvent) -> list[tuple[float, float]]:
    """The LRs before and after that differ, each pair once."""
    if len(event.lr_before) != len(event.lr):
        return []
    return list(dict.fromkeys((old, new) for old, new in zip(event.lr_before, event.lr, strict=True) if old != new))


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
