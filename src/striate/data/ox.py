"""Generated images of the letters O and X, after the worked example of the NTHU lecture."""

from __future__ import annotations

import numpy as np

from striate.data.source import RawSplit, Source
from striate.data.splitting import require_seed
from striate.errors import StriateError

CLASS_NAMES = ("O", "X")
_SMALLEST = 5


def read_ox(*, size: int = 6, n: int = 2000, noise: float = 0.1, seed: int = 0) -> Source:
    """Draw images of O and X, as many of each, black 1 on white 0, in an 80/20 split.

    Each has its own place, radius and thickness of stroke, drawn from the seed, and every pixel
    its own noise. The first two training images are clean and centred; at 6x6 they are the O and
    the X of the lecture (PHYS591000, NTHU, 2022; row W1).

    Parameters
    ----------
    size
        Rows and columns, 5 or more.
    n
        Number of images, training and test together; even, 20 or more.
    noise
        Standard deviation of the Gaussian noise, where black is 1; results are clipped to [0, 1].
    seed
        Decides everything that is drawn.
    """
    if size < _SMALLEST:
        raise StriateError(f"ox: size must be {_SMALLEST} or more, not {size}")
    require_seed(seed)
    if n < 20 or n % 2:
        raise StriateError(f"ox: n must be an even number, 20 or more, not {n}")
    if not 0 <= noise < 1:
        raise StriateError(f"ox: noise must be at least 0 and below 1, not {noise}")
    random = np.random.default_rng(seed)
    centres = (size - 1) / 2 + random.uniform(-size / 12, size / 12, (n, 2))
    radii = _radius(size) * random.uniform(0.85, 1.0, n)
    strokes = random.uniform(1.0, max(1.5, size / 8), n)
    labels = np.arange(n, dtype=np.int32) % 2
    clean = np.stack(
        [
            letter(CLASS_NAMES[labels[i]], size, tuple(centres[i]), radii[i], strokes[i])
            for i in range(n)
        ]
    )
    images = np.clip(clean + random.normal(0.0, noise, clean.shape), 0, 1) if noise else clean
    images[0], images[1] = letter("O", size), letter("X", size)
    pixels = np.rint(images * 255).astype(np.uint8)
    training = n - 2 * (n // 10)
    return Source(
        {
            "train": RawSplit(pixels[:training], labels[:training], where="ox"),
            "test": RawSplit(pixels[training:], labels[training:], where="ox"),
        },
        name="ox",
        origin=f"generated: size {size}, n {n}, noise {noise:g}, seed {seed}",
        class_names=CLASS_NAMES,
        licence="Apache-2.0, as striate",
    )


def letter(
    name: str,
    size: int,
    centre: tuple[float, float] | None = None,
    radius: float | None = None,
    stroke: float = 1.0,
) -> np.ndarray:
    """Draw one O or X, float64 ``(size, size)`` of 0 and 1.

    Parameters
    ----------
    name
        ``"O"``, a ring, or ``"X"``, two diagonal bars.
    size
        Rows and columns.
    centre
        Row and column of the middle; that of the image when None.
    radius
        Of the ring, in pixels, and so the reach of the bars; as large as the image when None.
    stroke
        Thickness in pixels.
    """
    middle = centre or ((size - 1) / 2, (size - 1) / 2)
    reach = _radius(size) if radius is None else radius
    rows, columns = np.ogrid[:size, :size]
    down, right = rows - middle[0], columns - middle[1]
    if name == "O":
        distance = np.abs(np.hypot(down, right) - reach)
    else:
        distance = np.abs(np.abs(down) - np.abs(right)) / np.sqrt(2)
        distance[np.maximum(np.abs(down), np.abs(right)) > reach + 0.5] = np.inf
    return (distance <= stroke / 2).astype(np.float64)


def _radius(size: int) -> float:
    # At 6x6 this draws the ring of the lecture, which is 2.1 to 2.6 pixels from the middle.
    return size / 2 - 0.65
