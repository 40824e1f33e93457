"""What stands in the mails, as a reader would see it."""

import collections
import datetime
import re

# "- Thunderbird 115.3: IMAP, port 143, ..." Lines of a list are wrapped.
DEVICE = re.compile(r"^- ([^:\n]+): (?:.|\n {2})+", re.MULTILINE)
VERSION = re.compile(r" [0-9][0-9A-Za-z.]*$")
HEADING = re.compile(r"^What we have seen\n-+$|^= What we have seen$", re.MULTILINE)
MONTHS = ("January February March April May June July August September October November"
          " December").split()  # fmt: skip
DATE = re.compile(r"(\w+day),\s+(\d{1,2})\s+(" + "|".join(MONTHS) + r")\s+(\d{4})")


def listed(text):
    """The part that lists devices."""
    found = HEADING.search(text)
    return text[found.end():].lstrip("\n").split("\n\n")[0] if found else ""


def devices(text):
    """Those that a mail lists: their names, and their lines."""
    return [(match.group(1), match.group(0)) for match in DEVICE.finditer(listed(text))]


def names_versions_twice(text):
    """One program, once for each of its versions."""
    programs = collections.Counter()
    for name in {name for name, _ in devices(text)}:
        if VERSION.search(name):
            programs[VERSION.sub("", name)] += 1
    return any(count > 1 for count in programs.values())


def names_nobody(text, nameless):
    """No device has a name. nameless: what stands in its place."""
    names = [name for name, _ in devices(text)]
    return bool(names) and all(name == nameless for name in names)


def dates(text):
    """All of them; None for one that there is not, such as Monday, 2 September 2025."""
    return [date_of(*match.groups()) for match in DATE.finditer(text)]


def date_of(weekday, day, month, year):
    try:
        date = datetime.date(int(year), MONTHS.index(month) + 1, int(day))
    except ValueError:
        return None
    return date if date.strftime("%A") == weekday else None
