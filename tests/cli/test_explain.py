import json


def test_a_lecture_network_layer_by_layer(striate):
    status, out, _ = striate("explain", "model", "heidelberg")
    assert status == 0
    assert "J. Marks, Heidelberg" in out
    total = next(line for line in out.splitlines() if line.startswith("total"))
    # Conv 3x3x1x32 + 32, dense 13*13*32*32 + 32, dense 32*10 + 10.
    assert "173,738" in total


def test_other_images_classes_and_arguments(striate):
    words = [
        "--input-shape",
        "12,10",
        "--classes",
        "3",
        "--set",
        "filters=4",
        "--set",
        "l2=0.5",
        "--json",
    ]
    out = json.loads(striate("explain", "model", "oslo_digits", *words).out)
    layers = {layer["kind"]: layer for layer in out["anatomy"]["layers"]}
    assert out["anatomy"]["input_shapes"] == [[12, 10, 1]]
    assert layers["Conv2D"]["output_shape"] == [10, 8, 4]
    assert out["anatomy"]["layers"][-1]["output_shape"] == [3]


def test_without_a_name_the_networks_are_listed(striate):
    out = striate("explain", "model").out
    assert "oslo_digits" in out
    listed = json.loads(striate("explain", "model", "--json").out)["models"]
    assert {entry["model"]: entry["dataset"] for entry in listed}["isgc"] == "mnist"


def test_wrong_words_are_one_line(striate):
    for words, part in (
        (["--input-shape", "3"], "--input-shape '3': write rows x columns x channels"),
        (["--input-shape", "2x2"], "at least 4 x 4"),
        (["--set", "filters"], "--set filters: write NAME=VALUE"),
        (["--set", "filter=3"], "no argument 'filter': did you mean 'filters'?"),
        (["--set", "l2=1", "--set", "l2=2"], "l2 is set twice"),
    ):
        status, out, err = striate("explain", "model", "oslo_digits", *words)
        assert (status, out) == (2, "")
        assert part in err
        assert err.count("\n") == 1
