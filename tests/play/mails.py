"""What stands in the mails, as a reader would see it."""

import collections
import datetime
import re

# "Thunderbird 115.3: reading mail (IMAP)", and below it what was seen. Lines are wrapped.
DEVICE = re.compile(r"^([^-\n][^:]*): .*\n- ", re.DOTALL)
SEEN = re.compile(r"^- Seen: (?:.|\n {2})+", re.MULTILINE)
VERSION = re.compile(r" [0-9][0-9A-Za-z.]*$")
MONTHS = ("January February March April May June July August September October November"
          " December").split()  # fmt: skip
DATE = re.compile(r"(\w+day),\s+(\d{1,2})\s+(" + "|".join(MONTHS) + r")\s+(\d{4})")


def seen(text):
    """What it says of when and how each device was seen."""
    return SEEN.findall(text)


def devices(text):
    """Those that a mail lists: their names, and what stands of them."""
    return [(DEVICE.match(part).group(1), part) for part in text.split("\n\n")
            if SEEN.search(part)]  # fmt: skip


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
