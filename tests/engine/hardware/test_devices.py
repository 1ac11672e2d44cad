"""Devices by name, and determinism."""

from __future__ import annotations

import pytest
import torch

from engine.common.errors import SpecError
from engine.hardware.devices import available, choose, nondeterministic_operator, prepare
from engine.recipe.data_sets import DATA_SETS
from engine.training.loading import _set_threads
from tests.engine.running import DEVICES, recipe, run

GPU = torch.cuda.is_available()


def test_auto_is_the_first_gpu_or_the_cpu_with_the_reason() -> None:
    device, said = choose("auto")
    assert device == (torch.device("cuda", 0) if GPU else torch.device("cpu"))
    assert said.startswith("auto chose cuda:0 (" if GPU else "auto chose the CPU: PyTorch found no CUDA GPU")
    start, warning = (run(recipe(device="auto", epochs=1)).of(kind)[0] for kind in ("start", "warning"))
    assert (start.device, warning.text) == (str(device), said)


@pytest.mark.parametrize("name", ["cuda:42", *([] if GPU else ["cuda", "cuda:0"])])
def test_a_missing_gpu_is_an_error_that_lists_the_gpus(name: str) -> None:
    with pytest.raises(SpecError, match=rf"^device: {name} was not found \(CUDA GPUs found: .*\); choose auto or cpu$"):
        choose(name)


def test_the_available_devices_start_with_auto_and_can_be_chosen() -> None:
    names = [name for name, _ in available()]
    assert names[:2] == ["auto", "cpu"]
    assert len(names) == 2 + (torch.cuda.device_count() if GPU else 0)
    for name in names[1:]:
        assert str(choose(name)[0]) == name


def test_on_the_cpu_every_operator_is_deterministic() -> None:
    assert prepare(torch.device("cpu")) is None
    x = torch.zeros(2, 1, 8, 8)
    assert nondeterministic_operator(torch.nn.Flatten(), x, torch.zeros(2, dtype=torch.int64)) is None


class Histogram(torch.nn.Module):
    """Cumulative sums are not deterministic on CUDA."""

    def __init__(self) -> None:
        super().__init__()
        self.fc = torch.nn.Linear(64, 10)
        self.norm = torch.nn.BatchNorm1d(10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        scores: torch.Tensor = self.norm(self.fc(torch.nn.functional.interpolate(x, size=8, mode="bicubic").flatten(1)))
        return torch.nn.functional.dropout(scores.put(torch.tensor([0], device=x.device), scores.new_ones(1)), 0.5)


@pytest.mark.cuda
def test_a_nondeterministic_operator_is_named_and_the_search_changes_nothing() -> None:
    device = torch.device("cuda", 0)
    network = Histogram().to(device)
    before = {name: t.clone() for name, t in network.state_dict().items()}
    stream = torch.cuda.get_rng_state(device)
    x, y = torch.rand(4, 1, 8, 8, device=device), torch.zeros(4, dtype=torch.int64, device=device)
    assert nondeterministic_operator(network, x, y)
    assert torch.equal(stream, torch.cuda.get_rng_state(device))
    assert all(torch.equal(t, before[name]) for name, t in network.state_dict().items())
    assert all(p.grad is None for p in network.parameters())
    assert not torch.are_deterministic_algorithms_enabled()


@pytest.mark.cuda
def test_a_process_without_cublas_workspace_config_is_warned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CUBLAS_WORKSPACE_CONFIG", raising=False)
    assert "CUBLAS_WORKSPACE_CONFIG" in str(prepare(torch.device("cuda", 0)))
    assert torch.backends.cudnn.deterministic


@pytest.mark.parametrize("device", DEVICES)
def test_the_start_event_has_the_device(device: str) -> None:
    (start,) = run(recipe(device=device, epochs=1)).of("start")
    assert start.device == str(choose(device)[0])
    assert start.threads == torch.get_num_threads()


@pytest.mark.parametrize(
    ("network", "batch", "threads"),
    [
        ("small_cnn", 5, 1),
        ("small_cnn", 15, 2),
        ("small_cnn", 16, 3),
        ("small_cnn", 128, 4),
        ("tiny", 10, 1),
        ("tiny", 11, 2),
        ("resnet18", 1, 4),
    ],
)
def test_the_number_of_threads_depends_on_the_pixels_of_a_batch(network: str, batch: int, threads: int) -> None:
    """More threads would be slower. The number depends on the recipe only, so that the results do too."""
    name = recipe().model.name if network == "tiny" else network
    torch.set_num_threads(4)
    made = recipe(model={"name": name}, data={"name": "mnist", "batch_size": batch})
    facts = DATA_SETS["mnist"].facts
    assert facts is not None
    assert _set_threads(made, facts, None) == []
    assert torch.get_num_threads() == threads


@pytest.mark.parametrize(("recorded", "threads"), [(1, 1), (5, 5), (6, 6), (256, 6)])
def test_a_resumed_run_keeps_its_threads_but_never_more_than_its_batches_can_use(recorded: int, threads: int) -> None:
    """A checkpoint that says 256 for a small network would make it train fifty times slower."""
    torch.set_num_threads(4)
    made = recipe(model={"name": "small_cnn"}, data={"name": "mnist", "batch_size": 32})
    facts = DATA_SETS["mnist"].facts
    assert facts is not None
    (remark,) = _set_threads(made, facts, {"environment": {"threads": recorded}})
    assert str(remark) == f"using {threads} threads, as the run began with, instead of 4"
    assert torch.get_num_threads() == threads
