"""The numbers of forecast, status and user, reckoned a second time from the journal by what
portcullis(1) says of them and under WHAT IS COUNTED: of people by chance, half of whose
addresses are erased by now, and some of whom were told."""

import collections
import contextlib
import random
import sqlite3
import time

import pytest

import mmdb
import weights

from recorded_site import DAY, RecordedSite, day, midnight, phase_of, week

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

# By what they say of themselves; a host's name is that of no program.
PROGRAMS = {
    "name=Thunderbird version=115.3": "Thunderbird",
    "name=Thunderbird version=128": "Thunderbird",
    "name=K-9 Mail version=6.8": "K-9 Mail",
    "name=Mutt": "Mutt",
    "laptop.example.org": "",
    "": "",
}

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


class Way:
    def __init__(self):
        self.weeks, self.first, self.days_of_use = set(), None, weights.DaysOfUse()

    def see(self, moment, form, country, client, recorded):
        self.weeks.add(week(moment))
        self.days_of_use.see(moment)
        self.first = self.first or moment
        self.last, self.form, self.country = moment, form, country
        newest = ANY
        if form["tls"] != "none" and "encryption" in recorded:
            newest = TLS_1_1
        elif form["tls"] != "none" and "strict" in recorded:
            newest = TLS_1_2
        self.recorded, self.broken = recorded, broken(form, client, country, newest)


def populate(site, chance):
    """Returns the ways of each user, and the times of the first and the latest record."""
    now = time.time()
    moments = sorted(now - chance.choice([60, 12]) * DAY * chance.random() for _ in range(1200))
    users = collections.defaultdict(lambda: collections.defaultdict(Way))
    for moment in moments:
        user = f"user{chance.randrange(250)}@example.org"
        form = chance.choice(WAYS) | {"client_id": chance.choice(list(PROGRAMS))}
        country, client = chance.choice(CLIENTS)
        newest = chance.choice([TLS_1_1, TLS_1_2, ANY]) if form["service"] == "submission" else ANY
        phases = {title: phase_of(PHASES, title, moment)
                  for title in sorted(broken(form, client, country, newest))}
        recorded = {title: phase for title, phase in phases.items() if phase}
        verified = chance.random() < 0.9
        site.record(user, *map("=".join, recorded.items()), verified=verified, client=client,
                    days_ago=(time.time() - moment) / DAY, country=country, **form)  # fmt: skip
        if verified:
            key = (*form.items(), country, *recorded.items())
            users[user][key].see(moment, form, country, client, recorded)
    site.take()
    ways = {user: list(found.values()) for user, found in users.items()}
    return ways, moments[0], moments[-1]


HANDED_OVER = 1


def tell(site, users, chance):
    """Returns when each user was told of which rules, as far as that counts."""
    told = collections.defaultdict(list)
    rows = []
    for user in chance.sample(sorted(users), 150):
        for _ in range(chance.randrange(1, 4)):
            moment = time.time() + chance.choice([-40 * chance.random(), -40, 0.5, 1.5]) * DAY
            reason = chance.choice(["first", "reminder", "last-call", "refused", "fixed"])
            state = chance.choice([0, HANDED_OVER, HANDED_OVER, HANDED_OVER, 2, 3])
            rules = chance.sample(sorted(PHASES), chance.randrange(1, 3))
            rows.append((user, reason, ",".join(rules), state, int(moment * 1000)))
            if state == HANDED_OVER and reason != "fixed" and moment <= time.time() + DAY:
                told[user].append((moment, set(rules)))
    with contextlib.closing(sqlite3.connect(site.store)) as store, store:
        store.executemany(
            "INSERT INTO notices (user, recipient, message_id, reason, rules, state, intended,"
            " settled, attempts, error) VALUES (?1, ?1, '', ?2, ?3, ?4, ?5, ?5, 1, '')", rows
        )  # fmt: skip
        store.execute("UPDATE users SET told = 1 WHERE name IN (SELECT user FROM notices)")
    return told


def rules_of(titles):
    """In the order of the file."""
    return [
        weights.Rule(title, midnight(min(phases.get("notify", 10000), phases["enforce"])),
                     midnight(phases["enforce"]), title != "country")
        for title, phases in PHASES.items() if title in titles
    ]  # fmt: skip


