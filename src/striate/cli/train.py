"""``striate train``: train a lecture network on a dataset, evaluate it, write its report."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from striate.cli import datasets, options, output, result, selection
from striate.cli.keras_loading import load_keras
from striate.errors import StriateError

if TYPE_CHECKING:
    from striate.data import Dataset
    from striate.models import LectureModel
    from striate.runs import Run, Runs

EXAMPLES = options.examples(
    "striate train digits",
    "striate train ox --epochs 5 --seed 1 --no-report",
    "striate train digits --learning-rate 0.05 --set filters=20",
    "striate train digits --epochs 20 --seeds 3 --no-report --json",
    "striate train mnist --model isgc",
    "striate train jets.npz --load arrays.x=images --load arrays.y=is_gluon",
    "striate train --resume last",
)


def train(
    dataset: Annotated[
        str | None,
        typer.Argument(
            metavar="DATASET",
            help="A known name (digits, ox, jets, mnist, fashion_mnist, cifar10), or a path.",
            show_default=False,
        ),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="The lecture network ('striate explain model' lists them); the dataset's own "
            "when not given.",
        ),
    ] = None,
    epochs: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="How often to go through the images.")
    ] = None,
    batch_size: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Images in a batch.")
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option(
            metavar="N", min=0, help="Decides weights, dropout and order of images; 0 if not given."
        ),
    ] = None,
    seeds: Annotated[
        int | None,
        typer.Option(
            metavar="N", min=1, help="Train N networks as one program, each with the next seed."
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Where the run's directory is made; runs if not given."),
    ] = None,
    learning_rate: Annotated[
        float | None, typer.Option(metavar="X", help="In place of the lecture's.")
    ] = None,
    arguments: options.Settings = None,
    loading: options.Loading = None,
    resume: Annotated[
        str | None,
        typer.Option(
            metavar="RUN", help="Go on with a run that was stopped; takes no dataset or settings."
        ),
    ] = None,
    report: Annotated[
        bool, typer.Option("--report/--no-report", help="Whether to write a report.")
    ] = True,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Show no progress, only the result.")
    ] = False,
    json: options.Json = False,
) -> None:
    """Train a network, evaluate it, write its report.

    Network, epochs and batch size are those of the lecture unless told otherwise. The run's
    directory keeps all that was done; a run that was stopped, by Ctrl-C or a kill, is resumed to
    the same bits.
    """
    settings = options.settings(arguments or [])
    if learning_rate is not None:
        settings["learning_rate"] = learning_rate
    command = _Command(report=report, quiet=quiet, json=json)
    if resume is None:
        if dataset is None:
            raise StriateError("train needs a dataset, as in: striate train digits")
        reading = options.loading(loading or [])
        data, network = datasets.with_network(dataset, model, reading)
        plan = Plan.of(dataset, network, epochs, batch_size, settings, reading)
        command.train(plan, data, out or Path("runs"), seed or 0, seeds)
    else:
        begun = (dataset, model, epochs, batch_size, seed, seeds, out)
        if settings or loading or any(value is not None for value in begun):
            raise StriateError(
                "--resume goes on with a run as it was begun: leave out dataset and settings"
            )
        states = ("interrupted", "finished")
        command.resume(selection.run_directory(resume, states, together=True))


@dataclass(frozen=True)
class Plan:
    """A training as it will be: what was given, and the lecture's where nothing was.

    Attributes
    ----------
    dataset, model
        Name or path, and name of the lecture network.
    epochs, batch_size
        Of the training.
    settings
        Arguments of the network's function, or of its optimizer.
    loading
        Options of `striate.load`.
    """

    dataset: str
    model: str
    epochs: int
    batch_size: int
    settings: Mapping[str, Any]
    loading: Mapping[str, Any]

    @classmethod
    def of(
        cls,
        dataset: str,
        network: LectureModel,
        epochs: int | None,
        batch_size: int | None,
        settings: Mapping[str, Any],
        loading: Mapping[str, Any],
    ) -> Plan:
        """Fill in what the lecture says of its network where nothing was given."""
        return cls(
            dataset,
            network.name,
            epochs or network.epochs,
            batch_size or network.batch_size,
            settings,
            loading,
        )

    def __str__(self) -> str:
        from striate.models.registry import lookup

        summary = lookup(self.model).summary
        return f"{self.model}: {summary}; epochs {self.epochs}, batch size {self.batch_size}"

    def command(self, seed: int, seeds: int | None) -> str:
        """Return the command that repeats it, whatever the lecture's values may be by then."""
        words = ["striate", "train", self.dataset, "--model", self.model]
        words += ["--epochs", str(self.epochs), "--batch-size", str(self.batch_size)]
        words += ["--seed", str(seed)]
        if seeds is not None:
            words += ["--seeds", str(seeds)]
        for name, value in self.settings.items():
            words += ["--set", f"{name}={options.written(value)}"]
        return shlex.join([*words, *options.loading_words(self.loading)])


