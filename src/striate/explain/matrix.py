"""Convolution as a matrix: W' times the flattened image, and polynomials as Toeplitz matrices."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from striate.convolution import convolution_matrix, matrix_memory, polynomial_product, toeplitz
from striate.convolution.arguments import per_axis
from striate.errors import StriateError
from striate.explain.images import Source
from striate.explain.layout import headed
from striate.explain.scenes.cells import Numbers, Table, decimals, number, sizes, title
from striate.explain.scenes.drawing import figure
from striate.explain.scenes.shapes import Box, Scene, Shape, Steps, Words
from striate.explain.scenes.writing import Picture
from striate.explain.window import Motion, Values, Window
from striate.plots.style import INK, clipped

MOST_ROWS, MOST_COLUMNS = 36, 64
"""Of a matrix that is drawn."""

MOST_COEFFICIENTS = 8
"""Of a polynomial."""

_ROOM = 8.4
"""Inches for the line that writes polynomials out."""


def matrix(image: Source, kernel: Values, motion: Motion, *, kernel_name: str = "") -> Picture:
    """Show a 2-D cross-correlation as one sparse matrix times the flattened image (row C5).

    Parameters
    ----------
    image
        In grey.
    kernel
        (row, column).
    motion
        Stride, padding and dilation; bias and flip are not looked at.
    kernel_name
        For the title.

    Raises
    ------
    StriateError
        If image or kernel have channels, shapes do not fit, or the matrix is too large to draw.
    """
    if image.pixels.ndim != 2 or kernel.ndim != 2:
        raise StriateError("the matrix is drawn for images without channels: give a grey one")
    window = Window(image.pixels, kernel, Motion(0, motion.stride, motion.padding, motion.dilation))
    sparse = convolution_matrix(
        kernel, image.pixels.shape, motion.stride, motion.padding, motion.dilation
    )
    rows, columns = sparse.shape
    if rows > MOST_ROWS or columns > MOST_COLUMNS:
        raise StriateError(
            f"W' would have {rows} rows and {columns} columns: it is drawn up to {MOST_ROWS} x "
            f"{MOST_COLUMNS}; shrink the image, as --shrink 6 does"
        )
    dense = sparse.toarray()
    entries = sparse.tocoo()
    empty = np.ones(dense.shape, bool)
    empty[entries.coords[0], entries.coords[1]] = False
    small = Numbers(Table.within(image.pixels.shape, 0.25, 1.35, 1.45, 1.45), image.pixels)
    weights = Numbers(Table.within(kernel.shape, 0.25, 3.2, 1.45, 0.95), kernel)
    matrix_table = Numbers(Table.within(dense.shape, 1.95, 1.35, 4.2, 2.8), dense, outside=empty)
    flat = Numbers(Table.within((columns, 1), 6.3, 1.35, 0.5, 3.0), image.pixels)
    outputs = window.feature_map
    shown = decimals(outputs)
    result = Numbers(Table.within((rows, 1), 7.05, 1.35, 0.6, 2.8), outputs, shown=shown)
    square = Numbers(Table.within(outputs.shape, 7.95, 1.35, 1.4, 2.8), outputs, shown=shown)
    still: list[Shape] = [
        title(small.table, "image I"),
        title(weights.table, "kernel W"),
        title(matrix_table.table, f"W′, {sizes(dense.shape)}"),
        title(flat.table, "I′"),
        title(result.table, "W′ I′"),
        title(square.table, "as a map"),
        *_signs(matrix_table.table, flat.table, result.table),
        *small.draw(image.pixels),
        *weights.draw(kernel),
        *matrix_table.draw(dense),
        *flat.draw(image.pixels.reshape(-1, 1)),
    ]
    memory = matrix_memory((3, 3, 1, 32), (28, 28, 1), channels=True)
    about = (
        f"image {clipped(image.name, 28)}, kernel {clipped(kernel_name, 24) or 'as given'}, "
        f"{window.motion}: {sparse.nnz} of {dense.size} entries stored"
    )
    foot = "Grey entries are zero and not stored. Darker cells hold larger numbers."

    def scene(row: int, *, whole: bool = False) -> Scene:
        at = window.steps[row]
        so_far = outputs if whole else at.output_map
        met = _terms(dense[row], image.pixels.ravel(), ~empty[row], decimals(kernel, image.pixels))
        equation = f"row {row + 1}: {met} = {number(at.sum, shown)}"
        shapes = [*still, *result.draw(so_far.reshape(-1, 1)), *square.draw(so_far)]
        shapes += [
            *_window_outlines(small.table, window, row),
            matrix_table.table.outline(row, 0, 1, columns),
            flat.table.outline(0, 0, columns, 1, colour=INK, line=1.2),
            result.table.outline(row, 0),
            square.table.outline(*at.index),
            Words(4.8, 4.58, equation, 13.0, "middle", bold=True),
            Words(4.8, 4.92, f"28 × 28 pixels, 32 kernels: {memory}", 10.0, "middle"),
        ]
        where = f"row {row + 1} of {rows}"
        shapes += headed("A convolution is a sparse matrix", about, where, foot)
        return Scene(tuple(shapes), f"W' I', {equation}.")

    return Picture(
        "matrix",
        "A convolution is a sparse matrix",
        figure(scene(0, whole=True)),
        Steps(scene, rows),
    )


def polynomials(alpha: Values, beta: Values) -> Picture:
    """Show the product of two polynomials as a Toeplitz matrix, both ways round (row C2).

    Parameters
    ----------
    alpha, beta
        Coefficients, that of t^0 first.

    Raises
    ------
    StriateError
        If there are too many to be drawn, or they are no rows of numbers.
    """
    product = polynomial_product(alpha, beta)
    if max(len(alpha), len(beta)) > MOST_COEFFICIENTS:
        raise StriateError(
            f"polynomials of {len(alpha)} and {len(beta)} coefficients: they are drawn with up to "
            f"{MOST_COEFFICIENTS}"
        )
    sides = [
        _Side("α", "β", toeplitz(alpha, len(beta)), beta, product, 0.3),
        _Side("β", "α", toeplitz(beta, len(alpha)), alpha, product, 5.1),
    ]
    about = f"{_written(alpha)}  times  {_written(beta)}  is  {_written(product)}"
    if Words(0, 0, about, 11.0).width > _ROOM:
        about = f"{len(alpha)} coefficients times {len(beta)} give {len(product)}"
    foot = "Each diagonal of a Toeplitz matrix is constant. Darker cells hold larger numbers."

    def scene(row: int, *, whole: bool = False) -> Scene:
        shapes: list[Shape] = []
        for side in sides:
            shapes += side.shapes(row, whole=whole)
        equation = f"coefficient of t{_raised(row)}: {number(product[row], decimals(product))}"
        shapes.append(Words(4.8, 4.85, equation, 13.0, "middle", bold=True))
        where = f"row {row + 1} of {len(product)}"
        shapes += headed("Polynomials multiply as sequences convolve", about, where, foot)
        return Scene(tuple(shapes), f"{equation[0].upper()}{equation[1:]}, both ways round.")

    return Picture(
        "toeplitz",
        "Polynomials multiply as sequences convolve",
        figure(scene(0, whole=True)),
        Steps(scene, len(product)),
    )


class _Side:
    """One of the two ways round: a Toeplitz matrix times a column is the product."""

    def __init__(
        self, of: str, times: str, made: Values, column: Values, product: Values, left: float
    ) -> None:
        self._made, self._column, self._product = made, column, product
        first = Table.within(made.shape, left, 1.45, 2.5, 2.8)
        side, middle = first.side, first.centre
        columns: list[Table] = []
        for values in (column, product):
            edge = (columns[-1] if columns else first).right + 0.4
            columns.append(Table(edge, middle - 0.5 * side * len(values), len(values), 1, side))
        self._matrix = Numbers(first, made)
        self._factor, self._result = Numbers(columns[0], column), Numbers(columns[1], product)
        self._titles = [
            title(self._matrix.table, f"T({of}), {sizes(made.shape)}"),
            title(self._factor.table, times),
            title(self._result.table, "product"),
            *_signs(self._matrix.table, self._factor.table, self._result.table),
        ]

    def shapes(self, row: int, *, whole: bool) -> list[Shape]:
        so_far = self._product.astype(float)
        if not whole:
            so_far[row + 1 :] = np.nan
        met = self._made[row] != 0
        terms = _terms(self._made[row], self._column, met, decimals(self._made, self._column))
        return [
            *self._titles,
            *self._matrix.draw(self._made),
            *self._factor.draw(self._column.reshape(-1, 1)),
            *self._result.draw(so_far.reshape(-1, 1)),
            self._matrix.table.outline(row, 0, 1, len(self._column)),
            self._result.table.outline(row, 0),
            Words(
                self._matrix.table.left,
                4.5,
                f"{terms or '0'} = {number(self._product[row], decimals(self._product))}",
                11.0,
            ),
        ]


def _signs(matrix_table: Table, factor: Table, result: Table) -> list[Shape]:
    """Return a dot and an equals sign between three tables."""
    return [
        Words(0.5 * (left.right + right.left), left.centre, sign, 14.0, "middle", bold=True)
        for left, right, sign in ((matrix_table, factor, "·"), (factor, result, "="))
    ]


def _window_outlines(table: Table, window: Window, row: int) -> list[Shape]:
    """Return a frame around each pixel under the kernel; none around padding."""
    top, left = (int(place.min()) for place in np.nonzero(~window.outside))
    down, across = per_axis(window.motion.dilation, 2, "dilation")
    at = window.steps[row].position
    shapes: list[Shape] = []
    for tap in np.ndindex(window.taps):
        place = at[0] + tap[0] * down - top, at[1] + tap[1] * across - left
        inside = 0 <= place[0] < table.rows and 0 <= place[1] < table.columns
        shapes.append(table.outline(*place, line=2.0) if inside else Box(0, 0, 0, 0))
    return shapes


def _terms(
    row: Values, column: Values, met: npt.NDArray[np.bool_], shown: int, most: int = 6
) -> str:
    """Return weight times pixel for each entry that is not empty; the first of many."""
    pairs = [
        f"{_bracketed(weight, shown)}·{_bracketed(pixel, shown)}"
        for weight, pixel, counts in zip(row, column, met, strict=True)
        if counts
    ]
    return " + ".join(pairs[:most] + (["…"] if len(pairs) > most else []))


def _bracketed(value: float, shown: int) -> str:
    text = number(value, shown)
    return f"({text})" if text.startswith("−") else text


def _raised(power: int) -> str:
    return str(power).translate(str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹"))


def _written(coefficients: Values) -> str:
    """Return a polynomial as one writes it."""
    shown = decimals(coefficients)
    powers = ["", " t", *(f" t{_raised(power)}" for power in range(2, len(coefficients)))]
    terms = [
        f"{number(abs(value), shown)}{power}" if abs(value) != 1 or not power else power.strip()
        for value, power in zip(coefficients, powers, strict=False)
    ]
    text = ""
    for value, term in zip(coefficients, terms, strict=True):
        if value != 0:
            sign = "−" if value < 0 else "+"
            text += f" {sign} {term}" if text else ("−" if value < 0 else "") + term
    return text or "0"
