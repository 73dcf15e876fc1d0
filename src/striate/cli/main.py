"""The command ``striate``: joins the commands, and turns what they raise into an exit status."""

from __future__ import annotations

import errno
import os
import traceback
from collections.abc import Sequence
from typing import Annotated

import typer

import striate
from striate.cli import (
    bench,
    data,
    doctor,
    evaluate,
    explain,
    grid,
    jets,
    options,
    output,
    report,
    reproduce,
    runs,
    search,
    train,
)
from striate.errors import StriateError

SUCCESS, FAILURE, WRONG_CALL = 0, 1, 2

# The command line's base of all wrong calls; typer gives no other public name for it.
_UsageError: type[Exception] = typer.BadParameter.__mro__[1]

# What a machine or its user can refuse us: one line says it all.
_REFUSALS = {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.EDQUOT, errno.ENOTDIR}

app = typer.Typer(
    # Plain help texts: rich ones take longer to show than to read.
    rich_markup_mode=None,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=options.examples(
        "striate train digits              train, evaluate, write a report",
        "striate explain model heidelberg  a lecture network, layer by layer",
        "striate data list                 the datasets known by name",
        "striate doctor                    is all well on this machine?",
    ),
)


@app.callback(invoke_without_command=True)
def striate_command(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    """Train convolutional networks, look at what they learned, on the computer you have."""
    if version:
        output.say(striate.__version__)
        raise typer.Exit
    if context.invoked_subcommand is None:
        output.say(context.get_help())


app.command("train", epilog=train.EXAMPLES)(train.train)
app.command("grid", epilog=grid.EXAMPLES)(grid.grid)
app.command("search", epilog=search.EXAMPLES)(search.search)
app.command("evaluate", epilog=evaluate.EXAMPLES)(evaluate.evaluate)
app.command("report", epilog=report.EXAMPLES)(report.report)
app.command("reproduce", epilog=reproduce.EXAMPLES)(reproduce.reproduce)
app.command("runs", epilog=runs.EXAMPLES)(runs.runs)
app.command("bench", epilog=bench.EXAMPLES)(bench.bench)
app.command("doctor", epilog=doctor.EXAMPLES)(doctor.doctor)
app.add_typer(data.app, name="data")
app.add_typer(explain.app, name="explain")
app.add_typer(jets.app, name="jets")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    arguments
        The words after ``striate``; those of this process when not given.

    Returns
    -------
    int
        The exit status: 0 for success, 2 for a wrong call or bad input, 1 for a failure of ours,
        130 after Ctrl-C, 143 when a training was stopped by SIGTERM.
    """
    command = typer.main.get_command(app)
    try:
        status = command.main(arguments, prog_name="striate", standalone_mode=False)
    except StriateError as error:
        return _complain(str(error), WRONG_CALL)
    except _UsageError as error:
        return _complain(_usage(error), WRONG_CALL)
    except OSError as error:
        if error.errno not in _REFUSALS:
            return _report_failure()
        where = f"{os.fsdecode(error.filename)}: " if error.filename else ""
        return _complain(f"{where}{error.strerror}", WRONG_CALL)
    except Exception:
        return _report_failure()
    return status or SUCCESS


def _complain(line: str, status: int) -> int:
    output.note(f"striate: {line}")
    return status


def _usage(error: Exception) -> str:
    """Return a wrong call as one line that says where the right calls are listed."""
    context = getattr(error, "ctx", None)
    path = context.command_path if context is not None else "striate"
    message = " ".join(str(getattr(error, "format_message", error.__str__)()).split())
    return f"{message} (see '{path} --help')"


def _report_failure() -> int:
    traceback.print_exc()
    return _complain(
        "this is a failure of striate, not yours; please report it, with the lines above and the "
        "output of 'striate doctor'",
        FAILURE,
    )
