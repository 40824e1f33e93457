"""Exemptions that the store has for all hosts (exemptions-in-store), and who is given grace:
each host's importer writes down what its servers read."""

import contextlib
import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import threading
import time

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import clients
import mailhost
import postgresql
import service_account

from mailhost import BUILD, ROOT, USER
from processes import wait_until
from recorded_site import RecordedSite, day

PORTCULLIS = BUILD / "portcullis"

# sysexits.h
EX_USAGE, EX_DATAERR, EX_UNAVAILABLE, EX_TEMPFAIL, EX_NOPERM, EX_CONFIG = 64, 65, 69, 75, 77, 78

HEAD = re.compile(r"# Written by Portcullis from its store, version (\d+), digest [0-9a-f]{16}\. "
                  r"Do not edit it: 'portcullis exempt' does\.\n")  # fmt: skip

RULES = f"""
rule encryption {{ notify = "{day(-30)}" enforce = "{day(30)}" }}
rule mechanism  {{ notify = "{day(-30)}" enforce = "{day(30)}" }}
"""

FRANK = "frank@example.org"
ALICE, BOB, CAROL, ERIN = (f"{name}@example.org" for name in ("alice", "bob", "carol", "erin"))


@pytest.fixture
def server(server):
    """With empty tables."""
    postgresql.create_store(server.uri())
    return server


@pytest.fixture(params=["sqlite", "postgresql"])
def uri(request, tmp_path):
    """A store of each kind."""
    if request.param == "sqlite":
        return f"sqlite:{tmp_path}/store.db"
    return request.getfixturevalue("server").uri()


class Host:
    """One that shares exemptions with others."""

    def __init__(self, directory, uri, name="mx1", rules=RULES):
        self.directory = directory / name
        self.journal = self.directory / "journal"
        self.config = self.directory / "portcullis.conf"
        self.file = self.directory / "exemptions"
        self.journal.mkdir(parents=True)
        self.name = name
        self.rules = rules
        self.configure(uri)

    def configure(self, uri, more=""):
        self.config.write_text(
            f'journal = "{self.journal}"\nstore = "{uri}"\nhost = "{self.name}"\n'
            f'default-domain = "example.org"\nexemptions = "{self.file}"\n'
            f"exemptions-in-store = true\n{more}{self.rules}"
        )

    def command(self, *words):
        return [PORTCULLIS, "-c", self.config, *map(str, words)]

    def run(self, *words, status=0):
        """status None: any."""
        done = subprocess.run(self.command(*words), env=postgresql.environment(),
                              capture_output=True, text=True, timeout=120)  # fmt: skip
        assert status is None or done.returncode == status, done.stdout + done.stderr
        return done

    def take(self):
        """One import; what it says of the files."""
        return self.run("import", "--quiet").stderr

    def follow(self):
        return Follower(self)

    @property
    def version(self):
        return int(HEAD.match(self.file.read_text())[1])

    @property
    def text(self):
        """Behind the first line."""
        text = self.file.read_text()
        return text[HEAD.match(text).end() :]

    def let_off(self, user):
        return self.run("exempt", user, "encryption", "--until", day(30))

    def lines(self):
        return sorted(line.split()[0] for line in self.text.splitlines() if line[:1] not in ("#", ""))

    def explain_now(self, user, status, *more):
        return self.run("explain", "--service", "imap", "--port", 143, "--tls", "none",
                        "--mechanism", "PLAIN", "--client", "203.0.113.5", "--user", user,
                        *more, status=status)  # fmt: skip

    def explain(self, user, status):
        return self.explain_now(user, status, "--at", f"{day(30)} 12:00")


class Follower:
    """import --follow, whose errors are read all the time."""

    def __init__(self, host, **options):
        self.host = host
        self.process = subprocess.Popen(host.command("import", "--follow"), text=True,
                                        env=postgresql.environment(), stderr=subprocess.PIPE,
                                        **options)  # fmt: skip
        self.said = ""
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        for line in self.process.stderr:
            self.said += line

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(timeout=60)
        self._reader.join()
        assert status == 0, self.said


def eventually(condition, what):
    def holds():
        try:
            return condition()
        except (OSError, AttributeError, TypeError):
            return False

    wait_until(holds, what, timeout=60, interval=0.05)


