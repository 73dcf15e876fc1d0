"""``striate reproduce``: what it lists, what it says, what it refuses."""

import json


def test_the_rows_are_listed(striate):
    status, out, err = striate("reproduce", "nthu", "--list")
    assert (status, err) == (0, "")
    assert "W4" in out
    assert "36 numbers, two of them misprints" in out
    assert "N13" not in out
    status, out, _ = striate("reproduce", "--list", "--json", "--rows", "N10")
    assert [row["data"] for row in json.loads(out)] == [["mnist"]]


def test_rows_are_run_and_kept(striate, tmp_path):
    status, out, err = striate("reproduce", "oslo", "--rows", "C2,C5", "--out", "here")
    assert (status, out) == (0, "2 of 2 rows passed\npage: here/oslo.html\n")
    first, second, *_ = err.splitlines()
    assert (
        first == "[1/2] C2: Multiplying polynomials is convolution; as a Toeplitz matrix both ways"
    )
    assert second.startswith("  passed (")
    assert (tmp_path / "here" / "oslo.html").is_file()
    status, out, err = striate("reproduce", "oslo", "--rows", "C2", "--out", "here", "--json")
    assert "passed (kept)" in err
    told = json.loads(out)
    assert told["page"] == "here/oslo.html"
    assert told["settings"]["seeds"] == 5
    assert told["counts"]["passed"] == 1


def test_wrong_calls_are_refused_in_a_line(striate, tmp_path):
    (tmp_path / "file").write_text("x")
    for words, part in {
        ("isgk",): "did you mean 'isgc'?",
        ("isgc", "--rows", "W1"): "there is no row 'W1' in isgc (C8, C9, N10",
        ("--rows", "C2", "--out", "file"): "file is a file: name a folder",
        ("--seeds", "0"): "'--seeds'",
    }.items():
        status, out, err = striate("reproduce", *words)
        assert (status, out) == (2, "")
        assert part in err
        assert len(err.splitlines()) == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file"]
