"""What ``config.json`` says: with what, on what, and with which command a run was made."""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import resource
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jax

from striate.data import Dataset
from striate.errors import StriateError
from striate.kernels import native

# A run goes on to the same bits only with the same of these; NumPy draws the order of the images.
_DECIDING = ("striate", "numpy", "jax", "jaxlib", "keras")
_KERNELS = "build of the kernels"
_MACHINE = ("processor", "cores", "devices", "kernels")


def versions() -> dict[str, str]:
    """Return the versions of what decides the bits of a training, and the build of the kernels."""
    packages = {name: importlib.metadata.version(name) for name in _DECIDING}
    return {
        "striate": packages.pop("striate"),
        "python": platform.python_version(),
        **packages,
        _KERNELS: native.build() or "reference",
    }


def refuse_other_versions(config: Mapping[str, Any], directory: Path) -> None:
    """Raise if the run was made with another version of what decides its bits."""
    others = _differing(config["versions"], versions(), _DECIDING)
    if others:
        raise StriateError(
            f"{directory} was made with {', '.join(others)}: other versions would not go on to "
            "the same bits; install those, or start a new run"
        )


def other_machine(config: Mapping[str, Any], what: str = "run") -> list[str]:
    """Say that the bits may differ, if machine or kernels are not those that `what` began with."""
    there = config.get("versions", {})
    # The first runs did not record the build of their kernels.
    build = _differing(there, versions(), [_KERNELS] if _KERNELS in there else [])
    others = build + _differing(config.get("machine", {}), machine(), _MACHINE)
    if not others:
        return []
    return [f"the {what} began with {', '.join(others)}: the bits may come out different here"]


def _differing(
    there: Mapping[str, Any], here: Mapping[str, Any], names: Sequence[str]
) -> list[str]:
    return [
        f"{name} {there.get(name, '?')} (here {here[name]})"
        for name in names
        if there.get(name) != here[name]
    ]


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
