"""Names of observables as an axis has them."""

from __future__ import annotations

_NAMES = {
    "pt_gev": "jet pT [GeV]",
    "eta": "jet η",
    "mass_gev": "jet mass [GeV]",
    "groomed_mass_gev": "groomed mass [GeV]",
    "soft_drop_mass_gev": "soft-drop mass [GeV]",
    "pileup": "pile-up collisions",
}


def axis_name(observable: str) -> str:
    """Return the name of an observable with its unit.

    Examples
    --------
    >>> axis_name("groomed_mass_gev"), axis_name("some_pt_gev")
    ('groomed mass [GeV]', 'some pt [GeV]')
    """
    if observable in _NAMES:
        return _NAMES[observable]
    words = observable.removesuffix("_gev").replace("_", " ")
    return f"{words} [GeV]" if observable.endswith("_gev") else words
