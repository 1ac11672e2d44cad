"""The trainer: hears commands between batches, trains, emits events, and ends exactly once.

One ``Trainer`` is one thread's work. ``run`` blocks until the end; ``post`` may be called from any thread.
"""

from __future__ import annotations

import threading
import traceback
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from engine.agenda import Agenda
from engine.carry_out import no_such_batch
from engine.commands import (
    At,
    CancelRewind,
    FinderCommand,
    HandCommand,
    Pause,
    Rewind,
    RunEpoch,
    SetEpochs,
    Stop,
    TransportCommand,
    Withdraw,
)
from engine.desk import Desk
from engine.divergence import Illness, way_back
from engine.ending import Ending, because_of
from engine.events import (
    WITHDRAWN,
    CommandEvent,
    DivergedEvent,
    EndEvent,
    EndReason,
    Event,
    LoadingEvent,
    StateEvent,
    Status,
    WarningEvent,
)
from engine.finder_desk import FinderDesk
from engine.hand import WaitingHand, command_json
from engine.job import Job
from engine.keeper import Keeper
from engine.library import Library
from engine.lifecycle import Action, IllegalAction, State, next_state
from engine.loading import load
from engine.loop import Loop, Trouble
from engine.mailbox import AnyCommand, Letter, Mailbox
from engine.rewind_desk import RewindDesk
from engine.run_state import weights_sha256
from engine.shortage import give_back
from engine.words import Words

_OVER: Final = Words("the run ended")


