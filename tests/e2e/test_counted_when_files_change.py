"""The answers reckoned a second time, by what portcullis(1) says under WHAT IS COUNTED, of
people by chance, while networks and minimums change between records, imports and questions,
and addresses are erased."""

import collections
import functools
import ipaddress
import json
import random
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
    "country": {"observe": -90, "enforce": -5},
    "known": {"observe": -1000},
    "mechanism": {"notify": -3, "enforce": 3},
}
KINDS = {"strict": "encryption", "port": "implicit-tls", "known": "country"}
SERVICES = {"strict": ["submission"], "port": ["imap"], "country": ["imap"], "known": ["imap", "submission"]}
LOGINS = ["imap", "pop3", "sieve", "submission"]
ALLOWED = {"country": ["DE"], "known": ["DE", "US"]}

PREFIXES = ["192.0.2.0/24", "192.0.2.0/25", "192.0.2.128/25", "198.51.100.0/24", "198.51.0.0/16",
            "100.64.0.0/16", "10.0.0.0/8", "10.1.0.0/16", "2001:db8::/32", "2001:db8:5::/48", "::/0",
            "2a01:4f8::/32", "78.46.0.0/15", "18.0.0.0/8"]  # fmt: skip
CLIENTS = ["192.0.2.7", "192.0.2.200", "198.51.100.5", "198.51.7.5", "100.64.3.4", "10.1.2.3",
           "10.200.2.3", "2001:db8::7", "2001:db8:5::7", "127.0.0.1", "fe80::7",
           *mmdb.CLIENTS["DE"], *mmdb.CLIENTS["US"], *mmdb.CLIENTS["FR"]]  # fmt: skip
LOCAL = [ipaddress.ip_network(text) for text in
         ("100.64.0.0/10", "10.0.0.0/8", "127.0.0.0/8", "fe80::/10")]  # fmt: skip
COUNTRIES = {address: country for country, addresses in mmdb.CLIENTS.items()
             for address in addresses if country != "unknown"}  # fmt: skip

FORMS = [
    {"service": "imap", "port": 993, "tls": "implicit"},
    {"service": "imap", "port": 143, "tls": "none"},
    {"service": "imap", "port": 143, "tls": "starttls"},
    {"service": "pop3", "port": 995, "tls": "implicit"},
    {"service": "submission", "port": 587, "tls": "none", "source": "postfix"},
    {"service": "submission", "port": 587, "tls": "starttls", "source": "postfix"},
    {"service": "submission", "port": 465, "tls": "implicit", "source": "postfix"},
]
VERSIONS = {"TLSv1": 10, "TLSv1.1": 11, "TLSv1.2": 12, "TLSv1.3": 13}
ANY = 99
KEEP = 14 * DAY


def number(address):
    """IPv4 within IPv6, so that ranges are of one kind."""
    address = ipaddress.ip_address(address)
    return int(address) + (0xFFFF << 32 if address.version == 4 else 0)


def is_local(client):
    return any(ipaddress.ip_address(client) in network for network in LOCAL)


