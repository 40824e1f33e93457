"""The play writes journals itself, of millions of logins. Some days of it on real servers,
whose clock is set to the moment of each login: what they tell a client is what the play
thinks, and what they record is, line by line, what it writes."""

import datetime
import itertools
import sys
import time
import types

from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).resolve().parents[1] / "play"))

import course  # noqa: E402
import reactions  # noqa: E402
import sample  # noqa: E402

from real_servers import RealServers  # noqa: E402
from timetable import Timetable, midnight  # noqa: E402
from university import READING, SENDING, Exemption  # noqa: E402

FIRST = datetime.date(2024, 7, 22)
TIME_ZONE = "CET-1CEST,M3.5.0,M10.5.0/3"
PEOPLE, DAYS, LOGINS = 250, 98, 28


@pytest.fixture
def german_time(monkeypatch):
    monkeypatch.setenv("TZ", TIME_ZONE)
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


class Site:
    """Nobody imports these lines."""

    def __init__(self, directory):
        self.tomorrow = directory

    def configure(self, timetable):
        pass

    def let_off(self, people):
        pass


def send_some_abroad(play):
    """Who stays there."""
    countries = itertools.cycle(["FR", "US", "AT", "JP", "CH"])
    for person, country in zip(list(play.people.values())[:20], countries):
        reactions.travel(person, country, play.timetable)


def give_old_devices(play):
    """To somebody who changes nothing, one for each way that is to go."""
    stubborn = [person for person in play.people.values() if not person.readiness]
    for person, (way, _) in zip(stubborn, READING + SENDING):
        play.university.add_device(person, "Thunderbird", ["115.8.1"], way, "laptop", 1, 0, 0)
        play.come(person.devices[-1], 0)
        if way.mechanism != "PLAIN":
            give_grace(play, person)


def give_grace(play, person):
    """As `portcullis notify` does to who was seen late."""
    rule = play.timetable.rule("mechanism")
    last = rule.enforce + datetime.timedelta(days=rule.grace - 1)
    person.grace.append(Exemption(rule.title, rule.enforce, last, entered=0))


def let_some_off(play, rule):
    """People who come daily without TLS, beyond its date."""
    last = rule.enforce + datetime.timedelta(days=9)
    daily = [person for person in play.people.values()
             if any(rule.title in device.broken and device.gap < 1.2 and device.begin == 0
                    for device in person.devices)]  # fmt: skip
    for person in daily[:10]:
        play.exemptions[0].append((person, Exemption(rule.title, FIRST, last, entered=0)))
    return last


def chosen_days(timetable, end_of_exemptions):
    """On which there is something to see."""
    encryption = timetable.rule("encryption")
    day = datetime.timedelta(days=1)
    return {
        encryption.notify - day,
        encryption.notify + 10 * day,
        *(date for date, _, _ in encryption.brownouts),
        encryption.enforce - day,
        *(rule.enforce for rule in timetable.rules),  # on one of them, another one is moved
        end_of_exemptions,
        end_of_exemptions + day,
        datetime.date(2024, 10, 27),  # the clock is put back
    }


def test_servers_write_what_the_play_writes(host, german_time, tmp_path):
    timetable = Timetable(FIRST, observe_days=30, notify_days=28)
    options = types.SimpleNamespace(people=PEOPLE, seed=7, days=DAYS, mix="holiday",
                                    keep=None, measure_every=None)  # fmt: skip
    play = course.Play(options, Site(tmp_path), timetable)
    servers = RealServers(host, play.people, TIME_ZONE, midnight(FIRST))
    real = sample.Sample(servers, LOGINS, options.seed)
    send_some_abroad(play)
    give_old_devices(play)
    end = let_some_off(play, timetable.rule("encryption"))
    try:
        for day in range(DAYS):
            play.sample = real if timetable.date(day) in chosen_days(timetable, end) else None
            play.took.append(course.Day(day))
            play.operate(day)
            play.live(day)
    finally:
        servers.stop()
    assert len(real.made) > 0.7 * LOGINS * len(chosen_days(timetable, end))
    assert not real.differences, "\n".join(real.differences)
    see_that_all_was_tried(real.made, timetable)


def see_that_all_was_tried(logins, timetable):
    ways = [login.device.way for login in logins]
    assert {way.port for way in ways} == {143, 993, 110, 995, 25, 587, 465}
    assert {way.tls for way in ways} == {"none", "starttls", "implicit"}
    assert {way.mechanism for way in ways} == {"PLAIN", "CRAM-MD5"}
    assert len({way.country for way in ways}) > 3
    phases = {phase for login in logins for phase in login.rules.values()}
    assert phases == {"observe", "notify", "enforce"}
    enforced = {title for login in logins if login.knows_password
                for title, phase in login.rules.items() if phase == "enforce"}  # fmt: skip
    assert enforced == {"encryption", "mechanism", "smtp-auth-25", "pop3", "country"}
    ends = {(login.action, login.verified, login.knows_password) for login in logins}
    assert ends == {
        ("allow", True, True),
        ("allow", False, False),
        ("reject", True, True),  # after the password
        ("reject", False, True),  # before it
        ("reject", False, False),
    }
    spared = {title for login in logins for title in login.device.broken
              if title in timetable.phases(login.moment) and title not in login.rules}  # fmt: skip
    assert spared >= {"encryption", "mechanism"}  # by an exemption, and by grace
