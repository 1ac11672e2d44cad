"""``python -m tests.benchmarks [NAME ...]``: each figure as a line of JSON, and a table at the end."""

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
    checkpoints,
    engine_speed,
    growth,
    intervention_latency,
    long_plots,
    peers,
    precisions,
    start_up,
    threads,
    window_cost,
)

BENCHMARKS: dict[str, Callable[[], Iterator[dict[str, Any]]]] = {
    "engine": engine_speed.engine_against_bare_loop,
    "batches": engine_speed.batches_alone,
    "peers": peers.against_peers,
    "bfloat16": engine_speed.bfloat16_against_float32,
    "threads": threads.second_thread,
    "precision": precisions.what_each_choice_brings,
    "window": window_cost.window_against_headless,
    "interventions": intervention_latency.command_to_rate_in_force,
    "start": start_up.command_to_window,
    "points": long_plots.pan_and_zoom,
    "checkpoint": checkpoints.checkpoint_stall,
    "growth": growth.time_and_memory,
}
LONG = 1_000_000


def main() -> int:
    """Run the benchmarks that are named, or all."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*BENCHMARKS, []], metavar="NAME", help=", ".join(BENCHMARKS))
    parser.add_argument("--long", action="store_true", help=f"growth up to step {LONG:,}: half an hour and more")
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
        print(f"{row['benchmark']:<9} {row['what']:<{width}}  {value:>10} {row['unit']}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
