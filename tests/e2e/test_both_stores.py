"""Every command over the same records in both kinds of store: what it prints, and how it ends,
is the same, byte for byte."""

import contextlib
import email
import os
import random
import re
import shutil
import sqlite3
import subprocess
import time

from concurrent.futures import ThreadPoolExecutor

import pytest

import faked_clock
import postgresql
import recorded_site

from mailhost import BUILD, ROOT
from recorded_site import day
from test_import import encode, some_events
from test_notify import Site

RULES = f"""
rule encryption {{
    observe = "{day(-200)}" notify = "{day(-60)}" enforce = "{day(20)}"
    brownouts = {{ "{day(10)} 10:00 +4h" }} grace = "7d"
}}
rule mechanism {{ observe = "{day(-60)}" notify = "{day(-20)}" enforce = "{day(60)}" }}
rule smtp-auth-25 {{
    kind = "submission-port" observe = "{day(-60)}" notify = "{day(-5)}" enforce = "{day(60)}"
}}
rule abroad {{
    kind = "country" services = {{ "imap" }} allow = {{ "DE" }} except-networks = {{ "campus" }}
    observe = "{day(-90)}" enforce = "{day(-10)}"
}}
rule pop3 {{ kind = "protocol" services = {{ "pop3" }} observe = "{day(-90)}" }}
"""

ALICE, BOB, CAROL = "alice@example.org", "bob@example.org", "carol@example.org"
PEOPLE = [ALICE, BOB, CAROL, "dave@example.org", "user7@example.org", "user8@example.org",
          "nobody@example.org", "名前@example.org", "frank@elsewhere.example"]  # fmt: skip

EXPLAIN = ["explain", "--service", "imap", "--port", "143", "--tls", "none", "--client", "192.0.2.1",
           "--mechanism", "PLAIN", "--user"]  # fmt: skip
SORTED = [["offenders", "--sort", key] for key in ("user", "rule", "count", "first", "last")]
RULE_NAMES = ["encryption", "mechanism", "smtp-auth-25", "abroad", "pop3"]
IN_FORMS = [[*command, form] for form in ("--json", "--csv") for command in (
    ["offenders"], ["offenders", "--unverified"], ["notify", "--untold"], ["notify", "--call-list"],
)]  # fmt: skip

QUESTIONS = [
    ["offenders"], ["offenders", "--unverified"], ["offenders", "--since", "30d"], *SORTED,
    *(["offenders", "--rule", rule] for rule in RULE_NAMES), *IN_FORMS,
    *(["offenders", "--phase", phase] for phase in ("off", "observe", "notify", "enforce")),
    *(["offenders", "--user", user] for user in PEOPLE),
    *(["offenders", "--at", day(days), "--json"] for days in (-30, 30, 90)),
    ["forecast"], ["forecast", "--json"], ["forecast", "--since", "60d"],
    ["forecast", "--fail-above", "1"],
    *(["forecast", "--rule", rule, "--json"] for rule in RULE_NAMES),
    *(["forecast", "--at", day(days)] for days in (-30, 30, 90)),
    ["status"], ["status", "--json"], ["status", "--at", day(30)], ["doctor"], ["doctor", "--json"],
    *(["user", user] for user in PEOPLE), *(["user", "--json", user] for user in PEOPLE),
    ["user", "--at", day(30), ALICE],
    *([*EXPLAIN, user] for user in PEOPLE), [*EXPLAIN, ALICE, "--json"],
    ["check-config"], ["check-config", "--json"], ["check-config", "--at", day(30)],
    ["check-config", "--titles"],
    ["notices"], ["notices", "--json"], ["notices", "--failed"], ["notices", "--user", ALICE],
    ["notify", "--dry-run"], ["notify", "--dry-run", "--json"], ["notify", "--untold"],
    *(["notify", "--dry-run", "--at", day(days)] for days in (1, 10, 20, 60)),
    ["notify", "--call-list"], ["notify", "--preview", ALICE], ["notify", "--preview", BOB],
    ["notify", "--preview", "nobody@example.org"],
    ["announce"], ["announce", "--html"], ["announce", "--at", day(30)],
    ["exempt", "--list"], ["exempt", "--list", "--json"],
    ["exempt", "--current-offenders", "encryption", "--until", day(90), "--dry-run"],
    ["exempt", "--current-offenders", "abroad", "--until", day(90), "--dry-run", "--since", "90d"],
    ["offenders", "--rule", "none"], ["user"], ["forecast", "--since", day(5)], ["forget"],
    ["store", "expire", "x"], ["help"],
]  # fmt: skip


