"""Networks of one's own: what they decided stays, what they hold is restored, what is wrong is said before the run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from engine.common.errors import Cancelled, Rejected
from engine.data.registry import load as load_data
from engine.messages.commands import FindLR
from engine.recipe.recipe import DataSpec, Recipe
from engine.training import loop
from engine.training.job import Job
from engine.training.loading import Loaded, load
from engine.training.range_test import sweep
from engine.training.run_state import RunState, random_state, weights_sha256
from engine.training.trainer import Trainer
from tests.engine import running
from tests.engine.running import DEVICES, Events, at, commands, run
from tests.engine.training.test_exactness import resumed_twice, same

NETWORKS = Path(running.__file__).with_name("own_networks.py")
EXACT = [
    "freezes_a_layer",
    "keeps_batchnorm_in_eval",
    "still_batchnorm",
    "returned_in_eval",
    "views",
    "volumes",
    "extra_state",
    "reassigns_a_buffer",
    "not_persistent",
    "plain_tensor",
    "none_first",
    "grows",
    "also_in_eval",
    "own_generator",
    "many_types",
    "weight_norm",
    "parametrized",
    "parametrized_head",
    "pruned",
    "scripted",
    "recurrent",
    "shares",
    "lazy",
]
SAID = {
    "returned_in_eval": "returned_in_eval was returned in evaluation mode; all of it is set to training mode",
    "views": "views is trained in the contiguous memory format: it does not work in channels_last",
    "volumes": "volumes is trained in the contiguous memory format: it does not work in channels_last",
}


def recipe(network: str, /, **changes: Any) -> Recipe:
    return running.recipe("tiny", model={"name": f"{NETWORKS}:{network}"}, **changes)


def loaded(network: str, /, **changes: Any) -> Loaded:
    return load(Job(recipe=recipe(network, **changes)), lambda *_: None, lambda: False)


def said(events: Events) -> list[str]:
    return [str(warning.text).replace("own_networks.py:", "") for warning in events.of("warning")]


def state_of(network: str, device: str = "cpu") -> RunState:
    return RunState(recipe(network, device=device), load_data(DataSpec()), torch.device(device))


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("network", EXACT)
def test_a_resumed_run_has_the_weights_of_an_uninterrupted_one(tmp_path: Path, network: str, device: str) -> None:
    whole = run(recipe(network, device=device))
    same(resumed_twice(tmp_path, recipe(network, device=device)), whole)
    assert said(whole) == [SAID[network]] if network in SAID else not said(whole)


@pytest.mark.parametrize("network", ["freezes_a_layer", "keeps_batchnorm_in_eval", "still_batchnorm"])
def test_a_rewind_restores_what_the_network_decided(network: str) -> None:
    whole = run(recipe(network))
    again = run(Job(recipe=recipe(network), lines=commands(at(3, 0, "rewind", epoch=1, batch=1))))
    same(again, whole)


def test_parameters_that_the_network_froze_stay_so_and_modules_in_the_mode_that_it_gave_them() -> None:
    for network in ("freezes_a_layer", "keeps_batchnorm_in_eval", "still_batchnorm"):
        state = loaded(network).state
        layers = state.model if isinstance(state.model, nn.Sequential) else state.model.layers
        before = {name: t.clone() for name, t in state.model.state_dict().items()}
        for _ in range(2):
            state.restore(state.capture())
            runs = loop.Loop(state, lambda event: None)
            while not runs.at_epochs_end:
                runs.batch()
            runs.finish_epoch()
            assert layers[1].weight.requires_grad is (network != "freezes_a_layer")
            assert layers[2].training is (network == "freezes_a_layer")
            assert layers[4].training
        changed = [name for name, t in state.model.state_dict().items() if not torch.equal(t, before[name])]
        fixed = {"1.weight", "1.bias"} if network == "freezes_a_layer" else set()
        statistics = {"2.running_mean", "2.running_var", "2.num_batches_tracked"}
        still = fixed or statistics
        assert {name.removeprefix("layers.") for name in changed} == {
            name.removeprefix("layers.") for name in before
        } - still


def test_unfreezing_a_group_leaves_what_the_network_froze() -> None:
    groups = [{"name": "body", "modules": ["0", "1", "2"], "frozen": True}]
    state = loaded("freezes_a_layer", groups=groups).state
    state.freeze("body", False)
    flags = {name: p.requires_grad for name, p in state.model.named_parameters()}
    assert [name for name, flag in flags.items() if not flag] == ["1.weight", "1.bias"]
    state = loaded("freezes_a_layer", groups=[{"name": "linear", "modules": ["1"]}]).state
    with pytest.raises(Rejected, match="nothing would be left to train"):
        state.freeze("rest")


def tensors(state: RunState) -> dict[str, Tensor]:
    model, outside = state.network.state()
    return {name: t for name, t in {**model, **outside}.items() if isinstance(t, Tensor)}


@pytest.mark.parametrize("before", [0, 2], ids=["first", "later"])
@pytest.mark.parametrize(
    "network", ["reassigns_a_buffer", "not_persistent", "plain_tensor", "none_first", "grows", "many_types"]
)
def test_a_masked_batch_changes_no_tensor_however_the_network_holds_it(network: str, before: int) -> None:
    state = state_of(network)
    x, y = state.batches.batch(1, 0)
    for _ in range(before):
        assert state.stepper.step(x, y, state.meter.sums).passed
    kept = tensors(state)
    assert not state.stepper.step(x * float("nan"), y, state.meter.sums).passed
    now = tensors(state)
    assert now.keys() == kept.keys()
    assert all(torch.equal(now[name], kept[name]) for name in kept)
    assert state.stepper.step(x, y, state.meter.sums).passed
    assert any(not torch.equal(t, kept[name]) for name, t in tensors(state).items() if name in kept)


@pytest.mark.parametrize(
    ("network", "text"),
    [
        ("counts", "keeps state that a checkpoint cannot hold (seen): a resumed run may differ in its weights"),
        ("counts_in_a_list", "resumed in a trial, gave other weights"),
        ("foreign_extra_state", "cannot hold (_extra_state)"),
        ("hides_its_weights", "no checkpoint of hides_its_weights can be resumed, its state does not fit"),
    ],
)
def test_what_a_checkpoint_cannot_hold_is_said_once_at_the_start(network: str, text: str) -> None:
    events = run(recipe(network))
    assert events.end.reason == "finished"
    (sentence,) = said(events)
    assert text in sentence


REFUSED = {
    "two_in_training": "to scores [512, 10]; in training mode it returned tuple",
    "dict_in_eval": "in evaluation mode it returned dict",
    "in_place_residual": "given images [512, 1, 8, 8] in training mode, raised RuntimeError: one of the variables",
    "all_frozen": "no parameter requires a gradient",
    "without_gradient": "it returned scores that depend on no parameter that is trained",
    "fixed_batch": "given images [413, 1, 8, 8] in training mode, raised at line",
    "whole_numbers": "it returned a tensor of torch.int64",
    "train_of_another_kind": "TypeError",
    "breaks_in_eval": "in evaluation mode, raised at line",
}


@pytest.mark.parametrize("network", REFUSED)
def test_a_network_that_cannot_be_trained_is_refused_before_the_run(network: str) -> None:
    events = run(recipe(network))
    assert (events.end.reason, events.end.field) == ("failed", "model.name")
    assert REFUSED[network] in str(events.end.text)
    assert not events.of("start")


@pytest.mark.parametrize("size", [1, 4])
def test_a_batch_of_one_image_that_batchnorm_cannot_train_on_is_refused(size: int) -> None:
    """The digits' 1,437 images leave a last batch of one where the batch size is 4."""
    events = run(recipe("keeps_statistics", data={"name": "digits", "batch_size": size}, epochs=1))
    assert (events.end.reason, events.end.field) == ("failed", "model.name")
    assert "images [1, 1, 8, 8] in training mode, raised" in str(events.end.text)


