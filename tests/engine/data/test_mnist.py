"""MNIST and Fashion-MNIST: files in torchvision's layout, and their download."""

from __future__ import annotations

import gzip
import hashlib
import os
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from engine.common.errors import Cancelled, DataMissing, SpecError
from engine.data.feeding import MappedFile
from engine.data.idx import IdxError, read_idx
from engine.data.mnist import SOURCES, Mirrors
from engine.data.registry import describe, load
from engine.data.root import default_data_root
from engine.recipe.data_sets import DATA_SETS
from engine.recipe.recipe import DataSpec

REAL = os.environ.get("TILLER_TEST_DATA")
needs_real_data = pytest.mark.skipif(not REAL, reason="TILLER_TEST_DATA names no folder")


def idx(array: np.ndarray) -> bytes:
    return struct.pack(f">{1 + array.ndim}I", 0x0800 | array.ndim, *array.shape) + array.tobytes()


def images(count: int, size: int = 28) -> np.ndarray:
    return np.arange(count * size * size, dtype=np.uint32).astype(np.uint8).reshape(count, size, size)


def labels(count: int) -> np.ndarray:
    return (np.arange(count) % 10).astype(np.uint8)


def write_mnist(root: Path, zipped: bool = True, folder: str = "MNIST") -> Path:
    raw = root / folder / "raw"
    raw.mkdir(parents=True)
    for part, count in (("train", 30), ("t10k", 12)):
        for name, array in (("images-idx3", images(count)), ("labels-idx1", labels(count))):
            path = raw / f"{part}-{name}-ubyte{'.gz' if zipped else ''}"
            path.write_bytes(gzip.compress(idx(array)) if zipped else idx(array))
    return raw


def spec(root: Path, name: str = "mnist") -> DataSpec:
    return DataSpec(name=name, root=str(root))


def test_images_that_do_not_fit_into_memory_stay_in_their_file(tmp_path: Path) -> None:
    raw = write_mnist(tmp_path, zipped=False)
    size = (raw / "train-images-idx3-ubyte").stat().st_size
    assert not isinstance(load(spec(tmp_path), room=size).train.images, np.memmap)
    given = load(spec(tmp_path), room=size - 1)
    assert isinstance(given.train.images, np.memmap)
    assert not isinstance(given.val.images, np.memmap)  # fewer images
    assert np.array_equal(given.train.images, images(30)[:, None])
    reread = MappedFile(given.train.images).__getitems__(np.array([29, 3]))
    assert np.array_equal(reread.numpy(), images(30)[[29, 3], None])
    for spoilt, said in ((idx(images(30))[:-1], "it is truncated"), (idx(images(30)) + b"x", "it is longer than")):
        (raw / "train-images-idx3-ubyte").write_bytes(spoilt)
        with pytest.raises(SpecError, match=said):
            load(spec(tmp_path), room=0)


@pytest.mark.parametrize("zipped", [True, False])
def test_mnist_is_read_in_torchvisions_layout(tmp_path: Path, zipped: bool) -> None:
    write_mnist(tmp_path, zipped)
    steps: list[tuple[str, int, int]] = []
    given = load(spec(tmp_path), progress=lambda *step: steps.append(step))
    assert np.array_equal(given.train.images, images(30)[:, None])
    assert np.array_equal(given.val.labels, labels(12))
    assert given.val.labels.dtype == np.int64
    assert given.train.images.flags.writeable, "torch.from_numpy warns about arrays that are not"
    assert given.classes == tuple("0123456789")
    assert steps[0] == ("Reading train-images-idx3-ubyte", 0, 4)
    assert steps[-1][1:] == (4, 4)


def test_fashion_mnist_has_its_own_folder_and_class_names(tmp_path: Path) -> None:
    write_mnist(tmp_path, folder="FashionMNIST")
    assert load(spec(tmp_path, "fashion_mnist")).classes[9] == "Ankle boot"
    with pytest.raises(DataMissing):
        load(spec(tmp_path, "mnist"))


