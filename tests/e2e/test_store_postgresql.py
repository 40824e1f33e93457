"""The store on PostgreSQL: every line once, whatever happens to importers, connections and
server."""

import json
import os
import random
import signal
import subprocess
import time

import pytest

import postgresql

from mailhost import BUILD
from processes import wait_until
from test_import import RULES, encode, some_events, truth

PORTCULLIS = BUILD / "portcullis"

# sysexits.h
EX_DATAERR, EX_NOINPUT, EX_CANTCREAT, EX_TEMPFAIL, EX_NOPERM, EX_CONFIG = 65, 66, 73, 75, 77, 78


class Host:
    """One that imports its own journal."""

    def __init__(self, directory, uri, name="mx1"):
        self.directory = directory / name
        self.name = name
        self.journal = self.directory / "journal"
        self.config = self.directory / "portcullis.conf"
        self.journal.mkdir(parents=True)
        self.configure(uri)

    def configure(self, uri):
        self.config.write_text(
            f'journal = "{self.journal}"\nstore = "{uri}"\nhost = "{self.name}"\n'
            f'default-domain = "example.org"\n{RULES}'
        )

    def command(self, *words):
        return [PORTCULLIS, "-c", self.config, *words]

    def run(self, *words, status=0, more=()):
        """status None: any. more: of the environment."""
        done = subprocess.run(self.command(*words), env={**postgresql.environment(), **dict(more)},
                              capture_output=True, text=True, timeout=120)  # fmt: skip
        assert status is None or done.returncode == status, done.stdout + done.stderr
        return done

    def append(self, events, name="dovecot.jsonl"):
        with open(self.journal / name, "ab") as file:
            file.write(encode(events))

    def follow(self):
        return subprocess.Popen(
            self.command("import", "--follow"), env=postgresql.environment(),
            stderr=subprocess.PIPE, text=True,
        )  # fmt: skip


def rows(server):
    """What the store has, by what it tells apart, as truth() reckons it."""
    found = {}
    for row in server.query(
        "SELECT coalesce(u.name, '(nobody)'), s.verified::integer, h.source, h.service, h.port,"
        " h.tls, h.mechanism, h.country, h.client_id, r.text, s.count, s.rejected,"
        " round(extract(epoch FROM s.first_seen) * 1000),"
        " round(extract(epoch FROM s.last_seen) * 1000), s.last_client"
        " FROM portcullis.sightings s LEFT JOIN portcullis.users u ON u.id = s.user_id"
        " JOIN portcullis.habits h ON h.id = s.habit JOIN portcullis.rule_sets r ON r.id = s.rules"
    ):
        numbers = [int(field) for field in row[1:6]]
        key = (row[0], *numbers, *row[6:10])
        assert key not in found
        found[key] = (*(int(field) for field in row[10:14]), row[14])
    return found


def without_clients(counted):
    """Of equal times, another one may have come last."""
    return {key: row[:4] for key, row in counted.items()}


def lines(server):
    return int(server.query("SELECT coalesce(sum(lines), 0) FROM portcullis.totals")[0][0])


def stop(importer):
    importer.send_signal(signal.SIGTERM)
    said = importer.communicate(timeout=60)[1]
    assert importer.returncode == 0, said
    return said


# ---- tables ----


def test_it_is_created_once(server, tmp_path):
    host = Host(tmp_path, server.uri())
    done = host.run("import", status=EX_NOINPUT)
    assert "has no tables yet; 'portcullis store create'" in done.stderr
    assert host.run("store", "check", status=EX_NOINPUT).stderr
    host.run("store", "create")
    assert "already" in host.run("store", "create", status=EX_CANTCREAT).stderr
    host.run("store", "upgrade")
    answer = json.loads(host.run("store", "check", "--json", status=None).stdout)
    assert answer["version"] == answer["newest"] == 1
    assert answer["rows"]["sightings"] == 0


def test_another_version(server, tmp_path):
    host = Host(tmp_path, server.uri())
    host.run("store", "create")
    host.append(some_events(random.Random(1), 10, 5))
    server.query("UPDATE portcullis.version SET version = 1000")
    for command in (["import"], ["offenders"], ["status"], ["store", "upgrade"]):
        assert "newer version" in host.run(*command, status=EX_DATAERR).stderr
    server.query("UPDATE portcullis.version SET version = 0")
    for command in (["import"], ["offenders"]):
        assert "'portcullis store upgrade'" in host.run(*command, status=EX_DATAERR).stderr


