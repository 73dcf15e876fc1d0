"""The programs that are measured, one file a library.

Each module has one function, ``prepare(workload, inputs, *, shuffle, **options)``, which builds
the network from the given initial weights and returns a ``Trainer``.
"""
