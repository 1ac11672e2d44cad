from __future__ import annotations

from engine.messages.commands import Position, Resume, SetLR, Withdraw
from engine.training.job import Job
from tests.engine.running import Live, recipe


def test_a_command_that_waits_can_be_taken_back() -> None:
    with Live(Job(recipe=recipe(), begin=False)) as live:
        live.reach("ready")
        waiting = live.trainer.post(SetLR(lr=0.5), Position(epoch=2, batch=1))
        taken = live.trainer.post(Withdraw(id=waiting))
        again = live.trainer.post(Withdraw(id=waiting))
        live.trainer.post(Resume())
        assert live.finish().reason == "finished"
        answers = {a.id: a for a in live.events.answers}
        assert (answers[waiting].status, answers[waiting].reason) == ("rejected", "withdrawn")
        assert answers[taken].status == "applied"
        assert (answers[again].status, answers[again].reason) == ("rejected", "it does not wait any more")
        assert all(0.5 not in epoch.lr_max for epoch in live.events.epochs)
