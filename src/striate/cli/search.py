"""``striate search``: look for good hyperparameters without trying every combination."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from striate.cli import datasets, options, output, ranges, selection
from striate.cli.keras_loading import load_keras
from striate.errors import StriateError
from striate.quantities import plural, seconds

if TYPE_CHECKING:
    from striate.scans import SearchResult

EXAMPLES = options.examples(
    "striate search digits --learning-rate 1e-5:1e1 --l2 1e-6:1 --halving 3",
    "striate search digits --learning-rate 1e-3:1 --set filters=5,9 --sampler tpe",
    "striate search ox --learning-rate 1e-4:0.1 --trials 16 --at-once 8",
    "striate search --resume runs/digits-oslo_digits-search-20261120-120000",
)

_HELP = "LOW:HIGH is any number between (logarithmic; lin:LOW:HIGH linear), a,b,c a choice."
Range = Annotated[str | None, typer.Option(metavar="RANGE", help=_HELP)]


def search(
    dataset: Annotated[
        str | None,
        typer.Argument(
            metavar="DATASET",
            help="A known name (digits, ox, mnist, fashion_mnist, cifar10), or a path.",
            show_default=False,
        ),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="The lecture network; the dataset's own if not given."),
    ] = None,
    learning_rate: Range = None,
    l2: Range = None,
    arguments: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="NAME=RANGE",
            help="Another argument of the network's function or its optimizer, as filters=4:64 or "
            "momentum=lin:0.5:0.99; may be given again.",
        ),
    ] = None,
    epochs: Annotated[int | None, typer.Option(metavar="N", min=1, help="Of a whole training.")] = (
        None
    ),
    batch_size: Annotated[int | None, typer.Option(metavar="N", min=1)] = None,
    seed: Annotated[int, typer.Option(metavar="N", min=0, help="Of the networks.")] = 0,
    trials: Annotated[int, typer.Option(metavar="N", min=1, help="Networks to try.")] = 64,
    at_once: Annotated[
        int, typer.Option(metavar="N", min=1, help="Networks that are trained together.")
    ] = 32,
    sampler: Annotated[
        str,
        typer.Option(metavar="NAME", help="random, or tpe, which learns from what is done."),
    ] = "random",
    halving: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=2,
            help="Stop what is not promising: one in N goes on, for N times the epochs.",
        ),
    ] = None,
    least_epochs: Annotated[
        int | None,
        typer.Option(metavar="N", min=1, help="With --halving: epochs that all are trained for."),
    ] = None,
    search_seed: Annotated[
        int, typer.Option(metavar="N", min=0, help="Decides what is proposed.")
    ] = 0,
    storage: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="Optuna's data base, as postgresql://user@host/name; an SQLite file in the "
            "search's directory if not given.",
        ),
    ] = None,
    study: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="The study in it: searches of the same study learn from each other.",
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Where the search's directory is made; runs if not given"),
    ] = None,
    memory: Annotated[
        str | None,
        typer.Option(metavar="SIZE", help="Memory for the training, as 4GB; half of what is free."),
    ] = None,
    resume: Annotated[
        str | None,
        typer.Option(
            metavar="SEARCH",
            help="Go on with a search that was stopped; takes no other settings but --storage.",
        ),
    ] = None,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Show no progress, only the result.")
    ] = False,
    json: options.Json = False,
) -> None:
    """Look for good hyperparameters: propose, train a batch of proposals as one program, repeat.

    With --halving, all are trained for a few epochs, and the promising for longer (asynchronous
    successive halving). What is promising is decided on the validation images, or on the test
    images where there are none. The search's directory keeps each batch (table.csv), and Optuna's
    data base each proposal, so that its tools can look at it; a search that was stopped is resumed
    to what it would have found.
    """
    given = {"learning_rate": learning_rate, "l2": l2}
    wanted = {name: text for name, text in given.items() if text is not None}
    if resume is not None:
        if dataset is not None or model is not None or wanted or arguments or out or memory:
            raise StriateError(
                "--resume goes on with a search as it was begun: leave out dataset and settings"
            )
        path = Path(resume) if Path(resume).exists() else selection.scan_directory(resume)
        _show(_computed(lambda s, o: s.resume_search(path, storage=storage, observer=o), quiet),
              json=json)  # fmt: skip
        return
    if dataset is None:
        raise StriateError(
            "search needs a dataset, as in: striate search digits --learning-rate 1e-5:1e1"
        )
    axes = _axes(arguments or [], wanted)
    settings = {
        "epochs": epochs,
        "batch_size": batch_size,
        "seed": seed,
        "trials": trials,
        "at_once": at_once,
        "sampler": sampler,
        "reduction": halving,
        "least_epochs": least_epochs,
        "search_seed": search_seed,
        "storage": storage,
        "study": study,
        "memory": memory,
    }
    options_used = {
        "halving" if name == "reduction" else name: value
        for name, value in settings.items()
        if value is not None and name != "storage"
    }
    _show(
        _computed(
            lambda scans, observer: _new(
                scans,
                dataset,
                model,
                quiet=quiet or json,
                observer=observer,
                directory=out or selection.RUNS,
                command=partial(
                    _command, dataset, wanted=wanted, pairs=arguments or [], settings=options_used
                ),
                **settings,
                **axes,
            ),
            quiet,
        ),
        json=json,
    )


def _new(
    scans: Any,
    dataset: str,
    model: str | None,
    *,
    command: Callable[[str], str],
    quiet: bool,
    **given: Any,
) -> SearchResult:
    data, entry = datasets.with_network(dataset, model)
    if not quiet:
        output.say(datasets.describe(data))
        output.say(f"{entry.name}: {entry.summary}")
    found: SearchResult = scans.search(entry.name, data, command=command(entry.name), **given)
    return found


def _axes(pairs: list[str], wanted: Mapping[str, str]) -> dict[str, Any]:
    axes: dict[str, Any] = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not equals or not name.isidentifier():
            raise StriateError(f"--set {pair}: write NAME=RANGE, as --set neurons=20:200")
        if name in axes or name in wanted:
            raise StriateError(f"--set {pair}: {name} is set twice")
        axes[name] = axis(f"--set {name}", text)
    return axes | {n: axis(f"--{n.replace('_', '-')}", text) for n, text in wanted.items()}


def axis(option: str, text: str) -> Any:
    """Return what a range on the command line means for a search.

    ``LOW:HIGH`` and ``lin:LOW:HIGH`` are any number between, whole ones if both are written so;
    the rest means what it means for a grid.
    """
    words = text.split(":")
    linear = words[0] == "lin"
    ends = [options.read_value(word) for word in words[linear:]]
    numbers = all(isinstance(end, int | float) and not isinstance(end, bool) for end in ends)
    if "," in text or len(ends) != 2 or not numbers:
        return ranges.values(option, text)
    from striate.scans import Between

    try:
        low, high = ends
        return Between(low, high, log=not linear, whole=all(isinstance(e, int) for e in ends))
    except StriateError as error:
        raise StriateError(f"{option} {text}: {error}") from None


def _computed(compute: Any, quiet: bool) -> SearchResult:
    """Compute with an observer that tells of each rung; turn a signal into its exit status."""
    load_keras()
    from striate import runs, scans
    from striate.cli.scan_progress import Silent

    observer = scans.ScanObserver() if quiet else Silent()
    try:
        with output.waiting("searching"):
            found: SearchResult = compute(scans, observer)
    except runs.Interrupted as stop:
        output.note(f"striate: {stop}")
        raise typer.Exit(128 + stop.signal) from None
    return found


def _show(found: SearchResult, *, json: bool) -> None:
    sound = [row for row in found.table() if row["diverged"] is None]
    if json:
        output.say_json(
            {
                "search": str(found.directory),
                "best": found.best() if sound else None,
                "proposals": found.table(),
                "timing": found.config["timing"],
            }
        )
        return
    whole = sum(row["epochs_done"] == found.config["rungs"][-1] for row in sound)
    total = found.config["timing"].get("seconds_total")
    took = "" if total is None else f" in {seconds(total)}"
    output.say(f"{plural(len(found.cells), 'network')}, {whole} of them trained to the end{took}")
    if sound:
        from striate.scans.space import words

        best = found.best()
        output.say(
            f"best: {words({name: best[name] for name in found.axes})}: {found.watched} accuracy "
            f"{best[f'{found.watched}_accuracy']:.4f} after {best['epochs_done']} epochs"
        )
        if found.watched == "test":
            output.say(
                "it was chosen by its test accuracy, which is therefore no measure of it any more: "
                "hold out validation images, or test it on others"
            )
    output.say(f"search: {output.from_here(found.directory)}")


def _command(
    dataset: str,
    model: str,
    wanted: Mapping[str, str],
    pairs: list[str],
    settings: Mapping[str, Any],
) -> str:
    """Return the command that repeats the search, but for its data base."""
    line = ["striate", "search", dataset, "--model", model]
    for name, value in {**wanted, **settings}.items():
        line += [f"--{name.replace('_', '-')}", str(value)]
    for pair in pairs:
        line += ["--set", pair]
    return shlex.join(line)
