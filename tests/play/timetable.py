"""What the university retires and when: its portcullis.conf, and the same policy
reckoned a second time, so that the play can say which login breaks what."""

import datetime

from dataclasses import dataclass, field

OBSERVE, NOTIFY, ENFORCE = "observe", "notify", "enforce"
HOME = ("DE", "AT", "CH")
DAY = 86400


def midnight(day):
    return datetime.datetime.combine(day, datetime.time()).timestamp()


@dataclass
class Rule:
    title: str
    kind: str
    options: str
    observe: datetime.date
    notify: datetime.date
    enforce: datetime.date
    brownouts: list = field(default_factory=list)  # (date, hour, hours)
    before_password: bool = False
    grace: int = 0  # days
    dates_before: list = field(default_factory=list)  # that it had before it was moved

    def __post_init__(self):
        self.reckon()

    def reckon(self):
        self.begins = [
            (midnight(self.enforce), ENFORCE),
            (midnight(self.notify), NOTIFY),
            (midnight(self.observe), OBSERVE),
        ]
        self.hours = [
            (midnight(day) + 3600 * hour, midnight(day) + 3600 * (hour + hours))
            for day, hour, hours in self.brownouts
        ]

    def move(self, days):
        self.dates_before.append(self.enforce)
        self.enforce += datetime.timedelta(days=days)
        self.reckon()

    def phase(self, moment):
        """None while it is off."""
        for begin, phase in self.begins:
            if moment >= begin:
                if phase == NOTIFY and any(a <= moment < b for a, b in self.hours):
                    return ENFORCE
                return phase
        return None

    def text(self):
        brownouts = ", ".join(
            f'"{day} {hour:02d}:00 +{hours}h"' for day, hour, hours in self.brownouts
        )
        return (
            f"rule {self.title} {{\n    kind = \"{self.kind}\"\n{self.options}"
            f'    observe = "{self.observe}"\n    notify = "{self.notify}"\n'
            f'    enforce = "{self.enforce}"\n'
            + (f'    grace = "{self.grace}d"\n' if self.grace else "")
            + (f"    brownouts = {{ {brownouts} }}\n" if brownouts else "")
            + "}\n"
        )

    def is_broken_by(self, way):
        if self.kind == "encryption":
            return way.tls == "none"
        if self.kind == "mechanism":
            return way.mechanism not in ("PLAIN", "LOGIN")
        if self.kind == "protocol":
            return way.service == "pop3"
        if self.kind == "submission-port":
            return way.service == "submission" and way.port not in (587, 465)
        if self.kind == "country":
            return way.service != "submission" and way.country not in HOME
        raise ValueError(self.kind)


