"""Keep compiled programs between processes, in a directory per processor and jaxlib."""

from __future__ import annotations

import functools
import hashlib
import importlib.metadata
import os
import platform
from pathlib import Path

import jax
import platformdirs


@functools.cache
def directory() -> Path:
    """Return where compiled programs are kept.

    A program compiled for one processor may not run on another that shares the home directory,
    so the name holds a digest of the processor's features and the versions.
    """
    version = importlib.metadata.version("jaxlib")
    features = f"{platform.machine()} {_processor_flags()} {jax.__version__} {version}"
    digest = hashlib.sha256(features.encode()).hexdigest()[:12]
    return Path(platformdirs.user_cache_dir("striate")) / f"compiled-{digest}"


def enable() -> None:
    """Use the cache, unless the user has chosen one or switched it off.

    ``STRIATE_CACHE=off`` switches it off; JAX's own ``JAX_COMPILATION_CACHE_DIR`` is respected.
    """
    chosen = jax.config.jax_compilation_cache_dir  # type: ignore[attr-defined]  # defined by name
    if chosen or os.environ.get("STRIATE_CACHE") == "off":
        return
    try:
        directory().mkdir(parents=True, exist_ok=True)
    except OSError:
        return  # a home directory that cannot be written to: compile anew each time
    jax.config.update("jax_compilation_cache_dir", str(directory()))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
    jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)


def _processor_flags() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return platform.processor()
    for line in text.splitlines():
        if line.startswith(("flags", "Features")):
            return line.partition(":")[2].strip()
    return platform.processor()
