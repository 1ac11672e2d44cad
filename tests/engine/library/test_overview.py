"""The list of runs, from real runs."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

from engine.library import overviews
from engine.library.schema import connect
from engine.training.job import Job
from tests.engine.running import commands, library_at, recipe, run


def test_each_run_is_listed_with_what_it_trains_and_its_best_results(tmp_path: Path) -> None:
    with library_at(tmp_path) as library:
        done = run(Job(recipe=recipe(epochs=3), lines=commands()), library)
        bare = run(Job(recipe=recipe(epochs=2), lines=commands({"at": {"epoch": 1}, "command": "stop"})), library)
        assert bare.end.reason == "stopped"
        first, second = overviews(library)
        assert (first.data, first.optimizer, first.schedule) == ("digits", "SGD", "ExponentialLR")
        assert first.network == Path(recipe().model.name).name
        assert first.best_accuracy == max(e.val_accuracy for e in done.epochs)
        assert first.best_loss == min(e.val_loss for e in done.epochs)
        assert first.row.bytes > 0
        assert (second.best_accuracy, second.best_loss, second.lr) == (None, None, ())
        library.delete(first.row.id)
        assert [o.row.id for o in overviews(library)] == [second.row.id]
        assert [o.row.id for o in overviews(library, deleted=True)] == [first.row.id]


def test_the_lr_of_a_run_is_that_of_its_newest_batch(tmp_path: Path) -> None:
    with library_at(tmp_path) as library:
        done = run(Job(recipe=recipe(epochs=2, schedule={"name": "OneCycleLR", "max_lr": 0.1})), library)
        last = done.of("steps")[-1].lr[-1].tolist()
        assert last != done.epochs[-1].lr
        assert list(overviews(library)[0].lr) == last
        with closing(connect(tmp_path)) as db:
            db.execute("DELETE FROM steps WHERE epoch = 2")
        assert list(overviews(library)[0].lr) == done.epochs[-1].lr


def test_an_epoch_that_is_not_finite_is_never_the_best(tmp_path: Path) -> None:
    with library_at(tmp_path) as library:
        done = run(Job(recipe=recipe(epochs=3)), library)
        with closing(connect(tmp_path)) as db:
            ((event,),) = db.execute("SELECT event FROM epochs WHERE epoch = 3").fetchall()
            spoiled = json.dumps({**json.loads(event), "val_loss": float("nan"), "val_accuracy": 0.0})
            db.execute("UPDATE epochs SET event = ? WHERE epoch = 3", (spoiled,))
        (row,) = overviews(library)
        assert row.best_loss == min(e.val_loss for e in done.epochs[:2])


def test_an_unreadable_recipe_leaves_its_parts_empty(tmp_path: Path) -> None:
    with library_at(tmp_path) as library:
        run(Job(recipe=recipe(epochs=1)), library)
        for text in ("not JSON", "[]", '{"data": 3}'):
            with closing(connect(tmp_path)) as db:
                db.execute("UPDATE runs SET recipe = ?", (text,))
            (row,) = overviews(library)
            assert (row.data, row.network, row.schedule) == ("", "", "")
