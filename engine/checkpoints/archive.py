"""The zip archive of a checkpoint file, read without PyTorch, and without trusting it: tensors become outlines.

Nothing in the file is run, and no memory is used that the file's own size does not justify: ``torch.save`` stores its
entries uncompressed, and of a pickle's operations and names only those are accepted that plain data and tensors need.
"""

from __future__ import annotations

import io
import pickle
import pickletools
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from typing import IO, Any, Final, NamedTuple

_MOST_BYTES: Final = 256 * 1024**2  # of the pickle, which has everything but the tensors
_MOST_OPERATIONS: Final = 3_000_000  # a few seconds; a ResNet-152 with Adam has 250,000
_PICKLED: Final = """
PROTO STOP MARK NONE NEWTRUE NEWFALSE BININT BININT1 BININT2 LONG1 LONG4 BINFLOAT BINUNICODE BINPUT LONG_BINPUT BINGET
LONG_BINGET EMPTY_DICT EMPTY_LIST EMPTY_TUPLE TUPLE TUPLE1 TUPLE2 TUPLE3 APPEND APPENDS SETITEM SETITEMS GLOBAL REDUCE
BUILD BINPERSID
"""
_OPERATIONS: Final = frozenset(_PICKLED.split())
_PUTS: Final = frozenset({"BINPUT", "LONG_BINPUT"})
_BYTES: Final = {
    "Double": 8,
    "Float": 4,
    "Half": 2,
    "BFloat16": 2,
    "Long": 8,
    "Int": 4,
    "Short": 2,
    "Char": 1,
    "Byte": 1,
    "Bool": 1,
    "ComplexDouble": 16,
    "ComplexFloat": 8,
    "Untyped": 1,
}
UNREADABLE: Final = (
    zipfile.BadZipFile,
    zipfile.LargeZipFile,
    pickle.UnpicklingError,
    RuntimeError,
    ValueError,
    LookupError,
    EOFError,
    TypeError,
    AttributeError,
    ArithmeticError,
    ImportError,
    MemoryError,
    AssertionError,
)
"""What reading a file with a matching digest but foreign or hostile content may raise."""


# Named tuples, since a pickle could set the attributes of other objects.


class Outline(NamedTuple):
    """Takes the place of a tensor, of which the shape is kept, or of anything else of PyTorch's."""

    shape: tuple[int, ...] = ()


class _Storage(NamedTuple):
    """A type of storage: bytes of one element."""

    element: int


class _Function(NamedTuple):
    """What a pickle may call."""

    made: Callable[..., Any]

    def __call__(self, *arguments: Any) -> Any:
        return self.made(*arguments)


def read_outline(file: IO[bytes]) -> Any:
    """The content of a checkpoint, with outlines instead of tensors.

    Raises:
        pickle.UnpicklingError: it holds more than data.
        UNREADABLE: it is not what ``torch.save`` writes.
    """
    with zipfile.ZipFile(file) as archive:
        sizes = _sizes(archive, file.seek(0, io.SEEK_END))
        if sizes["data.pkl"] > _MOST_BYTES:
            raise ValueError("too large")
        pickled = archive.read(next(i for i in archive.infolist() if i.filename.endswith("/data.pkl")))
    _check_operations(pickled)
    return _Unpickler(pickled, sizes).load()


def _sizes(archive: zipfile.ZipFile, size: int) -> dict[str, int]:
    """The size of each entry of a file of ``size`` bytes, by its name within the archive's one folder."""
    sizes: dict[str, int] = {}
    folders = set()
    for entry in archive.infolist():
        folder, _, name = entry.filename.partition("/")
        folders.add(folder)
        if entry.compress_type != zipfile.ZIP_STORED or entry.compress_size != entry.file_size:
            raise zipfile.BadZipFile("compressed")
        if name.lower() in sizes:  # PyTorch does not tell them apart
            raise zipfile.BadZipFile("two entries of one name")
        sizes[name.lower()] = entry.file_size
    if len(folders) != 1 or sum(sizes.values()) > size:
        raise zipfile.BadZipFile("entries that torch.save does not write")
    return sizes


def _check_operations(pickled: bytes) -> None:
    """Check a pickle before it is read: an entry of its memo, for example, takes memory for all of lower numbers."""
    for count, (operation, argument, _) in enumerate(pickletools.genops(pickled)):
        if operation.name not in _OPERATIONS:
            raise pickle.UnpicklingError(f"{operation.name} is not data")
        if operation.name in _PUTS and isinstance(argument, int) and argument > count:
            raise ValueError("a memo with gaps")
        if count > _MOST_OPERATIONS:
            raise ValueError("too large")


class _Unpickler(pickle.Unpickler):
    """Reads containers, plain values and outlines of tensors; refuses everything else."""

    def __init__(self, pickled: bytes, sizes: dict[str, int]) -> None:
        super().__init__(io.BytesIO(pickled))
        self._sizes = sizes

    def find_class(self, module: str, name: str) -> Any:
        """What a name in the pickle stands for."""
        known = _NAMES.get((module, name))
        if known is not None:
            return known
        kind = name.removesuffix("Storage")
        if module.partition(".")[0] == "torch" and kind != name and kind in _BYTES:
            return _Storage(_BYTES[kind])
        if module == "torch" and name.isidentifier() and name.islower():
            return Outline()  # a dtype
        raise pickle.UnpicklingError(f"{module}.{name} is not data")

    def persistent_load(self, reference: Any) -> Any:
        """A tensor's storage. It must have as many bytes as its entry in the archive: PyTorch does not check that."""
        what, kind, key, _, elements = reference
        size = self._sizes[f"data/{key}"]
        if what != "storage" or type(elements) is not int or elements * kind.element != size:
            raise ValueError("a tensor of another size than its storage")
        return Outline()


def _tensor(_storage: Any, _offset: Any, shape: Any, *_: Any) -> Outline:
    return Outline(tuple(shape))


_NAMES: Final[dict[tuple[str, str], Any]] = {
    ("collections", "OrderedDict"): OrderedDict,
    ("builtins", "set"): set,
    ("__builtin__", "set"): set,
    ("_codecs", "encode"): _Function(lambda text, _: text.encode("latin1")),
    ("torch", "Size"): _Function(lambda *_: Outline()),
    ("torch", "device"): _Function(lambda *_: Outline()),
    ("torch._utils", "_rebuild_tensor_v2"): _Function(_tensor),
    ("torch._utils", "_rebuild_tensor_v3"): _Function(_tensor),
    ("torch._utils", "_rebuild_parameter"): _Function(lambda tensor, *_: tensor),
}
