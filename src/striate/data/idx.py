"""The IDX format of MNIST and Fashion-MNIST, compressed or not.

Source: the format is described on the MNIST page of Y. LeCun, C. Cortes and C. Burges: two zero
bytes, the type of the numbers, the number of axes, each axis as four bytes big-endian, the numbers.
"""

from __future__ import annotations

import math
import zlib
from pathlib import Path

import numpy as np

from striate.errors import StriateError

_TYPES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
_GZIP = b"\x1f\x8b"


def read_idx(path: Path) -> np.ndarray:
    """Read one array from an IDX file; a gzip-compressed one is known by its first bytes.

    Raises
    ------
    StriateError
        If the file is empty, is not IDX, is cut short, or holds more than its header says.
    """
    return parse_idx(path.read_bytes(), path)


def parse_idx(content: bytes, path: Path) -> np.ndarray:
    """Return the array in `content`, the bytes of the IDX file at `path`, compressed or not."""
    data = gunzip(content, path) if content[:2] == _GZIP else content
    if not data:
        raise StriateError(f"{path}: the file is empty")
    if len(data) < 4 or data[:2] != b"\0\0" or data[2] not in _TYPES or data[3] == 0:
        raise StriateError(
            f"{path}: not an IDX file, its first bytes are {data[:4].hex(' ')} "
            "(images begin with 00 00 08 03, labels with 00 00 08 01)"
        )
    start = 4 + 4 * data[3]
    if len(data) < start:
        raise StriateError(f"{path}: the IDX header is cut short at byte {len(data)}")
    shape = tuple(int(side) for side in np.frombuffer(data, ">u4", data[3], 4))
    dtype = np.dtype(_TYPES[data[2]])
    promised = start + math.prod(shape) * dtype.itemsize
    if len(data) != promised:
        fewer = "fewer" if len(data) < promised else "more"
        raise StriateError(
            f"{path}: {len(data):,} bytes, {fewer} than the {promised:,} that its header "
            f"says, for shape {shape}: fetch the file again"
        )
    array = np.frombuffer(data, dtype, offset=start).reshape(shape)
    return array.astype(dtype.newbyteorder("="), copy=False)


def gunzip(content: bytes, path: Path) -> bytes:
    """Decompress the gzip file at `path`, whose bytes are `content`.

    Raises
    ------
    StriateError
        If it is cut short or damaged.
    """
    parts = []
    rest = content
    while rest[:2] == _GZIP:
        inflater = zlib.decompressobj(wbits=31)
        try:
            parts.append(inflater.decompress(rest))
        except zlib.error as error:
            raise StriateError(
                f"{path}: the gzip data are damaged ({error}): fetch the file again"
            ) from None
        if not inflater.eof:
            raise StriateError(
                f"{path}: the gzip file is cut short at byte {len(content):,}: fetch it again"
            )
        rest = inflater.unused_data
    return parts[0] if len(parts) == 1 else b"".join(parts)
