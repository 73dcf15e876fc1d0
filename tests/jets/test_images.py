from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from striate.errors import StriateError
from striate.jets import Constituents, ImageOptions, Standardisation, image_mass, jet_images
from striate.jets.images import CENTRES, ROTATIONS, aligned, fraction_inside
from striate.jets.normalisation import NORMALISATIONS

EVERY_ALIGNMENT = [
    {"centre": centre, "rotate": rotate, "flip": flip}
    for centre in CENTRES
    if centre is not None
    for rotate in ROTATIONS
    for flip in (True, "both")
]


def changed(jets: Constituents, eta: Any = 0.0, phi: Any = 0.0, sign: Any = (1, 1)) -> Constituents:
    """Boost along the beam, rotate about it, and reflect; the jets massless."""
    return Constituents(
        jets.offsets,
        jets.pt_gev,
        sign[0] * np.asarray(jets.eta, np.float64) + eta,
        sign[1] * np.asarray(jets.phi, np.float64) + phi,
        charge=jets.charge,
    )


def positions(jets: Constituents, **options: Any) -> np.ndarray:
    plane = aligned(jets, ImageOptions.of(options))
    return np.stack([plane.x, plane.y])


def massless(jets: Constituents, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return the masses of the jets with their particles at `x` and `y`."""
    return Constituents(jets.offsets, jets.pt_gev, x, y).sums().mass_gev


# What an image is.


@pytest.mark.parametrize(("grid", "width"), [(25, 2.5), (33, 0.8), (16, 1.6)])
def test_pixels_are_numpys_histogram(jets: Constituents, grid: int, width: float) -> None:
    options: dict[str, Any] = {"grid": grid, "width": width}
    images = jet_images(jets, **options)
    assert images.shape == (len(jets), grid, grid, 1)
    assert images.dtype == np.float32
    x, y = positions(jets, **options)
    edges = (np.arange(grid + 1) / grid - 0.5) * width
    for i in range(0, len(jets), 20):
        of = slice(jets.offsets[i], jets.offsets[i + 1])
        expected, _, _ = np.histogram2d(y[of], x[of], bins=(edges, edges), weights=jets.pt_gev[of])
        # The first row is the uppermost.
        np.testing.assert_allclose(images[i, ::-1, :, 0], expected, rtol=1e-6)


def test_a_particle_right_and_above_is_right_and_above() -> None:
    jet = Constituents([0, 3], [90, 1, 2], [0, 1.0, 0], [0, 0, 0.5])
    image = jet_images(
        jet, grid=5, width=2.5, centre="subjet", rotate=None, flip=False, subjet_radius=0.1
    )[0, :, :, 0]
    assert image[2].tolist() == [0, 0, 90, 0, 1]
    assert image[:, 2].tolist() == [0, 2, 90, 0, 0]


def test_the_second_subjet_is_below_the_leading_one(jets: Constituents) -> None:
    image = jet_images(jets, width=2.1, grid=21).mean(axis=0)[..., 0]
    second = np.unravel_index(np.where(np.arange(21)[:, None] > 12, image, 0).argmax(), (21, 21))
    assert np.unravel_index(image.argmax(), (21, 21)) == (10, 10)
    # 0.6 below the centre.
    assert second == (16, 10)


def test_principal_axis_puts_the_softer_prong_below_too() -> None:
    jet = Constituents([0, 2], [70, 30], [1.2, 1.5], [0.3, -0.1])
    for centre in ("axis", "centroid", "subjet"):
        x, y = positions(jet, centre=centre, rotate="principal", flip=False)
        np.testing.assert_allclose(x[0], x[1], atol=1e-6)
        assert y[0] - y[1] == pytest.approx(0.5, abs=1e-6)


def test_more_is_on_the_right_and_above(jets: Constituents) -> None:
    images = jet_images(jets, flip="both", rotate=None, centre="axis", grid=24)[..., 0]
    assert (images[:, :, 12:].sum(axis=(1, 2)) >= images[:, :, :12].sum(axis=(1, 2)) - 1e-3).all()
    assert (images[:, :12].sum(axis=(1, 2)) >= images[:, 12:].sum(axis=(1, 2)) - 1e-3).all()


def test_an_empty_jet_is_an_empty_image_with_every_option() -> None:
    empty = Constituents([0, 0, 1], [5.0], [1.0], [1.0])
    for alignment in EVERY_ALIGNMENT:
        for normalise in NORMALISATIONS:
            images = jet_images(empty, normalise=normalise, **alignment)
            assert np.isfinite(images).all()
            assert (images[0] == 0).all() or normalise == "standardise"
    assert jet_images(empty.take([])).shape == (0, 25, 25, 1)


# Channels.


def test_colours_are_parts_of_the_whole(jets: Constituents) -> None:
    names = ("charged_pt", "neutral_pt", "charged_multiplicity", "multiplicity", "et")
    images = jet_images(jets, channels=names, width=6.0)
    np.testing.assert_allclose(images[..., 0] + images[..., 1], images[..., 4], atol=1e-3)
    np.testing.assert_array_equal(images[..., 2].sum(axis=(1, 2)), jets.jet_sum(jets.charge != 0))
    np.testing.assert_array_equal(images[..., 3].sum(axis=(1, 2)), jets.counts)


def test_charges_follow_from_pdg_numbers() -> None:
    jet = Constituents(
        [0, 5], np.ones(5), np.zeros(5), np.zeros(5), pdg_id=[-211, 22, 2212, 130, 1]
    )
    image = jet_images(jet, channels=("charged_multiplicity", "neutral_pt"))
    assert image.sum(axis=(0, 1, 2)).tolist() == [2, 3]
    other = Constituents([0, 1], [1.0], [0.0], [0.0], pdg_id=[6])
    with pytest.raises(StriateError, match="pdg_id 6 of particle 0 is none of a particle that"):
        jet_images(other, channels="charged_pt")
    with pytest.raises(StriateError, match="need their charge or pdg_id"):
        jet_images(Constituents([0, 1], [1.0], [0.0], [0.0]), channels="charged_pt")


# Invariance.


@pytest.mark.parametrize("options", EVERY_ALIGNMENT)
def test_order_of_constituents_does_not_matter(jets: Constituents, options: dict[str, Any]) -> None:
    rng = np.random.default_rng(0)
    order = np.lexsort((rng.random(len(jets.pt_gev)), jets.jet_index))
    other = Constituents(jets.offsets, jets.pt_gev[order], jets.eta[order], jets.phi[order])
    expected = positions(jets, **options)[:, order]
    np.testing.assert_allclose(positions(other, **options), expected, atol=1e-9)


@pytest.mark.parametrize("options", EVERY_ALIGNMENT)
def test_boosts_along_the_beam_and_rotations_about_it_do_not_matter(
    jets: Constituents, options: dict[str, Any]
) -> None:
    moved = changed(jets, eta=0.75, phi=2.5)
    np.testing.assert_allclose(positions(moved, **options), positions(jets, **options), atol=3e-6)


@pytest.mark.parametrize("options", EVERY_ALIGNMENT)
@pytest.mark.parametrize("sign", [(-1, 1), (1, -1), (-1, -1)])
def test_reflections_do_not_matter(
    jets: Constituents, options: dict[str, Any], sign: tuple[int, int]
) -> None:
    if options["rotate"] is None:
        options = options | {"flip": "both"}
    reflected = positions(changed(jets, sign=sign), **options)
    # Reflecting is exact, but sums are rounded in another way.
    np.testing.assert_allclose(reflected, positions(jets, **options), atol=1e-9)


def test_a_massive_jet_is_boosted_exactly_by_rapidity_only() -> None:
    rng = np.random.default_rng(5)
    pt, phi, mass = rng.uniform(1, 9, 20), rng.normal(0, 0.3, 20), np.full(20, 0.938)
    rapidity = rng.normal(0, 0.3, 20)

    def at(boost: float) -> Constituents:
        eta = np.arcsinh(np.hypot(pt, mass) / pt * np.sinh(rapidity + boost))
        return Constituents.from_arrays(pt, eta, phi, mass, counts=[20])

    still, moving = at(0.0), at(1.0)
    by_rapidity = positions(moving, position="rapidity") - positions(still, position="rapidity")
    by_eta = positions(moving) - positions(still)
    assert abs(by_rapidity).max() < 1e-5
    assert abs(by_eta).max() > 0.02


# The mass of a jet, step by step.


@pytest.mark.parametrize("centre", [c for c in CENTRES if c is not None])
@pytest.mark.parametrize("flip", [False, True, "both"])
def test_centring_and_flipping_leave_the_mass_alone(
    jets: Constituents, centre: str, flip: Any
) -> None:
    x, y = positions(jets, centre=centre, rotate=None, flip=flip)
    true = massless(jets, np.asarray(jets.eta), np.asarray(jets.phi))
    np.testing.assert_allclose(massless(jets, x, y), true, rtol=2e-5)


def test_rotating_changes_the_mass_in_fourth_order(jets: Constituents) -> None:
    true = jets.sums().mass_gev
    for rotate in ("subjet", "principal"):
        ratio = massless(jets, *positions(jets, rotate=rotate)) / true
        assert 1e-4 < ratio.std() < 0.02
        assert abs(ratio - 1).max() < 0.1
    # A jet of half the size: the change is four times smaller.
    small = Constituents(
        jets.offsets,
        jets.pt_gev,
        jets.eta * 0 + positions(jets, rotate=None)[0] / 2,
        positions(jets, rotate=None)[1] / 2,
    )
    change = massless(small, *positions(small)) / small.sums().mass_gev - 1
    full = massless(jets, *positions(jets)) / true - 1
    assert np.median(abs(full)) / np.median(abs(change)) == pytest.approx(4, rel=0.35)


def test_energies_in_place_of_transverse_ones_would_not_leave_the_mass_alone(
    jets: Constituents,
) -> None:
    """Guards the choice of E_T: with E as intensity, the mass moves by tens of per cent."""
    x, y = positions(jets, rotate=None, flip=False)
    energy = Constituents(jets.offsets, jets.pt_gev * np.cosh(jets.eta), x, y)
    ratio = energy.sums().mass_gev / jets.sums().mass_gev
    assert ratio.std() > 0.1


def test_pixels_change_the_mass_less_the_finer_they_are(jets: Constituents) -> None:
    options: dict[str, Any] = {"centre": "axis", "rotate": None, "flip": False, "width": 5.0}
    true = massless(jets, *positions(jets, **options))
    spreads = []
    for grid in (25, 51, 401):
        ratio = image_mass(jet_images(jets, grid=grid, **options), 5.0) / true
        spreads.append(ratio.std())
    assert spreads[0] > 2 * spreads[1] > 4 * spreads[2]
    assert spreads[2] < 0.005


def test_the_sum_keeps_mass_over_pt_and_the_l2_norm_does_not() -> None:
    """Two jets of the same mass and pT, one of two particles, one of four in two close pairs."""
    z, apart = 0.5, 0.8
    two = ([50.0, 50.0], [-0.4, 0.4], [0.0, 0.0])
    wide = np.sqrt(0.4**2 - 0.12**2)
    four = ([25.0] * 4, [-wide, wide, -wide, wide], [-0.12, -0.12, 0.12, 0.12])
    jets = Constituents.concatenate(
        [Constituents.from_arrays(*jet, counts=[len(jet[0])]) for jet in (two, four)]
    )
    options: dict[str, Any] = {"centre": "axis", "rotate": None, "flip": False, "grid": 101}
    images = {n: jet_images(jets, normalise=n, **options) for n in ("none", "sum", "l2", "sqrt")}
    mass = {name: image_mass(image, 2.5) for name, image in images.items()}
    assert z * apart * 100 == pytest.approx(mass["none"][0], rel=0.05)
    np.testing.assert_allclose(mass["sum"], mass["none"] / 100, rtol=1e-6)
    assert mass["none"][1] == pytest.approx(mass["none"][0], rel=0.08)
    # One over the root of the number of pixels: 1/sqrt(2) against 1/2.
    assert mass["l2"][1] / mass["l2"][0] == pytest.approx(np.sqrt(2), rel=0.08)
    assert mass["sqrt"][1] / mass["sqrt"][0] == pytest.approx(np.sqrt(2), rel=0.08)


# Normalisation.


@pytest.mark.parametrize("normalise", ["sum", "sqrt", "l2"])
def test_normalised_pixels_lie_between_zero_and_one(jets: Constituents, normalise: str) -> None:
    names = ("charged_pt", "neutral_pt", "charged_multiplicity")
    images = jet_images(jets, channels=names, normalise=normalise)
    assert images.min() >= 0
    assert images.max() <= 1
    power = 1 if normalise == "sum" else 2
    total = (images.astype(np.float64) ** power).sum(axis=(1, 2))
    np.testing.assert_allclose(total[:, 0] + total[:, 1], 1, rtol=1e-5)
    np.testing.assert_allclose(total[:, 2], 1, rtol=1e-5)


def test_standardised_pixels_have_mean_zero_and_deviation_one(jets: Constituents) -> None:
    images = jet_images(jets, normalise="standardise")
    lit = jet_images(jets).std(axis=0) > 0
    np.testing.assert_allclose(images.mean(axis=0), 0, atol=1e-4)
    np.testing.assert_allclose(images.std(axis=0)[lit], 1, rtol=0.2)
    train, test = jets.take(slice(0, 150)), jets.take(slice(150, 200))
    reference = Standardisation.of(jet_images(train))
    with_train = jet_images(test, normalise="standardise", reference=reference)
    np.testing.assert_array_equal(with_train, reference.apply(jet_images(test)))
    assert abs(with_train - jet_images(test, normalise="standardise")).max() > 0.1


def test_what_lies_outside_is_counted(jets: Constituents) -> None:
    options: dict[str, Any] = {"width": 0.8, "grid": 33}
    fraction = fraction_inside(aligned(jets, ImageOptions.of(options)), ImageOptions.of(options))
    shares = jet_images(jets, **options).sum(axis=(1, 2, 3)) / jets.jet_sum(jets.pt_gev)
    np.testing.assert_allclose(fraction, shares, rtol=1e-5)
    assert fraction.mean() < 0.9


def test_the_size_of_blocks_does_not_matter(
    jets: Constituents, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = jet_images(jets)
    monkeypatch.setattr("striate.jets.images._BLOCK_BYTES", 8 * 25 * 25 * 7)
    np.testing.assert_array_equal(jet_images(jets), whole)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"gird": 3}, "there is no image option 'gird': did you mean 'grid'?"),
        ({"centre": "subjets"}, "centre 'subjets' is not known: did you mean 'subjet'?"),
        ({"rotate": True}, "rotate True is not known"),
        ({"flip": "left"}, "flip 'left' is not known"),
        ({"normalise": "l1"}, "normalise 'l1' is not known: did you mean 'l2'"),
        ({"channels": ("et", "et")}, "channels must be one or more different ones"),
        ({"channels": "ET"}, "channel 'ET' is not known"),
        ({"grid": 0}, "grid must be a whole number from 1 to 1024, not 0"),
        ({"width": -1}, "width must be a positive number, not -1"),
        ({"width": float("nan")}, "width must be a positive number, not nan"),
    ],
)
def test_options_that_do_not_exist_are_refused_in_one_line(
    jets: Constituents, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(StriateError) as caught:
        jet_images(jets, **options)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
