"""The 6x6 map of the lecture's example, with its misprints set right (row W4)."""

from striate.explain.padding import misprints, padding

# As on the slide, but for row 4, column 1 (there 11) and row 5, column 5 (there 10).
W4 = [
    [-4, -5, -1, 3, -5, 5],
    [-10, -14, -1, 10, -1, 7],
    [-8, -11, -11, 7, 12, 8],
    [-11, -7, -10, 1, 13, 13],
    [-6, 5, -16, -4, 11, 12],
    [-6, 4, -7, -1, 2, 8],
]


def test_w4_is_drawn_and_its_misprints_are_said(tables, written):
    picture = padding()
    image, kernel, _, feature_map = tables(picture.scenes[-1])
    assert feature_map == written(W4)
    assert kernel == written([[1, 0, -1]] * 3)
    assert [image[0], image[1][:3]] == [["0"] * 8, ["0", "1", "2"]]
    told = "row 4, column 1 is −11, not 11; row 5, column 5 is 11, not 10."
    assert misprints() == told
    assert all(any(told in text for text in scene.texts) for scene in picture.scenes)
    assert "without padding o = 6 − 3 + 1 = 4; with p = 1 it is o = 6 + 2·1 − 3 + 1 = 6" in (
        picture.scenes[0].texts
    )
