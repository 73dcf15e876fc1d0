"""The page to step through: its numbers, and its buttons and keys in a browser."""

import json
import re
import shutil
import subprocess

import pytest

from striate.explain.padding import padding
from striate.explain.scenes.page import stepping_page
from striate.explain.scenes.shapes import Box, Raster, Scene, Words
from striate.explain.worked_example import worked_example

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)


def content(page: str) -> dict:
    found = re.search(
        r'<script type="application/json" id="content">(.*?)</script>', page, re.DOTALL
    )
    return json.loads(found[1])


def texts(page: str, step: int) -> list[str]:
    """Return what is written at a step, as the script of the page makes it."""
    held = content(page)
    shapes = list(held["shapes"])
    for later in held["steps"][: step + 1]:
        for number, shape in later["changes"]:
            shapes[number] = shape
    return [shape[3] for shape in shapes if shape[0] == "words" and shape[3]]


def test_each_step_holds_the_numbers_of_its_scene():
    for picture in (padding(), worked_example("O")):
        page = stepping_page(picture.scenes, picture.title)
        assert len(content(page)["steps"]) == len(picture.scenes)
        for step in (0, 5, len(picture.scenes) - 1):
            assert texts(page, step) == picture.scenes[step].texts


def test_only_what_changes_is_written():
    picture = padding()
    steps = content(stepping_page(picture.scenes, ""))["steps"]
    assert steps[0]["changes"] == []
    # 9 products, the output, two frames, two lines of sums, the place: with their texts.
    assert all(0 < len(step["changes"]) < 30 for step in steps[1:])


def test_the_page_loads_nothing():
    page = stepping_page(padding().scenes, "a < b & c")
    assert "default-src 'none'" in page
    assert not re.search(r"""(src|href)\s*=\s*["']?(https?:)?//""", page)
    assert "<title>a &lt; b &amp; c</title>" in page
    assert set(re.findall(r"https?://[^\s\"']+", page)) <= {"http://www.w3.org/2000/svg"}


def test_no_text_ends_the_script():
    scene = Scene((Words(1, 1, "</script><b>"), Raster(0, 0, 1, 1, b"png")), "A </script>.")
    page = stepping_page([scene], "x")
    assert page.count("</script>") == 2
    assert content(page)["shapes"][0][3] == "</script><b>"


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here to open the page in")
def test_buttons_keys_and_slider_in_a_browser(tmp_path):
    scenes = [
        Scene((Box(0, 0, 1, 1, "#ffffff"), Words(0.5, 0.5, f"n{n}"), Box(0, 0, n, 1)), f"Step {n}.")
        for n in range(5)
    ]
    script = """
    const seen = [];
    const note = () => seen.push(document.querySelector("#picture text").textContent);
    const key = (name) => {
      document.dispatchEvent(new KeyboardEvent("keydown", { key: name, cancelable: true }));
      note();
    };
    const click = (name) => { document.getElementById(name).click(); note(); };
    note();
    click("next"); click("next"); click("back");
    key("ArrowRight"); key("ArrowLeft"); key("End"); key("ArrowRight"); key("Home");
    slider.value = 3; slider.dispatchEvent(new Event("input")); note();
    key(" ");
    seen.push(document.getElementById("play").textContent);
    key(" ");
    seen.push(document.getElementById("play").textContent);
    seen.push(document.getElementById("caption").textContent);
    const result = document.createElement("p");
    result.id = "result";
    result.textContent = JSON.stringify(seen);
    document.body.append(result);
    """
    page = tmp_path / "page.html"
    page.write_text(
        stepping_page(scenes, "x").replace("</body>", f"<script>{script}</script></body>")
    )
    done = subprocess.run(
        [
            CHROMIUM,
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            f"--user-data-dir={tmp_path / 'profile'}",
            "--dump-dom",
            page.as_uri(),
        ],
        capture_output=True,
        text=True,
        timeout=100,
        check=True,
    )
    found = re.search(r'<p id="result">(.*?)</p>', done.stdout)
    assert found, done.stdout[-500:] + done.stderr[-500:]
    assert json.loads(found[1]) == [
        *("n0", "n1", "n2", "n1"),
        *("n2", "n1", "n4", "n4", "n0"),
        "n3",
        *("n3", "pause", "n3", "play"),
        "Step 3.",
    ]