# ---- from the store to the file ----


def test_from_the_store_to_the_file(uri, tmp_path):
    host = Host(tmp_path, uri)
    assert host.let_off("Alice").stdout == f"{ALICE} is let off encryption until {day(30)}.\n"
    assert not host.file.exists()
    assert host.take() == ""
    assert host.version == 1 and host.text == f"{ALICE}  encryption  {day(30)}\n"
    before = host.file.stat()
    host.take()
    assert host.file.stat().st_ino == before.st_ino, "nothing has changed"
    assert "already" in host.let_off(ALICE).stdout
    host.run("exempt", BOB, "mechanism", "--until", day(30), "--reason", "Ticket 12")
    listed = json.loads(host.run("exempt", "--list", "--json").stdout)
    host.take()
    lines = host.file.read_text().splitlines()
    # The lines are those of the servers' log.
    assert [lines[one["line"] - 1].split()[0] for one in listed] == [ALICE, BOB]
    assert listed[1]["reason"] == "Ticket 12"
    host.explain(ALICE, 0)
    host.explain(CAROL, 1)
    assert "2 exemptions, those of the store, in " in host.run("check-config").stdout
    assert "no such exemption" in host.run("exempt", "--remove", CAROL, status=1).stderr
    assert host.run("exempt", "--remove", ALICE, "--dry-run").stdout.endswith("removed: 1.\n")
    host.run("exempt", "--remove", ALICE)
    host.run("exempt", "--remove", "--reason", "Ticket 12")
    host.take()
    assert host.version == 4 and host.text == ""
    host.explain(ALICE, 1)


def test_a_service_writes_it(uri, tmp_path):
    first, second = Host(tmp_path, uri), Host(tmp_path, uri, "mx2")
    if uri.startswith("sqlite"):
        second = first
    with first.follow(), second.follow() as follower:
        first.let_off(ALICE)
        eventually(lambda: second.lines() == [ALICE], "file of the other host")
        second.let_off(BOB)
        eventually(lambda: first.lines() == [ALICE, BOB], "file of the first host")
        first.file.unlink()
        eventually(lambda: first.lines() == [ALICE, BOB], "file that was removed")
        first.configure(uri, more='organisation = "Another name"\n')
        first.let_off(CAROL)
        eventually(lambda: first.lines() == [ALICE, BOB, CAROL], "another configuration")
    assert follower.said == ""


def test_who_has_no_file_asks_the_store(uri, tmp_path):
    """A host without servers, where nobody imports."""
    host = Host(tmp_path, uri)
    assert str(host.file) in host.run("check-config", status=1).stderr
    host.let_off(ALICE)
    assert host.run("check-config").stdout.count("1 exemptions, those of the store, in ") == 1
    host.explain(ALICE, 0)
    host.explain(BOB, 1)
    assert not host.file.exists()


def test_many_operators_at_once(uri, tmp_path):
    host = Host(tmp_path, uri)
    names = [f"user{i}@example.org" for i in range(30)]
    with host.follow(), ThreadPoolExecutor(10) as pool:
        for done in pool.map(host.let_off, names):
            assert "is let off" in done.stdout
        eventually(lambda: host.lines() == sorted(names), "all of them")
    with ThreadPoolExecutor(10) as pool:
        list(pool.map(lambda name: host.run("exempt", "--remove", name), names[5:]))
    host.take()
    assert host.lines() == sorted(names[:5])


# ---- what was there before ----

OWN = f"""\
# Ask Erika first!

alice   encryption,mechanism   {day(90)}     # old scanner
bob     mechanism     2024-10-01..{day(90)}
carol   nonsense      {day(90)}
dave    encryption"""


def test_the_first_file_is_taken_in(uri, tmp_path):
    host = Host(tmp_path, uri)
    host.file.write_text(OWN)
    said = host.take()
    assert said == f"portcullis import: {host.file}: lines taken into the store: 6\n"
    assert host.text == (
        OWN.replace("carol ", "# wrong, left out: carol ").replace("dave ", "# wrong, left out: dave ")
        + "\n"
    )
    assert host.version == 1 and host.take() == ""
    host.explain(ALICE, 0)
    assert host.run("check-config").stderr == ""
    host.run("exempt", "--remove", ALICE)
    host.take()
    assert "alice" not in host.text


