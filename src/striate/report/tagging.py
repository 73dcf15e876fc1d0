"""The section on a network as a tagger: its curves and cuts, beside simpler means."""

from __future__ import annotations

import math

from striate.evaluation import Estimate
from striate.evaluation.baselines import BOOSTED_TREE
from striate.evaluation.tagging import WORKING_POINT, WORKING_POINTS, Tagger, Tagging
from striate.plots.efficiency import efficiencies
from striate.plots.rejection import rejection
from striate.plots.response import response
from striate.plots.sculpting import mass_sculpting
from striate.plots.significance import significance
from striate.quantities import MISSING, count
from striate.report.gallery import Gallery, beside
from striate.report.markup import Content, Html, bullets, paragraph, section, table, tag
from striate.report.words import decimal, sentence, share

TELLING = 3.0
"""Standard errors from which a difference is told as one."""


def tagging_section(tagging: Tagging, gallery: Gallery) -> Html:
    """Return the section on response, rejection, significance, efficiencies and sculpting."""
    figures: list[Content] = [
        _rejection(tagging, gallery),
        _significance(tagging, gallery),
        _response(tagging, gallery),
    ]
    if tagging.efficiencies:
        figures.append(_efficiencies(tagging, gallery))
    if tagging.network.sculpting is not None:
        figures.append(_sculpting(tagging, gallery))
    signal = int(tagging.is_signal.sum())
    return section(
        "Tagging",
        paragraph(
            f"{count(signal)} test jets of {tagging.signal_name} are signal, "
            f"{count(len(tagging.is_signal) - signal)} of {tagging.background_name} background. "
            "Baselines are fitted to the training jets; all taggers are judged by the same test "
            "jets. Errors are one standard deviation: of areas DeLong's, of rejections and "
            "significances that of a bootstrap."
        ),
        bullets(verdicts(tagging)),
        _table(tagging),
        _comparison(tagging),
        beside(*figures),
        bullets([sentence(note) for note in tagging.notes]) if tagging.notes else None,
        paragraph(
            "The numbers of this section and of its figures lie in the folder ",
            tag("code", "numbers"),
            " beside this page, as JSON and CSV.",
        ),
        identity="tagging",
    )


def verdicts(tagging: Tagging) -> list[str]:
    """Return in sentences what the numbers say: against each tagger, and of the training."""
    told = []
    for other in tagging.taggers[1:]:
        gain = tagging.advantage(other)
        errors = abs(gain) / gain.error if gain.error > 0 else math.inf
        how = (
            "above"
            if gain > 0 and errors >= TELLING
            else "below"
            if errors >= TELLING
            else "not clearly apart from"
        )
        told.append(
            sentence(
                f"The area of {tagging.network.name} is {how} that of {other.name}: "
                f"{gain:+.4f} +- {gain.error:.4f}, {errors:.1f} standard errors."
            )
        )
        if other.name == BOOSTED_TREE:
            told.append(_against_tree(tagging, other))
    for name, probability in tagging.same_distribution.items():
        agree = "agree" if probability >= 0.01 else "differ"
        told.append(
            f"Training and test responses of {name} {agree} "
            f"(Kolmogorov-Smirnov probability {probability:.2g})."
        )
    told.append(
        f"The expected calibration error is {share(tagging.calibration_error)}: by so much, on "
        "average, the probability of the predicted class is off."
    )
    return told


def _against_tree(tagging: Tagging, tree: Tagger) -> str:
    ratio = tagging.rejection_ratio(tree)
    if not math.isfinite(ratio):
        return "Too few background jets pass to compare rejections with the boosted tree."
    verdict = (
        "the network rejects more"
        if ratio.low > 1
        else "the boosted tree rejects more"
        if ratio.high < 1
        else "within their errors they reject equally much"
    )
    return sentence(
        f"At {100 * WORKING_POINT:.0f} % signal efficiency the network rejects {ratio:.2f} times "
        f"(68 %: {ratio.low:.2f} to {ratio.high:.2f}) as much background as the boosted tree: "
        f"{verdict}."
    )


def with_error(value: Estimate, digits: int = 4) -> str:
    """Return a number with its standard error, with as many decimals; a dash for what is not."""
    if math.isinf(value) and math.isfinite(value.low):
        return f"> {value.low:.0f}"
    if not math.isfinite(value):
        return MISSING
    if not math.isfinite(value.error):
        return f"{value:.{digits}f} (> {value.low:.{digits}f})"
    return f"{value:.{digits}f} ± {value.error:.{digits}f}"


