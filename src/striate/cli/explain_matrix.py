"""``striate explain matrix``: convolution as a matrix times a vector."""

from __future__ import annotations

from typing import Annotated

import typer

from striate.cli import explain_options as given
from striate.cli import options, output

EXAMPLES = options.examples(
    "striate explain matrix",
    "striate explain matrix --image o --kernel diagonal --out matrix.html",
    "striate explain matrix --image ramp --kernel blur --stride 2 --out m.png",
    "striate explain matrix --alpha '1 1' --beta '1 -1' --out product.png",
)


def matrix(
    image: given.Image = "count",
    kernel: given.Kernel = "1 2; 3 4",
    stride: given.Stride = "1",
    padding: given.Padding = "0",
    dilation: given.Dilation = "1",
    alpha: Annotated[
        str, typer.Option(metavar="NUMBERS", help="Coefficients of a polynomial, of t^0 first.")
    ] = "1 2 1",
    beta: Annotated[
        str, typer.Option(metavar="NUMBERS", help="Those of the polynomial that it multiplies.")
    ] = "2 0 -1 3",
    shrink: given.Shrink = None,
    out: given.Out = None,
    json: options.Json = False,
) -> None:
    """Show convolution as a matrix.

    In two dimensions the sparse matrix W' times the flattened image, row by row, and what it would
    take in memory for 28 x 28 pixels and 32 kernels. In one dimension the product of polynomials
    as a Toeplitz matrix, both ways round, in further files that end in -toeplitz.
    """
    with output.waiting("drawing ..."):
        import numpy as np

        from striate.convolution import convolution_matrix, matrix_memory, polynomial_product
        from striate.explain import matrix as pictures
        from striate.explain.kernels import kernel as kernel_of

        source = given.image(image, shrink, grey=True)
        weights, moved = kernel_of(kernel), given.motion(stride, padding, dilation)
        one, other = (
            np.array(given.numbers(text, option))
            for text, option in ((alpha, "--alpha"), (beta, "--beta"))
        )
        drawn = [
            pictures.matrix(source, weights, moved, kernel_name=kernel),
            pictures.polynomials(one, other),
        ]
        sparse = convolution_matrix(
            weights, source.pixels.shape, moved.stride, moved.padding, moved.dilation
        )
        memory = matrix_memory((3, 3, 1, 32), (28, 28, 1), channels=True)
        product = polynomial_product(one, other).tolist()
    rows, columns = sparse.shape
    given.write(
        drawn,
        out,
        "matrix",
        {
            "shape": [rows, columns],
            "stored": int(sparse.nnz),
            "matrix": sparse.toarray().tolist(),
            "memory_28x28_32_kernels": vars(memory) | {"shape": list(memory.shape)},
            "product": product,
        },
        lines=[
            f"W' is {rows} x {columns}, {sparse.nnz} of {rows * columns} entries are stored",
            f"28 x 28 pixels, 32 kernels: {memory}",
            f"product of the polynomials: {' '.join(map(str, product))}",
        ],
        json=json,
    )
