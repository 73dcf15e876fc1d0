"""The report of a run: one page of HTML that needs nothing else, with its figures beside it."""

from striate.report.write import write_report

__all__ = ["write_report"]
