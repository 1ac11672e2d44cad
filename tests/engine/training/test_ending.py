"""Every way to end a run gives exactly one end event, the last of all, and leaves no thread behind."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from engine.common.errors import SpecError
from engine.library import Library
from engine.messages.commands import Note, Save
from engine.messages.events import EndEvent, EpochEvent, Event
from engine.training.ending import because_of
from engine.training.job import Job
from engine.training.trainer import Trainer
from tests.engine.running import SECONDS, Events, Live, at, commands, library_at, recipe

NETWORK = """
from tests.engine.tiny_networks import Poisoned
def when(n):
    if n == 5:
        raise {error}
    return False
def make(in_channels, num_classes):
    return Poisoned(in_channels, num_classes, when)
"""


def raising(folder: Path, error: str) -> Job:
    (folder / "net.py").write_text(NETWORK.format(error=error))
    return Job(recipe=recipe(model={"name": f"{folder / 'net.py'}:make"}))


def trained_on_a_thread(job: Job, emit: Callable[[Event], None], library: Library | None = None) -> None:
    """``job`` on a thread of its own, which must be gone afterwards; a thread may not raise either."""
    trainer, raised = Trainer(job, emit, library), list[BaseException]()

    def work() -> None:
        try:
            trainer.run()
        except BaseException as error:  # noqa: BLE001
            raised.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join(SECONDS)
    assert not thread.is_alive()
    assert raised == []


@pytest.mark.parametrize(
    ("error", "text"),
    [
        ("KeyboardInterrupt()", "KeyboardInterrupt: "),
        ("SystemExit(3)", "SystemExit: 3"),
        ("GeneratorExit()", "GeneratorExit: "),
        ("RecursionError('too deep')", "RecursionError: too deep"),
        ("AssertionError()", "AssertionError: "),
    ],
)
def test_whatever_is_raised_while_training(error: str, text: str, tmp_path: Path) -> None:
    events = Events()
    with library_at(tmp_path / "library") as library:
        trained_on_a_thread(raising(tmp_path, error), events.append, library)
        (row,) = library.runs()
    assert events[-1] is events.end
    assert (events.end.reason, events.end.text) == ("failed", text)
    assert "net.py" in str(events.end.details)
    assert row.state == "failed"


@pytest.mark.parametrize("kind", ["loading", "start", "state", "steps", "lr", "epoch", "command"])
def test_a_listener_that_fails_once(kind: str, tmp_path: Path) -> None:
    received = Events()
    failed: list[Event] = []

    def emit(event: Event) -> None:
        if event.event == kind and not failed:
            failed.append(event)
            raise LookupError(f"no room for {kind}")
        received.append(event)

    lines = commands(at(2, 0, "scale_lr", factor=0.5), at(9, 0, "note", text="never reached"))
    with library_at(tmp_path) as library:
        trained_on_a_thread(Job(recipe=recipe(), lines=lines), emit, library)
    assert failed
    assert received[-1] is received.end
    assert received.end.reason == "failed"
    assert received.end.text == f"LookupError: no room for {kind}"


def test_a_listener_that_fails_after_training() -> None:
    """Unreached commands are answered and the last state is published after training; the end comes anyway."""
    received = Events()
    over = threading.Event()

    def emit(event: Event) -> None:
        if isinstance(event, EpochEvent) and event.epoch == 3:
            over.set()
        elif over.is_set() and not isinstance(event, EndEvent):
            raise OSError("nobody listens")
        received.append(event)

    trained_on_a_thread(Job(recipe=recipe(), lines=commands(at(9, 0, "note", text="never"))), emit)
    assert received[-1] is received.end
    assert received.end.text == "OSError: nobody listens"


def test_a_listener_that_fails_at_the_end_event_does_not_raise(capfd: pytest.CaptureFixture[str]) -> None:
    received: list[Event] = []

    def emit(event: Event) -> None:
        if isinstance(event, EndEvent):
            received.append(event)
            raise OSError("nobody listens")

    trained_on_a_thread(Job(recipe=recipe(epochs=1)), emit)
    assert len(received) == 1
    assert "nobody listens" in capfd.readouterr().err


def test_a_library_that_is_closed_in_mid_run(tmp_path: Path) -> None:
    library = Library(tmp_path)
    events = Events()

    def emit(event: Event) -> None:
        events.append(event)
        if isinstance(event, EpochEvent) and event.epoch == 2:
            library.close()

    trained_on_a_thread(Job(recipe=recipe()), emit, library)
    assert events[-1] is events.end
    assert events.end.reason in ("failed", "finished")


def test_commands_that_are_posted_to_a_failed_run_are_answered(tmp_path: Path) -> None:
    with Live(raising(tmp_path, "RuntimeError('broke')")) as live:
        live.finish()
        answer = live.ask(Note(text="too late"))
        assert (answer.status, answer.reason) == ("rejected", "the run has ended")
        assert live.ask(Save(path=str(tmp_path / "late.tiller"))).status == "rejected"
        assert live.events.end.text == "RuntimeError: broke"


def test_a_failure_reports_what_was_trained_before_it(tmp_path: Path) -> None:
    events = Events()
    Trainer(raising(tmp_path, "RuntimeError('broke')"), events.append).run()
    assert sum(len(event.loss) for event in events.of("steps")) == 4
    assert (events.end.epoch, events.end.batch) == (2, 1)


def test_the_ending_of_an_error() -> None:
    assert because_of(SpecError("data.root", "is not there")).field == "data.root"
    lack = because_of(MemoryError())
    assert (lack.reason, lack.out_of_memory, lack.text) == ("failed", "run", "memory ran out: MemoryError")
