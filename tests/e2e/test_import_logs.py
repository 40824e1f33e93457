"""portcullis import --log: what mail logs tell comes into the store, each login once."""

import bz2
import collections
import gzip
import itertools
import json
import lzma
import os
import pwd
import random
import shutil
import signal
import socket
import sqlite3
import subprocess
import time

import pytest

from journal import moment_of
from namespaces import own_directory
from processes import wait_until
from recorded_site import BUILD, EX_USAGE

EX_IOERR = 74

RULES = """
rule encryption { notify = "always" }
rule implicit-tls { observe = "always" }
"""

CLIENT = "203.0.113.5"


class Logs:
    """A directory with a mail log that grows, and the store that is made of it."""

    def __init__(self, directory):
        self.directory = directory
        self.log = directory / "mail.log"
        self.store = directory / "store.db"
        self.config = directory / "portcullis.conf"
        self.journal = directory / "journal"
        self.journal.mkdir()
        self.configure()
        self.now = time.time() - 3600
        self.told = collections.Counter()
        self.process = 1000

    def configure(self, more=""):
        self.config.write_text(
            f'journal = "{self.journal}"\nstore = "sqlite:{self.store}"\n'
            f'default-domain = "example.org"\n{more}{RULES}'
        )

    # ---- lines ----

    def line(self, text, host="mx1"):
        self.now += 0.01
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(self.now))
        return f"{stamp}.{int(self.now % 1 * 1e6):06d}+00:00 {host} {text}\n"

    def login(self, user, tls="TLS", verified=True, **place):
        self.told[user, "imap", {"TLS": "tls", "": "none"}[tls], verified] += 1
        end = ", ".join(filter(None, [f"user=<{user}>, method=PLAIN, rip={CLIENT}, lip=192.0.2.1",
                                      "mpid=7" if verified else "", tls]))  # fmt: skip
        how = "Login: " if verified else "Disconnected (auth failed, 1 attempts in 2 secs): "
        return [self.line(f"dovecot: imap-login: {how}{end}", **place)]

    def mails(self, user, count=1, starttls=True, **place):
        """The lines of one connection."""
        self.process += 1
        self.told[user, "submission", "starttls" if starttls else "none", True] += count
        tag, client = f"postfix/submission/smtpd[{self.process}]", f"pc.example.org[{CLIENT}]"
        return [
            self.line(f"{tag}: connect from {client}", **place),
            *(self.line(f"{tag}: 4F{self.process}{i}: client={client}, sasl_method=PLAIN, "
                        f"sasl_username={user}", **place) for i in range(count)),
            self.line(f"{tag}: disconnect from {client} ehlo=2{' starttls=1' * starttls} auth=1 "
                      f"mail={count} quit=1 commands=8", **place),
        ]  # fmt: skip

    def some(self, chance, number):
        """Logins and mails of many, whose connections overlap."""
        open_connections, lines = [], []
        if not self.told:
            lines += encrypted(self)
        for _ in range(number):
            user = f"user{chance.randrange(40)}@example.org"
            if chance.random() < 0.5:
                lines += self.login(user, tls=chance.choice(["TLS", "TLS", ""]))
            else:
                open_connections.append(
                    self.mails(user, chance.randrange(1, 4), chance.random() < 0.7)
                )
            while len(open_connections) > 3 or (open_connections and chance.random() < 0.5):
                connection = chance.choice(open_connections)
                lines.append(connection.pop(0))
                if not connection:
                    open_connections.remove(connection)
        for connection in open_connections:
            lines += connection
        return lines

    def append(self, lines):
        with open(self.log, "a") as file:
            file.write("".join(lines))

    # ---- the store ----

    def command(self, *words):
        return [str(BUILD / "portcullis"), "-c", str(self.config), *map(str, words)]

    def run(self, *words, status=0, **options):
        done = subprocess.run(
            self.command(*words), capture_output=True, text=True, timeout=120, **options
        )
        assert done.returncode == status, done.stdout + done.stderr
        return done

    def ask(self, sql):
        database = sqlite3.connect(self.store)
        try:
            return database.execute(sql).fetchall()
        finally:
            database.close()

    def counts(self):
        assert self.ask("PRAGMA integrity_check") == [("ok",)]
        services = ["imap", "pop3", "sieve", "submission", "smtp"]
        tls = ["none", "starttls", "implicit", "tls", "unknown"]
        found = collections.Counter()
        for user, service, state, verified, count in self.ask(
            "SELECT coalesce(name, ''), service, tls, sightings.verified, sum(count)"
            " FROM sightings LEFT JOIN users ON users.id = user JOIN habits ON habits.id = habit"
            " GROUP BY 1, 2, 3, 4"
        ):
            found[user, services[service], tls[state], bool(verified)] += count
        return found


@pytest.fixture
def logs(tmp_path):
    return Logs(tmp_path)


def encrypted(logs):
    """Once a line names TLS, who names none is known to have had none."""
    return logs.login("encrypted@example.org")


# ---- once ----