@dataclass(frozen=True)
class _Command:
    """How one call of the command is to end and to speak."""

    report: bool
    quiet: bool
    json: bool

    def train(self, plan: Plan, data: Dataset, out: Path, seed: int, seeds: int | None) -> None:
        """Train, with one seed or with several."""
        self._tell(datasets.describe(data))
        for remark in data.provenance.get("notes", ()):
            self._tell(f"  {remark}")
        self._tell(str(plan))
        with self._training() as (runs, observer):
            trained = runs.train(
                plan.model,
                data,
                epochs=plan.epochs,
                batch_size=plan.batch_size,
                seed=seed,
                seeds=seeds,
                directory=out,
                observer=observer,
                command=plan.command(seed, seeds),
                **plan.settings,
            )
        if seeds is None:
            self._show(self._finish(trained, data))
        else:
            self._show_all(trained, data)

    def resume(self, directory: Path) -> None:
        """Go on with a run, or with all that are one program."""
        from striate.runs import Run
        from striate.runs.seeds import members_of

        members = members_of(directory)
        data = datasets.of_run(Run.load(members[0]))
        several = len(members) > 1
        with self._training() as (runs, observer):
            run = runs.resume(members[0].parent if several else directory, data, observer=observer)
        if several:
            self._show_all(run, data)
        else:
            self._show(self._finish(run, data))

    def _show_all(self, trained: Runs, data: Dataset) -> None:
        """Finish the runs of several seeds; end with their mean."""
        results = [self._finish(run, data) for run in trained]
        watched = trained[0].config["training"]["validation_on"]
        mean = trained.accuracy
        self._show({"runs": results, f"{watched}_accuracy": mean and mean._asdict()})
        if mean and not self.json:
            output.say(f"mean {watched} accuracy: {mean}")

    @contextmanager
    def _training(self) -> Iterator[tuple[Any, Any]]:
        """Give what trains and what shows it; turn a signal into its exit status."""
        load_keras()
        from striate import runs
        from striate.cli import progress

        try:
            with progress.shown(quiet=self.quiet) as observer:
                yield runs, observer
        except runs.Interrupted as stop:
            output.note(f"striate: {stop}")
            raise typer.Exit(128 + stop.signal) from None

    def _finish(self, run: Run, data: Dataset) -> dict[str, Any]:
        """Evaluate a run, write its report, say what it achieved; return it for ``--json``."""
        with output.waiting("evaluating ..."):
            evaluation = result.evaluate(run, data)
        report = None
        if self.report:
            with output.waiting("writing the report ..."):
                from striate.report import write_report

                report = write_report(run, evaluation, data)
        timing = run.config.get("timing", {})
        if not self.json:
            output.say(result.first_predictions(evaluation))
            output.say(result.summary(evaluation, timing))
            output.say(f"run: {output.from_here(run.directory)}")
            if report is not None:
                output.say(f"report: {output.from_here(report)}")
        return {
            "run": str(run.directory),
            "report": None if report is None else str(report),
            "dataset": run.config["dataset"],
            "model": run.config["model"],
            "training": run.config["training"],
            "timing": timing,
            "history": run.history,
            "evaluation": result.as_dict(evaluation, data),
        }

    def _show(self, value: Mapping[str, Any]) -> None:
        if self.json:
            output.say_json(value)

    def _tell(self, line: str) -> None:
        if not self.quiet:
            (output.note if self.json else output.say)(line)
