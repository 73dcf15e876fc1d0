"""What ``striate doctor`` looks at: each check finds something and says what to do about it."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import re
import shutil
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PACKAGES = ("striate", "numpy", "jax", "jaxlib", "keras", "scipy", "scikit-learn", "matplotlib")

CPU_TOLERANCE = 1e-5
"""Largest difference from SciPy's convolution, over its largest value, in float32."""

ACCELERATOR_TOLERANCE = 5e-3
"""Likewise where the platform may multiply with a 10-bit mantissa (TF32)."""

WRONG = "convolutions are wrong on this machine: do not trust a training; report this"

LEAST_FREE_BYTES = 10**9

_INSTRUCTIONS = re.compile(r"avx2?|fma|avx512(f|bw|vl|_vnni|_bf16)|amx_\w+|asimd|sve2?|f16c")


@dataclass(frozen=True)
class Check:
    """What one look found.

    Attributes
    ----------
    name
        What was looked at.
    finding
        What was found, in a line.
    remedy
        What to do; None when all is well.
    """

    name: str
    finding: str
    remedy: str | None = None


def all_checks() -> Iterator[Check]:
    """Look at everything, one thing after another; a look that fails is a finding too."""
    looks: dict[str, Callable[[], Check]] = {
        "versions": versions,
        "processor": processor,
        "cores": cores,
        "devices": devices,
        "kernels": kernels,
        "convolution": convolution,
        "program cache": program_cache,
        "data sets": data_sets,
        "disk": disk,
        "extras": extras,
    }
    for name, look in looks.items():
        try:
            yield look()
        except Exception as error:  # whatever is wrong with the machine, the other looks go on
            words = str(error).splitlines() or [""]
            yield Check(
                name,
                f"fails with {type(error).__name__}: {words[0]}",
                f"{name}: install striate anew (pip install --force-reinstall striate); "
                "if that does not help, report this line",
            )


def self_test() -> Iterator[Check]:
    """Compute each case of the kernels' tables, values and gradients, and compare with float64."""
    from striate.kernels import selftest
    from striate.kernels.cases import CASES, POOLINGS, PRODUCTS

    for case in (*CASES, *POOLINGS, *PRODUCTS):
        try:
            outcome = selftest.check(case)
        except Exception as error:  # the other cases go on
            words = (str(error).splitlines() or [""])[0]
            yield Check("self-test", f"{case.name}: {type(error).__name__}: {words}", WRONG)
            continue
        worst = max(outcome.differences.values())
        far = "exact" if worst == 0 else f"differs by {worst:.0e} of the largest value"
        yield Check(
            "self-test", f"{case.name}: {far}; {outcome.op}", None if outcome.right else WRONG
        )


def versions() -> Check:
    """Look up the versions of Python and of the packages that numbers depend on."""
    found, missing = [f"python {platform.python_version()}"], []
    for name in PACKAGES:
        try:
            found.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            missing.append(name)
    remedy = f"install what is missing: pip install {' '.join(missing)}" if missing else None
    return Check("versions", ", ".join(found), remedy)


def processor() -> Check:
    """Name the processor, and those of its instruction sets that matter for convolutions."""
    lines: dict[str, str] = {}
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            key, _, value = line.partition(":")
            lines.setdefault(key.strip().lower(), value.strip())
    except OSError:
        lines["model name"] = platform.processor()
    name = lines.get("model name") or platform.machine()
    flags = lines.get("flags") or lines.get("features") or ""
    sets = sorted({flag for flag in flags.split() if _INSTRUCTIONS.fullmatch(flag)})
    return Check("processor", f"{name} ({platform.machine()}): {' '.join(sets) or 'not known'}")


def cores() -> Check:
    """Count the cores, and those of them that this process may use."""
    there = os.cpu_count() or 1
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else there
    words = f"{allowed} of {there} to be used" + ("" if allowed == there else " (affinity)")
    quota = _container_quota()
    if quota is not None and quota < allowed:
        words += f", {quota:g} by the container's quota"
    return Check("cores", words)


def devices() -> Check:
    """Name what JAX computes on."""
    import jax

    words = ", ".join(sorted({device.device_kind for device in jax.devices()}))
    words = f"{len(jax.devices())} x {words}"
    if jax.default_backend() == "cpu" and Path("/dev/nvidia0").exists():
        words += (
            " (an NVIDIA GPU is here, but this jaxlib is for the CPU: pip install 'jax[cuda12]')"
        )
    return Check("devices", words)


def kernels() -> Check:
    """Say which kernels run, why, and what chose them."""
    import jax

    from striate.errors import StriateError
    from striate.kernels import native

    if jax.default_backend() != "cpu":
        return Check("kernels", f"platform: the {jax.default_backend()}'s own convolutions")
    names = ("STRIATE_KERNELS", "STRIATE_ISA")
    chosen = [f"{name}={os.environ[name]}" for name in names if os.environ.get(name)]
    where = f" ({', '.join(chosen)})" if chosen else ""
    try:
        reason = native.why_not()
    except StriateError as error:
        return Check("kernels", f"none: {error}", f"unset STRIATE_ISA, or mend it: {error}")
    if reason is None:
        return Check(
            "kernels", f"native, {native.instruction_set()}{where}, build {native.build()}"
        )
    finding, _, remedy = reason.partition(": ")
    words = f"reference, in plain JAX: {finding}"
    # Switched off by the user is as it should be.
    return Check(
        "kernels", words, f"{remedy} (the reference is right, but slower)" if remedy else None
    )