def test_status(uri, tmp_path, request):
    def an_hour_ago():
        if uri.startswith("sqlite:"):
            with contextlib.closing(sqlite3.connect(uri.removeprefix("sqlite:"))) as store:
                store.execute("UPDATE shared_texts SET changed = changed - 3600000")
                store.commit()
        else:
            request.getfixturevalue("server").query(
                "UPDATE portcullis.shared_texts SET changed = changed - interval '1 hour'"
            )

    def files():
        answer = json.loads(host.run("status", "--json", status=None).stdout)
        return next(one for one in answer["health"] if one["check"] == "files")

    host = Host(tmp_path, uri)
    host.let_off(ALICE)
    host.take()
    assert files()["healthy"]
    host.let_off(BOB)
    assert files()["healthy"], "it takes a moment"
    text = host.file.read_text()
    an_hour_ago()
    assert "read version 1 of the exemptions, the store has 2" in files()["text"]
    host.file.write_text(f"{ALICE}  encryption  {day(30)}\n")
    assert "exemptions are not the store's" in files()["text"] and not files()["healthy"]
    host.file.write_text(text)
    host.take()
    assert files()["healthy"]


def test_what_an_operator_did_before_is_not_lost(uri, tmp_path):
    host = Host(tmp_path, uri)
    host.file.write_text(OWN)
    host.let_off("erin")
    host.take()
    assert host.lines() == ["alice", "bob", "erin@example.org"]


@pytest.mark.parametrize("own", ["", "# nobody\n", "\n\n"])
def test_nobody_was_let_off(uri, tmp_path, own):
    host = Host(tmp_path, uri)
    host.file.write_text(own)
    host.take()
    assert host.version == 1 and host.text == own
    assert host.run("check-config").stderr == ""


def test_the_files_of_all_hosts_are_taken_in(server, tmp_path):
    hosts = [Host(tmp_path, server.uri(), f"mx{i}") for i in range(6)]
    common = f"{ALICE}  encryption  {day(60)}  # on all of them\n"
    for i, host in enumerate(hosts):
        host.file.write_text(f"{common}user{i}@example.org  encryption  {day(60)}\n")
    hosts[5].file.unlink()
    expected = sorted([ALICE] + [f"user{i}@example.org" for i in range(5)])
    with contextlib.ExitStack() as stack:
        for host in hosts:
            stack.enter_context(host.follow())
        for host in hosts:
            eventually(lambda host=host: host.lines() == expected, f"file of {host.name}")
    assert len({host.file.read_text() for host in hosts}) == 1
    assert server.query("SELECT count(*) FROM portcullis.taken_in") == [("5",)]


def test_a_file_that_comes_late(server, tmp_path):
    """It stays as it is, so that nobody is locked out; until the operator has its lines."""
    first, late = Host(tmp_path, server.uri()), Host(tmp_path, server.uri(), "mx2")
    first.let_off(ALICE)
    server.query("UPDATE portcullis.shared_texts SET begun = now() - interval '31 days'")
    own = f"{BOB}  encryption  {day(30)}\n"
    late.file.write_text(own)
    assert "too late to be taken into the store" in late.take()
    assert late.file.read_text() == own
    late.explain(BOB, 0)
    first.let_off(BOB)
    late.take()
    assert late.lines() == [ALICE, BOB]


# ---- what somebody edits by hand ----


def kept(host):
    return sorted(path for path in host.directory.iterdir() if ".by-hand-" in path.name)


def test_edited_by_hand(uri, tmp_path):
    host = Host(tmp_path, uri)
    host.let_off(ALICE)
    host.take()
    right = host.file.read_text()
    with host.follow() as follower:
        for edited in (right + f"{BOB}  encryption  {day(30)}\n", right.replace(ALICE, BOB)):
            for _ in range(2):
                host.file.write_text(edited)
                eventually(lambda: host.file.read_text() == right, "text of the store")
                assert edited in [path.read_text() for path in kept(host)]
    assert "somebody has written to it; what it said is kept as" in follower.said
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in kept(host))
    assert len(kept(host)) == 2