def test_version_that_changes_meanwhile(server, tmp_path):
    host = Host(tmp_path, server.uri())
    host.run("store", "create")
    importer = host.follow()
    wait_until(lambda: server.query("SELECT 1 FROM portcullis.totals"), "first pass")
    server.query("UPDATE portcullis.version SET version = 1000")
    host.append(some_events(random.Random(1), 10, 5))
    assert "newer version" in importer.stderr.readline()
    assert lines(server) == 0
    server.query("UPDATE portcullis.version SET version = 1")
    wait_until(lambda: lines(server) == 10, "all lines")
    stop(importer)


def test_without_the_module(server, tmp_path):
    host = Host(tmp_path, server.uri())
    done = subprocess.run(host.command("import"), env={"PORTCULLIS_MODULES": str(tmp_path)},
                          capture_output=True, text=True)  # fmt: skip
    assert done.returncode == EX_CONFIG
    assert "portcullis-postgresql" in done.stderr and done.stderr.count("\n") == 1


def test_no_password_is_shown(server, tmp_path):
    for uri in ("postgresql://alice:sesame@127.0.0.1:1/portcullis",
                "postgres://alice@127.0.0.1:1/portcullis?password=sesame&connect_timeout=2"):  # fmt: skip
        host = Host(tmp_path, uri, name=uri[8:12])
        done = host.run("import", status=EX_TEMPFAIL)
        assert "alice" in done.stderr and "sesame" not in done.stderr + done.stdout


def test_servers_do_not_link_libpq():
    for program in ("portcullis", "portcullis-policyd", "libauthdb_portcullis.so"):
        needed = subprocess.run(["ldd", BUILD / program], capture_output=True, text=True).stdout
        assert "libc.so" in needed and "libpq" not in needed


# ---- lines ----


def test_everything_adds_up(server, tmp_path):
    host = Host(tmp_path, server.uri())
    host.run("store", "create")
    events = list(some_events(random.Random(1), 5000, 1000))
    host.append(events[:3000])
    host.append(events[3000:], "postfix.jsonl")
    done = host.run("import")
    assert done.stdout == "5000 lines imported, 0 set aside, 0 lost by the servers\n"
    assert rows(server) == truth(events)
    assert list(host.journal.iterdir()) == []
    assert host.run("import").stdout.startswith("0 lines")


def test_answer_to_commit_is_lost(server, cutter, tmp_path):
    """Whether it was committed, only the store knows."""
    host = Host(tmp_path, server.uri())
    host.run("store", "create")
    host.configure(server.uri(cutter.folder))
    events = list(some_events(random.Random(2), 3000, 500))
    cutter.lose_commits = 3
    importer = host.follow()
    for i in range(0, len(events), 500):
        host.append(events[i : i + 500])
        wait_until(lambda: lines(server) >= i + 500, "lines")
    said = stop(importer)
    assert cutter.cuts == 3
    assert rows(server) == truth(events)
    # Once, until it is back.
    back = said.count("can be reached again")
    assert 1 <= back <= 3 and said.count("\n") == 2 * back, said


def test_connections_are_cut(server, cutter, tmp_path):
    """At any byte of what the server or the client says."""
    host = Host(tmp_path, server.uri())
    host.run("store", "create")
    host.configure(server.uri(cutter.folder))
    events = list(some_events(random.Random(3), 5000, 500))
    statuses = set()
    for i in range(0, len(events), 100):
        host.append(events[i : i + 100])
        for kilobytes in (20, 80, 320):
            cutter.cut_within = kilobytes * 1000
            done = subprocess.run(host.command("import"), env=postgresql.environment(),
                                  capture_output=True, text=True, timeout=120)  # fmt: skip
            statuses.add(done.returncode)
            if done.returncode == 0:
                break
    cutter.cut_within = 0
    host.run("import")
    assert cutter.cuts >= 25 and statuses == {0, EX_TEMPFAIL}, (cutter.cuts, statuses)
    assert lines(server) == len(events)
    assert rows(server) == truth(events)


