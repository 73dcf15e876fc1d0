from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure

from striate.errors import StriateError
from striate.evaluation import Evaluation
from striate.jets import Constituents, ImageOptions, jet_images
from striate.jets.images import aligned
from striate.plots.jet_images import (
    average_images,
    constituents_beside_image,
    output_correlation,
    pixel_correlation,
    surest_wrong_jets,
)

N = 120
LABELS = np.arange(N) % 2
NAMES = ("QCD", "W")


@pytest.fixture(scope="module")
def jets() -> Constituents:
    """One core for class 0, two for class 1, anywhere in the detector."""
    rng = np.random.default_rng(8)
    counts = np.full(N, 30)
    jet = np.repeat(np.arange(N), counts)
    second = (rng.random(len(jet)) < 0.4) & (LABELS[jet] == 1)
    tilt, eta, phi = rng.uniform(-3, 3, N), rng.uniform(-1, 1, N), rng.uniform(-3, 3, N)
    return Constituents.from_arrays(
        rng.exponential(8, len(jet)) + 0.5,
        eta[jet] + second * 0.6 * np.cos(tilt)[jet] + rng.normal(0, 0.06, len(jet)),
        phi[jet] + second * 0.6 * np.sin(tilt)[jet] + rng.normal(0, 0.06, len(jet)),
        charge=rng.integers(-1, 2, len(jet)),
        counts=counts,
    )


@pytest.fixture(scope="module")
def images(jets: Constituents) -> np.ndarray:
    return jet_images(jets)


def pictures(figure: Figure) -> list[np.ma.MaskedArray]:
    return [axes.images[0].get_array() for axes in figure.axes if axes.images]


def test_averages_are_means_and_their_difference(images: np.ndarray) -> None:
    figure = average_images(images, LABELS, NAMES, width=2.5)
    signal, background, difference = pictures(figure)
    of_w, of_qcd = (images[k == LABELS].mean(axis=0)[..., 0] for k in (1, 0))
    np.testing.assert_allclose(signal.filled(0), of_w, rtol=1e-5)
    np.testing.assert_allclose(background.filled(0), of_qcd, rtol=1e-5)
    np.testing.assert_allclose(difference, of_w - of_qcd, atol=1e-5)
    # Pixels that no jet reaches are left white.
    np.testing.assert_array_equal(np.ma.getmaskarray(signal), of_w == 0)
    norms = [axes.images[0].norm for axes in figure.axes if axes.images]
    assert isinstance(norms[0], LogNorm)
    assert norms[0] is norms[1]
    assert norms[2].vmin == -norms[2].vmax
    assert [axes.get_title(loc="center") for axes in figure.axes[:3]] == ["W", "QCD", "W − QCD"]
    assert figure.axes[0].images[0].get_extent() == [-1.25, 1.25, -1.25, 1.25]


def test_two_prongs_appear_only_after_rotation(jets: Constituents, images: np.ndarray) -> None:
    """The physics that the figure is for: below the centre W is brighter, and before it is not."""
    before = jet_images(jets, centre="axis", rotate=None, flip=False)
    figure = average_images({"before": before, "after": images}, LABELS, NAMES, width=2.5)
    turned, difference = pictures(figure)[3], pictures(figure)[5]
    assert difference[18, 12] > 0.5 * turned[18, 12] > 1
    assert abs(difference[6, 12]) < 0.2
    straight = pictures(figure)[0].filled(0)
    assert straight[18, 12] == pytest.approx(straight[6, 12], rel=3, abs=3)
    assert [axes.get_ylabel() for axes in figure.axes if axes.get_ylabel()] == [
        "before\nΔφ [rad]",
        "after\nΔφ [rad]",
    ]


def test_weights_and_classes_are_chosen(images: np.ndarray) -> None:
    labels = np.arange(N) % 3
    weights = np.where(np.arange(N) < 60, 2.0, 0.0)
    figure = average_images(
        images,
        labels,
        ("a", "b", "c"),
        width=2.5,
        signal="c",
        background="b",
        weights=weights,
    )
    expected = images[:60][labels[:60] == 2].mean(axis=0)[..., 0]
    np.testing.assert_allclose(pictures(figure)[0].filled(0), expected, rtol=1e-5)


