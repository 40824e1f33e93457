"""How likely it is that somebody comes again in a way that breaks a rule, reckoned a second
time by what portcullis(1) says of it under WHO WILL COME AGAIN."""

import collections
import contextlib
import math
import re
import sqlite3

DAY = 86400
WEEKS = 64

# Of a person's rows: the time of the first and the last login, the number of days between them
# with logins, the device, and the titles of the rules that they break.
Row = collections.namedtuple("Row", "first last days device broken")

# Of a rule: since when people are told of it, when it begins, and whether what it refuses can
# be told to be somebody's.
Rule = collections.namedtuple("Rule", "title told enforce seen_when_refused")


def device(form):
    """What tells a device from others: its purpose and its name, or else its settings."""
    purpose = "send" if form["service"] == "submission" else "read"
    found = re.match("name=(.*?)( version=.*)?$", form["client_id"])
    name = found.group(1) if found else form["client_id"]
    if name:
        return purpose, name
    return purpose, *(form.get(key) for key in ("service", "port", "tls", "mechanism"))


class DaysOfUse:
    """What the store knows of them, of lines in the order of their import."""

    def __init__(self):
        self.count, self.first, self.last, self.weeks = 0, None, None, set()

    def see(self, moment):
        day = int(moment // DAY)
        week = (day + 3) // 7
        if self.first is None:
            self.first = self.last = day
            self.count = 1
        elif not self.first <= day <= self.last:
            self.count += 1
        else:
            self.count += week not in self.weeks
        self.first, self.last = min(self.first, day), max(self.last, day)
        self.weeks.add(week)


def days_of(rows):
    """On how many days a device came. Where rows overlap, the busiest counts."""
    busiest = collections.defaultdict(float)
    for row in rows:
        first, last = int(row.first // DAY), int(row.last // DAY)
        for day in range(first, last + 1):
            busiest[day] = max(busiest[day], row.days / (last - first + 1))
    return max(int(sum(busiest.values()) + 0.5), *(row.days for row in rows))


class Rest:
    """One device, as to one rule that it broke."""

    def __init__(self, rows, rule, now):
        bad = [row for row in rows if rule.title in row.broken]
        good = [row.first for row in rows if rule.title not in row.broken]
        last = max(row.last for row in bad)
        self.last_day = int(last // DAY)
        self.span = self.last_day - int(min(row.first for row in bad) // DAY)
        self.gaps = min(days_of(bad) - 1, self.span)
        self.days = max(0, int((now - last) / DAY - 0.1))
        visible = now if rule.seen_when_refused else min(now, rule.enforce)
        self.seen_days = max(0, int((visible - last) / DAY - 0.1))
        self.refused = last >= rule.enforce
        self.until_repaired = 0
        if good and min(good) > last:
            self.until_repaired = max(1, int(min(good) // DAY) - self.last_day)

    def fate(self, rates, haste, quiet_weekends, unseen_power=0):
        """How likely what is recorded is if it is in use, and if it was given up in a week."""
        in_use, unseen, weeks = 1.0, 1.0, collections.defaultdict(float)
        for day in range(self.days):
            week = min((self.days - 1 - day) // 7, WEEKS - 1)
            rate = rates[week]
            if day >= self.seen_days:
                rate += unseen_power / (day - self.seen_days + 3)
            given_up = in_use * min(0.5, rate * haste)
            in_use -= given_up
            weeks[week] += given_up * unseen
            weekend = (self.last_day + 1 + day + 3) % 7 >= 5 and quiet_weekends \
                and 4 * (self.span - self.gaps) >= self.span  # fmt: skip
            if day < self.seen_days and not weekend and self.gaps:
                unseen *= (self.span - self.gaps + 0.5 + day) / (self.span + 0.5 + day)
        return in_use * unseen, weeks

    def weight(self, rates, haste, quiet_weekends, unseen_power):
        if self.until_repaired:
            return 0.0
        in_use, weeks = self.fate(rates, haste, quiet_weekends, unseen_power)
        return in_use / (in_use + sum(weeks.values()))


def rates_of(rests, now, quiet_weekends):
    """How many devices are given up a day, in each week back from now: what is the most likely,
    found in twelve rounds."""
    today = int(now // DAY)

    def week(day):
        return max(0, min(WEEKS - 1, (today - day - 1) // 7))

    given_up, days = [0.0] * WEEKS, [0.0] * WEEKS
    for turn in range(13):
        if turn:
            given_up, days = [0.0] * WEEKS, [0.0] * WEEKS
            for rest in rests:
                for day in range(rest.last_day - rest.span, rest.last_day):
                    days[week(day)] += 1
                if rest.until_repaired:
                    for day in range(rest.last_day, rest.last_day + rest.until_repaired):
                        given_up[week(day)] += 1 / rest.until_repaired
                        days[week(day)] += 0.5
                    continue
                in_use, weeks = rest.fate(rates, 1, quiet_weekends)
                whole, left, end = in_use + sum(weeks.values()), 1.0, rest.days
                for number in range(min((end - 1) // 7, WEEKS - 1), -1, -1):
                    part = weeks[number] / whole
                    given_up[number] += part
                    days[number] += (end - 7 * number) * (left - part / 2)
                    left, end = left - part, 7 * number
        usual = (0.5 + sum(given_up)) / (150 + sum(days))
        rates = [min(0.1, (given_up[number] + 20 * usual) / (days[number] + 20))
                 for number in range(WEEKS)]  # fmt: skip
    return rates


def power_of_refusals(rates, like, rules, now):
    """By which people act on them: the mean of all rules that have refused for a week."""
    powers = []
    for rule in rules:
        sort, days = (rule.title, True), (now - rule.enforce) / DAY
        weeks = max(0, min(4, int(days / 7)))
        if weeks and like[sort]:
            power = 7 * sum(rates[sort][:weeks]) / math.log((days + 3) / (days + 3 - 7 * weeks))
            powers += [power] * len(like[sort])
    return sum(powers) / len(powers) if powers else 1.0


def quiet_weekends(store, now):
    today, logins = int(now // DAY), [0, 0]
    with contextlib.closing(sqlite3.connect(store)) as connection:
        for day, sightings in connection.execute("SELECT day, sightings FROM days"):
            if day >= today - 28:
                logins[(day + 3) % 7 >= 5] += sightings
    return logins[True] * 5 < logins[False]


def weigh(people, rules, now, quiet):
    """The weights of all devices of all people. people: the rows of each. rules: in the order of
    the file."""
    rests, first = collections.defaultdict(dict), {}
    by_title = {rule.title: rule for rule in rules}
    for user, rows in people.items():
        for row in rows:
            for title in row.broken:
                if title not in rests[user, row.device]:
                    rests[user, row.device][title] = Rest(
                        [other for other in rows if other.device == row.device],
                        by_title[title], now)  # fmt: skip
    like = collections.defaultdict(list)
    for key, found in rests.items():
        if found:
            first[key] = min(found, key=lambda title: (
                found[title].until_repaired > 0, by_title[title].told, list(by_title).index(title)))  # fmt: skip
            first[key] = first[key], found[first[key]].refused
            like[first[key]].append(found[first[key][0]])
    rates = {sort: rates_of(devices, now, quiet) for sort, devices in like.items()}
    unseen_power = power_of_refusals(rates, like, rules, now) / 4
    alone = {key: {title: rest.weight(rates[first[key]], 1, quiet, unseen_power)
                   for title, rest in found.items()}
             for key, found in rests.items() if found}  # fmt: skip
    last = {key: max(rest.last_day for rest in rests[key].values()) for key in alone}
    devices = collections.defaultdict(list)
    for user, name in alone:
        devices[user].append((user, name))
    weights = {}
    for key, found in alone.items():
        least = min([max(alone[other].values()) for other in devices[key[0]]
                     if last[other] > last[key]], default=1)  # fmt: skip
        for title, weight in found.items():
            weights[(*key, title)] = weight * (1 - 0.7 * (1 - least))
    return weights


def is_nearest(whole, number):
    """Whether it was rounded; not to say which way a half goes."""
    return abs(whole - number) <= 0.5 + 1e-6


class Outlook:
    """What `forecast` should say of ways that have form, country, last, first, days_of_use (a
    DaysOfUse), and broken (titles). since: None, or what is counted only; lately: where that
    begins. programs: their names, by client_id. known: a dict for what is the same the next
    time, if ways, latest and since are."""

    def __init__(self, ways, rules, enforced, latest, lately, quiet, known, since=None,
                 programs=None):  # fmt: skip
        people = {
            user: [(way, Row(way.first, way.last, way.days_of_use.count, device(way.form), broken))
                   for way, broken in found if since is None or way.last >= since]
            for user, found in ways.items()
        }  # fmt: skip
        titles = tuple(rule.title for rule in rules)
        if titles not in known:
            only_rows = {user: [row for _, row in rows] for user, rows in people.items()}
            known[titles] = weigh(only_rows, rules, latest, quiet)
        self.weights = known[titles]
        self.figures, self.changed = collections.Counter(), collections.Counter()
        self.rules = {rule.title: [0.0, 0.0] for rule in rules}
        self.groups = {name: collections.Counter() for name in ("services", "programs", "countries")}
        for user, found in ways.items():
            self.count(user, found, people[user], enforced, lately)
            self.group(user, people[user], enforced, programs or {})

    def chance(self, user, names, titles):
        """Of that device which is the most likely to come again, and break one of these rules."""
        return max((self.weights.get((user, name, title), 0)
                    for title in titles for name in names), default=0)  # fmt: skip

    def count(self, user, ways, rows, enforced, lately):
        figures = self.figures
        names = {row.device for _, row in rows}
        active = any(way.last >= lately for way, _ in ways)
        good = any(way.last >= lately and not broken & enforced for way, broken in ways)
        depends = self.chance(user, names, enforced)
        figures["active_users"] += 1 if active else depends
        figures["affected"] += depends
        figures["locked_out"] += 0 if good else depends
        if active and any(broken & enforced for _, broken in ways):
            figures["changed"] += 1 - depends
            self.changed[user] = 1 - depends
        for title, counts in self.rules.items():
            breaks = self.chance(user, names, {title})
            counts[0] += breaks
            counts[1] += 0 if good else min(breaks, depends)

    def group(self, user, rows, enforced, programs):
        last, members = {}, collections.defaultdict(set)
        bad = [(way, row) for way, row in rows if row.broken & enforced]
        for way, row in bad:
            last[row.device] = max(way.last, last.get(row.device, 0))
        for way, row in bad:
            if way.last >= last[row.device] - 30 * DAY:
                members["services", way.form["service"]].add(row.device)
                members["countries", way.country].add(row.device)
                members["programs", programs.get(way.form["client_id"], "")].add(row.device)
        for (kind, name), names in members.items():
            self.groups[kind][name] += self.chance(user, names, enforced)

    def check(self, answer, groups=("services", "programs", "countries")):
        for name in "active_users", "affected", "locked_out":
            assert is_nearest(answer[name], self.figures[name]), name
        assert answer["partly"] == answer["affected"] - answer["locked_out"]
        assert answer["fine"] == answer["active_users"] - answer["affected"]
        assert is_nearest(answer["changed"], min(self.figures["changed"], answer["fine"]))
        assert answer["affected_low"] <= answer["affected"] <= answer["affected_high"]
        for title, counts in self.rules.items():
            found = answer["rules"][title]
            assert is_nearest(found["users"], counts[0]), title
            assert is_nearest(found["locked_out"], counts[1]), title
        for kind in groups:
            for name in answer[kind] | self.groups[kind]:
                assert is_nearest(answer[kind].get(name, 0), self.groups[kind][name]), (kind, name)
