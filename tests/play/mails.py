"""What stands in the mails, as a reader would see it."""

import collections
import re

# "- Thunderbird 115.3: IMAP, port 143, ..." Lines of a list are wrapped.
DEVICE = re.compile(r"^- ([^:\n]+): (?:.|\n {2})+", re.MULTILINE)
VERSION = re.compile(r" [0-9][0-9A-Za-z.]*$")
HEADING = re.compile(r"^What we have seen\n-+$|^= What we have seen$", re.MULTILINE)


def devices(text):
    """The devices that a mail lists: their names, and their lines."""
    found = HEADING.search(text)
    if not found:
        return []
    part = text[found.end():].lstrip("\n").split("\n\n")[0]
    return [(match.group(1), match.group(0)) for match in DEVICE.finditer(part)]


def names_versions_twice(text):
    """One program, once for each of its versions."""
    programs = collections.Counter()
    for name in {name for name, _ in devices(text)}:
        if VERSION.search(name):
            programs[VERSION.sub("", name)] += 1
    return any(count > 1 for count in programs.values())


def names_nobody(text, nameless):
    """No device has a name. nameless: what stands in its place."""
    listed = devices(text)
    return bool(listed) and all(name == nameless for name, _ in listed)
