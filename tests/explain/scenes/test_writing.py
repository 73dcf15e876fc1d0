"""Pictures as files: names, formats, what is in them."""

import numpy as np
import pytest
from PIL import Image

from striate.errors import StriateError
from striate.explain.scenes.drawing import figure
from striate.explain.scenes.gif import painted
from striate.explain.scenes.shapes import Arrow, Box, Scene, Steps, Words
from striate.explain.scenes.writing import Picture, write


def scene(step: int) -> Scene:
    return Scene(
        (
            Box(0.2, 0.2, 1, 0.5, "#ff0000", "#0000ff", 3),
            Box(0.2, 0.9, 0.1 * step, 0.3, "#00ff00"),
            Arrow(1.3, 0.5, 1.8, 0.5),
            Words(0.7, 1.5, f"step {step}", 14, "middle"),
        ),
        f"Step {step}.",
        2,
        2,
    )


def picture(name: str = "first", steps: int = 3) -> Picture:
    return Picture(name, name, figure(scene(0)), Steps(scene, steps))


def names(folder) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_without_a_suffix_all_formats_are_written(tmp_path):
    still = Picture("still", "still", figure(scene(0)))
    written = write([picture(), still], tmp_path / "a.b" / "c", "x")
    assert names(tmp_path / "a.b") == [
        "c-still.pdf",
        "c-still.png",
        "c.gif",
        "c.html",
        "c.pdf",
        "c.png",
    ]
    assert sorted(path.name for path in written.paths) == names(tmp_path / "a.b")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a.png", ["a.pdf", "a.png"]),
        ("a.PDF", ["a.pdf", "a.png"]),
        ("a.gif", ["a.gif"]),
        ("a.html", ["a.html"]),
    ],
)
def test_a_suffix_chooses(name, expected, tmp_path):
    write([picture()], tmp_path / name, "x")
    assert names(tmp_path) == expected


def test_an_animation_has_a_frame_for_each_step(tmp_path):
    write([picture(steps=4)], tmp_path / "a.gif", "x")
    with Image.open(tmp_path / "a.gif") as animation:
        assert animation.n_frames == 4
        assert animation.size == (200, 200)
        assert animation.info["loop"] == 0
        widths = []
        for step in range(4):
            animation.seek(step)
            pixels = np.asarray(animation.convert("RGB"), int)
            green = (pixels[105] * [-1, 1, -1]).sum(axis=1) > 150
            widths.append(int(green.sum()))
    np.testing.assert_allclose(np.diff(widths), 10, atol=2)


def test_of_many_steps_some_are_taken_and_it_is_said(tmp_path):
    written = write([picture(steps=300)], tmp_path / "a.gif", "x")
    assert written.notes == ("a.gif shows 64 of the 300 steps, evenly spread",)
    with Image.open(tmp_path / "a.gif") as animation:
        assert animation.n_frames == 64


def test_the_frame_of_an_animation_looks_like_the_figure(tmp_path):
    drawn = figure(scene(5))
    drawn.set_dpi(100)
    drawn.canvas.draw()
    one = np.asarray(drawn.canvas.buffer_rgba())[..., :3].astype(float)
    other = np.asarray(painted(scene(5)), float)
    assert one.shape == other.shape
    assert np.abs(one - other).mean() < 4


def test_wrong_names_are_refused(tmp_path):
    with pytest.raises(StriateError, match=r"\.jpg is not written"):
        write([picture()], tmp_path / "a.jpg", "x")
    with pytest.raises(StriateError, match="does not move"):
        write([Picture("still", "", figure(scene(0)))], tmp_path / "a.gif", "x")
    assert names(tmp_path) == []


def test_steps_are_made_when_asked_for():
    made = []

    def make(step: int) -> Scene:
        made.append(step)
        return scene(step)

    steps = Steps(make, 10)
    assert len(steps) == 10
    assert made == []
    assert steps[-1].caption == "Step 9."
    assert [s.caption for s in steps[2:6:2]] == ["Step 2.", "Step 4."]
    assert made == [9, 2, 4]
    with pytest.raises(IndexError):
        steps[10]
