"""The operator's side: portcullis.conf, portcullis import and notify as timers run them,
some of them killed, and the mails that come of it, taken by Postfix's smtp-sink."""

import collections
import contextlib
import datetime
import json
import os
import random
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time

from dataclasses import dataclass
from pathlib import Path

import mails

from launcher import Launcher
from university import DOMAIN, NO_ADDRESS
from writers import client

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/e2e"))

import mmdb  # noqa: E402

SITE = """
organisation     = "Example University"
help-url         = "https://www.uni.example/mail"
default-domain   = "{domain}"
country-database = "{directory}/country.mmdb"
exemptions       = "{directory}/exemptions"
journal          = "{directory}/journal"
store            = "sqlite:{directory}/store.db"

client-settings {{
    imap-server = "imap.{domain}"
    imap-port   = 993
    smtp-server = "smtp.{domain}"
    smtp-port   = 465
    webmail-url = "https://webmail.{domain}/"
}}
notices {{
    from          = "Mail team <mail@{domain}>"
    texts         = "{texts}"
    transport     = "smtp://127.0.0.1:{port}"
    languages     = {{ "en" }}
    confirm-fixed = true
    max-per-hour  = 0
    address-map   = "command:{directory}/addresses"
    {notices}
}}
"""


# Who has no address gets an empty line.
ADDRESSES = f"#!/bin/sh\nexec sed -u '/^{NO_ADDRESS}/s/.*//'\n"

HANDED_OVER = 1  # the state of a notice in the store


@dataclass
class Notice:
    """As the store has it."""

    user: str
    message_id: str
    reason: str
    rules: list
    moment: float