def test_a_second_file_of_a_hosts_own(uri, tmp_path):
    """Only the first one is the switch-over."""
    host = Host(tmp_path, uri)
    host.file.write_text(f"{ALICE}  encryption  {day(30)}\n")
    host.take()
    own = f"{BOB}  encryption  {day(30)}\n"
    host.file.write_text(own)
    assert "somebody has written to it" in host.take()
    assert host.lines() == [ALICE] and [path.read_text() for path in kept(host)] == [own]


def test_replace(uri, tmp_path):
    host = Host(tmp_path, uri)
    copy = tmp_path / "copy"
    host.let_off(ALICE)
    host.let_off(BOB)
    host.take()
    copy.write_text(host.file.read_text().replace(ALICE, CAROL) + "# a comment\n")
    done = host.run("exempt", "--replace", copy)
    assert done.stdout == "Exemptions before: 2. Now: 2.\n"
    host.take()
    assert host.lines() == [BOB, CAROL] and host.text.endswith("# a comment\n")
    # Of an older version.
    assert "another version by now" in host.run("exempt", "--replace", copy,
                                                status=EX_DATAERR).stderr  # fmt: skip
    right = host.file.read_text()
    copy.write_text(f"{ALICE}  encryption  {day(30)}\n")
    assert "its first line" in host.run("exempt", "--replace", copy, status=EX_DATAERR).stderr
    copy.write_text(right + "dave nonsense 2025-01-01\n")
    done = host.run("exempt", "--replace", copy, status=EX_DATAERR)
    assert f"{copy}:5: " in done.stderr and "it has wrong lines" in done.stderr
    host.take()
    assert host.file.read_text() == right
    text = host.config.read_text()
    host.config.write_text(text.replace("exemptions-in-store = true", ""))
    host.run("exempt", "--replace", copy, status=EX_USAGE)


# ---- the store away, or another one ----


def test_the_database_away(server, tmp_path):
    host = Host(tmp_path, server.uri())
    host.let_off(ALICE)
    with host.follow() as follower:
        eventually(lambda: host.lines() == [ALICE], "file")
        server.stop()
        eventually(lambda: follower.said, "report that it is away")
        right = host.file.read_text()
        assert host.run("exempt", BOB, "encryption", "--until", day(30),
                        status=EX_TEMPFAIL).stderr  # fmt: skip
        host.explain(ALICE, 0)
        assert host.run("check-config").stderr == ""
        time.sleep(2)
        assert host.file.read_text() == right
        server.start()
        host.let_off(BOB)
        eventually(lambda: host.lines() == [ALICE, BOB], "file")
        eventually(lambda: "can be reached again" in follower.said, "report that it is back")
    assert len(follower.said.splitlines()) == 2, follower.said


def test_cut_connections(server, tmp_path):
    """Whoever is said to be let off is so, once, whatever answer was lost."""
    cutter = postgresql.Cutter(server, seed=5)
    try:
        desk = Host(tmp_path, server.uri(), "desk")
        host = Host(tmp_path, server.uri(folder=cutter.folder))
        names = [f"user{i}@example.org" for i in range(15)]
        cutter.cut_within = 6000
        with host.follow():
            for name in names:
                while desk_says(host, name) != 0:
                    pass
            eventually(lambda: host.lines() == sorted(names), "all of them")
        assert cutter.cuts > 5
        assert len(json.loads(desk.run("exempt", "--list", "--json").stdout)) == len(names)
    finally:
        cutter.close()


def desk_says(host, name):
    done = host.run("exempt", name, "encryption", "--until", day(30), status=None)
    assert done.returncode in (0, EX_TEMPFAIL), done
    return done.returncode


def test_another_store(server, tmp_path):
    """What was written from the old one is taken into a new one; into a copy, nothing has to
    be."""
    host = Host(tmp_path, server.uri())
    host.file.write_text(f"{ALICE}  encryption  {day(30)}\n")
    host.take()
    host.let_off(BOB)
    host.take()
    copy = f"sqlite:{tmp_path}/copy.db"
    host.run("store", "copy", server.uri(), copy)
    host.configure(copy)
    before = host.file.stat()
    assert host.take() == "" and host.file.stat().st_ino == before.st_ino
    host.file.write_text(f"{CAROL}  encryption  {day(30)}\n")
    assert "somebody has written to it" in host.take()
    assert host.lines() == [ALICE, BOB]
    host.configure(f"sqlite:{tmp_path}/new.db")
    assert "lines taken into the store: 2" in host.take()
    assert host.lines() == [ALICE, BOB] and host.version == 1


