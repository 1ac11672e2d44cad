"""Schedules that set their own LRs: what each group gets of them; and the length of OneCycleLR's cycle."""

from __future__ import annotations

import json
from typing import Any

import pytest
import torch

from engine.common.errors import Rejected, SpecError
from engine.common.spec import parse
from engine.lr.control import LRControl
from engine.lr.preview import draw
from engine.messages.commands import SetSchedule
from engine.messages.preview import CurveQuery
from engine.recipe.recipe import Recipe, recipe_from_json
from engine.schedules import AnySchedule, OneCycleLR, ScheduleSpec
from engine.training.job import Job
from tests.engine.raw_torch import flat, optimizer_of, raw_lrs, tiller_lrs
from tests.engine.running import at, commands, recipe, run

NAMES = ("rest", "head")
LRS = (0.01, 0.1)
ONE_CYCLE = {"name": "OneCycleLR", "max_lr": 0.4, "interval": "epoch"}
CYCLES = {"name": "CyclicLR", "base_lr": 0.02, "max_lr": 0.2, "step_size_up": 3, "interval": "epoch"}
DRAWN = {"name": "Drawn", "points": [[0, 0.2], [8, 0.04]]}


def spec(of: dict[str, Any]) -> ScheduleSpec:
    made: ScheduleSpec = parse(AnySchedule, json.dumps(of))
    return made


def recipe_of(schedule: dict[str, Any], epochs: int = 10, /, **head: Any) -> Recipe:
    group = {"name": "head", "modules": ["fc"], "lr": LRS[1], **head}
    return recipe_from_json(
        json.dumps(
            {
                "data": {"name": "digits"},
                "model": {"name": "small_cnn"},
                "optimizer": {"name": "SGD", "lr": LRS[0], "momentum": 0.9},
                "schedule": schedule,
                "groups": [group],
                "epochs": epochs,
            }
        )
    )


def control(schedule: dict[str, Any], epochs: int = 10, /, **head: Any) -> LRControl:
    return LRControl.from_recipe(recipe_of(schedule, epochs, **head), NAMES, 1)


def pytorchs(schedule: dict[str, Any], epochs: int) -> list[list[float]]:
    optimizer = optimizer_of(*LRS, momentum=0.9)
    options = {key: value for key, value in schedule.items() if key not in ("name", "interval")}
    kind = getattr(torch.optim.lr_scheduler, schedule["name"])
    return raw_lrs(optimizer, kind(optimizer, **options), epochs)


@pytest.mark.parametrize(
    "schedule",
    [{**ONE_CYCLE, "max_lr": [0.4, 0.2]}, {**CYCLES, "base_lr": [0.01, 0.02], "max_lr": [0.1, 0.3]}],
    ids=lambda schedule: schedule["name"],
)
def test_a_list_gives_each_group_its_own_as_pytorchs_does(schedule: dict[str, Any]) -> None:
    length = {"total_steps": 10} if schedule["name"] == "OneCycleLR" else {}
    lr = control(schedule)
    assert tiller_lrs(lr, 10) == pytorchs({**schedule, **length}, 10)
    assert not lr.remarks


@pytest.mark.parametrize("schedule", [ONE_CYCLE, CYCLES, DRAWN], ids=lambda schedule: schedule["name"])
def test_of_a_single_value_the_fastest_group_gets_it_and_the_others_keep_their_proportion(
    schedule: dict[str, Any],
) -> None:
    lr, alone = control(schedule), flat(LRControl.from_recipe(recipe_of(schedule), ("all",), 1), 10)
    rest, head = zip(*tiller_lrs(lr, 10), strict=True)
    assert list(head) == alone
    assert list(rest) == pytest.approx([value * 0.1 for value in alone])
    (remark,) = control(schedule).remarks
    assert "group head gets them as given" in remark
    assert "rest ×0.1" in remark


def test_in_a_composed_schedule_only_stages_that_set_their_own_lrs_are_scaled() -> None:
    stages = [{"name": "CosineAnnealingLR", "T_max": 4}, DRAWN]
    composed = {"name": "SequentialLR", "schedulers": stages, "milestones": [4]}
    lrs = tiller_lrs(control(composed), 10)
    assert lrs[0] == list(LRS)
    assert lrs[4] == pytest.approx([0.02, 0.2])


def test_groups_with_schedules_of_their_own_do_not_count() -> None:
    lr = control(ONE_CYCLE, schedule={"name": "Constant"})
    assert lr.groups[0].scheduled.spec == spec(ONE_CYCLE)
    assert not lr.remarks


def test_equal_lrs_or_a_single_group_leave_the_schedule_as_it_is() -> None:
    lr = control(ONE_CYCLE, lr=LRS[0])
    assert [g.scheduled.spec for g in lr.groups] == [spec(ONE_CYCLE)] * 2
    assert not lr.remarks


def test_in_mid_run_the_proportion_is_that_of_the_current_lrs_and_the_answer_says_it() -> None:
    lr = control({"name": "Constant"})
    lr.set_lr(0.05, "follow", "rest")
    warning = lr.apply(SetSchedule(schedule=spec(DRAWN)), [])
    assert lr.current() == pytest.approx([0.1, 0.2])
    assert warning is not None
    assert "rest ×0.5" in warning
    lr.apply(SetSchedule(schedule=spec(DRAWN), group="rest"), [])
    assert lr.current() == [0.2, 0.2]


