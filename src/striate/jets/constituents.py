"""The particles of many jets in flat arrays: what everything about jets is computed from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from striate.errors import StriateError, nearest

if TYPE_CHECKING:
    import awkward

_FLOATS = ("pt_gev", "eta", "phi", "mass_gev")
_WHOLE: dict[str, type[np.signedinteger]] = {"charge": np.int8, "pdg_id": np.int32}
_COLUMNS = (*_FLOATS, *_WHOLE)
_STEEPEST = 40.0


class FourMomenta(NamedTuple):
    """Energy and momentum in GeV, float64, one entry a particle or a jet."""

    energy: np.ndarray
    px: np.ndarray
    py: np.ndarray
    pz: np.ndarray


class JetSums(NamedTuple):
    """Transverse momentum, pseudorapidity, azimuth and mass of each jet, float64, in GeV."""

    pt_gev: np.ndarray
    eta: np.ndarray
    phi: np.ndarray
    mass_gev: np.ndarray


@dataclass(frozen=True, eq=False)
class Constituents:
    """The constituents of n jets, one jet after the other in flat arrays.

    Those of jet i are at ``offsets[i]:offsets[i + 1]``; a jet may have none. The arrays are
    read-only views of what was given, converted where their types differ.

    Attributes
    ----------
    offsets
        ``(n + 1,)`` int64, from 0 to the number of particles.
    pt_gev, eta, phi
        ``(particles,)`` float32: transverse momentum, pseudorapidity, azimuth in any turn.
    mass_gev
        ``(particles,)`` float32, or None: all are massless.
    charge
        ``(particles,)`` int8 in units of the proton's, or None: not known.
    pdg_id
        ``(particles,)`` int32 in the numbering of the Particle Data Group, or None: not known.

    Raises
    ------
    StriateError
        If lengths differ, offsets do not rise, or a value is not finite or makes no sense.

    Examples
    --------
    >>> jets = Constituents([0, 2, 3], [50, 40, 90], [0.1, -0.3, 1.2], [0.0, 0.4, -2.0])
    >>> len(jets), jets.counts.tolist()
    (2, [2, 1])
    >>> jets.sums().mass_gev.round(1).tolist()
    [25.3, 0.0]
    """

    offsets: np.ndarray
    pt_gev: np.ndarray
    eta: np.ndarray
    phi: np.ndarray
    mass_gev: np.ndarray | None = None
    charge: np.ndarray | None = None
    pdg_id: np.ndarray | None = None

    def __post_init__(self) -> None:
        offsets = np.asarray(self.offsets)
        if offsets.ndim != 1 or len(offsets) < 1 or offsets.dtype.kind not in "iu":
            raise StriateError(
                f"offsets must be whole numbers of shape (jets + 1,), not {offsets.dtype} of shape "
                f"{offsets.shape}"
            )
        offsets = offsets.astype(np.int64, copy=False)
        particles = int(offsets[-1])
        falling = np.flatnonzero(np.diff(offsets) < 0)
        if offsets[0] != 0 or len(falling):
            where = f"falls after jet {falling[0]}" if len(falling) else f"begins at {offsets[0]}"
            raise StriateError(f"offsets must rise from 0, but {where}")
        object.__setattr__(self, "offsets", _read_only(offsets))
        for name in _COLUMNS:
            given = getattr(self, name)
            if given is None and name not in _FLOATS[:3]:
                continue
            column = np.asarray(given)
            if column.shape != (particles,):
                raise StriateError(
                    f"{name} has shape {column.shape}, but the offsets end at {particles}: give "
                    "one value for each particle"
                )
            converted = _whole(column, name) if name in _WHOLE else _real(column, name)
            object.__setattr__(self, name, _read_only(converted))

    def __reduce__(self) -> tuple[Any, ...]:
        # Through the constructor, so that a copy in another process is read-only as well.
        return Constituents, (self.offsets, *(getattr(self, name) for name in _COLUMNS))

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __repr__(self) -> str:
        known = [name for name in ("mass_gev", *_WHOLE) if getattr(self, name) is not None]
        also = f", with {' and '.join(known)}" if known else ""
        return f"Constituents({len(self)} jets, {len(self.pt_gev)} particles{also})"

    @property
    def counts(self) -> np.ndarray:
        """The number of constituents of each jet, ``(n,)`` int64."""
        return np.diff(self.offsets)

    @property
    def jet_index(self) -> np.ndarray:
        """The jet that each particle belongs to, ``(particles,)`` int64."""
        return np.repeat(np.arange(len(self)), self.counts)

    @classmethod
    def from_arrays(
        cls,
        pt_gev: Any,
        eta: Any,
        phi: Any,
        mass_gev: Any = None,
        charge: Any = None,
        pdg_id: Any = None,
        *,
        counts: Any = None,
    ) -> Constituents:
        """Make constituents of padded arrays ``(n, most)``, or of flat ones with `counts`.

        Parameters
        ----------
        pt_gev, eta, phi, mass_gev, charge, pdg_id
            As the attributes. In padded arrays an entry of which `pt_gev` is 0 is padding, at
            whatever place.
        counts
            ``(n,)``: how many entries of the flat arrays belong to each jet.

        Raises
        ------
        StriateError
            As the class; or if the shapes differ.
        """
        columns = [None if c is None else np.asarray(c) for c in (pt_gev, eta, phi, mass_gev)]
        columns += [None if c is None else np.asarray(c) for c in (charge, pdg_id)]
        pt = columns[0]
        if pt is None or pt.ndim not in (1, 2) or (pt.ndim == 1) == (counts is None):
            raise StriateError(
                f"pt_gev has shape {np.shape(pt_gev)}: give padded arrays (jets, most), or flat "
                "ones with the counts of the jets"
            )
        for name, column in zip(_COLUMNS, columns, strict=True):
            if column is not None and column.shape != pt.shape:
                raise StriateError(f"{name} has shape {column.shape}, pt_gev {pt.shape}")
        if counts is None:
            # NaN is not padding, so that it is refused below.
            real = pt != 0
            counts = real.sum(axis=1)
            columns = [None if column is None else column[real] for column in columns]
        return cls(offsets_of(counts), *columns)  # type: ignore[arg-type]

    @classmethod
    def from_four_momenta(
        cls,
        energy: Any,
        px: Any,
        py: Any,
        pz: Any,
        charge: Any = None,
        pdg_id: Any = None,
        *,
        counts: Any = None,
    ) -> Constituents:
        """Make constituents of energies and momenta in GeV, padded or flat as in `from_arrays`.

        In padded arrays an entry without transverse momentum is padding. A mass squared that is
        negative, as rounding makes it for light particles, is taken as 0.

        Raises
        ------
        StriateError
            As `from_arrays`.
        """
        e, x, y, z = (np.asarray(component, dtype=np.float64) for component in (energy, px, py, pz))
        if not e.shape == x.shape == y.shape == z.shape:
            raise StriateError(
                f"energy and momenta have shapes {e.shape}, {x.shape}, {y.shape}, {z.shape}: give "
                "the same for all"
            )
        pt = np.hypot(x, y)
        with np.errstate(divide="ignore", invalid="ignore"):
            eta = np.where(pt > 0, np.arcsinh(z / pt), 0.0)
            mass = np.sqrt(np.maximum((e - z) * (e + z) - pt * pt, 0.0))
        return cls.from_arrays(pt, eta, np.arctan2(y, x), mass, charge, pdg_id, counts=counts)

    @classmethod
    def from_awkward(cls, particles: awkward.Array) -> Constituents:
        """Make constituents of an awkward array of jets, each a list of records.

        Fields are ``pt``, ``eta``, ``phi`` and, where they are, ``mass``; or ``px``, ``py``,
        ``pz``, ``energy``; ``pt_gev``, ``mass_gev``, ``m`` and ``E`` are understood as well, and
        ``charge`` and ``pdg_id`` taken along.

        Raises
        ------
        StriateError
            If a field is missing; or as the class.
        """
        import awkward as ak

        other = {"pt": "pt_gev", "mass": "mass_gev", "m": "mass_gev", "E": "energy"}
        fields = {other.get(field, field): field for field in ak.fields(particles)}
        cartesian = ("energy", "px", "py", "pz")
        wanted = cartesian if set(cartesian) <= set(fields) else _FLOATS[:3]
        for name in wanted:
            if name not in fields:
                raise StriateError(f"the records have no field {name!r}: {nearest(name, fields)}")
        counts = ak.to_numpy(ak.num(particles, axis=1))
        flat = {
            name: ak.to_numpy(ak.flatten(particles[fields[name]], axis=1))
            for name in (*wanted, "mass_gev", *_WHOLE)
            if name in fields
        }
        if wanted is cartesian:
            flat.pop("mass_gev", None)
            return cls.from_four_momenta(**flat, counts=counts)
        return cls.from_arrays(**flat, counts=counts)

    @classmethod
    def concatenate(cls, parts: Sequence[Constituents]) -> Constituents:
        """Join the jets of several; what one part does not know is not known of the whole.

        Parts without masses have mass 0 where another has some.
        """
        massive = any(part.mass_gev is not None for part in parts)
        columns: list[Any] = []
        for name in _COLUMNS:
            values = [getattr(part, name) for part in parts]
            if name == "mass_gev" and massive:
                values = [
                    np.zeros_like(part.pt_gev) if mass is None else mass
                    for part, mass in zip(parts, values, strict=True)
                ]
            known = all(value is not None for value in values)
            columns.append(np.concatenate(values) if known and values else None)
        counts = [part.counts for part in parts] or [np.zeros(0, np.int64)]
        if not parts:
            columns[:3] = [np.zeros(0, np.float32)] * 3
        return cls(offsets_of(np.concatenate(counts)), *columns)

    def take(self, index: Any) -> Constituents:
        """Return the jets at `index`, whole numbers, a slice or a mask, in that order."""
        if not isinstance(index, slice):
            index = np.asarray(index)
            index = index if index.size else index.astype(np.int64)
        jets = np.arange(len(self))[index]
        counts = self.counts[jets]
        offsets = offsets_of(counts)
        # Position in the new flat array, moved from the new beginning of its jet to the old one.
        rows = np.arange(offsets[-1]) + np.repeat(self.offsets[jets] - offsets[:-1], counts)
        return self._with_rows(offsets, rows)

    def keep(self, mask: np.ndarray) -> Constituents:
        """Return the same jets with only the particles of which `mask` ``(particles,)`` is true."""
        if np.shape(mask) != self.pt_gev.shape or np.asarray(mask).dtype != np.bool_:
            raise StriateError(
                f"mask must be true or false for each of {len(self.pt_gev)} particles, "
                f"not of shape {np.shape(mask)}"
            )
        return self._with_rows(offsets_of(self.jet_sum(mask)), np.flatnonzero(mask))

    def _with_rows(self, offsets: np.ndarray, rows: np.ndarray) -> Constituents:
        columns: list[Any] = [getattr(self, name) for name in _COLUMNS]
        chosen: list[Any] = [None if column is None else column[rows] for column in columns]
        return Constituents(offsets, *chosen)

    def jet_sum(self, values: np.ndarray) -> np.ndarray:
        """Sum one value a particle over each jet, ``(n,)``; 0 for a jet without particles.

        Floating-point values are summed in float64, others in int64.
        """
        values = np.asarray(values)
        total = np.zeros(len(self), np.float64 if values.dtype.kind == "f" else np.int64)
        filled = self.counts > 0
        if filled.any():
            # reduceat sums up to the next beginning; jets without particles have none of their own.
            total[filled] = np.add.reduceat(values, self.offsets[:-1][filled], dtype=total.dtype)
        return total

    def four_momenta(self) -> FourMomenta:
        """Return energy and momentum of each particle, float64, in GeV."""
        pt, eta, phi = (np.asarray(c, np.float64) for c in (self.pt_gev, self.eta, self.phi))
        energy = pt * np.cosh(eta)
        if self.mass_gev is not None:
            energy = np.hypot(energy, self.mass_gev)
        return FourMomenta(energy, pt * np.cos(phi), pt * np.sin(phi), pt * np.sinh(eta))

    def rapidity(self) -> np.ndarray:
        """Return the rapidity of each particle, float64; the pseudorapidity if it is massless."""
        eta = np.asarray(self.eta, np.float64)
        if self.mass_gev is None:
            return eta
        pt = np.asarray(self.pt_gev, np.float64)
        with np.errstate(divide="ignore", invalid="ignore"):
            slope = pt / np.hypot(pt, self.mass_gev)
        return np.arcsinh(np.where(pt > 0, slope, 0.0) * np.sinh(eta))

    def jet_four_momenta(self) -> FourMomenta:
        """Return energy and momentum of each jet, the sums over its particles."""
        return FourMomenta(*(self.jet_sum(component) for component in self.four_momenta()))

    def sums(self) -> JetSums:
        """Return pT, pseudorapidity, azimuth and mass of each jet; zeros for one without particles.

        A mass squared that rounding makes negative is taken as 0.
        """
        energy, px, py, pz = self.jet_four_momenta()
        pt = np.hypot(px, py)
        with np.errstate(divide="ignore", invalid="ignore"):
            eta = np.where(pt > 0, np.arcsinh(pz / pt), 0.0)
        squared = (energy - pz) * (energy + pz) - pt * pt
        return JetSums(pt, eta, np.arctan2(py, px), np.sqrt(np.maximum(squared, 0.0)))


def offsets_of(counts: Any) -> np.ndarray:
    """Return where each jet begins, and where the last ends, from the number of its particles."""
    numbers = np.asarray(counts)
    if numbers.ndim != 1 or (numbers.size and numbers.dtype.kind not in "iub"):
        raise StriateError(
            f"counts must be whole numbers of shape (jets,), not {numbers.dtype} of shape "
            f"{numbers.shape}"
        )
    offsets = np.zeros(len(numbers) + 1, np.int64)
    np.cumsum(numbers, out=offsets[1:])
    return offsets


def _real(column: np.ndarray, name: str) -> np.ndarray:
    if column.dtype.kind not in "buif":
        raise StriateError(f"{name} must be numbers, not {column.dtype}")
    column = column.astype(np.float32, copy=False)
    wrong, why = ~np.isfinite(column), "not a finite number"
    if not wrong.any() and name in ("pt_gev", "mass_gev"):
        wrong, why = column < 0, "negative"
    if not wrong.any() and name == "eta":
        wrong, why = np.abs(column) > _STEEPEST, "along the beam"
    if wrong.any():
        first = int(np.argmax(wrong))
        raise StriateError(f"{name} of particle {first} is {why}: {column[first]:g}")
    return column


def _whole(column: np.ndarray, name: str) -> np.ndarray:
    if column.dtype.kind not in "buif":
        raise StriateError(f"{name} must be whole numbers, not {column.dtype}")
    limits = np.iinfo(_WHOLE[name])
    with np.errstate(invalid="ignore"):
        wrong = ~((column >= limits.min) & (column <= limits.max) & (column == np.rint(column)))
    if wrong.any():
        first = int(np.argmax(wrong))
        raise StriateError(
            f"{name} of particle {first} is {column[first]}: whole numbers from {limits.min} to "
            f"{limits.max} are expected"
        )
    return column.astype(_WHOLE[name], copy=False)


def _read_only(array: np.ndarray) -> np.ndarray:
    view = array.view()
    view.flags.writeable = False
    return view
