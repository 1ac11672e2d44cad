"""Run benchmarks: ``python -m tests.benchmarks [NAME ...]`` prints results as lines of JSON, and a table at the end."""

from __future__ import annotations

import argparse
import math
import os
import platform
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from engine.messages.printing import line
from tests.benchmarks import (
    checkpoint,
    cuda,
    engine,
    finder,
    growth,
    interventions,
    peers,
    plots,
    precision,
    start,
    threads,
    window,
)

BENCHMARKS: dict[str, Callable[[], Iterator[dict[str, Any]]]] = {
    "engine": engine.engine_against_bare_loop,
    "batches": engine.batches_against_training,
    "peers": peers.against_peers,
    "bfloat16": engine.bfloat16_against_float32,
    "threads": threads.second_thread,
    "precision": precision.choices_against_defaults,
    "window": window.window_cost,
    "interventions": interventions.command_to_applied_lr,
    "start": start.command_to_window,
    "points": plots.pan_and_zoom,
    "checkpoint": checkpoint.checkpoint_stall,
    "growth": growth.time_and_memory,
    "finder": finder.suggestions_against_grid,
    "cuda": cuda.on_a_gpu,
}
LONG = 1_000_000
LINES = Path(__file__).parents[2] / "build" / "benchmarks.jsonl"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmarks named in ``arguments`` or on the command line, or all. Returns 1 where something failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*BENCHMARKS, []], metavar="NAME", help=", ".join(BENCHMARKS))
    parser.add_argument("--long", action="store_true", help=f"growth up to step {LONG:,}, which takes half an hour")
    parser.add_argument(
        "--json", metavar="FILE", type=Path, help="where the lines are also written (default: build/benchmarks.jsonl)"
    )
    options = parser.parse_args(arguments)
    if options.long:
        BENCHMARKS["growth"] = partial(growth.time_and_memory, LONG)
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
    machine = {"machine": platform.machine(), "python": platform.python_version(), "cpus": os.cpu_count()}
    lines: Path = options.json or LINES
    lines.parent.mkdir(parents=True, exist_ok=True)
    rows = []
    with lines.open("w", encoding="utf-8") as file:

        def show(data: dict[str, Any]) -> None:
            text = line(data)
            print(text, flush=True)
            print(text, file=file, flush=True)

        show({**machine, "load": load})
        for name in options.names or list(BENCHMARKS):
            for row in BENCHMARKS[name]():
                rows.append({"benchmark": name, **row})
                show(rows[-1])
    width = max(len(str(row["what"])) for row in rows)
    for row in rows:
        value = "" if math.isnan(row["value"]) else f"{row['value']:.4g}"
        print(f"{row['benchmark']:<13} {row['what']:<{width}}  {value:>10} {row['unit']}", file=sys.stderr)
    return int(any(row.get("failed") for row in rows))


if __name__ == "__main__":
    sys.exit(main())
