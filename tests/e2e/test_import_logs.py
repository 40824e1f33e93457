"""portcullis import --log: what mail logs tell comes into the store, each login once."""

import bz2
import collections
import gzip
import lzma
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import time

import pytest

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
    """What names TLS shows that who names none had none."""
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
    logs.append(["\n"] + logs.login("alice@example.org"))
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


def test_several_importers(logs):
    chance = random.Random(6)
    for _ in range(8):
        logs.append(logs.some(chance, 300))
        importers = [
            subprocess.Popen(logs.command("import", "-q", "--log", logs.log)) for _ in range(4)
        ]
        assert [importer.wait() for importer in importers] == [0] * 4
    assert logs.counts() == logs.told
