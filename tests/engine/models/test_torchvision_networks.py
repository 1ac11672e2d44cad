from __future__ import annotations

import hashlib
from collections import OrderedDict
from pathlib import Path

import pytest
import torch
import torchvision.models
from torch import nn

from engine.common.errors import SpecError
from engine.models.registry import build
from engine.models.torchvision_networks import fit_weights, load_weights, pretrained, resnet18, vgg11_bn
from engine.recipe.recipe import ModelSpec

MNIST: dict[str, int] = {"channels": 1, "height": 28, "width": 28, "classes": 10}


def test_missing_weights_are_named_with_the_folder_and_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    with pytest.raises(SpecError) as caught:
        build(ModelSpec(name="resnet18", pretrained=True), **MNIST)
    assert caught.value.field == "model.pretrained"
    for words in ("resnet18-f37072fd.pth", str(tmp_path / "hub" / "checkpoints"), "--download", "offline"):
        assert words in caught.value.problem


def test_the_size_of_torchvisions_weights_is_known() -> None:
    assert 46_830_571 <= pretrained("resnet18")[1] <= 46_830_571 + 2048


def test_weights_are_loaded_if_the_digest_in_their_name_matches(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    folder = tmp_path / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    torch.save({"fc.weight": torch.ones(2)}, tmp_path / "weights")
    content = (tmp_path / "weights").read_bytes()
    name = f"net-{hashlib.sha256(content).hexdigest()[:8]}.pth"
    served = (tmp_path / name).as_uri()
    with pytest.raises(SpecError, match="weights not found"):
        load_weights(served, len(content))
    (tmp_path / name).write_bytes(content)
    assert torch.equal(load_weights(served, len(content), download=True)["fc.weight"], torch.ones(2))
    assert torch.equal(load_weights(served, len(content))["fc.weight"], torch.ones(2))
    (folder / name).unlink()
    with pytest.raises(SpecError, match="the file has at most"):
        load_weights(served, len(content) - 1, download=True)
    (folder / name).write_bytes(content[:-1])
    with pytest.raises(SpecError, match="is damaged"):
        load_weights(served, len(content))


def test_grayscale_images_have_the_output_of_rgb_images_in_torchvisions_network() -> None:
    torch.manual_seed(0)
    theirs = torchvision.models.resnet18(weights=None)
    grey = resnet18(1, 64, 64, 10)
    head = grey.get_submodule("fc").state_dict()
    fresh = {key: value.clone() for key, value in head.items()}
    fit_weights(grey, theirs.state_dict())
    assert all(torch.equal(value, fresh[key]) for key, value in grey.get_submodule("fc").state_dict().items())
    images = torch.rand(2, 1, 64, 64)
    theirs.fc = grey.get_submodule("fc")
    with torch.no_grad():
        expected = theirs.eval()(images.expand(-1, 3, -1, -1))
        torch.testing.assert_close(grey.eval()(images), expected, rtol=1e-4, atol=1e-4)


def test_a_network_for_small_images_gets_the_centre_of_the_stem_and_the_other_weights() -> None:
    theirs = torchvision.models.resnet18(weights=None).state_dict()
    small = resnet18(3, 32, 32, 10)
    fit_weights(small, theirs)
    given = small.state_dict()
    assert torch.equal(given.pop("conv1.weight"), theirs["conv1.weight"][:, :, 2:5, 2:5])
    assert all(torch.equal(value, theirs[key]) for key, value in given.items() if not key.startswith("fc."))


def test_a_small_vgg_gets_the_features_only() -> None:
    small = vgg11_bn(3, 28, 28, 10)
    features = {key: torch.rand(t.shape).to(t.dtype) for key, t in small.state_dict().items() if "features." in key}
    head = small.get_submodule("classifier")
    fresh = {key: value.clone() for key, value in head.state_dict().items()}
    fit_weights(small, {**features, "classifier.0.weight": torch.zeros(4096, 25088)})
    given = small.state_dict()
    assert all(torch.equal(given[key], value) for key, value in features.items())
    assert all(torch.equal(value, fresh[key]) for key, value in head.state_dict().items())


def test_a_large_vgg_gets_all_but_the_last_layer() -> None:
    """On a small network with vgg's names, because the real classifier has 120 million weights."""
    classifier = nn.Sequential(*(nn.Linear(2, 2) if i % 3 == 0 else nn.Identity() for i in range(7)))
    network = nn.Sequential(OrderedDict(features=nn.Sequential(nn.Conv2d(3, 2, 3)), classifier=classifier))
    before = {key: value.clone() for key, value in network.state_dict().items()}
    fit_weights(network, {key: torch.zeros_like(value) for key, value in before.items()})
    kept = {key for key, value in network.state_dict().items() if torch.equal(value, before[key])}
    assert kept == {"classifier.6.weight", "classifier.6.bias"}