class Files:
    """One state of the configuration."""

    def __init__(self, chance):
        names = chance.sample(["lab", "library", "halls", "vpn"], chance.randrange(1, 4))
        self.networks = {name: chance.sample(PREFIXES, chance.randrange(1, 4)) for name in names}
        self.networks["campus"] = ["192.0.2.0/24"]  # as in every file of these tests
        names.append("campus")
        self.excepted = {title: chance.sample(names, chance.randrange(len(names))) for title in PHASES}
        self.minimums = {"encryption": chance.choice(["TLSv1.1", "TLSv1.2"]),
                         "strict": chance.choice(["TLSv1.2", "TLSv1.3"])}  # fmt: skip

    def text(self):
        lines = [f"network {name} {{ addresses = {{ " + ", ".join(f'"{a}"' for a in prefixes) + " } }"
                 for name, prefixes in self.networks.items() if name != "campus"]  # fmt: skip
        for title, phases in PHASES.items():
            options = [f'kind = "{KINDS.get(title, title)}"']
            options += [f'{phase} = "{day(days)}"' for phase, days in phases.items()]
            if title in SERVICES:
                options.append("services = { " + ", ".join(f'"{s}"' for s in SERVICES[title]) + " }")
            if title in ALLOWED:
                options.append("allow = { " + ", ".join(f'"{c}"' for c in ALLOWED[title]) + " }")
            if title in self.minimums:
                options.append(f'minimum = "{self.minimums[title]}"')
            if self.excepted[title]:
                options.append("except-networks = { "
                               + ", ".join(f'"{n}"' for n in self.excepted[title]) + " }")
            lines.append(f"rule {title} {{\n" + "\n".join(options) + "\n}")
        return "\n".join(lines) + "\n"

    @functools.cache
    def ranges(self, *names):
        """Those of some networks; such as overlap are one."""
        found = []
        for name in names:
            for prefix in map(ipaddress.ip_network, self.networks[name]):
                first, last = number(prefix[0]), number(prefix[-1])
                if prefix.version == 6 and prefix.prefixlen == 0:
                    # ::/0 is all of IPv6, of which IPv4 is no part here.
                    found += [(0, (0xFFFF << 32) - 1), ((1 << 48), (1 << 128) - 1)]
                else:
                    found.append((first, last))
        joined = []
        for first, last in sorted(found):
            if joined and first <= joined[-1][1]:
                joined[-1] = (joined[-1][0], max(last, joined[-1][1]))
            else:
                joined.append((first, last))
        return joined

    def common_range(self, client):
        """Of all networks that hold a client; None: none does."""
        holding = [(first, last) for name in self.networks for first, last in self.ranges(name)
                   if first <= number(client) <= last]  # fmt: skip
        if not holding:
            return None
        return max(first for first, _ in holding), min(last for _, last in holding)

    def is_excepted(self, title, place):
        """place: a range, all of which must be inside; ranges may adjoin."""
        if place is None:
            return False
        first, last = place
        for begin, end in self.ranges(*self.excepted[title]):
            if begin <= first <= end:
                first = end + 1
        return first > last

    def broken(self, form, place, local, country, newest):
        """The rules that such a way breaks; newest: the newest version that TLS may have."""
        rules = set()
        for title in PHASES:
            kind = KINDS.get(title, title)
            if form["service"] not in SERVICES.get(title, LOGINS) or self.is_excepted(title, place):
                continue
            if kind == "encryption":
                breaks = form["tls"] == "none" or newest < VERSIONS[self.minimums[title]]
            elif kind == "implicit-tls":
                breaks = form["port"] not in (993, 995, 465)
            elif kind == "country":
                breaks = not local and country not in ALLOWED[title]
            else:
                breaks = form["mechanism"] not in ("PLAIN", "LOGIN")
            if breaks:
                rules.add(title)
        return rules

    def too_old(self, form, recorded):
        """The lowest minimum that was recorded as not reached in spite of TLS."""
        return min((VERSIONS[self.minimums[title]] for title in recorded
                    if title in self.minimums and form["tls"] != "none"), default=None)  # fmt: skip


class Way:
    def __init__(self, form, country, recorded):
        self.form, self.country, self.recorded = form, country, recorded
        self.weeks, self.moments, self.noted = set(), [], None
        self.days_of_use = weights.DaysOfUse()

    def see(self, moment, client):
        self.weeks.add(week(moment))
        self.days_of_use.see(moment)
        if moment >= max(self.moments, default=0):
            self.client, self.noted = client, None
        self.moments.append(moment)

    def import_by(self, files, now, keeping):
        """What an import notes; keeping: of when addresses are kept from then on."""
        if self.noted is None:
            self.noted = files.common_range(self.client), is_local(self.client)
            self.below = files.too_old(self.form, self.recorded)
            self.erased = self.last < now - KEEP
        elif not self.erased:
            self.noted = files.common_range(self.client), is_local(self.client)
        self.erased |= self.last < keeping

    @property
    def first(self):
        return min(self.moments)

    @property
    def last(self):
        return max(self.moments)

    @functools.cache
    def broken(self, files):
        newest = ANY if self.below is None else self.below - 1
        if self.erased:
            place, local = self.noted
            return files.broken(self.form, place, local, self.country, newest)
        place = (number(self.client),) * 2
        country = self.country or COUNTRIES.get(self.client, "")
        return files.broken(self.form, place, is_local(self.client), country, newest)


