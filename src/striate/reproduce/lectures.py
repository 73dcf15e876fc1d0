"""The lectures whose rows are run, by their keys."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Lecture:
    """Where rows come from.

    Attributes
    ----------
    key
        Its name on the command line.
    title
        Heading of its page.
    source
        Who gave it, where and when.
    usual
        Whether its rows are run when no lecture is named.
    figure
        What to call the figures that ours are compared with.
    headline
        What is said of the rows that pass.
    seeds
        How many a figure is the mean of, unless another number is asked for.
    """

    key: str
    title: str
    source: str
    usual: bool = True
    figure: str = "the lecture's figure"
    headline: str = "of the lectures are reproduced, computed now and compared"
    seeds: int = 5


LECTURES: Mapping[str, Lecture] = {
    lecture.key: lecture
    for lecture in (
        Lecture("heidelberg", "The Heidelberg lecture", "J. Marks, Heidelberg, CNN, 2024"),
        Lecture("nthu", "The NTHU lecture", "PHYS591000, NTHU, CNN, 2022"),
        Lecture("isgc", "The ISGC lab", "D. Bonacorsi, Lab on CNNs, ISGC 2021"),
        Lecture(
            "oslo",
            "The Oslo lecture",
            "M. Hjorth-Jensen, Oslo, Advanced machine learning for the physical sciences, 2023",
        ),
        Lecture(
            "best",
            "Beyond the lectures: the most in a minute, and in ten",
            "striate's own networks",
            usual=False,
            figure="to be reached",
            headline="reach what was set, in the time that was set",
            seeds=3,
        ),
    )
}
EVERY = tuple(key for key, lecture in LECTURES.items() if lecture.usual)
"""What belongs to all lectures."""