class Trainer:
    """Trains one run. ``emit`` is called with every event, from several threads, and must not block."""

    def __init__(self, job: Job, emit: Callable[[Event], None], library: Library | None = None) -> None:
        self._job = job
        self._emit = emit
        self._mailbox = Mailbox()
        self._stop_asked = threading.Event()
        self._keeper = Keeper(library, lambda text: emit(WarningEvent(text=text)), emit)
        self._agenda = Agenda()
        self._lifecycle: State = "loading"
        self._loop: Loop | None = None
        self._desk: Desk | None = None
        self._finder: FinderDesk | None = None
        self._rewinder: RewindDesk | None = None
        self._stood = At(epoch=1)
        self._one_epoch = False
        self._illness = Illness()
        self._end: EndReason | None = None
        self._end_text: Words | None = None

    def post(self, command: AnyCommand, at: At | None = None) -> int:
        """Send a command, for the next batch or for the moment ``at``; returns its id.

        It is answered by ``CommandEvent``s: queued, then applied or rejected.
        """
        if isinstance(command, Stop) and at is None:
            self._stop_asked.set()
        return self._mailbox.post(
            command,
            at,
            lambda number: self._answer(Letter(number, command), "queued"),
            lambda number: self._answer(Letter(number, command), "rejected", Words("the run has ended")),
        )

    def _answer(self, letter: Letter, status: Status, reason: str | None = None) -> None:
        at, command = self._position, command_json(letter.command)
        answer = CommandEvent(
            id=letter.number, command=command, status=status, reason=reason, epoch=at.epoch, batch=at.batch
        )
        self._emit(answer)

    def _say(self, event: Event) -> None:
        self._keeper.hear(event)
        self._emit(event)

    def run(self) -> EndEvent:
        """Do the job to its end. Returns the one terminal event, which is emitted last."""
        try:
            self._begin()
            self._train()
            ending = Ending(reason=self._end or "finished", text=self._end_text)
            if ending.reason != "diverged" and self._loop is not None:
                self._keeper.keep_end(self._loop.state, stopped=ending.reason == "stopped")
        except BaseException as error:  # noqa: BLE001 - every way to end is said; nothing is swallowed
            ending = because_of(error)
        return self._leave(ending)

    @property
    def _position(self) -> At:
        return self._loop.state.position if self._loop is not None else self._stood

    # -- beginning and end

    def _begin(self) -> None:
        def progress(what: str, done: int, total: int) -> None:
            self._emit(LoadingEvent(what=what, done=done, total=total))

        job = self._job
        if job.run is not None:
            self._keeper.own(job.run)
        loaded = load(job, progress, self._stop_asked.is_set)
        state = loaded.state
        loop = self._loop = Loop(state, self._say)
        lines = WaitingHand(job.lines, state.position if loaded.resumed else None, state.hand)
        if job.snapshot is not None and job.run is not None:
            self._keeper.took_up(job.snapshot, state)
        state.hand += self._agenda.begin(lines, job.recorded, state.position, state.hand, self._mailbox)
        desk = self._desk = Desk(loop, self._keeper, self._emit)
        self._finder = FinderDesk(loop, desk, self._mailbox, self._emit)
        self._rewinder = RewindDesk(loop, desk, self._keeper, self._agenda, self._mailbox, self._emit)
        self._keeper.begin(job.run, loaded.name, loaded.parent, state, self._agenda.file_json(), self._agenda.rows())
        self._emit(loaded.start_event(self._keeper.run, self._keeper.name, self._keeper.steps(state.position)))
        for remark in loaded.remarks:
            self._emit(WarningEvent(text=remark))
        self._move("loaded")
        for letter in self._agenda.posted:
            self._answer(letter, "queued")
        if not loaded.resumed or job.run is None:  # so that every run can be taken up from where it began
            self._keeper.keep_beginning(state)
        loop.say_rates()
        if job.epochs is not None and job.epochs != state.epochs:
            longer = SetEpochs(epochs=job.epochs)
            desk.act(Letter(0, longer), longer)
        if job.begin:
            self._one_epoch = job.one_epoch
            self._move("start")

    def _leave(self, ending: Ending) -> EndEvent:
        """Answer whatever is left unanswered, let go of the memory, then say the end, whatever goes wrong meanwhile."""
        sha, at = None, self._position
        if ending.reason == "failed" and self._loop is not None:
            with suppress(Exception):
                self._loop.report()  # what was trained before it failed
        try:
            self._answer_the_rest(ending.reason)
            last_acts: dict[EndReason, Action] = {"finished": "finish", "stopped": "stop"}
            self._lifecycle = next_state(self._lifecycle, last_acts.get(ending.reason, "fail"))
            if self._loop is not None:
                self._keeper.note(self._loop.state, ending.reason)
                at = At(epoch=min(at.epoch, self._loop.state.epochs), batch=at.batch)
                sha = weights_sha256(self._loop.state.model) if ending.details is None else None
            self._keeper.close()
            self._tell_state()
        except BaseException as error:  # noqa: BLE001 - or there would be no end event
            ending = ending if ending.details is not None else because_of(error)
            with suppress(Exception):
                self._keeper.close()
        self._stood = self._position
        if self._loop is not None:
            self._loop.state.batches.close()
        self._loop = self._desk = self._finder = self._rewinder = None
        give_back()
        end = ending.event(at, sha, self._keeper.newest)
        try:
            self._emit(end)
        except Exception:  # noqa: BLE001 - there is nobody left to tell it to
            traceback.print_exc()
        return end

    def _answer_the_rest(self, reason: EndReason) -> None:
        never_read = self._mailbox.close()
        for letter in never_read:
            if letter.at is not None and self._loop is not None:
                self._keeper.wait(self._agenda.add(letter))  # for when the run is taken up
        for letter in (*self._agenda.rest(), *(one for one in never_read if one.at is None or self._loop is None)):
            stopped = isinstance(letter.command, Stop) and reason == "stopped" and self._loop is None  # while loading
            self._answer(letter, "applied" if stopped else "rejected", None if stopped else _OVER)

    # -- training

    def _train(self) -> None:
        assert self._loop is not None
        loop = self._loop
        while True:
            self._hear()
            if self._end is not None:
                return
            if loop.at_runs_end:
                self._end = "finished"
                return
            trouble = loop.batch()
            if self._keeper.moment_is_due and not loop.at_epochs_end:
                trouble = loop.report() or trouble
                self._keeper.autosave(loop.state.capture(), "timed")
            if loop.at_epochs_end:
                ended = loop.finish_epoch()
                trouble = trouble or ended
                self._keep_epochs_end(loop, well=trouble is None)
                if self._one_epoch and not loop.at_runs_end and trouble is None:
                    self._move("epoch_done")
            if trouble is not None:
                self._diverged(trouble)

    def _keep_epochs_end(self, loop: Loop, well: bool) -> None:
        if self._keeper.keeps:
            if well:  # or a good snapshot would be thinned out for the sake of a spoiled one
                self._keeper.autosave(loop.state.capture(), "epoch")
            self._keeper.note(loop.state, self._lifecycle)

    def _diverged(self, trouble: Trouble) -> None:
        at, pauses = self._position, self._job.on_divergence == "pause"
        began = self._illness.fall(trouble, at)
        back = way_back(self._keeper, began)
        place = (back.epoch, back.batch)
        self._emit(DivergedEvent(epoch=at.epoch, batch=at.batch, text=trouble.text, back=place))
        if pauses:
            self._move("diverge")
        else:
            self._end, self._end_text = "diverged", trouble.text

    # -- commands

    def _hear(self) -> None:
        """Carry out what is due and what was posted; returns when there is a batch to train, or the end."""
        assert self._loop is not None
        while self._end is None:
            if self._next_line():
                continue
            trains = self._lifecycle == "training" or (self._loop.at_runs_end and self._lifecycle != "diverged")
            letter = self._mailbox.take(wait=not trains)
            if letter is None:
                return
            if letter.at is not None and self._position < letter.at:
                self._keeper.wait(self._agenda.add(letter))
            else:
                self._carry_out(letter)

    def _next_line(self) -> bool:
        """Carry out the next line or late command if its moment has come; whether there was one."""
        assert self._loop is not None
        letter = self._agenda.next(self._position)
        if letter is not None:
            self._carry_out(letter)
        return letter is not None

    def _carry_out(self, letter: Letter) -> None:
        assert self._loop is not None
        assert self._desk is not None
        trouble = self._loop.report()  # a loss that was not learned from comes before what was asked for after it
        if trouble is not None:
            self._diverged(trouble)
        number, command, at = letter.number, letter.command, letter.at
        problem = no_such_batch(at, self._loop.state.batches.per_epoch) if at is not None else None
        if self._end is not None:
            problem = _OVER
        if problem is not None:
            self._desk.turn_down(letter, problem)
        elif isinstance(command, TransportCommand):
            self._transport(number, command)
        elif isinstance(command, Withdraw):
            self._withdraw(number, command)
        elif isinstance(command, FinderCommand):
            assert self._finder is not None
            self._finder.carry_out(number, command, self._lifecycle)
        elif isinstance(command, (Rewind, CancelRewind)):
            assert self._rewinder is not None
            if self._rewinder.carry_out(letter, command) == "rewound":
                self._move("rewind")
        else:
            self._act(letter, command)

    def _transport(self, number: int, command: TransportCommand) -> None:
        assert self._desk is not None
        try:
            self._move(command.command)
        except IllegalAction as refusal:
            self._desk.refuse(number, command, Words("{why}", why=refusal))
            return
        if not isinstance(command, Pause):
            self._one_epoch = isinstance(command, RunEpoch)
        self._desk.done(number, command)
        if isinstance(command, Pause):  # a plan stepped per batch has moved on since the epoch's start
            assert self._loop is not None
            self._loop.say_rates()

    def _withdraw(self, number: int, command: Withdraw) -> None:
        assert self._desk is not None
        waiting = self._agenda.withdraw(command.id)
        if waiting is None:
            self._desk.refuse(number, command, Words("it does not wait any more"))
            return
        self._desk.turn_down(waiting, WITHDRAWN)
        self._desk.done(number, command)

    def _act(self, letter: Letter, act: HandCommand) -> None:
        assert self._desk is not None
        next_state(self._lifecycle, "act")
        if self._desk.act(letter, act) == "stop":
            self._end = "stopped"

    def _move(self, action: Action) -> None:
        self._lifecycle = next_state(self._lifecycle, action)
        if self._loop is not None:
            self._keeper.note(self._loop.state, self._lifecycle)
        self._tell_state()

    def _tell_state(self) -> None:
        at = self._position
        self._emit(StateEvent(state=self._lifecycle, epoch=at.epoch, batch=at.batch))