class People:
    def __init__(self, site, chance):
        self.site, self.chance = site, chance
        self.verified = collections.defaultdict(dict)
        self.unverified = collections.defaultdict(dict)
        self.latest = 0

    def record(self, files, moments, people):
        chance = self.chance
        for moment in sorted(moments):
            user = f"user{chance.randrange(people)}@example.org"
            form = chance.choice(FORMS) | {
                "mechanism": chance.choice(["PLAIN", "PLAIN", "LOGIN", "CRAM-MD5"]),
                "client_id": chance.choice(["", "name=Thunderbird version=115.3"]),
            }
            client, newest = chance.choice(CLIENTS), chance.choice([10, 11, 12, 13])
            if form["service"] != "submission":
                newest = ANY
            # Some of them before there was a database.
            country = COUNTRIES.get(client, "") if chance.random() < 0.9 else ""
            verified = chance.random() < 0.85
            broken = files.broken(form, (number(client),) * 2, is_local(client),
                                  COUNTRIES.get(client, ""), newest)  # fmt: skip
            recorded = {title: phase_of(PHASES, title, moment) for title in sorted(broken)
                        if phase_of(PHASES, title, moment)}  # fmt: skip
            self.site.record(user, *map("=".join, recorded.items()), verified=verified,
                             client=client, country=country,
                             days_ago=(time.time() - moment) / DAY, **form)  # fmt: skip
            self.latest = max(self.latest, moment)
            ways = (self.verified if verified else self.unverified)[user]
            key = (*form.items(), country, *recorded.items())
            ways.setdefault(key, Way(form, country, recorded)).see(moment, client)

    def ways(self, everybody=False):
        for users in (self.verified, self.unverified)[: 1 + everybody]:
            for ways in users.values():
                yield from ways.values()

    def take(self, files, at_days=0):
        self.site.write_rules(files.text())
        now = time.time()
        self.site.must("import", "--quiet", *(("--force", "--at", f"+{at_days}d") if at_days else ()))
        for way in self.ways(everybody=True):
            way.import_by(files, now + at_days * DAY, now + at_days * DAY - KEEP)


def outlook(people, files, begun, enforced, known, since=None, users=None):
    """begun: the rules that are not off. users: of whom alone it is, or all."""
    rules = []
    for title, phases in PHASES.items():
        enforce = phases.get("enforce", 10000)
        if title in begun:
            rules.append(weights.Rule(
                title, midnight(min(phases.get("notify", 10000), enforce)), midnight(enforce),
                KINDS.get(title, title) != "country"))  # fmt: skip
    ways = {user: [(way, way.broken(files) & begun) for way in found.values()]
            for user, found in (users or people.verified).items()}  # fmt: skip
    return weights.Outlook(
        ways, rules, enforced, people.latest, since or people.latest - 30 * DAY,
        weights.quiet_weekends(people.site.store, people.latest), known, since,
    )  # fmt: skip


def count_weeks(people, files, enforced):
    weeks = [[0, 0] for _ in range(8)]
    for ways in people.verified.values():
        for back, counts in enumerate(weeks):
            used = [way.broken(files) for way in ways.values()
                    if week(people.latest) - 7 + back in way.weeks]  # fmt: skip
            counts[0] += bool(used)
            counts[1] += any(broken & enforced for broken in used)
    return weeks


def check_forecast(people, files):
    known = collections.defaultdict(dict)
    for options, enforced in (
        ((), set(PHASES)),
        (("--at", day(-60)), set()),
        (("--at", day(-4)), {"country"}),
        (("--at", day(45)), set(PHASES) - {"known"}),
        (("--since", "5d"), set(PHASES)),
        (("--since", "60d"), set(PHASES)),
    ):
        since, begun = None, set(PHASES)
        if options and options[0] == "--since":
            since = time.time() - int(options[1][:-1]) * DAY
        answer = people.site.ask("forecast", *options)
        if options and options[0] == "--at":
            begun = {title for title, found in answer["rules"].items() if found["phase"] != "off"}
        outlook(people, files, begun, enforced, known[since], since).check(
            answer, ("services", "countries"))
        assert [[found["active_users"], found["affected"]] for found in answer["weeks"]] == (
            count_weeks(people, files, enforced))


