"""The sections on the training: its settings, its course, its time, and how to repeat it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from striate import plots
from striate.plots.curves import best_epoch
from striate.quantities import count, memory, plural, seconds
from striate.report.gallery import Gallery, beside
from striate.report.markup import Content, Html, facts, join, paragraph, section, tag
from striate.report.words import decimal, moment, setting

_LABELS = {
    "epochs": "Epochs",
    "batch_size": "Images a batch",
    "seed": "Seed",
    "shuffle": "Shuffled",
    "learning_rate": "Learning rate",
    "optimizer": "Optimizer",
    "loss": "Loss",
    "validation_on": "Validated on",
}


def training_section(
    config: Mapping[str, Any], history: Mapping[str, Sequence[float]], gallery: Gallery
) -> Html:
    """Return the section on the settings of the training and its history."""
    training = dict(config.get("training") or {})
    model = dict(config.get("model") or {})
    arguments = setting(dict(model.get("arguments") or {}))
    network = network_name(config)
    pairs: list[tuple[Content, Content]] = [
        ("Network", network if arguments == "none" else f"{network} ({arguments})")
    ]
    pairs += [
        (_LABELS.get(name, name.replace("_", " ").capitalize()), setting(value))
        for name, value in training.items()
    ]
    return section(
        "Training",
        beside(
            facts(pairs),
            _curves(history, str(training.get("validation_on") or "validation"), gallery),
        ),
        identity="training",
    )


def network_name(config: Mapping[str, Any]) -> str:
    """Return what the network of a run is called."""
    model = dict(config.get("model") or {})
    return setting(model.get("title") or model.get("name") or "network")


def timing_section(config: Mapping[str, Any]) -> Html:
    """Return the section on how long it took, and on what machine."""
    timing = dict(config.get("timing") or {})
    words: list[tuple[str, str, Any]] = [
        ("started", "Started", moment),
        ("seconds_to_first_step", "Until the first step was done", seconds),
        ("seconds_to_first_epoch", "Until the first epoch was done", seconds),
        ("seconds_training", "Training", seconds),
        ("seconds_total", "In all", seconds),
        ("images_per_second", "Images a second in training", lambda x: count(float(f"{x:.3g}"))),
        ("peak_memory_bytes", "Peak memory", memory),
    ]
    pairs: list[tuple[Content, Content]] = [
        (label, written(timing[key]))
        for key, label, written in words
        if timing.get(key) is not None
    ]
    return section(
        "Timing",
        facts(pairs) if pairs else paragraph("The run recorded no times."),
        identity="timing",
    )


def repeat_section(config: Mapping[str, Any], figures: Sequence[str]) -> Html:
    """Return the section on versions and machine, and the command that repeats the run."""
    versions = dict(config.get("versions") or {})
    machine = dict(config.get("machine") or {})
    dataset = dict(config.get("dataset") or {})
    pairs: list[tuple[Content, Content]] = [
        ("Versions", setting(versions) if versions else "not recorded"),
        *((f"Machine: {key}", setting(value)) for key, value in machine.items()),
        ("Seed", setting(dict(config.get("training") or {}).get("seed", "not recorded"))),
        (
            "Data of the training",
            join(
                [
                    f"{setting(dataset.get('name', 'not recorded'))}, fingerprint ",
                    tag("code", setting(dataset.get("fingerprint", "not recorded"))),
                ]
            ),
        ),
    ]
    command = config.get("command")
    again: list[Content] = [paragraph("The run did not record its command.")]
    if command:
        again = [
            paragraph("The same versions on the same machine give the same bits:"),
            tag("pre", tag("code", command), class_="command", aria_label="command", tabindex=0),
        ]
    return section(
        "Provenance",
        facts(pairs),
        tag("h3", "Run it again"),
        *again,
        paragraph(
            f"The {plural(len(figures), 'figure')} of this page lie beside it in ",
            tag("code", "figures/"),
            " as PNG and PDF files.",
        ),
        identity="provenance",
    )


def _curves(history: Mapping[str, Sequence[float]], validation: str, gallery: Gallery) -> Html:
    if not any(len(values) for values in history.values()):
        return paragraph("The run has no history of its epochs, so there are no curves.")
    epochs = max(len(values) for values in history.values())
    parts = [_course(name, history[name]) for name in history if len(history[name])]
    best = best_epoch(history)
    marked = (
        f" The dotted line marks epoch {best}, where the {validation} loss was lowest."
        if best is not None
        else ""
    )
    return gallery.show(
        "history",
        plots.history(history, validation=validation),
        "Course of the training.",
        "Training values are means over the epoch while the weights move, dropout included; "
        f"{validation} values are taken at its end.{marked}",
        alt=f"Curves against {plural(epochs, 'epoch')}: {'; '.join(parts)}.",
    )


def _course(name: str, values: Sequence[float]) -> str:
    first, last = (math.nan if v is None else float(v) for v in (values[0], values[-1]))
    label = name.replace("val_", "validation ").replace("_", " ")
    if len(values) == 1:
        return f"{label} {decimal(first)}"
    return f"{label} from {decimal(first)} to {decimal(last)}"
