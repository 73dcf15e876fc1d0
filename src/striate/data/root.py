"""ROOT files: jets in a tree, read with uproot block by block; an entry is a jet or an event."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from striate.data.jetevents import JetsOfEvents
from striate.data.jetfiles import Block, JetFile, described, in_blocks, jet_source, naming
from striate.data.layout import Fetch, Jagged, Layout, find_layout, known_layouts, load_layout
from striate.data.source import Source, one_line
from striate.errors import StriateError, nearest
from striate.jets.constituents import offsets_of


def read_root(
    path: Path,
    *,
    image: Mapping[str, Any] | None = None,
    layout: str | None = None,
    tree: str | None = None,
) -> Source:
    """Read jets from the tree of a ROOT file, of which an entry is a jet, or an event of jets.

    Parameters
    ----------
    path
        The file. Branches are flat, of fixed size, or of another length for each entry.
    image
        How constituents become images: options of :class:`~striate.jets.ImageOptions`, e.g.
        ``{"grid": 33, "width": 0.8}``; ``normalise`` is ``"sum"`` where it is not given.
    layout
        Which branches hold what: ``"jetclass"``, ``"cms_hbb"``, ``"cms_jets"``, ``"cms_pfnano"``,
        ``"atlas_top"``, or the path of a TOML file like those in ``striate/data/layouts``. When
        None, the one that fits the branches.
    tree
        The path of the tree in the file; when None, the layout's, or the only one.

    Raises
    ------
    StriateError
        If uproot is not installed, the file is no ROOT file or damaged (the entries are named), or
        a branch is missing.
    """
    file = open_root(path, layout, tree)
    return jet_source({"train": [file]}, name=path.stem, origin=str(path), image=image)


def open_root(path: Path, layout: str | None = None, tree: str | None = None) -> JetFile:
    """Open a ROOT file of jets: read labels, weights and observables, leave constituents."""
    chosen = None if layout is None else load_layout(layout)
    with _tree(path, chosen, tree) as found:
        present = list(found.keys())
        if chosen is None:
            chosen = find_layout(present, str(path))
        chosen.require(present, str(path))
        used = chosen.within(present)
        entries = int(found.num_entries)
        if not entries:
            raise StriateError(f"{path}: tree {found.name!r} has no entries")

        def reader(opened: Any, start: int, stop: int) -> Fetch:
            def fetch(branch: str) -> np.ndarray | Jagged:
                return _read(opened, branch, start, stop, path)

            return JetsOfEvents(used, fetch, start) if used.jet_of else fetch

        whole = reader(found, 0, entries)
        # Where the jets of each entry begin, if that is an event.
        with naming(path):
            first = offsets_of(whole.jets) if isinstance(whole, JetsOfEvents) else None
        jets = entries if first is None else int(first[-1])
        if not jets:
            raise StriateError(f"{path}: tree {found.name!r} has no jets")

        def all_of(branch: str) -> np.ndarray:
            with naming(path):
                column = whole(branch)
            if isinstance(column, Jagged) or column.ndim != 1:
                raise StriateError(f"{path}: branch {branch!r} must hold one number for each jet")
            return column

        def blocks(wanted: np.ndarray | None) -> Iterator[Block]:
            events = wanted
            if wanted is not None and first is not None:
                events = np.unique(np.searchsorted(first, wanted, side="right") - 1)
            with _tree(path, chosen, tree) as opened:

                def read(start: int, stop: int) -> Any:
                    return used.read_contents(reader(opened, start, stop))

                for entry, block in in_blocks(path, entries, entry_bytes, read, events):
                    yield entry if first is None else int(first[entry]), block

        read_by_block = used.contents | set(used.constituents.values())
        entry_bytes = sum(found[branch].uncompressed_bytes for branch in read_by_block) / entries
        shape = None if used.images is None else _image_shape(found, used.images, path)
        file = described(path, used, all_of, present, jets, blocks, shape)
        missing = set(chosen.constituents.values()) - read_by_block
        absent = [f"There is no {branch!r}, which is optional." for branch in sorted(missing)]
        return replace(file, notes=[*file.notes, *absent])


@contextmanager
def _tree(path: Path, layout: Layout | None, name: str | None) -> Iterator[Any]:
    """Open the tree; whatever is wrong with the file becomes an error that names it."""
    try:
        import uproot
    except ImportError:
        raise StriateError(
            f"{path}: reading ROOT files needs uproot: pip install 'striate[jets]'"
        ) from None
    try:
        file = uproot.open(path, array_cache=None, object_cache=None)
    except Exception as error:  # uproot raises whatever a broken file makes it
        raise StriateError(f"{path}: not a ROOT file, or damaged: {one_line(error)}") from None
    with file:
        try:
            trees = file.keys(cycle=False, filter_classname="TTree")
        except Exception as error:
            raise StriateError(f"{path}: damaged: {one_line(error)}") from None
        wanted = name or (layout.tree if layout is not None else None)
        if wanted is None and len(set(trees)) > 1:
            # Beside the one of events, some formats have trees of runs and the like.
            known = {one.tree for one in known_layouts().values()} & set(trees)
            wanted = known.pop() if len(known) == 1 else None
        if wanted is None or (name is None and wanted not in trees):
            if len(set(trees)) != 1:
                raise StriateError(
                    f"{path}: has {', '.join(dict.fromkeys(trees)) or 'no tree'}: say which with "
                    "tree=NAME"
                )
            wanted = trees[0]
        if wanted not in trees:
            raise StriateError(f"{path}: no tree {wanted!r}: {nearest(wanted, trees)}")
        try:
            tree = file[wanted]
        except Exception as error:
            raise StriateError(f"{path}: tree {wanted!r} is damaged: {one_line(error)}") from None
        yield tree


def _read(tree: Any, branch: str, start: int, stop: int, path: Path) -> np.ndarray | Jagged:
    """Read entries of one branch, all of them or none."""
    import awkward as ak
    import uproot

    try:
        array = tree[branch].array(entry_start=start, entry_stop=stop, library="ak")
        column: np.ndarray | Jagged
        if isinstance(tree[branch].interpretation, uproot.AsDtype):
            column = ak.to_numpy(array)
        else:
            column = Jagged(
                ak.to_numpy(ak.num(array, axis=1)), ak.to_numpy(ak.flatten(array, axis=1))
            )
    except MemoryError:
        raise
    except Exception as error:
        raise StriateError(
            f"{path}: branch {branch!r} is damaged in entries "
            f"{_damaged(tree[branch], start, stop)}: {one_line(error)}"
        ) from None
    values = column.values if isinstance(column, Jagged) else column
    if len(array) != stop - start or values.dtype.kind not in "buif":
        raise StriateError(
            f"{path}: branch {branch!r} holds {len(array)} of {stop - start} entries from {start}"
            if len(array) != stop - start
            else f"{path}: branch {branch!r} does not hold numbers, but {values.dtype}"
        )
    return column


def _damaged(branch: Any, start: int, stop: int) -> str:
    """Return the entries of the first basket that cannot be read, within `start` to `stop`."""
    edges = [int(edge) for edge in branch.entry_offsets]
    for low, high in pairwise(edges):
        if high <= start or low >= stop:
            continue
        try:
            branch.array(entry_start=low, entry_stop=high, library="ak")
        except Exception:
            return f"{low} to {high - 1}"
    return f"{start} to {stop - 1}"


def _image_shape(tree: Any, branch: str, path: Path) -> tuple[int, int, int]:
    first = _read(tree, branch, 0, 1, path)
    if isinstance(first, Jagged) or first.ndim not in (3, 4):
        raise StriateError(
            f"{path}: branch {branch!r} must hold images of one size, rows x columns or rows x "
            "columns x channels"
        )
    rows, columns, *channels = first.shape[1:]
    return rows, columns, channels[0] if channels else 1
