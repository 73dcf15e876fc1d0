"""Download of files: checked by SHA-256, and resumed where the last try broke off."""

from __future__ import annotations

import fcntl
import http.client
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from striate.data.cache import has_sha256
from striate.data.official import RemoteFile
from striate.errors import StriateError

Progress = Callable[[str, int, int], None] | Literal[False]

_TIMEOUT_SECONDS = 30
_CHUNK_BYTES = 1 << 16
_MOST_ATTEMPTS = 20


def fetch_file(remote: RemoteFile, directory: Path, progress: Progress = False) -> Path:
    """Bring a file into `directory`, unless it is there already.

    What arrives is kept in ``NAME.part``. A transfer that breaks off goes on from there, at once
    or when this is called again; the file gets its name only when its SHA-256 is right.

    Parameters
    ----------
    remote
        What to fetch; its addresses are tried in turn.
    directory
        Where to put it.
    progress
        Called with the file's name, the bytes that are there, and those that there will be;
        False for none.

    Raises
    ------
    StriateError
        If no address gives the right file.
    """
    path = directory / remote.name
    part = directory / f"{remote.name}.part"
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StriateError(
            f"{directory} cannot be written to ({error.strerror}): mend that, "
            "or put the files into a folder named by STRIATE_DATA"
        ) from None
    failures = []
    with _alone(directory / f".{remote.name}.lock"):
        if path.is_file() and has_sha256(path, remote.sha256):
            return path
        for address in remote.addresses:
            failure = _fetch_from(address, remote, path, part, progress)
            if failure is None:
                return path
            failures.append(f"{address} ({failure})")
    tried = f"{remote.name} could not be fetched from " + " or ".join(failures)
    if part.is_file():
        tried += f"; {part.stat().st_size:,} of {remote.size:,} bytes are kept"
    wanted = f"{directory.name}/{remote.name}"
    raise StriateError(f"{tried}: try again, or set STRIATE_DATA to a folder that holds {wanted}")


def _fetch_from(
    address: str, remote: RemoteFile, path: Path, part: Path, progress: Progress
) -> str | None:
    """Fetch from one address; return None, or why it failed."""
    import pooch

    if not address.startswith(("https://", "http://")):
        return "only http and https addresses are fetched"
    logger = pooch.get_logger()
    level = logger.level
    logger.setLevel("ERROR")
    resumes = part.is_file()
    try:
        pooch.retrieve(
            address,
            known_hash=f"sha256:{remote.sha256}",
            fname=path.name,
            path=path.parent,
            downloader=_Download(remote, part, progress),
        )
    except urllib.error.HTTPError as error:
        return f"status {error.code}"
    except (OSError, http.client.HTTPException) as error:
        return str(getattr(error, "reason", None) or error)
    except ValueError:
        # The bytes kept from an earlier try may have been another file's; pooch has removed them.
        if resumes:
            return _fetch_from(address, remote, path, part, progress)
        return "another file: its SHA-256 is wrong"
    finally:
        logger.setLevel(level)
    return None


class _Download:
    """Pooch's protocol for a downloader: bring the file at `url` to `output_file`."""

    def __init__(self, remote: RemoteFile, part: Path, progress: Progress) -> None:
        self.remote = remote
        self.part = part
        self.progress = progress

    def __call__(self, url: str, output_file: str, _pooch: Any) -> None:
        for _ in range(_MOST_ATTEMPTS):
            before = self._have()
            if before == self.remote.size:
                break
            try:
                self._transfer(url, before)
            except (OSError, http.client.HTTPException):
                if self._have() == before:
                    raise
        if self._have() < self.remote.size:
            raise ConnectionError("the transfer broke off again and again")
        self.part.replace(output_file)

    def _have(self) -> int:
        size = self.part.stat().st_size if self.part.is_file() else 0
        return size if size <= self.remote.size else 0

    def _transfer(self, url: str, have: int) -> None:
        request = urllib.request.Request(url)  # noqa: S310 (http and https only, see _fetch_from)
        if have:
            request.add_header("Range", f"bytes={have}-")
        with urllib.request.urlopen(request, timeout=_TIMEOUT_SECONDS) as response:  # noqa: S310
            goes_on = response.headers.get("Content-Range", "").startswith(f"bytes {have}-")
            done = have if response.status == 206 and goes_on else 0
            with self.part.open("ab" if done else "wb") as stream:
                while chunk := response.read(_CHUNK_BYTES):
                    stream.write(chunk)
                    done += len(chunk)
                    if done > self.remote.size:
                        self.part.unlink()
                        raise OSError(f"more than the {self.remote.size:,} bytes of the file")
                    if self.progress:
                        self.progress(self.remote.name, done, self.remote.size)
        if done < self.remote.size:
            raise ConnectionError(f"broke off after {done:,} of {self.remote.size:,} bytes")


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Let other processes that want the same file wait."""
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
