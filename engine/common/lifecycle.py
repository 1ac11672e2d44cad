"""The lifecycle of a run: its states, and a table of what each action does in each state."""

from __future__ import annotations

from typing import Final, Literal, get_args

from engine.common.errors import IllegalAction

State = Literal["loading", "ready", "training", "paused", "diverged", "finished", "stopped", "failed"]
Action = Literal[
    "start",
    "pause",
    "resume",
    "run_epoch",
    "stop",
    "intervene",
    "rewind",
    "loaded",
    "epoch_done",
    "diverge",
    "finish",
    "fail",
]

TERMINAL: Final[frozenset[State]] = frozenset({"finished", "stopped", "failed"})
STATES: Final[tuple[State, ...]] = get_args(State)
ACTIONS: Final[tuple[Action, ...]] = get_args(Action)

_LEGAL: Final[dict[State, dict[Action, State]]] = {
    "loading": {"loaded": "ready", "stop": "stopped", "fail": "failed"},
    "ready": {
        "start": "training",
        "resume": "training",
        "run_epoch": "training",
        "intervene": "ready",
        "rewind": "ready",
        "stop": "stopped",
        "finish": "finished",
        "fail": "failed",
    },
    "training": {
        "pause": "paused",
        "run_epoch": "training",
        "intervene": "training",
        "rewind": "training",
        "stop": "stopped",
        "epoch_done": "paused",
        "diverge": "diverged",
        "finish": "finished",
        "fail": "failed",
    },
    "paused": {
        "start": "training",
        "resume": "training",
        "run_epoch": "training",
        "intervene": "paused",
        "rewind": "paused",
        "stop": "stopped",
        "finish": "finished",
        "fail": "failed",
    },
    "diverged": {
        "resume": "training",
        "intervene": "diverged",
        "rewind": "paused",
        "stop": "stopped",
        "finish": "finished",
        "fail": "failed",
    },
    "finished": {},
    "stopped": {},
    "failed": {},
}

_WHY_NOT: Final[dict[State, str]] = {
    "loading": "the run is still loading",
    "ready": "the run has not started",
    "training": "the run is already training",
    "paused": "the run is paused",
    "diverged": "the loss diverged: go back, lower the learning rate, or resume",
    "finished": "the run has finished",
    "stopped": "the run was stopped",
    "failed": "the run has failed",
}


def next_state(state: State, action: Action) -> State:
    """The state after ``action`` in ``state``.

    Raises:
        IllegalAction: ``action`` is not possible in ``state``.
    """
    try:
        return _LEGAL[state][action]
    except KeyError:
        raise IllegalAction(_WHY_NOT[state]) from None


def allowed(state: State, action: Action) -> bool:
    """Whether ``action`` is possible in ``state``."""
    return action in _LEGAL[state]
