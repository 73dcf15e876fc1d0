"""Evaluate one trained network as a tagger: how well it tells signal jets from background."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from os import PathLike
from typing import TYPE_CHECKING, Any

import numpy as np

from striate.data import Dataset, as_dataset
from striate.errors import StriateError
from striate.evaluation.baselines import BOOSTED_TREE, MASSES, baselines, boosted_tree
from striate.evaluation.calibration import calibration_error
from striate.evaluation.classification import Evaluation
from striate.evaluation.efficiency import efficiency_against
from striate.evaluation.prediction import predict_probabilities, refuse_other_images
from striate.evaluation.rejection import (
    REPLICAS,
    RejectionCurve,
    refuse_empty,
    rejection_curves,
    threshold_at,
)
from striate.evaluation.roc_area import area, placements
from striate.evaluation.sculpting import mass_edges, sculpting
from striate.evaluation.tagging import WORKING_POINT, Tagger, Tagging

if TYPE_CHECKING:
    from striate.data import Split

DEPENDENCES = ("pt_gev", "eta", "pileup")
"""Observables that the efficiency is drawn against, where they are."""

# What pixels that were divided by their sum do not tell.
_NOT_IN_IMAGES = {"pt_gev", "groomed_pt_gev", "multiplicity"}


def can_tag(evaluation: Evaluation, data: Dataset) -> bool:
    """Return whether data are of jets to be tagged, and were: two classes, with observables.

    Both classes must have test jets that the network answered, of a positive sum of weights.
    """
    if data.classes != 2 or not data.test.observables:
        return False
    answered = evaluation.predictions >= 0
    weights = _weights(data.test)
    return all(weights[answered & (evaluation.labels == label)].sum() > 0 for label in (0, 1))


def evaluate_tagger(
    run_or_model: Any,
    data: Dataset | str | PathLike[str],
    evaluation: Evaluation | None = None,
    *,
    against: Mapping[str, Any] | None = None,
    replicas: int = REPLICAS,
) -> Tagging:
    """Evaluate a trained network as a tagger, beside baselines that are fitted here.

    Parameters
    ----------
    run_or_model
        A `striate.Run`, or a model with ``predict``.
    data
        The dataset, or the name or path to load: two classes, the second of which is signal.
        Baselines need observables: a mass, tau_21; the boosted tree takes all. They are fitted to
        the training split.
    evaluation
        Of the same network on the same data, if it is there already.
    against
        Further runs or models by name, to be compared with.
    replicas
        Of the bootstrap that gives bands and errors of rejections.

    Raises
    ------
    StriateError
        If there are not two classes, a class has no test jet, or the network has no answers.

    Examples
    --------
    >>> tagging = st.evaluate_tagger(run, data)                      # doctest: +SKIP
    >>> tagging.network.curve.rejection(0.5)                         # doctest: +SKIP
    """
    data = as_dataset(data)
    if data.classes != 2:
        raise StriateError(
            f"a tagger tells signal from background, but {data.name!r} has {data.classes} classes"
        )
    model = getattr(run_or_model, "model", run_or_model)
    if evaluation is None:
        evaluation = _evaluated(model, data, "network")
    answered = evaluation.predictions >= 0
    if not answered.any():
        raise StriateError("no test jet has an answer: there is no tagger to evaluate")
    test = data.test.take(np.flatnonzero(answered))
    is_signal, weights = test.labels == 1, _weights(test)
    refuse_empty(is_signal, weights)
    entries = [(evaluation.name, "the network", evaluation.probabilities[answered, 1])]
    for name, other in (against or {}).items():
        scores = _evaluated(getattr(other, "model", other), data, name).probabilities[answered, 1]
        entries.append((name, "another network", np.where(np.isfinite(scores), scores, -np.inf)))
    simpler, notes = baselines(data.train, test)
    entries += [(one.name, one.how, one.scores) for one in simpler]
    names = [name for name, _, _ in entries]
    if len(set(names)) < len(names):
        raise StriateError(f"two taggers have the same name, of {', '.join(names)}: rename one")
    curves = rejection_curves(
        {name: scores for name, _, scores in entries}, is_signal, weights, replicas=replicas
    )
    mass_name = next((name for name in MASSES if name in test.observables), None)
    taggers = [
        _tagger(name, how, scores, curves[name], test, mass_name) for name, how, scores in entries
    ]
    notes += _without_what_images_lack(taggers, data, test)
    passes = taggers[0].scores >= threshold_at(taggers[0].scores, is_signal, weights, WORKING_POINT)
    efficiencies = {
        name: efficiency_against(test.observables[name], passes, is_signal, weights)
        for name in DEPENDENCES
        if name in test.observables
    }
    trained, _ = predict_probabilities(model, data.train, 2)
    kept = np.isfinite(trained[:, 1])
    if not answered.all():
        notes = (f"{(~answered).sum()} test jets have no answer and are left out.", *notes)
    return Tagging(
        tuple(taggers),
        data.class_names[1],
        data.class_names[0],
        is_signal,
        weights,
        trained[kept, 1],
        data.train.labels[kept] == 1,
        _weights(data.train)[kept],
        {name: curve for name, curve in efficiencies.items() if curve is not None},
        mass_name,
        calibration_error(evaluation),
        notes,
    )


def _without_what_images_lack(
    taggers: Sequence[Tagger], data: Dataset, test: Split
) -> tuple[str, ...]:
    """Where the boosted tree is ahead, say what it is without observables that images lack."""
    network = taggers[0]
    tree = next((one for one in taggers if one.name == BOOSTED_TREE), None)
    names = tuple(sorted(set(test.observables) - _NOT_IN_IMAGES))
    normalised = data.provenance.get("image", {}).get("normalise", "none") != "none"
    if tree is None or tree.auc <= network.auc or not normalised or not names:
        return ()
    if len(names) == len(test.observables):
        return ()
    is_signal, weights = test.labels == 1, _weights(test)
    placed = placements(boosted_tree(data.train, test, names), is_signal, weights)
    left = area(network.placed - placed, is_signal, weights)
    return (
        "Transverse momentum and multiplicity, which the boosted tree knows, cannot be read from "
        f"normalised images; without them its area is {area(placed, is_signal, weights):.4f}, and "
        f"that of {network.name} differs from it by {left:+.4f} +- {left.error:.4f}.",
    )


def _evaluated(model: Any, data: Dataset, name: str) -> Evaluation:
    refuse_other_images(model, data.image_shape, f"the network {name!r}", repr(data.name))
    called = str(getattr(model, "name", name))
    probabilities, notes = predict_probabilities(model, data.test, 2)
    return Evaluation(
        called, data.class_names, data.test.labels, probabilities, data.test.weights, notes=notes
    )


def _tagger(
    name: str,
    how: str,
    scores: np.ndarray,
    curve: RejectionCurve,
    test: Split,
    mass_name: str | None,
) -> Tagger:
    is_signal, weights = test.labels == 1, _weights(test)
    placed = placements(scores, is_signal, weights)
    bent = None
    if mass_name is not None:
        mass = np.asarray(test.observables[mass_name], np.float64)
        passes = scores >= threshold_at(scores, is_signal, weights, WORKING_POINT)
        others = ~is_signal
        bent = sculpting(mass[others], passes[others], weights[others], mass_edges(mass))
    return Tagger(name, how, scores, placed, area(placed, is_signal, weights), curve, bent)


def _weights(split: Split) -> np.ndarray:
    return np.ones(len(split)) if split.weights is None else split.weights.astype(np.float64)
