"""Fetching one file: from the first mirror that gives it whole, and under its final name only once it is proved."""

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
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from engine.common.text import Text

Progress = Callable[[str, int, int], None]
CHUNK: Final = 1 << 16
TIMEOUT: Final = 20.0
_POLL: Final = 0.1
_NETWORK: Final = (OSError, http.client.HTTPException, ValueError)


class Cancelled(Exception):  # noqa: N818 - the person's wish, not an error
    """The person cancelled what was being loaded."""


class DownloadError(Exception):
    """A file could not be fetched. The message says what was tried and what to do offline."""


def ignore(what: str, done: int, total: int) -> None:
    """Report progress to nobody."""


def never() -> bool:
    """Say that nothing was cancelled."""
    return False


@dataclass(frozen=True)
class Checksum:
    """A published digest in lower-case hex; its first characters are enough."""

    algorithm: Literal["md5", "sha256"]
    digest: str

    def new(self) -> hashlib._Hash:
        """An empty hash of the algorithm."""
        return hashlib.new(self.algorithm, usedforsecurity=False)

    def accepts(self, computed: hashlib._Hash) -> bool:
        """Whether the published digest is that of ``computed``."""
        return computed.hexdigest().startswith(self.digest)

    def matches(self, path: Path) -> bool:
        """Whether the file at ``path`` has the published digest. Raises OSError where it cannot be read."""
        computed = self.new()
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                computed.update(block)
        return self.accepts(computed)


def fetch(
    urls: Sequence[str],
    destination: Path,
    checksum: Checksum,
    *,
    progress: Progress = ignore,
    cancelled: Callable[[], bool] = never,
    timeout: float = TIMEOUT,
) -> None:
    """Put the file that ``urls`` (mirrors of one another) offer at ``destination``; a good one there is kept.

    ``progress`` is called with a sentence, bytes done and bytes in all (0 where the server does not say), ten times a
    second at most. ``cancelled`` is asked that often too, also while a server is silent. ``timeout`` (seconds) limits
    a server's silence.

    Raises:
        Cancelled: ``cancelled`` said so. What was under the final name before still is.
        DownloadError: no mirror gave the file whole, or it cannot be written.
    """
    failures = []
    try:
        if destination.is_file() and checksum.matches(destination):
            return
        destination.parent.mkdir(parents=True, exist_ok=True)
        for url in urls:
            part = destination.with_name(f"{destination.name}.{secrets.token_hex(4)}.part")
            try:
                computed = _write(url, part, checksum.new(), progress, cancelled, timeout)
                if checksum.accepts(computed):
                    os.replace(part, destination)  # noqa: PTH105 - the law of files names it
                    return
                failures.append(f"{url}: the file is damaged, its {checksum.algorithm} does not match")
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
            "{name} could not be downloaded ({failures}). Try again later, or, offline, put {name} into {folder}.",
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
    computed: hashlib._Hash,
    progress: Progress,
    cancelled: Callable[[], bool],
    timeout: float,
) -> hashlib._Hash:
    what = Text("Downloading {name}", name=url.rpartition("/")[2])
    done, told = 0, -_POLL
    with part.open("xb") as file:
        for chunk, total in _chunks(url, cancelled, timeout):
            file.write(chunk)
            computed.update(chunk)
            done += len(chunk)
            if time.monotonic() - told >= _POLL or done == total:
                told = time.monotonic()
                progress(what, done, total)
        file.flush()
        os.fsync(file.fileno())
    return computed


def _chunks(url: str, cancelled: Callable[[], bool], timeout: float) -> Iterator[tuple[bytes, int]]:
    """The bytes of ``url`` in pieces, each with the number of bytes in all (0: not known).

    The network is read on a thread of its own: a silent server would otherwise hold up a cancel until its timeout.
    """
    pieces: queue.Queue[tuple[bytes, int] | Exception | None] = queue.Queue(maxsize=16)
    left = threading.Event()

    def put(piece: tuple[bytes, int] | Exception | None) -> bool:
        while not left.is_set():
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
                while chunk := response.read1(CHUNK):
                    done += len(chunk)
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
        left.set()


def _reason(error: Exception) -> str:
    if isinstance(error, urllib.error.HTTPError):
        return f"HTTP {error.code} {error.reason}"
    if isinstance(error, urllib.error.URLError):
        return str(error.reason)
    return str(error) or type(error).__name__
