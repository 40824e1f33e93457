"""What will be, as nobody knows it outside the play: who will come again, and how."""

from dataclasses import replace


def way_of_next_use(device):
    """Who is abroad now may be back by then."""
    way = device.way
    if way.country != device.home and device.next_use >= device.person.returns_on:
        return replace(way, country=device.home)
    return way


def breaks_when_it_comes_again(device, day, timetable):
    """The titles of the rules that it broke before, and will break again on that day or
    later, if nobody changes anything any more."""
    if not device.came or not day <= device.next_use < device.end:
        return ()
    return [title for title in timetable.broken_by(way_of_next_use(device))
            if title in device.came]  # fmt: skip


def depends_on_it(person, day, timetable):
    """Whether a device of the person will ever come again in a way that is refused once
    all rules are in force. Whom the operator lets off counts: exemptions are those of the
    present, for which they are over."""
    return any(breaks_when_it_comes_again(device, day, timetable) for device in person.devices)
