"""Invented people, and the programs by which each of them reads and sends mail."""

import datetime
import random

from dataclasses import dataclass, field

DOMAIN = "uni.example"
WEEK = 7  # days, on the first of which the operator has time for exemptions
NO_ADDRESS, FULL = "x", "b"  # how names begin: nothing is sent, or all comes back


@dataclass(frozen=True)
class Way:
    """How a login comes."""

    service: str
    port: int
    tls: str
    mechanism: str = "PLAIN"
    country: str = "DE"


IMAPS = Way("imap", 993, "implicit")
POP3S = Way("pop3", 995, "implicit")
SMTPS = Way("submission", 465, "implicit")
SUBMISSION = Way("submission", 587, "starttls")

# What is wrong with a device's settings, with weights: reading, then sending.
READING = [
    (Way("imap", 143, "none"), 30),
    (Way("imap", 143, "none", "CRAM-MD5"), 4),
    (Way("imap", 993, "implicit", "CRAM-MD5"), 3),
    (Way("pop3", 995, "implicit"), 14),
    (Way("pop3", 110, "none"), 9),
    (Way("pop3", 110, "starttls"), 3),
]
SENDING = [
    (Way("submission", 25, "starttls"), 12),
    (Way("submission", 25, "none"), 8),
    (Way("submission", 587, "none"), 5),
    (Way("submission", 587, "starttls", "CRAM-MD5"), 4),
]

# name, its versions one after another, what it calls itself when it sends.
DESKTOPS = [
    ("Thunderbird", ["115.8.1", "115.9.0", "115.10.1", "115.12.0", "128.0", "128.2"], "[{lan}]"),
    ("Apple Mail", ["3774.500", "3774.600", "3776.700"], "{name}s-mbp.lan"),
    ("Outlook", ["16.0.1"], "DESKTOP-{code}"),
    ("Evolution", ["3.46.4", "3.52.1"], "{name}-laptop"),
]
PHONES = [
    ("iPhone Mail", ["21D61", "21E236", "21F79", "21G93", "22A3354"], "smtpclient.apple"),
    ("iPhone Mail", ["16G77"], "smtpclient.apple"),
    ("Android Mail", ["2024.1", "2024.3", "2024.6"], "localhost"),
    ("K-9 Mail", ["6.802", "6.804", "8.0"], "localhost"),
    ("Samsung Email", ["6.1.90", "6.1.91"], "localhost"),
]
NAMELESS = [("", [""], "localhost"), ("", [""], "[{lan}]")]
SCANNER = ("", [""], "scanner{code}")

ABROAD = ["FR", "US", "CA", "JP", "BR"]
ATTACK = Way("imap", 143, "none", country="BR")


@dataclass(eq=False)
class Device:
    """One program of one person. Its reading and its sending are two devices, as the
    servers see them."""

    knows_password = True

    person: "Person"
    program: str
    versions: list
    way: Way
    helo: str
    gap: float  # days from one day of use to the next, on average
    begin: int  # the first day
    version: int = 0
    uses_a_day: int = 1
    hour: float = 9.0  # about which it is used
    number: int = 1  # the last of its address
    end: int = 10**6  # not used from this day on
    home: str = "DE"
    next_use: int = 0
    parts: tuple = None  # see writers.py
    row: list = None  # see record.py
    broken: tuple = ()  # titles of the rules that its way breaks
    came: tuple = ()  # titles of those that it broke, set up as it is now
    seen: dict = field(default_factory=dict)  # title: when that was first recorded as such

    @property
    def client_id(self):
        if self.way.service == "submission":
            return self.helo
        if self.way.service == "pop3" or not self.program:
            return ""
        return f"name={self.program} version={self.versions[self.version]}"

    def move(self, way, timetable):
        """From now on it comes in this way, from another country for instance."""
        self.way = way
        self.parts = self.row = None
        self.broken = timetable.broken_by(way)

    def mend(self, way, timetable):
        """Its settings are new, and what was recorded of the old ones is over."""
        self.move(way, timetable)
        self.came = ()
        self.seen = {}

    def update(self):
        """Its program has a newer version."""
        if self.version + 1 < len(self.versions):
            self.version += 1
            self.parts = self.row = None


class Stranger(Device):
    """Somebody else's, who tries passwords."""

    knows_password = False

    @classmethod
    def of(cls, person, number, timetable):
        stranger = cls(person, "", [""], ATTACK, "", gap=1, begin=0, number=number)
        stranger.broken = timetable.broken_by(ATTACK)
        return stranger


