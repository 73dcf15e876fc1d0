"""Which branches or arrays of a file hold what of jets: descriptions in short TOML files.

Ready ones are in ``layouts/``. A description of one's own has these sections::

    title = "my jets"             # shown in the provenance
    tree = "path/in/the/file"     # ROOT only; not needed where there is one tree
    unit = "MeV"                  # of all momenta; GeV where it is not given

    [constituents]                # one branch for each role, flat, padded with zeros, or jagged:
    pt = "part_pt"                #   px py pz energy, or pt eta phi, or pt (pt_over_jet)
    eta = "part_eta"              #   eta_from_jet phi_from_jet;
    phi = "part_phi"              #   and mass or energy, charge, pdg_id, keep (not 0: is one),
    weight = "part_puppi"         #   weight, which multiplies momenta and mass
    optional = ["weight"]         # roles whose branch a file need not have

    [jet]                         # pt_gev eta phi mass_gev
    pt_gev = "jet_pt"

    [observables]                 # further columns, by the name that they shall have
    tau21 = "jet_tau21"

    [labels]                      # classes, each with a flag or flags that are all set;
    classes = { QCD = "is_qcd", W = ["is_w", "is_matched"] }
    unlabelled = "leave out"      # jets of no class; "refuse" where it is not given
    # or: branch = "label", a number for each jet, and names = ["QCD", "W"]; the numbers are
    # 0 1 ... unless values = [0, 24] says which

    [weights]
    first_of = ["event_weight"]   # the first branch that is there

In place of ``[constituents]``, ``images = "branch"`` names finished images. Where an entry is an
event of several jets, whose particles are listed once (NanoAOD; ROOT only)::

    [events]                      # pairs of a jet and a particle, as indices within the event
    jet_of = "pair_jet"
    particle_of = "pair_particle"
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from striate.errors import StriateError, nearest
from striate.jets import Constituents

_FOLDER = Path(__file__).with_name("layouts")

# What places a particle: one of these sets of roles.
_PLACES = (
    ("px", "py", "pz", "energy"),
    ("pt", "eta", "phi"),
    ("pt", "eta_from_jet", "phi_from_jet"),
    ("pt_over_jet", "eta_from_jet", "phi_from_jet"),
)
_EXTRAS = {"mass", "charge", "pdg_id", "keep", "weight"}
_ROLES = {role for place in _PLACES for role in place} | _EXTRAS
_JET_ROLES = ("pt_gev", "eta", "phi", "mass_gev")
_SECTIONS = {"title", "source", "tree", "unit", "images", "constituents", "jet", "labels"} | {
    "observables",
    "weights",
    "events",
}
_UNITS = {"GeV": 1.0, "MeV": 1e-3}
_OF_MOMENTUM = ("pt", "mass", "energy", "px", "py", "pz")


class Jagged(NamedTuple):
    """Values of many jets, flat, and how many belong to each."""

    counts: np.ndarray
    values: np.ndarray


Fetch = Callable[[str], "np.ndarray | Jagged"]
"""Reads one branch for the entries at hand: ``(n,)``, padded ``(n, most)``, or jagged."""


@dataclass(frozen=True)
class Layout:
    """One description of a file of jets.

    Attributes
    ----------
    name, title, source
        What a user calls it, what it is, and where that is documented.
    tree
        The path of the ROOT tree, or None.
    unit
        What a momentum is to be multiplied by to be in GeV.
    constituents
        Role to branch; or empty, where `images` names the branch of finished images.
    images
        The branch of finished images, or None.
    eta_sign
        Whether ``eta_from_jet`` was multiplied by the sign of the jet's pseudorapidity.
    optional
        Roles of constituents whose branch a file need not have.
    jet_of, particle_of
        Where an entry is an event: the branches of indices that pair its jets and particles; empty
        where an entry is a jet.
    jet, observables
        Name of an observable to branch.
    classes
        Name of a class to the branches that are not zero for its jets.
    label, label_names, label_values
        The branch of class numbers, in place of flags; the names of the classes, or None; and the
        number that stands for each, or None for 0, 1 and so on.
    unlabelled
        What jets of no class are: ``"refuse"`` or ``"leave out"``.
    weights
        Branches, of which the first that a file has holds the event weights.
    """

    name: str
    title: str
    source: str = ""
    tree: str | None = None
    unit: float = 1.0
    constituents: Mapping[str, str] = field(default_factory=dict)
    images: str | None = None
    eta_sign: bool = False
    optional: tuple[str, ...] = ()
    jet_of: str = ""
    particle_of: str = ""
    jet: Mapping[str, str] = field(default_factory=dict)
    observables: Mapping[str, str] = field(default_factory=dict)
    classes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    label: str | None = None
    label_names: tuple[str, ...] | None = None
    label_values: tuple[int, ...] | None = None
    unlabelled: str = "refuse"
    weights: tuple[str, ...] = ()

    @property
    def class_names(self) -> tuple[str, ...] | None:
        """The names of the classes, where the layout gives them."""
        return tuple(self.classes) or self.label_names

    @property
    def branches(self) -> set[str]:
        """All branches that a file must have."""
        flags = {branch for needed in self.classes.values() for branch in needed}
        named = {*self.jet.values(), *self.observables.values(), *flags}
        return self.contents | named | ({self.label} if self.label else set())

    @property
    def contents(self) -> set[str]:
        """The branches of constituents that are not optional, or of images."""
        if self.images:
            return {self.images}
        needed = {b for role, b in self.constituents.items() if role not in self.optional}
        return needed | {self.jet_of, self.particle_of} - {""}

    def within(self, present: Collection[str]) -> Layout:
        """Return the layout without the optional branches that a file does not have."""
        there = {
            role: branch
            for role, branch in self.constituents.items()
            if branch in present or role not in self.optional
        }
        return replace(self, constituents=there)

    def require(self, present: Collection[str], where: str) -> None:
        """Raise a StriateError that names the first branch that is missing, and the nearest."""
        for branch in sorted(self.branches):
            if branch not in present:
                raise StriateError(
                    f"{where}: no branch {branch!r}, which the layout {self.name!r} names: "
                    f"{nearest(branch, present)}"
                )

    def read_contents(self, fetch: Fetch) -> Constituents | np.ndarray:
        """Read the constituents, or images, of some entries."""
        if self.images is None:
            return self.read_constituents(fetch)
        images = fetch(self.images)
        if isinstance(images, Jagged):
            raise StriateError(f"{self.images!r} must hold images of one size")
        return images

    def read_constituents(self, fetch: Fetch) -> Constituents:
        """Make constituents of the branches of some entries."""
        columns = {role: fetch(branch) for role, branch in self.constituents.items()}
        first = columns[next(role for role in self.constituents if role in _OF_PLACE)]
        if isinstance(first, Jagged):
            counts = first.counts
            flat = {role: _flat(values, counts, role) for role, values in columns.items()}
        else:
            # A padded entry has neither momentum nor transverse momentum.
            momenta = [r for r in ("pt", "pt_over_jet", "px", "py") if r in columns]
            padding = np.all([np.asarray(columns[r]) == 0 for r in momenta], axis=0)
            counts = (~padding).sum(axis=1)
            flat = {role: np.asarray(values)[~padding] for role, values in columns.items()}
        if "weight" in flat:
            weight = flat.pop("weight")
            weighted = [role for role in (*_OF_MOMENTUM, "pt_over_jet") if role in flat]
            flat |= {role: flat[role] * weight for role in weighted}
            flat["keep"] = (weight != 0) & (flat.get("keep", weight) != 0)
        if "keep" in flat:
            kept = flat.pop("keep") != 0
            offsets = np.concatenate([[0], np.cumsum(counts)])
            passed = np.concatenate([[0], np.cumsum(kept)])
            counts = passed[offsets[1:]] - passed[offsets[:-1]]
            flat = {role: values[kept] for role, values in flat.items()}
        for role in _OF_MOMENTUM:
            if role in flat and self.unit != 1.0:
                flat[role] = flat[role] * self.unit
        return _place(flat, counts, self._jets(fetch, counts))

    def _jets(self, fetch: Fetch, counts: np.ndarray) -> Callable[[str], np.ndarray]:
        """Return a function that gives a quantity of the jet for each of its constituents."""

        def of(role: str) -> np.ndarray:
            values = np.asarray(fetch(self.jet[role]), np.float64)
            if role == "pt_gev":
                values = values * self.unit
            return np.repeat(values, counts)

        def signed(role: str) -> np.ndarray:
            if role == "sign":
                return (
                    np.where(of("eta") > 0, 1.0, -1.0)
                    if self.eta_sign
                    else np.ones(int(counts.sum()))
                )
            return of(role)

        return signed

    def read_labels(self, fetch: Fetch, where: str) -> tuple[np.ndarray, np.ndarray | None]:
        """Return class numbers and, if some jets are of no class, the entries that are of one."""
        if self.label is not None and self.label_values is None:
            return np.asarray(fetch(self.label)), None
        if self.label is not None:
            flags = np.asarray(fetch(self.label))[:, None] == np.asarray(self.label_values)
        else:
            flags = np.stack(
                [
                    np.all([np.asarray(fetch(branch)) != 0 for branch in needed], axis=0)
                    for needed in self.classes.values()
                ],
                axis=1,
            )
        names = self.class_names or ()
        several = flags.sum(axis=1)
        if (several > 1).any():
            entry = int(np.argmax(several > 1))
            both = [name for name, flag in zip(names, flags[entry], strict=True) if flag]
            raise StriateError(f"{where}: entry {entry} is of class {both[0]!r} and {both[1]!r}")
        if (several == 1).all():
            return flags.argmax(axis=1), None
        if self.unlabelled == "refuse":
            entry = int(np.argmax(several == 0))
            raise StriateError(
                f"{where}: entry {entry} is of none of the classes {', '.join(names)}: name "
                "its class in the layout, or set unlabelled = 'leave out'"
            )
        entries = np.flatnonzero(several)
        return flags[entries].argmax(axis=1), entries

    def read_observables(self, fetch: Fetch) -> dict[str, np.ndarray]:
        """Return the observables of some entries, momenta in GeV."""
        columns = {name: np.asarray(fetch(branch)) for name, branch in self.jet.items()}
        for name in ("pt_gev", "mass_gev"):
            if name in columns and self.unit != 1.0:
                columns[name] = columns[name] * np.float32(self.unit)
        return columns | {name: np.asarray(fetch(b)) for name, b in self.observables.items()}


_OF_PLACE = {role for place in _PLACES for role in place}


def _flat(values: np.ndarray | Jagged, counts: np.ndarray, role: str) -> np.ndarray:
    if not isinstance(values, Jagged) or not np.array_equal(values.counts, counts):
        raise StriateError(f"the branch of {role!r} has other numbers of particles than the first")
    return values.values


def _place(
    flat: dict[str, np.ndarray], counts: np.ndarray, jet: Callable[[str], np.ndarray]
) -> Constituents:
    about = {role: flat[role] for role in ("charge", "pdg_id") if role in flat}
    if "px" in flat:
        momenta = (flat["energy"], flat["px"], flat["py"], flat["pz"])
        return Constituents.from_four_momenta(*momenta, **about, counts=counts)
    pt = flat["pt"] if "pt" in flat else flat["pt_over_jet"] * jet("pt_gev")
    if "eta" in flat:
        eta, phi = flat["eta"], flat["phi"]
    else:
        eta = jet("eta") + jet("sign") * flat["eta_from_jet"]
        phi = jet("phi") + flat["phi_from_jet"]
    mass = flat.get("mass")
    if mass is None and "energy" in flat:
        along = np.asarray(pt, np.float64) * np.cosh(np.asarray(eta, np.float64))
        mass = np.sqrt(np.maximum((flat["energy"] - along) * (flat["energy"] + along), 0.0))
    return Constituents.from_arrays(pt, eta, phi, mass, **about, counts=counts)


def load_layout(name_or_path: str) -> Layout:
    """Load a ready layout by its name, or one of the user's from a ``.toml`` file.

    Raises
    ------
    StriateError
        If there is no such layout, it is no TOML, or it says what is not understood.
    """
    known = known_layouts()
    if name_or_path in known:
        return known[name_or_path]
    path = Path(name_or_path).expanduser()
    if path.suffix != ".toml":
        raise StriateError(
            f"unknown layout {name_or_path!r}: {nearest(name_or_path, known)} "
            "(or give the path of a .toml file)"
        )
    return _read(path)


@cache
def known_layouts() -> dict[str, Layout]:
    """Return the ready layouts by name."""
    return {path.stem: _read(path) for path in sorted(_FOLDER.glob("*.toml"))}


def find_layout(present: Collection[str], where: str) -> Layout:
    """Return the ready layout of which a file has all branches.

    Raises
    ------
    StriateError
        If there is none; it names the layout that comes nearest, and what is missing for it.
    """
    known = known_layouts().values()
    for layout in known:
        if layout.branches <= set(present):
            return layout
    near = max(known, key=lambda layout: len(layout.branches & set(present)) / len(layout.branches))
    if len(near.branches & set(present)) > len(near.branches) / 2:
        near.require(present, where)
    raise StriateError(
        f"{where}: none of the known layouts ({', '.join(known_layouts())}) fits its branches "
        f"({', '.join(sorted(present)[:6])}, ...): say which hold what in a file, "
        "layout='mine.toml'"
    )


def _read(path: Path) -> Layout:
    try:
        with path.open("rb") as stream:
            given = tomllib.load(stream)
    except OSError as error:
        raise StriateError(f"{path}: cannot be read: {error.strerror or error}") from None
    except tomllib.TOMLDecodeError as error:
        raise StriateError(f"{path}: not TOML: {error}") from None
    where = str(path)
    _refuse_others(given, _SECTIONS, where)
    particles = _table(given, "constituents", where)
    signed = particles.pop("eta_from_jet_has_sign_of_jet", False)
    optional = tuple(particles.pop("optional", ()))
    _refuse_others(dict.fromkeys(optional), particles, f"{where}: [constituents] optional")
    _refuse_others(particles, _ROLES | {"energy"}, f"{where}: [constituents]")
    jet = _table(given, "jet", where)
    _refuse_others(jet, _JET_ROLES, f"{where}: [jet]")
    labels = _table(given, "labels", where)
    _refuse_others(
        labels, ("classes", "branch", "names", "values", "unlabelled"), f"{where}: [labels]"
    )
    events = _table(given, "events", where)
    _refuse_others(events, ("jet_of", "particle_of"), f"{where}: [events]")
    images = given.get("images")
    if images is None and not any(set(place) <= set(particles) for place in _PLACES):
        raise StriateError(
            f"{where}: [constituents] must name the branches of "
            + ", or ".join(" ".join(place) for place in _PLACES)
        )
    if any(role.endswith("_jet") for role in particles):
        _refuse_missing(jet, ("pt_gev", "eta", "phi"), f"{where}: [jet]")
    if events:
        _refuse_missing(events, ("jet_of", "particle_of"), f"{where}: [events]")
        _refuse_missing(jet, ("pt_gev",), f"{where}: [jet]")
    if ("classes" in labels) == ("branch" in labels):
        raise StriateError(
            f"{where}: [labels] must give classes = {{NAME = BRANCH, ...}} or branch = NAME"
        )
    values = labels.get("values")
    if values is not None and len(values) != len(labels.get("names", ())):
        raise StriateError(f"{where}: [labels] must give one of names for each of values")
    unit = given.get("unit", "GeV")
    if unit not in _UNITS:
        raise StriateError(f"{where}: unit {unit!r} is not known: {nearest(str(unit), _UNITS)}")
    unlabelled = labels.get("unlabelled", "refuse")
    if unlabelled not in ("refuse", "leave out"):
        raise StriateError(f"{where}: unlabelled must be 'refuse' or 'leave out'")
    classes = labels.get("classes", {})
    return Layout(
        name=path.stem,
        title=str(given.get("title", path.stem)),
        source=str(given.get("source", "")),
        tree=given.get("tree"),
        unit=_UNITS[unit],
        constituents=particles if images is None else {},
        images=images,
        eta_sign=bool(signed),
        optional=optional,
        jet_of=events.get("jet_of", ""),
        particle_of=events.get("particle_of", ""),
        jet=jet,
        observables=_table(given, "observables", where),
        classes={name: (b,) if isinstance(b, str) else tuple(b) for name, b in classes.items()},
        label=labels.get("branch"),
        label_names=tuple(labels["names"]) if "names" in labels else None,
        label_values=None if values is None else tuple(values),
        unlabelled=unlabelled,
        weights=tuple(_table(given, "weights", where).get("first_of", ())),
    )


def _table(given: Mapping[str, Any], section: str, where: str) -> dict[str, Any]:
    value = given.get(section, {})
    if not isinstance(value, dict):
        raise StriateError(f"{where}: {section} must be a table, [{section}]")
    return dict(value)


def _refuse_others(given: Mapping[str, Any], known: Collection[str], where: str) -> None:
    for name in given:
        if name not in known:
            raise StriateError(f"{where}: {name!r} is not understood: {nearest(name, known)}")


def _refuse_missing(given: Mapping[str, Any], needed: Collection[str], where: str) -> None:
    for name in needed:
        if name not in given:
            raise StriateError(f"{where} must name the branch of {name!r}")
