"""The parts of the ``cuda`` benchmark: ``python -m tests.benchmarks.cuda_parts PART DEVICE`` prints rows as JSON.

Each takes a device, so that it can be tried on the CPU, where it is quick with ``TINY``.
"""

from __future__ import annotations

import json
import math
import os
import re
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import main as program

if TYPE_CHECKING:
    import torch

    from engine.data.image_set import ImageSet
    from engine.recipe.recipe import Recipe
    from tests.benchmarks.engine import BareLoop
    from tests.benchmarks.live_run import Row

ROOT: Final = Path(__file__).parents[2]


class Size(NamedTuple):
    """How much is measured.

    Attributes:
        images: in the training part, where MNIST is not there.
        seconds: of a measurement.
        pairs: of measurements that are compared.
        cases: a network and a precision each.
        network: of the other parts.
    """

    images: int = 60_000
    seconds: float = 0.5
    pairs: int = 4
    cases: tuple[tuple[str, str], ...] = (
        ("small_cnn", "float32"),
        ("resnet18", "float32"),
        ("resnet18", "bfloat16"),
    )
    network: str = "resnet18"


FULL: Final = Size()
TINY: Final = Size(images=300, seconds=0.01, pairs=1, cases=(("small_cnn", "float32"),), network="small_cnn")


def row(what: str, value: float, unit: str) -> Row:
    """One result."""
    return {"what": what, "value": value, "unit": unit}


# -- what is trained


