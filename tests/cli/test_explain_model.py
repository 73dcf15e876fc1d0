"""``striate explain model``: the table, the figure, and networks from files."""

import json

import pytest

import striate as st


def test_the_figure_is_written_beside_the_table(striate, tmp_path):
    status, out, _ = striate("explain", "model", "nthu_ox")
    assert status == 0
    assert out.splitlines()[-1] == "figure: explain-model-nthu_ox.png"
    for suffix in ("png", "pdf"):
        assert (tmp_path / f"explain-model-nthu_ox.{suffix}").stat().st_size > 1000


def test_a_network_in_a_file(striate, tmp_path):
    st.models.nthu_ox().save(tmp_path / "mine.keras")
    out = striate("explain", "model", "mine.keras", "--out", "pictures/mine.pdf", "--json").out
    told = json.loads(out)
    assert (told["model"], told["lecture"]) == ("mine", None)
    assert told["anatomy"]["layers"][-1]["output_shape"] == [2]
    assert told["figure"] == "pictures/mine.png"
    assert (tmp_path / "pictures" / "mine.pdf").is_file()


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (["none.keras"], "no file none.keras"),
        (["broken.keras"], "broken.keras: Keras cannot make this network"),
        (["broken.keras", "--classes", "3"], "are for those of the lectures"),
        (["heidelburg"], "unknown model 'heidelburg': did you mean 'heidelberg'"),
    ],
)
def test_what_is_no_network_is_one_line(striate, tmp_path, words, part):
    (tmp_path / "broken.keras").write_bytes(b"no archive")
    status, out, err = striate("explain", "model", *words)
    assert (status, out) == (2, "")
    assert part in err
    assert err.count("\n") == 1
