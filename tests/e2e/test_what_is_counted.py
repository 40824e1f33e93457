"""The numbers of forecast and status, reckoned a second time from the journal by what
portcullis(1) says under WHAT IS COUNTED: of people by chance, half of whose addresses are
erased by now."""

import collections
import random
import time

import pytest

import mmdb

from recorded_site import DAY, RecordedSite, day

# Days from today, for each rule.
PHASES = {
    "encryption": {"observe": -50, "notify": -20, "enforce": 20},
    "strict": {"enforce": 40},
    "port": {"notify": -10, "enforce": 30},
    "country": {"enforce": 25},
}

RULES = """
rule encryption {{ minimum = "TLSv1.2" except-networks = {{ "campus" }} {encryption} }}
rule strict     {{ kind = "encryption" services = {{ "submission" }} minimum = "TLSv1.3" {strict} }}
rule port       {{ kind = "implicit-tls" services = {{ "imap" }} except-networks = {{ "campus" }}
                   {port} }}
rule country    {{ services = {{ "imap" }} allow = {{ "DE" }} except-networks = {{ "campus" }}
                   {country} }}
""".format(**{
    title: " ".join(f'{phase} = "{day(days)}"' for phase, days in phases.items())
    for title, phases in PHASES.items()
})  # fmt: skip

CAMPUS, LOCAL = "192.0.2.7", "192.168.1.1"
CLIENTS = [("DE", mmdb.CLIENTS["DE"][0]), ("US", "18.9.22.69"), ("", CAMPUS), ("", LOCAL),
           ("", "203.0.113.5")]  # fmt: skip
WAYS = [
    {"service": "imap", "port": 993, "tls": "implicit"},
    {"service": "imap", "port": 143, "tls": "none"},
    {"service": "imap", "port": 143, "tls": "starttls"},
    {"service": "submission", "port": 587, "tls": "none", "source": "postfix"},
    {"service": "submission", "port": 587, "tls": "starttls", "source": "postfix"},
]

# The newest version of TLS that a way may have.
TLS_1_1, TLS_1_2, ANY = 11, 12, 99


def broken(way, client, country, newest):
    rules = set()
    if client != CAMPUS:
        if way["tls"] == "none" or newest < 12:
            rules.add("encryption")
        if way["service"] == "imap" and way["port"] == 143:
            rules.add("port")
        if way["service"] == "imap" and client != LOCAL and country != "DE":
            rules.add("country")
    if way["service"] == "submission" and (way["tls"] == "none" or newest < 13):
        rules.add("strict")
    return rules


def phase_of(title, moment):
    begun = [phase for phase, days in PHASES[title].items()
             if time.mktime(time.strptime(day(days), "%Y-%m-%d")) <= moment]  # fmt: skip
    return begun[-1] if begun else None


def week(moment):
    """Since the Monday before 1970."""
    return int((moment + 3 * DAY) // (7 * DAY))


class Way:
    def __init__(self):
        self.weeks = set()

    def see(self, moment, form, country, client, recorded):
        self.weeks.add(week(moment))
        self.last = moment
        newest = ANY
        if form["tls"] != "none" and "encryption" in recorded:
            newest = TLS_1_1
        elif form["tls"] != "none" and "strict" in recorded:
            newest = TLS_1_2
        self.recorded, self.broken = recorded, broken(form, client, country, newest)


def populate(site, chance):
    """Returns the ways of each user, and the time of the latest record."""
    now = time.time()
    moments = sorted(now - chance.choice([60, 12]) * DAY * chance.random() for _ in range(1200))
    users = collections.defaultdict(lambda: collections.defaultdict(Way))
    for moment in moments:
        user, form = f"user{chance.randrange(120)}@example.org", chance.choice(WAYS)
        country, client = chance.choice(CLIENTS)
        newest = chance.choice([TLS_1_1, TLS_1_2, ANY]) if form["service"] == "submission" else ANY
        phases = {title: phase_of(title, moment)
                  for title in sorted(broken(form, client, country, newest))}
        recorded = {title: phase for title, phase in phases.items() if phase}
        verified = chance.random() < 0.9
        site.record(user, *map("=".join, recorded.items()), verified=verified, client=client,
                    days_ago=(time.time() - moment) / DAY, country=country, **form)  # fmt: skip
        if verified:
            key = (form["service"], form["port"], form["tls"], country, *recorded.items())
            users[user][key].see(moment, form, country, client, recorded)
    site.take()
    return [list(ways.values()) for ways in users.values()], moments[-1]


def forecast(users, latest, enforced):
    figures = collections.Counter()
    weeks = [[0, 0] for _ in range(8)]
    for ways in users:
        lately = [bool(way.broken & enforced) for way in ways if way.last >= latest - 30 * DAY]
        if lately:
            fate = "fine" if not any(lately) else "locked_out" if all(lately) else "partly"
            figures.update(("active_users", fate))
            figures["changed"] += fate == "fine" and any(way.broken & enforced for way in ways)
        for number, counts in enumerate(weeks):
            used = [way for way in ways if week(latest) - 7 + number in way.weeks]
            counts[0] += bool(used)
            counts[1] += any(way.broken & enforced for way in used)
    return figures, weeks


@pytest.mark.parametrize("seed", range(3))
def test_the_numbers_are_those_of_the_journal(tmp_path, seed):
    site = RecordedSite(tmp_path, RULES)
    users, latest = populate(site, random.Random(seed))
    for moment, enforced in (
        ((), set(PHASES)),
        (("--at", day(-45)), set()),
        (("--at", day(22)), {"encryption"}),
        (("--at", day(31)), {"encryption", "country", "port"}),
    ):
        figures, weeks = forecast(users, latest, enforced)
        answer = site.ask("forecast", *moment)
        for name in ("active_users", "fine", "partly", "locked_out", "changed"):
            assert answer[name] == figures[name], (moment, name)
        assert [[found["active_users"], found["affected"]] for found in answer["weeks"]] == weeks
    for rule in site.ask("status")["rules"]:
        assert rule["offenders"] == sum(
            any(rule["rule"] in way.recorded and way.last >= time.time() - 28 * DAY for way in ways)
            for ways in users
        ), rule
