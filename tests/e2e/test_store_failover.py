"""A store whose server dies, and another one takes over."""

import json
import random
import time

import pytest

import postgresql

from processes import wait_until
from test_import import some_events, truth
from test_store_postgresql import Host, lines, rows, stop, without_clients


@pytest.fixture
def servers():
    """All that were made; the first one works."""
    servers = [postgresql.PostgreSQL()]
    yield servers
    for server in servers:
        server.close()


def uri_of(*servers):
    return servers[0].uri(folder=",".join(str(server.data) for server in servers))


def findings(host):
    found = json.loads(host.run("store", "check", "--json", status=None).stdout)["findings"]
    return {finding["id"]: finding["text"] for finding in found}


def test_standby_that_is_waited_for(servers, tmp_path):
    """What was committed is there, too: nothing is lost, and nothing comes twice."""
    chance = random.Random(1)
    hosts = [Host(tmp_path, servers[0].uri(), f"mx{i}") for i in range(3)]
    hosts[0].run("store", "create")
    events = []
    for _ in range(2):
        primary, standby = servers[-1], postgresql.Standby(servers[-1])
        servers.append(standby)
        primary.settle(synchronous_standby_names="*")
        for host in hosts:
            host.configure(uri_of(primary, standby))
        importers = [host.follow() for host in hosts]
        for i in range(30):
            for host in hosts:
                own = list(some_events(chance, 50, 300, host=host.name))
                host.append(own)
                events += own
            time.sleep(chance.uniform(0, 0.1))
            if i == 15:
                primary.server.kill()
            if i == 20:
                standby.promote()
        wait_until(lambda: lines(standby) >= len(events), "all lines", timeout=120)
        for host, importer in zip(hosts, importers):
            assert stop(importer).count("can be reached again") <= 1, host.name
    assert lines(servers[-1]) == len(events)
    assert "standby" not in findings(hosts[0])
    assert without_clients(rows(servers[-1])) == without_clients(truth(events))


def test_standby_that_is_behind(servers, tmp_path):
    """It lacks the last lines, and where they were read to: what is still in the journal is
    read once more, what was removed is not counted."""
    chance = random.Random(2)
    primary = servers[0]
    host = Host(tmp_path, primary.uri())
    host.run("store", "create")
    events = list(some_events(chance, 1000, 300))
    host.append(events[:300])
    importer = host.follow()
    wait_until(lambda: lines(primary) == 300, "lines")
    standby = postgresql.Standby(primary)
    servers.append(standby)
    stop(importer)
    host.configure(uri_of(primary, standby))
    importer = host.follow()
    # Which renames what there is, and begins with its next file.
    host.append(events[300:500])
    wait_until(lambda: lines(primary) == 500, "lines")
    wait_until(lambda: lines(standby) == 500, "lines of the standby")
    standby.stop()
    host.append(events[500:800])
    wait_until(lambda: lines(primary) == 800, "lines")
    primary.server.kill()
    standby.start()
    standby.promote()
    host.append(events[800:])
    wait_until(lambda: lines(standby) == 1000, "all lines", timeout=120)
    stop(importer)
    assert rows(standby) == truth(events)
    host.run("import")
    assert list(host.journal.iterdir()) == [] and lines(standby) == 1000


def test_standby_that_lacks_what_was_removed(servers, tmp_path):
    """Which is why the manual lets a commit wait for the standby."""
    events = list(some_events(random.Random(3), 900, 300))
    primary = servers[0]
    host = Host(tmp_path, primary.uri())
    host.run("store", "create")
    host.append(events[:300])
    host.run("import")
    standby = postgresql.Standby(primary)
    servers.append(standby)
    host.configure(uri_of(primary, standby))
    standby.stop()
    host.append(events[300:600])
    host.run("import")
    assert lines(primary) == 600
    primary.server.kill()
    standby.start()
    standby.promote()
    host.append(events[600:])
    host.run("import")
    assert lines(standby) == 600 and rows(standby) == truth(events[:300] + events[600:])


def test_questions_to_a_standby(servers, tmp_path):
    """They need no server that takes changes."""
    primary = servers[0]
    host = Host(tmp_path, primary.uri())
    host.run("store", "create")
    host.append(some_events(random.Random(4), 1000, 100))
    host.run("import")
    standby = postgresql.Standby(primary)
    servers.append(standby)
    answers = [host.run("offenders", "--json").stdout]
    assert "no commit waits for who follows this server (standby)" in findings(host)["standby"]
    primary.settle(synchronous_standby_names="standby")
    wait_until(lambda: "standby" not in findings(host), "setting")
    host.configure(standby.uri())
    wait_until(lambda: lines(standby) == 1000, "lines of the standby")
    answers.append(host.run("offenders", "--json").stdout)
    assert answers[0] == answers[1] != "[]\n"
    for options in ("", "&target_session_attrs=any"):
        host.append(some_events(random.Random(5), 10, 10))
        host.configure(standby.uri() + options)
        done = host.run("import", status=75)
        assert done.stderr.count("\n") == 1
        assert "read-only" in done.stderr or "as a standby" in done.stderr, done.stderr
    importer = host.follow()
    assert "as a standby" in importer.stderr.readline()
    standby.promote()
    wait_until(lambda: lines(standby) == 1020, "all lines", timeout=60)
    assert "can be reached again" in stop(importer)
