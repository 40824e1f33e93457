"""Who may do what with a store on PostgreSQL: tried, as somebody would who has the rights of a
mail host."""

import json
import random
import subprocess
import time

import pytest

from mailhost import ROOT
from test_import import some_events, truth
from test_store_postgresql import EX_NOPERM, Host, rows

ALICE = "alice@example.org"


@pytest.fixture
def roles(roles):
    """With that of one host, and one that has no business there."""
    roles.psql("portcullis", "CREATE ROLE mx1 LOGIN IN ROLE portcullis_writer;"
               "CREATE ROLE stranger LOGIN")  # fmt: skip
    yield roles
    roles.remove_roles("mx1", "stranger")


@pytest.fixture
def host(roles, tmp_path):
    """With something of everything recorded."""
    host = Host(tmp_path, roles.uri(user="portcullis_writer"))
    host.run("store", "create", status=EX_NOPERM)
    host.run("store", "create", roles.uri(user="portcullis_owner"))
    host.events = list(some_events(random.Random(9), 500, 50))
    host.append(host.events)
    host.run("import")
    log = tmp_path / "mail.log"
    with open(log, "wb") as file:
        subprocess.run([ROOT / "tests/bench/make-mail-log", "300", "20"], stdout=file, check=True)
    host.run("import", "--log", log)
    roles.query("INSERT INTO portcullis.notices (user_name, recipient, message_id, reason, rules,"
                f" state, intended, attempts, error) VALUES ('{ALICE}', '{ALICE}', '<1@mx>',"
                " 'notify', 'encryption', 1, now(), 1, '')")  # fmt: skip
    return host


def attempts(server, user, *statements):
    """What PostgreSQL says to each; None: it obeys. Nothing of them stays."""
    done = subprocess.run(
        ["psql", "-X", "-q", "-h", server.data, "-U", user, "portcullis"], text=True,
        input="".join(f"BEGIN; {sql}; ROLLBACK;\n\\warn next\n" for sql in statements),
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
    )  # fmt: skip
    if done.returncode == 2:  # not even that it is asked
        return [done.stderr] * len(statements)
    *answers, rest = done.stderr.split("next\n")
    assert len(answers) == len(statements) and rest == "", done.stderr
    return [said if "ERROR:" in said else None for said in answers]


def attempt(server, user, sql):
    return attempts(server, user, sql)[0]


def refused(server, user, *statements):
    """Each of them."""
    for sql, said in zip(statements, attempts(server, user, *statements)):
        assert said is not None, (user, sql)
        assert "permission denied" in said or "must be owner" in said, (user, sql, said)


OF_MAIL_HOSTS = pytest.mark.parametrize("user", ["portcullis_writer", "mx1"])


def tables(server):
    found = server.query("SELECT relname FROM pg_class WHERE relkind IN ('r', 'p')"
                         " AND relnamespace = 'portcullis'::regnamespace")  # fmt: skip
    assert len(found) > 15
    return [name for (name,) in found]


SCHEMA = [
    "DROP TABLE portcullis.{0}",
    "ALTER TABLE portcullis.{0} ADD x text",
    "ALTER TABLE portcullis.{0} DISABLE TRIGGER ALL",
    "CREATE TRIGGER x AFTER INSERT ON portcullis.{0} EXECUTE FUNCTION portcullis.refuse_loss()",
    "CREATE INDEX ON portcullis.{0} ((1))",
    "CREATE RULE x AS ON SELECT TO portcullis.{0} DO INSTEAD NOTHING",
    "TRUNCATE portcullis.{0}",
]  # fmt: skip

ELSEWHERE = [
    "CREATE TABLE portcullis.mine ()",
    "CREATE FUNCTION portcullis.starts_with(text, text) RETURNS boolean LANGUAGE sql"
    " AS 'SELECT true'",
    "CREATE OR REPLACE FUNCTION portcullis.take_waiting(date, integer)"
    " RETURNS SETOF portcullis.sightings LANGUAGE sql AS 'SELECT * FROM portcullis.sightings'",
    "CREATE TABLE public.mine ()",
    "CREATE FUNCTION public.greatest_of() RETURNS integer LANGUAGE sql AS 'SELECT 1'",
    "CREATE SCHEMA portcullis_writer",
    "DROP SCHEMA portcullis CASCADE",
    "SET ROLE portcullis_owner",
    "ALTER ROLE portcullis_owner PASSWORD 'x'",
    "UPDATE portcullis.version SET version = 7",
    "DELETE FROM portcullis.version",
    "SELECT setval('portcullis.habit_ids', 1)",
    "SELECT nextval('portcullis.servers_id_seq')",
]


