"""What ``config.json`` says: with what, on what, and with which command a run was made."""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import resource
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jax

from striate.data import Dataset
from striate.errors import StriateError
from striate.kernels import native

# A run goes on to the same bits only with the same of these; NumPy draws the order of the images.
_DECIDING = ("striate", "numpy", "jax", "jaxlib", "keras")


def versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that decide the bits of a training."""
    packages = {name: importlib.metadata.version(name) for name in _DECIDING}
    return {"striate": packages.pop("striate"), "python": platform.python_version(), **packages}


def refuse_other_versions(config: Mapping[str, Any], directory: Path) -> None:
    """Raise if the run was made with another version of what decides its bits."""
    here = versions()
    others = [
        f"{name} {config['versions'].get(name, '?')} (here {here[name]})"
        for name in _DECIDING
        if config["versions"].get(name) != here[name]
    ]
    if others:
        raise StriateError(
            f"{directory} was made with {', '.join(others)}: other versions would not go on to "
            "the same bits; install those, or start a new run"
        )


def machine() -> dict[str, Any]:
    """Return system, processor, cores that this process may use, JAX's devices, and kernels."""
    return {
        "system": f"{platform.system()} {platform.machine()}",
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0))
        if hasattr(os, "sched_getaffinity")
        else os.cpu_count(),
        "devices": [
            f"{device.platform}:{device.id} {device.device_kind}" for device in jax.devices()
        ],
        "kernels": native.instruction_set() or "reference",
    }


def peak_memory_bytes() -> int:
    """Return the most memory that this process has had."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def describe_data(data: Dataset) -> dict[str, Any]:
    """Return the ``dataset`` section."""
    return {
        "name": data.name,
        "fingerprint": data.fingerprint,
        "source": data.provenance.get("source"),
        "load": data.provenance.get("load"),
        "sizes": {
            "train": len(data.train),
            "validation": None if data.validation is None else len(data.validation),
            "test": len(data.test),
        },
        "image_shape": list(data.image_shape),
        "classes": data.classes,
    }


def python_call(model: str, data: Dataset, arguments: Mapping[str, Any]) -> str:
    """Return the line of Python that repeats a run.

    Parameters
    ----------
    model
        A name in quotes, or what stands for the model or function.
    data
        The dataset; it stands as ``data`` where nothing is known that loads it again.
    arguments
        Further arguments of `striate.train`.
    """
    how = data.provenance.get("load")
    given, comment = "data", f"  # data: {data!r}"
    if how is not None:
        options = "".join(f", {name}={value!r}" for name, value in how["options"].items())
        name = json.dumps(how["name_or_path"])
        given, comment = (f"st.load({name}{options})" if options else name), ""
    words = [model, given, *(f"{name}={value!r}" for name, value in arguments.items())]
    return f"st.train({', '.join(words)}){comment}"


def _processor() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        text = ""
    for line in text.splitlines():
        if line.startswith(("model name", "Model")):
            return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
