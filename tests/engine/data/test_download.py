from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from engine.common.errors import Cancelled, DownloadError
from engine.data.download import Checksum, Published, fetch
from tests.engine.running import SECONDS

BODY = bytes(range(256)) * 2000
MD5 = Checksum("md5", hashlib.md5(BODY).hexdigest())
GOOD = Published((MD5,), len(BODY))


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        assert isinstance(self.server, Server)
        self.server.asked.append(self.path)
        if self.path == "/endless":
            self.send_without_end()
            return
        if self.path == "/missing":
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(BODY)))
        self.end_headers()
        if self.path == "/cut":
            self.wfile.write(BODY[:1000])
        elif self.path == "/wrong":
            self.wfile.write(BODY[::-1])
        elif self.path == "/silent":
            self.wfile.write(BODY[:1000])
            self.wfile.flush()
            self.server.closing.wait(SECONDS)
            self.server.silence_ended.set()
        else:
            self.wfile.write(BODY)

    def send_without_end(self) -> None:
        self.send_response(200)
        self.end_headers()
        try:
            while not self.server_is_closing():
                self.wfile.write(BODY)
        except OSError:  # the reader has gone
            pass

    def server_is_closing(self) -> bool:
        assert isinstance(self.server, Server)
        return self.server.closing.is_set()

    def log_message(self, format: str, *args: object) -> None:
        pass


