"""Loading: builds the run of a job in memory."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import torch

from engine.checkpoints import checkpoint
from engine.common.errors import Cancelled, CheckpointError, SpecError
from engine.common.progress import IsCancelled, Progress
from engine.common.text import Text
from engine.data import registry
from engine.hardware.devices import choose, gpu_name, nondeterministic_operator, prepare
from engine.hardware.memory import data_share, host_memory
from engine.hardware.out_of_memory import fitting
from engine.hardware.precision import remarks as precision_remarks
from engine.hardware.precision import set_tf32
from engine.messages.events import StartEvent, StepsEvent
from engine.recipe.data_sets import Facts
from engine.recipe.networks import find_network
from engine.recipe.recipe import Recipe, recipe_from_json
from engine.recipe.user_code import changes, check_allowed
from engine.training import trial
from engine.training.job import Job
from engine.training.run_state import RANDOM_LOCK, RunState, group_sizes

MOST_THREADS: Final = 256
# Not measured at each start, since another number of threads gives other last bits. A thread with fewer pixels costs
# more than it saves: see tests/benchmarks/README.md.
PIXELS_PER_THREAD: Final = 4096
PIXELS_PER_THREAD_LARGE: Final = 128  # for large networks, which compute far more for each pixel
_POLL_SECONDS: Final = 0.05


@dataclass(frozen=True)
class Loaded:
    """A run in memory.

    Attributes:
        state: the run.
        remarks: what a person should know of how it was loaded.
        changes: what has changed since its checkpoint in the user's own code.
        parent: the run that it is a branch of, or None.
        name: what the person calls it.
        threads: the number of threads that train.
        resumed: whether it was loaded from a checkpoint.
    """

    state: RunState
    remarks: list[Text]
    changes: list[Text]
    parent: str | None
    name: str
    threads: int
    resumed: bool

    def start_event(self, run: str, name: str, steps: list[StepsEvent]) -> StartEvent:
        """The start event of the run ``run``, called ``name``; ``steps`` holds its batches so far, of a resumed run."""
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
            recipe=state.recipe,
            threads=self.threads,
            parent=self.parent,
            group_parameters=group_sizes(state.groups),
            history=list(state.history),
            interventions=list(state.interventions),
            steps=steps,
        )


def load(job: Job, progress: Progress, cancelled: IsCancelled) -> Loaded:
    """Build the run of ``job``, on the thread that trains it: the number of PyTorch's threads is set for this thread.

    Args:
        job: the run to begin or resume.
        progress: called with what is loaded, and how much of it is done.
        cancelled: asked from time to time.

    Raises:
        SpecError: the recipe, the data or the checkpoint is bad.
        Cancelled: ``cancelled`` returned true.
    """
    while not RANDOM_LOCK.acquire(timeout=_POLL_SECONDS):
        progress(Text("waiting for the LR range test to end"), 0, 0)
        if cancelled():
            raise Cancelled
    RANDOM_LOCK.release()
    if job.checkpoint is not None:
        progress(Text("reading the checkpoint"), 0, 0)
    file, content, skipped = _read(job)
    recipe = _recipe(job, file, content)
    check_allowed(recipe.model.user_function(), job.allowed)
    remarks: list[Text] = [*skipped, *recipe.warnings()]
    share = data_share(job.data_share)
    progress(Text("loading {name}", name=recipe.data.name), 0, 0)
    with fitting("data", recipe.data.name, "cpu"):
        room = int(share * host_memory())
        images = registry.load(recipe.data, download=job.download, progress=progress, cancelled=cancelled, room=room)
    remarks += _set_threads(recipe, images.facts, content)
    device, chosen = choose(recipe.device)
    if recipe.device == "auto":
        remarks.append(chosen)
    set_tf32(recipe.precision == "tf32")
    remarks += precision_remarks(recipe, device)
    late = prepare(device)
    remarks += [late] if late else []
    if cancelled():
        raise Cancelled
    progress(Text("building {name}", name=recipe.model.name), 0, 0)
    network = Path(recipe.model.name).name
    with fitting("network", network, device):
        state = RunState(recipe, images, device, download=job.download, share=share, cancelled=cancelled)
    try:
        remarks += trial.check(state, progress, cancelled)
        return _resumed(state, job, file, content, remarks)
    except BaseException:
        state.batches.close()
        raise


def _resumed(
    state: RunState, job: Job, file: Path | None, content: dict[str, Any] | None, remarks: list[Text]
) -> Loaded:
    """Restore the checkpoint's ``content``, if there is one, in the new ``state``, and complete ``remarks``."""
    recipe, network = state.recipe, Path(state.recipe.model.name).name
    with fitting("batch", network, state.device, recipe.data.batch_size):
        operator = nondeterministic_operator(lambda: state.begun().model, *state.batches.batch(1, 0))
    if operator:
        remarks.append(
            Text(
                "{operator} is not deterministic here: a resumed run may differ in its last bits",
                operator=operator,
            )
        )
    if content is not None:
        _restore(state, content, file)
        remarks += _differences(content, state)
    remarks += state.lr_control.remarks
    run = content["run"] if content else {}
    parent = run.get("id") if job.run is None else run.get("parent")
    name = job.name or run.get("name") or f"{recipe.data.name} {network}"
    changed = changes(content["sources"]) if content else []
    return Loaded(state, remarks, changed, parent, name, torch.get_num_threads(), resumed=content is not None)


