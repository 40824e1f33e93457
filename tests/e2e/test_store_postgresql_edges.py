"""What a store on PostgreSQL does where something is not as it should be."""

import bz2
import os
import random
import signal
import sqlite3
import subprocess
import time

import pytest

import postgresql

from processes import wait_until
from test_import import event, iso, some_events, truth
from test_store_postgresql import (
    EX_CANTCREAT,
    EX_CONFIG,
    EX_DATAERR,
    EX_NOPERM,
    EX_TEMPFAIL,
    Host,
    lines,
    rows,
    stop,
    without_clients,
)

EX_USAGE = 64


@pytest.mark.parametrize("authority", ["alice:se%same@127.0.0.1:1", "alice:54321/7@127.0.0.1:1"])
def test_password_that_is_not_encoded(tmp_path, authority):
    """libpq shows what it does not understand."""
    host = Host(tmp_path, f"postgresql://{authority}/portcullis")
    said = host.run("import", status=EX_CONFIG).stderr
    assert "alice" in said and said.count("\n") == 1
    assert "se%same" not in said and "54321" not in said


def test_database_of_another_encoding(server, tmp_path):
    """It would stop the importer at the first name that it cannot write."""
    for encoding in ("LATIN1", "SQL_ASCII"):
        server.psql("postgres", "DROP DATABASE IF EXISTS other")
        server.psql("postgres", f"CREATE DATABASE other ENCODING '{encoding}' TEMPLATE template0")
        host = Host(tmp_path / encoding, server.uri(database="other"))
        said = host.run("store", "create", status=EX_CONFIG).stderr
        assert encoding in said and "createdb -E UTF8" in said and said.count("\n") == 1


@pytest.mark.parametrize("table", ["version", "upkeep"])
def test_row_that_somebody_has_removed(server, tmp_path, table):
    """As a dump without its data would leave it."""
    host = Host(tmp_path, server.uri())
    host.run("store", "create")
    server.query(f"DELETE FROM portcullis.{table}")
    host.append(some_events(random.Random(1), 10, 5))
    for command in (["import"], ["store", "check"] if table == "version" else ["store", "expire"]):
        said = host.run(*command, status=EX_DATAERR).stderr
        assert "a row is missing" in said and said.count("\n") == 1


def test_broken_log_after_the_server_was_away(server, tmp_path):
    """Why the log cannot be read is not what was wrong with the store before."""
    host = Host(tmp_path, server.uri())
    host.run("store", "create")
    broken = tmp_path / "mail.log.1.bz2"
    broken.write_bytes(bz2.compress(os.urandom(5000))[:3000])
    with open(host.config, "a") as config:
        config.write(f'logs = {{ "{broken}" }}\n')
    importer = host.follow()
    assert "bzip2" in importer.stderr.readline()
    server.stop()
    assert "store postgresql://" in importer.stderr.readline()
    server.start()
    assert "can be reached again" in importer.stderr.readline()
    assert stop(importer) == ""


# ---- moving ----


def test_copy_between_servers(server, tmp_path):
    """Other hosts would find no positions, and import all once more."""
    host = Host(tmp_path, server.uri())
    said = host.run("store", "copy", server.uri(), server.uri(), status=EX_USAGE).stderr
    assert "pg_dump" in said


def test_copy_into_a_store_that_importers_have_found(server, tmp_path):
    """They have had nothing to import."""
    old, new = Host(tmp_path, f"sqlite:{tmp_path}/old.db"), Host(tmp_path / "new", server.uri())
    events = list(some_events(random.Random(11), 200, 50))
    old.append(events)
    old.run("import")
    new.run("store", "create")
    new.run("import")
    new.run("store", "copy", f"sqlite:{tmp_path}/old.db", server.uri())
    assert rows(server) == truth(events) and lines(server) == len(events)


def test_copy_by_a_role_that_may_not(server, tmp_path):
    """It says so before it has copied all."""
    host = Host(tmp_path, f"sqlite:{tmp_path}/old.db")
    host.append(some_events(random.Random(16), 10, 5))
    host.run("import")
    host.run("store", "create", server.uri())
    server.query("CREATE ROLE other LOGIN; GRANT ALL ON SCHEMA portcullis TO other;"
                 "GRANT ALL ON ALL TABLES IN SCHEMA portcullis TO other;"
                 "GRANT USAGE ON ALL SEQUENCES IN SCHEMA portcullis TO other")  # fmt: skip
    copy = ["store", "copy", f"sqlite:{tmp_path}/old.db"]
    said = host.run(*copy, server.uri(user="other"), status=EX_NOPERM).stderr
    server.remove_roles("other")
    assert "the role that its tables belong to" in said
    host.run(*copy, server.uri())
    assert server.query("SELECT reltuples FROM pg_class WHERE relname = 'users'") == [("5",)]