def convolution() -> Check:
    """Compare a compiled convolution with SciPy's in float64."""
    import jax
    import numpy as np
    from scipy.ndimage import correlate

    from striate.kernels import Geometry, convolve

    random = np.random.default_rng(0)
    images = random.normal(size=(4, 28, 28, 3))
    kernel = random.normal(size=(3, 3, 3, 8))
    lowered = jax.jit(lambda x, w: convolve(x, w, None, geometry=Geometry()).value)(
        images.astype(np.float32), kernel.astype(np.float32)
    )
    # Around the middle one of the three channels the kernel meets them all.
    whole = [[correlate(x, kernel[..., f])[1:-1, 1:-1, 1] for f in range(8)] for x in images]
    expected = np.transpose(whole, (0, 2, 3, 1))
    difference = float(np.abs(np.asarray(lowered) - expected).max() / np.abs(expected).max())
    tolerance = CPU_TOLERANCE if jax.default_backend() == "cpu" else ACCELERATOR_TOLERANCE
    words = f"differs from SciPy's by {difference:.0e} of its largest value"
    if difference <= tolerance:
        return Check("convolution", f"right: {words}")
    return Check(
        "convolution",
        f"wrong: {words}, more than {tolerance:.0e}",
        WRONG,
    )


def program_cache() -> Check:
    """Compile a program, forget it, and see whether it is found in the cache."""
    import jax

    from striate.engine import cache

    chosen = jax.config.jax_compilation_cache_dir  # type: ignore[attr-defined]  # defined by name
    if not chosen:
        if os.environ.get("STRIATE_CACHE") == "off":
            return Check("program cache", "switched off by STRIATE_CACHE=off")
        return Check(
            "program cache",
            f"none: {cache.directory()} cannot be made",
            f"make {cache.directory().parent} writable, or name another folder in "
            "JAX_COMPILATION_CACHE_DIR: every start compiles anew without it",
        )
    place = Path(chosen)
    hits = _cache_hits(place)
    programs = [path for path in place.glob("*-cache") if path.is_file()]
    size = sum(path.stat().st_size for path in programs) / 1e6
    words = f"{place} ({len(programs)} programs, {size:.0f} MB)"
    if hits:
        return Check("program cache", f"works: {words}")
    return Check(
        "program cache",
        f"does not keep programs: {words}",
        f"see that {place} can be written to and its disk is not full: "
        "every start compiles anew without it",
    )


def data_sets() -> Check:
    """List the known datasets that are at hand."""
    from striate.data import describe_known

    chosen = os.environ.get("STRIATE_DATA")
    where = f" (STRIATE_DATA={chosen})" if chosen else ""
    known = describe_known()
    here = ", ".join(d.name for d in known if d.here)
    absent = ", ".join(d.name for d in known if d.download_bytes and not d.here)
    words = f"{here}{where}" + (f"; to be fetched: {absent}" if absent else "")
    if chosen and not Path(chosen).is_dir():
        return Check("data sets", words, f"STRIATE_DATA={chosen} is no folder: mend it or unset it")
    return Check("data sets", words)


def disk() -> Check:
    """Measure the free space where runs and the cache are written."""
    import platformdirs

    places = {"here": Path.cwd(), "cache": platformdirs.user_cache_path("striate")}
    free = {name: shutil.disk_usage(_existing(place)).free for name, place in places.items()}
    words = ", ".join(f"{size / 1e9:.1f} GB free ({name})" for name, size in free.items())
    full = [str(_existing(places[name])) for name, size in free.items() if size < LEAST_FREE_BYTES]
    remedy = f"make room, at least 1 GB, on the disk of {' and '.join(full)}" if full else None
    return Check("disk", words, remedy)


def extras() -> Check:
    """List the optional parts, and what is missing of each."""
    wanted: dict[str, list[str]] = {}
    for requirement in importlib.metadata.requires("striate") or ():
        found = re.match(r"([\w.-]+).*extra == ['\"](\w+)['\"]", requirement)
        if found and found[2] != "all":
            wanted.setdefault(found[2], []).append(found[1])
    words = []
    for extra, names in sorted(wanted.items()):
        missing = [name for name in names if not _installed(name)]
        words.append(f"{extra} (without {', '.join(missing)})" if missing else extra)
    return Check("extras", ", ".join(words) or "none")


def _cache_hits(place: Path) -> bool:
    """Compile a program that is in no cache, forget it, and see whether JAX finds it on disk."""
    import jax

    events: list[str] = []

    def listen(event: str, **_: Any) -> None:
        events.append(event)

    jax.monitoring.register_event_listener(listen)
    name = f"striate_doctor_{uuid.uuid4().hex}"
    for _ in range(2):

        def program(x: Any) -> Any:
            return x * 2 + 1

        program.__name__ = name
        jax.jit(program)(1.0).block_until_ready()
        jax.clear_caches()
    for left in place.glob(f"jit_{name}-*"):
        left.unlink()
    return "/jax/compilation_cache/cache_hits" in events


def _container_quota() -> float | None:
    """Return how many cores' time a container is given, None if it is not limited."""
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text(encoding="utf-8").split()
        return int(quota) / int(period)
    except (OSError, ValueError):
        return None


def _existing(path: Path) -> Path:
    return next(place for place in (path, *path.parents) if place.exists())


def _installed(name: str) -> bool:
    try:
        importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True