def test_a_log_is_imported_once(logs):
    logs.append(encrypted(logs) + logs.login("alice@example.org") + logs.login("bob", tls="")
                + logs.mails("carol@example.org", 3) + logs.login("eve", verified=False))  # fmt: skip
    logs.told["bob@example.org", "imap", "none", True] = logs.told.pop(("bob", "imap", "none", True))
    logs.told["eve@example.org", "imap", "tls", False] = logs.told.pop(("eve", "imap", "tls", False))
    done = logs.run("import", "--log", logs.log)
    assert "9 lines of logs read, 7 logins found, 0 lines not understood" in done.stdout
    assert logs.counts() == logs.told
    assert "0 lines of logs read" in logs.run("import", "--log", logs.log).stdout
    logs.run("import", "--log", logs.log, logs.directory, "-q")
    assert logs.counts() == logs.told
    # A question finds them.
    assert "bob@example.org" in logs.run("offenders", "--rule", "encryption").stdout


def test_tls_that_is_named_later(logs):
    """Whose format has no TLS until somebody adds it: what came before is not told."""
    logs.append(logs.login("alice@example.org", tls="") + encrypted(logs)
                + logs.login("bob@example.org", tls=""))  # fmt: skip
    before = "alice@example.org", "imap", "none", True
    logs.told["alice@example.org", "imap", "unknown", True] = logs.told.pop(before)
    logs.run("import", "--log", logs.log, "-q")
    assert logs.counts() == logs.told
    offenders = logs.run("offenders", "--rule", "encryption").stdout
    assert "bob@example.org" in offenders and "alice@example.org" not in offenders


def test_an_archive_of_before_tls_was_named(logs):
    """Imported after the log of today, which names it: of what came before nothing is known."""
    logs.append(encrypted(logs) + logs.login("bob@example.org", tls=""))
    logs.run("import", "--log", logs.log, "-q")
    archive = logs.directory / "archive"
    logs.now -= 40 * 86400
    archive.write_text("".join(logs.login("alice@example.org", tls="")))
    logs.told["alice@example.org", "imap", "unknown", True] = logs.told.pop(
        ("alice@example.org", "imap", "none", True))  # fmt: skip
    logs.run("import", "--log", archive, "-q")
    assert logs.counts() == logs.told


def test_a_log_that_grows(logs):
    chance = random.Random(1)
    lines = logs.some(chance, 60)
    text = "".join(lines).encode()
    # Whole lines, half ones, one byte.
    ends = sorted(chance.sample(range(len(text)), 40)) + [len(text)]
    begin = 0
    for end in ends:
        with open(logs.log, "ab") as file:
            file.write(text[begin:end])
        begin = end
        logs.run("import", "--log", logs.log, "-q")
    assert logs.counts() == logs.told


PACKERS = {"gz": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress}


def test_packed_and_unpacked(logs):
    logs.append(logs.some(random.Random(2), 200))
    names = []
    for name, pack in PACKERS.items():
        names.append(logs.directory / f"copy.{name}")
        names[-1].write_bytes(pack(logs.log.read_bytes()))
    shutil.copy(logs.log, logs.directory / "copy")
    logs.run("import", "--log", *names, logs.log, logs.directory / "copy", "-q")
    assert logs.counts() == logs.told
    # A packed one first, and then the log goes on.
    logs.append(logs.some(random.Random(3), 200))
    logs.run("import", "--log", logs.log, "-q")
    assert logs.counts() == logs.told
    logs.run("import", "--log", *names, "-q")
    assert logs.counts() == logs.told


def test_what_is_another_log(logs):
    """By what it begins with: nothing else tells what it was made of."""
    logs.append(logs.some(random.Random(14), 60))
    lines = logs.log.read_text().splitlines(keepends=True)
    filtered = logs.directory / "filtered"
    filtered.write_text("".join(line for line in lines if "imap-login" in line))
    joined = logs.directory / "joined"
    joined.write_text(logs.log.read_text() + "".join(logs.login("bob@example.org")))
    logs.run("import", "-q", "--log", logs.log)
    logs.run("import", "-q", "--log", joined)
    assert logs.counts() == logs.told
    logs.run("import", "-q", "--log", filtered)
    for key in logs.told:
        if key[1] == "imap" and key[0] != "bob@example.org":
            logs.told[key] *= 2
    assert logs.counts() == logs.told


def test_a_last_line_without_its_newline(logs):
    """It waits for more, but for one that is packed: what is whole counts there, once."""
    logs.append(logs.login("alice@example.org"))
    text = logs.login("bob@example.org")[0].rstrip("\n")
    with open(logs.log, "a") as file:
        file.write(text)
    logs.run("import", "--log", logs.log, "-q")
    assert sum(logs.counts().values()) == 1
    copy = logs.directory / "copy.gz"
    copy.write_bytes(gzip.compress(logs.log.read_bytes()))
    logs.run("import", "--log", copy, "-q")
    # Who knows what stood behind it.
    assert sum(logs.counts().values()) == 1
    whole = ", session=<AbCdEfGhIjKlMnOp>"
    with open(logs.log, "a") as file:
        file.write(whole)
    copy.write_bytes(gzip.compress(logs.log.read_bytes()))
    for _ in range(2):
        logs.run("import", "--log", copy, "-q")
        assert logs.counts() == logs.told
    logs.append(["\n"])
    logs.run("import", "-q", "--log", logs.log)
    logs.append(logs.login("alice@example.org"))
    logs.run("import", "--log", logs.log, copy, "-q")
    assert logs.counts() == logs.told


