"""The registry of data sets."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from pkgutil import resolve_name

import pytest

from engine.common.errors import DataMissing
from engine.data.registry import describe, load
from engine.recipe.data_sets import DATA_SETS
from engine.recipe.recipe import DataSpec

DIGITS = DataSpec(name="digits")


@pytest.mark.parametrize("entry", DATA_SETS.values(), ids=lambda entry: entry.name)
def test_every_entry_names_a_loader_that_exists(entry: object) -> None:
    assert callable(resolve_name(entry.loader))


def test_a_loaded_set_has_the_facts_of_the_registry() -> None:
    facts, given = describe(DIGITS), load(DIGITS)
    assert given.facts == facts
    assert (given.name, given.classes) == ("digits", facts.classes)
    assert given.train.images.shape == (facts.train, facts.channels, facts.height, facts.width)
    assert given.val.labels.shape == (facts.val,)
    assert facts.num_classes == 10


def test_a_set_without_known_facts_is_loaded_to_describe_it(monkeypatch: pytest.MonkeyPatch) -> None:
    known = describe(DIGITS)
    monkeypatch.setitem(DATA_SETS, "digits", replace(DATA_SETS["digits"], facts=None, loader=f"{__name__}:load_digits"))
    assert describe(DIGITS) == known


def load_digits(data_set: object, spec: DataSpec, options: object) -> object:
    """Load the digits as a set without known facts."""
    from engine.data.digits import load

    return load(replace(data_set, facts=FACTS), spec, options)


FACTS = DATA_SETS["digits"].facts


def test_a_set_with_known_facts_is_described_without_its_files(tmp_path: Path) -> None:
    nowhere = DataSpec(name="mnist", root=str(tmp_path))
    assert describe(nowhere).train == 60_000
    with pytest.raises(DataMissing):
        load(nowhere)