def test_days_go_on_in_their_order_after_a_copy(server, tmp_path):
    """In a file, they count by the number of lines; on a server, each batch that was repeated
    has taken numbers."""
    host = Host(tmp_path, server.uri())
    host.run("store", "create")
    server.query("SELECT setval('portcullis.line_numbers', 1000000)")
    host.append(some_events(random.Random(15), 200, 50))
    host.run("import")
    host.run("store", "copy", server.uri(), f"sqlite:{tmp_path}/store.db")
    in_order = server.query("SELECT day - DATE '1970-01-01' FROM portcullis.days"
                            " ORDER BY last_line")  # fmt: skip
    database = sqlite3.connect(tmp_path / "store.db")
    days = database.execute("SELECT day, last_line FROM days ORDER BY last_line").fetchall()
    database.close()
    assert [str(day) for day, _ in days] == [day for (day,) in in_order] and len(days) > 3
    assert days[-1][1] <= 200


def test_copy_while_another_host_imports(server, tmp_path):
    """That one waits."""
    old, other = Host(tmp_path, f"sqlite:{tmp_path}/old.db"), Host(tmp_path, server.uri(), "mx2")
    events = list(some_events(random.Random(12), 2000, 500))
    own = [dict(one, user=f"other-{one['user']}")
           for one in some_events(random.Random(13), 300, 50, host="mx2")]  # fmt: skip
    old.append(events)
    old.run("import")
    other.run("store", "create")
    lock = subprocess.Popen(
        ["psql", "-X", "-q", "-h", server.data, "-U", "postgres", "portcullis"],
        stdin=subprocess.PIPE, text=True,
    )  # fmt: skip
    lock.stdin.write("BEGIN; LOCK TABLE portcullis.notices;\n")
    lock.stdin.flush()
    wait_until(lambda: waiting(server, "granted AND relation = 'portcullis.notices'::regclass"),
               "lock")  # fmt: skip
    copying = subprocess.Popen(
        old.command("store", "copy", f"sqlite:{tmp_path}/old.db", server.uri()),
        env=postgresql.environment(), stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    wait_until(lambda: waiting(server, "NOT granted"), "copy")
    other.append(own)
    importer = other.follow()
    time.sleep(1)
    lock.communicate("COMMIT;\n")
    assert copying.wait() == 0, copying.stderr.read()
    wait_until(lambda: lines(server) == len(events + own), "import")
    assert stop(importer) == ""
    assert rows(server) == truth(events + own)


def waiting(server, condition):
    return server.query(f"SELECT 1 FROM pg_locks WHERE {condition}")


# ---- who ends ----


def test_answer_to_commit_of_a_command_is_lost(server, cutter, tmp_path):
    """It says so, and does no harm when it is given once more."""
    host = Host(tmp_path, server.uri(cutter.folder))
    old = f"sqlite:{tmp_path}/old.db"
    host.configure(old)
    events = list(some_events(random.Random(17), 200, 20))
    host.append(events)
    host.run("import")
    host.configure(server.uri(cutter.folder))
    for command, then in (
        (["store", "create"], EX_CANTCREAT),
        (["store", "copy", old, server.uri(cutter.folder)], EX_CANTCREAT),
        (["forget", "user7@example.org"], None),
        (["store", "expire"], 0),
    ):
        cutter.lose_commits = 1
        said = host.run(*command, status=EX_TEMPFAIL).stderr
        assert said.count("\n") == 1 and "connection" in said, said
        assert cutter.lose_commits == 0, command
        host.run(*command, status=then)
    kept = {key: row for key, row in truth(events).items() if key[0] != "user7@example.org"}
    assert without_clients(rows(server)) == without_clients(kept)


def test_question_that_nobody_waits_for_any_more(server, tmp_path):
    """The first Ctrl-C lets a command finish what is in hand; its locks would stop others."""
    host = Host(tmp_path, server.uri())
    host.run("store", "create")
    host.append(some_events(random.Random(14), 100, 50))
    host.run("import")
    server.query("CREATE FUNCTION portcullis.wait() RETURNS trigger LANGUAGE plpgsql AS"
                 " 'BEGIN PERFORM pg_sleep(600); RETURN OLD; END';"
                 "CREATE TRIGGER wait BEFORE DELETE ON portcullis.sightings FOR EACH STATEMENT"
                 " EXECUTE FUNCTION portcullis.wait()")  # fmt: skip
    sleeping = "SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep'"
    forget = subprocess.Popen(host.command("forget", "user7@example.org"),
                              env=postgresql.environment(), stdin=subprocess.DEVNULL)  # fmt: skip
    wait_until(lambda: server.query(sleeping), "statement")
    forget.send_signal(signal.SIGINT)
    time.sleep(0.5)
    assert forget.poll() is None
    forget.send_signal(signal.SIGINT)
    assert forget.wait(timeout=10) == -signal.SIGINT
    wait_until(lambda: not server.query(sleeping), "end of the statement", timeout=20)


def test_flood_of_programs_without_a_name(server, tmp_path):
    """The ways that there are already are counted once, not for each line."""
    host = Host(tmp_path, server.uri())
    host.run("store", "create")
    begun, took = time.time() - 1000, []
    for part in range(3):
        host.append(
            event(time=iso(begun + i / 100), source="postfix", user="", verified=False,
                  service="smtp", port=25, client_id=f"helo{part} {i}")
            for i in range(20000)
        )  # fmt: skip
        began = time.monotonic()
        host.run("import")
        took.append(time.monotonic() - began)
    assert lines(server) == 3 * 20000
    assert 4096 < len(rows(server)) < 4500
    assert took[2] < 5 * took[0] + 5, took
