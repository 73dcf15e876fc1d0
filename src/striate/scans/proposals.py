"""What a search tries next, and what came of it: Optuna's samplers and storage, batch by batch."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from striate.errors import StriateError
from striate.scans.cluster import library
from striate.scans.space import Cell

SAMPLERS = ("random", "tpe")


@dataclass(frozen=True)
class Between:
    """Any number between two, the ends included; an axis of a search.

    Attributes
    ----------
    low, high
        The ends.
    log
        Whether each factor of ten is as likely as the next, or each unit.
    whole
        Whether only whole numbers are meant.
    """

    low: float
    high: float
    log: bool = True
    whole: bool = False

    def __post_init__(self) -> None:
        if not (math.isfinite(self.low) and math.isfinite(self.high) and self.low < self.high):
            raise StriateError(f"between {self.low} and {self.high} there is no number: give two")
        if self.log and self.low <= 0:
            raise StriateError(
                f"between {self.low} and {self.high} there is no logarithmic range: begin above 0, "
                "or make it linear"
            )
        if self.whole and (self.low % 1 or self.high % 1):
            raise StriateError(f"{self.low} and {self.high} are no whole numbers")

    def describe(self) -> dict[str, Any]:
        """Return it as JSON holds it."""
        return asdict(self)


Axis = Between | list[Any]


def axis_from(described: Any) -> Axis:
    """Return an axis from what ``scan.json`` says of it."""
    return Between(**described) if isinstance(described, Mapping) else list(described)


class Study:
    """An Optuna study: proposals, and what came of them, in a data base.

    Several processes may have the same study; each sees what the others have found.

    Parameters
    ----------
    storage
        The address of the data base, such as ``sqlite:///search.db``.
    name
        The name of the study; made if it is not there.
    axes
        What is proposed.
    sampler
        One of `SAMPLERS`.
    seed
        Of the sampler.

    Raises
    ------
    StriateError
        If the data base does not answer.
    """

    def __init__(
        self, storage: str, name: str, axes: Mapping[str, Axis], sampler: str, seed: int
    ) -> None:
        self._optuna = library("optuna")
        self._optuna.logging.set_verbosity(self._optuna.logging.WARNING)
        self._sampler, self._seed = sampler, seed
        self._distributions = {axis: self._distribution(of) for axis, of in axes.items()}
        with self._answering(storage):
            self._study = self._optuna.create_study(
                storage=storage, study_name=name, direction="maximize", load_if_exists=True
            )
        self._trials: dict[int, Any] = {}

    def ask(self, count: int, already: int) -> list[tuple[int, Cell]]:
        """Return proposals: the number of each in the study, and its cell.

        Parameters
        ----------
        count
            How many.
        already
            How many this search has had. It decides, with the seed, what is drawn, so that a search
            that was stopped draws what it would have drawn.
        """
        seed = int(np.random.SeedSequence([self._seed, already]).generate_state(1)[0])
        with self._answering():
            self._study.sampler = self._sampler_of(seed)
            asked = [self._study.ask(self._distributions) for _ in range(count)]
        self._trials |= {trial.number: trial for trial in asked}
        return [
            (trial.number, {a: trial.params[a] for a in self._distributions}) for trial in asked
        ]

    def again(self, number: int) -> None:
        """Propose once more what a search that was stopped has not finished."""
        with self._answering():
            trials = self._study.get_trials(deepcopy=False)
            if number >= len(trials):
                raise StriateError(
                    f"the data base has no proposal {number}: it is not that of this search"
                )
            if not trials[number].state.is_finished():
                self._study.tell(number, state=self._optuna.trial.TrialState.FAIL)
            self._study.enqueue_trial(trials[number].params)

    def report(self, number: int, value: float, epoch: int) -> None:
        """Note how good a proposal is after some epochs."""
        with self._answering():
            self._trials[number].report(value, epoch)

    def values(self, epoch: int) -> dict[int, float]:
        """Return what is known of proposals after some epochs, of all processes."""
        failed = self._optuna.trial.TrialState.FAIL
        with self._answering():
            trials = self._study.get_trials(deepcopy=False)
        return {
            trial.number: trial.intermediate_values[epoch]
            for trial in trials
            if epoch in trial.intermediate_values and trial.state != failed
        }

    def tell(self, number: int, value: float, *, complete: bool) -> None:
        """Finish a proposal, which was trained to the end or not; once is enough."""
        states = self._optuna.trial.TrialState
        with self._answering():
            self._study.tell(
                number,
                value if complete else None,
                state=states.COMPLETE if complete else states.PRUNED,
                skip_if_finished=True,
            )

    def _distribution(self, axis: Axis) -> Any:
        known = self._optuna.distributions
        if isinstance(axis, Between):
            if axis.whole:
                return known.IntDistribution(int(axis.low), int(axis.high), log=axis.log)
            return known.FloatDistribution(axis.low, axis.high, log=axis.log)
        return known.CategoricalDistribution(axis)

    def _sampler_of(self, seed: int) -> Any:
        samplers = self._optuna.samplers
        if self._sampler == "tpe":
            return samplers.TPESampler(seed=seed, constant_liar=True)
        return samplers.RandomSampler(seed=seed)

    @contextmanager
    def _answering(self, storage: str = "its data base") -> Iterator[None]:
        """Turn what a data base refuses into one line."""
        errors = library("sqlalchemy.exc")
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", self._optuna.exceptions.ExperimentalWarning)
                yield
        except (errors.SQLAlchemyError, self._optuna.exceptions.StorageInternalError) as error:
            reason = " ".join(str(error.__cause__ or error).split())[:200]
            raise StriateError(f"the search cannot use {shown(storage)}: {reason}") from error
        except ImportError as error:
            # SQLAlchemy names the package that speaks with this kind of data base.
            package = getattr(error.__cause__ or error, "name", None)
            raise StriateError(
                f"the search cannot use {shown(storage)} without {package}: install it"
            ) from None


def shown(storage: str) -> str:
    """Return the address of a data base without its password."""
    if "://" not in storage:
        return storage
    url = library("sqlalchemy.engine").make_url(storage)
    return str(url.render_as_string(hide_password=True))


def surviving(values: Mapping[int, float], known: Mapping[int, float], reduction: int) -> list[int]:
    """Return which of a batch go on beyond a rung of asynchronous successive halving.

    They are among the best of ``1 / reduction`` of all that have come to this rung so far, in this
    batch or before; the best of the batch if none would be (Li et al., arXiv:1810.05934, which
    decides for one after the other; Optuna's pruner does so, and would let the first of each batch
    through whatever it is worth).

    Parameters
    ----------
    values
        How good those of the batch are, by their numbers; NaN for what has diverged.
    known
        How good all are that have come to this rung.
    reduction
        One in so many goes on.
    """
    sound = {number: value for number, value in values.items() if math.isfinite(value)}
    everyone = {**{n: v for n, v in known.items() if math.isfinite(v)}, **sound}
    order = sorted(everyone, key=lambda number: (-everyone[number], number))
    best = set(order[: max(1, len(everyone) // reduction)])
    return [number for number in sound if number in best] or sorted(
        sound, key=lambda number: (-sound[number], number)
    )[:1]


def rungs(epochs: int, least: int, reduction: int | None) -> Sequence[int]:
    """Return after how many epochs it is decided who goes on, and the last epoch.

    Each rung has `reduction` times the epochs of the one before.
    """
    if reduction is None:
        return (epochs,)
    found = []
    while least < epochs:
        found.append(least)
        least *= reduction
    return (*found, epochs)
