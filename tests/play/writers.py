"""The journal of one day, as the gate and the policy daemon would write it."""

import json
import time

from timetable import midnight
from university import Stranger

HOST = "mx1"
WRITERS = {"imap": "dovecot", "pop3": "dovecot", "submission": "postfix"}
# Of the networks that tests/e2e/mmdb.py knows.
NETWORKS = {
    "DE": "78.46.5", "AT": "131.130.1", "CH": "129.132.19", "FR": "129.199.1", "US": "18.9.22",
    "CA": "128.100.166", "JP": "133.11.0", "BR": "143.106.10",
}  # fmt: skip
TEXTS = {}  # see text_of()


class Clock:
    """Times of one day as the journal has them; faster than strftime for each."""

    def __init__(self, begin):
        self.begin = begin
        self.minutes = {}

    def text(self, moment):
        minute = int(moment - self.begin) // 60
        head = self.minutes.get(minute)
        if head is None:
            head = time.strftime("%Y-%m-%dT%H:%M:", time.gmtime(self.begin + 60 * minute))
            self.minutes[minute] = head
        milliseconds = int(1000 * (moment - self.begin)) - 60000 * minute
        return f"{head}{milliseconds // 1000:02}.{milliseconds % 1000:03}Z"


def client(device):
    """The address from which it comes."""
    return f"{NETWORKS[device.way.country]}.{device.number}"


def line_parts(way, user, client_id, client):
    """What stands in a line before its rules, and behind them."""
    return (
        f'"service":"{way.service}","port":{way.port},"tls":"{way.tls}","rules":',
        f',"mechanism":"{way.mechanism}","country":"{way.country}","user":"{user}",'
        f'"client_id":{json.dumps(client_id)},"session":"","client":"{client}","count":',
    )


def text_of(rules):
    """There are few of them, and many lines."""
    key = tuple(rules.items())
    if key not in TEXTS:
        TEXTS[key] = json.dumps(rules, separators=(",", ":"))
    return TEXTS[key]


class DayOfJournal:
    def __init__(self, directory, timetable, day):
        self.directory = directory
        self.begin = midnight(timetable.date(day))
        self.clock = Clock(self.begin)
        self.lines = {"dovecot": [], "postfix": []}
        self.fine = set()

    def sighting(self, device, moment, rules, verified, action):
        """rules: titles and phases of those that are broken. Returns whether there is a
        line."""
        line = self.line(device, moment, rules, verified, action)
        if line is not None:
            self.lines[WRITERS[device.way.service]].append((moment, line))
        return line is not None

    def line(self, device, moment, rules, verified, action):
        """None where there is none: who breaks no rule is recorded with the right password,
        and once a day; Postfix asks the daemon about nobody before that."""
        way = device.way
        if not verified and way.service == "submission":
            return None
        if not rules:
            key = (device.person.name, way.service, way.port, device.client_id)
            if not verified or key in self.fine:
                return None
            self.fine.add(key)
        if device.parts is None:
            device.parts = line_parts(way, device.person.user, device.client_id, client(device))
        what, who = device.parts
        return (
            f'{{"time":"{self.clock.text(moment)}","host":"{HOST}",'
            f'"source":"{WRITERS[way.service]}",'
            f'"verified":{"true" if verified else "false"},"action":"{action}",'
            f"{what}{text_of(rules)}{who}1}}\n"
        )

    def strangers(self, source, people, today, attempts):
        """They try passwords of people whose names they know, from abroad, without TLS."""
        for _ in range(attempts):
            person = source.choice(people)
            moment = self.begin + 86400 * source.random()
            device = Stranger.of(person, source.randrange(1, 255), today.timetable)
            let_off = person.let_off(today.date, device.way.country)
            verdict = today.judge(device.broken, let_off, moment)
            action = "reject" if verdict.refusing else "allow"
            self.sighting(device, moment, verdict.rules, False, action)

    def write(self):
        """Returns how many lines there are."""
        total = 0
        for source, lines in self.lines.items():
            lines.sort()
            total += len(lines)
            with open(self.directory / f"{source}.jsonl", "a", encoding="utf-8") as file:
                file.writelines(text for _, text in lines)
        return total