def test_correlation_is_numpys(images: np.ndarray) -> None:
    output = np.random.default_rng(1).random(N) + images[:, 18, 12, 0] / 100
    found = pixel_correlation(images[..., 0], output)
    varies = images.std(axis=0)[..., 0] > 0
    for row, column in zip(*np.nonzero(varies), strict=True):
        expected = np.corrcoef(images[:, row, column, 0], output)[0, 1]
        assert found[row, column] == pytest.approx(expected, abs=1e-6)
    assert np.isnan(found[~varies]).all()
    assert (~varies).any()
    drawn = pictures(output_correlation(images, output, width=2.5))[0]
    np.testing.assert_array_equal(np.ma.getmaskarray(drawn), ~varies)


def test_weights_count_like_copies(images: np.ndarray) -> None:
    output = np.random.default_rng(1).random(N)
    copies = np.arange(N) % 3
    weighted = pixel_correlation(images[..., 0], output, copies)
    repeated = pixel_correlation(
        np.repeat(images[..., 0], copies, axis=0), np.repeat(output, copies)
    )
    np.testing.assert_allclose(weighted, repeated, atol=1e-6)


def evaluated() -> Evaluation:
    signal = np.random.default_rng(3).random(N)
    signal[[7, 40]] = 0.001, 0.9999  # a W and a QCD jet, both wrong
    return Evaluation("made up", NAMES, LABELS.astype(np.int32), np.stack([1 - signal, signal], 1))


def test_the_surest_wrong_jets_come_first(images: np.ndarray) -> None:
    masses = np.arange(N, dtype=np.float32)
    figure = surest_wrong_jets(
        evaluated(), images, width=2.5, observables={"mass_gev": masses}, n=6
    )
    assert figure.axes[0].get_title(loc="center") == "W > 99.9 %\nis QCD\nm = 40 GeV"
    assert figure.axes[1].get_title(loc="center") == "QCD 99.9 %\nis W\nm = 7 GeV"
    np.testing.assert_array_equal(pictures(figure)[0].filled(0), images[40, ..., 0])
    assert len(pictures(figure)) == 6


def test_constituents_lie_where_their_pixels_do(jets: Constituents) -> None:
    figure = constituents_beside_image(jets.take([3]), grid=33, width=1.6, rotate="principal")
    circles = np.concatenate([c.get_offsets() for c in figure.axes[0].collections])
    plane = aligned(jets.take([3]), ImageOptions(grid=33, width=1.6, rotate="principal"))
    np.testing.assert_allclose(
        circles[np.lexsort(circles.T)],
        np.stack([plane.x, plane.y], 1)[np.lexsort((plane.x, plane.y))],
    )
    expected = jet_images(jets.take([3]), grid=33, width=1.6, rotate="principal")[0, :, :, 0]
    np.testing.assert_array_equal(pictures(figure)[0].filled(0), expected)
    assert "filled: charged" in figure.axes[0].get_title(loc="center")
    plain = Constituents([0, 1], [5.0], [0.0], [0.0])
    assert "charged" not in constituents_beside_image(plain).axes[0].get_title(loc="center")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda i: average_images(i, LABELS[:-1], NAMES, width=2.5),
            "120 images '' but 119 labels",
        ),
        (
            lambda i: average_images(i, LABELS, NAMES, width=2.5, signal="Z"),
            "there is no class 'Z': known: QCD, W",
        ),
        (lambda i: average_images(i, 0 * LABELS, NAMES, width=2.5), "there is no jet of class 'W'"),
        (
            lambda i: output_correlation(i, np.ones(N), width=2.5),
            "the output is the same for all jets",
        ),
        (lambda i: output_correlation(i, np.ones(3), width=2.5), r"an output of shape \(3,\)"),
        (lambda i: surest_wrong_jets(evaluated(), i[:5], width=2.5), "give the whole test split"),
        (
            lambda i: constituents_beside_image(Constituents([0, 0], [], [], [])),
            "there is no constituent to draw",
        ),
    ],
)
def test_what_cannot_be_drawn_is_refused(images: np.ndarray, call: Any, message: str) -> None:
    with pytest.raises(StriateError, match=message):
        call(images)


def test_no_mistake_is_said(images: np.ndarray) -> None:
    right = np.stack([1.0 - LABELS, LABELS], axis=1)
    perfect = Evaluation("made up", NAMES, LABELS.astype(np.int32), right)
    with pytest.raises(StriateError, match="there is no mistake to draw"):
        surest_wrong_jets(perfect, images, width=2.5)