def outlook(site, users, latest, begun, enforced, known):
    """begun: those of the rules that are asked about that are not off."""
    ways = {user: [(way, way.broken & begun) for way in found] for user, found in users.items()}
    return weights.Outlook(ways, rules_of(begun), enforced, latest, latest - 30 * DAY,
                           weights.quiet_weekends(site.store, latest), known,
                           programs=PROGRAMS)  # fmt: skip


def count_told(users, told, latest, asked, outlook):
    """Of those who were seen lately: who was told, and is to be expected to have changed."""
    found = [user for user, ways in users.items()
             if any(way.last >= latest - 30 * DAY for way in ways)
             and any(titles & asked for _, titles in told[user])]  # fmt: skip
    return len(found), sum(outlook.changed[user] for user in found)


def count_weeks(users, latest, enforced):
    weeks = [[0, 0] for _ in range(8)]
    for ways in users.values():
        for number, counts in enumerate(weeks):
            used = [way for way in ways if week(latest) - 7 + number in way.weeks]
            counts[0] += bool(used)
            counts[1] += any(way.broken & enforced for way in used)
    return weeks


def check_forecast(site, users, told, latest):
    every, known = set(PHASES), {}
    cases = [((), every, every, every), (("--rule", "port"), *[{"port"}] * 3)]
    for days in -45, 22, 31:
        phases = {title: phase_of(PHASES, title, midnight(days)) for title in PHASES}
        cases.append((("--at", day(days)), every, {title for title in PHASES if phases[title]},
                      {title for title in PHASES if phases[title] == "enforce"}))  # fmt: skip
    for options, asked, begun, enforced in cases:
        answer = site.ask("forecast", *options)
        expected = outlook(site, users, latest, begun, enforced, known)
        expected.check(answer)
        all_told, changed = count_told(users, told, latest, asked, expected)
        assert answer["told"] == all_told, options
        assert weights.is_nearest(answer["told_changed"], changed), options
        assert [[found["active_users"], found["affected"]] for found in answer["weeks"]] == (
            count_weeks(users, latest, enforced))


def check_status(site, users, first, latest):
    now, every = time.time(), set(PHASES)
    offenders = {user: ways for user, ways in users.items() if any(way.recorded for way in ways)}
    expected = outlook(site, offenders, latest, every, every, {}).rules
    for rule in site.ask("status")["rules"]:
        title = rule["rule"]
        breaking = [[way for way in ways if title in way.recorded] for ways in users.values()]
        begin = midnight(min(PHASES[title].values()))
        start = {week(max(begin, first)) + number for number in range(4)}
        at_start = sum(any(way.weeks & start for way in ways) for ways in breaking)
        assert weights.is_nearest(rule["offenders"], expected[title][0]), title
        if week(now) <= max(start):
            at_start = rule["offenders"]
        assert rule["offenders_at_start"] == at_start, title


def check_users(site, users, chance):
    """What an exemption saves is fine, too."""
    for user in chance.sample(sorted(users), 5):
        site.exemptions.write_text(f"{user} encryption,country {day(5)}\n")
        last = {}
        for way in users[user]:
            key = (*(way.form[name] for name in ("service", "port", "tls", "client_id")), way.country)
            last[key] = max(way, last.get(key, way), key=lambda way: way.last)
        programs = {
            tuple(found[name] for name in ("service", "port", "tls", "client_id", "country")): found
            for found in site.ask("user", user)["programs"] if found["verified"]
        }  # fmt: skip
        assert programs.keys() == last.keys()
        for key, way in last.items():
            assert {rule["rule"] for rule in programs[key]["rules"]} == way.broken
            assert programs[key]["fine"] == (not way.broken - {"encryption", "country"}), key
    site.exemptions.write_text("")


@pytest.mark.sqlite
@pytest.mark.parametrize("seed", range(3))
def test_the_numbers_are_those_of_the_journal(tmp_path, seed):
    site, chance = RecordedSite(tmp_path, RULES), random.Random(seed)
    users, first, latest = populate(site, chance)
    told = tell(site, users, chance)
    check_forecast(site, users, told, latest)
    check_status(site, users, first, latest)
    check_users(site, users, chance)