@dataclass(eq=False)
class Person:
    name: str
    readiness: float  # 0: never changes anything; 1: at once
    devices: list = field(default_factory=list)
    exemptions: list = field(default_factory=list)  # Exemption, as far as they are entered
    grace: list = field(default_factory=list)  # the same, as far as the servers know them
    rows: dict = field(default_factory=dict)  # see record.py
    broke: dict = field(default_factory=dict)  # title: when that was first recorded
    told: dict = field(default_factory=dict)  # title: moment of the first notice of it
    told_last: dict = field(default_factory=dict)  # title: moment of the last one
    told_times: dict = field(default_factory=dict)  # title: moments, since all was well
    mails: int = 0
    reacts_on: int = -1  # the day on which something is changed
    returns_on: int = -1  # from abroad

    @property
    def user(self):
        return f"{self.name}@{DOMAIN}"

    @property
    def has_no_address(self):
        return self.name.startswith(NO_ADDRESS)

    @property
    def mails_come_back(self):
        return self.name.startswith(FULL)

    def is_there(self, day):
        """Whether they will then still be where they are now."""
        return self.returns_on < 0 or self.returns_on > day

    def let_off(self, date, country):
        """The titles of the rules that do not hold for the person there on that day."""
        return {exemption.title for exemption in self.exemptions + self.grace
                if exemption.first <= date <= exemption.last
                and (not exemption.countries or country in exemption.countries)}  # fmt: skip


@dataclass(frozen=True)
class Exemption:
    title: str
    first: datetime.date
    last: datetime.date
    entered: int  # the day on which the operator writes it down
    countries: tuple = ()  # of a rule about countries, those that it adds; none: all of it

    @property
    def rules(self):
        """As the file names it."""
        return f"{self.title}={','.join(self.countries)}" if self.countries else self.title


@dataclass(frozen=True)
class Semester:
    """Abroad."""

    person: Person
    country: str
    first: int  # days
    last: int


@dataclass(frozen=True)
class Mix:
    """Shares of people, and their ways."""

    offenders: float = 0.38  # have a device with settings that are to go
    several: float = 0.35  # of these, more than one
    rare: float = 0.12  # of devices, used less than every ten days
    phones: float = 0.45
    nameless: float = 0.2
    twins: float = 0.08  # of offenders, have the same program once more, with right settings
    never: float = 0.12  # change nothing, whatever they are told
    slow: float = 0.3
    travel: float = 0.06  # are abroad once
    leave: float = 0.05  # leave, or come, within the months of the play
    new_offenders: float = 0.03  # get an old device out of a drawer meanwhile
    last_minute: float = 0.005  # do so in the ten days before a date
    let_off: float = 0.04  # of offenders, have an exemption
    semesters: float = 0.004  # are abroad for a long time, and let off while they said so
    unreachable: float = 0.006  # have no address, or one that takes no mail


MIXES = {
    "university": Mix(),
    "company": Mix(offenders=0.2, several=0.2, phones=0.3, nameless=0.1, never=0.04, leave=0.02),
    "provider": Mix(offenders=0.6, several=0.15, nameless=0.5, never=0.3, slow=0.4, travel=0.02),
    "holiday": Mix(rare=0.4, travel=0.2, leave=0.1),
}


def choose(source, weighted):
    return source.choices([value for value, _ in weighted], [weight for _, weight in weighted])[0]


