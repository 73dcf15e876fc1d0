"""``striate explain worked-example``: an O and an X through a network, number by number."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from striate.cli import explain_options as given
from striate.cli import options, output
from striate.cli.keras_loading import load_keras

if TYPE_CHECKING:
    from striate.convolution import WorkedExample
    from striate.explain.dense import Dense

EXAMPLES = options.examples(
    "striate explain worked-example",
    "striate explain worked-example --no-dense --out example.html",
)


def worked_example(
    dense: Annotated[
        bool,
        typer.Option(
            "--dense/--no-dense",
            help="End with a dense layer that is learned from generated images, some seconds.",
        ),
    ] = True,
    out: given.Out = None,
    json: options.Json = False,
) -> None:
    """Show the worked example of the NTHU lecture.

    The images of O and X under one kernel with its bias, number by number: products, sum, feature
    map, ReLU, max and average pooling, flatten, and a dense layer that tells them apart. The dense
    layer is learned. Figures of the X end in -x.
    """
    from striate.convolution import worked_example as example_of

    learned = None
    if dense:
        load_keras()
        from striate.explain.dense import learned_dense

        with output.waiting("learning the dense layer ..."):
            learned = learned_dense()
    with output.waiting("drawing ..."):
        from striate.explain import worked_example as pictures

        examples = [example_of(letter) for letter in "OX"]
        drawn = [pictures.worked_example(letter, learned) for letter in "OX"]
    lines = [line for example in examples for line in _lines(example, learned)]
    given.write(
        drawn,
        out,
        "worked-example",
        {example.letter: _facts(example, learned) for example in examples}
        | ({} if learned is None else {"accuracy": learned.accuracy, "tested": learned.tested}),
        lines=lines if learned is None else [*lines, _learned(learned)],
        json=json,
    )


def _lines(example: WorkedExample, dense: Dense | None) -> list[str]:
    steps = [
        ("image", example.image),
        ("kernel", example.kernel),
        (f"feature map, bias {example.bias}", example.feature_map),
        ("after ReLU", example.activated),
        ("max pooled", example.max_pooled),
        ("average pooled", example.average_pooled),
        ("flattened", example.flattened[None]),
    ]
    lines = [f"--- {example.letter} ---"]
    for name, values in steps:
        lines += [name, *(f"  {row}" for row in given.table(values))]
    if dense is not None:
        lines += ["dense and softmax", *(f"  {row}" for row in _chances(example, dense))]
    return lines


def _chances(example: WorkedExample, dense: Dense) -> list[str]:
    scores = dense.scores(example.flattened)
    chances = dense.probabilities(example.flattened)
    return [
        f"{name}: score {score:.3f}, probability {chance:.4f}"
        for name, score, chance in zip(dense.class_names, scores, chances, strict=True)
    ]


def _learned(dense: Dense) -> str:
    return (
        f"the dense layer was learned from {dense.images:,} generated images, with the lecture's "
        f"kernel held fixed; {dense.accuracy:.1%} of {dense.tested} others are told right"
    )


def _facts(example: WorkedExample, dense: Dense | None) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "feature_map": example.feature_map.tolist(),
        "activated": example.activated.tolist(),
        "max_pooled": example.max_pooled.tolist(),
        "average_pooled": example.average_pooled.tolist(),
        "flattened": example.flattened.tolist(),
    }
    if dense is not None:
        chances = dense.probabilities(example.flattened)
        facts["probabilities"] = dict(zip(dense.class_names, chances.tolist(), strict=True))
    return facts
