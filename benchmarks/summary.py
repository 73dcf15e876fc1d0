"""Medians, spreads and ratios of measurements, and whether the programs did the same thing."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from benchmarks.measurement import Measurement
from benchmarks.programs import PROGRAMS

# Programs that begin with the same weights and see the same batches may differ by rounding only.
TOLERANCE = 1e-5


@dataclass(frozen=True)
class Spread:
    """Median, smallest and largest of `n` values."""

    n: int
    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Iterable[float]) -> Spread | None:
        """Return the spread of the values, None if there are none."""
        ordered = sorted(values)
        if not ordered:
            return None
        return cls(len(ordered), statistics.median(ordered), ordered[0], ordered[-1])


@dataclass(frozen=True)
class Row:
    """One program on one network.

    `ratio` is the reference program's throughput over this one's, taken within each repetition,
    because the machine's speed drifts from one to the next. A first start finds empty compilation
    caches; later starts find what it has left.
    """

    program: str
    network: str
    throughput: Spread
    ratio: Spread | None
    first_step_first_start: float | None
    first_step_later_starts: Spread | None
    process_first_start: float | None
    process_later_starts: Spread | None
    peak_memory_bytes: Spread

    @property
    def family(self) -> str:
        """The group of programs of which the best is reported."""
        return PROGRAMS[self.program].family


def summarise(measurements: Sequence[Measurement], reference: str) -> list[Row]:
    """Return one row for each network and program, networks first, in the order measured."""
    pairs = dict.fromkeys((m.network, m.program) for m in measurements)
    networks = list(dict.fromkeys(network for network, _ in pairs))
    return [
        _row(measurements, network, program, reference)
        for network in networks
        for other, program in pairs
        if other == network
    ]


def _row(measurements: Sequence[Measurement], network: str, program: str, reference: str) -> Row:
    of_network = [m for m in measurements if m.network == network]
    mine = [m for m in of_network if m.program == program]
    against = {m.repetition: m.images_per_second for m in of_network if m.program == reference}
    throughput = Spread.of(m.images_per_second for m in mine)
    memory = Spread.of(m.peak_memory_bytes for m in mine)
    if throughput is None or memory is None:
        raise ValueError(f"no measurement of {program} on {network}")
    first = [m for m in mine if m.repetition == 1]
    later = [m for m in mine if m.repetition > 1]
    return Row(
        program=program,
        network=network,
        throughput=throughput,
        ratio=Spread.of(
            against[m.repetition] / m.images_per_second for m in mine if m.repetition in against
        ),
        first_step_first_start=first[0].seconds_to_first_step if first else None,
        first_step_later_starts=Spread.of(m.seconds_to_first_step for m in later),
        process_first_start=first[0].seconds_whole_process if first else None,
        process_later_starts=Spread.of(m.seconds_whole_process for m in later),
        peak_memory_bytes=memory,
    )


def best_of_families(rows: Sequence[Row], network: str) -> dict[str, Row]:
    """Return, for each family, its row of the largest median throughput on this network."""
    best: dict[str, Row] = {}
    for row in rows:
        if row.network == network and (
            row.family not in best or row.throughput.median > best[row.family].throughput.median
        ):
            best[row.family] = row
    return best


@dataclass(frozen=True)
class Agreement:
    """How far each program's first losses on one network are from the median of all programs.

    `deviations` are the largest relative differences. With one program there is nothing to
    compare, and `agrees` says so by being None.
    """

    network: str
    deviations: dict[str, float]

    @property
    def agrees(self) -> bool | None:
        """Whether every program is within the tolerance."""
        if len(self.deviations) < 2:
            return None
        # Written so that a NaN disagrees.
        return all(deviation <= TOLERANCE for deviation in self.deviations.values())

    @property
    def strangers(self) -> list[str]:
        """The programs outside the tolerance, furthest first."""
        outside = [name for name, value in self.deviations.items() if not value <= TOLERANCE]
        return sorted(outside, key=lambda name: -self.deviations[name])


def agreement(measurements: Sequence[Measurement], network: str) -> Agreement:
    """Compare the first losses of the programs on one network."""
    losses = {
        m.program: m.losses for m in measurements if m.network == network and m.losses is not None
    }
    middle = [statistics.median(values) for values in zip(*losses.values(), strict=True)]
    deviations = {
        program: max(abs(a - b) / abs(b) for a, b in zip(values, middle, strict=True))
        for program, values in losses.items()
    }
    return Agreement(network, deviations)
