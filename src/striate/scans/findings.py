"""What a search has found."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

from striate.errors import StriateError
from striate.scans.result import GridResult
from striate.scans.space import words


@dataclass(frozen=True, eq=False)
class SearchResult(GridResult):
    """A search as its directory tells it; also one that is not finished yet.

    Made by `striate.scans.search`, or by `SearchResult.load` of a directory. Its arrays have one
    value for each proposal, in the order in which they were made.

    Attributes
    ----------
    directory, config, rows
        As those of `GridResult`; a row tells by ``epochs_done`` how far its network has come.
    """

    @classmethod
    def load(cls, directory: str | os.PathLike[str]) -> SearchResult:
        """Read a search from its directory.

        Raises
        ------
        StriateError
            If the directory is no search, or a file of it is damaged.
        """
        found = super().load(directory)
        if found.config.get("kind") != "search":
            raise StriateError(f"{directory} is a grid, not a search: striate grid --resume")
        return cls(found.directory, found.config, found.rows)

    @property
    def shape(self) -> tuple[int, ...]:
        """How many proposals there are so far."""
        return (len(self.cells),)

    @property
    def finished(self) -> bool:
        """Whether all proposals that were asked for are done."""
        return len(self.rows) == int(self.config["trials"])

    @property
    def watched(self) -> str:
        """Which images decide what is best: ``validation``, or ``test`` without them."""
        return str(self.config["training"]["validation_on"])

    def best(self, by: str | None = None) -> dict[str, Any]:
        """Return the row of the best proposal; see `GridResult.best`.

        Parameters
        ----------
        by
            A column; the accuracy on the images that decide if not given.
        """
        return super().best(f"{self.watched}_accuracy" if by is None else by)

    def plane(self, what: str, **_: Any) -> Any:
        """Raise, since proposals fill no plane."""
        raise StriateError(
            f"{self.directory} is a search: {what} over two axes is for grids; table() has all"
        )

    def __repr__(self) -> str:
        what = f"{self.config['model']['title']} on {self.config['dataset']['name']}"
        done = f"{len(self.rows)}/{self.config['trials']} proposals"
        end = ""
        if any(row["diverged"] is None for row in self.rows.values()):
            best = self.best()
            cell = words({name: best[name] for name in self.axes})
            accuracy = best[f"{self.watched}_accuracy"]
            end = f", best {self.watched} accuracy {accuracy:.4f} with {cell}"
        return f"SearchResult('{self.directory}': {what}, {done}{end})"
