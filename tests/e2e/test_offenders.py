"""portcullis offenders: who breaks what."""

import csv
import io
import json
import os
import shutil
import subprocess
import tempfile

from pathlib import Path

import pytest

import mmdb

from mailhost import BUILD
from recorded_site import (
    EX_CONFIG,
    EX_DATAERR,
    EX_NOINPUT,
    EX_USAGE,
    RecordedSite,
    day,
    fits_a_terminal,
)

RULES = f"""
rule encryption {{ observe = "{day(-200)}" notify = "{day(-30)}" enforce = "{day(30)}" }}
rule mechanism  {{ observe = "{day(-200)}" }}
rule pop3       {{ kind = "protocol" services = {{ "pop3" }} enforce = "{day(-1)}" }}
"""

KEYS = ["user", "rule", "phase", "service", "port", "tls", "mechanism", "country", "client_id",
        "count", "first_seen", "last_seen", "verified", "last_client", "tls_version"]

HOSTILE_NAMES = [
    "old scanner@example.org",
    "\"quoted\" 'twice'@example.org",
    "two\nlines@example.org",
    "tab\tbell\a@example.org",
    "\x1b[31m\x1b]0;owned\x07@example.org",
    "c1 \x9b31m@example.org",
    "jürgen@müller.example",
    "名前@example.org",
    "right\u202eleft\u200b@example.org",
    "x'; drop table users; --@example.org",
    "%s%n@example.org",
    "=1+1@example.org",
    "comma,semicolon;@example.org",
    "back\\slash@example.org",
]


@pytest.fixture
def site(tmp_path):
    return RecordedSite(tmp_path, RULES)


def pairs(rows):
    return [(row["user"], row["rule"]) for row in rows]


def test_one_object_for_each_user_rule_and_way(site):
    first = site.record("alice@example.org", "encryption=observe", days_ago=40)
    site.record("alice@example.org", "encryption", days_ago=3, client="78.46.5.1")
    last = site.record("alice@example.org", "encryption", days_ago=1, count=2)
    site.record("alice@example.org", "encryption", "mechanism=observe", days_ago=2,
                mechanism="CRAM-MD5", client="18.9.22.69", country="US", client_id="")
    site.fine("bob@example.org")
    site.take()
    rows = site.ask("offenders")
    assert all(list(row) == KEYS for row in rows)
    # Recorded in two phases, one way all the same; the phase is the one of today.
    plain = [row for row in rows if row["mechanism"] == "PLAIN"]
    assert len(plain) == 1
    assert plain[0]["count"] == 4
    assert (plain[0]["first_seen"], plain[0]["last_seen"]) == (first, last)
    assert plain[0]["phase"] == "notify"
    assert plain[0]["last_client"] == mmdb.CLIENTS["DE"][0]
    other = [row for row in rows if row["mechanism"] == "CRAM-MD5"]
    assert sorted(pairs(other)) == [("alice@example.org", "encryption"),
                                    ("alice@example.org", "mechanism")]
    assert {(row["country"], row["last_client"], row["client_id"]) for row in other} == {
        ("US", "18.9.22.69", "")}
    assert {row["phase"] for row in other} == {"notify", "observe"}


def test_filters(site):
    site.record("alice@example.org", "encryption", days_ago=10)
    site.record("bob@example.org", "encryption", "mechanism=observe", days_ago=1,
                mechanism="CRAM-MD5")
    site.record("carol@example.org", "gone-rule=enforce", days_ago=1)
    site.take()
    everything = [("alice@example.org", "encryption"), ("bob@example.org", "encryption"),
                  ("bob@example.org", "mechanism"), ("carol@example.org", "gone-rule")]
    assert pairs(site.ask("offenders")) == everything
    assert pairs(site.ask("offenders", "--rule", "mechanism")) == [everything[2]]
    assert pairs(site.ask("offenders", "--phase", "notify")) == everything[:2]
    assert pairs(site.ask("offenders", "--phase", "observe")) == [everything[2]]
    # A rule that the policy does not have any more is off.
    assert pairs(site.ask("offenders", "--phase", "off")) == [everything[3]]
    assert pairs(site.ask("offenders", "--since", day(-5))) == everything[1:]
    assert pairs(site.ask("offenders", "--user", "BOB")) == everything[1:3]
    assert pairs(site.ask("offenders", "--user", "nobody")) == []


def test_servers_are_not_told_apart(site):
    for source in ("dovecot", "postfix"):
        site.record("alice@example.org", "encryption", service="submission", port=587,
                    client_id="", source=source)
    site.take()
    [way] = site.ask("offenders")
    assert way["count"] == 2
    assert len(site.ask("user", "alice")["programs"]) == 2