# ---- who may what ----


@pytest.fixture
def roles(roles):
    """With empty tables, the owner's."""
    postgresql.create_store(roles.uri(user="portcullis_owner"))
    return roles


def test_roles(roles, tmp_path):
    """An importer adds its own file, once; whoever has taken it over lets nobody else off."""
    host = Host(tmp_path, roles.uri(user="portcullis_writer"))
    operator = Host(tmp_path, roles.uri(user="portcullis_operator"), "desk")
    host.file.write_text(f"{ALICE}  encryption  {day(30)}\n")
    assert "lines taken into the store: 1" in host.take()
    assert "denied" in host.run("exempt", BOB, "encryption", "--until", day(30),
                                status=EX_NOPERM).stderr  # fmt: skip
    operator.let_off(BOB)
    host.take()
    assert host.lines() == [ALICE, BOB]
    shutil.rmtree(host.directory)
    for sql in (
        "INSERT INTO portcullis.shared_texts VALUES ('x', 1, '', now(), now())",
        "UPDATE portcullis.shared_texts SET text = ''",
        "DELETE FROM portcullis.shared_texts",
        "DELETE FROM portcullis.taken_in",
        "INSERT INTO portcullis.taken_in VALUES ('mx9', now())",
        # Not what was there.
        "SELECT portcullis.take_in('mx9', 2, 'mallory encryption 2099-01-01')",
    ):
        done = subprocess.run(["psql", "-X", "-h", roles.data, "-U", "portcullis_writer",
                               "portcullis", "-c", sql], capture_output=True, text=True)  # fmt: skip
        assert done.returncode != 0, sql
        assert "denied" in done.stderr or "lines may only be added" in done.stderr
    assert roles.query("SELECT portcullis.take_in('mx1', 2, text || 'x')"
                       " FROM portcullis.shared_texts") == [("1",)]  # fmt: skip
    assert roles.query("SELECT version FROM portcullis.shared_texts") == [("2",)]


def service_site(tmp_path, uri):
    """Laid out as tmpfiles.d does it: the service's account has the records."""
    host = Host(tmp_path, uri)
    service_account.give(host.directory)
    host.directory.chmod(0o2751)
    os.chown(host.directory, service_account.UID, service_account.UID)
    host.journal.chmod(0o2770)
    return host


def owner(path):
    status = path.stat()
    return status.st_uid, status.st_gid, status.st_mode & 0o7777


def test_the_importer_as_the_services_account(tmp_path, request):
    """The file is for the group of the journal, which the servers are in."""
    host = service_site(tmp_path, f"sqlite:{tmp_path}/mx1/store.db")
    host.file.write_text(f"{ALICE}  encryption  {day(30)}\n")
    os.chown(host.file, 0, 0)
    host.file.chmod(0o644)
    program = Path(tempfile.mkdtemp(dir="/var/tmp")) / "portcullis"
    program.parent.chmod(0o755)
    shutil.copy(PORTCULLIS, program)
    request.addfinalizer(lambda: shutil.rmtree(program.parent))
    done = subprocess.run([program, "-c", host.config, "import", "--quiet"], capture_output=True,
                          text=True, user=service_account.UID, group=service_account.UID,
                          extra_groups=[service_account.GID], umask=0o077)  # fmt: skip
    assert done.returncode == 0 and "lines taken into the store: 1" in done.stderr, done
    assert owner(host.file) == (service_account.UID, service_account.GID, 0o640)
    assert host.lines() == [ALICE]


def test_exempt_as_root(uri, tmp_path):
    """It leaves nothing behind that the service cannot use."""
    if uri.startswith("sqlite:"):
        uri = f"sqlite:{tmp_path}/mx1/store.db"
    host = service_site(tmp_path, uri)
    os.chown(host.directory, -1, service_account.GID)
    host.directory.chmod(0o2751)
    host.let_off(ALICE)
    host.take()
    assert host.lines() == [ALICE]
    for path in host.directory.rglob("*"):
        if path not in (host.config, host.journal):
            assert owner(path)[0] == service_account.UID, path
    assert owner(host.file)[1:] == (service_account.GID, 0o640)


