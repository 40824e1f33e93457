"""portcullis import and forget: real journals into a real store, with interruptions."""

import collections
import contextlib
import itertools
import json
import os
import pty
import pwd
import random
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import tempfile
import threading
import time

from pathlib import Path

import pytest

import service_account

from mailhost import BUILD, USER
from processes import PATIENCE, Server, listens_at, read_log, wait_until

PORTCULLIS = BUILD / "portcullis"
POLICYD = BUILD / "portcullis-policyd"

RULES = """
rule encryption { notify = "2024-06-01" }
rule smtp-auth-25 { kind = "submission-port" notify = "2024-06-01" }
"""

# sysexits.h
EX_DATAERR, EX_NOINPUT, EX_IOERR, EX_TEMPFAIL, EX_NOPERM = 65, 66, 74, 75, 77

DAY = 86400.0


def iso(moment):
    """As the journal has it."""
    milliseconds = int(moment * 1000)
    text = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(milliseconds // 1000))
    return f"{text}.{milliseconds % 1000:03d}Z"


def event(**changes):
    return {
        "time": iso(time.time() - 60),
        "host": "mx1",
        "source": "dovecot",
        "user": "alice@example.org",
        "verified": True,
        "action": "allow",
        "service": "imap",
        "port": 143,
        "tls": "none",
        "mechanism": "PLAIN",
        "client": "203.0.113.5",
        "country": "DE",
        "rules": {"encryption": "notify"},
        "client_id": "name=Thunderbird",
        "session": "abc",
        "count": 1,
        **changes,
    }


def line(**changes):
    return json.dumps(event(**changes), ensure_ascii=False).encode() + b"\n"


class Site:
    """A journal and a store, in a directory of their own."""

    def __init__(self, directory):
        self.directory = directory
        self.journal = directory / "journal"
        self.store = directory / "store.db"
        self.config = directory / "portcullis.conf"
        self.journal.mkdir()
        self.configure()

    def configure(self, more=""):
        self.config.write_text(
            f'journal = "{self.journal}"\nstore = "sqlite:{self.store}"\n'
            f'default-domain = "example.org"\n{more}{RULES}'
        )

    def command(self, *words):
        return [str(PORTCULLIS), "-c", str(self.config), *words]

    def run(self, *words, status=0):
        done = subprocess.run(self.command(*words), capture_output=True, text=True, timeout=120)
        assert done.returncode == status, done.stdout + done.stderr
        return done

    def append(self, name, data):
        with open(self.journal / name, "ab") as file:
            file.write(data)

    def files(self):
        return sorted(path.name for path in self.journal.iterdir())

    def rows(self):
        """What the store has, by what it tells apart."""
        database = sqlite3.connect(self.store)
        try:
            assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            rows = database.execute(
                "SELECT coalesce(users.name, '(nobody)'), sightings.verified, habits.source,"
                " service, port, tls, mechanisms.text, country, client_ids.text, rule_sets.text,"
                " count, rejected, first_seen, last_seen, last_client"
                " FROM sightings LEFT JOIN users ON users.id = user"
                " JOIN habits ON habits.id = habit JOIN rule_sets ON rule_sets.id = rules"
                " JOIN strings mechanisms ON mechanisms.id = mechanism"
                " JOIN strings client_ids ON client_ids.id = client_id"
            ).fetchall()
        finally:
            database.close()
        found = {tuple(row[:10]): tuple(row[10:]) for row in rows}
        assert len(found) == len(rows)
        return found

    def count(self):
        return sum(row[0] for row in self.rows().values())

    def by_user(self):
        counts = collections.Counter()
        for key, row in self.rows().items():
            counts[key[0]] += row[0]
        return dict(counts)

    def totals(self):
        database = sqlite3.connect(self.store)
        try:
            return database.execute("SELECT lines, lost, set_aside FROM totals").fetchone()
        finally:
            database.close()


@pytest.fixture
def site(tmp_path):
    return Site(tmp_path)


SOURCES = ["dovecot", "postfix"]
SERVICES = ["imap", "pop3", "sieve", "submission", "smtp"]
TLS = ["none", "starttls", "implicit"]


def truth(events):
    """What the store must have, reckoned in another way."""
    found = {}
    for one in events:
        key = (
            one["user"],
            int(one["verified"]),
            SOURCES.index(one["source"]),
            SERVICES.index(one["service"]),
            one["port"],
            TLS.index(one["tls"]),
            one["mechanism"],
            one["country"],
            one["client_id"],
            ",".join(f"{title}={one['rules'][title]}" for title in sorted(one["rules"])),
        )
        moment, until = (
            int(time.mktime(time.strptime(stamp[:19], "%Y-%m-%dT%H:%M:%S")) - time.timezone) * 1000
            + int(stamp[20:23])
            for stamp in (one["time"], one.get("until", one["time"]))
        )
        rejected = one["count"] if one["action"] == "reject" else 0
        if key not in found:
            found[key] = (one["count"], rejected, moment, until, one["client"])
            continue
        count, rejections, first, last, client = found[key]
        found[key] = (
            count + one["count"],
            rejections + rejected,
            min(first, moment),
            max(last, until),
            one["client"] if until >= last else client,
        )
    return found


def some_events(chance, number, users, host="mx1"):
    now = time.time()
    for i in range(number):
        rules = {}
        if chance.random() < 0.5:
            rules["encryption"] = chance.choice(["observe", "notify", "enforce"])
        if chance.random() < 0.3:
            rules["country"] = "enforce"
        # Of what is not verified, only so much is told apart.
        verified = chance.random() < 0.9
        # Of different milliseconds, so that one is the last.
        moment = now - 10 * DAY + i * 0.002 + chance.randrange(100) * 3600
        several = {"count": 3, "until": iso(moment + 7200)}
        yield event(
            time=iso(moment),
            host=host,
            source=chance.choice(SOURCES) if verified else "dovecot",
            user=f"user{chance.randrange(users)}@example.org",
            verified=verified,
            action=chance.choice(["allow", "reject"]),
            service=chance.choice(["imap", "pop3"]) if verified else "imap",
            port=chance.choice([143, 110, 993]) if verified else 143,
            tls=chance.choice(TLS) if verified else "none",
            mechanism=chance.choice(["PLAIN", "CRAM-MD5"]) if verified else "PLAIN",
            client=f"203.0.113.{chance.randrange(1, 250)}",
            country=chance.choice(["DE", "US", ""]),
            rules=rules,
            client_id=chance.choice(["", "name=Thunderbird", "Größe 😀"]) if verified else "",
            **chance.choice([{}, {}, {"count": 7}, several]),
        )


def encode(events):
    return b"".join(json.dumps(one, ensure_ascii=False).encode() + b"\n" for one in events)


# ---- what is imported ----


def test_everything_adds_up(site):
    chance = random.Random(1)
    ours = list(some_events(chance, 5000, 3000))
    theirs = list(some_events(chance, 5000, 3000, host="mx2"))
    site.append("dovecot.jsonl", encode(ours[:2500]))
    site.append("postfix.jsonl", encode(ours[2500:]))
    site.append("mx2.jsonl", encode(theirs))
    done = site.run("import")
    assert done.stdout == "10000 lines imported, 0 set aside, 0 lost by the servers\n"
    assert done.stderr == ""
    assert site.rows() == truth(ours + theirs)
    assert site.files() == []
    # Once more finds nothing.
    assert site.run("import").stdout.startswith("0 lines")
    assert site.rows() == truth(ours + theirs)


def test_what_later_versions_write(site):
    site.append("dovecot.jsonl", line(device={"model": ["x"]}, lost=3, count=5))
    site.append("dovecot.jsonl", line(lost=4, tls_version="TLSv1.9"))
    site.run("import")
    assert site.count() == 6
    assert site.totals() == (2, 7, 0)


def test_combined_lines(site):
    """Each end of it counts, and no count makes a user of nobody."""
    monday = time.time() // (7 * DAY) * 7 * DAY - 3 * DAY  # 1970 began on a Thursday
    site.append(
        "dovecot.jsonl",
        line(time=iso(monday - 60), until=iso(monday + 60), count=9)
        # A clock that was set back meanwhile.
        + line(user="bob@example.org", until=iso(time.time() - 3600), count=2)
        + line(user="", client="", client_id="", verified=False, count=5000)
        + line(until="yesterday"),
    )
    site.run("import")
    database = sqlite3.connect(site.store)
    rows = database.execute(
        "SELECT name, count, last_seen - first_seen, sightings.weeks, days FROM sightings"
        " LEFT JOIN users ON users.id = user ORDER BY count"
    ).fetchall()
    users = database.execute("SELECT count(*) FROM users").fetchone()
    days = database.execute("SELECT sum(sightings), sum(unknown_country) FROM days").fetchone()
    database.close()
    assert rows == [
        ("bob@example.org", 2, 0, 1, 1), ("alice@example.org", 9, 120000, 3, 2),
        (None, 5000, 0, 1, 1),
    ]
    assert users == (2,)
    assert days == (11, 0)
    assert site.totals() == (3, 0, 1)


def test_days_of_use(site):
    """Of each server's lines by themselves, however often they come."""
    noon = time.time() // DAY * DAY + DAY / 2
    for ago in (20, 13, 6, 5):
        for source in ("dovecot", "postfix"):
            site.append(f"{source}.jsonl", line(time=iso(noon - ago * DAY), source=source) * 3)
        site.run("import")
    database = sqlite3.connect(site.store)
    assert database.execute("SELECT days FROM sightings").fetchall() == [(4,), (4,)]
    database.close()


def test_an_account_with_ever_new_programs(site):
    """The store does not grow by what they are called, and knows all that they broke."""
    def program(number):
        return line(
            user="alice@example.org", client_id=f"name=invented {number}" + "x" * 100,
            rules={"country": "notify"} if number == 39999 else {"encryption": "notify"},
        )

    site.append("dovecot.jsonl", b"".join(map(program, range(40000))))
    site.run("import")
    assert site.count() == 40000
    assert len(site.rows()) <= 258
    assert any("country=notify" in key for key in site.rows())
    assert site.store.stat().st_size < 1024 * 1024


def test_names_of_any_kind(site):
    names = ["", "a b", '"', "a\nb", "'; DROP TABLE users; --", "\x1b[31mred", "ü@例え", "x" * 10000]
    for name in names:
        site.append("dovecot.jsonl", line(user=name))
    site.run("import")
    assert site.by_user() == {name: 1 for name in names}


def test_clock_jumps(site):
    now = time.time()
    moments = [now - DAY, now - 100 * DAY, now + 3650 * DAY, now - DAY + 1, 0]
    for moment in moments:
        site.append("dovecot.jsonl", line(time=iso(moment)))
    done = site.run("import")
    assert "1 of them were older than keep-sightings" in done.stdout
    assert "1 of them were dated more than a day ahead" in done.stdout
    ((count, _, first, last, _),) = site.rows().values()
    assert count == 4
    assert first == int((now - 100 * DAY) * 1000)
    assert now * 1000 <= last <= time.time() * 1000


# ---- lines that are none ----

GARBAGE = [
    b"garbage",
    b'{"time":',
    b"[1,2]",
    b"null",
    b"\xff\xfe\x00",
    b"\x00" * 100,
    line().rstrip().replace(b"alice", b"al\x00ice"),
    line().rstrip().replace(b"alice", b"al\\u0000ice"),
    line().rstrip().replace(b"alice", b"al\xffice"),
    line(time="yesterday").rstrip(),
    line(time="2024-02-30T00:00:00.000Z").rstrip(),
    line(service="telnet").rstrip(),
    line(port="143").rstrip(),
    line(port=70000).rstrip(),
    line(verified="yes").rstrip(),
    line(rules={"encryption": "soon"}).rstrip(),
    line(rules={"a=b,c": "notify"}).rstrip(),
    line(client="example.org").rstrip(),
    line(count=0).rstrip(),
    line(count=-1).rstrip(),
    line(country="de").rstrip(),
    b"[" * 100000,
    b"x" * 3000000,
]
REQUIRED = "time source user verified action service port tls mechanism client country rules"
for key in REQUIRED.split():
    GARBAGE.append(json.dumps({k: v for k, v in event().items() if k != key}).encode())


def test_garbage_is_set_aside(site):
    offsets = []
    for i, text in enumerate(GARBAGE):
        site.append("dovecot.jsonl", line(user=f"before{i}"))
        offsets.append((site.journal / "dovecot.jsonl").stat().st_size)
        site.append("dovecot.jsonl", text + b"\n")
        site.append("dovecot.jsonl", b"\n \r\n")  # is nothing at all
    done = site.run("import")
    assert site.by_user() == {f"before{i}": 1 for i in range(len(GARBAGE))}
    assert site.totals() == (len(GARBAGE), 0, len(GARBAGE))
    assert f"dovecot.jsonl-" in done.stderr
    assert f": the line at {offsets[0]} was set aside: it is not JSON\n" in done.stderr
    assert "more such messages are left out" in done.stderr
    assert site.files() == ["set-aside"]
    kept = (site.journal / "set-aside").read_bytes()
    for text, offset in zip(GARBAGE, offsets):
        assert b" at %d: " % offset in kept
        assert text[:4096] in kept
    assert "'user' is missing" in kept.decode("utf-8", "replace")


def test_what_is_set_aside_stays_small(site):
    for i in range(40):
        site.append("dovecot.jsonl", (b"x" * 100000 + b"\n") * 20)
        site.run("import")
    assert site.totals()[2] == 800
    sizes = [path.stat().st_size for path in site.journal.iterdir()]
    assert len(sizes) == 2 and max(sizes) < (1 << 20) + 10000


def test_half_a_line_waits(site):
    whole = line(user="bob@example.org")
    site.append("mx2.jsonl", line() + whole[:100])
    holder = open(site.journal / "mx2.jsonl", "ab")  # it is still being copied
    site.run("import")
    assert site.by_user() == {"alice@example.org": 1}
    site.run("import")
    assert site.files() == ["mx2.jsonl"]
    holder.write(whole[100:])
    holder.close()
    site.run("import")
    assert site.by_user() == {"alice@example.org": 1, "bob@example.org": 1}
    assert site.totals() == (2, 0, 0)
    assert site.files() == []


def test_half_a_line_that_stays(site):
    """A writer died within a line; another one may have gone on behind it."""
    site.append("dovecot.jsonl", line()[:100] + line(user="bob@example.org") + line()[:50])
    site.run("import")
    assert site.by_user() == {"bob@example.org": 1}
    assert site.totals() == (1, 0, 2)
    assert site.files() == ["set-aside"]


def test_a_last_line_without_its_newline(site):
    site.append("dovecot.jsonl", line().rstrip())
    site.run("import")
    assert site.count() == 1
    assert site.files() == []


# ---- files ----


def test_a_copy_that_comes_again(site):
    """rsync from another host gives a longer file under the same name each time."""
    events = [line(user=f"user{i}") for i in range(1000)]
    for known in (100, 100, 50, 1000):
        copy = site.journal / ".mx2.jsonl.part"
        copy.write_bytes(b"".join(events[:known]))
        copy.rename(site.journal / "mx2.jsonl")
        site.run("import")
        assert site.files() == []
    assert site.by_user() == {f"user{i}": 1 for i in range(1000)}


def test_a_new_file_of_the_same_name_and_content(site):
    for _ in range(5):
        site.append("dovecot.jsonl", line(time="2026-01-01T00:00:00.000Z"))
        site.run("import", "--at", "2026-01-02")
    assert site.count() == 5


def test_a_disk_with_another_number(site):
    """As after a start of the machine that found its disks in another order."""
    with open(site.journal / "dovecot.jsonl", "ab") as holder:
        holder.write(line(user="bob") * 10)
        holder.flush()
        site.run("import")
        assert len(site.files()) == 1
        with contextlib.closing(sqlite3.connect(site.store)) as store, store:
            store.execute("UPDATE files SET device = device + 1")
        holder.write(line(user="carol"))
        holder.flush()
        site.run("import")
    site.run("import")
    assert site.by_user() == {"bob": 10, "carol": 1}
    assert site.files() == []


def test_a_file_that_was_cut_short(site):
    site.append("mx2.jsonl", line(user="bob") * 10)
    with open(site.journal / "mx2.jsonl", "ab") as holder:
        site.run("import")
        assert site.files() == ["mx2.jsonl"]
        holder.truncate(0)
        holder.write(line(user="carol"))
        holder.flush()
        done = site.run("import")
    assert "it was replaced or cut short" in done.stderr
    assert site.by_user() == {"bob": 10, "carol": 1}


def test_what_is_not_a_journal(site):
    os.mkfifo(site.journal / "fifo.jsonl")
    (site.journal / "directory.jsonl").mkdir()
    (site.journal / "link.jsonl").symlink_to("/etc/passwd")
    (site.journal / "notes.txt").write_text("hello")
    site.append("dovecot.jsonl", line())
    done = site.run("import", status=EX_IOERR)
    assert "fifo.jsonl: cannot open: it is not a regular file" in done.stderr
    assert "link.jsonl: cannot open" in done.stderr
    assert site.count() == 1
    assert site.files() == ["directory.jsonl", "fifo.jsonl", "link.jsonl", "notes.txt"]


def test_no_journal(site):
    site.journal.rmdir()
    assert "No such file" in site.run("import", status=EX_NOINPUT).stderr


def test_several_importers(site):
    chance = random.Random(2)
    events = list(some_events(chance, 20000, 1000))
    data = encode(events).splitlines(keepends=True)
    for i in range(10):
        name = ["dovecot.jsonl", "postfix.jsonl"][i % 2] if i < 2 else f"mx{i}.jsonl"
        site.append(name, b"".join(data[i::10]))
    running = [
        subprocess.Popen(site.command("import", "-q"), stderr=subprocess.PIPE) for _ in range(6)
    ]
    for process in running:
        _, errors = process.communicate(timeout=120)
        # On a busy machine, the others may need longer than the ten seconds that it waits.
        gave_up = process.returncode == os.EX_TEMPFAIL and b"locked by another process" in errors
        assert gave_up or (process.returncode == 0 and errors == b""), errors
    assert any(process.returncode == 0 for process in running)
    site.run("import")
    assert site.count() == sum(one["count"] for one in events)
    assert site.rows() == truth(events)
    assert site.files() == []


# ---- killed ----


def test_killed_a_hundred_times(site):
    chance = random.Random(3)
    events, kills, ended = [], 0, 0
    longest = 0.05
    while kills < 100:
        more = list(some_events(chance, 1000, 500, host=f"mx{kills % 3}"))
        events += more
        name = chance.choice(["dovecot.jsonl", "postfix.jsonl", f"mx{kills}.jsonl"])
        site.append(name, encode(more))
        process = subprocess.Popen(
            site.command("import", "-q"), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        begun = time.monotonic()
        time.sleep(chance.random() * longest)
        if process.poll() is None:
            process.kill()
            kills += 1
        else:
            # Too late for this one; so the next are killed earlier.
            assert process.returncode == 0
            ended += 1
            longest = max(0.01, time.monotonic() - begun)
        process.wait()
        if kills % 10 == 0 and site.store.exists() and kills:
            database = sqlite3.connect(site.store)
            assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            database.close()
    site.run("import")
    assert site.count() == sum(one["count"] for one in events)
    assert site.rows() == truth(events)
    assert site.files() == []


def test_killed_within_a_large_file(site):
    """One file of several transactions, and kills that hit all parts of the way."""
    chance = random.Random(4)
    number = 200000
    site.append("dovecot.jsonl", b"".join(line(user=f"u{i % 5000}") for i in range(number)))
    for _ in range(12):
        process = subprocess.Popen(site.command("import", "-q"))
        time.sleep(chance.uniform(0.1, 1.2))
        process.kill()
        process.wait()
    site.run("import")
    assert site.by_user() == {f"u{i}": number // 5000 for i in range(5000)}


class Submissions:
    """The policy daemon, whose journal is written as it is on a mail server, and a
    client that asks it all the time."""

    def __init__(self, site):
        # A socket's path must be short.
        self.directory = tempfile.mkdtemp()
        self.path = f"{self.directory}/policy"
        self.server = Server([POLICYD, "-c", site.config, "-l", f"unix:{self.path}"])
        wait_until(lambda: listens_at(self.path), "daemon that listens")
        self.sent = collections.Counter()
        self.stopping = False
        self.pause = 0.0005
        self.thread = threading.Thread(target=self._ask)

    def _ask(self):
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(self.path)
        reader = connection.makefile("rb")
        number = 0
        while not self.stopping:
            user = f"user{number % 100}@example.org"
            connection.sendall(
                f"request=smtpd_access_policy\nprotocol_state=RCPT\nprotocol_name=ESMTP\n"
                f"instance=i{number}\nclient_address=203.0.113.7\nserver_port=25\n"
                f"sasl_method=PLAIN\nsasl_username={user}\nhelo_name=pc\n"
                f"encryption_protocol=\n\n".encode()
            )
            assert reader.readline() == b"action=DUNNO\n"
            assert reader.readline() == b"\n"
            self.sent[user] += 1
            number += 1
            time.sleep(self.pause)
        connection.close()

    def __enter__(self):
        self.thread.start()
        return self

    def stop(self):
        self.stopping = True
        self.thread.join()
        self.server.stop()

    def __exit__(self, *_):
        self.stop()
        shutil.rmtree(self.directory)


def test_nothing_is_lost_while_it_is_written(site):
    """Files are renamed and removed under a daemon that writes, by importers that
    are killed."""
    chance = random.Random(5)
    with Submissions(site) as submissions:
        for i in itertools.count():
            if i >= 60 and sum(list(submissions.sent.values())) > 1000:
                break
            process = subprocess.Popen(site.command("import", "-q"))
            if i % 3 == 2:
                process.wait()
            else:
                time.sleep(chance.random() * 0.03)
                process.kill()
                process.wait()
            time.sleep(chance.random() * 0.1)
        submissions.stop()
        site.run("import")
        assert site.by_user() == dict(submissions.sent)
        assert site.totals()[1:] == (0, 0)
        assert site.files() == []


def test_a_writer_that_is_held_up(site):
    """Stopped between looking at the file and writing to it, for long."""
    with Submissions(site) as submissions:
        journal = site.journal / "postfix.jsonl"
        for _ in range(10):
            wait_until(lambda: journal.exists() and journal.stat().st_size, "journal")
            submissions.server.signal(signal.SIGSTOP)
            site.run("import")
            # It still has the renamed file open, so that one must stay.
            assert [name for name in site.files() if name.startswith("postfix.jsonl-")]
            submissions.server.signal(signal.SIGCONT)
        submissions.stop()
        site.run("import")
        assert site.by_user() == dict(submissions.sent)
        assert site.files() == []


def test_follow(site):
    with Submissions(site) as submissions:
        service = subprocess.Popen(site.command("import", "--follow"))
        try:
            time.sleep(4)
            submissions.stop()
            wait_until(lambda: site.by_user() == dict(submissions.sent), "import of all")
            site.append("mx2.jsonl", line(user="late"))
            wait_until(lambda: "late" in site.by_user(), "import of a new file")
            wait_until(lambda: "mx2.jsonl" not in site.files(), "removal")
            assert service.poll() is None
        finally:
            service.send_signal(signal.SIGTERM)
            assert service.wait(PATIENCE) == 0


def test_follow_takes_a_large_file_away(site):
    """Not as soon as it is read, but when it has 16 MiB."""
    # The first way through the journal takes all away.
    site.append("dovecot.jsonl", line(user="first"))
    service = subprocess.Popen(site.command("import", "--follow"))
    try:
        wait_until(lambda: "dovecot.jsonl" not in site.files() and site.by_user(), "first pass")
        one = line(user="many")
        site.append("dovecot.jsonl", one)
        wait_until(lambda: "many" in site.by_user(), "import of a small file")
        time.sleep(2)
        assert "dovecot.jsonl" in site.files()
        many = (16 << 20) // len(one)
        site.append("dovecot.jsonl", one * many)
        wait_until(lambda: "dovecot.jsonl" not in site.files(), "removal of a large file")
        wait_until(lambda: site.by_user() == {"first": 1, "many": many + 1}, "import of all")
    finally:
        service.terminate()
    assert service.wait(PATIENCE) == 0


def test_as_its_own_user(host):
    """The service is not root, and Dovecot's file is not its own: it may read, rename
    and remove it, but the kernel tells it nothing of who has it open."""
    directory = Path(tempfile.mkdtemp(dir="/var/tmp"))
    user = pwd.getpwnam(USER)
    site = Site(directory)
    for path in (directory, site.journal):
        os.chown(path, user.pw_uid, user.pw_gid)
        path.chmod(0o2770)
    site.append("dovecot.jsonl", line())
    os.chown(site.journal / "dovecot.jsonl", 65534, user.pw_gid)
    (site.journal / "dovecot.jsonl").chmod(0o640)
    command = ["/usr/bin/portcullis", "-c", site.config, "import"]
    for name, left in (("dovecot.jsonl", []), ("mx2.jsonl", ["mx2.jsonl"])):
        site.append(name, line())
        if name == "mx2.jsonl":
            os.chown(site.journal / name, 65534, user.pw_gid)
        done = subprocess.run(
            command,
            user=user.pw_uid,
            group=user.pw_gid,
            extra_groups=[],
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done
        # A copy may go on as long as nobody knows better.
        assert site.files() == left
    assert site.count() == 3
    # An hour later it may not.
    os.utime(site.journal / "mx2.jsonl", (time.time() - 3700,) * 2)
    subprocess.run(command, user=user.pw_uid, group=user.pw_gid, check=True)
    assert site.files() == []
    assert site.count() == 3
    shutil.rmtree(directory)


def test_what_root_makes_belongs_to_the_service(site):
    """Root tries an import by hand; the service goes on with the store."""
    service_account.give(site.directory)
    site.append("dovecot.jsonl", line() + b"garbage\n" + b"garbage of bob\n")
    site.run("import")
    site.run("forget", "bob")
    files = [path for path in site.directory.iterdir() if path.name.startswith(site.store.name)]
    files.append(site.journal / "set-aside")
    assert site.store in files
    assert {(path.stat().st_uid, path.stat().st_gid) for path in files} == {(65534, 65533)}


def test_a_service_does_not_flood_its_log(site):
    site.run("import")
    (site.journal / "link.jsonl").symlink_to("/etc/passwd")
    with open(site.directory / "log", "w+", encoding="utf-8") as log:
        service = subprocess.Popen(site.command("import", "--follow"), stderr=log)
        site.append("dovecot.jsonl", line())
        wait_until(lambda: site.count() == 1, "import")
        # It then looks into the journal again.
        site.append("dovecot.jsonl", line())
        wait_until(lambda: site.count() == 2, "import")
        service.terminate()
        assert service.wait(PATIENCE) == 0
        log.seek(0)
        assert log.read().count("link.jsonl: cannot open") == 1


def test_a_service_that_cannot_set_aside(site):
    """It tells so once, and loses nothing."""
    (site.journal / "set-aside").mkdir()
    site.append("dovecot.jsonl", b"garbage\n" + line())
    _follow_for_two_tries(site, "a line cannot be set aside")
    (site.journal / "set-aside").rmdir()
    assert "1 lines imported, 1 set aside" in site.run("import").stdout


def _follow_for_two_tries(site, complaint):
    with open(site.directory / "log", "w+", encoding="utf-8") as log:
        service = subprocess.Popen(site.command("import", "--follow"), stderr=log)
        wait_until(lambda: complaint in read_log(Path(log.name)), "complaint")
        # It tries again after ten seconds.
        time.sleep(12)
        service.terminate()
        assert service.wait(PATIENCE) == 0
        log.seek(0)
        assert log.read().count(complaint) == 1


# ---- stores in trouble; what is in the journal stays there ----


def test_locked_store(site):
    site.append("dovecot.jsonl", line())
    site.run("import")
    site.append("dovecot.jsonl", line())
    database = sqlite3.connect(site.store, isolation_level=None)
    database.execute("BEGIN IMMEDIATE")
    began = time.monotonic()
    done = site.run("import", status=EX_TEMPFAIL)
    assert "it is locked by another process" in done.stderr
    # portcullis(1) says ten seconds.
    assert time.monotonic() - began < 30
    database.execute("ROLLBACK")
    database.close()
    assert site.count() == 1
    site.run("import")
    assert site.count() == 2


@pytest.fixture
def small_disk(site):
    """The store on a disk of its own."""
    disk = site.directory / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=400k", "tmpfs", disk], check=True)
    site.store = disk / "store.db"
    site.configure()
    yield disk
    subprocess.run(["umount", disk], check=True)


def test_full_disk(site, small_disk):
    number = 20000
    site.append("dovecot.jsonl", b"".join(line(user=f"user{i}") for i in range(number)))
    done = site.run("import", status=EX_IOERR)
    assert "the disk is full" in done.stderr
    assert done.stdout == ""
    _follow_for_two_tries(site, "the disk is full")
    subprocess.run(["mount", "-o", "remount,size=100m", small_disk], check=True)
    site.run("import")
    assert site.count() == number


def test_read_only_store(site, small_disk):
    site.append("dovecot.jsonl", line())
    site.run("import")
    site.append("dovecot.jsonl", line())
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    done = site.run("import", status=EX_NOPERM)
    assert "read-only" in done.stderr or "only be read" in done.stderr
    subprocess.run(["mount", "-o", "remount,rw", small_disk], check=True)
    site.run("import")
    assert site.count() == 2


def test_damaged_store(site):
    site.append("dovecot.jsonl", b"".join(line(user=f"user{i}") for i in range(5000)))
    site.run("import")
    pages = bytearray(site.store.read_bytes())
    pages[4096 * 5 : 4096 * 80] = os.urandom(4096 * 75)
    site.store.write_bytes(pages)
    more = b"".join(line(user=f"user{i}") for i in range(5000))
    site.append("mx2.jsonl", more)
    done = site.run("import", status=EX_DATAERR)
    assert "it is damaged" in done.stderr
    (kept,) = [path for path in site.journal.iterdir() if path.name.startswith("mx2.jsonl")]
    assert kept.read_bytes() == more
    # Moved away, as the message says, a new one begins.
    for path in site.directory.glob("store.db*"):
        path.unlink()
    site.run("import")
    assert site.count() == 5000


def test_a_service_goes_on_when_the_store_is_mended(site):
    """It says what is wrong once, and waits for somebody to put it right."""
    site.append("dovecot.jsonl", line())
    site.store.write_text("no database at all\n" * 100)
    with open(site.directory / "log", "w+", encoding="utf-8") as log:
        service = subprocess.Popen(site.command("import", "--follow"), stderr=log)
        try:
            wait_until(lambda: "it is damaged" in read_log(Path(log.name)), "complaint")
            time.sleep(12)
            assert service.poll() is None
            site.store.unlink()
            wait_until(lambda: site.store.exists() and site.files() == [], "import")
            assert site.count() == 1
            assert read_log(Path(log.name)).count("damaged") == 1
        finally:
            service.terminate()
        assert service.wait(PATIENCE) == 0


def test_a_service_reads_a_configuration_that_changes(site):
    site.append("dovecot.jsonl", line(time=iso(time.time() - DAY)))
    service = subprocess.Popen(site.command("import", "--follow"), stderr=subprocess.PIPE,
                               text=True)
    network = 'network office { addresses = { "203.0.113.0/24" } }\n'

    def whereabouts():
        database = sqlite3.connect(site.store)
        try:
            return database.execute("SELECT last_client, whereabouts FROM sightings").fetchall()
        finally:
            database.close()

    try:
        wait_until(lambda: site.files() == [] and site.count() == 1, "import")
        assert whereabouts() == [("203.0.113.5", "public")]
        site.configure(network)
        wait_until(lambda: "203.0.113.0-" in whereabouts()[0][1], "the new network")
        # A wrong one changes nothing.
        site.configure("nonsense\n")
        assert "nonsense" in service.stderr.readline()
        site.append("mx2.jsonl", line(user="bob"))
        wait_until(lambda: "bob" in site.by_user(), "import")
        site.configure('keep-addresses = "12h"\n' + network)
        wait_until(lambda: (None, "public 203.0.113.0-203.0.113.255") in whereabouts(), "erasure")
    finally:
        service.terminate()
    assert service.wait(PATIENCE) == 0


def test_not_a_store(site):
    site.append("dovecot.jsonl", line())
    site.store.write_text("no database at all\n" * 100)
    assert "damaged" in site.run("import", status=EX_DATAERR).stderr
    site.store.unlink()
    database = sqlite3.connect(site.store)
    database.execute("CREATE TABLE recipes (name TEXT)")
    database.commit()
    database.close()
    assert "another program's" in site.run("import", status=EX_DATAERR).stderr
    assert (site.journal / "dovecot.jsonl").read_bytes() == line() or site.files()


# ---- privacy ----


def at(moment):
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(moment))


def test_addresses_and_sightings_expire(site):
    now = time.time()
    site.append("dovecot.jsonl", line(user="new", time=iso(now - DAY)))
    site.append("dovecot.jsonl", line(user="old", time=iso(now - 20 * DAY)))
    site.append("dovecot.jsonl", b"garbage that names someone\n")
    site.run("import")
    addresses = {key[0]: row[4] for key, row in site.rows().items()}
    assert addresses == {"new": "203.0.113.5", "old": None}
    assert b"203.0.113.5" in site.store.read_bytes()
    site.run("import", "--force", "--at", at(now + 14 * DAY))
    assert {row[4] for row in site.rows().values()} == {None}
    assert b"203.0.113.5" not in site.store.read_bytes()
    site.run("import", "--force", "--at", at(now + 390 * DAY))
    assert list(site.by_user()) == ["new"]
    site.run("import", "--force", "--at", at(now + 400 * DAY))
    assert site.rows() == {}
    assert site.files() == []


def test_a_clock_that_is_years_ahead(site):
    """Only for a moment, but what is erased stays so."""
    now = time.time()
    site.append("dovecot.jsonl", line(user="recent", time=iso(now - DAY)))
    site.append("dovecot.jsonl", line(user="old", time=iso(now - 20 * DAY)))
    site.run("import")
    before = site.rows()
    assert len(before) == 2
    site.append("postfix.jsonl", line(user="waiting", time=iso(now - 2 * DAY), source="postfix"))
    site.append("dovecot.jsonl", b"garbage\n")
    done = site.run("import", "--at", "2099-01-01")
    assert "1 lines imported, 1 set aside" in done.stdout
    assert "is not erased, lest a wrong clock erase all; --force does" in done.stdout
    assert "older than keep-sightings" not in done.stdout.split("is not erased")[1]
    after = site.rows()
    assert {key: row for key, row in after.items() if key in before} == before
    assert {key[0]: row[4] for key, row in after.items()} == {
        "recent": "203.0.113.5", "old": None, "waiting": "203.0.113.5"}  # fmt: skip
    # All is well again, and says so.
    assert "is not erased" not in site.run("import").stdout
    assert site.rows() == after
    assert site.run("import", "--quiet", "--force", "--at", "2099-01-01").stdout == ""
    assert site.rows() == {}


def test_servers_whose_clock_was_years_ahead(site):
    """A few days far from all others are no data's time."""
    now = time.time()
    site.append("dovecot.jsonl", line(user="recent", time=iso(now - DAY)))
    site.run("import")
    before = site.rows()
    site.append("dovecot.jsonl", line(user="ahead", time="2098-12-31T10:00:00.000Z"))
    site.append("dovecot.jsonl", line(user="back", time=iso(now)))
    done = site.run("import", "--at", "2099-01-01")
    assert "is not erased" in done.stdout
    assert sorted(site.by_user()) == ["ahead", "back", "recent"]
    assert before.items() <= site.rows().items()
    assert "is not erased" not in site.run("import").stdout
    # Where they come for a week, it is the time.
    for i in range(7):
        site.append("dovecot.jsonl", line(user="ahead", time=f"2099-01-0{i + 1}T10:00:00.000Z"))
    assert "is not erased" not in site.run("import", "--at", "2099-01-08").stdout
    assert list(site.by_user()) == ["ahead"]


def test_a_service_says_what_it_does_not_erase(site):
    site.append("dovecot.jsonl", line(time=iso(time.time() - 30 * DAY)))
    site.append("dovecot.jsonl", line(user="new", time=iso(time.time() - 20 * DAY)))
    process = subprocess.Popen(site.command("import", "--follow"), stderr=subprocess.PIPE,
                               text=True)
    try:
        assert "is not erased" in process.stderr.readline()
    finally:
        process.terminate()
    assert process.wait(10) == 0
    # Once.
    assert process.stderr.read() == ""
    assert {key[0]: row[4] for key, row in site.rows().items()} == {
        "alice@example.org": "203.0.113.5", "new": "203.0.113.5"}  # fmt: skip


def test_what_is_set_aside_expires_line_by_line(site):
    """Also where another one is put there every day."""
    now = time.time()
    site.append("dovecot.jsonl", b"garbage of last week\n")
    site.run("import")
    kept = site.journal / "set-aside"
    kept.write_text(re.sub(r"\d{4}-\d\d-\d\dT", iso(now - 7 * DAY)[:11], kept.read_text()))
    site.append("dovecot.jsonl", b"garbage of today\n")
    # What the operator says of the time is not when it came.
    site.run("import", "--at", at(now + 1000 * DAY))
    assert b"of last week" in kept.read_bytes()
    site.run("import", "--force", "--at", at(now + 8 * DAY))
    text = kept.read_bytes()
    assert b"of last week" not in text and text.endswith(b"garbage of today\n")


def test_keeping_less(site):
    now = time.time()
    site.append("dovecot.jsonl", line(time=iso(now - 2 * DAY)))
    site.run("import")
    site.configure('keep-addresses = "24h"\n')
    site.run("import")
    assert [row[4] for row in site.rows().values()] == [None]
    site.configure('keep-sightings = "1d"\n')
    site.run("import")
    assert site.rows() == {}


def holds(directory, text):
    return [
        str(path) for path in directory.rglob("*") if path.is_file() and text in path.read_bytes()
    ]


def test_forget(site):
    for i in range(2000):
        site.append("dovecot.jsonl", line(user=f"user{i}@example.org"))
    site.run("import")
    site.append("dovecot.jsonl", line(user="user7@example.org") + line(user="user8@example.org"))
    site.append("dovecot.jsonl", b"half a line of user7@example.org\nhalf one of user8@example.org\n")
    assert site.run("forget", "USER7").stdout == "removed\n"
    assert holds(site.directory, b"user7@example.org") == []
    assert set(site.by_user()) == {f"user{i}@example.org" for i in range(2000) if i != 7}
    assert b"user8" in (site.journal / "set-aside").read_bytes()
    assert site.run("forget", "user7@example.org", status=1).stdout == "nothing was known\n"
    assert site.run("forget", status=64)
    assert site.run("forget", "", status=64)


def test_forget_while_somebody_reads(site):
    """A reader keeps the pages that it may still need."""
    site.append("dovecot.jsonl", line(user="user7@example.org"))
    site.run("import")
    with contextlib.closing(sqlite3.connect(site.store)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM users").fetchall()
        result = site.run("forget", "user7@example.org", status=75)
        assert "try again" in result.stderr and result.stdout == ""
        assert site.rows() == {}
        assert holds(site.directory, b"user7@example.org") != []
    site.run("forget", "user7@example.org", status=1)
    assert holds(site.directory, b"user7@example.org") == []


def test_forget_while_a_server_writes(site):
    with Submissions(site) as submissions:
        wait_until(lambda: submissions.sent["user99@example.org"] > 2, "submissions")
        service = subprocess.Popen(site.command("import", "--follow"))
        time.sleep(2)
        # He writes no more mail, the others do.
        before = sum(submissions.sent.values())
        submissions.stop()
        assert before > 0
        site.run("forget", "user99@example.org")
        assert holds(site.directory, b"user99@example.org") == []
        service.terminate()
        assert service.wait(PATIENCE) == 0
        del submissions.sent["user99@example.org"]
        assert site.by_user() == dict(submissions.sent)


# ---- appearance and cost ----


def test_progress_on_a_terminal_only(site):
    data = b"".join(line(user=f"user{i % 1000}") for i in range(150000))
    site.append("dovecot.jsonl", data)
    assert site.run("import").stderr == ""
    site.append("dovecot.jsonl", data)
    leader, follower = pty.openpty()
    process = subprocess.Popen(site.command("import"), stdout=follower, stderr=follower)
    os.close(follower)
    shown = b""
    while True:
        try:
            chunk = os.read(leader, 65536)
        except OSError:  # the other end was closed
            break
        if not chunk:
            break
        shown += chunk
    os.close(leader)
    assert process.wait() == 0
    # It moves on while a file is read.
    assert len(set(re.findall(rb"(\d+) %", shown))) >= 3
    # The bar is wiped before the summary.
    assert b"\r\x1b[K150000 lines imported" in shown


def peak_kilobytes(pid):
    """Not from wait4(2), which counts what the parent had when it forked."""
    try:
        with open(f"/proc/{pid}/status", encoding="ascii") as status:
            return int(dict(text.split(":", 1) for text in status)["VmHWM"].split()[0])
    except (OSError, KeyError):
        return 0  # it has ended


def test_memory_is_bounded(site):
    """Whatever the file holds."""
    with open(site.journal / "dovecot.jsonl", "wb") as file:
        for _ in range(200):
            file.write(b"y" * 1000000)
        file.write(b"\n" + line())
        # JSON that needs much more memory than its text.
        for _ in range(20):
            file.write(b'{"time":[' + b"[]," * 80000 + b"[]]}\n")
        file.write(line())
    process = subprocess.Popen(site.command("import", "-q"), stderr=subprocess.DEVNULL)
    peak = 0
    while process.poll() is None:
        peak = max(peak, peak_kilobytes(process.pid))
        time.sleep(0.001)
    assert process.returncode == 0
    assert 1024 < peak < 100 * 1024
    assert site.count() == 2
    assert site.totals() == (2, 0, 21)


def test_usage(site):
    for words in (["--follow", "--at", "2024-01-01"], ["--follow", "--force"], ["file"]):
        assert site.run("import", *words, status=64).stderr