class Both:
    """Two sites that are asked at the same moments. What is recorded at the one is brought to
    the other."""

    def __init__(self, directory, server):
        self.server = server
        self.moment = time.time()
        self.sites = []
        for name, make_store in {"sqlite": "sqlite:{}/store.db".format,
                                 "server": lambda _: server.uri()}.items():  # fmt: skip
            (directory / name).mkdir()
            keep, recorded_site.make_store = recorded_site.make_store, make_store
            try:
                self.sites.append(Site(directory / name, rules=RULES))
            finally:
                recorded_site.make_store = keep
        self.first, self.second = self.sites
        self.record, self.fine = self.first.record, self.first.fine

    def environment(self):
        """Of a clock that stands still."""
        now = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(self.moment))
        return dict(os.environ, PORTCULLIS_MODULES=str(BUILD), LD_PRELOAD=faked_clock.library(),
                    FAKETIME=now)  # fmt: skip

    def answer(self, site, words):
        done = subprocess.run([BUILD / "portcullis", "-c", site.config, *words], text=True,
                              capture_output=True, env=self.environment(), timeout=180)  # fmt: skip
        return done.returncode, self.plain(site, done.stdout), self.plain(site, done.stderr)

    def plain(self, site, text):
        """Without what the configurations differ by, their paths and so their digests, and without
        what is chance in Message-IDs."""
        text = text.replace(str(site.directory), str(self.first.directory))
        found = []

        def number(match):
            if match[0] not in found:
                found.append(match[0])
            return f"({found.index(match[0])})"

        return re.sub(r"\b(?:[0-9a-f]{16}){1,2}\b", number, text.replace(site.uri, self.first.uri))

    def bring(self):
        for path in (*self.second.journal.iterdir(), *self.second.directory.glob("*.log")):
            path.unlink()
        for path in self.first.journal.iterdir():
            shutil.copy2(path, self.second.journal)
        for path in self.first.directory.glob("*.log"):
            shutil.copy2(path, self.second.directory)

    def run(self, *words, fine=True):
        """In both; the answer."""
        answers = [self.answer(site, [word.replace("DIRECTORY", str(site.directory))
                                      for word in words]) for site in self.sites]
        assert answers[0] == answers[1], words
        assert not fine or answers[0][0] == 0, answers[0]
        return answers[0]

    def mails(self):
        """Those of each site: to whom, the subject, and the texts."""
        for site in self.sites:
            yield sorted(self.contents(site, path) for path in site.out.glob("*.mail"))

    def contents(self, site, path):
        arguments, mail = path.read_text(errors="surrogateescape").split("\n\n", 1)
        message = email.message_from_string(mail)
        parts = [part.get_payload(decode=True).decode() for part in message.walk()
                 if not part.is_multipart()]  # fmt: skip
        return arguments, message["Subject"], [self.plain(site, part) for part in parts]

    def set_clocks(self):
        """The server of the store has a clock of its own, and what hosts tell is dated by it."""
        with contextlib.closing(sqlite3.connect(self.first.store)) as store, store:
            store.execute("UPDATE hosts SET clock_offset = 0, told = 1e12, edition_since = 1e12")
        self.server.query(
            "UPDATE portcullis.hosts SET clock_offset = 0, told = to_timestamp(1e9),"
            " edition_since = to_timestamp(1e9)"
        )

    def ask_everything(self):
        """The commands, and how they ended. None of them changes anything."""
        self.moment += 60
        self.set_clocks()
        with ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(lambda words: self.run(*words, fine=False), QUESTIONS))
        self.moment += 60
        return {(words[0], answer[0]) for words, answer in zip(QUESTIONS, answers)}


