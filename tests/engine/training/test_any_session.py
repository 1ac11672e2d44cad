"""Whatever is done to a run, in any order, an uninterrupted replay of its recipe and interventions equals it."""

from __future__ import annotations

import tempfile
import threading
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from engine import schedules
from engine.checkpoints.checkpoint import read
from engine.common.position import Position
from engine.export.run_files import commands_to_replay
from engine.messages.commands import (
    FindLR,
    Freeze,
    Note,
    Pause,
    ReleaseLR,
    Resume,
    Rewind,
    RunEpoch,
    Save,
    ScaleLR,
    SetEpochs,
    SetLR,
    SetOptimizer,
    SetSchedule,
    Stop,
    Unfreeze,
    Withdraw,
)
from engine.messages.events import CommandEvent, EndEvent, Event, StateEvent, StepsEvent
from engine.messages.queue import AnyCommand
from engine.messages.stored import commands_from_json, epochs_from_json
from engine.recipe.recipe import Recipe
from engine.training.job import Job
from tests.engine.running import OPTIMIZERS, PER_EPOCH, SCHEDULES, SECONDS, Events, Live, library_at, recipe, run

GROUPS = [{"name": "head", "modules": ["head"], "lr": 0.02}]
GROUP = st.sampled_from([None, None, "rest", "head"])
INTERVAL = st.sampled_from(["epoch", "step"])
THEN = st.sampled_from(["keep", "follow", "hold"])
INTERVENTIONS: st.SearchStrategy[Any] = st.one_of(
    st.builds(SetLR, lr=st.floats(0, 0.2), then=THEN, group=GROUP),
    st.builds(ScaleLR, factor=st.floats(0.1, 2), then=THEN, group=GROUP),
    st.builds(ReleaseLR, group=GROUP),
    st.builds(
        SetSchedule,
        schedule=st.one_of(
            st.builds(schedules.StepLR, step_size=st.integers(1, 3), gamma=st.floats(0.1, 1)),
            st.builds(
                schedules.CosineAnnealingLR, T_max=st.integers(1, 9), interval=st.sampled_from(["epoch", "step"])
            ),
            st.builds(schedules.ReduceLROnPlateau, patience=st.integers(0, 1), threshold=st.just(0.99)),
            st.builds(schedules.CyclicLR, base_lr=st.just(0.01), max_lr=st.just(0.1), step_size_up=st.integers(1, 4)),
            st.just(schedules.LambdaLR(lr_lambda=("0.9**epoch",))),
        ),
        start=st.sampled_from(["here", "replay"]),
        group=GROUP,
    ),
    st.builds(SetOptimizer, weight_decay=st.floats(0, 0.01), group=GROUP),
    st.builds(SetOptimizer, momentum=st.floats(0.1, 0.95)),
    st.builds(Freeze, group=st.sampled_from(["rest", "head"])),
    st.builds(Unfreeze, group=st.sampled_from(["rest", "head"])),
    st.builds(SetEpochs, epochs=st.integers(1, 7)),
    st.builds(Note, text=st.text(min_size=1, max_size=9)),
)
WITHOUT_EFFECT: st.SearchStrategy[Any] = st.one_of(
    st.sampled_from([Pause(), Withdraw(id=77), ReleaseLR(group="nobody")]), st.builds(FindLR, steps=st.just(20))
)


def lrs(events: list[Event]) -> dict[int, list[float]]:
    """The LRs of each step (from 0); the newest ones of a step that was trained twice."""
    found: dict[int, list[float]] = {}
    for event in events:
        if isinstance(event, StepsEvent):
            first = (event.epoch - 1) * PER_EPOCH + event.batch
            found.update(enumerate(event.lr.tolist(), first))
    return found


