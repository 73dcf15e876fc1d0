"""Every command has a help text with examples, and the examples work."""

import re
import shlex

import pytest
import typer

from striate.cli.main import app


def _texts(command, path):
    with command.make_context("striate", ["--help"], resilient_parsing=True) as context:
        yield path, command.get_help(context)
    for name, sub in getattr(command, "commands", {}).items():
        yield from _texts(sub, (*path, name))


TEXTS = dict(_texts(typer.main.get_command(app), ()))


def _examples():
    found = {}
    for text in TEXTS.values():
        for line in text.partition("Examples:")[2].splitlines():
            if line.strip():
                words = shlex.split(re.split(r"\s{2,}", line.strip())[0])
                assert words[0] == "striate"
                found[tuple(words[1:])] = None
    return list(found)


EXAMPLES = _examples()
# These look at the last run.
AFTERWARDS = [
    words
    for words in EXAMPLES
    if (words[0] in ("evaluate", "report", "runs") or words[:2] == ("explain", "run"))
    # These need two taggers.
    and not {"--against", "--style"} & set(words)
]
# It makes all pictures, in test_explain_pictures.
GALLERY = [words for words in EXAMPLES if words[:2] == ("explain", "gallery")]
QUICK = [
    words
    for words in EXAMPLES
    if words[0] in ("data", "explain") and words not in (*AFTERWARDS, *GALLERY)
]
TRAINING = [words for words in EXAMPLES if words[0] == "train" and words[1] in ("digits", "ox")]
TRAINING.remove(("train", "digits"))


def test_all_commands_are_there():
    assert {path[0] for path in TEXTS if len(path) == 1} == {
        "train",
        "evaluate",
        "report",
        "runs",
        "data",
        "explain",
        "doctor",
        "bench",
        "grid",
        "search",
        "jets",
        "reproduce",
    }


@pytest.mark.parametrize("path", TEXTS)
def test_a_help_text_says_what_and_gives_examples(path):
    head, _, tail = TEXTS[path].partition("Examples:")
    assert " ".join(("Usage: striate",)) in head
    assert re.search(r"\n  [A-Z][^\n]+", head)
    assert f"striate {' '.join(path)}".strip() in tail


@pytest.mark.parametrize("path", TEXTS)
def test_a_help_text_fits_a_terminal(path):
    assert max(map(len, TEXTS[path].splitlines())) <= 80


@pytest.mark.parametrize("words", EXAMPLES, ids=" ".join)
def test_an_example_is_a_right_call(words):
    """As far as that can be told without running it; the long ones run, shortened, elsewhere."""
    command, rest = typer.main.get_command(app), list(words)
    while hasattr(command, "commands"):
        command = command.commands[rest.pop(0)]
    command.make_context("striate", rest)


@pytest.mark.slow
def test_the_examples_that_train_work(striate):
    for words in [*TRAINING, *AFTERWARDS]:
        status, out, err = striate(*words)
        assert status == 0, err
        assert out


@pytest.mark.parametrize("words", QUICK, ids=" ".join)
def test_a_quick_example_works(striate, words):
    status, out, err = striate(*words)
    assert status == 0, err
    assert out
