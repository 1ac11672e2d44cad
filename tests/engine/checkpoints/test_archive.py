"""A checkpoint file takes no more memory than its own size justifies, whatever it says of itself."""

from __future__ import annotations

import copy
import io
import pickle
import struct
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from engine.checkpoints.checkpoint import read
from engine.checkpoints.header import read_header
from engine.common.errors import CheckpointError
from tests.engine.checkpoints.bad_files import saved, sealed

MOST = 20_000_000  # bytes of memory; the files are far smaller


def archive(
    pickled: bytes, data: bytes = b"", method: int = zipfile.ZIP_STORED, more: Callable[[zipfile.ZipFile], None] = id
) -> bytes:
    """A file like that of torch.save, of one pickle and one storage."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as made:
        for name, content in {"data.pkl": pickled, "byteorder": b"little", "data/0": data, "version": b"3\n"}.items():
            made.writestr(f"archive/{name}", content)
        more(made)
    return buffer.getvalue()


def tensor(elements: int, storage: str = "FloatStorage") -> bytes:
    """A pickle of a tensor with a storage of that many elements."""
    buffer = io.BytesIO()
    torch.save({"format": torch.zeros(1)}, buffer)
    with zipfile.ZipFile(buffer) as made:
        pickled = made.read("archive/data.pkl")
    number = b"K\x01tq"  # the storage's number of elements, 1, in the tuple that names it
    assert pickled.count(number) == 1
    return pickled.replace(number, b"J" + struct.pack("<i", elements) + b"tq").replace(
        b"FloatStorage", storage.encode()
    )


def many(made: zipfile.ZipFile) -> None:
    """Entries that share their bytes: together they are larger than the file."""
    for number in range(1, 200):
        entry = copy.copy(made.getinfo("archive/data/0"))
        entry.filename = f"archive/data/{number}"
        made.filelist.append(entry)


def twice(made: zipfile.ZipFile) -> None:
    made.writestr("archive/DATA.pkl", b"\x80\x02}.")


EMPTY = b"\x80\x02}."
BOMBS: dict[str, bytes] = {
    "a memo with a gap": archive(b"\x80\x02}r" + struct.pack("<I", 2**28) + b"."),
    "a compressed pickle": archive(b"\x80\x02" + b"]0" * 10_000_000 + b"}.", method=zipfile.ZIP_DEFLATED),
    "a compressed storage": archive(tensor(4_000_000), bytes(16_000_000), method=zipfile.ZIP_DEFLATED),
    "a storage beyond its entry": archive(tensor(100_000_000), bytes(4)),
    "a negative storage": archive(tensor(-1), bytes(4)),
    "entries that overlap": archive(EMPTY, bytes(100_000), more=many),
    "names that differ in case": archive(EMPTY, more=twice),
    "a call that allocates": archive(b"\x80\x02cbuiltins\nbytearray\nJ" + struct.pack("<i", 2**31 - 1) + b"\x85R."),
    "a storage that is called": archive(
        b"\x80\x02ctorch.storage\nUntypedStorage\nJ" + struct.pack("<i", 2**31 - 1) + b"\x85R."
    ),
    "an attribute of our own": archive(b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\n}U\x04madeNsb."),
    "another protocol": archive(pickle.dumps({"format": bytearray(3)}, protocol=5)),
    "no end": archive(b"\x80\x02}"),
    "a length beyond the end": archive(b"\x80\x02X" + struct.pack("<I", 2**31) + b"abc."),
}


@pytest.mark.parametrize("how", [read, read_header], ids=["read", "header"])
@pytest.mark.parametrize("name", BOMBS)
def test_a_file_that_would_need_far_more_memory_than_it_has_bytes_is_refused(
    tmp_path: Path, name: str, how: Callable[[Path], object]
) -> None:
    file = tmp_path / "bomb.tiller"
    file.write_bytes(sealed(BOMBS[name]))
    tracemalloc.start()
    try:
        with pytest.raises(CheckpointError) as error:
            how(file)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert "\n" not in str(error.value)
    assert peak < MOST


def test_what_torch_saves_is_read_whatever_tensors_are_in_it(tmp_path: Path) -> None:
    """Every type and form of tensor that a network may have; the file is only refused for not being a checkpoint."""
    kinds = [torch.float64, torch.float16, torch.bfloat16, torch.int8, torch.uint8, torch.bool, torch.complex64]
    tensors = {str(kind): torch.zeros(3, dtype=kind) for kind in [*kinds, torch.uint16, torch.float8_e4m3fn]}
    tensors["view"] = torch.arange(12.0).reshape(3, 4)[1:, ::2]
    tensors["empty"] = torch.zeros(0)
    tensors["channels last"] = torch.zeros(2, 3, 4, 4).to(memory_format=torch.channels_last)
    file = tmp_path / "tensors.tiller"
    file.write_bytes(sealed(saved({"format": 1, "model": tensors, "more": [{1, 2}, b"bytes", torch.Size([2])]})))
    with pytest.raises(CheckpointError, match="is not a valid checkpoint: optimizer: is required"):
        read(file)
