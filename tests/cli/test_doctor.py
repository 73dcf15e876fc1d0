import json
import os


def test_all_is_well_here(process, home):
    status, out, err = process("doctor", JAX_COMPILATION_CACHE_DIR=None)
    assert status == 0, out + err
    assert err == ""
    assert out.splitlines()[-1] == "all is well"
    found = {line[:14].strip(): line[14:] for line in out.splitlines()}
    assert "jaxlib" in found["versions"]
    assert "right: differs from SciPy's" in found["convolution"]
    assert found["program cache"].startswith(" ok  works: ")
    assert "digits, ox" in found["data sets"]
    # The program that was compiled to see whether it is found again is gone.
    left = [name for _, _, names in os.walk(home["XDG_CACHE_HOME"]) for name in names]
    assert not any("striate_doctor" in name for name in left)


def test_what_is_wrong_comes_with_its_remedy(process, tmp_path):
    # A cache that is a file can hold no programs, and data that are nowhere cannot be found.
    file = tmp_path / "file"
    file.touch()
    nowhere = str(tmp_path / "nowhere")
    status, out, _ = process(
        "doctor",
        "--json",
        XDG_CACHE_HOME=str(file),
        JAX_COMPILATION_CACHE_DIR=None,
        STRIATE_DATA=nowhere,
    )
    assert status == 1
    found = json.loads(out)
    assert found["well"] is False
    remedies = {check["name"]: check["remedy"] for check in found["checks"] if check["remedy"]}
    assert set(remedies) == {"program cache", "data sets"}
    assert f"make {file}/striate writable" in remedies["program cache"]
    assert remedies["data sets"] == f"STRIATE_DATA={nowhere} is no folder: mend it or unset it"
