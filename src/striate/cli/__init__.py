"""The command line: one command a file, ``main`` joins them.

A command imports what it needs when it runs, so that ``striate --help`` stays quick. Results go to
standard output, progress and messages to standard error.
"""
