"""Output in any encoding: names with any characters are printed, and what is printed can be read again."""

from __future__ import annotations

import ast
import io
import json
from pathlib import Path
from typing import Any

import pytest

import main
from tests.engine.running import NETWORKS, commands_text, recipe_dict

NAME = "сеть 网络 €"
GROUPS = [{"name": NAME, "modules": ["head"]}]


class Terminal(io.TextIOWrapper):
    def isatty(self) -> bool:
        return True


class Streams:
    """Standard output and standard error of ``main.main`` in an encoding, as files or as terminals."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, encoding: str, kind: type[io.TextIOWrapper]):
        self._files = [folder / "stdout", folder / "stderr"]
        self._encoding, self._kind, self._monkeypatch = encoding, kind, monkeypatch

    def __call__(self, *arguments: str) -> tuple[int, bytes, bytes]:
        out_path, err_path = self._files
        with (
            self._monkeypatch.context() as patch,
            self._kind(out_path.open("wb"), encoding=self._encoding) as stdout,
            self._kind(err_path.open("wb"), encoding=self._encoding) as stderr,
        ):
            patch.setattr("sys.stdout", stdout)
            patch.setattr("sys.stderr", stderr)
            status = main.main(arguments)
        return status, out_path.read_bytes(), err_path.read_bytes()


@pytest.fixture(params=["cp1252", "ascii", "utf-8"])
def encoding(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.delenv("PYTHONIOENCODING", raising=False)
    chosen: str = request.param
    return chosen


@pytest.fixture
def terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, encoding: str) -> Streams:
    return Streams(tmp_path, monkeypatch, encoding, Terminal)


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, encoding: str) -> Streams:
    return Streams(tmp_path, monkeypatch, encoding, io.TextIOWrapper)


def recipe(folder: Path, **changes: Any) -> str:
    """A recipe whose network is in a file with characters that few encodings have."""
    network = folder / f"{NAME}.py"
    network.write_bytes(NETWORKS.read_bytes())
    path = folder / f"{NAME}.json"
    path.write_text(json.dumps({**recipe_dict(), "model": {"name": f"{network}:tiny"}, "groups": GROUPS, **changes}))
    return str(path)


def strings(source: bytes, encoding: str) -> list[str]:
    """The string literals of Python source."""
    nodes = ast.walk(ast.parse(source.decode(encoding)))
    return [node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)]


def test_code_on_a_terminal_means_the_same_in_every_encoding(terminal: Streams, encoding: str, tmp_path: Path) -> None:
    status, out, err = terminal("code", recipe(tmp_path))
    assert (status, err) == (0, b"")
    assert NAME in strings(out, encoding)


def test_code_in_a_file_is_utf8_as_python_reads_it(file: Streams, tmp_path: Path) -> None:
    status, out, err = file("code", recipe(tmp_path))
    assert (status, err) == (0, b"")
    assert NAME in out.decode("utf-8")
    assert NAME in strings(out, "utf-8")


def test_events_and_runs_are_ascii(terminal: Streams, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    library = str(tmp_path / NAME)
    path, commands = recipe(tmp_path, epochs=1), tmp_path / "commands.jsonl"
    saved = str(tmp_path / f"{NAME}.tiller")
    commands.write_text(commands_text({"at": {"epoch": 1}, "command": "save", "path": saved}))
    status, out, err = terminal("train", path, "--commands", str(commands), "--library", library)
    assert (status, err) == (0, b"")
    events = [json.loads(line) for line in out.decode("ascii").splitlines()]
    assert NAME in events[0]["recipe"]["model"]["name"]
    assert events[0]["groups"] == ["rest", NAME]
    assert saved in [event["path"] for event in events if event["event"] == "saved"]
    status, out, err = terminal("runs", "--library", library)
    assert (status, err) == (0, b"")
    assert [NAME in json.loads(line)["checkpoint"] for line in out.decode("ascii").splitlines()] == [True]


def test_doctor_names_every_folder(terminal: Streams, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TILLER_LIBRARY", str(tmp_path / NAME))
    status, out, err = terminal("doctor")
    assert (status, err) == (0, b"")
    found = {finding["check"]: finding["found"] for finding in map(json.loads, out.decode("ascii").splitlines())}
    assert NAME in found["library folder"]


def test_an_error_names_what_was_wrong_in_one_line(terminal: Streams, encoding: str, tmp_path: Path) -> None:
    missing = str(tmp_path / f"{NAME}.json")
    status, out, err = terminal("train", missing)
    assert (status, out) == (2, b"")
    (line,) = err.decode(encoding).splitlines()
    assert missing.encode(encoding, "backslashreplace").decode(encoding) in line


def test_a_name_that_is_not_text_is_printed(file: Streams) -> None:
    """Linux allows file names that are in no encoding; Python reads each such byte as a lone surrogate."""
    status, _, err = file("train", "caf\udce9.json")
    assert status == 2
    assert rb"caf\udce9.json" in err


def test_an_encoding_that_the_environment_asks_for_is_kept(
    file: Streams, encoding: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONIOENCODING", f"{encoding}:strict")
    status, out, _ = file("code", recipe(tmp_path))
    assert status == 0
    assert NAME.encode(encoding, "backslashreplace") in out
