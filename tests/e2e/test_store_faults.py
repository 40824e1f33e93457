"""A store on PostgreSQL that cannot be had, or does not do what it is asked: what is said, by
which exit status, and that nothing is lost and nothing counted twice."""

import random
import shutil
import socket
import subprocess
import tempfile
import threading
import time

from contextlib import ExitStack
from pathlib import Path

import pytest

import postgresql

from processes import wait_until
from test_import import some_events, truth
from test_store_postgresql import EX_CONFIG, EX_NOINPUT, EX_NOPERM, EX_TEMPFAIL
from test_store_postgresql import Host, lines, rows, stop

EX_SOFTWARE, EX_IOERR = 70, 74


@pytest.fixture(scope="module")
def _alice(_server):
    """A role that must say its password, "sesame", and a database that is closed to it."""
    _server.ask_password("alice", "sesame")
    _server.psql("postgres", "CREATE DATABASE closed")
    _server.psql("postgres", "REVOKE ALL ON DATABASE closed FROM PUBLIC")
    yield
    _server.remove_tables()
    _server.remove_roles("alice")
    _server.psql("postgres", "DROP DATABASE closed")


@pytest.fixture
def host(server, tmp_path):
    """One whose store is on the server."""
    host = Host(tmp_path, server.uri())
    host.run("store", "create")
    return host


@pytest.fixture
def mute():
    """A folder with the socket of a server that lets everybody in, and says nothing."""
    folder = Path(tempfile.mkdtemp(prefix="portcullis-mute-", dir="/tmp"))
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(folder / postgresql.SOCKET))
    listener.listen(50)
    yield folder
    listener.close()
    shutil.rmtree(folder)


# ---- what is wrong with a URI ----


@pytest.mark.usefixtures("_alice")
@pytest.mark.parametrize(
    "uri, status, said",
    [
        ("alice:sesame@/portcullis?host={}", 0, ""),
        ("alice:wrong-sesame@/portcullis?host={}", EX_NOPERM, 'failed for user "alice"'),
        ("alice@/portcullis?host={}", EX_NOPERM, "no password supplied"),
        ("alice:sesame@/no-such?host={}", EX_NOINPUT, 'database "no-such" does not exist'),
        ("alice:sesame@/closed?host={}", EX_NOPERM, 'permission denied for database "closed"'),
        ("bob:sesame@/portcullis?host={}", EX_NOPERM, 'role "bob" does not exist'),
        ("alice:sesame@/portcullis?host=/nowhere", EX_TEMPFAIL, "No such file"),
        ("alice:sesame@no.such.host.invalid/portcullis", EX_TEMPFAIL, "could not translate"),
        ("alice:sesame@127.0.0.1:1,127.0.0.1:2/portcullis", EX_TEMPFAIL, "port 2 failed"),
        ("alice:sesame@127.0.0.1:1/portcullis?sslmode=often", EX_CONFIG, '"often"'),
        ("alice:sesame@127.0.0.1:1/portcullis?nonsense=1", EX_CONFIG, "invalid URI query"),
        ("alice:sesame@/portcullis?host={}&options=-cnonsense%3D1", EX_CONFIG, '"nonsense"'),
        ("alice:sesame%zz@127.0.0.1:1/portcullis", EX_CONFIG, "percent-encoded"),
        ("alice:sesame%00@127.0.0.1:1/portcullis", EX_CONFIG, "percent-encoded"),
        ("alice:sesame@[::1/portcullis", EX_CONFIG, "IPv6"),
        ("alice:sesame@[::1]x/portcullis", EX_CONFIG, "unexpected character"),
        ("alice:x@sesame@127.0.0.1:1/portcullis", EX_CONFIG, "%40"),
        ("alice:sesame/x@127.0.0.1:1/portcullis", EX_CONFIG, "%2F"),
        ("alice@127.0.0.1:1/portcullis?password=sesame=1", EX_CONFIG, "extra key/value"),
        ("alice@127.0.0.1:1/portcullis?passwor%64=sesame", EX_TEMPFAIL, "refused"),
        ("alice@127.0.0.1:1/portcullis?sslpassword=sesame", EX_TEMPFAIL, "refused"),
    ],
)  # fmt: skip
def test_uris(server, tmp_path, uri, status, said):
    """One line, which says what is wrong, and nothing of a password."""
    postgresql.create_store(server.uri())
    server.psql("portcullis", "GRANT USAGE ON SCHEMA portcullis TO alice;"
                "GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA portcullis TO alice;"
                "GRANT USAGE ON ALL SEQUENCES IN SCHEMA portcullis TO alice")  # fmt: skip
    host = Host(tmp_path, "postgresql://" + uri.format(server.data))
    for command in (["import"], ["offenders"], ["status"], ["store", "check"]):
        done = host.run(*command, status=None)
        assert "sesame" not in done.stderr + done.stdout, command
        if command == ["import"]:
            assert done.returncode == status, done.stderr
            assert done.stderr.count("\n") == (status != 0) and said in done.stderr, done.stderr


