"""The registry of data sets."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from pkgutil import resolve_name

import pytest

from engine.data.image_set import DataMissing
from engine.data.registry import describe, load
from engine.recipe.data_sets import DATA_SETS
from engine.recipe.recipe import DataSpec

DIGITS = DataSpec(name="digits")


@pytest.mark.parametrize("entry", DATA_SETS.values(), ids=lambda entry: entry.name)
def test_an_entry_names_a_loader_that_there_is(entry: object) -> None:
    assert callable(resolve_name(entry.loader))


def test_what_is_described_is_what_is_read() -> None:
    facts, given = describe(DIGITS), load(DIGITS)
    assert given.facts == facts
    assert (given.name, given.classes) == ("digits", facts.classes)
    assert given.train.images.shape == (facts.train, facts.channels, facts.height, facts.width)
    assert given.val.labels.shape == (facts.val,)
    assert facts.num_classes == 10


def test_a_set_whose_facts_depend_on_its_files_is_read_for_them(monkeypatch: pytest.MonkeyPatch) -> None:
    known = describe(DIGITS)
    monkeypatch.setitem(DATA_SETS, "digits", replace(DATA_SETS["digits"], facts=None, loader=f"{__name__}:load_digits"))
    assert describe(DIGITS) == known


def load_digits(data_set: object, spec: DataSpec, options: object) -> object:
    """The digits as a set that is known only once it is read."""
    from engine.data.digits import load

    return load(replace(data_set, facts=FACTS), spec, options)


FACTS = DATA_SETS["digits"].facts


def test_describing_a_set_that_is_known_needs_no_files(tmp_path: Path) -> None:
    nowhere = DataSpec(name="mnist", root=str(tmp_path))
    assert describe(nowhere).train == 60_000
    with pytest.raises(DataMissing):
        load(nowhere)
