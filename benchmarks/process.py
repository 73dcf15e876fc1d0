"""A function in a process of its own, with a stated environment and on stated cores."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

# Set by a user for other ends, these would make the programs unlike.
REMOVED = (
    "JAX_COMPILATION_CACHE_DIR",
    "KERAS_BACKEND",
    "MKL_NUM_THREADS",
    "NPROC",
    "OMP_NUM_THREADS",
    "STRIATE_CACHE",
    "XLA_FLAGS",
)


def inherited() -> dict[str, str]:
    """Return the variables of this process, less what would make programs unlike."""
    return {name: value for name, value in os.environ.items() if name not in REMOVED}


def start(
    module: str,
    task: Mapping[str, Any],
    *,
    log: Path,
    environment: Mapping[str, str],
    limit: float,
) -> subprocess.CompletedProcess[str] | str:
    """Run a module with the task (JSON) on its standard input, or say why it was ended."""
    with log.open("w", encoding="utf-8") as output:
        try:
            return subprocess.run(
                [sys.executable, "-m", module],
                input=json.dumps(task),
                text=True,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=dict(environment),
                cwd=Path(__file__).parent.parent,
                timeout=limit,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return f"ended after {limit:.0f} s; the end of its output: {last_line(log)}"


def last_line(log: Path) -> str:
    """Return the last line that a process has written."""
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return lines[-1].strip() if lines else "no output"


def call(
    function: str,
    arguments: Mapping[str, Any],
    *,
    directory: Path,
    environment: Mapping[str, str],
    limit: float,
    cores: Sequence[int] | None = None,
    name: str = "call",
) -> Any:
    """Call a function ("module:name") in a process of its own and return its JSON-able result.

    Parameters
    ----------
    directory
        Where result and output are written, under `name`.
    cores
        The processors that the process may use; those of this one if None. They are set before
        the module is imported, since libraries size their pools by them.

    Raises
    ------
    RuntimeError
        If the process fails or takes longer than `limit` seconds, with the last line it wrote.
    """
    result, log = directory / f"{name}.json", directory / f"{name}.log"
    result.unlink(missing_ok=True)
    task: dict[str, Any] = {"function": function, "arguments": arguments, "result": str(result)}
    if cores is not None:
        task["cores"] = list(cores)
    done = start("benchmarks.process", task, log=log, environment=environment, limit=limit)
    if isinstance(done, str):
        raise RuntimeError(done)  # noqa: TRY004 - a string says what went wrong
    if done.returncode != 0 or not result.exists():
        raise RuntimeError(f"exit status {done.returncode}: {last_line(log)}")
    return json.loads(result.read_text(encoding="utf-8"))


def main() -> None:
    """Call what standard input names and write its result to the file that it names."""
    task = json.load(sys.stdin)
    if "cores" in task and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, task["cores"])
    module, _, name = task["function"].partition(":")
    result = getattr(importlib.import_module(module), name)(**task["arguments"])
    Path(task["result"]).write_text(json.dumps(result), encoding="utf-8")


if __name__ == "__main__":
    main()
