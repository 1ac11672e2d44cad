"""Run benchmarks: ``python -m tests.benchmarks [NAME ...]`` prints results as lines of JSON, and a table at the end."""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import sys
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from tests.benchmarks import (
    checkpoint,
    engine,
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
}
LONG = 1_000_000


def main() -> int:
    """Run the benchmarks named on the command line, or all."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*BENCHMARKS, []], metavar="NAME", help=", ".join(BENCHMARKS))
    parser.add_argument("--long", action="store_true", help=f"growth up to step {LONG:,}, which takes half an hour")
    options = parser.parse_args()
    if options.long:
        BENCHMARKS["growth"] = partial(growth.time_and_memory, LONG)
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
    machine = {"machine": platform.machine(), "python": platform.python_version(), "cpus": os.cpu_count()}
    print(json.dumps({**machine, "load": load}))
    rows = []
    for name in options.names or list(BENCHMARKS):
        for row in BENCHMARKS[name]():
            rows.append({"benchmark": name, **row})
            known = {key: None if isinstance(v, float) and math.isnan(v) else v for key, v in rows[-1].items()}
            print(json.dumps(known), flush=True)
    width = max(len(str(row["what"])) for row in rows)
    for row in rows:
        value = "" if math.isnan(row["value"]) else f"{row['value']:.4g}"
        print(f"{row['benchmark']:<13} {row['what']:<{width}}  {value:>10} {row['unit']}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