def check_users(people, files):
    for user, ways in people.chance.sample(sorted(people.verified.items(), key=str), 8):
        joined = collections.defaultdict(list)
        for way in ways.values():
            joined[(*way.form.items(), way.country)].append(way)
        expected = sorted(
            (way.form["service"], way.form["port"], way.form["tls"], way.form["mechanism"],
             way.form["client_id"], way.country, sum(len(w.moments) for w in group),
             sorted(way.broken(files)))
            for group in joined.values()
            for way in [max(group, key=lambda way: way.last)]
        )  # fmt: skip
        answer = people.site.ask("user", user)["programs"]
        assert expected == sorted(
            (found["service"], found["port"], found["tls"], found["mechanism"], found["client_id"],
             found["country"], found["count"], sorted(rule["rule"] for rule in found["rules"]))
            for found in answer if found["verified"]
        ), user  # fmt: skip
        assert all(found["fine"] == (found["rules"] == []) for found in answer)


def check_offenders(people, since=None):
    moment = 0 if since is None else time.time() - since * DAY
    expected = []
    for user, ways in people.verified.items():
        joined = collections.defaultdict(list)
        for way in ways.values():
            for title in way.recorded:
                joined[(title, *way.form.items(), way.country)].append(way)
        for (title, *_), group in joined.items():
            moments = [moment for way in group for moment in way.moments]
            if max(moments) >= moment:
                count = None if min(moments) < moment else len(moments)
                expected.append((user, title, group[0].form["service"], group[0].form["port"],
                                 group[0].form["tls"], group[0].form["mechanism"],
                                 group[0].form["client_id"], group[0].country, count))  # fmt: skip
    answer = people.site.ask("offenders", *(() if since is None else ("--since", f"{since}d")))
    assert sorted(expected, key=str) == sorted(
        ((found["user"], found["rule"], found["service"], found["port"], found["tls"],
          found["mechanism"], found["client_id"], found["country"], found["count"])
         for found in answer), key=str)  # fmt: skip


def first_record_week(people):
    return min(week(moment) for way in people.ways(everybody=True) for moment in way.moments)


def check_status(people, files):
    now = time.time()
    offenders = {user: ways for user, ways in people.verified.items()
                 if any(way.recorded for way in ways.values())}  # fmt: skip
    expected = outlook(people, files, set(PHASES), set(PHASES), {}, users=offenders).rules
    # The import was of a time to come, which is unhealthy.
    for rule in json.loads(people.site.run("status", "--json").stdout)["rules"]:
        title = rule["rule"]
        users = [[way for way in ways.values() if title in way.recorded]
                 for ways in people.verified.values()]  # fmt: skip
        assert weights.is_nearest(rule["offenders"], expected[title][0]), title
        date = min(midnight(days)
                   for days in PHASES[title].values())  # fmt: skip
        begin = max(week(date), first_record_week(people))
        at_start = rule["offenders"]
        if begin + 4 <= week(now):
            at_start = sum(any(way.weeks & set(range(begin, begin + 4)) for way in ways)
                           for ways in users)  # fmt: skip
        assert rule["offenders_at_start"] == at_start, title


def check_exempt(people):
    for title in PHASES:
        lately = people.latest - 30 * DAY
        expected = {user for user, ways in people.verified.items()
                    if any(title in way.recorded and way.last >= lately for way in ways.values())}
        answer = people.site.must("exempt", "--current-offenders", title, "--until", day(9),
                                  "--dry-run")  # fmt: skip
        assert set(answer.splitlines()[:-1]) == expected, title


@pytest.mark.sqlite
@pytest.mark.parametrize("seed", range(2))
def test_the_answers_are_those_of_the_journal(tmp_path, seed):
    chance = random.Random(seed)
    site, people = RecordedSite(tmp_path, ""), None
    people = People(site, chance)
    now, files = time.time(), [Files(chance) for _ in range(5)]
    people.record(files[0], [now - chance.choice([70, 13]) * DAY * chance.random()
                             for _ in range(500)], 150)  # fmt: skip
    people.take(files[1])
    people.record(files[1], [now - 4 * DAY * chance.random() for _ in range(60)], 200)
    people.take(files[2], at_days=3)
    for question in files[2:]:
        site.write_rules(question.text())
        check_forecast(people, question)
    check_users(people, files[-1])
    check_offenders(people)
    check_offenders(people, since=12)
    check_status(people, files[-1])
    check_exempt(people)
