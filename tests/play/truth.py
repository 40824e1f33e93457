"""What will be, as nobody knows it outside the play: who will come again, and how."""

from dataclasses import replace


def way_of_next_use(device):
    """Who is abroad now may be back by then."""
    way = device.way
    if way.country != device.home and device.next_use >= device.person.returns_on:
        return replace(way, country=device.home)
    return way


def comes_again(device, day):
    """Whether it was used before, and will ever be used again as it is set up now."""
    return device.uses > 0 and day <= device.next_use < device.end


def breaks_when_it_comes_again(device, day, timetable):
    """The titles of the rules that it breaks then if nobody changes anything any more."""
    if not device.broken or not comes_again(device, day):
        return ()
    return timetable.broken_by(way_of_next_use(device))


def depends_on_it(person, day, timetable):
    """Whether a device of the person will ever come again in a way that is refused once
    all rules are in force, if nobody changes anything any more from that day on."""
    let_off = person.let_off(timetable.date(day))
    return any(
        title not in let_off
        for device in person.devices
        for title in breaks_when_it_comes_again(device, day, timetable)
    )