def test_missing_files_are_named_with_the_folder_and_what_to_do(tmp_path: Path) -> None:
    raw = write_mnist(tmp_path)
    (raw / "t10k-labels-idx1-ubyte.gz").unlink()
    with pytest.raises(DataMissing) as caught:
        load(spec(tmp_path))
    error = caught.value
    assert error.field == "data.root"
    assert error.files == ("t10k-labels-idx1-ubyte.gz",)
    assert error.folder == raw
    said = str(error)
    assert "\n" not in said
    for words in ("t10k-labels-idx1-ubyte.gz", str(raw), "root", "--download", "offline"):
        assert words in said


def test_without_a_root_the_environment_names_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TILLER_DATA", str(tmp_path))
    assert default_data_root() == tmp_path
    write_mnist(tmp_path)
    assert len(load(DataSpec(name="mnist")).train.labels) == 30
    monkeypatch.delenv("TILLER_DATA")
    assert default_data_root().parts[-2:] == ("tiller", "data")


def test_an_undamaged_copy_is_used_instead_of_a_damaged_one(tmp_path: Path) -> None:
    raw = write_mnist(tmp_path)
    (raw / "train-images-idx3-ubyte").write_bytes(b"half a file")
    assert np.array_equal(load(spec(tmp_path)).train.images, images(30)[:, None])


