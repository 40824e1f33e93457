"""portcullis status: where each rule stands, and whether all is healthy."""

import contextlib
import json
import os
import re
import sqlite3
import time

import pytest

import mmdb

from recorded_site import DAY, EX_USAGE, RecordedSite, day, fits_a_terminal, json_date

RULES = f"""
rule encryption {{ observe = "{day(-90)}" notify = "{day(-30)}" enforce = "{day(30)} 06:00" }}
rule abroad     {{ kind = "country" allow = {{ "DE" }} observe = "{day(3)}" }}
rule pop3       {{ kind = "protocol" services = {{ "pop3" }} enforce = "always" }}
"""


@pytest.fixture
def site(tmp_path):
    return RecordedSite(tmp_path, RULES)


def status(site, *options, healthy=True):
    result = site.run("status", "--json", *options)
    answer = json.loads(result.stdout)
    assert answer["healthy"] == healthy, answer["health"]
    assert result.returncode == (0 if healthy else 1)
    return answer


def unhealthy(site):
    return {check["check"] for check in status(site, healthy=False)["health"]
            if not check["healthy"]}


def test_rules(site):
    site.fine("carol@example.org")
    site.take()
    encryption, abroad, pop3 = status(site)["rules"]
    assert encryption == {"rule": "encryption", "phase": "notify", "next_phase": "enforce",
                          "next_change": json_date(f"{day(30)} 06:00"), "days": 30, "offenders": 0,
                          "offenders_at_start": 0}
    assert (abroad["phase"], abroad["next_phase"], abroad["days"]) == ("off", "observe", 3)
    assert pop3 == {"rule": "pop3", "phase": "enforce", "next_phase": None, "next_change": None,
                    "days": None, "offenders": 0, "offenders_at_start": 0}


def test_at_a_date(site):
    site.fine("carol@example.org")
    site.take()
    answer = status(site, "--at", f"{day(30)} 05:59")
    assert answer["at"] == json_date(f"{day(30)} 05:59")
    assert (answer["rules"][0]["phase"], answer["rules"][0]["days"]) == ("notify", 0)
    assert status(site, "--at", day(31))["rules"][0]["phase"] == "enforce"


def test_offenders_now_and_at_the_start(site):
    """Those of today are who will come again, as forecast has them."""
    for number in range(5):
        for days_ago in range(80, 50, -1 - number):
            site.record(f"user{number}@example.org", "encryption=observe", days_ago=days_ago)
    for days_ago in range(50, 1, -2):
        site.record("user0@example.org", "encryption", days_ago=days_ago)
        site.record("user1@example.org", "encryption", days_ago=days_ago)
    site.record("user1@example.org", port=993, tls="implicit", days_ago=1)
    for days_ago in range(50, 9, -10):
        site.record("user2@example.org", "encryption", days_ago=days_ago)
    site.record("victim@example.org", "encryption", days_ago=1, verified=False)
    site.take()
    encryption = status(site)["rules"][0]
    assert (encryption["offenders"], encryption["offenders_at_start"]) == (2, 5)
    assert site.ask("forecast")["rules"]["encryption"]["users"] == 2


def test_offenders_are_those_of_now(site):
    """Also when the servers have fallen silent, and whatever the moment is whose phases are
    asked for."""
    for days_ago in range(100, 24, -5):
        site.record("alice@example.org", "encryption=observe", days_ago=days_ago)
    site.record("bob@example.org", "encryption=observe", days_ago=99)
    site.record("bob@example.org", port=993, tls="implicit", days_ago=98)
    site.take()
    for moment in (), ("--at", day(-20)), ("--at", day(40)):
        rule = json.loads(site.run("status", "--json", *moment).stdout)["rules"][0]
        assert (rule["offenders"], rule["offenders_at_start"]) == (1, 1), moment


def test_nobody_at_the_start(site):
    """Who comes later was none at the start, when others were recorded already."""
    site.fine("carol@example.org", days_ago=80)
    site.record("alice@example.org", "encryption=observe", days_ago=40)
    site.record("alice@example.org", "encryption", days_ago=2)
    site.take()
    encryption = status(site)["rules"][0]
    assert (encryption["offenders"], encryption["offenders_at_start"]) == (1, 0)


