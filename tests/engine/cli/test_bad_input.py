"""Whatever is given to a command, it ends with one short line and exit status 2, and never with a traceback."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import main
from engine.cli.subcommands import _signals, exit_status
from engine.library import Library
from engine.messages.commands import Resume
from engine.training.job import Job
from tests.engine.running import MAIN, Live, library_at, recipe, run

LONG = "x" * 300


def written(folder: Path, **changes: Any) -> str:
    """A recipe file with changes such as ``model__name``."""
    data = json.loads(recipe().to_json())
    for key, value in changes.items():
        part, _, field = key.partition("__")
        data[part] = {**data[part], field: value} if field else value
    file = folder / "recipe.json"
    file.write_text(json.dumps(data))
    return str(file)


ARGUMENTS: dict[str, list[str]] = {
    "no checkpoint or run": ["train", "--resume", ""],
    "a long checkpoint": ["train", "--resume", LONG],
    "an unknown home": ["train", "--resume", "~no-such-user/x.tiller"],
    "no commands file": ["train", "--commands", ""],
    "a long commands file": ["train", "--commands", LONG],
    "no library": ["train", "--library", ""],
    "a long library": ["train", "--library", LONG],
    "a long library to list": ["runs", "--library", LONG],
    "a long recipe": ["lr", LONG],
    "an empty recipe": ["code", ""],
    "a recipe without an end": ["lr", "/dev/zero"],
    "commands without an end": ["train", "--commands", "/dev/zero"],
    "an empty run": ["export", "", "folder"],
    "a long folder": ["export", "RUN", LONG],
    "a long option": ["train", "--epochs", "9" * 100_000],
}


@pytest.mark.parametrize("name", ARGUMENTS)
def test_arguments_that_cannot_be_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    words = ARGUMENTS[name]
    with library_at(tmp_path / "library") as library:
        if "RUN" in words:
            run(Job(recipe=recipe()), library)
            words = [library.runs()[0].id if word == "RUN" else word for word in words]
    if "--library" not in words and words[0] in ("train", "export", "runs"):
        words = [*words, "--library", "library"]
    assert main.main(words) == 2
    err = capfd.readouterr().err
    assert err.count("\n") == 1
    assert 10 < len(err) < 1000


FIELDS: dict[str, dict[str, Any]] = {
    "a long root": {"data__root": LONG, "data__name": "mnist"},
    "a root with a NUL": {"data__root": "a\0b", "data__name": "mnist"},
    "a root of an unknown user": {"data__root": "~no-such-user/x", "data__name": "mnist"},
    "a long network file": {"model__name": f"{LONG}.py:f"},
    "a network file with a NUL": {"model__name": "a\0b.py:f"},
    "an endless name": {"model__name": "x" * 10_000_000},
    "an endless key": {"x" * 10_000_000: 1},
    "an endless number": {"epochs": 10**4000},
    "an endless text": {"device": "x" * 10_000_000},
}


@pytest.mark.parametrize("command", ["train", "lr"])
@pytest.mark.parametrize("name", FIELDS)
def test_a_recipe_that_cannot_be_used(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], name: str, command: str
) -> None:
    file = written(tmp_path, **FIELDS[name])
    words = [command, file, *(["--library", str(tmp_path / "library")] if command == "train" else [])]
    status = main.main(words)
    err = capfd.readouterr().err
    if command == "lr" and status == 0:
        assert name.startswith(("a long root", "a root of"))  # which needs no data
        return
    assert status == 2
    assert err.count("\n") == 1
    assert 10 < len(err) < 2500


@pytest.mark.parametrize("words", [["runs"], ["lr"], ["code"], ["doctor"], ["train"], ["--help"], ["export"]], ids=str)
def test_a_full_disk_under_standard_output(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], words: list[str]
) -> None:
    with library_at(tmp_path / "library") as library:
        run(Job(recipe=recipe(epochs=1)), library)
        known = library.runs()[0].id
    if words[0] in ("lr", "code", "train"):
        words = [*words, written(tmp_path, epochs=1)]
    if words[0] == "export":
        words = [*words, known, str(tmp_path / "out")]
    if words[0] in ("runs", "train", "export"):
        words = [*words, "--library", str(tmp_path / "library")]
    with open("/dev/full", "w") as full:  # noqa: PTH123
        monkeypatch.setattr(sys, "stdout", full)
        assert main.main(words) == 2
    err = capfd.readouterr().err
    assert err.startswith("standard output: cannot be ")
    assert "No space left on device" in err
    assert err.count("\n") == 1


def test_no_standard_output(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    assert main.main(["runs"]) == 2
    assert capfd.readouterr().err == "standard output: is closed\n"


@pytest.mark.slow
@pytest.mark.parametrize("closed", ["<&- >&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_descriptors_are_not_taken_by_files(tmp_path: Path, closed: str) -> None:
    words = f"{sys.executable} {MAIN} train {written(tmp_path, epochs=1)} --library {tmp_path / 'library'} {closed}"
    done = subprocess.run(["bash", "-c", words], capture_output=True, text=True)
    assert done.returncode == (0 if closed == "2>&-" else 2)
    assert "Traceback" not in done.stderr
    assert all(line.startswith("{") for line in done.stdout.splitlines())


@pytest.mark.parametrize("module", ["argparse", "pydantic"])
def test_ctrl_c_while_it_starts_ends_it_without_a_word(tmp_path: Path, module: str) -> None:
    """The module that is imported then is replaced by one that sends the signal."""
    (tmp_path / f"{module}.py").write_text(
        "import os, signal, time\nos.kill(os.getpid(), signal.SIGINT)\ntime.sleep(60)\n"
    )
    done = subprocess.run(
        [sys.executable, str(MAIN), "runs"],
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout, done.stderr) == (-signal.SIGINT, "", "")


# -- the end of a run


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_each_signal_that_asks_to_leave_stops_the_run(name: str) -> None:
    number = signal.Signals[name]
    kept = signal.signal(number, signal.default_int_handler)
    stops: list[bool] = []
    try:
        with _signals(lambda: stops.append(True)):
            os.kill(os.getpid(), number)
    finally:
        signal.signal(number, kept)
    assert stops == [True]


def test_a_hangup_that_is_ignored_stays_ignored() -> None:
    """As under nohup."""
    kept = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with _signals(lambda: pytest.fail("it was to go on")):
            os.kill(os.getpid(), signal.SIGHUP)
    finally:
        signal.signal(signal.SIGHUP, kept)


@contextmanager
def small_files() -> Iterator[None]:
    """No file may grow beyond 2 kB, as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2000, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_run_whose_end_was_not_saved_says_so_and_exits_with_1(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    library = Library(tmp_path)
    with small_files():
        end = run(Job(recipe=recipe()), library).end
    library.close()
    assert (end.reason, end.checkpoint) == ("finished", None)
    assert end.as_json()["unsaved"] == end.unsaved
    assert "larger than this disk or process allows" in str(end.unsaved)
    capfd.readouterr()
    assert exit_status(end) == 1
    assert capfd.readouterr().err == f"the last checkpoint could not be written: {end.unsaved}\n"


def test_a_run_whose_end_was_saved_after_all_exits_with_0(tmp_path: Path) -> None:
    with library_at(tmp_path) as library, Live(Job(recipe=recipe(), begin=False), library) as live:
        with small_files():
            live.pause_at(2, 1)
            library.flush()
        live.trainer.post(Resume())
        end = live.finish()
    assert any("could not be saved" in event.text for event in live.events.of("warning"))
    assert (end.reason, end.unsaved, exit_status(end)) == ("finished", None, 0)
