"""The journal of one day, as the gate and the policy daemon would write it."""

import json
import time

from timetable import ENFORCE, midnight
from university import Way

HOST = "mx1"
WRITERS = {"imap": "dovecot", "pop3": "dovecot", "submission": "postfix"}
# Of the networks that tests/e2e/mmdb.py knows.
NETWORKS = {
    "DE": "78.46.5", "AT": "131.130.1", "CH": "129.132.19", "FR": "129.199.1", "US": "18.9.22",
    "CA": "128.100.166", "JP": "133.11.0", "BR": "143.106.10",
}  # fmt: skip


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
        return f"{head}{moment - self.begin - 60 * minute:06.3f}Z"


def client(device):
    """The address from which it comes."""
    return f"{NETWORKS[device.way.country]}.{device.number}"


def line_parts(way, user, client_id, client):
    """What stands in a line before its rules, and behind them."""
    return (
        f'"service":"{way.service}","port":{way.port},"tls":"{way.tls}",'
        f'"mechanism":"{way.mechanism}","country":"{way.country}","rules":',
        f',"user":"{user}","client_id":{json.dumps(client_id)},'
        f'"session":"","client":"{client}","count":',
    )


class DayOfJournal:
    def __init__(self, directory, timetable, day):
        self.directory = directory
        self.begin = midnight(timetable.date(day))
        self.clock = Clock(self.begin)
        self.lines = {"dovecot": [], "postfix": []}
        self.fine = set()

    def sighting(self, device, moment, rules, verified, action):
        """rules: titles and phases of those that are broken. One that breaks none is
        recorded once a day. Returns whether there is a line."""
        way = device.way
        if not rules:
            key = (device.person.name, way.service, way.port, device.client_id)
            if key in self.fine:
                return False
            self.fine.add(key)
        if device.parts is None:
            device.parts = line_parts(way, device.person.user, device.client_id, client(device))
        self._add(WRITERS[way.service], moment, rules, verified, action, device.parts)
        return True

    def strangers(self, source, people, today, attempts):
        """They try passwords of people whose names they know, from abroad, without TLS."""
        way = Way("imap", 143, "none", country="BR")
        for _ in range(attempts):
            person = source.choice(people)
            moment = self.begin + 86400 * source.random()
            phases = today.phases_at(moment)
            let_off = person.let_off(today.date)
            rules = {title: phases[title] for title in ("encryption", "country")
                     if title in phases and title not in let_off}  # fmt: skip
            action = "reject" if ENFORCE in rules.values() else "allow"
            parts = line_parts(way, person.user, "",
                               f"{NETWORKS[way.country]}.{source.randrange(1, 255)}")  # fmt: skip
            self._add(WRITERS[way.service], moment, rules, False, action, parts)

    def _add(self, writer, moment, rules, verified, action, parts):
        what, who = parts
        self.lines[writer].append((
            moment,
            f'{{"time":"{self.clock.text(moment)}","host":"{HOST}","source":"{writer}",'
            f'"verified":{"true" if verified else "false"},"action":"{action}",'
            f"{what}{json.dumps(rules) if rules else '{}'}{who}1}}\n",
        ))  # fmt: skip

    def write(self):
        """Returns how many lines there are."""
        total = 0
        for source, lines in self.lines.items():
            lines.sort()
            total += len(lines)
            with open(self.directory / f"{source}.jsonl", "a", encoding="utf-8") as file:
                file.writelines(text for _, text in lines)
        return total
