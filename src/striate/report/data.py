"""The section on the data: what the network learned from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from striate import plots
from striate.data import Dataset
from striate.quantities import count, plural
from striate.report.gallery import Gallery, beside
from striate.report.markup import Content, Html, bullets, facts, paragraph, section, table, tag
from striate.report.words import setting

MOST_CLASSES = 100
"""Above this number of classes, tables and matrices over the classes are left out."""

_IMAGES = 25
_NAMES = 20


def data_section(data: Dataset, gallery: Gallery) -> Html:
    """Return the section on `data`, with random training images."""
    rows, columns, channels = data.image_shape
    provenance: Mapping[str, Any] = data.provenance
    split = {k: v for k, v in dict(provenance.get("split") or {}).items() if v is not None}
    scaling = setting(provenance.get("scaling", "not recorded"))
    pairs: list[tuple[Content, Content]] = [
        ("Name", data.name),
        ("Images", f"{rows} × {columns} pixels, {plural(channels, 'channel')}"),
        ("Classes", f"{data.classes}: {_names(data.class_names)}"),
        ("Source", setting(provenance.get("source", "not recorded"))),
        ("Scaling", scaling),
    ]
    if split:
        pairs.append(("Splits", setting(split)))
    if provenance.get("licence"):
        pairs.append(("Licence", setting(provenance["licence"])))
    pairs.append(("Fingerprint", tag("code", data.fingerprint)))
    # The scaling is among the facts already.
    notes = [setting(note) for note in provenance.get("notes") or () if scaling not in note]
    n = min(_IMAGES, len(data.train))
    figure = gallery.show(
        "samples",
        plots.samples(data.train.pixels, data.train.labels, data.class_names, n=_IMAGES),
        "Training images.",
        f"{plural(n, 'image')} chosen at random, with the names of their classes.",
        alt=f"{plural(n, 'training image')} of {data.name}, each with the name of its class.",
    )
    return section(
        "Data",
        beside(
            tag("div", facts(pairs), bullets(notes) if notes else None, _split_table(data)),
            figure,
        ),
        _files(provenance),
        identity="data",
    )


def _names(names: tuple[str, ...]) -> str:
    if len(names) <= _NAMES:
        return ", ".join(names)
    return ", ".join(names[:_NAMES]) + f" and {len(names) - _NAMES} more"


def _split_table(data: Dataset) -> Html:
    splits = [
        (name, split)
        for name, split in (
            ("training", data.train),
            ("validation", data.validation),
            ("test", data.test),
        )
        if split is not None
    ]
    sentence = ", ".join(f"{count(len(split))} {name}" for name, split in splits) + " images"
    if data.classes > MOST_CLASSES:
        return paragraph(
            f"{sentence}. The numbers of images per class are left out: "
            f"there are more than {MOST_CLASSES} classes."
        )
    counts = [np.bincount(split.labels, minlength=data.classes) for _, split in splits]
    body: list[list[Content]] = [
        [name, *(count(column[i]) for column in counts)] for i, name in enumerate(data.class_names)
    ]
    body.append(["all", *(count(column.sum()) for column in counts)])
    return table("Images per class and split", ["class", *(name for name, _ in splits)], body)


def _files(provenance: Mapping[str, Any]) -> Html | None:
    files = [dict(entry) for entry in provenance.get("files") or ()]
    if not files:
        return None
    return table(
        "Files the data was read from",
        ["file", "SHA-256", "bytes"],
        [
            [
                setting(entry.get("name", "")),
                tag("code", setting(entry.get("sha256", "not recorded"))),
                count(entry["bytes"]) if "bytes" in entry else "–",
            ]
            for entry in files
        ],
        words=2,
    )
