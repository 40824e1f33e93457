"""A store behind PgBouncer in transaction mode: each transaction may go to the server by another
connection, and nothing of one may stay for the next."""

import json
import random
import signal
import subprocess
import time

import pytest

import postgresql

from notices import TEXTS
from processes import wait_until
from test_import import some_events, truth
from test_notify import NOTICES
from test_store_postgresql import EX_TEMPFAIL, Host, lines, rows, stop, without_clients


@pytest.fixture
def pool(server):
    pool = postgresql.PgBouncer(server)
    yield pool
    pool.close()


def connections(server):
    return int(server.query("SELECT count(*) FROM pg_stat_activity WHERE backend_type"
                            " = 'client backend' AND pid <> pg_backend_pid()")[0][0])  # fmt: skip


def test_many_hosts_on_few_connections(server, pool, tmp_path):
    """Also while pool and server are started anew."""
    chance = random.Random(1)
    hosts = [Host(tmp_path, server.uri(pool.folder), f"mx{i}") for i in range(8)]
    hosts[0].run("store", "create")
    importers = [host.follow() for host in hosts]
    events = []
    most = 0
    for i in range(40):
        for host in chance.sample(hosts, 4):
            own = list(some_events(chance, 60, 400, host=host.name))
            host.append(own)
            events += own
        if i == 15:
            pool.kill()
            pool.start()
        elif i == 25:
            server.restart(signal.SIGQUIT)
        elif i % 10 == 0:
            done = hosts[0].run("offenders", "--json", status=None)
            assert done.returncode == EX_TEMPFAIL or json.loads(done.stdout) is not None
        most = max(most, connections(server))
        time.sleep(0.05)
    wait_until(lambda: lines(server) >= len(events), "all lines", timeout=120)
    for importer in importers:
        stop(importer)
    assert 1 < most <= 3, most
    assert lines(server) == len(events)
    assert without_clients(rows(server)) == without_clients(truth(events))


def same_answers(*hosts):
    at = time.strftime("%Y-%m-%d %H:%M")
    for words in (["offenders"], ["forecast"], ["user", "user8@example.org"]):
        answers = [host.run(*words, "--json", "--at", at, status=None) for host in hosts]
        assert answers[0].stdout == answers[1].stdout != "", answers[0].stderr


def test_nothing_stays(server, tmp_path):
    """Of all that commands do, on the one connection that all share."""
    pool = postgresql.PgBouncer(server, connections=1)
    try:
        ours = Host(tmp_path, server.uri(pool.folder), "ours")
        theirs = Host(tmp_path, f"sqlite:{tmp_path}/store.db", "theirs")
        ours.run("store", "create")
        settings = "SELECT name, setting, source FROM pg_settings WHERE source = 'session'"
        events = list(some_events(random.Random(2), 3000, 200))
        for host in (ours, theirs):
            host.append(events)
            host.run("import")
        same_answers(ours, theirs)
        ours.run("store", "check", status=1)
        ours.run("status", status=None)
        ours.run("store", "expire")
        for host in (ours, theirs):
            host.run("forget", "user7@example.org")
        same_answers(ours, theirs)
        ours.run("store", "copy", server.uri(pool.folder), f"sqlite:{tmp_path}/copy.db")
        done = subprocess.run(
            ["psql", "-X", "-q", "--csv", "-t", "-h", pool.folder, "-U", "postgres", "portcullis",
             "-c", settings], capture_output=True, text=True, check=True,
        )  # fmt: skip
        names = {line.split(",")[0] for line in done.stdout.splitlines()}
        assert names <= {"application_name", "client_encoding", "DateStyle", "TimeZone",
                         "standard_conforming_strings", "IntervalStyle"}  # fmt: skip
        held = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"
        assert server.query(held) == [("0",)]
        assert server.query("SELECT count(*) FROM pg_prepared_statements") == [("0",)]
    finally:
        pool.close()


def test_pool_without_its_server(server, pool, tmp_path):
    host = Host(tmp_path, server.uri(pool.folder))
    host.run("store", "create")
    events = list(some_events(random.Random(3), 400, 100))
    host.append(events[:200])
    importer = host.follow()
    wait_until(lambda: lines(server) == 200, "lines")
    server.stop()
    host.append(events[200:])
    said = importer.stderr.readline()
    assert "store postgresql://" in said, (said, importer.wait())
    done = host.run("offenders", status=EX_TEMPFAIL)
    assert done.stderr.count("\n") == 1
    server.start()
    wait_until(lambda: lines(server) == 400, "all lines", timeout=120)
    stop(importer)
    assert rows(server) == truth(events)


def test_all_hosts_forget(server, pool, tmp_path):
    """Each importer answers by whatever connection it is lent."""
    hosts = [Host(tmp_path, server.uri(pool.folder), f"mx{i}") for i in range(4)]
    hosts[0].run("store", "create")
    events = list(some_events(random.Random(4), 2000, 50))
    importers = [host.follow() for host in hosts]
    for i, host in enumerate(hosts):
        host.append(events[i::4])
    wait_until(lambda: lines(server) == len(events), "lines")
    wait_until(lambda: server.query("SELECT count(*) FROM portcullis.hosts") == [("4",)], "hosts")
    hosts[0].run("forget", "user7@example.org")
    left = {key: row for key, row in truth(events).items() if key[0] != "user7@example.org"}
    assert without_clients(rows(server)) == without_clients(left)
    for importer in importers:
        stop(importer)


def test_one_notifier(server, pool, tmp_path):
    """Its lock is held on a connection that nobody else is lent meanwhile."""
    hosts = [Host(tmp_path, server.uri(pool.folder), f"mx{i}") for i in range(2)]
    hosts[0].run("store", "create")
    hosts[0].append(some_events(random.Random(5), 500, 30))
    hosts[0].run("import")
    sendmail, sent = tmp_path / "sendmail", tmp_path / "sent"
    sendmail.write_text(f"#!/bin/sh\ncat >/dev/null\necho $* >>{sent}\nsleep 0.3\n")
    sendmail.chmod(0o755)
    for host in hosts:
        with open(host.config, "a") as file:
            file.write(NOTICES % (TEXTS, sendmail, ""))
    run = subprocess.Popen(hosts[0].command("notify"), env=postgresql.environment(),
                           stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)  # fmt: skip
    wait_until(sent.exists, "first mail")
    for _ in range(3):
        done = hosts[1].run("notify", status=EX_TEMPFAIL)
        assert "another run is under way, on host mx0" in done.stderr
        assert json.loads(hosts[1].run("offenders", "--json").stdout)
    assert run.communicate()[1] == "" and run.returncode == 0
    people = [line for line in sent.read_text().splitlines() if "user" in line]
    assert len(people) == len(set(people)) > 10
    hosts[1].run("notify")
    assert len([line for line in sent.read_text().splitlines() if "user" in line]) == len(people)
