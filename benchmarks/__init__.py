"""Measurements of striate beside its peers; see benchmarks/README.md."""
