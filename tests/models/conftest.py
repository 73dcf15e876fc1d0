"""What the tests of models share."""

import functools

import pytest

import striate as st


@pytest.fixture(scope="session")
def lecture_network():
    """Return a lecture network by name, built once for all tests, which leave it as it is."""
    return functools.cache(st.models.build)