@pytest.mark.sqlite
def test_backlog(site):
    site.record("alice@example.org", "encryption")
    site.take()
    assert "everything is imported" in site.must("status")
    site.record("alice@example.org", "encryption")
    # Not yet late.
    assert "bytes in 1 journal file wait" in site.must("status")
    _import_was(site, 2 / 24)
    assert unhealthy(site) == {"backlog"}
    site.take()
    _import_was(site, 2)
    assert unhealthy(site) == {"import"}
    _import_was(site, -2)
    assert unhealthy(site) == {"import"}
    site.journal.rename(site.directory / "elsewhere")
    assert "backlog" in unhealthy(site)
    assert "'portcullis import' says which" in site.run("status").stdout


def _import_was(site, days_ago):
    """The clock cannot be put on, but the store can be told."""
    moment = int((time.time() - days_ago * DAY) * 1000)
    with contextlib.closing(sqlite3.connect(site.store)) as store, store:
        store.execute("UPDATE totals SET last_import = ?", (moment,))


def test_servers_that_record_nothing(site):
    """Whoever sees no offenders then would think that all is well."""
    site.take()
    assert unhealthy(site) == {"servers"}
    assert "none has recorded anything" in site.run("status").stdout
    site.fine("carol@example.org", days_ago=2.9)
    site.fine("carol@example.org", host="mx2", days_ago=31)
    site.take()
    status(site)
    assert "1 recorded something in the last 3 days" in site.must("status")
    moment = site.fine("carol@example.org", host="mx3\x1b[m", source="postfix", days_ago=4)
    site.take()
    assert unhealthy(site) == {"servers"}
    day_of_it = moment.partition("T")[0]
    assert rf"postfix on mx3\x1b[m has recorded nothing since {day_of_it}" in (
        site.run("status", environment={"TZ": "UTC"}).stdout)


def test_long_name_of_a_server(site):
    site.fine("carol@example.org")
    site.fine("carol@example.org", host="\u1f00" * 70, days_ago=4)
    site.take()
    assert unhealthy(site) == {"servers"}
    [servers] = [check["text"] for check in status(site, healthy=False)["health"]
                 if check["check"] == "servers"]
    assert re.fullmatch("dovecot on \u1f00{63}\u2026 has recorded nothing since .*", servers)


def test_lines_that_were_lost(site):
    site.record("alice@example.org", "encryption", count=500)
    site.take()
    status(site)
    site.record("alice@example.org", "encryption", lost=3)
    site.take()
    assert unhealthy(site) == {"lost lines"}
    assert "in the last week, 3 of 504 records were lost by the servers, 0 of 501 lines" in (
        site.run("status").stdout)


def combined(site, count, **changes):
    """A line that stands for so many sightings."""
    text = site.journal / "dovecot.jsonl"
    before = text.read_text() if text.exists() else ""
    site.record("alice@example.org", "encryption")
    line = json.loads(text.read_text()[len(before):]) | {"count": count} | changes
    line["until"] = line["time"]
    text.write_text(before + json.dumps(line) + "\n")


def test_lost_records_are_measured_by_records(site):
    """A line may stand for a million of them; lines that cannot be read go by lines."""
    combined(site, 1_000_000)
    combined(site, 1, lost=1)
    site.take()
    status(site)
    assert "1 of 1000002 records were lost by the servers, 0 of 2 lines" in site.must("status")
    with open(site.journal / "dovecot.jsonl", "ab") as file:
        file.write(b"garbage\n")
    site.run("import")
    assert unhealthy(site) == {"lost lines"}


def test_lines_that_could_not_be_read(site):
    site.record("alice@example.org", "encryption", count=500)
    with open(site.journal / "dovecot.jsonl", "ab") as file:
        file.write(b"garbage\n")
    site.run("import")
    assert unhealthy(site) == {"lost lines"}
    assert "0 of 500 records were lost by the servers, 1 of 501 lines" in (
        site.run("status").stdout)


def test_what_was_lost_long_ago_is_forgiven(site):
    site.record("alice@example.org", "encryption", lost=300, days_ago=8)
    site.record("alice@example.org", "encryption", count=10)
    site.take()
    status(site)
    assert "0 of 10 records were lost by the servers, 0 of 10 lines" in site.must("status")


