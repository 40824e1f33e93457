"""What 'portcullis store check' finds, and that what it names mends it."""

import json
import os
import subprocess

import pytest

import faked_clock
import postgresql

from test_store_postgresql import PORTCULLIS
from test_store_roles import host, roles  # noqa: F401

# The tests' server does not wait for its disk.
ALWAYS = {"durability"}


def findings(uri, status=1, **environment):
    """By id."""
    done = subprocess.run([PORTCULLIS, "store", "check", "--json", uri], capture_output=True,
                          text=True, env=postgresql.environment() | environment)  # fmt: skip
    assert done.returncode == status, done
    found = {finding["id"]: finding for finding in json.loads(done.stdout)["findings"]}
    shown = subprocess.run([PORTCULLIS, "store", "check", uri], capture_output=True, text=True,
                           env=postgresql.environment() | environment).stdout  # fmt: skip
    for finding in found.values():
        assert finding["mend"] in shown
    return found


@pytest.fixture(params=["portcullis_operator", "portcullis_writer", "portcullis_owner"])
def uri(request, host, roles):  # noqa: F811
    return roles.uri(user=request.param)


# What is made wrong, what mends it, the finding, and what it names.
THINGS = [
    ("GRANT DELETE ON portcullis.users TO portcullis_writer",
     "REVOKE DELETE ON portcullis.users FROM portcullis_writer",
     "writer-with-too-much", "users"),
    ("GRANT SELECT (user_name) ON portcullis.notices TO portcullis_writer",
     "REVOKE SELECT (user_name) ON portcullis.notices FROM portcullis_writer",
     "writer-with-too-much", "notices"),
    ("GRANT SELECT ON portcullis.users TO stranger",
     "REVOKE ALL ON ALL TABLES IN SCHEMA portcullis FROM stranger", "unknown-role", "stranger"),
    ("GRANT SELECT ON portcullis.users TO PUBLIC",
     "REVOKE ALL ON ALL TABLES IN SCHEMA portcullis FROM PUBLIC", "unknown-role", "everybody"),
    ("ALTER ROLE mx1 CREATEDB", "ALTER ROLE mx1 NOCREATEDB", "role-with-too-much", "mx1"),
    ("GRANT portcullis_owner TO portcullis_operator",
     "REVOKE portcullis_owner FROM portcullis_operator", "role-with-too-much",
     "portcullis_operator"),
    ("GRANT CONNECT ON DATABASE portcullis TO PUBLIC",
     "REVOKE ALL ON DATABASE portcullis FROM PUBLIC", "open-database", "portcullis"),
    ("GRANT CREATE ON SCHEMA public TO PUBLIC", "REVOKE ALL ON SCHEMA public FROM PUBLIC",
     "open-schema", "public"),
    ("UPDATE portcullis.upkeep SET last_expiry = '2024-05-06 12:00Z'",
     "UPDATE portcullis.upkeep SET last_expiry = now()", "expiry", "2024-05-06"),
    ("UPDATE portcullis.upkeep SET last_expiry = NULL",
     "UPDATE portcullis.upkeep SET last_expiry = now()", "expiry", "yet"),
    ("INSERT INTO portcullis.hosts (name, portcullis, edition, policy, backlog, clock_offset)"
     " SELECT 'more' || i, '', '', '', 0, 0 FROM generate_series(1, 50) i",
     "DELETE FROM portcullis.hosts", "connections", " hosts"),
    ("INSERT INTO portcullis.hosts (name, portcullis, edition, policy, backlog, clock_offset)"
     " SELECT 'more' || i, '', '', '', 0, 0 FROM generate_series(1, 20) i;"
     "INSERT INTO portcullis.shared_texts VALUES ('exemptions', 0, '', now(), now())",
     "DELETE FROM portcullis.hosts; DELETE FROM portcullis.shared_texts", "connections",
     " 20 hosts"),
]  # fmt: skip


def test_each_thing_that_falls_short(roles, uri):  # noqa: F811
    roles.query("UPDATE portcullis.upkeep SET last_expiry = now()")
    for wrong, mended, name, says in THINGS:
        roles.query(wrong)
        found = findings(uri)
        assert found.keys() == ALWAYS | {name} and says in found[name]["text"]
        roles.query(mended)
        assert findings(uri).keys() == ALWAYS


def test_an_upgrade_gives_what_is_needed(roles, host):  # noqa: F811
    roles.query("UPDATE portcullis.upkeep SET last_expiry = now();"
                "GRANT ALL ON ALL TABLES IN SCHEMA portcullis TO portcullis_writer")  # fmt: skip
    uri = roles.uri(user="portcullis_owner")
    assert "writer-with-too-much" in findings(uri)
    host.run("store", "upgrade", uri)
    assert findings(uri).keys() == ALWAYS


def test_clocks(roles, host):  # noqa: F811
    roles.query("UPDATE portcullis.upkeep SET last_expiry = now()")
    uri = roles.uri(user="portcullis_operator")
    for ahead, words in (("+90s", "ahead of"), ("-90s", "behind")):
        found = findings(uri, LD_PRELOAD=faked_clock.library(), FAKETIME=ahead)
        assert f"seconds {words}" in found["clock"]["text"]


def test_another_version(roles, host):  # noqa: F811
    uri = roles.uri(user="portcullis_operator")
    for version, name in ((0, "old-tables"), (7, "new-tables")):
        roles.query(f"UPDATE portcullis.version SET version = {version}")
        assert findings(uri).keys() == {name}
    roles.query("UPDATE portcullis.version SET version = 1")


def test_without_roles_and_in_another_encoding(server):
    server.psql("postgres", "CREATE DATABASE old")
    uri = server.uri(database="old")
    subprocess.run([PORTCULLIS, "store", "create", uri], env=postgresql.environment(), check=True)
    # Such a one cannot be made any more.
    server.psql("postgres", "UPDATE pg_database SET encoding = pg_char_to_encoding('LATIN1')"
                " WHERE datname = 'old'")  # fmt: skip
    found = findings(uri)
    assert found.keys() == ALWAYS | {"encoding", "role", "no-roles", "open-database"}
    assert "LATIN1" in found["encoding"]["text"]
    server.psql("postgres", "DROP DATABASE old")


def test_a_file(tmp_path):
    uri = f"sqlite:{tmp_path}/store.db"
    subprocess.run([PORTCULLIS, "store", "create", uri], env=os.environ, check=True)
    assert findings(uri, status=0) == {}
