"""What the texts say of a schedule that a metric drives comes true."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from engine.lr.control import LRControl
from engine.lr.preview import draw
from engine.messages.preview import Curve, CurveQuery
from engine.recipe.recipe import Recipe
from engine.schedules import Constant, OneCycleLR, ReduceLROnPlateau
from gui.core.lr_text import lr_text
from gui.schedule.text import next_cut, schedule_text
from tests.gui.schedule.test_preview import lr_event


def control(spec: ReduceLROnPlateau) -> LRControl:
    return LRControl.from_recipe(Recipe(schedule=spec, epochs=60), ["all"], 1)


def bad_until_cut(lr: LRControl, metric: dict[str, float]) -> int:
    before, epochs = lr.current(), 0
    while lr.current() == before:
        lr.epoch_done(metric)
        epochs += 1
        assert epochs < 50
    return epochs


def number(text: str | None, pattern: str) -> float:
    found = re.search(pattern, text or "")
    assert found is not None, text
    return float(found[1])


@pytest.mark.parametrize("cooldown", [0, 3])
@pytest.mark.parametrize("mode", ["min", "max"])
@pytest.mark.parametrize("threshold_mode", ["rel", "abs"])
def test_the_next_cut_comes_after_as_many_bad_epochs_as_the_text_says(
    mode: str, threshold_mode: str, cooldown: int
) -> None:
    spec = ReduceLROnPlateau.model_validate(
        {"mode": mode, "threshold_mode": threshold_mode, "threshold": 0.1, "patience": 4, "cooldown": cooldown}
    )
    lr = control(spec)
    for value in (1.0, 0.5, 2.0, 1.0):
        lr.epoch_done({"val_loss": value})
    text = next_cut(lr_event(lr))
    limit = number(text, r"not (?:below|above) ([\d.]+)")
    better = limit - 0.001 if mode == "min" else limit + 0.001
    worse = limit + 0.001 if mode == "min" else limit - 0.001
    again = LRControl.from_state(lr.state(), Recipe().optimizer)
    again.epoch_done({"val_loss": better})
    assert "(0 bad of 4)" in (next_cut(lr_event(again)) or "")
    assert bad_until_cut(lr, {"val_loss": worse}) == number(text, r"after (\d+) more")
    text = next_cut(lr_event(lr))
    assert bad_until_cut(lr, {"val_loss": worse}) == number(text, r"after (\d+) more") == 5 + cooldown


def test_before_the_first_metric_there_is_nothing_to_beat() -> None:
    lr = control(ReduceLROnPlateau(patience=3))
    assert next_cut(lr_event(lr)) == "×0.1 after 4 epochs in which val_loss is no better"


def test_at_the_floor_there_is_no_further_cut() -> None:
    lr = control(ReduceLROnPlateau(patience=0, min_lr=0.01))
    assert next_cut(lr_event(lr)) == "at its floor: no further cut"


def test_a_held_lr_or_a_schedule_without_a_metric_has_no_next_cut() -> None:
    lr = control(ReduceLROnPlateau())
    lr.set_lr(0.1, "hold", None)
    assert next_cut(lr_event(lr)) is None
    level = LRControl.from_recipe(Recipe(schedule=Constant()), ["all"], 1)
    assert next_cut(lr_event(level)) is None


def test_of_a_schedule_that_changes_each_batch_the_next_epoch_is_named() -> None:
    recipe = Recipe(schedule=OneCycleLR(max_lr=0.1), epochs=3)
    lrs = lr_event(LRControl.from_recipe(recipe, ["all"], 4))
    curve = draw(CurveQuery(key="", recipe=recipe, steps_per_epoch=4, epochs=3))
    second = float(curve.lr[4, 0])
    assert schedule_text(lrs, curve) == f"Schedule: OneCycleLR, {lr_text(second, 4)} from epoch 2"
    last = curve.x >= 2
    curve = replace(curve, x=curve.x[last], lr=curve.lr[last])
    assert schedule_text(lrs, curve) == "Schedule: OneCycleLR, 4e-7 at the end"


def test_the_line_about_the_schedule_contains_the_next_cut() -> None:
    lr = control(ReduceLROnPlateau(patience=3))
    curve: Curve = draw(CurveQuery(key="", recipe=Recipe(schedule=ReduceLROnPlateau(patience=3))))
    assert schedule_text(lr_event(lr), curve).startswith("Schedule: ReduceLROnPlateau. ×0.1 after 4 epochs")