def test_a_help_desk(tmp_path):
    """May read the store, but not what is for the servers."""
    host = service_site(tmp_path, f"sqlite:{tmp_path}/mx1/store.db")
    reader = service_account.UID - 1
    os.chown(host.directory, -1, reader)
    host.directory.chmod(0o2751)
    host.let_off(ALICE)
    host.take()
    os.chown(host.file, -1, service_account.GID)
    host.config.chmod(0o644)
    program = Path(tempfile.mkdtemp(dir="/var/tmp")) / "portcullis"
    program.parent.chmod(0o755)
    shutil.copy(PORTCULLIS, program)
    try:
        for user, status in ((ALICE, 0), (BOB, 1)):
            done = subprocess.run(
                [program, *host.command("explain", "--service", "imap", "--port", 143, "--tls",
                                        "none", "--mechanism", "PLAIN", "--client",
                                        "203.0.113.5", "--user", user, "--at",
                                        f"{day(30)} 12:00")[1:]],
                capture_output=True, text=True, user=reader, group=reader, extra_groups=[],
            )  # fmt: skip
            assert (done.returncode, done.stderr) == (status, ""), done
    finally:
        shutil.rmtree(program.parent)


def test_where_the_importer_may_not_write(tmp_path):
    host = service_site(tmp_path, f"sqlite:{tmp_path}/mx1/store.db")
    host.let_off(ALICE)
    elsewhere = tmp_path / "etc"
    elsewhere.mkdir()
    (elsewhere / "exemptions").write_text(f"{BOB}  encryption  {day(30)}\n")
    host.config.write_text(host.config.read_text().replace(str(host.file),
                                                           f"{elsewhere}/exemptions"))
    assert "cannot write it" in host.run("check-config", status=1).stderr
    said = host.take()
    assert f"{elsewhere}/exemptions: " in said
    assert (elsewhere / "exemptions").read_text() == f"{BOB}  encryption  {day(30)}\n"


# ---- who is given grace ----

NOTICES = f"""
notices {{
    from = "mail@example.org"
    texts = "{ROOT}/notices"
    languages = {{ "en" }}
    transport = "sendmail:/bin/true"
    max-per-hour = 0
}}
"""


def graced(grace='grace = "7d"'):
    return f"""
rule encryption {{ observe = "{day(-90)}" notify = "{day(-60)}" enforce = "{day(-1)}" {grace} }}
{NOTICES}"""


def grace_of(host):
    path = host.journal / "grace"
    return [line.split()[0] for line in path.read_text().splitlines() if line[0] != "#"]


def test_grace_for_the_servers_of_all_hosts(server, tmp_path):
    """Whichever host 'notify' ran on."""
    first = Host(tmp_path, server.uri(), rules=graced())
    second = Host(tmp_path, server.uri(), "mx2", rules=graced())
    RecordedSite.record(first, ALICE, "encryption", days_ago=3)
    RecordedSite.record(first, BOB, "encryption", days_ago=4)
    first.file.write_text("# nobody\n")
    first.take()
    first.run("notify", "--quiet", "--send")
    with second.follow() as follower:
        eventually(lambda: grace_of(second) == [ALICE, BOB], "file of the other host")
        assert owner(second.journal / "grace")[2] == 0o640
        second.explain_now(ALICE, 0)
        second.explain_now(CAROL, 1)
        right = (first.journal / "grace").read_text()
        assert (second.journal / "grace").read_text() == right
        (second.journal / "grace").write_text(f"{CAROL} encryption {day(3)}\n")
        eventually(lambda: grace_of(second) == [ALICE, BOB], "file as it was")
        first.run("forget", ALICE)
        eventually(lambda: grace_of(second) == [BOB], "file without her")
        server.stop()
        assert grace_of(second) == [BOB]
        server.start()
        for host in (first, second):
            host.rules = graced(grace="")
            host.configure(server.uri())
        first.run("notify", "--quiet", "--send")
        eventually(lambda: not (second.journal / "grace").exists(), "end of the file")
    assert "grace" not in follower.said