def test_server_is_away(server, tmp_path):
    host = Host(tmp_path, server.uri())
    host.run("store", "create")
    events = list(some_events(random.Random(4), 3000, 500))
    importer = host.follow()
    for i, how in enumerate([signal.SIGINT, signal.SIGQUIT, signal.SIGQUIT]):
        host.append(events[i * 1000 : i * 1000 + 500])
        server.stop(how)
        host.append(events[i * 1000 + 500 : i * 1000 + 1000])
        time.sleep(1.5)
        server.start()
        wait_until(lambda: lines(server) == i * 1000 + 1000, "all lines", timeout=120)
        # Once, until it is back.
        assert "store postgresql://" in importer.stderr.readline()
        assert "can be reached again" in importer.stderr.readline()
    assert stop(importer) == ""
    assert rows(server) == truth(events)


def test_it_starts_before_the_server(server, tmp_path):
    host = Host(tmp_path, server.uri())
    host.run("store", "create")
    events = list(some_events(random.Random(5), 100, 50))
    host.append(events)
    server.stop()
    assert host.run("import", status=EX_TEMPFAIL).stderr.count("\n") == 1
    importer = host.follow()
    time.sleep(1)
    assert importer.poll() is None
    server.start()
    wait_until(lambda: lines(server) == 100, "all lines", timeout=120)
    stop(importer)
    assert rows(server) == truth(events)


def test_storm(server, cutter, tmp_path):
    """Eight hosts at once, whose people are the same: importers are killed, half of the
    connections are cut, and the server is restarted. PORTCULLIS_WHOLE_STORM=1 makes it 200
    kills, 20 restarts and 50 cuts, which takes two minutes."""
    kills, most_cuts = (200, 50) if os.environ.get("PORTCULLIS_WHOLE_STORM") else (24, 12)
    uris = [server.uri(), server.uri(cutter.folder)]
    hosts = [Host(tmp_path, uris[i % 2], f"mx{i}") for i in range(8)]
    hosts[0].run("store", "create")
    chance = random.Random(6)
    events = []
    running = {host: host.follow() for host in hosts}
    for kill in range(kills):
        for host in chance.sample(hosts, 4):
            own = list(some_events(chance, 60, 400, host=host.name))
            host.append(own)
            events += own
        cutter.cut_within = 60000 if cutter.cuts < most_cuts else 0
        victim = chance.choice(hosts)
        running[victim].kill()
        running[victim].communicate()
        running[victim] = victim.follow()
        if kill % 10 == 9:
            server.restart(chance.choice([signal.SIGINT, signal.SIGQUIT]))
        time.sleep(chance.uniform(0, 0.2))
    cutter.cut_within = 0
    wait_until(lambda: lines(server) >= len(events), "all lines", timeout=240)
    for importer in running.values():
        stop(importer)
    assert cutter.cuts > 0 and lines(server) == len(events)
    assert without_clients(rows(server)) == without_clients(truth(events))


# ---- moving ----


def test_copy_there_and_back(server, tmp_path):
    first, second = f"sqlite:{tmp_path}/first.db", f"sqlite:{tmp_path}/second.db"
    host = Host(tmp_path, first)
    events = list(some_events(random.Random(8), 3000, 200))
    host.append(events[:1500])
    host.run("import")
    host.run("store", "create", server.uri())
    # Positions of another host's would be taken for its own.
    elsewhere = Host(tmp_path, first, "mx2")
    said = elsewhere.run("store", "copy", first, server.uri(), status=EX_CONFIG).stderr
    assert "of host 'mx1'" in said and 'host = "mx1"' in said
    assert host.run("store", "copy", first, server.uri()).stdout.endswith("rows copied\n")
    assert "not empty" in host.run("store", "copy", first, server.uri(), status=73).stderr
    # It goes on where it was.
    host.append(events[1500:])
    host.configure(server.uri())
    host.run("import")
    assert rows(server) == truth(events)
    host.run("store", "copy", server.uri(), second)
    answers = [host.run("offenders", "--json").stdout]
    host.configure(second)
    answers.append(host.run("offenders", "--json").stdout)
    assert answers[0] == answers[1] and len(json.loads(answers[0])) > 50
    assert host.run("import").stdout.startswith("0 lines")
