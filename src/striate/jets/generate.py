"""From collisions to a file of jets: blocks, made where there are workers, kept, and joined."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from striate.errors import StriateError
from striate.files import write_json
from striate.jets import workers as crews
from striate.jets.blocks import BLOCK, Block, simulate_block
from striate.jets.extra import required
from striate.jets.file import write_jets
from striate.jets.simulation import Simulation

_PACKAGES = ("striate", "pythia8mc", "fastjet", "awkward", "numpy")

Progress = Callable[[int, int], None]
"""Called with the jets that are there, and those there will be, of all classes."""


@dataclass(frozen=True)
class Plan:
    """What is to be generated.

    Attributes
    ----------
    background, signal
        The simulation of each class.
    n
        Jets of each class.
    seed
        Decides all that is random.
    block
        Jets in a block, of which each has a seed of its own: with another size come other jets.
    """

    background: Simulation
    signal: Simulation
    n: int
    seed: int
    block: int = BLOCK

    def __post_init__(self) -> None:
        if self.n < 1:
            raise StriateError(f"the number of jets must be 1 or more, not {self.n}")
        if self.block < 1:
            raise StriateError(f"a block must have 1 jet or more, not {self.block}")
        if self.seed < 0:
            raise StriateError(f"the seed must be 0 or more, not {self.seed}")

    @property
    def classes(self) -> tuple[Simulation, Simulation]:
        """The simulations in the order of the labels."""
        return self.background, self.signal

    def blocks(self) -> list[tuple[int, int, int]]:
        """Return label, index and size of every block."""
        return [
            (label, index, min(self.block, self.n - index * self.block))
            for index in range(-(-self.n // self.block))
            for label in range(len(self.classes))
        ]

    def settings(self) -> dict[str, Any]:
        """Return what decides the contents, but for the number of jets, as JSON can hold it."""
        return {
            "classes": [simulation.as_json() for simulation in self.classes],
            "pythia": [simulation.pythia_lines() for simulation in self.classes],
            "seed": self.seed,
            "block": self.block,
            "versions": {name: metadata.version(name) for name in _PACKAGES},
        }


@dataclass(frozen=True)
class Generated:
    """What was generated.

    Attributes
    ----------
    path, header
        The file and its header.
    """

    path: Path
    header: Mapping[str, Any]


def generate(
    plan: Plan,
    out: Path,
    *,
    workers: int = 1,
    dask: str | None = None,
    resume: bool = False,
    command: str | None = None,
    progress: Progress | None = None,
) -> Generated:
    """Generate jets of two classes into one file.

    The contents depend on the plan, on the versions of the packages, and in their last digits on
    the kind of processor, whose mathematical library may round otherwise. Every block that is
    finished is kept in a folder beside the file, so that a kill at any moment loses only blocks
    that were being made; `resume` makes what is missing, also when more jets are wanted than at
    first. The folder is removed when the file is there.

    Parameters
    ----------
    plan
        What to generate.
    out
        The HDF5 file.
    workers
        Processes of this machine.
    dask
        Address of a Dask scheduler, to have its workers in place of processes.
    resume
        Go on with what is there.
    command
        What was asked for, for the header.
    progress
        Told how far it is.

    Raises
    ------
    StriateError
        If the file is there, or the remains of another generation; a package is missing; Pythia
        refuses the settings; or no jets come into the window.
    """
    for package in ("pythia8mc", "fastjet", "awkward"):
        required(package, "generating jets")
    if out.suffix.lower() not in (".h5", ".hdf5"):
        raise StriateError(f"{out}: jets are written to HDF5: name it {out.stem or 'jets'}.h5")
    if out.exists():
        raise StriateError(f"{out} exists: choose another name, or remove it")
    folder = out.with_name(out.name + ".blocks")
    settings = json.loads(json.dumps(plan.settings()))
    _open(folder, settings, resume)
    missing = [block for block in plan.blocks() if not _there(folder, *block)]
    total = len(plan.classes) * plan.n
    there = total - sum(size for _, _, size in missing)

    def tell(made: int) -> None:
        if progress is not None:
            progress(there + made, total)

    tell(0)
    tasks = [
        (plan.classes[label].as_json(), plan.seed, index, size) for label, index, size in missing
    ]
    if tasks:
        results = (
            crews.local(make_block, tasks, workers, tell)
            if dask is None
            else crews.on_dask(make_block, tasks, dask)
        )
        saved = 0
        for number, block in results:
            label, index, size = missing[number]
            block.save(_path(folder, label, index))
            saved += size
            if dask is not None:
                tell(saved)
        tell(saved)
    names = [simulation.process for simulation in plan.classes]
    header = settings | {"class_names": names, "n": plan.n, "command": command}
    whole = write_jets(
        out, [_blocks(folder, plan, label) for label in range(len(plan.classes))], header
    )
    shutil.rmtree(folder)
    return Generated(out, whole)


def make_block(simulation: Mapping[str, Any], seed: int, index: int, n: int) -> Block:
    """Make one block of the simulation of which these are the settings, in a worker."""
    return simulate_block(Simulation.from_json(simulation), seed, index, n, crews.count)


def _path(folder: Path, label: int, index: int) -> Path:
    return folder / f"{label}-{index:06d}.npz"


def _there(folder: Path, label: int, index: int, size: int) -> bool:
    path = _path(folder, label, index)
    # What is there is whole; but it may be the last block of a generation of fewer jets.
    return path.exists() and len(Block.load(path)) >= size


def _blocks(folder: Path, plan: Plan, label: int) -> Iterator[Block]:
    for of_class, index, size in plan.blocks():
        if of_class == label:
            block = Block.load(_path(folder, label, index))
            if len(block) != size:
                raise StriateError(f"{folder}: a block of {len(block)} jets in place of {size}")
            yield block


def _open(folder: Path, settings: Mapping[str, Any], resume: bool) -> None:
    """Make the folder of blocks, or make sure that what is in it belongs to these settings."""
    remembered = folder / "settings.json"
    if not remembered.exists() or not any(folder.glob("*.npz")):
        folder.mkdir(parents=True, exist_ok=True)
        write_json(remembered, settings)
        return
    if not resume:
        raise StriateError(
            f"{folder} holds what was begun: add --resume to go on with it, or remove it"
        )
    try:
        before = json.loads(remembered.read_text(encoding="utf-8"))
    except ValueError:
        raise StriateError(f"{remembered}: damaged: remove {folder} and begin anew") from None
    different = _first_difference(before, settings)
    if different is not None:
        raise StriateError(
            f"{folder} was begun with other settings ({different}): repeat those to resume, or "
            "remove it"
        )


def _first_difference(before: Any, now: Any, where: str = "") -> str | None:
    """Return the first value that differs, as ``seed: 1, now 2``."""
    if isinstance(before, dict) and isinstance(now, dict):
        pairs = [(key, before.get(key), now.get(key)) for key in [*before, *now]]
    elif isinstance(before, list) and isinstance(now, list) and len(before) == len(now):
        pairs = [(str(i), a, b) for i, (a, b) in enumerate(zip(before, now, strict=True))]
    else:
        return None if before == now else f"{where}: {before!r}, now {now!r}"
    for key, a, b in pairs:
        found = _first_difference(a, b, f"{where}.{key}".lstrip("."))
        if found is not None:
            return found
    return None
