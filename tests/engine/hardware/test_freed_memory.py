"""Freed memory is kept for the next batch if the C library can, and returned on request."""

from __future__ import annotations

import platform
import subprocess
import sys
from pathlib import Path

import pytest

from tests.engine.running import MAIN

pytestmark = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library")

PROBE = """
import resource
import sys
import threading
from engine.hardware import freed_memory

if "keep" in sys.argv:
    assert freed_memory.keep()

def faults(pieces):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(10):
        held = [bytearray(size) for size in pieces]
        del held
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

def resident():
    return int(open("/proc/self/statm").read().split()[1]) * 4096

def work():
    pieces = [40_000_000, 100_000_000, 3_000_000]
    faults(pieces)
    print(faults(pieces))
    before = resident()
    freed_memory.give_back()
    print(before - resident())

thread = threading.Thread(target=work)  # as a run has one
thread.start()
thread.join()
"""


def probe(*words: str) -> tuple[int, int]:
    """Page faults of taking 143 MB ten times over, and the bytes that were given back at the end."""
    root = Path(MAIN).parent
    done = subprocess.run([sys.executable, "-c", PROBE, *words], capture_output=True, text=True, check=True, cwd=root)
    faults, given_back = map(int, done.stdout.split())
    return faults, given_back


def test_freed_memory_is_reused_by_the_next_batch() -> None:
    plain, _ = probe()
    kept, given_back = probe("keep")
    assert plain > 10_000
    assert kept < 100
    assert given_back > 130_000_000
