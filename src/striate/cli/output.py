"""Where words go: results to standard output, messages to standard error, JSON when asked for."""

from __future__ import annotations

import functools
import json
import math
import os
import shutil
import sys
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from rich.console import Console

BROKEN_PIPE = 141
"""Exit status when the reader of standard output has gone: what a shell gives for SIGPIPE."""

_WIDE = 10_000


def say(text: str = "", *, hang: int = 0) -> None:
    """Print lines of the result.

    A terminal gets them folded between words, so that no path is broken; what is folded is
    indented by `hang`. Elsewhere a line stays a line.
    """
    _say(_folded(text, hang) if sys.stdout.isatty() else text)


def note(text: str) -> None:
    """Print a line of progress, or a message, which is no part of the result."""
    print(_folded(text, 0) if sys.stderr.isatty() else text, file=sys.stderr, flush=True)


def say_json(value: Any) -> None:
    """Print the result as one JSON object; NaN and infinity become null."""
    say(json.dumps(finite(value), indent=2, allow_nan=False))


def say_table(
    heads: Sequence[str], rows: Sequence[Sequence[str]], numbers: Sequence[int] = ()
) -> None:
    """Print rows under their heads, the columns `numbers` to the right.

    On a terminal the cells are folded to its width; elsewhere every row is one line.
    """
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for number, head in enumerate(heads):
        table.add_column(
            head, justify="right" if number in numbers else "left", overflow="fold", min_width=4
        )
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    screen = console()
    with screen.capture() as captured:
        screen.print(table)
    # Cells are padded to the width of their column, also in the last one.
    _say("\n".join(line.rstrip() for line in captured.get().splitlines()))


def console(*, stderr: bool = False) -> Console:
    """Return a rich console; where there is no terminal its lines are not folded."""
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    return Console(stderr=stderr, highlight=False, width=None if stream.isatty() else _WIDE)


@contextmanager
def waiting(words: str) -> Iterator[None]:
    """Show on a terminal that something takes its time, and what."""
    if not sys.stderr.isatty():
        yield
        return
    with console(stderr=True).status(words):
        yield


def from_here(path: str | os.PathLike[str]) -> str:
    """Return a path as short as it can be clicked on: from the working directory, or absolute."""
    absolute = Path(path).absolute()
    here = Path.cwd()
    return str(absolute.relative_to(here) if absolute.is_relative_to(here) else absolute)


def width() -> int:
    """Return how many characters fit into a line of the result."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else _WIDE


def _say(text: str) -> None:
    """Print to standard output; end quietly when its reader has had enough (``| head``)."""
    try:
        print(text, flush=True)
    except BrokenPipeError:
        # Python flushes standard output once more at its end; that must not fail again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(BROKEN_PIPE) from None


def _folded(text: str, hang: int) -> str:
    fold = functools.partial(
        textwrap.fill,
        width=shutil.get_terminal_size().columns,
        subsequent_indent=" " * hang,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return "\n".join(fold(line) for line in text.split("\n"))


def finite(value: Any) -> Any:
    """Return a value as JSON can hold it: NaN and infinity become None."""
    if isinstance(value, Mapping):
        return {str(key): finite(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [finite(entry) for entry in value]
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    return value