@pytest.mark.parametrize("user", ["portcullis_writer", "mx1", "portcullis_operator"])
def test_only_the_owner_changes_the_schema(host, roles, user):
    for table in tables(roles):
        refused(roles, user, *(sql.format(table) for sql in SCHEMA))
        attempt(roles, user, f"GRANT ALL ON portcullis.{table} TO PUBLIC")  # a warning, no effect
    refused(roles, user, *ELSEWHERE)
    assert roles.query("SELECT DISTINCT grantor::regrole FROM pg_class, aclexplode(relacl)"
                       " WHERE relnamespace = 'portcullis'::regnamespace") == [
        ("portcullis_owner",)]  # fmt: skip


@OF_MAIL_HOSTS
def test_a_mail_host_destroys_nothing(host, roles, user):
    refused(roles, user, *(f"DELETE FROM portcullis.{table}" for table in tables(roles)))
    refused(
        roles, user,
        # What an expiry would remove then.
        "UPDATE portcullis.sightings SET last_seen = '1980-01-01'",
        "UPDATE portcullis.users SET verified = false",
        "UPDATE portcullis.users SET last_day = '1980-01-01'",
        # What would be no offence any more, or another one's.
        "UPDATE portcullis.habits SET tls = 2",
        "UPDATE portcullis.rule_sets SET text = ''",
        "UPDATE portcullis.users SET name = 'mallory@example.org'",
        "UPDATE portcullis.sightings SET user_id = 1",
        "UPDATE portcullis.sightings SET server = 7",
        "UPDATE portcullis.sightings SET count = 0",
        "UPDATE portcullis.sightings SET count = count - 1",
        "UPDATE portcullis.sightings SET days = 0",
        "UPDATE portcullis.sightings SET first_seen = last_seen + interval '1 day'",
        "INSERT INTO portcullis.sightings SELECT * FROM portcullis.sightings"
        " ON CONFLICT (user_id, verified, habit, rules, server, day) DO UPDATE SET count = 0",
        # The books of others.
        "UPDATE portcullis.days SET lines = 0",
        "UPDATE portcullis.days SET day = '2000-01-01'",
        "UPDATE portcullis.writers SET last_seen = '1980-01-01'",
        "UPDATE portcullis.totals SET lost = lost - 1",
        "UPDATE portcullis.coverage SET last = first - interval '1 day'",
        "UPDATE portcullis.upkeep SET last_expiry = now()",
        "INSERT INTO portcullis.version VALUES (false, 1)",
        # Who is let off.
        "INSERT INTO portcullis.shared_texts VALUES ('grace', 1, '', now(), now())",
        "UPDATE portcullis.shared_texts SET text = ''",
        "INSERT INTO portcullis.taken_in VALUES ('mx9', now())",
        "UPDATE portcullis.taken_in SET host = 'mx9'",
    )  # fmt: skip
    # The same as one who may.
    assert attempt(roles, "portcullis_operator", "UPDATE portcullis.sightings SET count = 0") is None


@OF_MAIL_HOSTS
def test_a_mail_host_does_not_read_notices(host, roles, user):
    refused(
        roles, user,
        "SELECT 1 FROM portcullis.notices",
        "SELECT user_name FROM portcullis.notices",
        "COPY portcullis.notices TO STDOUT",
        "INSERT INTO portcullis.notices DEFAULT VALUES RETURNING *",
        "UPDATE portcullis.notices SET state = 0",
        "LOCK portcullis.notices IN ACCESS SHARE MODE",
        "CREATE VIEW pg_temp.n AS SELECT * FROM portcullis.notices",
    )  # fmt: skip
    assert attempt(roles, "portcullis_operator", "SELECT * FROM portcullis.notices") is None


def test_functions_remove_nothing_but_what_waits(host, roles):
    """Of what the gates recorded nothing, and of what logs told no more than that which may
    still turn out to be told twice."""
    roles.query("INSERT INTO portcullis.sightings SELECT user_id, habit, rules, 1, 0, first_seen,"
                " last_seen, 0, 1, 1, current_date + moved, 0, verified, NULL, NULL"
                " FROM (SELECT * FROM portcullis.sightings WHERE server = 0 LIMIT 5) s,"
                " (VALUES (0), (-30)) AS d (moved)")  # fmt: skip
    count = "SELECT (server > 0)::text, count(*) FROM portcullis.sightings GROUP BY 1 ORDER BY 1"
    before = dict(roles.query(count))

    def after(sql):
        done = roles.psql("portcullis", f"BEGIN; {sql}; {count}; ROLLBACK", "portcullis_writer")
        return dict(line.split(",") for line in done.splitlines() if line.count(",") == 1)

    keys = ", ".join(f"array_agg({name})"
                     for name in "user_id verified habit rules server day".split())  # fmt: skip
    gates = {"false": before["false"]}
    assert after(f"SELECT FROM (SELECT portcullis.remove_waiting({keys})"
                 " FROM portcullis.sightings) x") == gates  # fmt: skip
    assert after("SELECT FROM portcullis.remove_covered((SELECT array_agg(id) FROM"
                 " portcullis.servers), '-infinity', 'infinity')")["false"] == before["false"]
    left = after("SELECT FROM portcullis.take_waiting('infinity', 1000000)")
    assert left["false"] == before["false"] and 5 <= int(left["true"]) < int(before["true"]), left


