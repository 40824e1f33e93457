"""Some logins of each day are made on real servers: they must tell the client what the play
thinks, and write the lines that the play writes."""

import copy
import itertools
import random

from dataclasses import dataclass, replace

from comparison import differences
from real_servers import Attempt
from site_under_test import exemption_lines, grace_lines
from timetable import midnight
from writers import DayOfJournal, client

OF_A_KIND = 3  # logins that are kept to choose from
MINUTE = 60  # more than a login takes; the clock of servers does not go back
LATER = 20  # seconds until the same person tries again


@dataclass
class Login:
    """As it was made in the play."""

    device: object
    moment: float
    rules: dict
    verified: bool
    action: str
    knows_password: bool = True

    def attempt(self):
        device = self.device
        program = None
        if device.way.service == "imap" and device.program:
            program = (device.program, device.versions[device.version])
        return Attempt(self.moment, device.person.user, device.way, client(device), program,
                       device.helo, self.knows_password)  # fmt: skip

    def is_let_in(self):
        return self.knows_password and self.action == "allow"

    def is_usual(self):
        return self.action == "allow" and not is_let_off(self.device.person)

    def again(self, **changes):
        """A little later."""
        return replace(self, moment=self.moment + LATER, **changes)


def is_let_off(person):
    return bool(person.exemptions or person.grace)


class Day(DayOfJournal):
    """Keeps some logins of every kind."""

    def __init__(self, directory, timetable, day, seed):
        super().__init__(directory, timetable, day)
        self.timetable = timetable
        self.day = day
        self.end = midnight(timetable.date(day + 1))
        self.random = random.Random(f"{seed} {day}")
        self.kinds = {}  # of each, how many there were, and some of them

    def sighting(self, device, moment, rules, verified, action):
        kind = (device.way, bool(device.client_id), tuple(rules.items()), verified, action,
                device.knows_password, is_let_off(device.person))  # fmt: skip
        number, kept = self.kinds.get(kind, (0, []))
        self.kinds[kind] = (number + 1, kept)
        # A wrong password makes half a second's wait.
        wanted = OF_A_KIND if device.knows_password else 1
        place = number if number < wanted else self.random.randrange(number + 1)
        if place < wanted:
            # It may be another device tomorrow.
            login = Login(copy.copy(device), moment, rules, verified, action, device.knows_password)
            kept[place : place + 1] = [login]
        return super().sighting(device, moment, rules, verified, action)

    def choose(self, number):
        """So many, as different ones as there are, before all those that are refused or let
        off, in the order of time. Some come once more, and some of these mistype the
        password."""
        kinds = [kept for _, kept in self.kinds.values()]
        self.random.shuffle(kinds)
        kinds.sort(key=lambda kept: kept[0].is_usual())
        by_turns = [login for turn in itertools.zip_longest(*kinds) for login in turn if login]
        chosen = self._without_those_in_doubt(by_turns[:number])
        return [one for login in chosen for one in self._with_more(login)]

    def _without_those_in_doubt(self, logins):
        """What happens shall not depend on how fast a server is, nor on whether it thinks
        that two programs are one (see policy/first-of-day.h)."""
        taken, known, free = [], set(), 0
        for login in sorted(logins, key=lambda login: login.moment):
            device, after = login.device, login.moment + MINUTE
            key = (device.person.name, device.way.service, device.way.port)
            if (
                login.moment < free
                or self.timetable.phases(login.moment) != self.timetable.phases(after)
                or after >= self.end
                or (not login.rules and key in known)
            ):
                continue
            known.add(key)
            free = after
            taken.append(login)
        return taken

    def _with_more(self, login):
        yield login
        luck = self.random.random()
        if luck < 0.2:
            yield login.again()
        elif luck < 0.3:
            yield login.again(knows_password=False, verified=False)


class Sample:
    """servers: ServersApart. number: of logins a day."""

    def __init__(self, servers, number, seed):
        self.servers = servers
        self.number = number
        self.seed = seed
        self.made = []  # logins
        self.differences = []

    def begin_day(self, directory, timetable, day):
        return Day(directory, timetable, day, self.seed)

    def compare(self, day, people):
        """Makes logins of a day on the real servers."""
        logins = day.choose(self.number)
        if not logins:
            return
        self.servers.set_policy(day.timetable.text(), exemption_lines(people), grace_lines(people))
        outcomes, events = self.servers.log_in([login.attempt() for login in logins])
        self.made += logins
        self.differences += differences(logins, outcomes, events, self._lines(day, logins))

    def end(self):
        if self.differences:
            self.servers.keep_logs()
        self.servers.stop()

    def _lines(self, day, logins):
        """Those that the play writes when there are no others: of each login, or None."""
        writer = DayOfJournal(None, day.timetable, day.day)
        for login in logins:
            yield writer.line(login.device, login.moment, login.rules, login.verified,
                              login.action)  # fmt: skip