def _table(tagging: Tagging) -> Html:
    rows: list[list[Content]] = []
    for tagger in tagging.taggers:
        best = tagger.curve.best_improvement()
        bent = tagger.sculpting
        rows.append(
            [
                tagger.name,
                with_error(tagger.auc),
                *(with_error(tagger.curve.rejection(point), 1) for point in WORKING_POINTS),
                MISSING if best is None else f"{with_error(best[1], 2)} at {best[0]:.2f}",
                MISSING if bent is None else decimal(bent.divergence, 3),
                MISSING if bent is None else decimal(bent.by_chance, 3),
            ]
        )
    points = [f"1/background eff. at {point:g}" for point in WORKING_POINTS]
    return table(
        "Taggers on the same test jets; divergence in bits",
        ["tagger", "area", *points, "significance improvement", "mass divergence", "by chance"],
        rows,
    )


def _comparison(tagging: Tagging) -> Html | None:
    others = tagging.taggers[1:]
    if not others:
        return None
    rows: list[list[Content]] = []
    for other in others:
        gain = tagging.advantage(other)
        rows.append(
            [
                other.name,
                f"{gain:+.4f} ± {gain.error:.4f}".replace("-", "−"),
                decimal(abs(gain) / gain.error, 1) if gain.error > 0 else MISSING,
                with_error(tagging.rejection_ratio(other), 2),
                other.how,
            ]
        )
    return table(
        f"{tagging.network.name} against the others",
        [
            "other",
            "difference of areas",
            "in errors",
            f"ratio of rejections at {WORKING_POINT:g}",
            "what it is",
        ],
        rows,
    )


def _rejection(tagging: Tagging, gallery: Gallery) -> Html:
    told = ", ".join(
        f"{tagger.name} {with_error(tagger.curve.rejection(WORKING_POINT), 1)}"
        for tagger in tagging.taggers
    )
    return gallery.show(
        "rejection",
        rejection(tagging),
        "Background rejection.",
        "One over the share of background that passes, against the share of signal; bands are the "
        "central 68 % of a bootstrap.",
        alt=f"Background rejection against signal efficiency. At {WORKING_POINT:g}: {told}.",
    )


def _significance(tagging: Tagging, gallery: Gallery) -> Html:
    best = tagging.network.curve.best_improvement()
    told = (
        "Too few background jets pass anywhere to tell."
        if best is None
        else f"The network's largest is {with_error(best[1], 2)}, at {best[0]:.2f}."
    )
    return gallery.show(
        "significance",
        significance(tagging),
        "Significance improvement.",
        "Signal efficiency over the root of the background efficiency: by so much a cut multiplies "
        "S/√B. Curves end where fewer than 20 background jets pass.",
        alt=f"Significance improvement against signal efficiency. {told}",
    )


def _response(tagging: Tagging, gallery: Gallery) -> Html:
    told = ", ".join(f"{name} {value:.2g}" for name, value in tagging.same_distribution.items())
    return gallery.show(
        "response",
        response(tagging),
        "Response.",
        "The network's output for test jets (histograms) and the jets it was trained on (points); "
        "KS is the probability that they are of one distribution.",
        alt="Distributions of the network's output for signal and background. "
        f"Kolmogorov-Smirnov probabilities: {told}.",
    )


def _efficiencies(tagging: Tagging, gallery: Gallery) -> Html:
    return gallery.show(
        "efficiency",
        efficiencies(tagging),
        "Efficiencies.",
        f"Of the cut on the network that keeps {share(WORKING_POINT, 0)} of the signal, in bins "
        "that hold equal numbers of jets; dotted is the mean of the bins.",
        alt=f"Efficiency for signal and background against {', '.join(tagging.efficiencies)}.",
    )


def _sculpting(tagging: Tagging, gallery: Gallery) -> Html:
    bent = tagging.network.sculpting
    known = MISSING if bent is None else decimal(bent.divergence, 3)
    chance = MISSING if bent is None else decimal(bent.by_chance, 3)
    return gallery.show(
        "sculpting",
        mass_sculpting(tagging),
        "Mass sculpting.",
        f"The background's mass before and after a cut that keeps {share(WORKING_POINT, 0)} of the "
        "signal, with the Jensen-Shannon divergence of the two shapes. A cut that knows nothing of "
        f"the mass and passes as many jets as the network's would give {chance} bits.",
        alt=f"Mass of background jets before and after cuts; the network's divergence is {known} "
        "bits.",
    )
