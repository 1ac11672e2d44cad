"""Download one file from the first mirror that works, those with HTTPS first.

No more bytes are taken than the file has, and it gets its final name only after its digests matched.
"""

from __future__ import annotations

import hashlib
import http.client
import os
import queue
import secrets
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from engine.common.errors import Cancelled, DownloadError
from engine.common.progress import IsCancelled, Progress, never
from engine.common.text import Text

CHUNK: Final = 1 << 16
TIMEOUT: Final = 20.0
_POLL: Final = 0.1
_NETWORK: Final = (OSError, http.client.HTTPException, ValueError)


def ignore(what: str, done: int, total: int) -> None:
    """Do not report progress."""


@dataclass(frozen=True)
class Checksum:
    """A published digest in lower-case hex, or its first characters."""

    algorithm: Literal["md5", "sha256"]
    digest: str

    def new(self) -> hashlib._Hash:
        """An empty hash of the algorithm."""
        return hashlib.new(self.algorithm, usedforsecurity=False)

    def accepts(self, computed: hashlib._Hash) -> bool:
        """Whether the published digest is that of ``computed``."""
        return computed.hexdigest().startswith(self.digest)


@dataclass(frozen=True)
class Published:
    """What is known of a file before it is downloaded: its digests, and the most bytes that it can have."""

    checksums: tuple[Checksum, ...]
    size: int

    def mismatch(self, path: Path) -> str | None:
        """The name of an algorithm whose digest is not that of the file at ``path``, or None.

        Raises:
            OSError: it cannot be read.
        """
        computed = [checksum.new() for checksum in self.checksums]
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                for digest in computed:
                    digest.update(block)
        pairs = zip(self.checksums, computed, strict=True)
        return next((checksum.algorithm for checksum, digest in pairs if not checksum.accepts(digest)), None)


def fetch(
    urls: Sequence[str],
    destination: Path,
    published: Published,
    *,
    progress: Progress = ignore,
    cancelled: IsCancelled = never,
    timeout: float = TIMEOUT,
) -> None:
    """Download a file from one of ``urls`` (mirrors) to ``destination``. A file there that matches is kept.

    Args:
        urls: where to download from, in the order in which to try; HTTPS comes before the others.
        destination: the file to write. If the download fails or is cancelled, it stays as it was.
        published: the file's digests and size.
        progress: called at most ten times a second with a sentence, the bytes so far and all bytes (0 if unknown).
        cancelled: called at least ten times a second, even while a server does not respond.
        timeout: seconds to wait for a server that does not respond.

    Raises:
        Cancelled: ``cancelled`` returned True.
        DownloadError: every mirror failed, or the file cannot be written.
    """
    failures = []
    try:
        if destination.is_file() and published.mismatch(destination) is None:
            return
        destination.parent.mkdir(parents=True, exist_ok=True)
        for url in sorted(urls, key=lambda url: not url.startswith("https:")):
            part = destination.with_name(f"{destination.name}.{secrets.token_hex(4)}.part")
            try:
                _write(url, part, published.size, progress, cancelled, timeout)
                mismatch = published.mismatch(part)
                if mismatch is None:
                    os.replace(part, destination)  # noqa: PTH105 - the atomic replacement of every writer here
                    return
                failures.append(f"{url}: the file is damaged: its {mismatch} does not match")
            except _MirrorFailedError as error:
                failures.append(f"{url}: {error}")
            finally:
                part.unlink(missing_ok=True)
    except OSError as error:
        raise DownloadError(
            Text(
                "{name} cannot be written to {folder}: {reason}",
                name=destination.name,
                folder=destination.parent,
                reason=error.strerror or str(error),
            )
        ) from error
    raise DownloadError(
        Text(
            "{name} could not be downloaded ({failures}). Try again later or, if you are offline, put {name} into "
            "{folder}.",
            name=destination.name,
            failures="; ".join(failures),
            folder=destination.parent,
        )
    )


class _MirrorFailedError(Exception):
    pass


def _write(
    url: str,
    part: Path,
    size: int,
    progress: Progress,
    cancelled: IsCancelled,
    timeout: float,
) -> None:
    what = Text("Downloading {name}", name=url.rpartition("/")[2])
    done, reported = 0, -_POLL
    with part.open("xb") as file:
        for chunk, total in _chunks(url, size, cancelled, timeout):
            file.write(chunk)
            done += len(chunk)
            if time.monotonic() - reported >= _POLL or done == total:
                reported = time.monotonic()
                progress(what, done, total)
        file.flush()
        os.fsync(file.fileno())


def _chunks(url: str, size: int, cancelled: IsCancelled, timeout: float) -> Iterator[tuple[bytes, int]]:
    """The bytes of ``url`` in pieces, ``size`` at most, each with the total number of bytes (0 if unknown).

    A separate thread reads from the network, so that a cancel does not have to wait for a server's timeout.
    """
    pieces: queue.Queue[tuple[bytes, int] | Exception | None] = queue.Queue(maxsize=16)
    abandoned = threading.Event()

    def put(piece: tuple[bytes, int] | Exception | None) -> bool:
        while not abandoned.is_set():
            try:
                pieces.put(piece, timeout=_POLL)
                return True
            except queue.Full:
                continue
        return False

    def read() -> None:
        done = 0
        try:
            request = urllib.request.Request(url, headers={"User-Agent": "tiller"})
            with urllib.request.urlopen(request, timeout=timeout) as response:
                total = int(response.headers.get("Content-Length") or 0)
                _check_size(total, size)
                while chunk := response.read1(CHUNK):
                    done += len(chunk)
                    _check_size(done, size)
                    if not put((chunk, total)):
                        return
            if done < total:
                raise http.client.HTTPException(f"the connection was cut after {done} of {total} bytes")
            put(None)
        except _NETWORK as error:
            put(error)

    threading.Thread(target=read, name="download", daemon=True).start()
    try:
        while True:
            if cancelled():
                raise Cancelled
            try:
                piece = pieces.get(timeout=_POLL)
            except queue.Empty:
                continue
            if piece is None:
                return
            if isinstance(piece, Exception):
                raise _MirrorFailedError(_reason(piece)) from piece
            yield piece
    finally:
        abandoned.set()


def _check_size(sent: int, size: int) -> None:
    if sent > size:
        raise http.client.HTTPException(f"it sends {sent:,} bytes or more, but the file has at most {size:,}")


def _reason(error: Exception) -> str:
    if isinstance(error, urllib.error.HTTPError):
        return f"HTTP {error.code} {error.reason}"
    if isinstance(error, urllib.error.URLError):
        return str(error.reason)
    return str(error) or type(error).__name__
