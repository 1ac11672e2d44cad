"""A run's files: its row in the library, its snapshots, and what to call them."""

from __future__ import annotations

import re
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from engine import __version__, snapshot
from engine.commands import At
from engine.events import SavedEvent
from engine.library import Done, Kind, Library, RunRow, new_run_id
from engine.run_state import Capture, RunState
from engine.words import Words


class Keeper:
    """Keeps one run in the library, where there is one. Everything but ``begin`` returns at once.

    ``warn`` hears of writes that failed, ``saved`` of snapshots that stand; both on the writer thread.
    """

    def __init__(
        self, library: Library | None, warn: Callable[[Words], None], saved: Callable[[SavedEvent], None]
    ) -> None:
        self._library = library
        self._warn = warn
        self._saved = saved
        self._sequence = 0
        self.run = ""
        self.name = ""
        self.parent: str | None = None
        self.newest: Path | None = None

    @property
    def keeps(self) -> bool:
        """Whether there is a library to save into."""
        return self._library is not None

    def begin(self, run: str | None, name: str, parent: str | None, state: RunState, waiting: str) -> None:
        """Take up ``run`` (or a new one): its row is written when this returns."""
        self.run, self.name, self.parent = run or new_run_id(), name, parent
        if self._library is None:
            return
        now = time.time()
        row = RunRow(
            id=self.run,
            name=name,
            state="training",
            created=now,
            updated=now,
            epochs_done=state.position.epoch - 1,
            epochs=state.epochs,
            parent=parent,
            branch_epoch=state.position.epoch if parent else None,
            branch_batch=state.position.batch if parent else None,
            recipe=state.recipe.to_json(),
            waiting=waiting,
        )
        try:
            self._library.begin(row)
        except (OSError, sqlite3.Error) as error:
            self._warn(Words("the run library could not be written: {error}", error=error))

    def leave(self, at: At, epochs: int) -> None:
        """Note in the library that the run, ``at`` by now and ``epochs`` long, is left for a branch of it.

        What still waits of its hand goes with the branch.
        """
        self._note("left", at, epochs, waiting="")

    def note(self, state: RunState, lifecycle: str) -> None:
        """Note in the library how far the run is."""
        self._note(lifecycle, state.position, state.epochs)

    def _note(self, lifecycle: str, at: At, epochs: int, **more: Any) -> None:
        if self._library is not None:
            self._library.update(
                self.run,
                lambda text: self._warn(Words("{text}", text=text)),
                state=lifecycle,
                epochs_done=at.epoch - 1,
                epochs=epochs,
                **more,
            )

    def store(self, capture: Capture, kind: Kind, done: Done, path: str | None = None) -> None:
        """Write ``capture`` to ``path``, or to a place in the library that is named by itself.

        ``done`` hears the path or why it could not be written, on the writer thread (on this one without a library).
        """
        at = At(epoch=capture["position"][0], batch=capture["position"][1])
        if path is None and self._library is None:
            done(None, "there is no library to save into; name a file")
            return
        target = Path(path).expanduser().absolute() if path is not None else self._place(kind, at)
        content = {**capture, "run": self._identity(), "made": made(capture)}

        def stored(where: Path | None, error: str | None) -> None:
            if where is not None:
                self.newest = where
                self._saved(SavedEvent(path=str(where), kind=kind, epoch=at.epoch, batch=at.batch))
            done(where, error)

        if self._library is not None:
            self._library.store(content, self.run, kind, (at.epoch, at.batch), target, stored)
            return
        try:
            snapshot.write(content, target)
        except OSError as error:
            stored(None, snapshot.why(error))
        else:
            stored(target, None)

    def autosave(self, capture: Capture, kind: Kind) -> None:
        """Write ``capture`` into the library, if there is one; a failure is only warned of."""
        if self._library is not None:
            self.store(capture, kind, self._warn_if_failed)

    def keep_beginning(self, state: RunState) -> None:
        """Save where the run begins, if there is a library: it can be taken up from its very start."""
        if self._library is not None:
            self.autosave(state.capture(), "epoch" if state.position.batch == 0 else "before")

    def on_the_way_to(self, at: At) -> list[Path]:
        """Snapshots of this run, or of those it branched from, that stand at ``at`` or before it, the nearest first.

        Raises:
            OSError, sqlite3.Error: the library cannot be read.
        """
        if self._library is None:
            return []
        self.flush()
        return self._library.snapshots_up_to(self.run, at.epoch, at.batch)

    def positions(self) -> list[tuple[int, int]]:
        """Where snapshots of this run stand, as (epoch, batch). Raises as ``on_the_way_to`` does."""
        self.flush()
        return self._library.positions(self.run) if self._library is not None else []

    def flush(self) -> None:
        """Wait until everything handed over so far is written and answered."""
        if self._library is not None:
            self._library.flush()

    def _warn_if_failed(self, where: Path | None, error: str | None) -> None:
        if error is not None:
            self._warn(Words("a snapshot could not be saved: {error}; training goes on", error=error))

    def _identity(self) -> dict[str, Any]:
        return {"id": self.run, "name": self.name, "parent": self.parent}

    def _place(self, kind: Kind, at: At) -> Path:
        assert self._library is not None
        self._sequence += 1
        if kind == "asked":
            when = time.strftime("%Y-%m-%d %H.%M.%S")
            name = re.sub(r"[^\w .-]+", "_", self.name).strip(" .") or "run"
            return self._library.root / "saved" / f"{name[:80]}, epoch {at.epoch} batch {at.batch}, {when}.tiller"
        file = f"{time.time_ns():x}-{self._sequence}-{kind}-{at.epoch}-{at.batch}.tiller"
        return self._library.root / "snapshots" / self.run / file


def made(capture: Capture) -> dict[str, Any]:
    """By what a capture was made: enough to know whether a resumed run can be bit-identical."""
    device = str(next(iter(capture["model"].values())).device)
    return {
        "tiller": __version__,
        "torch": str(torch.__version__),
        "device": device,
        "threads": torch.get_num_threads(),
        "when": time.time(),
    }