class Server(ThreadingHTTPServer):
    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: list[str] = []
        self.closing, self.silence_ended = threading.Event(), threading.Event()

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.server_port}/{path}"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("no_proxy", "*")
    served = Server()
    thread = threading.Thread(target=served.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield served
    served.closing.set()
    served.shutdown()
    thread.join()
    served.server_close()
    for reader in threading.enumerate():
        if reader.name == "download":
            reader.join(SECONDS)
            assert not reader.is_alive()


def test_a_file_is_downloaded_and_progress_ends_at_its_size(server: Server, tmp_path: Path) -> None:
    reports: list[tuple[str, int, int]] = []
    target = tmp_path / "new" / "folder" / "file.gz"
    fetch([server.url("file.gz")], target, GOOD, progress=lambda *report: reports.append(report))
    assert target.read_bytes() == BODY
    assert reports[-1] == ("Downloading file.gz", len(BODY), len(BODY))
    assert [done for _, done, _ in reports] == sorted(done for _, done, _ in reports)
    assert list(target.parent.iterdir()) == [target]


def test_an_existing_file_that_matches_is_kept(server: Server, tmp_path: Path) -> None:
    target = tmp_path / "file"
    target.write_bytes(BODY)
    fetch([server.url("file")], target, GOOD)
    assert server.asked == []


def test_an_existing_file_that_is_damaged_is_replaced(server: Server, tmp_path: Path) -> None:
    target = tmp_path / "file"
    target.write_bytes(BODY[:-1])
    fetch([server.url("file")], target, GOOD)
    assert target.read_bytes() == BODY


@pytest.mark.parametrize("bad", ["missing", "wrong", "cut"])
def test_the_next_mirror_is_tried(server: Server, tmp_path: Path, bad: str) -> None:
    target = tmp_path / "file"
    fetch([server.url(bad), server.url("file")], target, GOOD)
    assert target.read_bytes() == BODY
    assert server.asked == [f"/{bad}", "/file"]


def test_the_error_lists_what_failed_and_says_what_to_do_offline(server: Server, tmp_path: Path) -> None:
    target = tmp_path / "file.gz"
    nobody = "http://127.0.0.1:1/file.gz"
    with pytest.raises(DownloadError) as caught:
        fetch([server.url("missing"), server.url("wrong"), server.url("cut"), nobody], target, GOOD)
    said = str(caught.value)
    assert "HTTP 404" in said
    assert "its md5 does not match" in said
    assert f"cut after 1000 of {len(BODY)} bytes" in said
    assert f"{nobody}: " in said
    assert f"put file.gz into {tmp_path}" in said
    assert list(tmp_path.iterdir()) == []


def test_a_server_that_does_not_respond_fails_after_the_timeout(server: Server, tmp_path: Path) -> None:
    with pytest.raises(DownloadError, match="timed out"):
        fetch([server.url("silent")], tmp_path / "file", GOOD, timeout=0.3)
    assert list(tmp_path.iterdir()) == []


def test_a_cancel_does_not_wait_for_a_server_and_leaves_no_file(server: Server, tmp_path: Path) -> None:
    wish = threading.Event()
    target = tmp_path / "file"
    target.write_bytes(b"what was there before")
    with pytest.raises(Cancelled):
        fetch(
            [server.url("silent")],
            target,
            GOOD,
            progress=lambda *_: wish.set(),
            cancelled=wish.is_set,
            timeout=2 * SECONDS,
        )
    assert not server.silence_ended.is_set()
    assert target.read_bytes() == b"what was there before"
    assert list(tmp_path.iterdir()) == [target]


def test_a_prefix_of_the_digest_is_enough(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(BODY)
    digest = hashlib.sha256(BODY).hexdigest()
    wrong = ("0" if digest[0] != "0" else "1") + digest[1:8]
    assert Published((Checksum("sha256", digest[:8]),), len(BODY)).mismatch(path) is None
    assert Published((Checksum("sha256", wrong),), len(BODY)).mismatch(path) == "sha256"


def test_every_published_digest_must_match(server: Server, tmp_path: Path) -> None:
    sha256 = Checksum("sha256", hashlib.sha256(BODY).hexdigest())
    fetch([server.url("file")], tmp_path / "file", Published((sha256, MD5), len(BODY)))
    assert (tmp_path / "file").read_bytes() == BODY
    other = Checksum("sha256", hashlib.sha256(b"another file").hexdigest())
    for checksums in ((other, MD5), (MD5, other)):
        with pytest.raises(DownloadError, match="its sha256 does not match"):
            fetch([server.url("file")], tmp_path / "other", Published(checksums, len(BODY)))
    assert not (tmp_path / "other").exists()


def test_a_file_that_is_announced_as_too_large_is_refused_before_it_is_taken(server: Server, tmp_path: Path) -> None:
    taken: list[int] = []
    with pytest.raises(DownloadError, match=rf"it sends {len(BODY):,} bytes or more, but the file has at most 5,148"):
        fetch(
            [server.url("file")],
            tmp_path / "file",
            Published((MD5,), 5148),
            progress=lambda what, done, total: taken.append(done),
        )
    assert taken == []
    assert list(tmp_path.iterdir()) == []


def test_no_more_than_the_size_of_the_file_is_taken_from_a_server_that_sends_without_end(
    server: Server, tmp_path: Path
) -> None:
    taken: list[int] = []
    with pytest.raises(DownloadError, match="but the file has at most"):
        fetch([server.url("endless")], tmp_path / "file", GOOD, progress=lambda what, done, total: taken.append(done))
    assert max(taken, default=0) <= len(BODY)
    assert list(tmp_path.iterdir()) == []


def test_mirrors_with_https_are_tried_first(server: Server, tmp_path: Path) -> None:
    secure = ["https://127.0.0.1:1/a", "https://127.0.0.1:1/b"]
    with pytest.raises(DownloadError) as caught:
        fetch([server.url("missing"), secure[0], server.url("wrong"), secure[1]], tmp_path / "file", GOOD)
    places = [str(caught.value).index(url) for url in (*secure, server.url("missing"), server.url("wrong"))]
    assert places == sorted(places)


def test_a_folder_that_cannot_be_created_is_an_error_with_the_reason(server: Server, tmp_path: Path) -> None:
    (tmp_path / "taken").write_bytes(b"")
    with pytest.raises(DownloadError, match=r"file cannot be written to .*taken"):
        fetch([server.url("file")], tmp_path / "taken" / "file", GOOD)
