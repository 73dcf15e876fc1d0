"""Importing striate first lets Keras, which the tests import, choose the JAX backend."""

import striate  # noqa: F401
