"""What each day of the play took."""

from dataclasses import dataclass


@dataclass
class Day:
    day: int
    lines: int = 0
    mails: int = 0
    take: object = None  # the cost of import, see site_under_test.py
    notify: object = None
    forecast: object = None
    store: int = 0  # bytes


def telling(days, rows=24):
    """The first and the last, those with a forecast, the one with most mails, and some of
    the others."""
    step = max(1, len(days) // rows)
    most = max(days, key=lambda day: day.mails)
    return [day for day in days
            if day.day % step == 0 or day.forecast or day is most or day is days[-1]]  # fmt: skip
