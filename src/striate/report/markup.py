"""Building HTML so that no text of a user can become markup."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence


class Html(str):
    """Text that is markup already; any other string is escaped where it is used."""

    __slots__ = ()


Content = str | int | float | None
"""What an element may hold: markup, or text to be escaped; None holds nothing."""

_VOID = frozenset({"img", "meta", "br"})


def join(parts: Iterable[Content]) -> Html:
    """Return the parts one after the other, each escaped unless it is markup."""
    return Html("".join(_escaped(part) for part in parts))


def tag(name: str, *children: Content, **attributes: Content) -> Html:
    """Return an element.

    Parameters
    ----------
    name
        Such as ``"p"``.
    children
        What it holds.
    **attributes
        A trailing underscore is cut (``class_``), other underscores become hyphens; an attribute
        that is None is left out.

    Examples
    --------
    >>> tag("p", "a < b", class_="note")
    '<p class="note">a &lt; b</p>'
    """
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{html.escape(str(value), quote=True)}"'
        for key, value in attributes.items()
        if value is not None
    )
    if name in _VOID:
        return Html(f"<{name}{written}>")
    return Html(f"<{name}{written}>{join(children)}</{name}>")


def paragraph(*children: Content) -> Html:
    """Return a paragraph."""
    return tag("p", *children)


def bullets(items: Sequence[Content]) -> Html:
    """Return a list of points."""
    return tag("ul", *(tag("li", item) for item in items))


def facts(pairs: Iterable[tuple[Content, Content]], class_: str = "facts") -> Html:
    """Return names and values, as a description list."""
    return tag(
        "dl",
        *(tag("div", tag("dt", name), tag("dd", value)) for name, value in pairs),
        class_=class_,
    )


def section(title: str, *children: Content, identity: str) -> Html:
    """Return a section with a heading that can be linked to."""
    heading = f"{identity}-title"
    return tag(
        "section", tag("h2", title, id=heading), *children, id=identity, aria_labelledby=heading
    )


def table(
    caption: str,
    columns: Sequence[str],
    rows: Iterable[Sequence[Content]],
    *,
    words: int = 1,
) -> Html:
    """Return a table that scrolls sideways where the page is narrow.

    Parameters
    ----------
    caption
        What the table shows.
    columns
        Their headings.
    rows
        Their cells; the first of a row is its heading.
    words
        How many of the first columns hold words; the others hold numbers and are set flush right.
    """
    looks = ["words" if i < words else "number" for i in range(len(columns))]
    head = tag(
        "tr", *(tag("th", c, scope="col", class_=k) for c, k in zip(columns, looks, strict=True))
    )
    body = [
        tag(
            "tr",
            tag("th", row[0], scope="row", class_="words"),
            *(tag("td", cell, class_=k) for cell, k in zip(row[1:], looks[1:], strict=True)),
        )
        for row in rows
    ]
    whole = tag("table", tag("caption", caption), tag("thead", head), tag("tbody", *body))
    # Focusable, so that a keyboard can scroll it.
    return tag("div", whole, class_="scroll", role="region", aria_label=caption, tabindex=0)


def _escaped(part: Content) -> str:
    if part is None:
        return ""
    return part if isinstance(part, Html) else html.escape(str(part), quote=False)