def test_server_says_nothing(host, mute):
    """Not even that it is there."""
    host.configure(f"postgresql://postgres@/portcullis?host={mute}&connect_timeout=2")
    begin = time.monotonic()
    done = host.run("import", status=EX_TEMPFAIL)
    assert "timeout expired" in done.stderr and done.stderr.count("\n") == 1
    assert 2 <= time.monotonic() - begin < 30
    importer = host.follow()
    assert "timeout expired" in importer.stderr.readline()
    assert stop(importer) == ""


def test_stopped_while_the_server_is_away(host):
    host.configure("postgresql://postgres@/portcullis?host=/nowhere")
    importer = host.follow()
    assert "/nowhere" in importer.stderr.readline()
    assert stop(importer) == ""


def test_mute_server_before_another_one(host, server, mute):
    host.append(some_events(random.Random(1), 100, 50))
    host.configure(f"postgresql://postgres@/portcullis?host={mute},{server.data}&connect_timeout=2")
    host.run("import")
    assert lines(server) == 100


def test_another_uri_while_the_server_is_away(host, server):
    """An importer takes the configuration as it has become."""
    host.append(some_events(random.Random(7), 100, 50))
    host.configure("postgresql://postgres@/portcullis?host=/nowhere")
    importer = host.follow()
    assert "/nowhere" in importer.stderr.readline()
    host.configure(server.uri())
    wait_until(lambda: lines(server) == 100, "all lines", timeout=30)
    assert "can be reached again" in stop(importer)


# ---- what takes too long ----


def test_statement_timeout(host, server):
    """The batch waits; with more time, all of it comes."""
    events = list(some_events(random.Random(2), 3000, 500))
    host.append(events)
    host.configure(server.uri() + "&options=-cstatement_timeout%3D1ms")
    done = host.run("import", status=EX_TEMPFAIL)
    assert "statement_timeout" in done.stderr and done.stderr.count("\n") == 1
    importer = host.follow()
    assert "statement_timeout" in importer.stderr.readline()
    time.sleep(1)
    assert lines(server) == 0 and importer.poll() is None
    host.configure(server.uri())
    wait_until(lambda: lines(server) == 3000, "all lines")
    stop(importer)
    assert rows(server) == truth(events)


def test_transaction_timeout(host, server):
    """Which PostgreSQL has since version 17: the connection ends by it."""
    if int(server.query("SHOW server_version_num")[0][0]) < 170000:
        host.configure(server.uri() + "&options=-ctransaction_timeout%3D1ms")
        assert '"transaction_timeout"' in host.run("import", status=EX_CONFIG).stderr
        return
    host.append(some_events(random.Random(6), 3000, 500))
    host.configure(server.uri() + "&options=-ctransaction_timeout%3D1s")
    with Locked(server, "LOCK portcullis.sightings"):
        done = host.run("import", status=EX_TEMPFAIL)
        assert "transaction_timeout" in done.stderr and done.stderr.count("\n") == 1
        importer = host.follow()
        assert "transaction_timeout" in importer.stderr.readline()
        host.configure(server.uri())
    wait_until(lambda: lines(server) == 3000, "all lines")
    stop(importer)


class Locked:
    """Holds a connection and what is locked there, until it is left."""

    def __init__(self, server, sql="SELECT"):
        self.psql = subprocess.Popen(
            ["psql", "-X", "-q", "-h", server.data, "-U", "postgres", "portcullis"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        self.psql.stdin.write(f"BEGIN; {sql}; \\echo locked\n")
        self.psql.stdin.flush()

    def __enter__(self):
        while self.psql.stdout.readline() not in ("locked\n", ""):
            pass
        return self

    def __exit__(self, *_):
        self.psql.communicate("ROLLBACK;\n")


@pytest.mark.parametrize("table", ["version", "users", "sightings", "files", "days"])
def test_lock_timeout(host, server, table):
    events = list(some_events(random.Random(3), 500, 100))
    host.append(events)
    host.configure(server.uri() + "&options=-clock_timeout%3D200ms")
    with Locked(server, f"LOCK portcullis.{table}"):
        done = host.run("import", status=EX_TEMPFAIL)
        assert "locked by another process" in done.stderr and done.stderr.count("\n") == 1
        importer = host.follow()
        assert "locked by another process" in importer.stderr.readline()
    wait_until(lambda: lines(server) == 500, "all lines")
    stop(importer)
    assert rows(server) == truth(events)


# ---- a server that is busy with itself ----


@pytest.fixture
def small_server(server):
    server.options = ["-c", "max_connections=4", "-c", "superuser_reserved_connections=0",
                      "-c", "max_wal_senders=0"]  # fmt: skip
    server.restart()
    yield server
    server.options = []
    server.restart()


def test_no_connection_is_left(host, small_server):
    events = list(some_events(random.Random(4), 500, 100))
    host.append(events)
    with ExitStack() as connections:
        for _ in range(4):  # two of which an importer needs, and one, who asks here
            connections.enter_context(Locked(small_server))
        done = host.run("import", status=EX_TEMPFAIL)
        assert "too many clients" in done.stderr and done.stderr.count("\n") == 1
        importer = host.follow()
        assert "too many clients" in importer.stderr.readline()
    wait_until(lambda: lines(small_server) == 500, "all lines")
    assert "can be reached again" in stop(importer)
    assert rows(small_server) == truth(events)
