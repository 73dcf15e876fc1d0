"""All that one run of the benchmark has measured, and how it was made; kept as JSON."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.measurement import Failure, Measurement
from benchmarks.summary import Agreement, Row, agreement, summarise
from striate import files
from striate.errors import StriateError

REFERENCE = "striate-fit"


@dataclass
class Comparison:
    """Measurements with their making: date, command, machine, versions, settings."""

    made: dict[str, Any]
    missing: dict[str, list[str]] = field(default_factory=dict)
    measurements: list[Measurement] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)

    def add(self, outcome: Measurement | Failure) -> None:
        """Add what one process has given."""
        if isinstance(outcome, Measurement):
            self.measurements.append(outcome)
        else:
            self.failures.append(outcome)

    @property
    def networks(self) -> list[str]:
        """The networks that were measured, in order."""
        return list(dict.fromkeys(m.network for m in self.measurements))

    @property
    def reference(self) -> str:
        """The program that ratios are taken to: striate's `fit`, or the first that was measured."""
        measured = [m.program for m in self.measurements]
        return REFERENCE if REFERENCE in measured or not measured else measured[0]

    def rows(self) -> list[Row]:
        """Return medians and ratios."""
        return summarise(self.measurements, self.reference)

    def agreements(self) -> list[Agreement]:
        """Return, for each network, whether the programs did the same thing."""
        return [agreement(self.measurements, network) for network in self.networks]

    @property
    def void(self) -> bool:
        """Whether on any network the first losses of the programs differ."""
        return any(result.agrees is False for result in self.agreements())

    def save(self, path: Path) -> None:
        """Write everything, medians and ratios included."""
        files.write_json(
            path,
            {
                "made": self.made,
                "missing": self.missing,
                "reference": self.reference,
                "summary": [asdict(row) for row in self.rows()],
                "agreement": [
                    {"network": a.network, "agrees": a.agrees, "deviations": a.deviations}
                    for a in self.agreements()
                ],
                "failures": [failure.as_dict() for failure in self.failures],
                "measurements": [measurement.as_dict() for measurement in self.measurements],
            },
        )

    @classmethod
    def load(cls, path: Path) -> Comparison:
        """Read what `save` wrote.

        Raises
        ------
        StriateError
            If the file is missing or is not such a file.
        """
        try:
            stored = json.loads(path.read_text(encoding="utf-8"))
            return cls(
                made=stored["made"],
                missing=stored["missing"],
                measurements=[Measurement(**record) for record in stored["measurements"]],
                failures=[Failure(**record) for record in stored["failures"]],
            )
        except FileNotFoundError:
            raise StriateError(
                f"{path}: no such file; give a JSON file of this benchmark"
            ) from None
        except (KeyError, TypeError, ValueError) as error:
            raise StriateError(
                f"{path}: not a result of this benchmark ({error}); measure again"
            ) from None
