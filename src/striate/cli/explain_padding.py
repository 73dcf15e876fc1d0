"""``striate explain padding``: the lecture's example of zero padding."""

from __future__ import annotations

from striate.cli import explain_options as given
from striate.cli import options, output

EXAMPLES = options.examples(
    "striate explain padding",
    "striate explain padding --out padding.html",
)


def padding(out: given.Out = None, json: options.Json = False) -> None:
    """Show how zero padding keeps the size of an image.

    The example of the NTHU lecture, a 6x6 image under a 3x3 kernel that answers to vertical edges,
    with the two outputs that its slide misprints.
    """
    with output.waiting("drawing ..."):
        from striate.convolution import padding_example
        from striate.explain import padding as pictures

        picture, example = pictures.padding(), padding_example()
    given.write(
        [picture],
        out,
        "padding",
        {
            "feature_map": example.feature_map.tolist(),
            "misprints": [
                {"row": row + 1, "column": column + 1, "printed": printed}
                for (row, column), printed in example.misprints.items()
            ],
        },
        lines=[
            *given.table(example.feature_map),
            f"misprinted on the slide: {pictures.misprints()}",
        ],
        json=json,
    )