def test_nothing_is_shadowed(host, roles):
    """Neither by temporary tables, nor by settings that a role has of itself, and so of all
    hosts that share it."""
    for user in ("portcullis_writer", "mx1"):
        refused(roles, user, "CREATE TEMPORARY TABLE sightings ()")
    for setting in ("search_path = pg_temp, public", "timezone = 'Asia/Tokyo'",
                    "datestyle = 'German'", "bytea_output = 'escape'",
                    "extra_float_digits = -3", "intervalstyle = 'iso_8601'",
                    "client_encoding = 'LATIN1'", "transform_null_equals = on",
                    "standard_conforming_strings = off",
                    "default_transaction_isolation = 'serializable'"):  # fmt: skip
        roles.psql("portcullis", f"ALTER ROLE portcullis_writer SET {setting}", "portcullis_writer")
    more = list(some_events(random.Random(10), 500, 50))
    host.append(more)
    host.run("import")
    assert rows_of_gates(roles) == truth(host.events + more)


def rows_of_gates(server):
    server.query("DELETE FROM portcullis.sightings s USING portcullis.habits h"
                 " WHERE h.id = s.habit AND h.of_log")  # fmt: skip
    return rows(server)


def test_a_stranger_does_not_even_connect(host, roles):
    said = attempt(roles, "stranger", "SELECT 1")
    assert "permission denied for database" in said
    # One whom somebody has let into the database.
    roles.psql("portcullis", "GRANT CONNECT ON DATABASE portcullis TO stranger")
    for table in tables(roles):
        refused(roles, "stranger", f"SELECT * FROM portcullis.{table}",
                f"DELETE FROM portcullis.{table}",
                f"INSERT INTO portcullis.{table} DEFAULT VALUES")  # fmt: skip
    refused(roles, "stranger", "SELECT portcullis.take_waiting('infinity', 1)",
            "SELECT nextval('portcullis.user_ids')", "CREATE TEMPORARY TABLE x ()",
            "CREATE TABLE public.x ()")  # fmt: skip
    host.configure(roles.uri(user="stranger"))
    done = host.run("offenders", status=EX_NOPERM)
    assert "roles.sql makes the roles" in done.stderr
    roles.psql("portcullis", "REVOKE CONNECT ON DATABASE portcullis FROM stranger")


def test_each_does_his_work(host, roles):
    host.configure(roles.uri(user="mx1"))
    more = list(some_events(random.Random(11), 500, 50))
    host.append(more)
    host.run("import")
    assert "may not erase" in host.run("store", "expire", status=EX_NOPERM).stderr
    assert rows_of_gates(roles) == truth(host.events + more)
    host.configure(roles.uri(user="portcullis_operator"))
    assert len(json.loads(host.run("offenders", "--json").stdout)) > 5
    host.append(more)
    host.run("import")
    host.run("forget", "user7@example.org")
    host.run("store", "expire")
    assert not [key for key in rows(roles) if key[0] == "user7@example.org"]


def test_what_a_mail_host_writes_is_not_believed(host, roles):
    """Of a forged row, nothing gets into a terminal, and no number stops a question."""
    for change in ("first_seen = '-infinity'", "last_seen = 'infinity'"):
        said = attempt(roles, "portcullis_writer", f"UPDATE portcullis.sightings SET {change}")
        assert "violates check constraint" in said
    evil = "mallory\\u001b[2J\\u0007\\u202e@example.org"
    roles.psql(
        "portcullis",
        f"INSERT INTO portcullis.users VALUES (900000, E'{evil}', true);"
        "INSERT INTO portcullis.habits VALUES (900000, 99, -5, 99999999, 77, 'ZZZZ', E'A\\nB',"
        " E'\\x1b]0;x\\x07', 99, false, 'key');"
        "INSERT INTO portcullis.rule_sets VALUES (900000, E'encryption=\\x1b[31m,=,,x');"
        "INSERT INTO portcullis.sightings SELECT 900000, 900000, r, -1, -7, f, l, -1, -1, 0,"
        " '1970-01-01'::date + n::integer, -3, v, E'\\x1b[0m', E'\\x1b' FROM (VALUES"
        " (900000, timestamptz '4713-01-01 BC', timestamptz '294276-12-30', 1, true),"
        " (900000, '294276-12-30', '4713-01-01 BC', 2, true), (777777, '4000-01-01 BC',"
        " '200000-01-01', 3, false)) AS n (r, f, l, n, v)",
        "portcullis_writer",
    )
    host.configure(roles.uri(user="portcullis_operator"))
    for command in (["offenders"], ["offenders", "--csv"], ["forecast"], ["status"],
                    ["user", "mallory\x1b[2J\x07\u202e@example.org"]):  # fmt: skip
        done = host.run(*command, status=None)
        assert done.returncode in (0, 1), (command, done)
        assert all(c.isprintable() for c in (done.stdout + done.stderr).replace("\n", "")), done
