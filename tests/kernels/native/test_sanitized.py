"""The kernels built with sanitizers run the tables without a report.

Little is inlined in these builds: what one instruction set shares with another is seen in them.
"""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from calls import pooling_sizes, product_sizes, sizes

from striate.kernels.cases import CASES, POOLINGS, PRODUCTS

ROOT = Path(__file__).parents[3]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.sanitizers,
    pytest.mark.skipif(
        not (shutil.which("cmake") and (shutil.which("c++") or os.environ.get("CXX"))),
        reason="needs cmake and a C++ compiler",
    ),
]


def shared_functions(build):
    """Functions of which the linker would keep one copy for all instruction sets."""
    for path in build.glob("CMakeFiles/striate_*.dir/csrc/*.o"):
        own = path.parts[-3].removesuffix(".dir").removeprefix("striate_")
        if own not in ("avx512", "avx2", "baseline"):
            continue
        listed = subprocess.run(
            ["nm", "--demangle", "--defined-only", path], capture_output=True, text=True, check=True
        )
        for line in listed.stdout.splitlines():
            _, kind, name = line.split(maxsplit=2)
            if kind == "W" and f"striate::{own}::" not in name:
                yield f"{own}: {name}"


@pytest.mark.parametrize("sanitizers", ["address,undefined", "thread"])
def test_no_reports(sanitizers, tmp_path):
    options = ["-DSTRIATE_FFI=OFF", "-DSTRIATE_TESTS=ON", f"-DSTRIATE_SANITIZE={sanitizers}"]
    subprocess.run(["cmake", "-S", ROOT, "-B", tmp_path, *options], check=True)
    subprocess.run(["cmake", "--build", tmp_path, "-j", "2"], check=True)
    assert list(shared_functions(tmp_path)) == []
    given = [
        *(sizes(case, 2) for case in CASES),
        *(pooling_sizes(case, 2) for case in POOLINGS),
        *(product_sizes(case, 2) for case in PRODUCTS),
    ]
    table = "\n".join(" ".join(map(str, numbers)) for numbers in given)
    done = subprocess.run(
        [tmp_path / "striate_sanitize"],
        input=table,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "UBSAN_OPTIONS": "halt_on_error=1", "TSAN_OPTIONS": "halt_on_error=1"},
    )
    assert done.returncode == 0, done.stderr[-4000:]
    assert done.stderr == ""
    assert done.stdout.endswith("0 different\n")