def test_logs_that_begin_alike(logs):
    """Two hosts' Dovecots write the same first lines into files of their own."""
    begin = "Nov 29 10:00:00 master: Info: Dovecot v2.3.19.1 (9b53102964) starting up for imap\n"
    for name in ("one", "two"):
        (logs.directory / name).write_text(begin)
        logs.run("import", "--log", logs.directory / name, "-q")
    for name in ("one", "two"):
        with open(logs.directory / name, "a") as file:
            file.write("".join(logs.login(f"{name}@example.org")))
        logs.run("import", "--log", logs.directory / name, "-q")
    assert logs.counts() == logs.told


def test_years(logs):
    """Of lines that have none, from the autumn before last on, whatever pieces they come in."""
    days = range(460, 0, -23)
    lines, truth = [], {}
    for number, day in enumerate(days):
        when = int(time.time() - day * 86400)
        logs.now = when
        stamp = time.strftime("%b %e %H:%M:%S", time.localtime(when))
        lines.append("".join(stamp + line[32:] for line in logs.mails(f"user{number}@example.org")))
        truth[f"user{number}@example.org"] = when
    logs.configure('keep-sightings = "1000d"\n')
    for begin in range(0, len(lines), 3):
        logs.append(lines[begin : begin + 3])
        # As old as its last line: nothing else tells the first one's year.
        os.utime(logs.log, times=(truth[f"user{min(begin + 2, len(lines) - 1)}@example.org"],) * 2)
        logs.run("import", "-q", "--log", logs.log)
    found = dict(logs.ask("SELECT name, last_seen / 1000 FROM sightings JOIN users ON id = user"))
    assert found == truth


def test_other_commands_know_of_them(logs):
    exemptions = logs.directory / "exemptions"
    exemptions.write_text("# nobody\n")
    logs.configure(f'exemptions = "{exemptions}"\n')
    logs.append(encrypted(logs) + logs.login("alice@example.org", tls="")
                + logs.mails("bob@example.org", starttls=False))  # fmt: skip
    logs.run("import", "-q", "--log", logs.log)
    assert json.loads(logs.run("forecast", "--json").stdout)["rules"]["encryption"]["users"] == 2
    devices = json.loads(logs.run("user", "--json", "alice@example.org").stdout)["devices"]
    assert len(devices) == 1
    until = time.strftime("%Y-%m-%d", time.localtime(time.time() + 60 * 86400))
    logs.run("exempt", "--current-offenders", "encryption", "--until", until, "--reason", "test")
    assert "alice@example.org" in exemptions.read_text()
    assert "bob@example.org" in exemptions.read_text()
    assert "encrypted@" not in exemptions.read_text()


@pytest.mark.parametrize("question", ["offenders", "forecast"])
def test_a_survey_and_the_store_say_the_same(logs, question):
    """In the same words, for programs."""
    logs.append(encrypted(logs) + logs.login("alice@example.org", tls="")
                + logs.mails("bob@example.org", 3) + logs.login("eve@example.org", verified=False))  # fmt: skip
    surveyed = json.loads(logs.run("survey", f"--{question}", "--json", logs.log).stdout)
    logs.run("import", "-q", "--log", logs.log)
    answered = json.loads(logs.run(question, "--json").stdout)
    if question == "forecast":
        # A survey's time is that of the logs.
        assert surveyed.keys() == answered.keys()
        surveyed, answered = surveyed["rules"], answered["rules"]
    assert surveyed == answered and len(surveyed) >= 2


# ---- rotated ----


