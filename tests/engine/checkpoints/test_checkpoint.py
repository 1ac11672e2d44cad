"""Checkpoint files: verified before they are parsed, written whole or not at all, readable by plain PyTorch."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import json
import os
import pickle
import random
import resource
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from typing import Any

import pytest
import torch

from engine.checkpoints.checkpoint import environment, read, write
from engine.common.errors import CheckpointError
from engine.data.registry import load
from engine.messages.commands import Resume, Save
from engine.messages.events import Event, WarningEvent
from engine.recipe.recipe import DataSpec
from engine.training.job import Job
from engine.training.run_state import GrowingJSON, RunState
from tests.engine.checkpoints.bad_files import saved, sealed
from tests.engine.running import DEVICES, MAIN, Live, at, commands, recipe, run


def state(**changes: Any) -> RunState:
    changes.setdefault("device", "cpu")
    return RunState(recipe(**changes), load(DataSpec()), torch.device(changes["device"]))


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint from within an epoch."""
    file = tmp_path_factory.mktemp("good") / "good.tiller"
    run(Job(recipe=recipe(), lines=commands(at(2, 1, "scale_lr", factor=0.5), at(2, 1, "save", path=str(file)))))
    return file


def refusal(path: Path) -> str:
    with pytest.raises(CheckpointError) as error:
        read(path)
    text = str(error.value)
    assert text.startswith(f"checkpoint: {path} ")
    assert "\n" not in text
    return text


def test_plain_pytorch_reads_it(good: Path) -> None:
    content = torch.load(good, weights_only=True)
    assert content["model"].keys() == state().model.state_dict().keys()
    model = state().model
    model.load_state_dict(content["model"])
    assert sorted(content) == sorted(read(good))


def test_the_last_64_bytes_are_the_digest_of_those_before(good: Path) -> None:
    raw = good.read_bytes()
    assert raw[-64:].decode() == hashlib.sha256(raw[:-64]).hexdigest()
    with zipfile.ZipFile(good) as archive:
        assert archive.comment == raw[-64:]
        assert archive.testzip() is None


def test_one_flipped_bit_anywhere_is_found(good: Path, tmp_path: Path) -> None:
    raw, file = good.read_bytes(), tmp_path / "flipped.tiller"
    positions = {*range(64), *range(len(raw) - 200, len(raw)), *random.Random(0).sample(range(len(raw)), 300)}
    padding = raw.find(b"Z" * 8)  # with which PyTorch aligns tensors to 64 bytes
    assert padding > 0
    for position in sorted({*positions, *range(padding, padding + 8)}):
        damaged = bytearray(raw)
        damaged[position] ^= 1 << (position % 8)
        file.write_bytes(damaged)
        text = refusal(file)
        assert "is damaged: its checksum does not match" in text or (
            position < 4 and "is not a Tiller checkpoint" in text
        )


@pytest.mark.parametrize("length", [0, 1, 3, 64, 65, 500, -1, -64, -65])
def test_a_file_cut_short_is_found(good: Path, tmp_path: Path, length: int) -> None:
    file = tmp_path / "short.tiller"
    file.write_bytes(good.read_bytes()[:length])
    assert "is damaged" in refusal(file) or "too short" in refusal(file)


def test_appended_bytes_are_found(good: Path, tmp_path: Path) -> None:
    file = tmp_path / "long.tiller"
    file.write_bytes(good.read_bytes() + b"\n")
    assert "is damaged" in refusal(file)


class Payload:
    def __init__(self, command: str) -> None:
        self.command = command

    def __reduce__(self) -> Any:
        return os.system, (self.command,)


@pytest.mark.parametrize("where", ["alone", "within", "legacy", "bare"])
@pytest.mark.parametrize("digest", [False, True])
def test_a_hostile_pickle_is_refused_and_not_run(tmp_path: Path, where: str, digest: bool, good: Path) -> None:
    proof, file = tmp_path / "owned", tmp_path / "hostile.tiller"
    payload = Payload(f"touch {proof}")
    if where == "bare":
        raw = pickle.dumps(payload)
    elif where == "legacy":
        buffer = io.BytesIO()
        torch.save(payload, buffer, _use_new_zipfile_serialization=False)
        raw = buffer.getvalue()
    else:
        raw = saved(payload if where == "alone" else {**torch.load(good, weights_only=True), "history": payload})
    file.write_bytes(sealed(raw) if digest else raw)
    text = refusal(file)
    assert not proof.exists()
    if digest and where in ("alone", "within"):
        assert "contains more than data and was not loaded" in text


