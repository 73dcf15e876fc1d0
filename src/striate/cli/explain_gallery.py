"""``striate explain gallery``: all pictures on one page, each with its command."""

from __future__ import annotations

import io
import shlex
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from striate.cli import options, output

if TYPE_CHECKING:
    from striate.explain.gallery import Entry

EXAMPLES = options.examples(
    "striate explain gallery",
    "striate explain gallery --no-run --out pictures",
)


@dataclass(frozen=True)
class _Picture:
    """A command of the gallery: what it shows, the name of its files, and its words."""

    title: str
    name: str
    words: str
    printed: bool = False


_PICTURES = (
    _Picture("A convolution, step by step", "convolution", "convolution --image o --bias -2"),
    _Picture(
        "Convolution and cross-correlation",
        "comparison",
        "convolution --image edges --kernel sobel --compare",
    ),
    _Picture(
        "A digit, sharpened", "digit", "convolution --image digits:3 --kernel sharpen --padding 1"
    ),
    _Picture(
        "Stride and dilation",
        "dilation",
        "convolution --image disc --kernel sobel --stride 2 --padding 1 --dilation 2",
    ),
    _Picture(
        "A colour image: one kernel layer a channel",
        "colour",
        "convolution --image rgb --kernel '0 1 0; 0 1 0; 0 1 0 | 0 0 0; 1 1 1; 0 0 0 "
        "| 1 1 0; 1 1 0; 0 0 0'",
    ),
    _Picture("Zero padding", "padding", "padding", printed=True),
    _Picture("How many outputs there are", "arithmetic", "arithmetic", printed=True),
    _Picture("The same when nothing is square", "sizes", "arithmetic --size 7x5 --kernel 3x2"),
    _Picture("Convolution as a matrix", "matrix", "matrix", printed=True),
    _Picture("Pooling", "pooling", "pooling"),
    _Picture("The worked example", "worked-example", "worked-example", printed=True),
    _Picture("Fourier series and a driven oscillator", "fourier", "fourier", printed=True),
    _Picture("Gaussian blur, directly and by FFT", "blur", "blur", printed=True),
    _Picture("A network, layer by layer", "model", "model heidelberg"),
)


def gallery(
    out: Annotated[
        Path, typer.Option(metavar="DIR", help="The folder for the page and its pictures.")
    ] = Path("gallery"),
    run: Annotated[
        bool, typer.Option("--run/--no-run", help="Whether to train a network, and explain it.")
    ] = True,
) -> None:
    """Make all pictures on one page.

    The page is index.html in the folder, which holds the pictures, too; each has the command that
    made it below it. With a network that is trained for it, it takes about a minute.
    """
    from striate.explain.gallery import write_gallery

    entries = []
    for number, picture in enumerate(_PICTURES, 1):
        output.note(f"{number}/{len(_PICTURES) + run}: striate explain {picture.words}")
        words = shlex.split(picture.words)
        target = out / picture.name
        printed = _run(["explain", *words, "--out", str(target)])
        entries.append(
            _entry(
                picture.title,
                (f"striate explain {picture.words}",),
                sorted(out.glob(f"{picture.name}.*")) + sorted(out.glob(f"{picture.name}-*")),
                printed if picture.printed else "",
            )
        )
    if run:
        output.note(f"{len(entries) + 1}/{len(entries) + 1}: striate explain run")
        entries.append(_trained(out))
    page = out / "index.html"
    write_gallery(entries, page)
    output.say(output.from_here(page))


def _trained(out: Path) -> Entry:
    """Train a network on digits, and explain what it makes of an image."""
    runs, target = out / "runs", out / "run"
    _run(["train", "digits", "--out", str(runs), "--no-report", "--quiet"])
    newest = max(
        (path.parent for path in runs.glob("*/config.json")), key=lambda p: p.stat().st_mtime
    )
    printed = _run(["explain", "run", str(newest), "--image", "7", "--out", str(target)])
    return _entry(
        "What a trained network makes of an image",
        ("striate train digits", "striate explain run last --image 7"),
        sorted(target.iterdir()),
        printed,
    )


def _entry(title: str, commands: tuple[str, ...], figures: list[Path], printed: str) -> Entry:
    from striate.explain.gallery import Entry

    # The page has links to the figures; where this machine keeps them is no part of it.
    told = {output.from_here(path) for path in figures}
    kept = [line for line in printed.splitlines() if line not in told]
    return Entry(title, commands, tuple(figures), "\n".join(kept))


def _run(words: list[str]) -> str:
    """Run a command, and return what it printed."""
    from striate.cli.main import app

    with redirect_stdout(io.StringIO()) as printed:
        typer.main.get_command(app).main(words, prog_name="striate", standalone_mode=False)
    return printed.getvalue()
