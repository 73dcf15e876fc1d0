"""``striate doctor``: is all well on this machine, and if not, what is to be done."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import typer

from striate.cli import checks, options, output

EXAMPLES = options.examples("striate doctor", "striate doctor --json", "striate doctor --self-test")


def doctor(
    self_test: Annotated[
        bool,
        typer.Option(
            "--self-test",
            help="Compute the kernels' table of cases, values and gradients, and compare with "
            "float64: half a minute.",
        ),
    ] = False,
    json: options.Json = False,
) -> None:
    """Say whether all is well on this machine, and if not, what to do.

    The exit status is 0 if all is well, and 1 if there is something to do.
    """
    found = []
    with output.waiting("looking ..."):
        for check in _looked_at(self_test=self_test):
            found.append(check)
            if not json:
                mark = "!!" if check.remedy else "ok"
                output.say(f"{check.name:14} {mark}  {check.finding}", hang=19)
    remedies = list(dict.fromkeys(check.remedy for check in found if check.remedy))
    if json:
        output.say_json({"well": not remedies, "checks": [vars(check) for check in found]})
    elif not remedies:
        output.say("\nall is well")
    else:
        output.say("\nwhat to do:")
        for number, remedy in enumerate(remedies, 1):
            output.say(f"{number}. {remedy}", hang=3)
    if remedies:
        raise typer.Exit(1)


def _looked_at(*, self_test: bool) -> Iterator[checks.Check]:
    yield from checks.all_checks()
    if self_test:
        yield from checks.self_test()