def zipped(**members: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def contents(good: Path) -> dict[str, Any]:
    content: dict[str, Any] = torch.load(good, weights_only=True)
    return content


FOREIGN: dict[str, bytes] = {
    "another program's": saved({"model": {}, "epoch": 3}),
    "a tensor": saved(torch.zeros(3)),
    "a plain zip": zipped(a=b"b"),
    "a zip that looks like PyTorch's": zipped(**{"archive/data.pkl": b"\x80\x02}q\x00.", "archive/version": b"3"}),
    "text": b"# Tiller\n" * 20,
    "another version's": saved({"format": 2}),
}


@pytest.mark.parametrize("digest", [False, True])
@pytest.mark.parametrize("kind", FOREIGN)
def test_a_foreign_file_is_refused_in_one_line(tmp_path: Path, kind: str, digest: bool) -> None:
    file = tmp_path / "foreign.tiller"
    file.write_bytes(sealed(FOREIGN[kind]) if digest else FOREIGN[kind])
    text = refusal(file)
    if digest and kind == "another version's":
        assert "was made by another version of Tiller (format 2, this one reads 1)" in text


@pytest.mark.parametrize(
    "key", ["model", "optimizer", "scaler", "lr", "random", "position", "interventions", "run", "environment"]
)
def test_a_file_that_lacks_a_key_is_refused(good: Path, tmp_path: Path, key: str) -> None:
    content, file = contents(good), tmp_path / "lacks.tiller"
    del content[key]
    file.write_bytes(sealed(saved(content)))
    assert f"is not a valid checkpoint: {key}: is required" in refusal(file)


@pytest.mark.parametrize(
    "changes",
    [
        {"model": {}},
        {"position": ["a", 2]},
        {"position": []},
        {"history": "no JSON"},
        {"history": '[{"epoch": 1}]'},
        {"lr": {"groups": 3}},
        {"optimizer": {"state": {}, "param_groups": []}},
        {"random": {"torch": torch.zeros(3), "cuda": None, "python": [], "numpy": []}},
        {"recipe": "{}"},
        {"environment": {"threads": -(10**30)}},
        {"run": {"id": "x", "name": "x", "parent": 3}},
    ],
    ids=str,
)
def test_wrong_content_under_a_matching_digest_ends_the_run_with_one_line(
    good: Path, tmp_path: Path, changes: dict[str, Any]
) -> None:
    file = tmp_path / "nonsense.tiller"
    file.write_bytes(sealed(saved({**contents(good), **changes})))
    end = run(Job(checkpoint=file)).end
    assert (end.reason, end.field, end.details) == ("failed", "checkpoint", None)
    assert str(end.text).startswith(str(file))
    assert "\n" not in str(end.text)


def test_random_content_under_a_matching_digest_is_at_worst_refused(good: Path, tmp_path: Path) -> None:
    raw, file, dice = good.read_bytes()[:-64], tmp_path / "fuzzed.tiller", random.Random(1)
    pickled = raw.find(b"\x80\x02}")
    for _ in range(150):
        damaged = bytearray(raw)
        for _ in range(3):
            damaged[dice.randrange(pickled, pickled + 3000)] = dice.randrange(256)
        file.write_bytes(bytes(damaged) + hashlib.sha256(damaged).hexdigest().encode())
        try:
            read(file)
        except CheckpointError as error:
            assert "\n" not in str(error)  # noqa: PT017 - some changes cannot be noticed


def test_a_folder_and_a_missing_file_are_reported(tmp_path: Path) -> None:
    assert "cannot be read: Is a directory" in refusal(tmp_path)
    assert "cannot be read: No such file or directory" in refusal(tmp_path / "no.tiller")


# -- what is captured


@pytest.mark.parametrize("device", DEVICES)
def test_a_capture_shares_no_memory_with_the_run(device: str) -> None:
    live = state(device=device, optimizer={"name": "Adam", "lr": 0.01})

    def step() -> None:
        x, y = live.batches.batch(1, 0)
        live.stepper.step(x, y, live.meter.sums)
        live.lr_control.epoch_done(None)

    def flat(value: Any) -> list[Any]:
        if isinstance(value, dict):
            return [part for item in value.values() for part in flat(item)]
        if isinstance(value, (list, tuple)):
            return [part for item in value for part in flat(item)]
        return [value.clone() if isinstance(value, torch.Tensor) else value]

    step()
    capture = live.capture()
    before = flat(capture)
    for _ in range(2):
        step()
        live.meter.add_lrs([0.5])
    assert all(
        torch.equal(a, b) if isinstance(a, torch.Tensor) else a == b for a, b in zip(flat(capture), before, strict=True)
    )
    assert not torch.equal(capture["model"]["head.weight"], live.model.state_dict()["head.weight"])
    live.restore(capture)
    step()
    live.restore(capture)  # what was restored does not share it either
    assert all(
        torch.equal(a, b) if isinstance(a, torch.Tensor) else a == b for a, b in zip(flat(capture), before, strict=True)
    )


def test_a_checkpoint_is_read_as_it_was_written(tmp_path: Path) -> None:
    live = state()
    capture = live.capture()
    whose = {"id": "a", "name": "b", "parent": None, "branch": None}
    content = {**capture, "run": whose, "environment": environment(capture)}
    write(content, tmp_path / "s.tiller")
    back = read(tmp_path / "s.tiller")
    assert {name: t.tolist() for name, t in back["model"].items()} == {
        name: t.tolist() for name, t in content["model"].items()
    }
    assert {**back, "model": 0, "meter": 0, "random": 0, "format": 0} == {
        **content,
        "model": 0,
        "meter": 0,
        "random": 0,
        "format": 0,
    }
    assert back["random"]["python"] == content["random"]["python"]
    assert oct((tmp_path / "s.tiller").stat().st_mode)[-3:] == "644"


# -- writing

WRITER = """
import sys, resource, signal, torch
from pathlib import Path
sys.path.insert(0, sys.argv[3])
from engine.checkpoints.checkpoint import write
way, path = sys.argv[1], sys.argv[2]
if way == "full":  # limits the size of files, which looks like a full disk
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
    try:
        write({"model": {"w": torch.ones(1_000_000)}}, path)
    except OSError as error:
        print("OSError", error)
else:
    print("begins", flush=True)
    n = 0
    while True:
        n += 1
        write({"model": {"w": torch.full((1_000_000,), float(n))}}, path)
"""


def writer(way: str, path: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", WRITER, way, str(path), str(MAIN.parent)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_on_a_full_disk_the_old_file_is_kept_and_no_partial_file(tmp_path: Path) -> None:
    file = tmp_path / "s.tiller"
    write({"model": {"w": torch.zeros(3)}}, file)
    old = file.read_bytes()
    with writer("full", file) as process:
        out, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert out.startswith("OSError")
    assert file.read_bytes() == old
    assert [p.name for p in tmp_path.iterdir()] == ["s.tiller"]


def test_a_new_file_replaces_the_old_one_and_is_not_written_into_it(tmp_path: Path) -> None:
    """A reader that has the old file open still reads all of it: there is never half a file under the name."""
    file = tmp_path / "s.tiller"
    write({"model": {"w": torch.zeros(3)}}, file)
    old = file.read_bytes()
    with file.open("rb") as reader:
        write({"model": {"w": torch.ones(5)}}, file)
        assert reader.read() == old
    assert whole(file) != old
    assert [p.name for p in tmp_path.iterdir()] == ["s.tiller"]


def syncs(file: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The calls with which ``write`` makes ``file`` durable, in order; each is really made."""
    fsync, replace = os.fsync, os.replace
    done: list[str] = []

    def noted_fsync(descriptor: int) -> None:
        fsync(descriptor)
        found = os.fstat(descriptor)
        folder = os.path.samestat(found, file.parent.stat())
        done.append("fsync folder" if folder else f"fsync {found.st_size} bytes")

    def noted_replace(source: Any, target: Any) -> None:
        replace(source, target)
        done.append(f"rename to {Path(target).name}")

    monkeypatch.setattr(os, "fsync", noted_fsync)
    monkeypatch.setattr(os, "replace", noted_replace)
    write({"model": {"w": torch.zeros(1000)}}, file)
    return done


def test_the_whole_file_is_synced_before_it_is_renamed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "s.tiller"
    done = syncs(file, monkeypatch)
    assert done[:2] == [f"fsync {file.stat().st_size} bytes", "rename to s.tiller"]


def test_the_folder_is_synced_after_the_rename(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert syncs(tmp_path / "s.tiller", monkeypatch)[-2:] == ["rename to s.tiller", "fsync folder"]


def test_a_process_killed_while_it_writes_leaves_the_old_file_or_the_new_one(tmp_path: Path) -> None:
    file = tmp_path / "s.tiller"
    write({"model": {"w": torch.zeros(3)}}, file)
    dice = random.Random(2)
    with writer("forever", file) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "begins\n"
        for _ in range(12):  # the file is whole at any time
            time.sleep(dice.uniform(0, 0.02))
            content = torch.load(io.BytesIO(whole(file)), weights_only=True)
            assert content["model"]["w"].unique().numel() == 1
        process.send_signal(signal.SIGKILL)
    whole(file)


def whole(file: Path) -> bytes:
    raw = file.read_bytes()
    assert raw[-64:].decode() == hashlib.sha256(raw[:-64]).hexdigest()
    return raw


def test_a_save_onto_a_full_disk_is_rejected_with_the_reason_and_the_old_file_is_kept(tmp_path: Path) -> None:
    """With the real trainer, in a process whose files are limited in size."""
    old = tmp_path / "old.tiller"
    with Live(Job(recipe=recipe(), begin=False)) as live:
        live.pause_at(1, 1)
        assert live.ask(Save(path=str(old))).status == "applied"
        raw = old.read_bytes()
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (2000, hard))
        try:
            answer = live.ask(Save(path=str(old)))
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        assert answer.status == "rejected"
        assert str(answer.reason).startswith("not saved: ")
        assert old.read_bytes() == raw
        live.trainer.post(Resume())
        assert live.finish().reason == "finished"


def test_a_growing_list_of_events_is_the_json_of_the_whole_list() -> None:
    events: list[Event] = [WarningEvent(text=text) for text in ("a", "b", "c")]
    growing = GrowingJSON()
    for some in (
        events[:0],
        events[:1],
        events,
        events[:2],
        [events[0], WarningEvent(text="other"), events[2]],
        events[1:],
    ):
        assert growing.text(some) == json.dumps([dataclasses.asdict(e) for e in some])
