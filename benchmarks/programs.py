"""Which programs can be measured, how each is started, and which of them are installed."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from striate.errors import StriateError, nearest

# Nothing runs on a GPU, even where there is one, and each compiler keeps what it compiles in the
# measurement's own directory (see isolate.py), not in the user's.
EVERYWHERE = {
    "CUDA_VISIBLE_DEVICES": "-1",
    "JAX_PLATFORMS": "cpu",
    "TF_CPP_MIN_LOG_LEVEL": "3",
}


@dataclass(frozen=True)
class Program:
    """One way to train a network, in one process."""

    name: str
    family: str
    title: str
    module: str
    needs: tuple[str, ...]
    options: Mapping[str, Any] = field(default_factory=dict)
    backend: str | None = None

    @property
    def environment(self) -> dict[str, str]:
        """What is set in the environment of the program's process."""
        return EVERYWHERE | ({"KERAS_BACKEND": self.backend} if self.backend else {})

    def missing(self) -> list[str]:
        """Return the packages that the program needs and that are not installed."""
        return [name for name in self.needs if importlib.util.find_spec(name) is None]


def _keras(backend: str, library: str, title: str, steps: int = 1) -> Program:
    return Program(
        name=f"keras-{backend}" + (f"-{steps}" if steps > 1 else ""),
        family=f"Keras on {title}",
        title=f"Keras on {title}, fit" + (f", steps_per_execution={steps}" if steps > 1 else ""),
        module="benchmarks.peers.keras_program",
        needs=("keras", library),
        options={"steps_per_execution": steps},
        backend=backend,
    )


PROGRAMS = {
    program.name: program
    for program in (
        *(
            Program(
                name=f"striate-{way}",
                family="striate",
                title=title,
                module="benchmarks.peers.striate_program",
                needs=("striate",),
                options={"way": way},
                backend="jax",
            )
            for way, title in (("fit", "st.Sequential, fit"), ("train", "st.train"))
        ),
        _keras("tensorflow", "tensorflow", "TensorFlow"),
        _keras("tensorflow", "tensorflow", "TensorFlow", steps=100),
        _keras("jax", "jax", "JAX"),
        _keras("jax", "jax", "JAX", steps=100),
        _keras("torch", "torch", "PyTorch"),
        *(
            Program(
                name=f"torch-{mode}-{layout}",
                family="PyTorch loop",
                title=f"PyTorch loop, {how}, {layout.upper()}",
                module="benchmarks.peers.torch_program",
                needs=("torch",),
                options={"mode": mode, "layout": layout},
            )
            for mode, how in (("eager", "eager"), ("compile", "torch.compile"))
            for layout in ("nchw", "nhwc")
        ),
        *(
            Program(
                name=f"jax-{convolution}",
                family="JAX by hand",
                title=f"JAX by hand, epoch in lax.scan, convolution by {how}",
                module="benchmarks.peers.jax_program",
                needs=("jax",),
                options={"convolution": convolution},
            )
            for convolution, how in (
                ("lax", "lax.conv"),
                ("shifts", "shifts"),
                ("patches", "patches"),
            )
        ),
    )
}


def select(asked: Iterable[str], programs: Mapping[str, Program] = PROGRAMS) -> list[Program]:
    """Return the programs of these names; the beginning of names stands for all of them.

    Raises
    ------
    StriateError
        If a name is not the beginning of any program's name.
    """
    chosen: dict[str, Program] = {}
    for name in asked:
        found = {
            key: program
            for key, program in programs.items()
            if key == name or key.startswith(f"{name}-")
        }
        if not found:
            raise StriateError(f"--programs: unknown program {name!r}: {nearest(name, programs)}")
        # A full name is one program, also where others continue it (keras-jax, keras-jax-100).
        chosen |= {name: found[name]} if name in found else found
    return list(chosen.values())
