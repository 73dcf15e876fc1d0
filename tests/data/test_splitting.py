from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from striate.data.splitting import held_out, limited, permutation, require_seed
from striate.errors import StriateError

COUNTS = st.lists(st.integers(2, 40), min_size=2, max_size=6)


def labels_of(counts: list[int], seed: int = 0) -> np.ndarray:
    labels = np.repeat(np.arange(len(counts)), counts)
    return labels[permutation(len(labels), seed)]


def test_permutation_is_the_same_for_ever() -> None:
    assert permutation(8, 0).tolist() == [3, 2, 1, 6, 0, 7, 4, 5]
    assert permutation(8, 1).tolist() != permutation(8, 0).tolist()


@given(counts=COUNTS, share=st.floats(0.05, 0.7), seed=st.integers(0, 9))
def test_every_image_is_on_one_side_and_every_class_on_both(
    counts: list[int], share: float, seed: int
) -> None:
    labels = labels_of(counts)
    kept, held = held_out(labels, share, seed, "x", "test")
    assert sorted([*kept, *held]) == list(range(len(labels)))
    for side in (kept, held):
        assert set(labels[side]) == set(range(len(counts)))
    part = np.bincount(labels[held], minlength=len(counts))
    # Rounding up, largest remainders, and one image for the rarest: never two images away.
    assert (np.abs(part - np.array(counts) * share) < 2).all()


def test_share_may_be_a_number_of_images() -> None:
    labels = labels_of([50, 30, 20])
    kept, held = held_out(labels, 10, 0, "x", "test")
    assert np.bincount(labels[held]).tolist() == [5, 3, 2]
    assert len(kept) == 90


def test_split_depends_on_the_seed_alone() -> None:
    labels = labels_of([30, 30])
    first, again, other = (held_out(labels, 0.2, seed, "x", "test")[1] for seed in (3, 3, 4))
    assert (first == again).all()
    assert not np.array_equal(first, other)


def test_order_is_mixed_although_the_source_is_sorted() -> None:
    labels = np.repeat([0, 1], 50)
    kept, _ = held_out(labels, 0.2, 0, "x", "test")
    assert (np.diff(labels[kept]) != 0).sum() > 10


@pytest.mark.parametrize("share", [0, 1.0e9, -0.1, 1.5, 20])
def test_impossible_shares_are_refused(share: float) -> None:
    with pytest.raises(StriateError, match="validation must be a fraction between 0 and 1"):
        held_out(labels_of([10, 10]), share, 0, "x", "validation")


def test_class_with_one_image_cannot_be_split() -> None:
    with pytest.raises(StriateError, match="faces: class 1 has one image only"):
        held_out(np.array([0, 0, 0, 1]), 0.25, 0, "faces", "test")


@pytest.mark.parametrize("seed", [-1, 1.5, "0"])
def test_seed_must_be_a_whole_number(seed: object) -> None:
    with pytest.raises(StriateError, match="seed must be a whole number"):
        require_seed(seed)


@given(counts=COUNTS, seed=st.integers(0, 9), data=st.data())
def test_limit_takes_so_many_of_every_class_in_their_order(
    counts: list[int], seed: int, data: st.DataObject
) -> None:
    labels = labels_of(counts)
    limit = data.draw(st.integers(len(counts), len(labels) + 3))
    rows = limited(labels, limit, seed)
    assert len(rows) == min(limit, len(labels))
    assert (np.diff(rows) > 0).all()
    assert set(labels[rows]) == set(range(len(counts)))


def test_limit_below_the_number_of_classes_is_refused() -> None:
    with pytest.raises(StriateError, match="number of classes, 3, not 2"):
        limited(labels_of([5, 5, 5]), 2, 0)
