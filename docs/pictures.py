"""Make the pictures of the README from those of reproduced rows: smaller, with fewer colours.

Run by ``make pictures``, which reproduces the rows first.
"""

from __future__ import annotations

import sys
from pathlib import Path

from PIL import Image

PICTURES = {
    "W3-O": "worked-example",
    "C3-series": "fourier",
    "N13-test": "grid",
}
WIDTH = 480


def main() -> None:
    """Read from the folder named on the command line, write beside this file."""
    figures, here = Path(sys.argv[1]) / "figures", Path(__file__).parent / "pictures"
    here.mkdir(exist_ok=True)
    for name, ours in PICTURES.items():
        with Image.open(figures / f"{name}.png") as picture:
            height = round(picture.height * WIDTH / picture.width)
            small = picture.convert("RGB").resize((WIDTH, height), Image.Resampling.LANCZOS)
            # Median cut would merge the few pixels of the red frame with what lies around them.
            few = small.quantize(256, Image.Quantize.MAXCOVERAGE)
            few.save(here / f"{ours}.png", optimize=True)


if __name__ == "__main__":
    main()
