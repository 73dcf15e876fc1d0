"""One convolution layer, forward and backward, by each library.

Each module has one function, ``measure(layers, seconds, **options)``, which returns for each layer
and operation the seconds of a call and the digest of the result.
"""