def test_a_host_without_servers_knows_who_has_grace(server, tmp_path):
    first = Host(tmp_path, server.uri(), rules=graced())
    desk = Host(tmp_path, server.uri(), "desk", rules=graced())
    RecordedSite.record(first, ALICE, "encryption", days_ago=3)
    first.let_off(BOB)
    first.take()
    first.run("notify", "--quiet", "--send")
    desk.journal.rmdir()
    desk.explain_now(ALICE, 0)
    desk.explain_now(BOB, 0)
    desk.explain_now(CAROL, 1)


# ---- real servers ----


class RealHost(Host):
    """A mail host, whose importer works as the service's account."""

    def __init__(self, host, directory, uri):
        self.host = host
        super().__init__(directory, uri, "mx1", """
rule encryption { services = { "imap", "submission" } enforce = "always" }
""")  # fmt: skip
        for path, mode in ((self.directory, 0o2751), (self.journal, 0o2770)):
            shutil.chown(path, USER, USER)
            path.chmod(mode)

    def configure(self, uri, more=""):
        self.config = mailhost.CONFIG
        self.site = mailhost.SITE.replace(str(mailhost.JOURNAL_DIRECTORY), str(self.journal))
        self.shared_site = self.site.replace(str(mailhost.EXEMPTIONS), str(self.file)) + (
            f'exemptions-in-store = true\nhost = "{self.name}"\nstore = "{uri}"\n'
        )

    def command(self, *words):
        return ["/usr/bin/portcullis", *map(str, words)]

    def follow(self):
        return Follower(self, user=USER, group=USER, extra_groups=[], umask=0o077)


def accepted(user, password=clients.PASSWORD):
    """By Dovecot and by Postfix, which come to agree."""
    answers = [clients.imap(user, password, tls="none").accepted,
               clients.smtp(587, user, password, tls="none").accepted]  # fmt: skip
    return all(answers) if answers[0] == answers[1] else None


def test_on_real_servers(host, server, tmp_path):
    """The servers of one host let in whom another host let off; within ten seconds, and still
    when there is no database any more."""
    base = Path(tempfile.mkdtemp(dir="/var/tmp"))
    base.chmod(0o755)
    try:
        real, other = RealHost(host, base, server.uri()), Host(tmp_path, server.uri(), "mx2")
        own = f"{ALICE}  encryption  {day(90)}\n"
        host.apply(real.rules, exemptions=own, site=real.site)
        assert accepted(ALICE) and not accepted(BOB)
        # The switch-over, as portcullis.conf(5) has it.
        subprocess.run(["install", "-o", USER, "-g", USER, "-m", "640", mailhost.EXEMPTIONS,
                        real.file], check=True)  # fmt: skip
        host.write_policy(real.rules, exemptions=own, site=real.shared_site)
        host.reload()
        assert accepted(ALICE)
        with real.follow() as follower:
            eventually(lambda: real.version == 1, "file")
            assert owner(real.file)[2] == 0o640
            assert accepted(ALICE) and not accepted(BOB)
            waited = []
            for user in (BOB, CAROL, ERIN):
                other.let_off(user)
                begun = time.monotonic()
                wait_until(lambda user=user: accepted(user), f"access of {user}", timeout=60,
                           interval=0.2)  # fmt: skip
                waited.append(time.monotonic() - begun)
            print("seconds until they were let in:", waited)
            # A busy machine is not always in time.
            assert min(waited) < 10
            server.stop()
            eventually(lambda: follower.said, "report that it is away")
            assert accepted(BOB)
            host.dovecot.restart()
            host.policyd.restart()
            assert accepted(ALICE) and accepted(BOB) and not accepted(FRANK)
        # What the service's account could hand over to the servers.
        elsewhere = real.directory / "elsewhere"
        elsewhere.write_text(f"{FRANK}  encryption  {day(90)}\n")
        shutil.chown(elsewhere, USER, USER)
        logs = [(server, len(server.log())) for server in (host.dovecot, host.policyd)]
        real.file.unlink()
        real.file.symlink_to(elsewhere)
        for one, offset in logs:
            eventually(lambda one=one, offset=offset: "the ones read before stay in force"
                       in one.log()[offset:], "complaint")  # fmt: skip
        assert accepted(ALICE) and accepted(BOB) and not accepted(FRANK)
        server.start()
    finally:
        shutil.rmtree(base)
