"""The lifecycle of a run, compared with a table of every state and action."""

from __future__ import annotations

import itertools

import pytest

from engine.common.errors import IllegalAction
from engine.common.lifecycle import ACTIONS, STATES, TERMINAL, Action, State, allowed, next_state

# One row per state, one column per action; "." where the action is rejected.
TABLE = """
          start     pause   resume    run_epoch  stop     intervene  rewind    loaded  epoch_done  diverge   finish    fail
loading   .         .       .         .          stopped  .          .         ready   .           .         .         failed
ready     training  .       training  training   stopped  ready      ready     .       .           .         finished  failed
training  .         paused  .         training   stopped  training   training  .       paused      diverged  finished  failed
paused    training  .       training  training   stopped  paused     paused    .       .           .         finished  failed
diverged  .         .       training  .          stopped  diverged   paused    .       .           .         finished  failed
finished  .         .       .         .          .        .          .         .       .           .         .         .
stopped   .         .       .         .          .        .          .         .       .           .         .         .
failed    .         .       .         .          .        .          .         .       .           .         .         .
"""  # noqa: E501 - a table
COLUMNS, *ROWS = [line.split() for line in TABLE.strip().splitlines()]
CELLS = [(row[0], action, after) for row in ROWS for action, after in zip(COLUMNS, row[1:], strict=True)]
REASONS: dict[str, str] = {
    "loading": "still loading",
    "ready": "not started",
    "training": "already training",
    "paused": "paused",
    "diverged": "diverged",
    "finished": "finished",
    "stopped": "stopped",
    "failed": "failed",
}


def test_the_table_has_a_cell_for_every_state_and_action() -> None:
    assert {(state, action) for state, action, _ in CELLS} == set(itertools.product(STATES, ACTIONS))


@pytest.mark.parametrize(("state", "action", "after"), CELLS, ids=[f"{s}-{a}" for s, a, _ in CELLS])
def test_each_action_in_each_state(state: State, action: Action, after: str) -> None:
    assert allowed(state, action) == (after != ".")
    if after == ".":
        with pytest.raises(IllegalAction, match=REASONS[state]):
            next_state(state, action)
    else:
        assert next_state(state, action) == after


def test_terminal_states_are_final_and_all_others_can_fail_or_stop() -> None:
    assert set(TERMINAL) == {"finished", "stopped", "failed"}
    for state in STATES:
        assert any(allowed(state, action) for action in ACTIONS) == (state not in TERMINAL)
        assert allowed(state, "fail") == (state not in TERMINAL)
        assert allowed(state, "stop") == (state not in TERMINAL)