def rename(logs, number):
    """As logrotate does with "create" and "compress"."""
    for old in range(number, 0, -1):
        path = logs.directory / f"mail.log.{old}.gz"
        if path.exists():
            path.rename(logs.directory / f"mail.log.{old + 1}.gz")
    data = logs.log.read_bytes()
    logs.log.rename(logs.directory / "mail.log.1")
    logs.log.touch()
    yield
    with gzip.open(logs.directory / "mail.log.1.gz", "wb") as file:
        for begin in range(0, len(data), len(data) // 3 + 1):
            file.write(data[begin : begin + len(data) // 3 + 1])
            file.flush()
            yield
    (logs.directory / "mail.log.1").unlink()
    yield


def copy_and_truncate(logs, number):
    for old in range(number, 0, -1):
        path = logs.directory / f"mail.log.{old}.gz"
        if path.exists():
            path.rename(logs.directory / f"mail.log.{old + 1}.gz")
    data = logs.log.read_bytes()
    with open(logs.directory / "mail.log.1", "wb") as file:
        for begin in range(0, len(data), len(data) // 3 + 1):
            file.write(data[begin : begin + len(data) // 3 + 1])
            file.flush()
            yield
    os.truncate(logs.log, 0)
    yield
    (logs.directory / "mail.log.1.gz").write_bytes(gzip.compress(data))
    (logs.directory / "mail.log.1").unlink()
    yield


def test_killed_at_any_moment(logs):
    """By SIGKILL, while the log grows, and is rotated in every way."""
    chance = random.Random(4)
    rotation, rotations, kills = iter(()), 0, 0
    for _ in range(150):
        # Who writes does so between two steps of a rotation.
        if next(rotation, "over") == "over":
            logs.append(logs.some(chance, 150))
            if chance.random() < 0.3:
                rotation = chance.choice([rename, copy_and_truncate])(logs, rotations)
                rotations += 1
        process = subprocess.Popen(
            logs.command("import", "-q", "--log", logs.directory),
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        time.sleep(chance.random() * 0.1)
        if process.poll() is None:
            process.kill()
            kills += 1
        process.wait()
    for _ in rotation:
        pass
    logs.run("import", "-q", "--log", logs.directory)
    assert kills > 20 and rotations > 5
    assert logs.counts() == logs.told


@pytest.mark.parametrize("seen", ["at once", "later"])
def test_an_end_that_was_lost(logs, seen):
    """A machine that loses power may have what is in the store on its disk, and not the last
    lines of the log."""
    chance = random.Random(13)
    logs.append(logs.some(chance, 60) + encrypted(logs))
    whole = logs.log.read_bytes()
    logs.run("import", "-q", "--log", logs.log)
    os.truncate(logs.log, len(whole) - 500)
    if seen == "at once":
        logs.run("import", "-q", "--log", logs.log)
        # Behind half a line, which was read whole.
        logs.append(logs.login("alice@example.org"))
        logs.run("import", "-q", "--log", logs.log)
        shutil.copy(logs.log, logs.directory / "copy")
        logs.run("import", "-q", "--log", logs.directory / "copy")
    else:
        # What was lost and what has its place by now cannot be told apart: as much is passed over.
        with open(logs.log, "ab") as file:
            file.write(bytes(500) + b"\n")
    logs.append(logs.some(chance, 60))
    for _ in range(2):
        logs.run("import", "-q", "--log", logs.log)
        assert logs.counts() == logs.told
    # An older copy is no log that has lost its end.
    (logs.directory / "copy").write_bytes(logs.log.read_bytes()[:-2000])
    logs.run("import", "-q", "--log", logs.directory / "copy", logs.log)
    assert logs.counts() == logs.told


def test_killed_within_a_large_log(logs):
    chance = random.Random(5)
    logs.append(line for _ in range(40) for line in logs.some(chance, 1500))
    data = logs.log.read_bytes()
    for name, content in (("mail.log", data), ("mail.log.1.gz", gzip.compress(data))):
        store = Logs.counts(logs) if logs.store.exists() else None
        (logs.directory / name).write_bytes(content)
        for _ in range(8):
            process = subprocess.Popen(
                logs.command("import", "-q", "--log", logs.directory / name)
            )
            time.sleep(chance.uniform(0.05, 0.8))
            process.kill()
            process.wait()
        logs.run("import", "-q", "--log", logs.directory / name)
        assert logs.counts() == logs.told
        assert store is None or store == logs.told


def begin_with_older_logs(logs, *words):
    """An import that has begun to read a large one."""
    chance = random.Random(12)
    lines = encrypted(logs) + [line for _ in range(20) for line in logs.some(chance, 1500)]
    (logs.directory / "mail.log.1").write_text("".join(lines))
    before = logs.ask("SELECT count(*) FROM logs")[0][0] if logs.store.exists() else 0
    process = subprocess.Popen(logs.command(*words))

    def has_begun():
        try:
            return logs.store.exists() and logs.ask("SELECT count(*) FROM logs")[0][0] > before
        except sqlite3.OperationalError:
            return False  # it is just being made

    wait_until(has_begun, "first part of the oldest log")
    (logs.directory / "mail.log.1").rename(logs.directory / "mail.log.2")
    return process


@pytest.mark.parametrize("named", [False, True])
def test_rotated_while_older_logs_are_read(logs, named):
    """The lines of a connection are joined in their order, whichever files they come to lie in."""
    logs.configure(f'logs = {{ "{logs.log}" }}\n')
    words = ["import", "-q"] + named * ["--log", logs.directory]
    logs.append(encrypted(logs))
    mails = logs.mails("alice@example.org", 2)
    process = begin_with_older_logs(logs, *words)
    logs.append(mails[:2])
    logs.log.rename(logs.directory / "mail.log.1")
    logs.append(mails[2:])
    assert process.wait(timeout=120) == 0
    logs.run(*words)
    assert logs.counts() == logs.told


def test_copied_while_older_logs_are_read(logs):
    """What goes on in the copy is not over, though nothing was heard of it for hours."""
    logs.configure(f'logs = {{ "{logs.log}" }}\n')
    mails = logs.mails("alice@example.org", 2)
    logs.append(encrypted(logs) + mails[:2])
    logs.run("import", "-q")
    database = sqlite3.connect(logs.store)
    database.execute("UPDATE log_connections SET heard = heard - 28800000")
    database.commit()
    database.close()
    process = begin_with_older_logs(logs, "import", "-q")
    logs.append(mails[2:])
    shutil.copy(logs.log, logs.directory / "mail.log.1")
    os.truncate(logs.log, 0)
    assert process.wait(timeout=120) == 0
    logs.run("import", "-q")
    assert logs.counts() == logs.told


def test_a_copy_in_the_making_is_read_first(logs):
    """It is shorter than what was read of the log by then, but it has lost no end."""
    lines = encrypted(logs) + logs.some(random.Random(1), 60)
    logs.append(lines)
    copy = logs.directory / "mail.log.1"
    copy.write_text("".join(lines[: len(lines) // 3]))
    # While its last line is being written, it is not read up to its end.
    later = logs.login("later@example.org")[0]
    for part in (later[:20], later[20:]):
        logs.append(part)
        logs.run("import", "-q", "--log", copy, logs.log)
    assert logs.counts() == logs.told


def test_a_connection_may_go_on_in_what_cannot_be_read(logs):
    """So it is not over, though nothing was heard of it for hours."""
    logs.now -= 8 * 3600
    logs.append(encrypted(logs))
    mails = logs.mails("alice@example.org", 2)
    logs.append(mails[:2])
    (logs.directory / "mail.log.1.gz").write_bytes(gzip.compress(b"x" * 1000)[:-4])
    logs.run("import", "-q", "--log", logs.directory, status=EX_IOERR)
    logs.append(mails[2:])
    logs.run("import", "-q", "--log", logs.log)
    assert logs.counts() == logs.told
    # Not for ever.
    logs.now -= 3 * 86400
    logs.append(logs.mails("bob@example.org", starttls=False)[:2])
    logs.told["bob@example.org", "submission", "none", True] -= 1
    logs.told["bob@example.org", "submission", "unknown", True] += 1
    logs.run("import", "-q", "--log", logs.directory, status=EX_IOERR)
    assert logs.counts() == +logs.told


def test_several_importers(logs):
    chance = random.Random(6)
    for _ in range(8):
        logs.append(logs.some(chance, 300))
        importers = [
            subprocess.Popen(logs.command("import", "-q", "--log", logs.log)) for _ in range(4)
        ]
        assert [importer.wait() for importer in importers] == [0] * 4
    assert logs.counts() == logs.told


def test_beside_a_busy_service(logs):
    """A log that nobody else reads is imported, however often others commit."""
    logs.run("import", "-q")
    logs.append(logs.some(random.Random(12), 4000))
    importer = subprocess.Popen(logs.command("import", "-q", "--log", logs.log))
    database = sqlite3.connect(logs.store, timeout=60, isolation_level=None)
    while importer.poll() is None:
        database.execute("UPDATE totals SET log_change = log_change + 1")
    database.close()
    assert importer.returncode == 0
    assert logs.counts() == logs.told


def test_others_get_their_turn(logs):
    """Who waits for the store, as commands do, waits for a part of a large import."""
    logs.run("import", "-q")
    logs.append(logs.login(f"user{number % 1000}@example.org")[0] for number in range(120000))
    database = sqlite3.connect(logs.store, timeout=60, isolation_level=None)
    begun = time.monotonic()
    importer = subprocess.Popen(logs.command("import", "-q", "--log", logs.log))
    longest = 0
    while importer.poll() is None:
        asked = time.monotonic()
        database.execute("BEGIN IMMEDIATE")
        longest = max(longest, time.monotonic() - asked)
        database.execute("ROLLBACK")
        time.sleep(0.01)
    database.close()
    assert importer.returncode == 0
    assert longest < (time.monotonic() - begun) * 2 / 3
    assert logs.counts() == logs.told


# ---- what the gate recorded, too ----


def recorded(user, when, host="mx1", **changes):
    """A line of the gate's journal."""
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(when))
    return json.dumps({
        "time": f"{stamp}.{int(when % 1 * 1000):03d}Z", "host": host, "source": "dovecot",
        "user": user, "verified": True, "action": "allow", "service": "imap", "port": 143,
        "tls": "starttls", "mechanism": "PLAIN", "client": CLIENT, "country": "",
        "rules": {"implicit-tls": "observe"}, "client_id": "", "session": "", "count": 1,
        **changes,
    }) + "\n"  # fmt: skip


def write_journal(logs, lines):
    with open(logs.journal / "dovecot.jsonl", "a") as file:
        file.write("".join(lines))


def rows(logs):
    return sorted(logs.ask(
        "SELECT name, port, of_log, count FROM (SELECT name, port, of_log, sum(count) AS count"
        " FROM sightings JOIN users ON users.id = user JOIN habits ON habits.id = habit"
        " GROUP BY 1, 2, 3)"
    ))  # fmt: skip


@pytest.mark.parametrize("order", ["gate first", "log first", "by turns"])
def test_a_login_that_both_saw_counts_once(logs, order):
    """Months of the log alone, then both. "By turns": as two services do, with the gate's line
    behind the log's or before it."""
    days = [time.time() - day * 86400 for day in (40, 39, 20, 2, 1, 0.1)]
    steps = []
    for number, when in enumerate(days):
        logs.now = when
        gate, log = [], []
        for user in ("alice@example.org", "bob@example.org"):
            log += logs.login(user) + logs.login(user)
            if number >= 3:
                gate += [recorded(user, logs.now - 0.02), recorded(user, logs.now - 0.01)]
        steps.append((gate, log))

    def by_gate(step):
        write_journal(logs, step[0])
        logs.run("import", "-q")

    def by_log(step):
        logs.append(step[1])
        logs.run("import", "-q", "--log", logs.log)

    if order == "gate first":
        plan = itertools.chain(((by_gate, step) for step in steps), ((by_log, step) for step in steps))
    elif order == "log first":
        plan = itertools.chain(((by_log, step) for step in steps), ((by_gate, step) for step in steps))
    else:
        plan = ((one, step) for number, step in enumerate(steps)
                for one in ((by_gate, by_log) if number % 2 else (by_log, by_gate)))  # fmt: skip
    for one, step in plan:
        one(step)
    # Of the six days, three are known by the log alone.
    assert rows(logs) == sorted(
        (user, *more) for user in ("alice@example.org", "bob@example.org")
        for more in ((0, 1, 6), (143, 0, 6))
    )  # fmt: skip
    # And once more, whatever is given.
    (logs.directory / "copy.gz").write_bytes(gzip.compress(logs.log.read_bytes()))
    logs.run("import", "-q", "--log", logs.log, logs.directory / "copy.gz")
    logs.run("import", "-q")
    assert sum(row[3] for row in rows(logs)) == 24


def test_hosts_of_dovecots_own_files(logs):
    """They name no host: it is this one."""
    own = socket.gethostname()
    write_journal(logs, [recorded("alice@example.org", time.time() - 600, host=own)])
    logs.run("import", "-q")
    stamp = time.strftime("%b %d %H:%M:%S", time.localtime(time.time() - 599))
    logs.append([f"{stamp} imap-login: Info: Login: user=<{user}@example.org>, method=PLAIN, "
                 f"rip={CLIENT}, lip=192.0.2.1, mpid=7, TLS\n" for user in ("alice", "bob")])  # fmt: skip
    logs.run("import", "-q", "--log", logs.log)
    assert rows(logs) == [("alice@example.org", 143, 0, 1)]


def test_what_the_gate_cannot_know(logs):
    """Other hosts, another mechanism, a version of TLS that is too old, and the time before it was
    there and after it was gone."""
    logs.configure('rule old { kind = "encryption" minimum = "TLSv1.2" notify = "always" }\n')
    start = time.time() - 2 * 86400
    write_journal(logs, [recorded("alice@example.org", start + hour * 3600) for hour in range(3)])
    logs.run("import", "-q")

    def add(user, when, host="mx1", method="PLAIN", more="TLS"):
        logs.now = start + when * 3600
        logs.append([logs.line(
            f"dovecot: imap-login: Login: user=<{user}>, method={method}, rip={CLIENT}, "
            f"lip=192.0.2.1, mpid=7, {more}", host=host)])  # fmt: skip

    add("before@example.org", -1)
    add("elsewhere@example.org", 1, host="mx2")
    add("whole-name@example.org", 1, host="MX1.example.org")
    add("alice@example.org", 1)
    add("other@example.org", 1, method="GSSAPI")
    add("old@example.org", 1, more="TLSv1 with cipher ECDHE-RSA-AES256-SHA (256/256 bits)")
    add("new@example.org", 1, more="TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits)")
    add("after@example.org", 30)
    logs.run("import", "-q", "--log", logs.log)
    found = {row[0].partition("@")[0]: row[2:] for row in rows(logs)}
    assert found == {
        "before": (1, 1), "elsewhere": (1, 1), "other": (1, 1), "old": (1, 1), "after": (1, 1),
        "alice": (0, 3),
    }  # fmt: skip
    answer = logs.run("offenders", "--rule", "old", "--json").stdout
    assert [row["user"] for row in json.loads(answer)] == ["old@example.org"]


def test_what_waited_is_one_with_the_rest(logs):
    """Days on which a better record may still come stand apart in the store, but in no answer."""
    for day in (30, 3, 2, 1, 0):
        logs.now = time.time() - day * 86400 - 60
        logs.append(encrypted(logs) + logs.login("alice@example.org", tls=""))
        logs.run("import", "-q", "--log", logs.log)
    answer = json.loads(logs.run("offenders", "--json", "--rule", "encryption").stdout)
    assert [(row["user"], row["count"]) for row in answer] == [("alice@example.org", 5)]
    waiting = "SELECT count(*) FROM sightings WHERE server > 0"
    before = logs.ask(waiting)[0][0]
    database = sqlite3.connect(logs.store)
    database.execute("UPDATE sightings SET day = day - 10 WHERE server > 0")
    database.commit()
    database.close()
    logs.run("import", "-q", "--log", logs.log)
    assert before > 0 and logs.ask(waiting) == [(0,)]
    again = json.loads(logs.run("offenders", "--json", "--rule", "encryption").stdout)
    assert again == answer


def test_forgotten(logs):
    """Also whose connection had not ended."""
    logs.append(logs.mails("alice@example.org")[:2] + logs.login("alice") + logs.login("bob"))
    with open(logs.log, "ab") as file:
        file.write("".join(logs.mails("carol")[:2]).encode().replace(b"carol", b"caf\xe9"))
    logs.run("import", "-q", "--log", logs.log)
    assert "alice" in str(logs.ask("SELECT user FROM log_connections"))
    logs.run("forget", "alice")
    # What cannot be shown has the name that is shown.
    logs.run("forget", "caf\ufffd")
    assert logs.ask("SELECT count(*) FROM log_connections") == [(0,)]
    for table in ("users", "log_connections", "logs", "log_services"):
        assert "alice" not in str(logs.ask(f"SELECT * FROM {table}"))
    for path in logs.directory.glob("store.db*"):
        assert b"alice" not in path.read_bytes()
    logs.run("import", "-q", "--log", logs.log)
    assert [row[0] for row in rows(logs)] == ["bob@example.org"]


# ---- followed ----


class Follower:
    """import --follow, until the end of a block."""

    def __init__(self, logs):
        self.logs = logs

    def __enter__(self):
        self.errors = open(self.logs.directory / "errors", "a+")
        self.process = subprocess.Popen(
            self.logs.command("import", "--follow"), stderr=self.errors
        )
        return self

    def __exit__(self, *_):
        self.process.terminate()
        # It may have begun just now.
        assert self.process.wait(timeout=60) in (0, -signal.SIGTERM)
        self.errors.close()

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process = subprocess.Popen(
            self.logs.command("import", "--follow"), stderr=self.errors
        )


def wait_for(logs):
    def are_there():
        try:
            return logs.store.exists() and logs.counts() == logs.told
        except sqlite3.OperationalError:
            return False  # it is just being made

    wait_until(are_there, "logins that are in the store", interval=0.1)


def test_follow(logs):
    """Lines that are there, that come, and those around a rotation; without any journal."""
    logs.configure(f'logs = {{ "{logs.log}" }}\n')
    logs.journal.rmdir()
    chance = random.Random(7)
    logs.append(logs.some(chance, 50))
    next(rename(logs, 1))
    logs.append(logs.some(chance, 50))
    with Follower(logs) as follower:
        wait_for(logs)
        begun = time.monotonic()
        logs.append(logs.login("alice@example.org"))
        wait_for(logs)
        assert time.monotonic() - begun < 10
        for rotation in (rename, copy_and_truncate, rename):
            lines = logs.some(chance, 60)
            half = len(lines) // 2
            logs.append(lines[:half])
            steps = rotation(logs, 3)
            if rotation is copy_and_truncate:
                # What comes between copying and truncating is lost by logrotate, not by us.
                for _ in range(5):
                    next(steps, None)
                logs.append(lines[half:])
            else:
                # A syslog daemon goes on with the old file until it is told.
                with open(logs.log, "a") as before:
                    next(steps)
                    before.write("".join(lines[half:-5]))
                logs.append(lines[-5:])
                # It is packed when nobody writes to it any more.
                wait_for(logs)
            for _ in steps:
                follower.kill()
            wait_for(logs)
        follower.errors.seek(0)
        assert follower.errors.read() == ""
    done = logs.run("import")
    assert "0 lines of logs read" in done.stdout and logs.counts() == logs.told


def test_a_service_that_is_killed(logs):
    logs.configure(f'logs = {{ "{logs.log}" }}\n')
    chance = random.Random(8)
    logs.log.touch()
    with Follower(logs) as follower:
        for _ in range(25):
            lines = logs.some(chance, 40)
            while lines:
                number = chance.randrange(1, 60)
                logs.append(lines[:number])
                lines = lines[number:]
                time.sleep(0.02)
            follower.kill()
        wait_for(logs)
    logs.run("import", "-q")
    assert logs.counts() == logs.told


def test_a_login_by_gate_and_log_while_both_are_followed(logs):
    logs.configure(f'logs = {{ "{logs.log}" }}\n')
    logs.now = time.time() - 10
    with Follower(logs):
        for number in range(5):
            user = f"user{number}@example.org"
            logs.append(logs.login(user))
            if number < 3:
                # The gate's line comes when what is equal was combined.
                wait_for(logs)
            if number >= 2:
                for before in range(2 if number > 2 else 0, number + 1):
                    write_journal(logs, [recorded(f"user{before}@example.org", logs.now)])
                logs.told.clear()
        wait_until(
            lambda: {row[0][4]: row[2] for row in rows(logs)} == dict.fromkeys("01234", 0),
            "rows that are the gate's", interval=0.1,
        )  # fmt: skip


def export(lines):
    """The servers' lines, as journalctl exports them."""
    entries = []
    for line in lines:
        stamp, host, rest = line.rstrip("\n").split(" ", 2)
        tag, message = rest.split(": ", 1)
        seconds = time.mktime(time.strptime(stamp[:19], "%Y-%m-%dT%H:%M:%S")) - time.timezone
        entries.append(
            f"__REALTIME_TIMESTAMP={int(seconds * 1e6) + int(stamp[20:26])}\n"
            f"__MONOTONIC_TIMESTAMP={int(seconds * 1e6) + int(stamp[20:26])}\n"
            f"_BOOT_ID={1:032x}\n_HOSTNAME={host}\nSYSLOG_FACILITY=2\n"
            f"SYSLOG_IDENTIFIER={tag.split('[')[0]}\n"
            f"SYSLOG_PID={tag.rstrip(']').partition('[')[2] or 1}\nMESSAGE={message}\n\n"
        )
    return "".join(entries)


def write_entries(directory, lines):
    """Into a journal as systemd keeps it."""
    subprocess.run(
        ["/usr/lib/systemd/systemd-journal-remote", "-o", f"{directory}/system.journal", "-"],
        input=export(lines), text=True, capture_output=True, check=True,
    )  # fmt: skip


def test_records_of_several_lines(logs):
    """An import may end within one."""
    chance = random.Random(11)
    text = export(encrypted(logs) + logs.some(chance, 30))
    begin = 0
    for end in sorted(chance.sample(range(len(text)), 40)) + [len(text)]:
        logs.append([text[begin:end]])
        begin = end
        logs.run("import", "-q", "--log", logs.log)
    assert logs.counts() == logs.told


@pytest.fixture
def systemd_journal():
    own_directory("/var/log/journal")
    own_directory("/run/log/journal")
    return "/var/log/journal"


def test_follow_the_journal_of_systemd(logs, systemd_journal):
    logs.configure('logs = { "journal" }\n')
    chance = random.Random(9)
    assert "none that this account may read" in logs.run("import", "-q", status=EX_IOERR).stderr
    write_entries(systemd_journal, logs.some(chance, 60))
    for _ in range(2):
        logs.run("import", "-q")
        assert logs.counts() == logs.told
    with Follower(logs) as follower:
        for _ in range(4):
            lines = logs.some(chance, 20)
            write_entries(systemd_journal, lines[:17])
            follower.kill()
            write_entries(systemd_journal, lines[17:])
            wait_for(logs)
    # And a log that has the same.
    assert logs.counts() == logs.told


def test_the_same_by_the_journal_and_a_log(logs, systemd_journal):
    """As syslog daemons write what they find in the journal into a file."""
    for order in (["journal", str(logs.log)], [str(logs.log), "journal"]):
        text = ", ".join(f'"{name}"' for name in order)
        logs.configure(f"logs = {{ {text} }}\n")
        lines = logs.some(random.Random(10), 60)
        write_entries(systemd_journal, lines)
        logs.append(lines)
        logs.run("import", "-q")
        assert logs.counts() == logs.told


# ---- what strangers may do ----


def test_hosts_without_end(logs):
    """Whoever may write to a log can write hosts into it. Others wait for a transaction to end."""
    lines = [line for number in range(20000)
             for line in logs.login(f"user{number % 100}@example.org", host=f"host{number}")]  # fmt: skip
    logs.append(lines)
    begun = time.monotonic()
    logs.run("import", "-q", "--log", logs.log)
    assert time.monotonic() - begun < 15
    assert logs.counts() == logs.told
    assert logs.ask("SELECT count(*) FROM servers")[0][0] < 5000


# ---- what is wrong ----


def test_what_the_configuration_names(logs):
    own_directory("/var/log/journal")
    logs.configure('logs = { "journal", "mail.log",\n "/nowhere/mail.log", "journal" }\n')
    done = logs.run("check-config", status=0)
    assert f"{logs.config}:4: logs: 'mail.log' must be" in done.stderr
    assert f"{logs.config}:5: logs: 'journal' stands there twice" in done.stderr
    done = logs.run("import", status=EX_IOERR)
    _, _, missing, journal = done.stderr.splitlines()
    assert missing == "portcullis import: /nowhere/mail.log: No such file or directory"
    assert journal.startswith("portcullis import: the systemd journal: it has no line of")


def test_status(logs):
    """What is followed, how far it is read, and what is the matter with it."""

    def check():
        done = subprocess.run(
            logs.command("status", "--json"), capture_output=True, text=True, timeout=60
        )
        answer = json.loads(done.stdout)
        found = {row["check"]: row for row in answer["health"]}
        assert found["servers"]["healthy"] and found["backlog"]["healthy"], found
        assert done.returncode == (0 if found["logs"]["healthy"] else 1), found
        return answer["logs"], found["logs"]

    logs.configure(f'logs = {{ "{logs.log}" }}\n')
    logs.journal.rmdir()
    logs.append(logs.login("alice@example.org"))
    logs.run("import", "-q")
    [log], found = check()
    assert log["log"] == str(logs.log) and log["problem"] is None and log["waiting"] == 0
    assert abs(moment_of({"time": log["read"]}) - time.time()) < 60
    assert found["healthy"] and found["text"] == "1 followed, 0 bytes wait to be imported"
    line = logs.login("bob@example.org")
    logs.append(line)
    [log], found = check()
    assert log["waiting"] == len(line[0]) and found["healthy"]
    database = sqlite3.connect(logs.store)
    database.execute("UPDATE totals SET last_import = last_import - 7200000")
    database.commit()
    database.close()
    assert check()[1]["text"].endswith("mail.log: it is not read on; 'portcullis import' says why")
    logs.run("import", "-q")
    assert check()[1]["healthy"]
    logs.log.unlink()
    [log], found = check()
    assert log["problem"] == "No such file or directory" and not found["healthy"]
    logs.append(logs.login("carol@example.org") * 2)
    assert "nothing of it was imported yet" in check()[1]["text"]
    logs.run("import", "-q")
    assert check()[1]["healthy"]


def test_the_command_line(logs):
    assert "--log needs" in logs.run("import", "--log", status=EX_USAGE).stderr
    assert "pipe" in logs.run("import", "--log", "-", status=EX_USAGE).stderr
    assert "together" in logs.run("import", "--log", "--follow", logs.log, status=EX_USAGE).stderr
    missing = logs.run("import", "--log", logs.directory / "missing", status=EX_IOERR)
    assert "missing: No such file" in missing.stderr


def test_a_log_that_may_not_be_read(logs):
    """By the account that owns the store, as which root's import works."""
    account = pwd.getpwnam("nobody")
    service = logs.directory / "service"
    service.mkdir()
    os.chown(service, account.pw_uid, account.pw_gid)
    for path in (logs.directory, *logs.directory.parents):
        path.chmod(path.stat().st_mode | 0o011)
    logs.store = service / "store.db"
    logs.configure()
    logs.append(logs.login("alice@example.org"))
    logs.log.chmod(0o640)
    done = logs.run("import", "--log", logs.log, status=EX_IOERR)
    assert "mail.log: Permission denied: this works as the account 'nobody'" in done.stderr
    assert "portcullis(1)" in done.stderr
    os.chown(logs.log, -1, account.pw_gid)
    # Of an older one that may not be read, it is said once.
    logs.directory.chmod(0o755)
    older = logs.directory / "mail.log.1"
    older.write_text("secret\n" * 20)
    older.chmod(0o600)
    done = logs.run("import", "-q", "--log", logs.directory, status=EX_IOERR)
    assert done.stderr.count("mail.log.1: Permission denied") == 1
    assert logs.counts() == logs.told
