"""The commands of ``main.py`` that need no window: output, exit statuses and signals."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

import main
from engine.library import Library
from engine.recipe.recipe import recipe_from_json
from engine.training.job import Job
from tests.engine.running import (
    MAIN,
    MORE_SCHEDULES,
    OPTIMIZERS,
    SCHEDULES,
    at,
    commands,
    commands_text,
    library_at,
    recipe,
    recipe_dict,
    run,
)

SECONDS = 60
REAL = os.environ.get("TILLER_TEST_DATA")


class Result:
    """Exit status, lines on standard output and text on standard error of ``main.py``."""

    def __init__(self, status: int, out: str, err: str) -> None:
        self.status, self.err = status, err
        self.lines: list[dict[str, Any]] = [json.loads(line) for line in out.splitlines()]

    def of(self, event: str) -> list[dict[str, Any]]:
        return [line for line in self.lines if line.get("event") == event]


class Caller:
    """Calls ``main.main`` in this process, with files in ``folder``."""

    def __init__(self, folder: Path, capture: pytest.CaptureFixture[str]) -> None:
        self.folder, self._capture = folder, capture
        self.library = str(folder / "library")

    def write(self, name: str, text: str) -> str:
        (self.folder / name).write_text(text)
        return str(self.folder / name)

    def recipe(self, network: str = "tiny", /, **changes: Any) -> str:
        return self.write("recipe.json", json.dumps(recipe_dict(network, **changes)))

    def commands(self, *lines: dict[str, Any]) -> str:
        return self.write("commands.jsonl", commands_text(*lines))

    def __call__(self, *arguments: str) -> Result:
        if arguments[0] in ("train", "runs") and "--library" not in arguments:
            arguments = (*arguments, "--library", self.library)
        self._capture.readouterr()
        status = main.main(arguments)
        return Result(status, *self._capture.readouterr())


@pytest.fixture
def call(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Caller:
    return Caller(tmp_path, capfd)


# -- train


def test_train_prints_events_as_lines_of_json_without_rounding(call: Caller) -> None:
    result = call("train", call.recipe(), "--commands", call.commands(at(2, 1, "set_lr", lr=0.1 / 3)))
    expected = run(Job(recipe=recipe(), lines=commands(at(2, 1, "set_lr", lr=0.1 / 3))))
    assert (result.status, result.err) == (0, "")
    kinds = [line["event"] for line in result.lines if line["event"] != "saved"]
    assert kinds == ["start", "epoch", "command", "epoch", "epoch", "end"]
    (start,), (end,) = result.of("start"), result.of("end")
    assert {"run", "device", "groups", "parameters", "batches_per_epoch"} <= start.keys()
    assert recipe_from_json(json.dumps(start["recipe"])) == recipe()
    assert (start["groups"], start["batches_per_epoch"], start["device"]) == (["all"], 3, "cpu")
    for line, epoch in zip(result.of("epoch"), expected.epochs, strict=True):
        assert {name: line[name] for name in ("epoch", "lr", *epoch.metrics())} == {
            "epoch": epoch.epoch,
            "lr": epoch.lr,
            **epoch.metrics(),
        }
        assert line["seconds"] > 0
        assert line["images_per_second"] > 0
    (command,) = result.of("command")
    assert command["command"] == {"command": "set_lr", "lr": 0.1 / 3, "then": "keep"}
    assert (command["status"], command["reason"], command["epoch"], command["batch"]) == ("applied", None, 2, 1)
    assert (end["reason"], end["epoch"], end["weights_sha256"]) == ("finished", 3, expected.end.weights_sha256)


def test_epochs_and_device_options_override_the_recipe(call: Caller) -> None:
    result = call("train", call.recipe(device="cuda:77"), "--epochs", "1", "--device", "cpu")
    assert (result.status, len(result.of("epoch")), result.of("start")[0]["device"]) == (0, 1, "cpu")


def test_runs_lists_a_run_that_was_stopped_resumed_and_finished(call: Caller) -> None:
    call("train", call.recipe(), "--commands", call.commands(at(2, 1, "stop")))
    (row,) = call("runs").lines
    assert (row["state"], row["epochs_done"], row["epochs"], row["parent"]) == ("stopped", 1, 3, None)
    resumed = call("train", "--resume", row["id"], "--epochs", "4")
    assert (resumed.status, [e["epoch"] for e in resumed.of("epoch")]) == (0, [2, 3, 4])
    assert [c["command"] for c in resumed.of("command")] == [{"command": "set_epochs", "epochs": 4}]
    assert resumed.of("start")[0]["run"] == row["id"]
    branch = call("train", "--resume", row["checkpoint"])
    assert branch.of("start")[0]["parent"] == row["id"]
    first, second = call("runs").lines
    assert (first["id"], first["state"], first["epochs_done"]) == (row["id"], "finished", 4)
    assert (second["id"], second["parent"]) == (branch.of("start")[0]["run"], row["id"])
    again = call("train", "--resume", row["id"])
    assert (again.status, [line["event"] for line in again.lines]) == (0, ["start", "end"])
    assert again.of("end")[0]["weights_sha256"] == resumed.of("end")[0]["weights_sha256"]


def test_branch_is_printed_and_listed(call: Caller) -> None:
    result = call("train", call.recipe(), "--commands", call.commands(at(3, 0, "rewind", epoch=1)))
    (branch,) = result.of("branch")
    assert {name: branch[name] for name in ("epoch", "batch")} == {"epoch": 2, "batch": 0}
    first, second = call("runs").lines
    assert (branch["parent"], branch["run"]) == (first["id"], second["id"])
    assert second["parent"] == first["id"]


def test_diverged_run_exits_with_1_and_the_position(call: Caller) -> None:
    result = call("train", call.recipe("poisoned_fifth"))
    assert result.status == 1
    assert result.of("end")[0]["reason"] == "diverged"
    assert result.err == "the loss was not finite in epoch 2, batch 1; that update was skipped\n"
    assert call("runs").lines[0]["state"] == "diverged"


def test_epoch_without_a_finite_loss_prints_null(call: Caller) -> None:
    result = call("train", call.recipe("poisoned_always", data={"name": "digits", "batch_size": 2000}))
    assert result.of("epoch")[0]["train_loss"] is None


def test_failed_run_exits_with_1(call: Caller) -> None:
    result = call("train", call.recipe("breaks_in_training"))
    assert (result.status, result.of("end")[0]["reason"]) == (1, "failed")
    assert "broken, says the test" in result.err


BAD: dict[str, tuple[list[str], str]] = {
    "not JSON": (["train", "TEXT"], "the recipe is not JSON"),
    "recipe not found": (["train", "/nowhere.json"], "recipe: /nowhere.json cannot be read: No such file"),
    "epochs 0": (["train", "RECIPE", "--epochs", "0"], "epochs: must be at least 1"),
    "epochs not a number": (["train", "RECIPE", "--epochs", "ten"], "epochs: must be a whole number; it is 'ten'"),
    "epochs on resume": (["train", "--resume", "CHECKPOINT", "--epochs", "-3"], "epochs: must be at least 1"),
    "device": (["train", "RECIPE", "--device", "tpu"], "device: must be auto, cpu, cuda or cuda:N; it is 'tpu'"),
    "device on resume": (["train", "--resume", "CHECKPOINT", "--device", "tpu"], "device: must be auto, cpu"),
    "GPU not found": (["train", "RECIPE", "--device", "cuda:77"], "device: cuda:77 was not found"),
    "GPU not found on resume": (
        ["train", "--resume", "CHECKPOINT", "--device", "cuda:77"],
        "device: cuda:77 was not found",
    ),
    "commands": (["train", "RECIPE", "--commands", "TEXT"], "commands line 1: is not JSON"),
    "commands on resume": (["train", "--resume", "CHECKPOINT", "--commands", "TEXT"], "commands line 1: is not JSON"),
    "commands of lr": (["lr", "RECIPE", "--commands", "TEXT"], "commands line 1: is not JSON"),
    "library": (["train", "RECIPE", "--library", "TEXT"], "library: "),
    "library of runs": (["runs", "--library", "TEXT"], "library: "),
    "recipe and resume": (["train", "RECIPE", "--resume", "CHECKPOINT"], "resume: give a recipe or --resume, not both"),
    "unknown run": (
        ["train", "--resume", "feedbeef"],
        "resume: 'feedbeef' is neither a checkpoint file nor a run in",
    ),
    "not a checkpoint": (["train", "--resume", "TEXT"], "checkpoint: "),
    "a folder": (["train", "--resume", "/"], "resume: '/' is neither"),
    "own network": (["train", "OWN"], "model.name: "),
    "data": (["train", "MNIST"], "data.root: data set not found"),
    "field of the recipe": (["lr", "FIELD"], "schedule.gamma: "),
    "schedule of the recipe": (["lr", "SCHEDULE"], "schedule.lr_lambda: "),
}


@pytest.mark.parametrize("kind", BAD)
def test_bad_input_exits_with_2_and_one_line_that_names_the_field(call: Caller, kind: str) -> None:
    arguments, problem = BAD[kind]
    files = {
        "RECIPE": lambda: call.recipe(),
        "TEXT": lambda: call.write("text", "# neither\n" * 50),
        "OWN": lambda: call.recipe("no_such_function"),
        "MNIST": lambda: call.recipe(data={"name": "mnist", "root": str(call.folder / "nothing")}),
        "FIELD": lambda: call.recipe(schedule={"name": "ExponentialLR", "gamma": -1}),
        "SCHEDULE": lambda: call.recipe(schedule={"name": "LambdaLR", "lr_lambda": "1/(2-epoch)"}),
        "CHECKPOINT": lambda: checkpoint(call),
    }
    result = call(*[files[argument]() if argument in files else argument for argument in arguments])
    assert result.status == 2
    assert result.err.startswith(problem)
    assert result.err.count("\n") == 1
    assert result.of("epoch") == []
    if kind == "data":
        assert "root" in result.err
        assert "--download" in result.err


def checkpoint(call: Caller) -> str:
    file = call.folder / "here.tiller"
    run(Job(recipe=recipe(), lines=commands(at(2, 1, "save", path=str(file)), at(2, 1, "stop"))))
    return str(file)


def test_damaged_checkpoint_exits_with_2_and_one_line(call: Caller) -> None:
    file = Path(checkpoint(call))
    raw = bytearray(file.read_bytes())
    raw[len(raw) // 2] ^= 1
    file.write_bytes(raw)
    result = call("train", "--resume", str(file))
    assert (result.status, result.err.count("\n")) == (2, 1)
    assert result.err.startswith(f"checkpoint: {file} is damaged")


# -- lr

COMMANDS: dict[str, list[dict[str, Any]]] = {
    "none": [],
    "hold and release": [at(1, 1, "set_lr", lr=0.02, then="hold"), at(3, 0, "release_lr")],
    "follow and scale": [at(2, 0, "set_lr", lr=0.3, then="follow"), at(2, 2, "scale_lr", factor=0.1)],
    "swap": [
        at(2, 1, "set_schedule", schedule=SCHEDULES["StepLR"]),
        at(4, 0, "set_schedule", schedule=SCHEDULES["step"]),
    ],
    "longer": [at(2, 1, "set_epochs", epochs=1), at(2, 1, "set_epochs", epochs=7), at(8, 0, "set_epochs", epochs=8)],
    "at the end": [at(6, 0, "set_lr", lr=0.5), at(6, 0, "set_epochs", epochs=6)],
    "shorter": [at(3, 0, "set_epochs", epochs=2)],
    "stop": [at(3, 0, "stop")],
    "stop in mid-epoch": [at(3, 2, "stop"), at(3, 2, "set_lr", lr=0.5)],
    "batch beyond the epoch": [at(2, 3, "set_lr", lr=0.5), at(2, 7, "stop"), at(4, 0, "scale_lr", factor=0.5)],
    "one group": [at(2, 1, "set_lr", lr=0.5, group="head"), at(2, 1, "set_lr", lr=0.5, group="tail")],
    "not about the LR": [
        at(1, 0, "set_optimizer", momentum=0.1),
        at(2, 0, "freeze", group="rest"),
        at(2, 1, "note", text="x"),
    ],
}
GROUPS = [{"name": "head", "modules": ["head"], "lr": 0.2, "schedule": SCHEDULES["step"]}]


@pytest.mark.parametrize("lines", COMMANDS)
@pytest.mark.parametrize("schedule", ["MultiStepLR", "CosineAnnealingLR", "LambdaLR"])
def test_lr_prints_the_lrs_that_training_uses(call: Caller, lines: str, schedule: str) -> None:
    chosen = {"schedule": SCHEDULES[schedule], "groups": GROUPS, "epochs": 5}
    result = call("lr", call.recipe(**chosen), "--commands", call.commands(*COMMANDS[lines]), "--batches")
    events = run(Job(recipe=recipe(**chosen), lines=commands(*COMMANDS[lines])))
    steps = {(e.epoch, e.batch + i): lrs.tolist() for e in events.of("steps") for i, lrs in enumerate(e.lr)}
    per_batch = {(line["epoch"], line["batch"]): line["lr"] for line in result.lines if "batch" in line}
    per_epoch = {line["epoch"]: line["lr"] for line in result.lines if "batch" not in line}
    assert result.status == 0
    # batches are printed only while a schedule is stepped per batch: between the two swaps there is none
    stepwise = {at: lrs for at, lrs in steps.items() if lines != "swap" or not (2, 1) <= at < (4, 0)}
    assert per_batch == stepwise
    assert per_epoch == {epoch: lrs for (epoch, batch), lrs in steps.items() if batch == 0}
    assert {e.epoch: e.lr for e in events.epochs}.items() <= per_epoch.items()
    rejected = [a for a in events.answers if a.status == "rejected" and a.reason != "the run ended"]
    assert len(result.err.splitlines()) == len(rejected)


@pytest.mark.parametrize("schedule", [name for name in SCHEDULES if name != "ReduceLROnPlateau"])
@pytest.mark.parametrize("optimizer", ["SGD", "AdamW"])
def test_lr_prints_one_line_per_epoch(call: Caller, schedule: str, optimizer: str) -> None:
    chosen = {"schedule": SCHEDULES[schedule], "optimizer": OPTIMIZERS[optimizer]}
    result = call("lr", call.recipe(**chosen))
    assert result.lines == [{"epoch": e.epoch, "lr": e.lr} for e in run(recipe(**chosen)).epochs]


@pytest.mark.parametrize("schedule", MORE_SCHEDULES)
def test_lr_prints_the_lrs_of_every_other_schedule(call: Caller, schedule: str) -> None:
    optimizer, spec = MORE_SCHEDULES[schedule]
    chosen = {"schedule": spec, "optimizer": OPTIMIZERS[optimizer]}
    events = run(recipe(**chosen))
    assert call("lr", call.recipe(**chosen)).lines == [{"epoch": e.epoch, "lr": e.lr} for e in events.epochs]
    result = call("lr", call.recipe(**chosen), "--batches").lines
    per_batch = [line["lr"] for line in result if "batch" in line]
    stepped = recipe(**chosen).schedule.interval == "step"
    assert per_batch == ([lrs.tolist() for e in events.of("steps") for lrs in e.lr] if stepped else [])


def test_lr_rejects_the_commands_that_training_rejects_under_a_cycled_momentum(call: Caller) -> None:
    optimizer, spec = MORE_SCHEDULES["CyclicLR"]
    chosen = {"schedule": spec, "optimizer": OPTIMIZERS[optimizer]}
    lines = [
        at(2, 0, "set_optimizer", momentum=0.5),
        at(2, 0, "set_optimizer", weight_decay=0.5),
        at(3, 0, "set_schedule", schedule=MORE_SCHEDULES["OneCycleLR"][1], lr=0.5),
    ]
    result = call("lr", call.recipe(**chosen), "--commands", call.commands(*lines))
    answers = run(Job(recipe=recipe(**chosen), lines=commands(*lines))).answers
    assert [a.status for a in answers] == ["rejected", "applied", "rejected"]
    for line, answer in zip(result.err.splitlines(), (answers[0], answers[2]), strict=True):
        assert answer.reason is not None
        assert answer.reason in line


# -- in a process


def start(*arguments: str, **options: Any) -> subprocess.Popen[str]:
    environ = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        [sys.executable, str(MAIN), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environ,
        **options,
    )


@pytest.mark.parametrize("number", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.slow)])
def test_signal_saves_and_the_resumed_run_is_bit_identical(call: Caller, number: signal.Signals) -> None:
    with start("train", call.recipe(epochs=100_000), "--library", call.library) as process:
        assert process.stdout is not None
        lines = [json.loads(process.stdout.readline())]
        while lines[-1]["event"] != "epoch":
            lines.append(json.loads(process.stdout.readline()))
        process.send_signal(number)
        out, err = process.communicate(timeout=SECONDS)
    lines += [json.loads(line) for line in out.splitlines()]
    end = lines[-1]
    assert (process.returncode, err) == (0, "")
    assert (end["event"], end["reason"]) == ("end", "stopped")
    assert Path(end["checkpoint"]).exists()
    epochs = end["epoch"] + 2
    arguments = ("train", "--resume", lines[0]["run"], "--epochs", str(epochs), "--library", call.library)
    if number == signal.SIGTERM:
        with start(*arguments) as process:
            out, err = process.communicate(timeout=SECONDS)
        resumed = Result(process.returncode, out, err)
    else:
        resumed = call(*arguments)
    assert resumed.status == 0
    uninterrupted = run(recipe(epochs=epochs))
    assert resumed.of("end")[0]["weights_sha256"] == uninterrupted.end.weights_sha256


def test_training_continues_when_the_reader_closes_the_pipe(call: Caller) -> None:
    with start("train", call.recipe(), "--library", call.library) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert json.loads(process.stdout.readline())["event"] == "start"
        process.stdout.close()
        assert process.wait(SECONDS) == 0
        assert process.stderr.read() == ""
    assert call("runs").lines[0]["state"] == "finished"


UNREAD = """
import sys
import time
from engine.messages.events import WarningEvent
from engine.messages.printing import LinePrinter
printer = LinePrinter(sys.stdout)
for n in range(2000):
    printer(WarningEvent(text="x" * 100))