def test_at_an_lr_of_0_the_proportion_is_that_of_the_recipe() -> None:
    lr = control({"name": "Constant"})
    lr.set_lr(0.0, "hold", "rest")
    lr.apply(SetSchedule(schedule=spec(DRAWN)), [])
    assert lr.current() == pytest.approx([0.02, 0.2])


def test_a_group_whose_lr_is_0_stays_at_0() -> None:
    lr = LRControl.from_recipe(recipe_of(DRAWN, lr=0.0), NAMES, 1)
    assert {head for _, head in tiller_lrs(lr, 10)} == {0.0}


def test_another_number_of_values_than_groups_is_rejected_with_the_field() -> None:
    three = {**ONE_CYCLE, "max_lr": [0.1, 0.2, 0.3]}
    with pytest.raises(SpecError, match=r"^schedule\.max_lr: lists 3 values for 2 group\(s\)"):
        control(three)
    nested = {"name": "SequentialLR", "schedulers": [{"name": "LinearLR"}, three], "milestones": [2]}
    with pytest.raises(SpecError, match=r"^schedule\.schedulers\[1\]\.max_lr: lists 3 values"):
        control(nested)
    with pytest.raises(Rejected, match=r"max_lr: lists 3 values"):
        control({"name": "Constant"}).apply(SetSchedule(schedule=spec(three)), [])
    with pytest.raises(SpecError, match=r"^max_lr: must list 2 values"):
        spec({**CYCLES, "base_lr": [0.1, 0.1], "max_lr": [1, 1, 1]})


def test_a_preview_and_a_run_say_which_group_gets_what() -> None:
    curve = draw(CurveQuery(key="test", recipe=recipe_of(ONE_CYCLE), group_names=NAMES, epochs=10))
    assert any("group head gets them as given" in text for text in curve.warnings)
    groups = [{"name": "head", "modules": ["head"], "lr": 0.1}]
    events = run(recipe(groups=groups, schedule=ONE_CYCLE, epochs=1))
    assert any("group head gets them as given" in event.text for event in events.of("warning"))
    lines = commands(at(1, 1, "set_schedule", schedule=DRAWN))
    (answer,) = run(Job(recipe=recipe(groups=groups, epochs=1), lines=lines)).answers
    assert "group head gets them as given" in str(answer.warning)


# -- the length of OneCycleLR's cycle


@pytest.mark.parametrize("length", [{"total_steps": 12}, {"epochs": 4, "steps_per_epoch": 3}])
def test_a_cycle_can_have_a_length_of_its_own_and_after_it_the_lr_stays(length: dict[str, int]) -> None:
    lr = LRControl.from_recipe(recipe_of({**ONE_CYCLE, **length}, 20), ("all",), 1)
    assert "has 12 positions and the rest of the run has 20: after the cycle the LR stays" in lr.remarks[0]
    wanted = [lrs[1] for lrs in pytorchs({**ONE_CYCLE, "total_steps": 12}, 12)]
    seen = flat(lr, 20)
    assert seen == wanted + [wanted[-1]] * 8
    assert lr.groups[0].scheduled.ended is None
    assert LRControl.from_state(json.loads(json.dumps(lr.state())), recipe_of(ONE_CYCLE).optimizer).current() == [
        wanted[-1]
    ]


def test_a_cycle_longer_than_the_run_is_cut_off() -> None:
    lr = LRControl.from_recipe(recipe_of({**ONE_CYCLE, "total_steps": 30}), ("all",), 1)
    assert "the run ends before the cycle does" in lr.remarks[0]
    assert flat(lr, 10) == [lrs[1] for lrs in pytorchs({**ONE_CYCLE, "total_steps": 30}, 10)]


def test_a_cycle_within_others_stays_at_its_end_too() -> None:
    short = OneCycleLR(max_lr=0.4, interval="epoch", total_steps=5)
    stages = [{"name": "LinearLR", "total_iters": 2}, short.model_dump()]
    lr = LRControl.from_recipe(
        recipe_of({"name": "SequentialLR", "schedulers": stages, "milestones": [2]}), ("all",), 1
    )
    seen = flat(lr, 10)
    assert seen[6:] == [seen[6]] * 4
    assert seen[6] == pytest.approx(0.4 / 25 / 1e4)


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"epochs": 3}, "steps_per_epoch: is required with epochs"),
        ({"steps_per_epoch": 3}, "epochs: is required with steps_per_epoch"),
        ({"total_steps": 10, "epochs": 3, "steps_per_epoch": 3}, "total_steps: must be epochs × steps_per_epoch, 9"),
        ({"total_steps": 0}, "total_steps: must be at least 1"),
    ],
)
def test_lengths_that_contradict_each_other_are_rejected(given: dict[str, int], problem: str) -> None:
    with pytest.raises(SpecError, match=problem):
        spec({**ONE_CYCLE, **given})
