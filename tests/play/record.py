"""What stands in the records about a person, and when a device of his is settled by them,
reckoned a second time."""

import math

DAY = 86400
NO_NAMES = ("", "localhost")


class Row:
    """A way in which one device came, and when."""

    __slots__ = ("before", "day", "day_before", "days", "first", "last", "last_day", "way")

    def __init__(self, way, moment):
        self.way = way
        self.first = moment
        self.days = 0
        self.day = -1
        self.last_day, self.day_before = -2, False
        self.last = self.before = moment

    def see(self, moment, day):
        """Days are counted in UTC, as in the store. Logins of one night may come in any
        order."""
        if day != self.day:
            self.day = day
            self.before = self.last  # on another day
        date = int(moment // DAY)
        if date > self.last_day:
            self.day_before = self.last_day == date - 1
            self.last_day = date
            self.days += 1
        elif date < self.last_day and not self.day_before:
            self.day_before = True
            self.days += 1
        if moment > self.last:
            self.last = moment
        elif moment < self.first:
            self.first = moment

    def last_until(self, moment):
        """Of which it may be another, of the same day, that came later."""
        return self.last if self.last <= moment else self.before


def see(device, moment, day):
    """A line with the right password was written."""
    if device.row is None:
        rows = device.person.rows.setdefault(name(device), {})
        key = (device.way, device.client_id)
        device.row = rows.get(key) or rows.setdefault(key, Row(device.way, moment))
    device.row.see(moment, day)


def name(device):
    """By which the records know it again: its purpose, and its program without version;
    nothing, and each way by itself, where it does not say what it is."""
    way = device.way
    sends = way.service == "submission"
    program = device.helo if sends else "" if way.service == "pop3" else device.program
    if program in NO_NAMES or program.startswith("["):
        return (sends, "", way.service, way.port, way.tls, way.mechanism)
    return (sends, program)


def rows(device):
    """All that may be its, as far as the records know."""
    return device.person.rows.get(name(device), {}).values()


def is_repaired(rows, title, timetable, moment=math.inf):
    """Whether a way that keeps the rule began after the last use of those that break it, as
    far as that was known at a moment of this day."""
    bad, good = bad_and_good(rows, title, timetable, moment)
    return bool(bad and good) and \
        min(row.first for row in good) > max(row.last_until(moment) for row in bad)


def rests(rows, title, timetable, moment):
    """Whether it has not come for three times its rhythm in ways that break the rule."""
    bad, _ = bad_and_good(rows, title, timetable, moment)
    # That came later on this day.
    days = sum(row.days - (row.last > moment) for row in bad)
    if days < 2:
        return False
    last = max(row.last_until(moment) for row in bad)
    # Of whole days: two logins around one midnight are no rhythm of minutes.
    span = last // DAY - min(row.first for row in bad) // DAY
    rhythm = max(DAY, DAY * span / (days - 1))
    return moment - last > 3 * rhythm


def bad_and_good(rows, title, timetable, moment):
    known = [row for row in rows if row.first <= moment]
    bad = [row for row in known if title in timetable.broken_by(row.way)]
    return bad, [row for row in known if row not in bad]
