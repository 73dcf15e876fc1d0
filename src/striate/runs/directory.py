"""The run directory: its files, its name, its log and lock, and the state they tell.

::

    config.json      data, network, training, versions, machine, command, times
    network.json     architecture and compilation, as Keras writes them
    history.json     one value an epoch for each of Keras's keys; null where it was not finite
    checkpoints/     the last two
    log.txt          what happened, line by line; locked while a process trains
    model.keras      the trained network; its presence says that the run is finished
"""

from __future__ import annotations

import fcntl
import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, Self

from striate.errors import StriateError
from striate.files import write_json

CONFIG = "config.json"
NETWORK = "network.json"
HISTORY = "history.json"
CHECKPOINTS = "checkpoints"
LOG = "log.txt"
MODEL = "model.keras"
# What a scan has instead of CONFIG (`striate.scans`); it lies among the runs.
SCAN = "scan.json"

State = Literal["finished", "interrupted", "running", "damaged"]
History = dict[str, list[float]]


def create(parent: Path, subject: str, name: str | None, now: datetime) -> Path:
    """Make a new run directory; one that exists is never taken.

    Parameters
    ----------
    parent
        Where runs are kept; made if it is missing.
    subject
        What the run is of, for its name: dataset and network.
    name
        Its name in place of ``<subject>-<date>-<time>``.
    now
        The time for the name.

    Raises
    ------
    StriateError
        If `name` is taken or is no plain name, or nothing can be written there.
    """
    if name is not None and (not name or Path(name).name != name or name[0] == "."):
        raise StriateError(
            f"name={name!r} is no name for a run: leave folders to directory=, and do not begin "
            "with a dot"
        )
    plain = re.sub(r"[^\w.+-]+", "_", subject).strip("._") or "run"
    stem = name or f"{plain}-{now:%Y%m%d-%H%M%S}"
    with writing(parent):
        parent.mkdir(parents=True, exist_ok=True)
        for number in range(1, 10_000):
            path = parent / (stem if number == 1 else f"{stem}-{number}")
            try:
                path.mkdir()
            except FileExistsError:
                if name is not None:
                    break
            else:
                return path
    raise StriateError(f"{path} exists already: choose another name, or resume that run")


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn a full disk or a missing permission into one line that names `path`."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error).splitlines()[0]
        raise StriateError(f"{path}: cannot be written: {reason}") from error


class Log:
    """The log of a run, open and locked: while it is, no other process trains this run.

    The lock is the operating system's and ends with the process, however that ends.

    Raises
    ------
    StriateError
        If another process has it.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        with writing(directory):
            self._file = (directory / LOG).open("a", encoding="utf-8", buffering=1)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._file.close()
            raise StriateError(f"{directory} is being trained by another process") from None
        except OSError as error:
            self.write(f"this file system cannot lock files ({error.strerror}): train it only once")

    def write(self, text: str) -> None:
        """Add a line, with the time."""
        with writing(self._directory):
            self._file.write(f"{datetime.now().astimezone():%Y-%m-%d %H:%M:%S} {text}\n")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        # A line that could not be written has been said; closing would try it once more.
        with suppress(OSError):
            self._file.close()


def is_locked(directory: Path) -> bool:
    """Return whether a process trains this run now."""
    try:
        with (directory / LOG).open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def read_config(directory: Path) -> dict[str, Any]:
    """Return ``config.json``.

    Raises
    ------
    StriateError
        If this is no run, or the file is damaged.
    """
    path = directory / CONFIG
    if not path.exists():
        if not directory.is_dir():
            raise StriateError(f"{directory}: no such run")
        raise StriateError(f"{directory} is no run, or was stopped before it began: no {CONFIG}")
    config = _read_json(path)
    sections = {"dataset": "name", "model": "name", "training": "epochs", "versions": "striate"}
    for section, key in sections.items():
        if not isinstance(config.get(section), dict) or key not in config[section]:
            raise StriateError(f"{path} is damaged: it says nothing of {section}.{key}")
    return config


def read_history(directory: Path) -> History:
    """Return ``history.json``; empty when there is none yet.

    Raises
    ------
    StriateError
        If the file is damaged.
    """
    path = directory / HISTORY
    if not path.exists():
        return {}
    try:
        return {
            name: [math.nan if value is None else float(value) for value in values]
            for name, values in _read_json(path).items()
        }
    except (TypeError, ValueError) as error:
        raise StriateError(f"{path} is damaged: {error}") from None


def write_history(directory: Path, history: Mapping[str, Sequence[float]]) -> None:
    """Write ``history.json``; JSON knows no NaN, so null stands for what is not finite."""
    finite = {
        name: [value if math.isfinite(value) else None for value in values]
        for name, values in history.items()
    }
    write_json(directory / HISTORY, finite)


def state_of(directory: Path) -> State:
    """Return what the files of a run say of it, without a look into them (so never "damaged")."""
    if (directory / MODEL).exists():
        return "finished"
    return "running" if is_locked(directory) else "interrupted"


def _read_json(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise StriateError(f"{path}: cannot be read: {error.strerror or error}") from None
    except ValueError as error:
        raise StriateError(f"{path} is damaged: {error}") from None
    if not isinstance(value, dict):
        raise StriateError(f"{path} is damaged: it holds no JSON object")
    return value
