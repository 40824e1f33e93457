"""What people do: travel, and change their settings when they were told, or refused."""

from dataclasses import replace

from university import ABROAD, IMAPS, SMTPS, SUBMISSION, DESKTOPS, PHONES


def hear(person, day, source):
    """A mail came. Each mail is another chance."""
    if source.random() < person.readiness:
        slow = person.readiness < 0.45
        plan(person, day + 1 + int(source.expovariate(1 / (9 if slow else 2.5))))


def be_refused(person, day, source, for_good):
    """for_good: not for the hours of a brown-out."""
    if for_good or source.random() < person.readiness:
        if source.random() < (0.9 if person.readiness else 0.5):
            plan(person, day + 1 + int(source.expovariate(1 / 2)))


def plan(person, day):
    if person.reacts_on < 0 or day < person.reacts_on:
        person.reacts_on = day


def react(person, day, source, timetable):
    """Most change all that they have; some forget one of their devices."""
    person.reacts_on = -1
    wrong = [device for device in person.devices
             if device.broken and device.begin <= day < device.end]  # fmt: skip
    if len(wrong) > 1 and source.random() < 0.3:
        wrong.remove(source.choice(wrong))
    return [new for device in wrong for new in mend(device, day, source, timetable)]


def mend(device, day, source, timetable):
    """The same program with right settings, another program, or none: then the
    person uses webmail. Returns the devices that are new."""
    person = device.person
    sends = device.way.service == "submission"
    right = source.choice([SMTPS, SUBMISSION]) if sends else IMAPS
    luck = source.random()
    if device.broken == ("country",):
        # Nothing can be changed there but where one is.
        if luck < 0.5:
            device.move(replace(device.way, country=device.home), timetable)
        return []
    if luck < 0.6:
        device.mend(replace(right, country=device.way.country), timetable)
        return []
    device.end = day
    if luck > 0.85:
        return []
    program, versions, helo = source.choice(PHONES if luck < 0.75 else DESKTOPS)
    new = replace(
        device, program=program, versions=versions, begin=day, end=10**6, version=0,
        helo=helo.format(lan="192.168.0.7", name=person.name, code="0A1B2C"),
    )  # fmt: skip
    new.mend(replace(right, country=device.way.country), timetable)
    person.devices.append(new)
    return [new]


def travel(person, country, timetable):
    """What goes along comes from there."""
    for device in person.devices:
        if device.gap < 4:
            device.move(replace(device.way, country=country or device.home), timetable)


def destination(source):
    return source.choice(ABROAD)