def test_an_address_that_was_never_known(site):
    """It is outside of every network, and of no country."""
    site.write_rules(RULES + """
        rule abroad   { kind = "country" allow = { "DE" } enforce = "always" }
        rule campus   { kind = "implicit-tls" except-networks = { "campus" } enforce = "always" }
    """)
    site.record("alice@example.org", "encryption", client="", country="")
    site.take()
    [program] = site.ask("user", "alice")["programs"]
    assert {rule["rule"] for rule in program["rules"]} == {"encryption", "campus"}


def test_ways_that_were_used_since_a_day(site):
    """What the store has of a way is one number, for all the time."""
    first = site.record("alice@example.org", "encryption=observe", days_ago=40)
    site.record("alice@example.org", "encryption", days_ago=3, count=2)
    site.record("bob@example.org", "encryption", days_ago=2, count=3)
    site.record("carol@example.org", "encryption", days_ago=10, count=4)
    site.take()
    rows = site.ask("offenders", "--since", day(-5), "--sort", "count")
    assert [(row["user"], row["count"]) for row in rows] == [
        ("bob@example.org", 3), ("alice@example.org", None)]
    # The beginning is that of the way.
    assert rows[1]["first_seen"] == first
    table = site.must("offenders", "--since", day(-5)).splitlines()
    assert [" - " in line for line in table[1:]] == [True, False]
    assert [row["count"] for row in site.ask("offenders")] == [3, 3, 4]


def test_phases_are_those_of_the_day(site):
    site.record("alice@example.org", "encryption")
    site.take()

    def phase(*at):
        return site.ask("offenders", *at)[0]["phase"]

    assert phase() == "notify"
    assert phase("--at", day(-31)) == "observe"
    assert phase("--at", f"{day(30)} 00:00") == "enforce"
    assert phase("--at", f"{day(29)} 23:59") == "notify"
    assert pairs(site.ask("offenders", "--phase", "enforce", "--at", day(31))) == [
        ("alice@example.org", "encryption")]


def test_only_who_knew_the_password(site):
    site.record("alice@example.org", "encryption")
    site.record("alice@example.org", "encryption", verified=False, count=5)
    site.record("victim@example.org", "encryption", verified=False)
    site.take()
    assert [(row["user"], row["count"]) for row in site.ask("offenders")] == [
        ("alice@example.org", 1)]
    rows = site.ask("offenders", "--unverified")
    assert [(row["user"], row["verified"], row["count"]) for row in rows] == [
        ("alice@example.org", True, 1), ("alice@example.org", False, 5),
        ("victim@example.org", False, 1)]
    table = site.must("offenders", "--unverified")
    assert "*victim@example.org" in table and "\nalice@example.org" in table


def test_orders(site):
    for user, rule, count, days_ago in [("b", "encryption", 1, 1), ("c", "encryption", 9, 9),
                                        ("a", "mechanism", 4, 5)]:
        site.record(f"{user}@example.org", rule, count=count, days_ago=days_ago)
    site.take()

    def order(*options):
        return "".join(row["user"][0] for row in site.ask("offenders", *options))

    assert order() == order("--sort", "user") == "abc"
    assert order("--sort", "rule") == "bca"
    assert order("--sort", "count") == "cab"
    assert order("--sort", "first") == "cab"
    assert order("--sort", "last") == "bac"
    assert site.run("offenders", "--sort", "size").returncode == EX_USAGE


def test_addresses_are_erased_and_shown_as_such(site):
    site.record("alice@example.org", "encryption", days_ago=20)
    site.fine("bob@example.org")
    site.take()
    assert site.ask("offenders")[0]["last_client"] == ""


def test_table(site):
    site.record("alice@example.org", "encryption", count=3)
    site.record("a-very-long-name-that-goes-on.and-on@a-faculty.example.org", "encryption",
                service="submission", port=50587, tls="starttls", mechanism="SCRAM-SHA-256-PLUS",
                client_id="name=" + "A program with a very long name " * 4, count=12345)
    site.take()
    table = site.show("offenders", columns=150)
    fits_a_terminal(table, 150)
    lines = table.splitlines()
    assert lines[0].split() == ["USER", "RULE", "PHASE", "SERVICE", "TLS", "SASL", "IN",
                                "PROGRAM", "COUNT", "FIRST", "LAST"]
    assert len(lines) == 3
    # The last column is whole.
    assert "…" in lines[1] and "…" not in lines[1].split()[-1]
    assert "submission:50587" in table and "12345" in table and "imap:143" in table


def test_csv(site):
    site.record('say "hi", ok@example.org', "encryption")
    site.record("=cmd|' /c calc'!a0@example.org", "encryption")
    site.take()
    rows = list(csv.DictReader(io.StringIO(site.must("offenders", "--csv"))))
    assert list(rows[0]) == KEYS
    assert rows[1]["user"] == 'say "hi", ok@example.org'
    # No formula for a spreadsheet.
    assert rows[0]["user"] == "'=cmd|' /c calc'!a0@example.org"
    assert rows[0]["count"] == "1" and rows[0]["verified"] == "true"