def _read(job: Job) -> tuple[Path | None, dict[str, Any] | None, list[Text]]:
    """The checkpoint to resume from, its content, and remarks on those that could not be read.

    Raises:
        CheckpointError: it is damaged, and the run cannot be resumed from anything else.
    """
    problems: list[CheckpointError] = []
    for file in (job.checkpoint, *job.older):
        if file is None:
            continue
        try:
            return file, checkpoint.read(file), _skipped(problems)
        except CheckpointError as error:
            problems.append(error)
    if problems and (job.recipe is None or job.run is None):
        raise problems[0]
    restart = Text("none of the run's checkpoints can be read: it is trained again from its recipe and interventions")
    return None, None, [*_skipped(problems), restart] if problems else []


def _skipped(problems: list[CheckpointError]) -> list[Text]:
    """Remarks on checkpoints that could not be read."""
    if not problems:
        return []
    remarks = [Text("{problem}; the run resumes from an older checkpoint", problem=problems[0].problem)]
    if len(problems) > 1:
        remarks.append(Text("{count} older checkpoints of the run cannot be read either", count=len(problems) - 1))
    return remarks


def _recipe(job: Job, file: Path | None, content: dict[str, Any] | None) -> Recipe:
    if content is None:
        recipe = job.required_recipe
    else:
        try:
            recipe = recipe_from_json(content["recipe"])
        except SpecError as error:
            raise CheckpointError(file or "", f"contains a bad recipe: {error}") from None
    if job.device is not None:
        recipe = recipe_from_json(json.dumps({**recipe.model_dump(mode="json"), "device": job.device}))
    return recipe


def _set_threads(recipe: Recipe, facts: Facts, content: dict[str, Any] | None) -> list[Text]:
    """Set the number of threads, on which the last bits depend; a resumed run keeps the number that it began with."""
    network = find_network(recipe.model.name)
    pixels = recipe.data.batch_size * facts.channels * facts.height * facts.width
    share = PIXELS_PER_THREAD_LARGE if network is not None and network.large else PIXELS_PER_THREAD
    most = max(1, pixels // share)
    now = min(torch.get_num_threads(), most)
    threads = min(content["environment"]["threads"], most, MOST_THREADS) if content else now
    torch.set_num_threads(threads)
    if threads == now:
        return []
    return [Text("using {threads} threads, as the run began with, instead of {now}", threads=threads, now=now)]


def _restore(state: RunState, content: dict[str, Any], file: Path | None) -> None:
    try:
        state.restore(content)
    except SpecError as error:
        raise CheckpointError(file or "", f"does not fit its own recipe: {error}") from None


def _differences(content: dict[str, Any], state: RunState) -> list[Text]:
    """Why the resumed run may not be bit-identical, a sentence each."""
    environment, remarks = content["environment"], []
    now_by_name = {"torch": str(torch.__version__), "device": str(state.device), "gpu": gpu_name(state.device)}
    for what, now in now_by_name.items():
        then = environment[what]
        if None not in (then, now) and then != now:
            remarks.append(
                Text(
                    "made with {what} {then}, resumed with {now}: the results may differ in their last bits",
                    what=what,
                    then=then,
                    now=now,
                )
            )
    return remarks