def test_the_trial_leaves_no_trace() -> None:
    """A run that was tried begins with the weights and the random numbers of one that was not."""
    tried = load(Job(recipe=running.recipe("tiny")), lambda *_: None, lambda: False).state  # which has dropout
    after = random_state(tried.device)
    fresh = RunState(running.recipe("tiny"), load_data(DataSpec()), torch.device("cpu"))
    before = random_state(fresh.device)
    assert weights_sha256(tried.model) == weights_sha256(fresh.model)
    assert torch.equal(before.pop("torch"), after.pop("torch"))
    assert before == after


def test_the_trial_can_be_cancelled() -> None:
    seen: list[str] = []
    with pytest.raises(Cancelled):
        load(
            Job(recipe=recipe("reassigns_a_buffer")),
            lambda what, done, total: seen.append(str(what)),
            lambda: any(what.startswith("trying") for what in seen),
        )


@pytest.mark.parametrize("network", EXACT)
def test_an_lr_range_test_trains_a_copy_of_any_network(network: str) -> None:
    state = loaded(network).state
    runs = loop.Loop(state, lambda event: None)
    for _ in range(2):
        runs.batch()
    before = tensors(state)
    found = sweep(state, FindLR(steps=30), lambda done, total: None, lambda: False)
    assert len(found.lr)
    now = tensors(state)
    assert all(torch.equal(now[name], before[name]) for name in before)


def test_a_network_that_does_not_fit_into_memory_twice_is_not_tried() -> None:
    events = Events()
    Trainer(Job(recipe=running.recipe("greedy_first")), events.append).run()
    assert events.end.out_of_memory == "batch"  # of the run itself
    assert said(events) == ["tiny_networks.py:greedy_first could not be tried for lack of memory"]
