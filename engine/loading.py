"""From a job to a run in memory."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import torch

from engine import data, snapshot
from engine.devices import choose, make_deterministic, nondeterministic_operator
from engine.events import StartEvent, StepsEvent
from engine.job import Job
from engine.precision import remarks as precision_remarks
from engine.precision import set_tf32
from engine.recipe import PRETRAINED, Recipe, recipe_from_json
from engine.run_state import DRAWS, RunState, group_sizes
from engine.seal import SnapshotError
from engine.share import data_share, host_memory
from engine.shortage import fitting
from engine.spec import SpecError
from engine.words import Words

MOST_THREADS: Final = 256
# A rule and not measured at each start, since another number gives other last bits. A thread with less to do costs more
# than it brings: see tests/benchmarks/README.md.
PIXELS_A_THREAD: Final = 4096
PIXELS_A_THREAD_OF_LARGE: Final = 128  # torchvision's networks have far more to do with a pixel
_PATIENCE: Final = 0.05  # seconds
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Loaded:
    """A run in memory, and what a person should know of how it got there."""

    state: RunState
    remarks: list[Words]
    parent: str | None
    name: str
    threads: int
    resumed: bool

    def start_event(self, run: str, name: str, steps: list[StepsEvent]) -> StartEvent:
        """What is said of the run ``run``, called ``name``, before it trains; ``steps`` is what is known of batches."""
        state = self.state
        return StartEvent(
            run=run,
            name=name,
            device=str(state.device),
            groups=state.group_names,
            parameters=state.parameters,
            batches_per_epoch=state.batches.per_epoch,
            epochs=state.epochs,
            epoch=state.position.epoch,
            batch=state.position.batch,
            recipe=state.recipe.model_dump(mode="json"),
            threads=self.threads,
            parent=self.parent,
            group_parameters=group_sizes(state.groups),
            history=list(state.history),
            hand=list(state.hand),
            steps=steps,
        )


def load(job: Job, progress: Progress, cancelled: Callable[[], bool]) -> Loaded:
    """Build the run of ``job``, on this thread and for it: the number of threads is set here.

    Raises:
        SpecError: the recipe, the data or the snapshot is bad.
        data.Cancelled: ``cancelled`` said so.
    """
    while not DRAWS.acquire(timeout=_PATIENCE):
        progress(Words("waiting for the search for a rate to end"), 0, 0)
        if cancelled():
            raise data.Cancelled
    DRAWS.release()
    if job.snapshot is not None:
        progress(Words("reading the snapshot"), 0, 0)
    file, content, skipped = _read(job)
    recipe = _recipe(job, file, content)
    remarks: list[Words] = [*skipped, *recipe.warnings()]
    remarks += _set_threads(recipe, content)
    share = data_share(job.data_share)
    progress(Words("loading {name}", name=recipe.data.name), 0, 0)
    with fitting("data", recipe.data.name, "cpu"):
        room = int(share * host_memory())
        images = data.load(recipe.data, download=job.download, progress=progress, cancelled=cancelled, room=room)
    device, chosen = choose(recipe.device)
    if recipe.device == "auto":
        remarks.append(chosen)
    set_tf32(recipe.precision == "tf32")
    remarks += precision_remarks(recipe, device)
    late = make_deterministic(device)
    remarks += [late] if late else []
    if cancelled():
        raise data.Cancelled
    progress(Words("building {name}", name=recipe.model.name), 0, 0)
    network = Path(recipe.model.name).name
    with fitting("network", network, device):
        state = RunState(recipe, images, device, download=job.download, share=share)
    try:
        return _taken_up(state, job, file, content, remarks)
    except BaseException:
        state.batches.close()
        raise


def _taken_up(
    state: RunState, job: Job, file: Path | None, content: dict[str, Any] | None, remarks: list[Words]
) -> Loaded:
    """``state``, new as it is, at the moment that ``content`` holds, with all that there is to remark."""
    recipe, network = state.recipe, Path(state.recipe.model.name).name
    with fitting("batch", network, state.device, recipe.data.batch_size):
        operator = nondeterministic_operator(state.model, *state.batches.batch(1, 0))
    if operator:
        remarks.append(
            Words(
                "{operator} has no deterministic form here: a resumed run may differ in its last bits",
                operator=operator,
            )
        )
    if content is not None:
        _restore(state, content, file)
        remarks += _differences(content, state)
    run = content["run"] if content else {}
    parent = run.get("id") if job.run is None else run.get("parent")
    name = job.name or run.get("name") or f"{recipe.data.name} {network}"
    return Loaded(state, remarks, parent, name, torch.get_num_threads(), resumed=content is not None)


def _read(job: Job) -> tuple[Path | None, dict[str, Any] | None, list[Words]]:
    """The file to go on from, its content, and why it is none of those before it.

    Raises:
        SnapshotError: it is damaged, and nothing else leads to the same run.
    """
    problems: list[SnapshotError] = []
    for file in (job.snapshot, *job.older):
        if file is None:
            continue
        try:
            return file, snapshot.read(file), _skipped(problems)
        except SnapshotError as error:
            problems.append(error)
    if problems and (job.recipe is None or job.run is None):
        raise problems[0]
    again = Words("no snapshot of the run can be read: it is trained again, from its recipe and hand")
    return None, None, [*_skipped(problems), again] if problems else []


def _skipped(problems: list[SnapshotError]) -> list[Words]:
    """What is said of snapshots that could not be read."""
    if not problems:
        return []
    said = [Words("{problem}; the run goes on from what was saved before", problem=problems[0].problem)]
    if len(problems) > 1:
        said.append(Words("{count} older snapshots of the run cannot be read either", count=len(problems) - 1))
    return said


def _recipe(job: Job, file: Path | None, content: dict[str, Any] | None) -> Recipe:
    if content is None:
        assert job.recipe is not None
        recipe = job.recipe
    else:
        try:
            recipe = recipe_from_json(content["recipe"])
        except SpecError as error:
            raise SnapshotError(file or "", f"holds a bad recipe: {error}") from None
    if job.device is not None:
        recipe = recipe_from_json(json.dumps({**recipe.model_dump(mode="json"), "device": job.device}))
    return recipe


def _set_threads(recipe: Recipe, content: dict[str, Any] | None) -> list[Words]:
    """Bits differ with the number of threads: a resumed run takes the number that it began with."""
    facts = data.describe(recipe.data.name)
    pixels = recipe.data.batch_size * facts.channels * facts.height * facts.width
    share = PIXELS_A_THREAD_OF_LARGE if recipe.model.name in PRETRAINED else PIXELS_A_THREAD
    now = min(torch.get_num_threads(), max(1, pixels // share))
    threads = min(max(1, content["made"]["threads"]), MOST_THREADS) if content else now
    torch.set_num_threads(threads)
    if threads == now:
        return []
    return [Words("using {threads} threads, as the run began with, instead of {now}", threads=threads, now=now)]


def _restore(state: RunState, content: dict[str, Any], file: Path | None) -> None:
    try:
        state.restore(content)
    except (RuntimeError, ValueError, LookupError, TypeError, AttributeError, ArithmeticError, AssertionError) as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise SnapshotError(file or "", f"does not fit the run it names: {reason}") from None


def _differences(content: dict[str, Any], state: RunState) -> list[Words]:
    """Why the resumed run may not be bit-identical, one sentence each."""
    made, remarks = content["made"], []
    for what, now in (("torch", str(torch.__version__)), ("device", str(state.device))):
        then = made.get(what)
        if then is not None and then != now:
            remarks.append(
                Words(
                    "made with {what} {then}, resumed with {now}: the results may differ in their last bits",
                    what=what,
                    then=then,
                    now=now,
                )
            )
    return remarks
