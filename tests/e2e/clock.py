"""Local time as a test wants it.

Dates in portcullis.conf are local time, and where local time stands is what a
time zone says. A zone made for the moment lets it be any time of any day now,
and lets daylight-saving time begin or end in some seconds, on real servers
whose clock nobody touches.
"""

import contextlib
import datetime
import os
import time

from pathlib import Path


DAY = 86400


class TooSlow(Exception):
    """A test was still doing what was to be done before a moment when it came."""


def in_time(test):
    """For a test (host, seconds) of what changes at a moment: it gets the seconds
    that it has before it, and more of them when they were too few."""

    def run(host):
        for seconds in (3, 12, 48):
            try:
                return test(host, seconds)
            except TooSlow as error:
                too_slow = error
        raise too_slow

    run.__name__, run.__doc__ = test.__name__, test.__doc__
    return run


@contextlib.contextmanager
def host_time_zone():
    """Gives a function that changes the host's ("Pacific/Niue"), as timedatectl does; in the
    end it is what it was."""
    zone, zones = Path("/etc/localtime"), Path("/usr/share/zoneinfo")
    before = os.readlink(zone) if zone.is_symlink() else None

    def change(target):
        link = zone.with_suffix(".new")
        link.unlink(missing_ok=True)
        link.symlink_to(target)
        os.replace(link, zone)

    try:
        yield lambda name: change(zones / name)
    finally:
        if before is None:
            zone.unlink()
        else:
            change(before)


def _offset(seconds):
    """An offset as POSIX writes it: what is added to local time to give UTC."""
    sign = "-" if seconds > 0 else ""
    seconds = abs(seconds)
    return f"{sign}{seconds // 3600}:{seconds % 3600 // 60:02}:{seconds % 60:02}"


class Clock:
    """Local time is `now` ("23:59:57") when the object is made.

    jump: (at, seconds): today, when the clock comes to `at`, it is put forward
    by so many seconds because daylight-saving time begins, or back, if they are
    negative, because it ends.
    """

    def __init__(self, now, jump=None):
        self._made = time.time()
        utc = int(self._made)
        self._offset = (_seconds(now) - utc) % DAY
        if self._offset > DAY / 2:
            self._offset -= DAY
        self.date = datetime.datetime.fromtimestamp(utc + self._offset, datetime.timezone.utc)
        self.timezone = f"LOC{_offset(self._offset)}"
        if jump is not None:
            self._set_jump(now, *jump)

    @classmethod
    def shortly_before(cls, moment, seconds, jump=None):
        """A clock that comes to the moment ("24:00:00") in so many seconds."""
        return cls(_text(_seconds(moment) - seconds), jump)

    def _set_jump(self, now, at, shift):
        before = self._offset if _seconds(now) < _seconds(at) else self._offset - shift
        standard, summer = (before, before + shift) if shift > 0 else (before + shift, before)
        # POSIX names both changes of a year, in the clock's time before each.
        change = f"J{self._julian(0)}/{at}"
        other = f"J{self._julian(60 if shift > 0 else -60)}"
        begin, end = (change, other) if shift > 0 else (other, change)
        self.timezone = f"STD{_offset(standard)}DST{_offset(summer)},{begin},{end}"

    def _midnight(self):
        """The day's first second, were local time UTC."""
        return (int(self._made) + self._offset) // DAY * DAY

    def _julian(self, days):
        """The day of the year by POSIX' count, which knows no 29 February."""
        date = self.date + datetime.timedelta(days=days)
        number = date.timetuple().tm_yday
        leap = date.year % 4 == 0
        assert not (leap and number == 60), "POSIX cannot name this day; try tomorrow"
        return number - 1 if leap and number > 60 else number

    def day(self, days=0):
        """"2024-09-20": today, or so many days from it."""
        return (self.date + datetime.timedelta(days=days)).strftime("%Y-%m-%d")

    @contextlib.contextmanager
    def before(self, local):
        """For what is done before the clock shows this time, as it goes without the
        jump; then sleeps until it does. TooSlow, whatever came of what was done,
        when it does already."""
        moment = self._midnight() - self._offset + _seconds(local)
        try:
            yield
        finally:
            left = moment - time.time()
            if left <= 0:
                raise TooSlow(f"{local} was {-left:.1f} s ago")
        time.sleep(left)


def _text(seconds):
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"


def _seconds(text):
    hours, minutes, seconds = map(int, text.split(":"))
    return hours * 3600 + minutes * 60 + seconds