printer.close(seconds=0.2)
"""


def test_process_ends_although_nobody_reads_the_pipe() -> None:
    """The pipe is full, and the printing thread still waits when the interpreter ends."""
    process = subprocess.Popen(
        [sys.executable, "-c", UNREAD], stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=MAIN.parent, text=True
    )
    with process:
        assert process.wait(SECONDS) == 0
        assert process.stderr is not None
        assert process.stderr.read() == ""


LIGHT = """
import sys
import time
import main
for arguments in (["runs", "--library", sys.argv[1]], ["--help"]):
    try:
        print(main.main(arguments), file=sys.stderr)
    except SystemExit as exit:
        print(exit.code, file=sys.stderr)
heavy = {"torch", "torchvision", "sklearn", "PySide6"} & set(sys.modules)
print(sorted(heavy), file=sys.stderr)
"""


def test_runs_and_help_import_neither_torch_nor_qt(tmp_path: Path) -> None:
    Library(tmp_path).close()
    done = subprocess.run(
        [sys.executable, "-c", LIGHT, str(tmp_path)], cwd=MAIN.parent, capture_output=True, text=True, timeout=SECONDS
    )
    assert done.stderr == "0\n0\n[]\n"


@pytest.mark.slow
@pytest.mark.skipif(not REAL, reason="TILLER_TEST_DATA names no folder")
def test_mnist_is_learned_within_three_epochs(tmp_path: Path) -> None:
    text = json.dumps(
        {
            **recipe_dict(epochs=3),
            "data": {"name": "mnist", "batch_size": 128, "root": REAL},
            "model": {"name": "small_cnn"},
            "optimizer": {"name": "SGD", "lr": 0.05, "momentum": 0.9},
            "schedule": {"name": "CosineAnnealingLR", "T_max": 3},
        }
    )
    with library_at(tmp_path) as library:
        events = run(Job(recipe=recipe_from_json(text)), library)
    assert max(e.val_accuracy for e in events.epochs) >= 0.985


@pytest.mark.slow
def test_repeated_interrupts_print_no_traceback(call: Caller) -> None:
    for times in (2, 3):
        with start("train", call.recipe("heavy", epochs=2000), "--library", call.library) as process:
            assert process.stdout is not None
            while json.loads(process.stdout.readline())["event"] != "epoch":
                pass
            for _ in range(times):
                process.send_signal(signal.SIGINT)
                time.sleep(0.1)
            _, err = process.communicate(timeout=SECONDS)
        assert "Traceback" not in err
        assert "KeyboardInterrupt" not in err
        if times == 2:
            assert process.returncode == 0
            assert err in ("", "saving the run; press Ctrl+C again to quit at once, without what is not saved yet\n")
        else:
            assert process.returncode in (0, 130)
    assert {row["state"] for row in call("runs").lines} <= {"stopped", "interrupted"}
