"""The operator's side: portcullis.conf, portcullis import and notify as timers run them,
some of them killed, and the mails that come of it, taken by Postfix's smtp-sink."""

import datetime
import email
import email.policy
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

from university import DOMAIN

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
    {notices}
}}
"""


@dataclass
class Mail:
    user: str
    moment: float
    message_id: str
    subject: str
    text: str


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Site:
    def __init__(self, build, directory, kills, seed, notices=""):
        self.program = build / "portcullis"
        self.directory = directory
        self.journal = directory / "journal"
        self.config = directory / "portcullis.conf"
        self.mails = directory / "mails"
        self.notices = notices
        self.kills = kills
        self.killed = 0
        self.known = set()
        self.random = random.Random(seed)
        self.seconds = {"import": 0.0, "notify": 0.0}
        self.journal.mkdir()
        self.mails.mkdir()
        directory.chmod(0o755)
        self.mails.chmod(0o777)
        (directory / "exemptions").write_text("")
        mmdb.write(directory / "country.mmdb", built=int(time.time()))
        self.port = free_port()
        # It refuses to be root.
        user = ["-u", "nobody"] if os.geteuid() == 0 else []
        self.sink = subprocess.Popen(
            ["/usr/sbin/smtp-sink", *user, "-d", f"{self.mails}/mail.", f"127.0.0.1:{self.port}",
             "100"],
        )  # fmt: skip

    def configure(self, timetable):
        rules = "".join(rule.text() for rule in timetable.rules)
        self.config.write_text(
            SITE.format(domain=DOMAIN, directory=self.directory, texts=ROOT / "notices",
                        port=self.port, notices=self.notices) + rules
        )  # fmt: skip

    def run(self, *arguments, may_be_killed=False):
        """A run of a timer: where it is killed, the next one goes on."""
        command = [self.program, "-c", self.config, *map(str, arguments)]
        begun = time.monotonic()
        while True:
            process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            if may_be_killed and self.kills > self.killed and self.random.random() < 0.3:
                self.killed += 1
                try:
                    process.wait(self.random.expovariate(1 / 0.3))
                except subprocess.TimeoutExpired:
                    process.send_signal(signal.SIGKILL)
                    process.communicate()
                    continue
            output, errors = process.communicate()
            self.seconds[arguments[0]] = (
                self.seconds.get(arguments[0], 0) + time.monotonic() - begun
            )
            if process.returncode != 0 or errors:
                raise RuntimeError(f"{arguments}: {process.returncode} {errors.decode()}")
            return output.decode()

    def ask(self, *arguments):
        return json.loads(self.run(*arguments, "--json"))

    def take(self, moment):
        self.run("import", "--quiet", "--at", at(moment), may_be_killed=True)

    def notify(self, moment):
        """Returns the mails."""
        self.run("notify", "--quiet", "--send", "--at", at(moment), may_be_killed=True)
        mails = []
        for path in self.mails.iterdir():
            mail = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
            path.unlink()
            recipient = mail["To"].addresses[0].addr_spec
            if recipient == f"mail@{DOMAIN}":
                continue  # the summary
            body = mail.get_body(("plain",)).get_content()
            mails.append(Mail(recipient, moment, mail["Message-ID"].strip("<>"), mail["Subject"], body))
        return sorted(mails, key=lambda mail: (mail.user, mail.message_id))

    def new_notices(self):
        """Of the store, those that were handed over since they were asked for last."""
        notices = [
            dict(notice, time=datetime.datetime.fromisoformat(notice["time"]).timestamp())
            for notice in self.ask("notices") if notice["state"] == "handed-over"
        ]
        new = [notice for notice in notices if notice["message_id"] not in self.known]
        self.known.update(notice["message_id"] for notice in new)
        return new

    def lines(self):
        """That the store has taken."""
        with sqlite3.connect(f"file:{self.directory}/store.db?mode=ro", uri=True) as store:
            return store.execute("SELECT sum(lines) FROM days").fetchone()[0]

    def keep(self, directory, depend):
        """Copies all that `portcullis -c DIRECTORY/portcullis.conf forecast` needs. depend:
        the users of whom it should speak."""
        directory.mkdir(parents=True, exist_ok=True)
        (directory / "journal").mkdir(exist_ok=True)
        for name in ("exemptions", "country.mmdb"):
            shutil.copy(self.directory / name, directory)
        text = self.config.read_text().replace(str(self.directory), str(directory.resolve()))
        (directory / "portcullis.conf").write_text(text)
        (directory / "store.db").unlink(missing_ok=True)
        with sqlite3.connect(self.directory / "store.db") as store:
            store.execute("VACUUM INTO ?", (f"{directory}/store.db",))
        (directory / "truth.json").write_text(json.dumps(depend, indent=0))

    def close(self):
        self.sink.send_signal(signal.SIGTERM)
        self.sink.wait()


def at(moment):
    return datetime.datetime.fromtimestamp(moment).strftime("%Y-%m-%d %H:%M")
