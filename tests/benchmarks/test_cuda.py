"""The ``cuda`` benchmark, as far as it can be tried on a CPU: its limits, and its parts with tiny sizes."""

from __future__ import annotations

import json
import math
import sys
import time
from collections.abc import Generator
from pathlib import Path

import pytest
import torch

from tests.benchmarks import cuda, cuda_parts
from tests.benchmarks.__main__ import main
from tests.benchmarks.cuda import Part, rows_of, run_parts
from tests.benchmarks.cuda_parts import TINY, data_root, needs_gpu, outcome_of
from tests.benchmarks.live_run import Row
from tests.engine.running import SECONDS

GOOD = 'print(\'{"what": "speed", "value": 2.5, "unit": "images/s"}\', flush=True)'


@pytest.fixture(autouse=True)
def without_mnist(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TILLER_TEST_DATA", raising=False)


def python(code: str) -> list[str]:
    return [sys.executable, "-S", "-c", code]


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_without_a_gpu_it_says_so_and_succeeds(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "new" / "lines.jsonl"
    assert main(["cuda", "--json", str(file)]) == 0
    _, row = map(json.loads, file.read_text().splitlines())
    assert (row["benchmark"], row["what"], row["value"]) == ("cuda", "skipped: PyTorch found no CUDA GPU", None)
    assert "skipped: PyTorch found no CUDA GPU" in capsys.readouterr().err


def test_a_failed_row_makes_the_exit_status_1(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows: list[Row] = [{"what": "one", "value": 1.0, "unit": ""}, cuda.failed("why")]
    monkeypatch.setitem(sys.modules["tests.benchmarks.__main__"].__dict__["BENCHMARKS"], "cuda", lambda: iter(rows))
    assert main(["cuda", "--json", str(tmp_path / "lines.jsonl")]) == 1
    assert len((tmp_path / "lines.jsonl").read_text().splitlines()) == 3


def test_everything_fits_into_six_minutes() -> None:
    assert cuda.TOTAL <= 350
    assert {part.name for part in cuda.PARTS} == cuda_parts.PARTS.keys()
    # so that parts that use up all of their time leave some for those after them
    assert sum(part.seconds for part in cuda.PARTS[:-2]) < cuda.TOTAL


def test_what_a_part_measured_before_it_failed_is_kept() -> None:
    code = f"import sys\n{GOOD}\nprint('from a library')\nprint('the reason', file=sys.stderr)\nsys.exit(3)"
    row, failure = rows_of(python(code), 20)
    assert (row["what"], row["value"]) == ("speed", 2.5)
    assert (failure["what"], failure["failed"]) == ("FAILED: it ended with status 3", True)
    assert "the reason" in failure["details"]


def test_a_part_that_hangs_is_stopped() -> None:
    (failure,) = rows_of(python("import time\ntime.sleep(600)"), 0.2)
    assert (failure["what"], failure["failed"]) == ("FAILED: it was stopped after 0.2 s", True)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no process groups")
def test_the_processes_that_a_part_started_are_stopped_with_it(tmp_path: Path) -> None:
    import fcntl

    held = tmp_path / "held"
    holds = f"import fcntl, time\nfile = open({str(held)!r}, 'w')\nfcntl.flock(file, fcntl.LOCK_EX)"
    child = f"{holds}\n{GOOD}\ntime.sleep(600)"
    rows = rows_of(python(f"import subprocess, sys\nsubprocess.run([sys.executable, '-S', '-c', {child!r}])"), SECONDS)
    assert next(rows)["what"] == "speed"
    assert isinstance(rows, Generator)
    rows.close()
    end = time.monotonic() + SECONDS
    with held.open() as file:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except OSError:
                assert time.monotonic() < end, "the process still runs"
                time.sleep(0.01)


def test_a_part_that_fails_does_not_hide_the_others() -> None:
    codes = {"bad": "raise SystemExit(1)", "good": GOOD}
    found = list(run_parts([Part("bad", 20), Part("good", 20)], 60, lambda part: python(codes[part.name])))
    assert [row["what"] for row in found] == [
        "bad: FAILED: it ended with status 1",
        "bad: time",
        "good: speed",
        "good: time",
    ]


def test_a_part_for_which_no_time_is_left_is_not_started() -> None:
    found = list(run_parts([Part("late", 20)], 1, lambda part: python("raise AssertionError")))
    assert [row["what"] for row in found] == ["late: FAILED: no time was left for it", "late: time"]


@pytest.mark.parametrize("part", ["speed", "memory", "choices", "checkpoint"])
def test_a_part_measures_on_the_cpu(part: str) -> None:
    found = list(cuda_parts.PARTS[part]("cpu", TINY))
    assert found
    assert not any(row.get("failed") for row in found)
    if part != "memory":  # which is known of a GPU only
        assert all(math.isfinite(row["value"]) for row in found)
    if part in ("speed", "choices"):
        assert all(row["value"] > 0 for row in found)


def test_rows_are_printed_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    cuda_parts.show("memory", "cpu", TINY)
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {row["value"] for row in rows} == {None}


def test_random_images_take_mnists_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert data_root(str(tmp_path), TINY) == str(tmp_path)
    assert len(list((tmp_path / "MNIST" / "raw").iterdir())) == 4
    monkeypatch.setenv("TILLER_TEST_DATA", str(tmp_path))
    assert data_root("unused", TINY) == str(tmp_path)


@pytest.mark.parametrize(
    ("line", "outcome"),
    [
        (
            "[gw1] [ 50%] PASSED tests/a.py::test_b[cuda-on the host] ",
            ("PASSED", "tests/a.py::test_b[cuda-on the host]"),
        ),
        ("[gw0] [100%] FAILED tests/a.py::test_b \n", ("FAILED", "tests/a.py::test_b")),
        (
            "tests/a.py::test_b[at the first step] SKIPPED (no GPU) [ 2%]",
            ("SKIPPED", "tests/a.py::test_b[at the first step]"),
        ),
        ("tests/a.py::test_b ERROR       [100%]", ("ERROR", "tests/a.py::test_b")),
        ("FAILED tests/a.py::test_b - AssertionError: PASSED", None),
        ("SKIPPED [24] tests/a.py:51: there is no NVIDIA GPU", None),
        ("tests/a.py::test_b ", None),
        ("===== 1 failed, 3 passed in 2.1s =====", None),
    ],
)
def test_the_outcome_of_a_test_is_read_from_pytests_output(line: str, outcome: tuple[str, str] | None) -> None:
    assert outcome_of(line) == outcome


def test_the_tests_that_need_a_gpu_are_found() -> None:
    files = {path.name for path in (Path(__file__).parents[1]).rglob("test_*.py") if needs_gpu(path.read_text("utf-8"))}
    assert {"test_exactness.py", "test_guard.py", "test_step.py", "test_transfer.py"} <= files
    assert "test_download.py" not in files


@pytest.mark.slow
def test_the_results_of_tests_are_counted_and_failures_named(tmp_path: Path) -> None:
    file = tmp_path / "test_it.py"
    file.write_text(
        "import pytest\ndef test_a(): pass\ndef test_b(): assert 0\n@pytest.mark.skip\ndef test_c(): pass\n"
    )
    rows = list(cuda_parts.test_results([str(file)]))
    failure, end = (row["what"] for row in rows if row.get("failed"))
    assert (failure.rpartition("/")[2], end) == ("test_it.py::test_b", "FAILED: pytest ended with status 1")
    assert "assert 0" in rows[-1]["details"]
    assert {row["what"]: row["value"] for row in rows if not row.get("failed")} == {
        "passed": 1,
        "failed": 1,
        "error": 0,
        "skipped": 1,
    }


@pytest.mark.slow
@pytest.mark.parametrize("part", ["run", "window"])
def test_a_part_that_starts_processes_measures_on_the_cpu(part: str) -> None:
    rows = list(cuda_parts.PARTS[part]("cpu", TINY))
    assert rows
    assert not any(row.get("failed") for row in rows)