class Session(RuleBasedStateMachine):
    """A run that is paused between two rules."""

    def __init__(self) -> None:
        super().__init__()
        self._scratch = tempfile.TemporaryDirectory()
        self._folder = Path(self._scratch.name)
        self._context = library_at(self._folder / "library")
        self._library = self._context.__enter__()
        self._trained: dict[int, list[float]] = {}
        self._seen = 0
        self._posted = 0
        self._over: EndEvent | None = None
        self._recipe: Recipe | None = None
        self._live: Live | None = None

    @initialize(
        optimizer=st.sampled_from(["SGD nesterov", "Adam", "RMSprop"]),
        schedule=st.sampled_from(list(SCHEDULES)),
        groups=st.sampled_from([[], GROUPS]),
    )
    def begin(self, optimizer: str, schedule: str, groups: list[Any]) -> None:
        self._recipe = recipe(optimizer=OPTIMIZERS[optimizer], schedule=SCHEDULES[schedule], groups=groups, epochs=4)
        self._open(Job(recipe=self._recipe, begin=False, on_divergence="pause"))

    # -- rules

    @precondition(lambda self: self._over is None)
    @rule(batches=st.integers(1, 5))
    def train_on(self, batches: int) -> None:
        epoch, batch = divmod(self._step + batches, PER_EPOCH)
        self._ask(Pause(), Position(epoch=epoch + 1, batch=batch), also=Resume())

    @precondition(lambda self: self._over is None)
    @rule()
    def run_an_epoch(self) -> None:
        self._ask(RunEpoch())
        self._wait(lambda: self._state in ("paused", "diverged") or self._ended)

    @precondition(lambda self: self._over is None)
    @rule(intervention=INTERVENTIONS)
    def intervention(self, intervention: Any) -> None:
        self._ask(intervention)

    @precondition(lambda self: self._over is None)
    @rule(intervention=INTERVENTIONS, batches=st.integers(1, 4))
    def intervene_while_training(self, intervention: Any, batches: int) -> None:
        epoch, batch = divmod(self._step + batches, PER_EPOCH)
        assert self._live is not None
        self._live.trainer.post(intervention, Position(epoch=epoch + 1, batch=batch))
        self._posted += 1
        self.train_on(batches)

    @precondition(lambda self: self._over is None and self._step > 0)
    @rule(share=st.floats(0, 0.999))
    def rewind(self, share: float) -> None:
        step = int(self._step * share)
        epoch, batch = divmod(step, PER_EPOCH)
        answer = self._ask(Rewind(epoch=epoch, batch=batch or None))
        assert answer.status == "applied", answer
        self._hear()
        self._trained = {at: lr for at, lr in self._trained.items() if at < step}

    @precondition(lambda self: self._over is None)
    @rule(command=WITHOUT_EFFECT)
    def something_without_effect(self, command: Any) -> None:
        self._ask(command)

    @precondition(lambda self: self._over is None)
    @rule(asked=st.booleans())
    def stop_and_resume(self, asked: bool) -> None:
        file = self._folder / "asked.tiller"
        if asked:
            assert self._ask(Save(path=str(file))).status == "applied"
        end = self._end(Stop())
        assert end.checkpoint is not None
        run_id = self._library.runs()[-1].id
        self._open(
            Job(checkpoint=file if asked else Path(end.checkpoint), run=run_id, begin=False, on_divergence="pause")
        )

    @precondition(lambda self: self._over is not None)
    @rule(more=st.integers(1, 3))
    def make_it_longer(self, more: int) -> None:
        assert self._live is not None
        assert self._over is not None
        assert self._over.checkpoint is not None
        run_id, checkpoint = self._library.runs()[-1].id, Path(self._over.checkpoint)
        epochs = read(checkpoint)["lr"]["epochs"] + more
        self._over = None
        self._open(Job(checkpoint=checkpoint, run=run_id, epochs=epochs, begin=False, on_divergence="pause"))

    # -- invariants

    @invariant()
    def every_command_is_answered_once(self) -> None:
        if self._live is None or self._over is not None:
            return
        answered = [e.id for e in self._live.events.answers if e.id]
        assert len(answered) == len(set(answered)) == self._posted

    def teardown(self) -> None:
        try:
            if self._live is not None:
                self._compare(self._over or self._end(Stop()))
        finally:
            self._context.__exit__(None, None, None)
            self._scratch.cleanup()
        assert not [t for t in threading.enumerate() if t.name == "training"]

    def _compare(self, end: EndEvent) -> None:
        assert end.checkpoint is not None
        kept = read(end.checkpoint)
        epoch, batch = kept["position"]
        stopped = Position(epoch=epoch, batch=batch) if end.reason == "stopped" else None
        lines = tuple(commands_to_replay(commands_from_json(kept["interventions"]), stopped))
        whole: Events = run(Job(recipe=self._recipe, lines=lines, on_divergence="pause"))
        assert [a.reason for a in whole.answers if a.status != "applied"] == []
        assert whole.end.weights_sha256 == end.weights_sha256
        assert lrs(whole) == self._trained
        assert [e.metrics() for e in whole.epochs] == [e.metrics() for e in epochs_from_json(kept["history"])]

    # -- helpers

    @property
    def _step(self) -> int:
        assert self._live is not None
        at = self._live.state.position
        return (at.epoch - 1) * PER_EPOCH + at.batch

    @property
    def _state(self) -> str:
        assert self._live is not None
        return [e.state for e in self._live.events if isinstance(e, StateEvent)][-1]

    @property
    def _ended(self) -> bool:
        assert self._live is not None
        return isinstance(self._live.events[-1], EndEvent)

    def _open(self, job: Job) -> None:
        self._live, self._seen, self._posted = Live(job, self._library), 0, 0
        self._live.__enter__()
        self._live.reach("ready")

    def _wait(self, until: Any) -> None:
        assert self._live is not None
        with self._live._changed:
            assert self._live._changed.wait_for(until, SECONDS), self._live.events
        self._hear()
        if self._ended:
            self._over = self._live.events.end
            self._live.__exit__()

    def _hear(self) -> None:
        assert self._live is not None
        heard = self._live.events[self._seen :]
        self._seen += len(heard)
        self._trained.update(lrs(heard))

    def _ask(self, command: AnyCommand, when: Position | None = None, also: AnyCommand | None = None) -> CommandEvent:
        """Post ``command`` (then ``also``), and wait until all is answered and the run is paused or has ended."""
        live = self._live
        assert live is not None
        number = live.trainer.post(command, when)
        self._posted += 1 + (also is not None)
        if also is not None:
            live.trainer.post(also)

        def answered() -> bool:
            if self._ended:
                return True
            active = live.trainer._run
            if active is None or active.position.epoch > active.state.epochs:
                return False  # it ends without a command
            done = len([e for e in live.events.answers if e.id]) == self._posted
            return done and (self._state != "training" or isinstance(command, RunEpoch))

        self._wait(answered)
        (answer,) = [e for e in live.events.answers if e.id == number]
        return answer

    def _end(self, command: Stop) -> EndEvent:
        live = self._live
        assert live is not None
        live.trainer.post(command)
        end = live.finish()
        live.__exit__()
        self._hear()
        assert len([e for e in live.events if isinstance(e, EndEvent)]) == 1
        return end


def explore(examples: int, steps: int) -> None:
    # training counts as generation of input, which is slow on a busy machine
    checks = [hypothesis.HealthCheck.too_slow]
    settings = hypothesis.settings(max_examples=examples, stateful_step_count=steps, suppress_health_check=checks)
    run_state_machine_as_test(Session, settings=settings)  # type: ignore[no-untyped-call]


def test_any_session_equals_its_uninterrupted_replay() -> None:
    explore(12, 10)


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_many_long_sessions_equal_their_uninterrupted_replays() -> None:
    explore(200, 30)