def five_rules(first, observe_days, notify_days):
    """observe_days: until the notify phase of the first rule begins. notify_days: how long
    it is. Those of the others begin later."""

    def day(days):
        return first + datetime.timedelta(days=days)

    def rule(title, kind, options, observe, notify, **more):
        notify += observe_days
        return Rule(title, kind, options, day(min(observe, notify - 2)), day(notify),
                    day(notify + notify_days), **more)  # fmt: skip

    home = ", ".join(f'"{country}"' for country in HOME)
    encryption = rule("encryption", "encryption", "", 0, 0)
    end = encryption.enforce
    encryption.brownouts = [
        (end - datetime.timedelta(days=min(31, notify_days // 2)), 10, 4),
        (end - datetime.timedelta(days=min(10, notify_days // 3)), 10, 8),
    ]
    encryption.reckon()
    return [
        encryption,
        rule("mechanism", "mechanism", '    allow = { "PLAIN", "LOGIN" }\n', 0, 0, grace=7),
        rule("smtp-auth-25", "submission-port", "", 14, 7),
        rule("pop3", "protocol", '    services = { "pop3" }\n', 30, 30, grace=7,
             before_password=True),
        rule("country", "country",
             f'    services = {{ "imap", "pop3" }}\n    allow = {{ {home} }}\n', 40, 15,
             before_password=True),
    ]  # fmt: skip


class Move:
    """Of a rule's date, that many days before it."""

    def __init__(self, rule, before, days):
        self.rule = rule
        self.days = days
        self.old = rule.enforce
        self.on = rule.enforce - datetime.timedelta(days=before)
        self.new = rule.enforce + datetime.timedelta(days=days)


class Timetable:
    def __init__(self, first, observe_days, notify_days):
        self.first = first
        self.notify_days = notify_days
        self.rules = five_rules(first, observe_days, notify_days)
        self.by_title = {rule.title: rule for rule in self.rules}
        self.known_ways = {}
        # One date is moved on the day of its last calls, and one to an earlier day.
        self.moves = [
            Move(self.by_title["smtp-auth-25"], before=7, days=14),
            Move(self.by_title["pop3"], before=20, days=-6),
        ]

    def date(self, day):
        return self.first + datetime.timedelta(days=day)

    def day_of(self, rule):
        """The day on which it is enforced first."""
        return (rule.enforce - self.first).days

    def changes_on(self, day):
        return any(move.on == self.date(day) for move in self.moves)

    def begin_day(self, day):
        """True when the configuration changes on that day."""
        for move in self.moves:
            if move.on == self.date(day):
                move.rule.move(move.days)
        return self.changes_on(day)

    def rule(self, title):
        return self.by_title[title]

    def text(self):
        """As portcullis.conf has it."""
        return "".join(rule.text() for rule in self.rules)

    def own_date(self, person, rule, now=None):
        """The first day on which it holds for the person: exemptions that cover its date
        move that, and so does grace. now: when the person is told, if that was not before."""
        whole = [exemption for exemption in person.exemptions if not exemption.countries]
        date = self.end_of_exemptions(whole, rule)
        return max(date, self.end_of_grace(person, rule, now) or date)

    def own_date_there(self, person, rule):
        """The same for somebody who stays where he is."""
        country = next((device.way.country for device in person.devices
                        if device.way.country != device.home), None)  # fmt: skip
        there = [exemption for exemption in person.exemptions
                 if not exemption.countries or country in exemption.countries]  # fmt: skip
        date = self.end_of_exemptions(there, rule)
        return max(date, self.own_date(person, rule))

    @staticmethod
    def end_of_exemptions(exemptions, rule):
        """Of those that cover its date, one after the other; or else that date."""
        date = rule.enforce
        while True:
            ends = [exemption.last for exemption in exemptions
                    if exemption.title == rule.title
                    and exemption.first <= date <= exemption.last]  # fmt: skip
            if not ends:
                return date
            date = max(ends) + datetime.timedelta(days=1)

    @staticmethod
    def end_of_grace(person, rule, now=None):
        """None where there is none: the person was first seen early enough, or after the
        date."""
        seen = person.broke.get(rule.title)
        date, grace = midnight(rule.enforce), rule.grace * DAY
        if seen is None or not date - grace < seen < date:
            return None
        end = seen + 2 * grace
        told = person.told.get(rule.title, now)
        if told is not None:
            end = min(end, told + grace)
        last = datetime.datetime.fromtimestamp(end - 1).date()
        return last + datetime.timedelta(days=1)

    def phases(self, moment):
        """Of the rules that are not off, by title."""
        phases = {rule.title: rule.phase(moment) for rule in self.rules}
        return {title: phase for title, phase in phases.items() if phase}

    def changes_within(self, day):
        """Whether a phase changes within that day, beside at its midnight."""
        begin, end = midnight(self.date(day)), midnight(self.date(day + 1))
        return any(begin < moment < end for rule in self.rules for hours in rule.hours
                   for moment in hours)  # fmt: skip

    def broken_by(self, way):
        """Titles of rules, whatever their phase. There are few ways."""
        if way not in self.known_ways:
            self.known_ways[way] = tuple(
                rule.title for rule in self.rules if rule.is_broken_by(way)
            )
        return self.known_ways[way]