def write_images(root: Path, count: int) -> None:
    """Write random images in MNIST's layout below ``root``, a sixth as many for validation."""
    import numpy as np

    random = np.random.default_rng(0)
    raw = root / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for part, images in (("train", count), ("t10k", max(1, count // 6))):
        for name, array in (
            ("images-idx3", random.integers(0, 256, (images, 28, 28), dtype=np.uint8)),
            ("labels-idx1", random.integers(0, 10, images, dtype=np.uint8)),
        ):
            header = struct.pack(f">{1 + array.ndim}I", 0x0800 | array.ndim, *array.shape)
            (raw / f"{part}-{name}-ubyte").write_bytes(header + array.tobytes())


def data_root(folder: str, size: Size) -> str:
    """The folder with the real MNIST, or ``folder`` with random images in its place."""
    given = os.environ.get("TILLER_TEST_DATA")
    if given and (Path(given) / "MNIST").is_dir():
        return given
    write_images(Path(folder), size.images)
    return folder


def recipe_for(device: str, root: str, network: str, precision: str = "float32", **changes: Any) -> Recipe:
    """A network on MNIST in batches of 128, that does not end by itself."""
    from engine.recipe.recipe import GuardSpec, ModelSpec
    from tests.benchmarks.engine import mnist, recipe

    return recipe(
        **{
            "data": mnist(root=root),
            "model": ModelSpec(name=network),
            "precision": precision,
            "device": device,
            "epochs": 100_000,
            "guard": GuardSpec(loss_limit=None),
            **changes,
        }
    )


def batches_in(seconds: float, speed: float, per_epoch: int) -> int:
    """How many batches of 128 take so many ``seconds`` at ``speed`` in images per second; fewer than an epoch has."""
    return max(1, min(round(seconds * speed / 128), per_epoch - 1))


# -- parts


def tests(device: str, size: Size) -> Iterator[Row]:
    """The tests that need a GPU, on all cores; those that failed by name."""
    files = [path for path in sorted((ROOT / "tests").rglob("test_*.py")) if needs_gpu(path.read_text("utf-8"))]
    yield from test_results(["-m", "cuda", "--dist=load", *map(str, files)])


def needs_gpu(source: str) -> bool:
    """Whether a test file may have tests that need a GPU."""
    return bool(re.search(r"\bDEVICES\b|\bmark\.cuda\b", source))


def test_results(arguments: list[str]) -> Iterator[Row]:
    """Run pytest; a row for each test that failed, as soon as it did, then how many passed, failed and were skipped."""
    command = [sys.executable, "-m", "pytest", "-v", "--tb=short", "-p", "no:cacheprovider", *arguments]
    counts = {"PASSED": 0, "FAILED": 0, "ERROR": 0, "SKIPPED": 0}
    output = []
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            output.append(line)
            result = outcome_of(line)
            if result is None:
                continue
            outcome, test = result
            counts[outcome] += 1
            if outcome in ("FAILED", "ERROR"):
                yield {**row(f"FAILED: {test}", math.nan, ""), "failed": True}
    for outcome, count in counts.items():
        yield row(outcome.lower(), count, "tests")
    if process.returncode != 0:
        text = "".join(output)
        yield {
            **row(f"FAILED: pytest ended with status {process.returncode}", math.nan, ""),
            "failed": True,
            "details": text[-8000:],
        }


def outcome_of(line: str) -> tuple[str, str] | None:
    """The outcome and the name of a test from a line of ``pytest -v``, with processes or without; None on others."""
    found = re.match(r"\[gw\d+\] \[ *\d+%\] (PASSED|FAILED|ERROR|SKIPPED) (\S.*)", line)
    if found:
        return found[1], found[2].strip()
    found = re.match(r"(\S+::.*?) (PASSED|FAILED|ERROR|SKIPPED)\b", line)
    return (found[2], found[1]) if found else None


def run(device: str, size: Size) -> Iterator[Row]:
    """``main.py train`` on the digits, from the command to the end, in a process of its own."""
    with tempfile.TemporaryDirectory(prefix="tiller-benchmark-") as folder:
        command = [sys.executable, "main.py", "train", "--device", device, "--epochs", "5", "--library", folder]
        began = time.perf_counter()
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            for line in process.stdout:
                event = json.loads(line)
                kind = event["event"]
                if kind in ("start", "end") or (kind == "epoch" and event["epoch"] == 1):
                    yield row(
                        f"seconds to {'the first epoch' if kind == 'epoch' else kind}", time.perf_counter() - began, "s"
                    )
                if kind == "warning":
                    yield row(f"warning: {event['text']}", math.nan, "")
                if kind == "end":
                    yield row(f"ended as {event['reason']}", event["epoch"], "epochs")
        if process.returncode != 0:
            raise RuntimeError(f"main.py train ended with status {process.returncode}")


def speed(device: str, size: Size) -> Iterator[Row]:
    """A run without a window, with library and metrics, over a bare loop, a CUDA graph and a tutorial's loop."""
    from engine.data.registry import load
    from tests.benchmarks.engine import BareLoop, segment_of
    from tests.benchmarks.live_run import interleaved, live_run
    from tests.benchmarks.workers import median_ratio

    with tempfile.TemporaryDirectory(prefix="tiller-benchmark-") as folder:
        root = data_root(folder, size)
        for network, precision in size.cases:
            recipe = recipe_for(device, root, network, precision)
            images, name = load(recipe.data), f"{network} {precision}"
            bare = BareLoop(images, recipe)
            with live_run(recipe) as live:
                assert live.start is not None
                batches = batches_in(size.seconds, bare.speed(3), live.start.batches_per_epoch)
                others: dict[str, Callable[[], float]] = {"bare loop": lambda: bare.speed(batches)}  # noqa: B023
                if bare.device.type == "cuda":
                    graph = GraphLoop(images, recipe)
                    others["CUDA graph"] = lambda: graph.speed(batches)  # noqa: B023
                segment_of(live, batches)  # warm
                for other, theirs in others.items():
                    theirs()
                    pairs = list(interleaved(lambda: segment_of(live, batches), theirs, size.pairs))  # noqa: B023
                    yield row(f"{name}: run over {other}", median_ratio(pairs), "ratio")
                    yield row(f"{name}: {other}", statistics.median(limit for _, limit in pairs), "images/s")
                ours = statistics.median(one for one, _ in pairs)
            yield row(f"{name}: run", ours, "images/s")
            tutorial = tutorial_speed(recipe, images, 60 if size is FULL else 2)
            yield row(f"{name}: run over a DataLoader tutorial loop", ours / tutorial, "ratio")


def graph_of(step: Callable[[], None]) -> torch.cuda.CUDAGraph:
    """Capture ``step``, after three calls on a stream of its own, as PyTorch's documentation says."""
    import torch

    side = torch.cuda.Stream()  # type: ignore[no-untyped-call]
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(3):
            step()
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph, capture_error_mode="thread_local"):
        step()
    return graph


class GraphLoop:
    """A bare loop whose step is one CUDA graph: no Python between its kernels."""

    def __init__(self, images: ImageSet, recipe: Recipe) -> None:
        from tests.benchmarks.engine import BareLoop

        self._loop = BareLoop(images, recipe)
        self._graph = graph_of(self._loop.step)

    def speed(self, batches: int) -> float:
        """Images per second."""
        from tests.benchmarks.engine import synchronise

        synchronise(self._loop.device)
        began = time.perf_counter()
        for _ in range(batches):
            self._graph.replay()
        synchronise(self._loop.device)
        return batches * len(self._loop.y) / (time.perf_counter() - began)


def tutorial_speed(recipe: Recipe, images: ImageSet, batches: int) -> float:
    """Images per second of PyTorch's tutorial loop, over so many ``batches`` after as many that are not counted."""
    from engine.data.image_set import Split
    from tests.benchmarks.engine import BATCH, state
    from tests.benchmarks.peers import tutorial

    few = Split(images.train.images[: 2 * batches * BATCH], images.train.labels[: 2 * batches * BATCH])
    ticks: list[float] = []
    tutorial(state(recipe, images).model, few, lambda: ticks.append(time.perf_counter()))
    half = len(ticks) // 2
    return BATCH * (len(ticks) - half) / (ticks[-1] - ticks[half - 1])


def memory(device: str, size: Size) -> Iterator[Row]:
    """The most memory of the GPU that training takes, a checkpoint included; and that of a bare loop."""
    import torch

    from engine.data.registry import load
    from engine.hardware.devices import choose
    from engine.training.loop import Loop
    from tests.benchmarks.engine import BareLoop, state

    there = choose(device)[0]

    def peak(train: Callable[[], object]) -> float:
        if there.type != "cuda":
            train()
            return math.nan
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats(there)
        before = torch.cuda.memory_allocated(there)
        kept = train()
        del kept
        return (torch.cuda.max_memory_allocated(there) - before) / 2**20

    with tempfile.TemporaryDirectory(prefix="tiller-benchmark-") as folder:
        root = data_root(folder, size)
        for network, precision in size.cases:
            recipe = recipe_for(device, root, network, precision)
            images = load(recipe.data)

            def engine(checkpoint: bool) -> object:
                run = state(recipe, images)  # noqa: B023
                loop = Loop(run, lambda event: None)
                loop.batch()
                captured = run.capture() if checkpoint else None
                for _ in range(2):
                    loop.batch()
                return captured

            name = f"{network} {precision}"
            yield row(f"{name}: bare loop, with images", peak(lambda: BareLoop(images, recipe)), "MiB")  # noqa: B023
            yield row(f"{name}: run", peak(lambda: engine(False)), "MiB")
            yield row(f"{name}: run, with a checkpoint not yet written", peak(lambda: engine(True)), "MiB")


def choices(device: str, size: Size) -> Iterator[Row]:
    """The speed of choices over the default: precisions, fused optimizers, memory format, cuDNN's own search."""
    from engine.data.registry import load
    from engine.recipe.recipe import SGD, Adam, AdamW
    from tests.benchmarks.engine import BareLoop
    from tests.benchmarks.live_run import interleaved
    from tests.benchmarks.workers import median_ratio

    on_gpu = device.startswith("cuda")
    sgd = SGD(lr=0.01, momentum=0.9)
    changes: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
        "bfloat16": ({"precision": "bfloat16"}, {}),
        "fused SGD": ({"optimizer": sgd.model_copy(update={"fused": True})}, {"optimizer": sgd}),
        "fused Adam": ({"optimizer": Adam(fused=True)}, {"optimizer": Adam()}),
        "fused AdamW": ({"optimizer": AdamW(fused=True)}, {"optimizer": AdamW()}),
    }
    if on_gpu:
        changes |= {"float16": ({"precision": "float16"}, {}), "tf32": ({"precision": "tf32"}, {})}
    with tempfile.TemporaryDirectory(prefix="tiller-benchmark-") as folder:
        root = data_root(folder, size)
        images = load(recipe_for(device, root, size.network).data)
        for name, (chosen, plain) in changes.items():
            one, other = (EngineLoop(recipe_for(device, root, size.network, **c), images) for c in (chosen, plain))
            yield row(f"{name} over default, {size.network}", compared(one.speed, other.speed, size), "ratio")
        recipe = recipe_for(device, root, size.network)
        for name, (loop, setting) in {
            "contiguous": (BareLoop(images, recipe), contiguous),
            "cuDNN benchmark mode, not deterministic": (BareLoop(images, recipe), searching),
        }.items():
            bare = BareLoop(images, recipe)
            batches = max(1, round(size.seconds * bare.speed(3) / 128))
            with_setting = setting(loop)
            pairs = list(interleaved(lambda: with_setting(batches), lambda: bare.speed(batches), size.pairs))  # noqa: B023
            yield row(f"bare loop, {name} over default, {size.network}", median_ratio(pairs), "ratio")


class EngineLoop:
    """The engine's loop, without its thread and library."""

    def __init__(self, recipe: Recipe, images: ImageSet) -> None:
        from engine.training.loop import Loop
        from tests.benchmarks.engine import state

        self._run = state(recipe, images)
        self._loop = Loop(self._run, lambda event: None)
        self._tf32 = recipe.precision == "tf32"
        self.speed(3)

    def speed(self, batches: int) -> float:
        """Images per second."""
        from engine.common.position import Position
        from engine.hardware.precision import set_tf32
        from tests.benchmarks.engine import synchronise

        set_tf32(self._tf32)
        synchronise(self._run.device)
        began = time.perf_counter()
        for _ in range(batches):
            if self._loop.at_epochs_end:
                self._run.position = Position(epoch=self._run.position.epoch + 1)
            self._loop.batch()
        synchronise(self._run.device)
        set_tf32(False)
        return batches * self._run.recipe.data.batch_size / (time.perf_counter() - began)


def compared(one: Callable[[int], float], other: Callable[[int], float], size: Size) -> float:
    """The median ratio of two speeds, measured in turn."""
    from tests.benchmarks.live_run import interleaved
    from tests.benchmarks.workers import median_ratio

    batches = max(1, round(size.seconds * other(3) / 128))
    return median_ratio(list(interleaved(lambda: one(batches), lambda: other(batches), size.pairs)))


def contiguous(loop: BareLoop) -> Callable[[int], float]:
    """The speed of ``loop`` with contiguous weights and images, instead of channels last."""
    import torch

    loop.model.to(memory_format=torch.contiguous_format)
    loop.x = loop.x.contiguous()
    loop.speed(3)
    return loop.speed


def searching(loop: BareLoop) -> Callable[[int], float]:
    """The speed of ``loop`` with cuDNN's fastest algorithms, which need not be deterministic."""
    import torch

    from engine.hardware.devices import prepare

    def measured(batches: int) -> float:
        torch.backends.cudnn.benchmark, torch.backends.cudnn.deterministic = True, False
        torch.set_deterministic_debug_mode("default")
        try:
            loop.speed(1)
            return loop.speed(batches)
        finally:
            prepare(loop.device)

    measured(3)
    return measured


def checkpoint(device: str, size: Size) -> Iterator[Row]:
    """How long a checkpoint holds training up."""
    from tests.benchmarks.checkpoint import checkpoint_stall

    yield from checkpoint_stall(device, size.network, 4 if size is FULL else 1)


def window(device: str, size: Size) -> Iterator[Row]:
    """Training with the window over training without it."""
    from tests.benchmarks.window import cost_of

    with tempfile.TemporaryDirectory(prefix="tiller-benchmark-") as folder:
        recipe = recipe_for(device, data_root(folder, size), "small_cnn")
        yield from cost_of("MNIST", recipe, 938 if size is FULL else 2, size.pairs)


PARTS: Final[dict[str, Callable[[str, Size], Iterator[Row]]]] = {
    "tests": tests,
    "run": run,
    "speed": speed,
    "memory": memory,
    "choices": choices,
    "checkpoint": checkpoint,
    "window": window,
}


def show(part: str, device: str, size: Size) -> None:
    """Print each row of a part as a line of JSON, as soon as it is known."""
    for found in PARTS[part](device, size):
        value = found["value"]
        print(json.dumps({**found, "value": None if math.isnan(value) else value}), flush=True)


if __name__ == "__main__":
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    program.prepare()
    show(sys.argv[1], sys.argv[2], TINY if "--tiny" in sys.argv[3:] else FULL)
