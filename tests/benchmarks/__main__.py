"""``python -m tests.benchmarks [NAME ...]``: each figure as a line of JSON, and a table at the end."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from collections.abc import Callable, Iterator
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as main.py does, before PyTorch comes
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from tests.benchmarks import engine_speed, snapshots, start_up, window_cost

BENCHMARKS: dict[str, Callable[[], Iterator[dict[str, Any]]]] = {
    "engine": engine_speed.engine_against_bare_loop,
    "batches": engine_speed.batches_alone,
    "bfloat16": engine_speed.bfloat16_against_float32,
    "snapshot": snapshots.snapshot_stall,
    "window": window_cost.window_against_headless,
    "start": start_up.command_to_window,
}


def main() -> int:
    """Run the benchmarks that are named, or all."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*BENCHMARKS, []], metavar="NAME", help=", ".join(BENCHMARKS))
    names = parser.parse_args().names or list(BENCHMARKS)
    print(json.dumps({"machine": platform.machine(), "python": platform.python_version(), "cpus": os.cpu_count()}))
    rows = []
    for name in names:
        for row in BENCHMARKS[name]():
            rows.append({"benchmark": name, **row})
            print(json.dumps(rows[-1]), flush=True)
    width = max(len(str(row["what"])) for row in rows)
    for row in rows:
        print(f"{row['benchmark']:<9} {row['what']:<{width}}  {row['value']:>10.4g} {row['unit']}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
