"""Kernels compiled for a jaxlib of another interface are refused, and the reference runs."""

import os
import shlex
import shutil
import subprocess
import sys
import textwrap

import jax
import pytest

from striate.kernels import native

COMPILER = shlex.split(os.environ.get("CXX", "")) or [shutil.which("c++")]

pytestmark = pytest.mark.skipif(COMPILER == [None], reason="needs a C++ compiler")

# As much as it takes to be loaded; each handler says of which interface it is.
HEADER = """
    #include "xla/ffi/api/ffi.h"
    #define EXPORT extern "C" __attribute__((visibility("default")))
    EXPORT const char* striate_build() { return "0123456789ab"; }
    EXPORT const char* striate_jaxlib() { return "99.0"; }
    EXPORT const char* striate_instruction_set(const char*) { return "baseline"; }
    EXPORT const char* striate_problem(const char*) { return nullptr; }
    EXPORT int striate_by_tiles(const long*) { return 0; }
    static xla::ffi::Error run() { return xla::ffi::Error::Success(); }
"""
HANDLER = "XLA_FFI_DEFINE_HANDLER_SYMBOL({}, run, xla::ffi::Ffi::Bind());\n"

PROGRAM = """
    import sys
    from pathlib import Path
    import numpy as np
    import striate as st
    from striate.kernels import convolve, native
    from striate.kernels.geometry import Geometry

    native._path = lambda: Path(sys.argv[1])
    print(native.why_not())
    ones = np.ones((1, 5, 5, 1), np.float32), np.ones((3, 3, 1, 2), np.float32)
    done = convolve(*ones, None, geometry=Geometry())
    print(done.op, float(done.value.sum()))
"""


@pytest.mark.parametrize("number", ["MAJOR", "MINOR"])
def test_the_reference_runs(number, tmp_path):
    headers = tmp_path / "include"
    shutil.copytree(jax.ffi.include_dir(), headers)
    interface = headers / "xla" / "ffi" / "api" / "c_api.h"
    lines = interface.read_text().splitlines()
    name = f"#define XLA_FFI_API_{number} "
    assert sum(line.startswith(name) for line in lines) == 1
    changed = [name + "99" if line.startswith(name) else line for line in lines]
    interface.write_text("\n".join(changed) + "\n")
    source, library = tmp_path / "native.cc", tmp_path / "native.so"
    symbols = sorted(set(native.TARGETS.values()))
    source.write_text(textwrap.dedent(HEADER) + "".join(map(HANDLER.format, symbols)))
    command = [*COMPILER, "-std=c++17", "-O0", "-fPIC", "-shared", "-isystem", headers]
    subprocess.run([*command, source, "-o", library], check=True)
    environment = {k: v for k, v in os.environ.items() if k != "STRIATE_KERNELS"}
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(PROGRAM), library],
        capture_output=True,
        text=True,
        check=True,
        env=environment,
    )
    why, ran = done.stdout.splitlines()
    assert why.startswith("the kernels were compiled for jaxlib 99.0, and jaxlib ")
    assert why.endswith(" does not take them: install striate again")
    assert ran.startswith("reference (")
    assert ran.endswith(" 162.0")