@dataclass
class Cost:
    """Of one run of a command."""

    seconds: float = 0.0
    processor: float = 0.0  # seconds
    memory: int = 0  # KiB at most


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Site:
    """kill_share: of the runs of import and notify."""

    def __init__(self, build, directory, kill_share, seed, notices=""):
        self.program = build / "portcullis"
        self.directory = directory
        self.launcher = Launcher(2)  # for the timers, and for who asks meanwhile
        self.journal = directory / "journal"
        self.tomorrow = directory / "tomorrow"  # the journal that is being written
        self.config = directory / "portcullis.conf"
        self.mails = directory / "mails"
        self.notices = notices
        self.kill_share = kill_share
        self.killed = {"import": 0, "notify": 0}
        self.random = random.Random(seed)
        self.last = {}  # cost of each command's last run
        self.longest = {}  # seconds
        self.total = collections.defaultdict(Cost)
        self.settled = 0  # until when notices are known
        self.known = set()  # of these, those of the last moment
        self.journal.mkdir()
        self.tomorrow.mkdir()
        self.mails.mkdir()
        (directory / "exemptions").write_text("")
        (directory / "addresses").write_text(ADDRESSES)
        (directory / "addresses").chmod(0o755)
        mmdb.write(directory / "country.mmdb", built=int(time.time()))
        self.port = free_port()
        # It wants to be told who to be, if it could be anybody; another could not come here
        # where the sources lie in root's home.
        user = ["-u", "root"] if os.geteuid() == 0 else []
        self.sink = subprocess.Popen(
            ["/usr/sbin/smtp-sink", *user, "-d", f"{self.mails}/mail.", f"127.0.0.1:{self.port}",
             "100"],
        )  # fmt: skip

    # ---- what the operator writes ----

    def configure(self, timetable):
        self.config.write_text(
            SITE.format(domain=DOMAIN, directory=self.directory, texts=ROOT / "notices",
                        port=self.port, notices=self.notices) + timetable.text()
        )  # fmt: skip

    def let_off(self, people):
        """All who have exemptions."""
        (self.directory / "exemptions").write_text(exemption_lines(people))

    # ---- commands ----

    def run(self, *arguments, may_be_killed=False, stdin=None, may_fail=False):
        """A run of a timer: where it is killed, the next one goes on."""
        command = arguments[0]
        cost = Cost()
        while True:
            alarm = self.alarm(command) if may_be_killed else None
            done = self.launcher.run(
                [self.program, "-c", self.config, *map(str, arguments)], stdin, alarm
            )
            cost.seconds += done.seconds
            cost.processor += done.processor
            cost.memory = max(cost.memory, done.memory)
            if done.status != -signal.SIGKILL:
                break
            self.killed[command] += 1
        self.last[command] = cost
        self.longest[command] = max(self.longest.get(command, 0), cost.seconds)
        total = self.total[command]
        total.seconds += cost.seconds
        total.processor += cost.processor
        total.memory = max(total.memory, cost.memory)
        if (done.status != 0 and not may_fail) or done.errors:
            raise RuntimeError(f"{arguments}: {done.status} {done.errors}")
        return done.output

    def alarm(self, command):
        """After how many seconds it is killed, if it is: within its time, as far as that can
        be known."""
        if self.random.random() > self.kill_share:
            return None
        return self.random.random() * self.random.choice(
            [self.last.get(command, Cost(0.02)).seconds, self.longest.get(command, 0.02)]
        )

    def ask(self, *arguments):
        return json.loads(self.run(*arguments, "--json"))

    def explain(self, device, moment):
        """What the gate or the daemon would say: whether it lets that in, and the rules that
        it breaks."""
        way = device.way
        answer = json.loads(self.run(
            "explain", "--service", way.service, "--port", way.port, "--tls", way.tls,
            "--mechanism", way.mechanism, "--client", client(device), "--user",
            device.person.user, "--at", at(moment), "--json", may_fail=True,
        ))  # fmt: skip
        broken = {rule["rule"] for rule in answer["rules"] if rule["broken"]}
        return answer["action"], broken

    # ---- timers ----

    def publish(self):
        """What was written is the journal's now."""
        for path in self.tomorrow.iterdir():
            place = self.journal / path.name
            if place.exists():
                raise RuntimeError(f"{place} was not taken")
            path.rename(place)

    def take(self, moment):
        self.run("import", "--quiet", "--at", at(moment), may_be_killed=True)

    def notify(self, moment):
        """Returns the mails."""
        self.run("notify", "--quiet", "--send", "--at", at(moment), may_be_killed=True)
        found = []
        for path in self.mails.iterdir():
            mail = mails.read(path, moment)
            path.unlink(missing_ok=True)
            if mail is None:
                continue  # the sink has not noticed yet that the run was killed
            if mail.user != f"mail@{DOMAIN}":  # which is the summary
                found.append(mail)
        return sorted(found, key=lambda mail: (mail.user, mail.message_id))

    def new_notices(self):
        """Those that were handed over since they were asked for last, by their
        Message-IDs."""
        rows = self.select(
            "SELECT user, message_id, reason, rules, settled FROM notices"
            " WHERE state = ? AND settled >= ? ORDER BY id", HANDED_OVER, self.settled,
        )  # fmt: skip
        new = {
            message_id: Notice(user, message_id, reason, rules.split(","), settled / 1000)
            for user, message_id, reason, rules, settled in rows
            if message_id not in self.known
        }
        if rows:
            self.settled = max(settled for *_, settled in rows)
            self.known = {message_id for _, message_id, *_, settled in rows
                          if settled == self.settled}  # fmt: skip
        return new

    def grace(self):
        """Who is given grace, as the servers read it: (user, title, last day)."""
        path = self.journal / "grace"
        lines = path.read_text().splitlines() if path.exists() else []
        fields = [line.split() for line in lines if not line.startswith("#")]
        return [(user, title, datetime.date.fromisoformat(last))
                for user, title, last, *_ in fields]  # fmt: skip

    def bounce(self, mail):
        """The mail comes back."""
        self.run("notices", "--bounce", stdin=mails.bounce(mail, DOMAIN))

    def list(self, option, moment):
        """Users on one of the operator's lists."""
        return {person["user"] for person in self.ask("notify", option, "--at", at(moment))}

    # ---- the end ----

    def lines(self):
        """That the store has taken."""
        return self.select("SELECT sum(lines) FROM days")[0][0]

    def select(self, sql, *parameters):
        uri = f"file:{self.directory}/store.db?mode=ro"
        with contextlib.closing(sqlite3.connect(uri, uri=True)) as store:
            return store.execute(sql, parameters).fetchall()

    def size(self):
        """Of the store, in bytes."""
        return (self.directory / "store.db").stat().st_size

    def keep(self, directory, depend):
        """Copies all that `portcullis -c DIRECTORY/portcullis.conf forecast` needs. depend:
        the users of whom it should speak."""
        (directory / "journal").mkdir(parents=True, exist_ok=True)
        for name in ("exemptions", "country.mmdb", "addresses"):
            shutil.copy(self.directory / name, directory)
        text = self.config.read_text().replace(str(self.directory), str(directory.resolve()))
        (directory / "portcullis.conf").write_text(text)
        (directory / "store.db").unlink(missing_ok=True)
        self.select("VACUUM INTO ?", f"{directory}/store.db")
        (directory / "truth.json").write_text(json.dumps(depend, indent=0))

    def close(self):
        self.launcher.close()
        self.sink.send_signal(signal.SIGTERM)
        self.sink.wait()


def exemption_lines(people):
    return "".join(f"{person.user} {exemption.rules} {exemption.first}..{exemption.last}\n"
                   for person in people for exemption in person.exemptions)  # fmt: skip


def grace_lines(people):
    return "".join(f"{person.user} {grace.title} {grace.last}\n"
                   for person in people for grace in person.grace)  # fmt: skip


def at(moment):
    return datetime.datetime.fromtimestamp(moment).strftime("%Y-%m-%d %H:%M")
