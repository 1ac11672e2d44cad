from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from engine.common.errors import SpecError
from engine.data.registry import load
from engine.models.registry import build, on_meta
from engine.models.summary import outline
from engine.recipe.networks import NETWORKS
from engine.recipe.recipe import DataSpec, ModelSpec

MNIST: dict[str, int] = {"channels": 1, "height": 28, "width": 28, "classes": 10}
DIGITS: dict[str, int] = {"channels": 1, "height": 8, "width": 8, "classes": 10}


def state() -> Tensor:
    return torch.get_rng_state()


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("size", [(1, 8, 8), (1, 28, 28), (3, 32, 32), (2, 4, 4), (3, 5, 17), (3, 64, 80)])
def test_every_network_can_be_built_for_every_size(name: str, size: tuple[int, int, int]) -> None:
    channels, height, width = size
    network = on_meta(ModelSpec(name=name), channels=channels, height=height, width=width, classes=7)
    scores = network(torch.zeros(3, channels, height, width, device="meta"))
    assert scores.shape == (3, 7)


@pytest.mark.parametrize("name", NETWORKS)
def test_a_batch_of_a_single_image_can_be_trained_on(name: str) -> None:
    torch.manual_seed(0)
    network = build(ModelSpec(name=name), **DIGITS)
    assert network.training
    network(torch.rand(1, 1, 8, 8)).sum().backward()
    assert all(p.grad is not None for p in network.parameters())


@pytest.mark.parametrize(
    ("name", "pattern", "parameters"),
    [
        ("small_cnn", "fc*", 32 * 7 * 7 * 10 + 10),
        ("lenet5", "fc3", 84 * 10 + 10),
        ("resnet18", "fc", 512 * 10 + 10),
        ("vgg11_bn", "classifier", 512 * 512 + 512 + 512 * 10 + 10),
    ],
)
def test_the_head_of_an_entry_is_the_last_layers(name: str, pattern: str, parameters: int) -> None:
    network = on_meta(ModelSpec(name=name), **MNIST)
    found = [module for module, _ in outline(network) if fnmatchcase(module, pattern)]
    assert sum(size for module, size in outline(network) if module.startswith(found[0])) == parameters


def test_an_outline_counts_each_modules_own_parameters() -> None:
    network = nn.Sequential()
    network.add_module("body", nn.Sequential(nn.Linear(2, 3), nn.ReLU()))
    network.add_module("fc", nn.Linear(3, 4, bias=False))
    assert outline(network) == [("body", 0), ("body.0", 9), ("body.1", 0), ("fc", 12)]


@pytest.mark.parametrize("name", NETWORKS)
def test_on_meta_is_the_same_network_and_changes_no_generator(name: str) -> None:
    torch.manual_seed(0)
    before = state()
    counted = on_meta(ModelSpec(name=name), **DIGITS)
    assert torch.equal(state(), before)
    assert all(p.is_meta for p in counted.parameters())
    assert outline(counted) == outline(build(ModelSpec(name=name), **DIGITS))


def test_the_initial_weights_depend_on_the_callers_seed_and_the_check_draws_nothing() -> None:
    def weights(seed: int) -> tuple[list[Tensor], Tensor]:
        torch.manual_seed(seed)
        network = build(ModelSpec(name="small_cnn"), **MNIST)
        return list(network.state_dict().values()), state()

    (one, after), (two, _), (other, _) = weights(1), weights(1), weights(2)
    assert all(map(torch.equal, one, two))
    assert not all(map(torch.equal, one, other))
    torch.manual_seed(1)
    from engine.models.builtin import SmallCNN

    SmallCNN(1, 28, 28, 10)
    assert torch.equal(state(), after), "building alone moves the generator as far as building and checking"


def test_for_large_images_the_networks_are_torchvisions() -> None:
    import torchvision.models

    large: dict[str, int] = {"channels": 3, "height": 224, "width": 224, "classes": 5}
    with torch.device("meta"):
        theirs = {n: torchvision.models.get_model(n, weights=None, num_classes=5) for n in ("resnet18", "vgg11_bn")}
    for name, reference in theirs.items():
        shapes = {key: value.shape for key, value in on_meta(ModelSpec(name=name), **large).state_dict().items()}
        assert shapes == {key: value.shape for key, value in reference.state_dict().items()}


def test_images_under_four_pixels_are_an_error() -> None:
    with pytest.raises(SpecError, match=r"model.name: small_cnn needs images of 4 x 4 pixels or more, not 3 x 8"):
        build(ModelSpec(name="small_cnn"), channels=1, height=3, width=8, classes=2)


def test_small_cnn_learns_the_digits() -> None:
    """SGD 0.01 with momentum 0.9, batches of 64: over 97% of the validation images right after 8 epochs."""
    given = load(DataSpec(name="digits"))

    def prepared(images: np.ndarray) -> Tensor:
        return (torch.from_numpy(images).float() - given.train.images.mean()) / given.train.images.std()

    images, labels = prepared(given.train.images), torch.from_numpy(given.train.labels)
    torch.manual_seed(0)
    network = build(ModelSpec(name="small_cnn"), **DIGITS)
    optimizer = torch.optim.SGD(network.parameters(), lr=0.01, momentum=0.9)
    for _ in range(8):
        for batch in torch.randperm(len(images)).split(64):
            optimizer.zero_grad()
            loss: Any = functional.cross_entropy(network(images[batch]), labels[batch])
            loss.backward()
            optimizer.step()
    network.eval()
    with torch.no_grad():
        right = network(prepared(given.val.images)).argmax(1) == torch.from_numpy(given.val.labels)
    assert right.float().mean() > 0.97