class University:
    """timetable: in which they will live, whose dates somebody comes just before."""

    def __init__(self, people, seed, mix, days, timetable):
        self.random = random.Random(seed)
        self.mix = mix
        self.days = days
        self.timetable = timetable
        self.exemptions = []  # all that will be entered: (person, exemption)
        self.semesters = []
        self.people = [self._person(number) for number in range(people)]

    def _person(self, number):
        source, mix = self.random, self.mix
        luck = source.random()
        readiness = 0.0 if luck < mix.never else source.uniform(0.1, 0.4) \
            if luck < mix.never + mix.slow else source.uniform(0.5, 1.0)  # fmt: skip
        luck = source.random()
        kind = NO_ADDRESS if luck < mix.unreachable / 2 else FULL if luck < mix.unreachable else "p"
        person = Person(f"{kind}{number:06d}", readiness)
        begin = source.randrange(self.days) if source.random() < mix.leave / 2 else 0
        offends = source.random() < mix.offenders
        wrong = 0
        if offends:
            wrong = 1 + (source.random() < mix.several)
        for _ in range(wrong):
            self.add_program(person, begin, wrong=True)
        for _ in range(source.choice([0, 1, 1, 2]) if offends else source.choice([1, 2, 2, 3])):
            self.add_program(person, begin, wrong=False)
        if offends and source.random() < mix.twins:
            self.add_twin(person, begin)
        if offends and source.random() < mix.let_off:
            self.let_off(person)
        if source.random() < mix.semesters:
            self.send_abroad(person)
        if source.random() < mix.new_offenders:
            self.add_program(person, source.randrange(self.days), wrong=True)
        if source.random() < mix.last_minute:
            self.add_last_minute(person)
        if source.random() < mix.leave / 2:
            end = source.randrange(self.days)
            for device in person.devices:
                device.end = end
        return person

    def add_program(self, person, begin, wrong):
        """One that reads, and sends in two of three cases; what is wrong may be one of
        both, or both."""
        source, mix = self.random, self.mix
        luck = source.random()
        pool = NAMELESS if luck < mix.nameless else PHONES \
            if luck < mix.nameless + mix.phones else DESKTOPS  # fmt: skip
        program, versions, helo = source.choice(pool)
        sends = source.random() < 0.66
        reading, sending = IMAPS, source.choice([SMTPS, SUBMISSION])
        if wrong:
            fault = source.random()
            if fault < 0.55 or not sends:
                reading = choose(source, READING)
            elif fault < 0.8:
                sending = choose(source, SENDING)
            else:
                reading, sending = choose(source, READING), choose(source, SENDING)
        if wrong and source.random() < 0.03:
            program, versions, helo = SCANNER
            sends, reading = True, None
            sending = choose(source, SENDING)
        gap = source.uniform(10, 45) if source.random() < mix.rare else \
            choose(source, [(1.05, 60), (1.5, 20), (3, 12), (7, 8)])  # fmt: skip
        version = source.randrange(len(versions)) if len(versions) > 1 else 0
        version = min(version, max(0, len(versions) - 4))
        helo = self.helo(helo, person)
        for way, rarer in ((reading, 1.0), (sending if sends else None, 1.6)):
            if way is not None:
                self.add_device(person, program, versions, way, helo, gap * rarer, begin, version)

    def helo(self, text, person):
        return text.format(
            lan=f"192.168.{self.random.randrange(256)}.{self.random.randrange(1, 255)}",
            name=person.name,
            code=f"{self.random.randrange(16**6):06X}",
        )

    def add_device(self, person, program, versions, way, helo, gap, begin, version):
        device = Device(person, program, versions, way, helo, gap, begin, version,
                        uses_a_day=self.random.choice([1, 2, 3, 5]),
                        hour=self.random.uniform(6.5, 22.5),
                        number=self.random.randrange(1, 255))  # fmt: skip
        device.move(way, self.timetable)
        person.devices.append(device)

    def add_twin(self, person, begin):
        """A second telephone of the same kind, another version of it or the same."""
        first = self.random.choice(person.devices)
        way = SMTPS if first.way.service == "submission" else IMAPS
        self.add_device(person, first.program, first.versions, way, first.helo,
                        choose(self.random, [(1.05, 60), (3, 20)]), begin,
                        self.random.randrange(len(first.versions)))  # fmt: skip

    def let_off(self, person):
        """Beyond a rule's date in most cases, and by somebody who is rarely seen in some."""
        source = self.random
        rules = [self.timetable.rule(title) for device in person.devices
                 for title in device.broken]  # fmt: skip
        if not rules:
            return
        rule = source.choice(rules)
        more = source.randrange(12, 45) if source.random() < 0.85 else -source.randrange(5, 40)
        entered = 0 if more < 0 or source.random() < 0.5 \
            else source.randrange(self.timetable.day_of(rule) - 4) // WEEK * WEEK  # fmt: skip
        last = max(rule.enforce + datetime.timedelta(days=more), self.timetable.date(entered))
        exemption = Exemption(rule.title, self.timetable.date(entered), last, entered)
        self.exemptions.append((person, exemption))
        if source.random() < 0.3:
            for device in person.devices:
                device.gap = max(device.gap, source.uniform(20, 40))

    def send_abroad(self, person):
        """Some stay for longer than they said."""
        source = self.random
        first = source.randrange(max(WEEK, self.days - 60)) // WEEK * WEEK
        said = first + source.randrange(30, 80)
        country = source.choice(ABROAD)
        stays = said + (20 if source.random() < 0.4 else 0)
        self.semesters.append(Semester(person, country, first, stays))
        self.exemptions.append((person, Exemption(
            "country", self.timetable.date(first), self.timetable.date(said), first, (country,)
        )))  # fmt: skip

    def add_last_minute(self, person):
        rule = self.random.choice(self.timetable.rules)
        begin = self.timetable.day_of(rule) - self.random.randrange(1, 11)
        self.add_program(person, begin, wrong=True)