@pytest.fixture
def both(server, tmp_path):
    both = Both(tmp_path, server)
    both.run("store", "create")
    return both


def record_people(both):
    for days in range(80, 0, -7):
        both.record(ALICE, "encryption", days_ago=days, count=2)
        both.record(ALICE, "encryption", days_ago=days + 0.2, client_id="name=Outlook")
    for days in (70, 65, 3):
        both.record(BOB, "mechanism=observe", days_ago=days, mechanism="CRAM-MD5", tls="starttls")
    both.fine(BOB, days_ago=2)
    both.record(CAROL, "abroad=enforce", days_ago=4, country="US", client="203.0.113.200",
                verified=False)  # fmt: skip
    both.record(CAROL, "abroad=observe", days_ago=40, country="US", client="203.0.113.200")
    both.record("dave", "pop3=observe", "encryption", days_ago=1, service="pop3", port=110)
    both.record("dave", days_ago=0.5, tls="implicit", port=995, service="pop3")
    both.record("名前@example.org", "encryption", days_ago=9, client_id="name=Mail")
    both.record("frank@elsewhere.example", "smtp-auth-25", days_ago=8, source="postfix",
                service="submission", port=25, client_id="helo=DESKTOP-1", lost=5)  # fmt: skip
    for i in range(60):
        both.record(f"guess{i}@example.org", days_ago=2 + i / 100, verified=False, port=143)
    with open(both.first.journal / "dovecot.jsonl", "ab") as file:
        file.write(b"no line of ours\n" + encode(some_events(random.Random(7), 1500, 60)))


def test_every_answer_is_the_same(both):
    assert {status for _, status in both.ask_everything()} >= {0, 64}  # nothing is there yet
    record_people(both)
    both.bring()
    both.run("import", fine=False)
    # What a log tells, and what the gate knows better.
    log = both.first.directory / "mail.log"
    with open(log, "wb") as file:
        subprocess.run([ROOT / "tests/bench/make-mail-log", "4000", "80"], stdout=file, check=True)
    both.bring()
    both.run("import", "--log", "DIRECTORY/mail.log")
    with open(both.first.journal / "dovecot.jsonl", "ab") as file:
        file.write(encode(some_events(random.Random(8), 500, 60)))
    both.bring()
    both.run("import")
    both.run("import", "--log", "DIRECTORY/mail.log")
    answered = both.ask_everything()
    assert {("offenders", 0), ("forecast", 0), ("user", 0), ("notify", 0)} <= answered
    # People are told, some in vain, and one comes back.
    both.run("notify", fine=False)
    texts = list(both.mails())
    assert texts[0] == texts[1] and len(texts[0]) > 3
    both.moment += 3600
    both.run("notify", fine=False)
    both.run("exempt", "--until", day(40), "--reason", "old scanner", ALICE, "encryption")
    both.run("exempt", "--current-offenders", "pop3", "--until", day(40))
    both.fine(ALICE, days_ago=0)
    both.bring()
    both.run("import", fine=False)
    both.ask_everything()
    both.run("exempt", "--remove", ALICE)
    both.run("forget", BOB, fine=False)
    both.run("forget", "nobody@example.org", fine=False)
    # What is too old goes.
    both.moment += 300 * 86400
    both.record(CAROL, "encryption", days_ago=-300)
    both.bring()
    both.run("import", "--force", fine=False)
    both.ask_everything()