BROKEN = {
    "truncated gzip": (gzip.compress(idx(images(30)))[:-20], "truncated or damaged"),
    "flipped bytes": (gzip.compress(idx(images(30)))[:-8] + bytes(8), "not a complete gzip file"),
    "not gzip": (b"<html>not here</html>", "not a complete gzip file"),
    "empty": (b"", "header has 0 bytes, not 16"),
    "magic": (gzip.compress(idx(labels(30)) + bytes(99)), "begins with 0x00000801, not 0x00000803"),
    "short": (gzip.compress(idx(images(30))[:-1]), "23519 of 23520 bytes"),
    "long": (gzip.compress(idx(images(30)) + b"x"), "longer than its header says"),
    "huge": (gzip.compress(struct.pack(">4I", 0x0803, 2**31, 28, 28)), "impossible sizes"),
    "none": (gzip.compress(struct.pack(">4I", 0x0803, 0, 28, 28)), "impossible sizes"),
    "other size": (gzip.compress(idx(images(30, 32))), "32 x 32 pixels, not 28 x 28"),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_damaged_file_is_named_with_the_reason(tmp_path: Path, kind: str) -> None:
    raw = write_mnist(tmp_path)
    content, words = BROKEN[kind]
    path = raw / "train-images-idx3-ubyte.gz"
    path.write_bytes(content)
    with pytest.raises(SpecError) as caught:
        load(spec(tmp_path))
    assert caught.value.field == "data.root"
    assert str(path) in caught.value.problem
    assert words in caught.value.problem


def test_labels_that_do_not_fit_the_images_are_an_error(tmp_path: Path) -> None:
    raw = write_mnist(tmp_path)
    path = raw / "train-labels-idx1-ubyte.gz"
    path.write_bytes(gzip.compress(idx(np.full(30, 10, np.uint8))))
    with pytest.raises(SpecError, match="has a label 10; labels go from 0 to 9"):
        load(spec(tmp_path))
    path.write_bytes(gzip.compress(idx(labels(29))))
    with pytest.raises(SpecError, match=r"has 30 images but .* has 29 labels"):
        load(spec(tmp_path))


def test_reading_a_file_can_be_cancelled(tmp_path: Path) -> None:
    raw = write_mnist(tmp_path)
    with pytest.raises(Cancelled):
        read_idx(raw / "train-images-idx3-ubyte.gz", 3, cancelled=lambda: True)


def test_a_file_with_half_a_header_is_an_idx_error(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"\0\0\x08\x01")
    with pytest.raises(IdxError, match="truncated: its header has 4 bytes, not 8"):
        read_idx(path, 1)


def test_with_download_files_that_exist_need_no_network(tmp_path: Path) -> None:
    write_mnist(tmp_path)
    code = (
        "import socket, sys; from engine.data.registry import load; from engine.recipe.recipe import DataSpec;"
        "socket.socket = None;"
        f"load(DataSpec(name='mnist', root={str(tmp_path)!r}), download=True); print('torchvision' in sys.modules)"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "False"


class Files(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def mirror(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of small files, served on loopback in place of torchvision's mirror."""
    import torchvision.datasets

    raw = write_mnist(tmp_path / "mirror")
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Files, directory=str(raw)))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    contents = {path.name: path.read_bytes() for path in raw.iterdir()}
    resources = [(name, hashlib.md5(content).hexdigest()) for name, content in contents.items()]
    files = {name: (hashlib.sha256(content).hexdigest(), len(content)) for name, content in contents.items()}
    monkeypatch.setitem(SOURCES, "MNIST", Mirrors(files))
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setattr(torchvision.datasets.MNIST, "mirrors", [f"http://127.0.0.1:{server.server_port}/"])
    monkeypatch.setattr(torchvision.datasets.MNIST, "resources", resources)
    yield raw
    server.shutdown()
    thread.join()
    server.server_close()


def test_download_adds_missing_files_and_replaces_damaged_ones(tmp_path: Path, mirror: Path) -> None:
    root = tmp_path / "root"
    said: set[str] = set()
    load(spec(root), download=True, progress=lambda what, *_: said.add(what))
    assert "Downloading t10k-labels-idx1-ubyte.gz" in said
    images_file = root / "MNIST" / "raw" / "train-images-idx3-ubyte.gz"
    images_file.write_bytes(b"damaged")
    with pytest.raises(SpecError, match="is damaged"):
        load(spec(root))
    said.clear()
    given = load(spec(root), download=True, progress=lambda what, *_: said.add(what))
    assert {words for words in said if "Downloading" in words} == {"Downloading train-images-idx3-ubyte.gz"}
    assert np.array_equal(given.train.images, images(30)[:, None])
    assert len(load(spec(root)).train.labels) == 30


def test_a_download_that_fails_says_where_to_put_the_file(tmp_path: Path, mirror: Path) -> None:
    (mirror / "train-labels-idx1-ubyte.gz").write_bytes(b"not what torchvision promised")
    root = tmp_path / "root"
    with pytest.raises(SpecError) as caught:
        load(spec(root), download=True)
    assert caught.value.field == "data.root"
    assert f"put train-labels-idx1-ubyte.gz into {root / 'MNIST' / 'raw'}" in caught.value.problem


def test_a_file_with_the_md5_of_the_data_set_but_another_sha256_is_refused(
    tmp_path: Path, mirror: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {name: (hashlib.sha256(b"").hexdigest(), size) for name, (_, size) in SOURCES["MNIST"].files.items()}
    monkeypatch.setitem(SOURCES, "MNIST", Mirrors(files))
    with pytest.raises(SpecError, match="its sha256 does not match"):
        load(spec(tmp_path / "root"), download=True)


def test_every_file_that_can_be_downloaded_has_a_sha256_a_size_and_a_mirror_with_https() -> None:
    import torchvision.datasets

    for entry in DATA_SETS.values():
        if entry.torchvision:
            theirs, ours = getattr(torchvision.datasets, entry.torchvision), SOURCES[entry.torchvision]
            assert ours.files.keys() == dict(theirs.resources).keys()
            assert any(url.startswith("https:") for url in (*theirs.mirrors, *ours.mirrors))


@needs_real_data
@pytest.mark.parametrize("folder", SOURCES)
def test_the_digests_and_sizes_are_those_of_the_real_files(folder: str) -> None:
    for name, (sha256, size) in SOURCES[folder].files.items():
        content = (Path(REAL or "") / folder / "raw" / name).read_bytes()
        assert (hashlib.sha256(content).hexdigest(), len(content)) == (sha256, size)


@needs_real_data
@pytest.mark.parametrize("name", ["mnist", "fashion_mnist"])
def test_the_real_data_sets_have_the_facts_of_the_registry(name: str) -> None:
    given, facts = load(DataSpec(name=name, root=REAL)), describe(DataSpec(name=name))
    assert given.train.images.shape == (facts.train, facts.channels, facts.height, facts.width)
    assert given.val.images.shape == (facts.val, facts.channels, facts.height, facts.width)
    assert sorted(np.unique(given.val.labels)) == list(range(facts.num_classes))
