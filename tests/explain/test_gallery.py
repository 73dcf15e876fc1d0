"""The gallery is one page: pictures, their commands, links to what lies beside it."""

from striate.explain.gallery import Entry, write_gallery


def test_the_page_has_pictures_commands_and_links(tmp_path):
    figures = tuple(tmp_path / "sub" / f"a{suffix}" for suffix in (".png", ".pdf", ".gif", ".html"))
    write_gallery(
        [
            Entry("One <b>", ("striate explain convolution --kernel '1 < 2'",), figures),
            Entry("Two", ("striate a", "striate b"), (), "printed & shown"),
        ],
        tmp_path / "index.html",
    )
    page = (tmp_path / "index.html").read_text()
    assert "One &lt;b&gt;" in page
    assert "striate explain convolution --kernel '1 &lt; 2'" in page
    assert 'src="sub/a.png"' in page
    for suffix in ("pdf", "gif", "html"):
        assert f'href="sub/a.{suffix}"' in page
    assert "printed &amp; shown" in page
    assert page.count('class="command"') == 3
    assert "http" not in page.replace("http-equiv", "")
    assert str(tmp_path) not in page
