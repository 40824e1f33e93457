"""What stands in the records about a person, and when a device of his is settled by them,
reckoned a second time."""

DAY = 86400
NO_NAMES = ("", "localhost")


class Row:
    """A way in which one device came, and when."""

    __slots__ = ("before", "day_before", "days", "first", "last", "last_day", "way")

    def __init__(self, way, moment):
        self.way = way
        self.first = moment
        self.days = 0
        self.last_day, self.day_before = -2, False
        self.last = self.before = moment

    def see(self, moment):
        """Days are those of UTC, as in the store. Logins of one night may come in any order."""
        day = int(moment // DAY)
        if day > self.last_day:
            self.day_before = self.last_day == day - 1
            self.last_day = day
            self.days += 1
            self.before = self.last  # on another day
        elif day < self.last_day and not self.day_before:
            self.day_before = True
            self.days += 1
        if moment > self.last:
            self.last = moment
        elif moment < self.first:
            self.first = moment


def see(device, moment):
    """A line with the right password was written."""
    if device.row is None:
        rows = device.person.rows.setdefault(name(device), {})
        key = (device.way, device.client_id)
        device.row = rows.get(key) or rows.setdefault(key, Row(device.way, moment))
    device.row.see(moment)


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


def is_repaired(rows, title, timetable):
    """Whether a way that keeps the rule began after the last use of those that break it."""
    bad = [row for row in rows if title in timetable.broken_by(row.way)]
    good = [row for row in rows if title not in timetable.broken_by(row.way)]
    return bool(bad and good) and min(row.first for row in good) > max(row.last for row in bad)


def rests(rows, title, timetable, moment):
    """Whether it has not come for three times its rhythm in ways that break the rule."""
    bad = [row for row in rows if title in timetable.broken_by(row.way)]
    days = sum(row.days for row in bad)
    if days < 2:
        return False
    last = max(row.last for row in bad)
    # Of whole days: two logins around one midnight are no rhythm of minutes.
    span = last // DAY - min(row.first for row in bad) // DAY
    rhythm = max(DAY, DAY * span / (days - 1))
    return moment - last > 3 * rhythm