def test_trouble_of_today_is_not_hidden_by_a_long_past(site):
    site.record("alice@example.org", "encryption", count=10000, days_ago=8)
    site.record("alice@example.org", "encryption", lost=5)
    site.take()
    assert unhealthy(site) == {"lost lines"}


def test_country_database(site):
    site.fine("carol@example.org")
    site.take()
    mmdb.write(site.directory / "country.mmdb", built=int(time.time() - 61 * DAY))
    assert unhealthy(site) == {"country database"}
    assert "built 61 days ago" in site.run("status").stdout
    os.unlink(site.directory / "country.mmdb")
    assert unhealthy(site) == {"country database", "files"}


def test_another_edition_in_force(site):
    """A server that goes by what it read before; not one that is only quiet since."""
    site.fine("carol@example.org")
    site.take()
    here = status(site)["edition"]
    assert status(site)["servers"] == [
        {"host": "mx1", "source": "dovecot", "edition": None, "since": None, "differs": False}
    ]
    site.fine("carol@example.org", edition=here, days_ago=1)
    site.fine("carol@example.org", edition=here, source="postfix", days_ago=1)
    site.take()
    assert [server["edition"] for server in status(site)["servers"]] == [here, here]

    site.write_rules(RULES.replace('"DE"', '"DE", "FR"'))
    assert status(site)["edition"] != here
    # What Dovecot wrote last is older than the change.
    site.fine("carol@example.org", source="postfix", days_ago=-0.02)
    site.take()
    servers = {one["source"]: one for one in status(site, healthy=False)["servers"]}
    assert unhealthy(site) == {"edition"}
    assert servers["postfix"]["differs"] and not servers["dovecot"]["differs"]
    assert f"postfix on mx1 still judges by what it read at {day(-1)}" in site.run("status").stdout
    now = status(site, healthy=False)["edition"]
    site.fine("carol@example.org", edition=now, source="postfix", days_ago=-0.03)
    site.take()
    assert [server["edition"] for server in status(site)["servers"]] == [here, now]
    assert "the servers judge by these files" in site.must("status")


def test_another_country_database_is_another_edition(site):
    """Also one of the same moment and size."""
    built = int(time.time()) - 3600
    editions = set()
    for code in "DE", "FR":
        mmdb.write(site.directory / "country.mmdb", {code: ["192.0.2.0/24"]}, built=built)
        site.fine("carol@example.org")
        site.take()
        editions.add(status(site)["edition"])
    assert len(editions) == 2


def test_another_time_zone_is_another_edition(site):
    site.fine("carol@example.org")
    site.take()
    answers = [json.loads(site.run("status", "--json", environment={"TZ": zone}).stdout)
               for zone in ("UTC", "UTC-9")]
    assert answers[0]["edition"] != answers[1]["edition"]


def test_a_wrong_exemption(site):
    site.fine("carol@example.org")
    site.take()
    site.exemptions.write_text("alice nonsense 2024-01-01\n")
    assert unhealthy(site) == {"files"}


def test_share_of_unknown_countries(site):
    for days_ago in range(8, 30, 2):
        site.record("alice@example.org", "encryption", days_ago=days_ago, count=19)
        site.record("alice@example.org", "encryption", days_ago=days_ago, country="",
                    client="203.0.113.5")
    site.record("alice@example.org", "encryption", days_ago=1, count=95)
    site.record("alice@example.org", "encryption", country="", client="203.0.113.5", count=10)
    site.record("alice@example.org", "encryption", country="", client="10.1.2.3", count=100)
    site.take()
    assert "4.9 % in the last week, 5.0 % in the four weeks before" in site.must("status")
    site.record("alice@example.org", "encryption", country="", client="203.0.113.5", count=30)
    site.take()
    assert unhealthy(site) == {"unknown countries"}
    # What strangers send in any number, and is counted without name and address.
    combined(site, 5000, user="", verified=False, client="", country="", client_id="")
    site.take()
    assert unhealthy(site) == {"unknown countries"}


def test_text(site):
    site.fine("carol@example.org")
    site.take()
    text = site.show("status")
    fits_a_terminal(text)
    assert text.splitlines()[1].split() == ["encryption", "notify", "enforce", day(30), "06:00",
                                            "30", "0", "0"]


def test_command_line(site):
    assert site.run("status", "extra").returncode == EX_USAGE
    assert site.run("status", "--at", "2024-02-30").returncode == EX_USAGE
