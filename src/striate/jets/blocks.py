"""Blocks of jets: the unit of simulation, which one worker makes and one file holds."""

from __future__ import annotations

import time
import zipfile
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from striate.errors import StriateError
from striate.files import written_beside
from striate.jets.cluster import distance, leading_jets, trimmed
from striate.jets.collisions import Batch, Collisions
from striate.jets.constituents import Constituents
from striate.jets.images import jet_images
from striate.jets.observables import observables
from striate.jets.pileup import Pileup
from striate.jets.simulation import Simulation, seed_of

BLOCK = 500
"""Jets in a block unless told otherwise: some seconds of work."""

_BATCH = 100
_SMALLEST_BATCH = 10
# So many collisions are made before it is given up, if not one in so many has a jet.
_HOPELESS, _RAREST = 2000, 200

_CONSTITUENT_COLUMNS = ("pt_gev", "eta", "phi", "mass_gev", "charge", "pdg_id")


@dataclass(frozen=True, eq=False)
class Block:
    """Some jets of one class, and how they came about.

    Attributes
    ----------
    constituents
        Of the jets.
    in_groomed
        Which of them trimming keeps, ``(particles,)``.
    images
        float32 ``(n, row, col, channel)``.
    observables
        By name, each ``(n,)``.
    parton_pt_gev
        What the pre-selection looked at, ``(n,)``.
    counts
        ``collisions``: those simulated to the end; ``accepted``: those with a jet in the window;
        ``tried``: hard scatterings tried; ``seconds``: the time of the process; ``sigma_pb`` and
        ``sigma_error_pb``: cross-section of what was simulated to the end.
    """

    constituents: Constituents
    in_groomed: np.ndarray
    images: np.ndarray
    observables: Mapping[str, np.ndarray]
    parton_pt_gev: np.ndarray
    counts: Mapping[str, float]

    def __len__(self) -> int:
        return len(self.constituents)

    def save(self, path: Path) -> None:
        """Write the block, whole or not at all."""
        columns: dict[str, Any] = {
            "in_groomed": self.in_groomed,
            "images": self.images,
            "parton_pt_gev": self.parton_pt_gev,
        }
        for name in ("offsets", *_CONSTITUENT_COLUMNS):
            columns[f"constituents/{name}"] = getattr(self.constituents, name)
        columns |= {f"observables/{name}": values for name, values in self.observables.items()}
        columns |= {f"counts/{name}": np.float64(value) for name, value in self.counts.items()}
        with written_beside(path) as beside, beside.open("wb") as stream:
            np.savez_compressed(stream, **columns)

    @classmethod
    def load(cls, path: Path) -> Block:
        """Read a block that `save` wrote.

        Raises
        ------
        StriateError
            If it is damaged.
        """
        try:
            with path.open("rb") as stream, np.load(stream, allow_pickle=False) as file:
                arrays = {name: file[name] for name in file.files}
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error) as error:
            raise StriateError(f"{path}: damaged ({error}): remove it and resume") from None
        return cls(
            Constituents(
                arrays["constituents/offsets"],
                *(arrays[f"constituents/{name}"] for name in _CONSTITUENT_COLUMNS),
            ),
            arrays["in_groomed"],
            arrays["images"],
            _under("observables/", arrays),
            arrays["parton_pt_gev"],
            {name: float(value) for name, value in _under("counts/", arrays).items()},
        )


def _under(prefix: str, arrays: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name.removeprefix(prefix): value
        for name, value in arrays.items()
        if name.startswith(prefix)
    }


def simulate_block(
    simulation: Simulation,
    seed: int,
    index: int,
    n: int = BLOCK,
    progress: Callable[[int], None] | None = None,
) -> Block:
    """Simulate a block of `n` jets, which depends on these arguments alone.

    `progress` is told now and then how many jets have come since it was told last.

    Raises
    ------
    StriateError
        If Pythia refuses the settings, or no jets come into the window.
    """
    begun = time.process_time()
    number = seed_of(seed, simulation.process, index)
    collisions = Collisions(simulation, number)
    pileup = Pileup(simulation, number) if simulation.pileup else None
    parts: list[Constituents] = []
    columns: list[np.ndarray] = []
    found = made = 0
    while found < n:
        batch = collisions.batch(_next_batch(n - found, found, made))
        made += len(batch)
        jets, column = _accepted(simulation, batch, pileup)
        parts.append(jets)
        columns.append(column)
        found += len(jets)
        if progress is not None:
            progress(min(found, n) - min(found - len(jets), n))
        if made >= _HOPELESS and found * _RAREST < made:
            raise StriateError(
                f"{simulation.process}: of {made} collisions only {found} had a jet of "
                f"{simulation.pt_low_gev:g} to {simulation.pt_high_gev:g} GeV within eta "
                f"{simulation.eta_max:g}: choose another window"
            )
    sigma, sigma_error = collisions.cross_section_pb()
    jets = Constituents.concatenate(parts).take(slice(0, n))
    kept = trimmed(jets, simulation.trim_radius, simulation.trim_fraction)
    values = observables(
        jets,
        radius=simulation.radius,
        kept=kept,
    )
    of_collision = np.concatenate(columns, axis=1)[:, :n].astype(np.float32)
    if pileup is not None:
        values["pileup"] = of_collision[0]
    pictured = jets.keep(kept) if simulation.images_of == "trimmed" else jets
    return Block(
        jets,
        kept,
        jet_images(pictured, **simulation.images),
        values,
        of_collision[1],
        {
            "collisions": made,
            "accepted": found,
            "tried": collisions.tried(),
            "sigma_pb": sigma,
            "sigma_error_pb": sigma_error,
            "seconds": time.process_time() - begun,
        },
    )


def _next_batch(missing: int, found: int, made: int) -> int:
    """Return how many collisions to make next; a batch more than needed is time lost."""
    if not found:
        return _BATCH
    return max(_SMALLEST_BATCH, min(_BATCH, round(missing * made / found)))


def _accepted(
    simulation: Simulation, batch: Batch, pileup: Pileup | None
) -> tuple[Constituents, np.ndarray]:
    """Return the leading jets in the window, and the pile-up and parton pT of each."""
    particles, extra = batch.particles, np.zeros(len(batch), np.int64)
    if pileup is not None:
        particles, extra = pileup.add_to(particles)
    low, high = simulation.pt_low_gev, simulation.pt_high_gev
    # As stored, in single precision, the pT may differ in the seventh digit.
    events, jets = leading_jets(particles, simulation.radius, simulation.eta_max, 0.9 * low)
    sums = jets.sums()
    chosen = (sums.pt_gev >= low) & (sums.pt_gev < high)
    if simulation.kind.particles:
        nearest = np.full(len(batch), np.inf)
        row = np.full(len(batch), -1)
        row[events] = np.arange(len(events))
        targets = batch.targets
        jet = row[targets.event]
        apart = distance(sums.eta[jet], sums.phi[jet], targets.eta, targets.phi)
        np.minimum.at(nearest, targets.event, np.where(jet >= 0, apart, np.inf))
        chosen &= nearest[events] < simulation.radius
    return jets.take(np.flatnonzero(chosen)), np.stack(
        [extra[events][chosen], batch.parton_pt_gev[events][chosen]]
    )