def test_names_that_strangers_choose(site):
    names = HOSTILE_NAMES + ["x" * 10000 + "@example.org", "日本語" * 40 + "@example.org"]
    for name in names:
        site.record(name, "encryption", client_id=f"name={name}")
    site.take()
    found = {row["user"] for row in site.ask("offenders")}
    assert set(HOSTILE_NAMES) <= found
    assert len(found) == len(names)
    assert "\x1b" not in site.must("offenders", "--json")
    table = site.show("offenders")
    fits_a_terminal(table)
    assert len(table.splitlines()) == len(names) + 1
    lines = site.must("offenders", "--csv").splitlines()
    assert len(lines) == len(names) + 1
    assert all(line.isprintable() for line in lines)
    # Such a name can be asked for.
    for name in HOSTILE_NAMES:
        assert [row["user"] for row in site.ask("offenders", "--user", name)] == [name]


def test_on_a_terminal(site):
    """Nothing but lines reaches it."""
    for name in HOSTILE_NAMES:
        site.record(name, "encryption")
    site.take()
    for options in ([], ["--csv"], ["--json"]):
        text = site.show("offenders", *options)
        assert all(line.isprintable() for line in text.split("\n")), text


def test_nobody(site):
    site.fine("alice@example.org")
    site.take()
    assert site.must("offenders") == "Nobody.\n"
    assert json.loads(site.must("offenders", "--json")) == []
    assert site.must("offenders", "--csv").count("\n") == 1
    assert site.must("offenders", "--rule", "encryption") == "Nobody.\n"


def test_a_rule_that_there_is_not(site):
    """Whoever mistypes a title is not told that nobody breaks the rule."""
    site.record("alice@example.org", "encryption", "retired")
    site.take()
    done = site.run("offenders", "--rule", "encrytion")
    assert (done.returncode, done.stdout) == (EX_USAGE, "")
    assert "no rule is called 'encrytion'" in done.stderr
    # Of one that was taken out of the file, the store still knows.
    assert "alice@example.org" in site.must("offenders", "--rule", "retired")


def test_as_someone_who_may_only_read():
    """The help desk may read the store, but write nothing beside it."""
    with tempfile.TemporaryDirectory(dir="/var/tmp") as name:
        site = RecordedSite(Path(name), RULES)
        site.directory.chmod(0o755)
        shutil.copy(BUILD / "portcullis", site.directory)
        site.record("alice@example.org", "encryption")
        site.take()
        _ask_as_nobody(site)
        with subprocess.Popen([BUILD / "portcullis", "-c", site.config, "import", "-f"]) as service:
            _ask_as_nobody(site)
            service.terminate()
        _ask_as_nobody(site)


def _ask_as_nobody(site):
    answer = site.must("offenders")
    assert "alice@example.org" in answer
    for path in site.directory.glob("store.db*"):
        assert path.stat().st_mode & 0o777 == 0o640
        os.chown(path, 0, 65534)
    before = {path.name for path in site.directory.iterdir()}
    command = [site.directory / "portcullis", "-c", site.config, "offenders"]
    done = subprocess.run(command, user=65533, group=65534, extra_groups=[],
                          capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, answer, "")
    assert {path.name for path in site.directory.iterdir()} == before


@pytest.mark.sqlite
@pytest.mark.parametrize("command", [["offenders"], ["forecast"], ["status"], ["user", "alice"],
                                     ["exempt", "--current-offenders", "encryption", "--until",
                                      day(1)]])
def test_without_a_store(site, command):
    result = site.run(*command)
    assert result.returncode == EX_NOINPUT
    assert result.stdout == ""
    assert result.stderr == (f"portcullis: store {site.store}: there is none yet; "
                             "'portcullis import' makes it\n")
    assert not site.store.exists()


@pytest.mark.sqlite
@pytest.mark.parametrize("command", [["offenders"], ["forecast"], ["status"], ["user", "alice"]])
def test_with_a_damaged_store(site, command):
    site.store.write_bytes(b"not a database at all" * 1000)
    result = site.run(*command)
    assert result.returncode == EX_DATAERR
    assert result.stderr.startswith(f"portcullis: store {site.store}: it is damaged")


def test_command_line(site):
    site.take()
    for options in (["--phase", "soon"], ["--since", "soon"], ["alice"]):
        result = site.run("offenders", *options)
        assert result.returncode == EX_USAGE
        assert result.stderr
    site.config.write_text("nonsense")
    assert site.run("offenders").returncode == EX_CONFIG
