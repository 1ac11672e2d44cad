"""Setup of every test: no display, no folders of the user, repeatable examples, no thread left running."""

from __future__ import annotations

import itertools
import os
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest
from hypothesis.configuration import set_hypothesis_home_dir

os.environ["QT_QPA_PLATFORM"] = "offscreen"  # before anything imports Qt
os.environ["OMP_NUM_THREADS"] = "1"  # for processes that tests start, several at once

_scratch = tempfile.TemporaryDirectory(prefix="tiller-tests-")
_numbers = itertools.count()
# Also outside a test (imports, session fixtures), so that the user's library and settings are never used.
os.environ["TILLER_LIBRARY"] = str(Path(_scratch.name) / "library")
os.environ["TILLER_SETTINGS"] = str(Path(_scratch.name) / "settings")

set_hypothesis_home_dir(Path(_scratch.name) / "hypothesis")
hypothesis.settings.register_profile("tiller", deadline=None, derandomize=True, database=None)
hypothesis.settings.load_profile("tiller")

THREAD_GRACE_SECONDS = 30.0


def pytest_unconfigure() -> None:
    _scratch.cleanup()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip tests that need an NVIDIA GPU where there is none."""
    marked = [item for item in items if item.get_closest_marker("cuda")]
    if not marked:
        return
    import torch  # which takes seconds

    if not torch.cuda.is_available():
        for item in marked:
            item.add_marker(pytest.mark.skip(reason="there is no NVIDIA GPU"))


@pytest.fixture(autouse=True)
def own_folders(monkeypatch: pytest.MonkeyPatch) -> Path:
    """A library and settings for this test only; the folders do not exist yet."""
    folder = Path(_scratch.name) / f"test-{next(_numbers)}"
    monkeypatch.setenv("TILLER_LIBRARY", str(folder / "library"))
    monkeypatch.setenv("TILLER_SETTINGS", str(folder / "settings"))
    return folder


@pytest.fixture(autouse=True)
def one_torch_thread() -> None:
    """Set torch to one thread, if a test has imported it."""
    set_num_threads = getattr(sys.modules.get("torch"), "set_num_threads", None)
    if set_num_threads is not None:
        set_num_threads(1)


@pytest.fixture(autouse=True)
def no_thread_left_behind() -> Iterator[None]:
    """Fail a test that leaves a thread running, which would keep the program from ending."""
    before = set(threading.enumerate())
    yield
    left = [t for t in threading.enumerate() if t not in before and not t.daemon]
    for thread in left:
        thread.join(THREAD_GRACE_SECONDS)
    names = [t.name for t in left if t.is_alive()]
    if names:
        pytest.fail(f"threads left running: {', '.join(names)}")
