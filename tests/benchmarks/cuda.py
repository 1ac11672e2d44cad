"""Everything that has to be known about a GPU, within six minutes: its tests, speed, memory and the window's cost.

Each part is a process with a time limit of its own (``tests.benchmarks.cuda_parts``), so that one that fails, hangs or
crashes the driver does not hide the others; what it measured before is kept.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO, Final, NamedTuple

from tests.benchmarks.live_run import Row

TOTAL: Final = 345.0
"""Seconds for all parts; starting them and looking for the GPU takes a few more."""
_LEAST: Final = 5.0


class Part(NamedTuple):
    """A part: its name in ``cuda_parts.PARTS``, and the seconds after which it is stopped."""

    name: str
    seconds: float


PARTS: Final = (
    Part("run", 40),
    Part("speed", 80),
    Part("tests", 120),
    Part("memory", 30),
    Part("choices", 60),
    Part("checkpoint", 25),
    Part("window", 60),
)


def on_a_gpu() -> Iterator[Row]:
    """Run every part on the first GPU; without one, say so."""
    import torch

    if not torch.cuda.is_available():
        yield {"what": "skipped: PyTorch found no CUDA GPU", "value": float("nan"), "unit": ""}
        return
    device = torch.cuda.get_device_properties(0)
    yield {
        "what": f"{device.name}, PyTorch {torch.__version__}, CUDA {torch.version.cuda}",
        "value": device.total_memory / 2**30,
        "unit": "GiB",
    }
    yield from run_parts(PARTS, TOTAL, lambda part: part_command(part.name, "cuda:0"))


def part_command(name: str, device: str) -> list[str]:
    """The command of a part."""
    return [sys.executable, "-m", "tests.benchmarks.cuda_parts", name, device]


def run_parts(parts: Sequence[Part], total: float, command: Callable[[Part], Sequence[str]]) -> Iterator[Row]:
    """Run the parts one after the other, within ``total`` seconds; each row says which part it is of."""
    end = time.monotonic() + total
    for part in parts:
        began = time.monotonic()
        seconds = min(part.seconds, end - began)
        rows = rows_of(command(part), seconds) if seconds >= _LEAST else [failed("no time was left for it")]
        for row in rows:
            yield {**row, "what": f"{part.name}: {row['what']}", "part": part.name}
        yield {"what": f"{part.name}: time", "value": time.monotonic() - began, "unit": "s", "part": part.name}


def failed(why: str, details: str = "") -> Row:
    """A row for what could not be measured."""
    return {"what": f"FAILED: {why}", "value": float("nan"), "unit": "", "failed": True, "details": details}


def rows_of(command: Sequence[str], seconds: float) -> Iterator[Row]:
    """The rows that a process prints as lines of JSON, until it ends or is stopped after so many ``seconds``."""
    deadline = time.monotonic() + seconds
    lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as errors:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            encoding="utf-8",
            errors="replace",
            cwd=Path(__file__).parents[2],
            start_new_session=True,
        )

        def read() -> None:
            assert process.stdout is not None
            with process.stdout:
                for line in process.stdout:
                    lines.put(line)
            lines.put(None)

        reader = threading.Thread(target=read, name="rows", daemon=True)
        reader.start()
        try:
            while (line := lines.get(timeout=max(0.0, deadline - time.monotonic()))) is not None:
                try:
                    row = json.loads(line)
                except ValueError:  # a library printed it
                    continue
                yield {**row, "value": float("nan") if row["value"] is None else row["value"]}
            status = process.wait(timeout=max(1.0, deadline - time.monotonic()))
            if status != 0:
                yield failed(f"it ended with status {status}", _end_of(errors))
        except (queue.Empty, subprocess.TimeoutExpired):
            yield failed(f"it was stopped after {seconds:.3g} s", _end_of(errors))
        finally:
            _stop(process)
            reader.join(1.0)


def _end_of(file: IO[str]) -> str:
    file.seek(0)
    return "".join(file.readlines()[-20:])


def _stop(process: subprocess.Popen[str]) -> None:
    """End the process and those that it started."""
    with contextlib.suppress(ProcessLookupError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)  # its group, which it leads
        else:
            process.kill()
    process.wait()
