"""The machine that measures: what it is, who else uses it, how much memory a process has used."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import resource
import sys
import time
from pathlib import Path
from typing import Any

try:
    import psutil
except ImportError:  # the `bench` extra has it; without it the load by others is not known
    psutil = None

PACKAGES = (
    "striate",
    "numpy",
    "jax",
    "jaxlib",
    "keras",
    "tensorflow-cpu",
    "tensorflow",
    "torch",
    "onnx",
    "onnxruntime",
)


def versions() -> dict[str, str]:
    """Return the versions of Python and of those packages that are installed."""
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def describe() -> dict[str, Any]:
    """Return processor, cores that this process may use, memory and system."""
    stated: dict[str, Any] = {
        "processor": _processor(),
        "cores": usable_cores(),
        "system": platform.platform(),
        "python": sys.version.split()[0],
    }
    if psutil is not None:
        stated["memory_bytes"] = psutil.virtual_memory().total
    return stated


def usable_cores() -> int:
    """Return how many processors this process may run on."""
    return len(core_numbers())


def core_numbers() -> list[int]:
    """Return the numbers of the processors that this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))


def _processor() -> str:
    information = Path("/proc/cpuinfo")
    if information.exists():
        for line in information.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def peak_memory_bytes() -> int:
    """Return the most memory that this process has held at once (resident)."""
    status = Path("/proc/self/status")
    if status.exists():
        # Not getrusage: its maximum begins with that of the process which started this one.
        for line in status.read_text(encoding="utf-8").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


class Processors:
    """How many processors this process and all others keep busy, from now on.

    Children that have ended and were waited for count as this process.
    """

    def __init__(self) -> None:
        self.wall = time.perf_counter()
        self.own = _own_seconds()
        self.all = _busy_seconds()

    def busy(self) -> tuple[float, float | None]:
        """Return the mean since the start: of this process, and of the others (None: unknown)."""
        wall = time.perf_counter() - self.wall
        own = (_own_seconds() - self.own) / wall
        now = _busy_seconds()
        if now is None or self.all is None:
            return own, None
        return own, max(0.0, (now - self.all) / wall - own)


def _own_seconds() -> float:
    return sum(os.times()[:4])


def _busy_seconds() -> float | None:
    if psutil is None:
        return None
    times = psutil.cpu_times()
    idle = times.idle + getattr(times, "iowait", 0.0)
    # Time of guests is also counted as time of the user.
    twice = getattr(times, "guest", 0.0) + getattr(times, "guest_nice", 0.0)
    return float(sum(times) - idle - twice)
