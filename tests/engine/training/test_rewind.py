"""Any position of a run can be gone back to, with or without a checkpoint there, bit for bit as it was."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from engine.common.errors import Cancelled
from engine.common.position import Position
from engine.data.batches import Batches
from engine.data.registry import load
from engine.library import Library
from engine.messages.commands import CancelRewind, Resume, Rewind, Stop
from engine.messages.events import CommandEvent, Event, RewindProgressEvent
from engine.training.job import Job, to_resume
from engine.training.loop import Loop
from engine.training.rewind import go_to
from engine.training.run_state import RunState
from tests.engine.running import DEVICES, PER_EPOCH, Events, Live, at, commands, library_at, recipe, run
from tests.engine.training.test_exactness import GROUPS, INTERVENTIONS

TARGET = (2, 2)
ON_BOTH = pytest.mark.parametrize("device", DEVICES)


def rewind(position: tuple[int, int], target: tuple[int, int] = TARGET) -> dict[str, Any]:
    return at(*position, "rewind", epoch=target[0] - 1, batch=target[1])


def before(lines: list[dict[str, Any]], target: tuple[int, int]) -> list[dict[str, Any]]:
    return [line for line in lines if (line["at"]["epoch"], line["at"]["batch"]) < target]


@ON_BOTH
@pytest.mark.parametrize("intervention", INTERVENTIONS)
def test_without_any_checkpoint_the_position_is_recomputed_from_the_beginning(intervention: str, device: str) -> None:
    lines = INTERVENTIONS[intervention]
    whole = recipe(groups=GROUPS, device=device)
    back = run(Job(recipe=whole, lines=commands(*lines, rewind((3, 2)))))
    assert [a.status for a in back.answers] == ["applied"] * 3
    never = run(Job(recipe=whole, lines=commands(*before(lines, TARGET))))
    assert back.end.weights_sha256 == never.end.weights_sha256
    assert [e.metrics() for e in back.epochs[-2:]] == [e.metrics() for e in never.epochs[-2:]]


@pytest.mark.parametrize("intervention", ["hold", "swap", "plateau", "freeze"])
def test_interventions_since_the_nearest_checkpoint_are_applied_again(tmp_path: Path, intervention: str) -> None:
    lines = [*INTERVENTIONS[intervention], at(3, 2, "note", text="why")]
    whole = recipe(groups=GROUPS, epochs=6)
    with library_at(tmp_path) as library:
        back = run(Job(recipe=whole, lines=commands(*lines, rewind((6, 1)), at(3, 0, "stop"))), library)
        assert [a.status for a in back.answers] == ["applied"] * 5
        never = run(Job(recipe=whole, lines=commands(*before(lines, TARGET), at(3, 0, "stop"))))
        assert back.end.weights_sha256 == never.end.weights_sha256
        branch = back.of("branch")[0]
        assert [(c.name, c.epoch, c.batch) for c in branch.interventions] == [
            (line["command"], line["at"]["epoch"], line["at"]["batch"]) for line in before(lines, TARGET)
        ]


def test_a_second_rewind_uses_the_branchs_own_interventions(tmp_path: Path) -> None:
    lines = [
        at(1, 1, "scale_lr", factor=0.5),
        rewind((3, 1), (1, 2)),
        at(2, 1, "scale_lr", factor=3),
        rewind((3, 2), (2, 2)),
    ]
    back = run(Job(recipe=recipe(), lines=commands(*lines)))
    never = run(Job(recipe=recipe(), lines=commands(lines[0], lines[2])))
    assert [a.status for a in back.answers] == ["applied"] * 4
    assert back.end.weights_sha256 == never.end.weights_sha256


def test_interventions_at_the_target_are_undone_although_only_a_later_checkpoint_is_left(
    tmp_path: Path,
) -> None:
    """Two interventions at one position: the checkpoint before the second is beyond the target."""
    lines = [at(*TARGET, "scale_lr", factor=0.5), at(*TARGET, "scale_lr", factor=0.25)]
    job = Job(recipe=recipe(), lines=commands(*lines), begin=False)
    with library_at(tmp_path) as library, Live(job, library) as live:
        live.pause_at(3, 2)
        library.flush()
        kept = [e for e in live.events.of("saved") if e.kind == "before"]
        assert [(e.epoch, e.batch) for e in kept] == [TARGET, TARGET]
        Path(kept[0].path).unlink()
        assert live.ask(Rewind(epoch=1, batch=2)).status == "applied"
        live.trainer.post(Resume())
        assert live.finish().weights_sha256 == run(recipe()).end.weights_sha256


def test_the_abandoned_branch_can_be_resumed_where_it_was(tmp_path: Path) -> None:
    with library_at(tmp_path) as library:
        run(Job(recipe=recipe(), lines=commands(at(2, 1, "scale_lr", factor=0.5), rewind((3, 1), (1, 2)))), library)
        parent = library.runs()[0]
        assert parent.state == "abandoned"
        again = run(to_resume(parent.id, library), library)
        assert (again.of("start")[0].epoch, again.of("start")[0].batch) == (3, 1)
        whole = run(Job(recipe=recipe(), lines=commands(at(2, 1, "scale_lr", factor=0.5))))
        assert again.end.weights_sha256 == whole.end.weights_sha256


# -- the state itself


def trained(state: RunState, target: tuple[int, int]) -> None:
    loop = Loop(state, lambda event: None)
    while state.position < Position(epoch=target[0], batch=target[1]):
        loop.batch()
        if loop.at_epochs_end:
            loop.finish_epoch()


def same(one: Any, other: Any) -> bool:
    if isinstance(one, Tensor):
        return torch.equal(one, other)
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other)


def loaded(network: str = "tiny") -> RunState:
    made = recipe(network, data={"name": "digits", "batch_size": 512, "augment": True})
    return RunState(made, load(made.data), torch.device("cpu"))


def without_clock(capture: dict[str, Any]) -> dict[str, Any]:
    meter = {key: value for key, value in capture["meter"].items() if not key.endswith("seconds")}
    return {**capture, "meter": meter}


def test_all_of_the_state_is_as_it_was_with_generators_and_sums() -> None:
    state = loaded()
    trained(state, TARGET)
    then = state.capture()
    trained(state, (3, 1))
    reported: list[tuple[int, int]] = []
    warning = go_to(
        state, Position(epoch=2, batch=2), state.capture(), [], lambda done, total: reported.append((done, total))
    )
    assert warning is None
    assert same(without_clock(state.capture()), without_clock(then))
    assert reported == [(n, PER_EPOCH + 2) for n in range(PER_EPOCH + 2)]


def test_a_cancelled_rewind_changes_nothing() -> None:
    state = loaded()
    trained(state, (3, 1))
    here, count = state.capture(), iter(range(100))
    with pytest.raises(Cancelled):
        go_to(state, Position(epoch=2, batch=2), state.capture(), [], cancelled=lambda: next(count) == 3)
    assert same(state.capture(), here)


def test_a_difference_from_the_recorded_metrics_is_reported() -> None:
    state = loaded()
    trained(state, (3, 1))
    how, seed = state.recipe.data, state.recipe.seed
    # as if something had changed that the order depends on
    state.batches = Batches(load(how), how, seed + 1, state.device)
    warning = go_to(state, Position(epoch=2, batch=2), state.capture())
    assert warning is not None
    assert "epoch 1 differs" in warning


# -- with a trainer


def progress_of(events: Events) -> list[RewindProgressEvent]:
    return [e for e in events if isinstance(e, RewindProgressEvent)]


class Cancelling(Live):
    """Posts a command as soon as recomputing has begun."""

    def __init__(self, job: Job, command: CancelRewind | Stop) -> None:
        super().__init__(job)
        self._command, self.posted = command, 0

    def _hear(self, event: Event) -> None:
        super()._hear(event)
        if isinstance(event, RewindProgressEvent) and not self.posted:
            self.posted = self.trainer.post(self._command)


@pytest.mark.parametrize("command", [CancelRewind(), Stop()])
def test_a_rewind_is_cancelled_by_what_is_posted_meanwhile(command: CancelRewind | Stop) -> None:
    with Cancelling(Job(recipe=recipe(), begin=False), command) as live:
        live.pause_at(3, 1)
        here = live.state.capture()
        answer = live.ask(Rewind(epoch=0, batch=2))
        assert (answer.status, answer.reason) == ("rejected", "the rewind was cancelled")
        live.wait(lambda e: isinstance(e, CommandEvent) and e.id == live.posted and e.status == "applied")
        if isinstance(command, CancelRewind):
            assert same(live.state.capture(), here)
            assert live.ask(CancelRewind()).reason == "nothing is being recomputed"
        else:
            assert (live.finish().reason, live.finish().epoch) == ("stopped", 3)


def test_progress_is_published() -> None:
    with Live(Job(recipe=recipe(), begin=False)) as live:
        live.pause_at(3, 1)
        number = live.ask(Rewind(epoch=1, batch=1)).id
        progress = progress_of(live.events)
        assert [(e.id, e.done, e.total) for e in progress][:1] == [(number, 0, PER_EPOCH + 1)]


def test_a_damaged_checkpoint_is_skipped(tmp_path: Path) -> None:
    with library_at(tmp_path) as library, Live(Job(recipe=recipe(), begin=False), library) as live:
        live.pause_at(3, 1)
        library.flush()
        for file in kept(library):
            data = bytearray(file.read_bytes())
            data[len(data) // 2] ^= 1
            file.write_bytes(data)
        assert live.ask(Rewind(epoch=1)).status == "applied"
        live.trainer.post(Resume())
        assert live.finish().weights_sha256 == run(recipe()).end.weights_sha256


def kept(library: Library) -> list[Path]:
    return list((library.root / "checkpoints").rglob("*.tiller"))


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        (Rewind(epoch=2, batch=1), "epoch 3, batch 1 is not before epoch 3, batch 1, where the run is"),
        (Rewind(epoch=1, batch=3), "there is no batch 3: an epoch has batches 0 to 2"),
    ],
)
def test_an_impossible_target_is_rejected(target: Rewind, reason: str) -> None:
    with Live(Job(recipe=recipe(), begin=False)) as live:
        live.pause_at(3, 1)
        answer = live.ask(target)
        assert (answer.status, answer.reason) == ("rejected", reason)
