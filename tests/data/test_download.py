from __future__ import annotations

import hashlib
import http.server
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from striate.data.download import fetch_file
from striate.data.official import RemoteFile
from striate.errors import StriateError

CONTENT = np.random.default_rng(0).bytes(300_000)


class Server(http.server.ThreadingHTTPServer):
    """Offers one file at every path, and breaks off as it is told."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.content = CONTENT
        self.breaks: list[int] = []
        self.ranges = True
        self.status = 200
        self.asked: list[str | None] = []

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/file.gz"


class Handler(http.server.BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        wanted = self.headers.get("Range")
        self.server.asked.append(wanted)
        if self.server.status != 200:
            self.send_error(self.server.status)
            return
        start = int(wanted[6:-1]) if wanted and self.server.ranges else 0
        body = self.server.content[start:]
        self.send_response(206 if start else 200)
        if start:
            whole = len(self.server.content)
            self.send_header("Content-Range", f"bytes {start}-{whole - 1}/{whole}")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        sent = self.server.breaks.pop(0) if self.server.breaks else len(body)
        self.wfile.write(body[:sent])

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as running:
        thread = threading.Thread(target=running.serve_forever, args=(0.01,))
        thread.start()
        yield running
        running.shutdown()
        thread.join()


@pytest.fixture
def remote(server: Server) -> Callable[..., RemoteFile]:
    def make(*addresses: str) -> RemoteFile:
        digest = hashlib.sha256(CONTENT).hexdigest()
        return RemoteFile("file.gz", len(CONTENT), digest, addresses or (server.address,))

    return make


def names(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.iterdir() if not p.name.endswith(".lock"))


Make = Callable[..., RemoteFile]


def test_file_is_fetched_once_with_progress(tmp_path: Path, server: Server, remote: Make) -> None:
    seen: list[tuple[str, int, int]] = []
    path = fetch_file(remote(), tmp_path / "new", lambda *call: seen.append(call))
    assert path.read_bytes() == CONTENT
    assert names(tmp_path / "new") == ["file.gz"]
    assert seen[-1] == ("file.gz", len(CONTENT), len(CONTENT))
    assert [done for _, done, _ in seen] == sorted({done for _, done, _ in seen})
    fetch_file(remote(), tmp_path / "new")
    assert server.asked == [None]


def test_broken_transfer_goes_on_where_it_broke(
    tmp_path: Path, server: Server, remote: Make
) -> None:
    server.breaks = [100_000, 50_000]
    assert fetch_file(remote(), tmp_path).read_bytes() == CONTENT
    assert server.asked == [None, "bytes=100000-", "bytes=150000-"]


def test_another_call_goes_on_where_the_last_gave_up(
    tmp_path: Path, server: Server, remote: Make
) -> None:
    server.breaks = [100_000, 0]
    with pytest.raises(StriateError, match="100,000 of 300,000 bytes are kept: try again"):
        fetch_file(remote(), tmp_path)
    assert names(tmp_path) == ["file.gz.part"]
    seen: list[int] = []
    path = fetch_file(remote(), tmp_path, lambda _, done, __: seen.append(done))
    assert path.read_bytes() == CONTENT
    assert min(seen) > 100_000
    assert server.asked[-1] == "bytes=100000-"
    assert names(tmp_path) == ["file.gz"]


def test_server_that_cannot_resume_is_read_from_the_start(
    tmp_path: Path, server: Server, remote: Make
) -> None:
    server.breaks = [100_000]
    server.ranges = False
    assert fetch_file(remote(), tmp_path).read_bytes() == CONTENT


def test_whole_part_needs_no_transfer(tmp_path: Path, server: Server, remote: Make) -> None:
    (tmp_path / "file.gz.part").write_bytes(CONTENT)
    assert fetch_file(remote(), tmp_path).read_bytes() == CONTENT
    assert server.asked == []


@pytest.mark.parametrize("size", [1000, 300_000, 400_000])
def test_part_of_another_file_is_thrown_away(
    tmp_path: Path, server: Server, remote: Make, size: int
) -> None:
    (tmp_path / "file.gz.part").write_bytes(bytes(size))
    assert fetch_file(remote(), tmp_path).read_bytes() == CONTENT
    assert names(tmp_path) == ["file.gz"]


def test_wrong_checksum_is_refused_and_leaves_nothing(
    tmp_path: Path, server: Server, remote: Make
) -> None:
    server.content = bytes(len(CONTENT))
    with pytest.raises(StriateError, match="another file: its SHA-256 is wrong") as caught:
        fetch_file(remote(), tmp_path)
    assert names(tmp_path) == []
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [CONTENT + b"x", CONTENT[:-1]])
def test_file_of_another_size_is_refused(
    tmp_path: Path, server: Server, remote: Make, content: bytes
) -> None:
    server.content = content
    with pytest.raises(StriateError, match="could not be fetched"):
        fetch_file(remote(), tmp_path)
    assert "file.gz" not in names(tmp_path)


def test_damaged_file_in_the_cache_is_fetched_again(
    tmp_path: Path, server: Server, remote: Make
) -> None:
    (tmp_path / "file.gz").write_bytes(CONTENT[:-1] + b"\0")
    assert fetch_file(remote(), tmp_path).read_bytes() == CONTENT


def test_next_address_is_tried(tmp_path: Path, server: Server, remote: Make) -> None:
    nobody = "http://127.0.0.1:9/file.gz"
    assert fetch_file(remote(nobody, server.address), tmp_path).read_bytes() == CONTENT


def test_every_failure_is_told_in_one_line(tmp_path: Path, server: Server, remote: Make) -> None:
    server.status = 403
    nobody = "http://127.0.0.1:9/file.gz"
    with pytest.raises(StriateError) as caught:
        fetch_file(remote(nobody, server.address), tmp_path)
    message = str(caught.value)
    assert f"{nobody} ([Errno 111] Connection refused) or {server.address} (status 403)" in message
    wanted = f"{tmp_path.name}/file.gz"
    assert message.endswith(f"try again, or set STRIATE_DATA to a folder that holds {wanted}")
    assert "\n" not in message


def test_other_schemes_are_refused(tmp_path: Path, remote: Make) -> None:
    (tmp_path / "secret").write_bytes(CONTENT)
    with pytest.raises(StriateError, match="only http and https"):
        fetch_file(remote(f"file://{tmp_path}/secret"), tmp_path / "cache")


def test_cache_that_cannot_be_written_is_told(tmp_path: Path, remote: Make) -> None:
    (tmp_path / "occupied").write_text("a file where the folder should be")
    with pytest.raises(StriateError, match=r"cannot be written to \(Not a directory\)"):
        fetch_file(remote(), tmp_path / "occupied" / "mnist")


def test_two_at_once_fetch_it_once(tmp_path: Path, server: Server, remote: Make) -> None:
    with ThreadPoolExecutor(4) as pool:
        paths = list(pool.map(lambda _: fetch_file(remote(), tmp_path), range(4)))
    assert {path.read_bytes() for path in paths} == {CONTENT}
    assert server.asked == [None]
