from fractions import Fraction

import pytest

from striate.models.receptive import AxisView, View


def test_the_image_sees_itself():
    view = View.of_image((28, 20))
    assert view.receptive_field == (1, 1)
    assert view.jump == (1, 1)
    assert view.untouched


def test_two_convolutions_and_a_pooling_by_hand():
    # 3x3, 2x2 pooling, 3x3 on 28 pixels: 3, then 3 + 1 = 4 in steps of 2, then 4 + 2 * 2 = 8.
    axis = AxisView(Fraction(0), Fraction(1), Fraction(1), 28)
    axis = axis.window(3, 1, 1, 0, 26)
    assert (axis.field, axis.jump) == (3, 1)
    axis = axis.window(2, 2, 1, 0, 13)
    assert (axis.field, axis.jump) == (4, 2)
    axis = axis.window(3, 1, 1, 0, 11)
    assert (axis.field, axis.jump) == (8, 2)
    assert axis.whole().field == 8 + 10 * 2


def test_dilation_widens_the_field():
    axis = AxisView(Fraction(0), Fraction(1), Fraction(1), 28).window(3, 1, 4, 0, 20)
    assert axis.field == 9


def test_padding_moves_the_first_window_out_of_the_image():
    axis = AxisView(Fraction(0), Fraction(1), Fraction(1), 5).window(3, 1, 1, 1, 5)
    assert (axis.start, axis.field) == (-1, 3)
    # All five together reach from -1 to 5, of which the image has 0 to 4.
    assert View((axis.whole(),), (5,), grid=False).receptive_field == (5,)


@pytest.mark.parametrize(
    ("kernel", "stride", "field"), [(2, 2, 1), (3, 2, 2), (4, 2, 2), (3, 1, 3)]
)
def test_transposed_window(kernel, stride, field):
    axis = AxisView(Fraction(0), Fraction(1), Fraction(1), 8).spread(kernel, stride, 0, 8 * stride)
    assert axis.field == field
    assert axis.jump == Fraction(1, stride)


def test_a_vector_sees_no_image_and_adds_nothing():
    vector, image = View.of_image(()), View.of_image((4, 4)).whole()
    assert vector.receptive_field is None
    assert vector.jump is None
    assert vector.merged(image) == image
    assert image.merged(vector) == image


def test_branches_that_step_differently_are_unknown():
    image = View.of_image((8,))
    strided = image.each(lambda _, axis: axis.window(1, 2, 1, 0, 4))
    assert image.merged(strided) is None
    assert image.merged(View.of_image((9,))) is None
