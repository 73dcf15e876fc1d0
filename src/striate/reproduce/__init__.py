"""The lectures, reproduced: every row of theirs is computed now, and compared with their figure.

A row (`row.py`) has the lecture's figure as a fact and a function that gives ours; rows are grouped
by subject, `table.py` joins them, and `running.py` runs them on a `workbench.py` that they share.
"""
