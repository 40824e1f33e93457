"""Questions about many people ask PostgreSQL by a second connection, too, which sees what the
first one sees: nothing may hang on it."""

import json
import subprocess
import time

import pytest

import postgresql

from processes import wait_until
from test_import import event
from test_store_postgresql import Host

PEOPLE = 40000  # as many as it takes to be ready, several times over
FEW = 40
AT = time.strftime("%Y-%m-%d %H:%M")
QUESTIONS = (["forecast"], ["status"])

# Of whoever has begun it, which is the later connection of two.
END_SECOND = """DO $$
DECLARE ended integer := 0;
BEGIN
    FOR i IN 1..6000 LOOP
        PERFORM pg_stat_clear_snapshot();
        SELECT count(pg_terminate_backend(pid)) INTO ended FROM pg_stat_activity
        WHERE application_name = 'portcullis' AND query LIKE '{query}%' AND backend_start >
        (SELECT min(backend_start) FROM pg_stat_activity WHERE application_name = 'portcullis');
        EXIT WHEN ended > 0;
        PERFORM pg_sleep(0.002);
    END LOOP;
    IF ended = 0 THEN RAISE 'nobody had a second view'; END IF;
END $$"""

ENDER = "SELECT 1 FROM pg_stat_activity WHERE query LIKE 'DO %'"


def tell_all(server):
    server.query("INSERT INTO portcullis.notices (user_name, recipient, message_id, reason, rules,"
                 " state, intended, settled, attempts, error) SELECT name, name, '<' || id || '@mx>',"
                 " 'first', 'encryption', 1, now() - interval '1 hour', now() - interval '1 hour',"
                 " 1, '' FROM portcullis.users WHERE name <> '';"
                 "UPDATE portcullis.users SET told = true WHERE name <> '';"
                 "ANALYZE")  # fmt: skip


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    """A server with many people who break a rule, all of them told."""
    server = postgresql.PostgreSQL()
    try:
        host = Host(tmp_path_factory.mktemp("many"), server.uri())
        host.run("store", "create")
        host.append(event(user=f"user{i}@example.org") for i in range(PEOPLE))
        host.run("import")
        tell_all(server)
        yield server
    finally:
        server.close()


def ask(host, words):
    """What is of people."""
    done = host.run(*words, "--json", "--at", AT, status=None)
    assert done.stderr == ""
    answer = json.loads(done.stdout)
    return answer["rules"] if words == ["status"] else answer


def answers(tmp_path, uri):
    host = Host(tmp_path, uri)
    return [ask(host, words) for words in QUESTIONS]


@pytest.fixture
def alone(many, tmp_path):
    """The answers to somebody who may have no second connection."""
    many.psql("postgres", "CREATE ROLE alone LOGIN CONNECTION LIMIT 1;"
              "GRANT pg_read_all_data TO alone")  # fmt: skip
    yield answers(tmp_path / "alone", many.uri(user="alone"))
    many.psql("postgres", "DROP OWNED BY alone; DROP ROLE alone")


def test_both_see_the_same(many, alone, tmp_path):
    begun = (many.folder / "log").stat().st_size
    many.settle(log_statement="all")
    assert answers(tmp_path, many.uri()) == alone
    many.settle(log_statement="none")
    with open(many.folder / "log", errors="replace") as log:
        log.seek(begun)
        assert log.read().count("SET TRANSACTION SNAPSHOT") == len(QUESTIONS)
    forecast, rules = alone
    assert forecast["told"] == forecast["active_users"] == PEOPLE
    assert rules[0]["offenders"] == PEOPLE
    assert many.query("SELECT count(*) FROM pg_stat_activity"
                      " WHERE application_name = 'portcullis'") == [("0",)]  # fmt: skip


@pytest.mark.parametrize(
    ("question", "query"),
    [(0, "SELECT id, user_name"),
     *((question, query) for question in range(2) for query in ("", "BEGIN", "SELECT s.user_id"))],
)  # fmt: skip
def test_second_is_ended(many, alone, tmp_path, question, query):
    """At once, and while it works on something."""
    host = Host(tmp_path, many.uri())
    ender = subprocess.Popen(
        ["psql", "-X", "-q", "-d", many.uri(), "-c", END_SECOND.replace("{query}", query)],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    wait_until(lambda: many.query(ENDER), "who ends it")
    assert ask(host, QUESTIONS[question]) == alone[question]
    said = ender.communicate(timeout=60)[1]
    assert ender.returncode == 0, said


def test_no_second_in_a_pool(many, alone, tmp_path):
    """Who has the only connection of it would wait for another one in vain."""
    pool = postgresql.PgBouncer(many, connections=1)
    try:
        began = time.monotonic()
        assert answers(tmp_path, many.uri(pool.folder)) == alone
        assert time.monotonic() - began < 30
    finally:
        pool.close()


def test_both_of_a_standby(many, alone, tmp_path):
    standby = postgresql.Standby(many)
    try:
        wait_until(lambda: standby.query("SELECT rolname FROM pg_roles WHERE rolname = 'alone'"),
                   "what the primary has")  # fmt: skip
        standby_log = standby.folder / "log"
        assert answers(tmp_path, standby.uri() + "&options=-clog_statement%3Dall") == alone
        assert "SET TRANSACTION SNAPSHOT" in standby_log.read_text(errors="replace")
    finally:
        standby.close()


def test_something_changes_meanwhile(many, tmp_path):
    """A few people everywhere are told and then not, again and again: nobody sees it half done."""
    host = Host(tmp_path, many.uri())
    changing = subprocess.Popen(
        ["psql", "-X", "-q", "-d", many.uri(), "-c",
         "DO $$ DECLARE few bigint[] := ARRAY(SELECT id FROM portcullis.notices"
         f" WHERE id % {PEOPLE // FEW} = 0); BEGIN FOR i IN 1..20000 LOOP"
         " UPDATE portcullis.notices SET state = 3 - state WHERE id = ANY (few);"
         " COMMIT; PERFORM pg_sleep(0.003); END LOOP; END $$"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        seen = {json.loads(host.run("forecast", "--json", status=None).stdout)["told"]
                for _ in range(20)}  # fmt: skip
        assert changing.poll() is None
    finally:
        changing.kill()
        changing.wait()
    assert seen == {PEOPLE - FEW, PEOPLE}
