"""Whoever reads an answer in JSON or CSV elsewhere knows which moment is meant."""

import csv
import datetime
import io
import json
import re

import pytest

from notices import TEXTS
from recorded_site import RecordedSite, day

# Local time is not UTC there, neither in summer nor in winter.
ZONES = {"Asia/Kolkata": r"\+05:30", "America/St_Johns": "-0[23]:30"}

RULES = f"""
rule encryption {{ observe = "{day(-200)}" notify = "{day(-30)} 06:00" enforce = "{day(30)}" }}
rule mechanism  {{ observe = "always" notify = "{day(3)}" }}
rule pop3 {{ kind = "protocol" services = {{ "pop3" }} enforce = "always" }}
rule country {{ services = {{ "imap" }} allow = {{ "DE" }} observe = "{day(2)} 12:30" }}
notices {{
    from = "mail@example.org" texts = "{TEXTS}" transport = "sendmail:/bin/true"
    quiet-hours = "never" languages = {{ "en" }}
}}
"""

DAYS = {"from", "until", "exempt_until", "grace_until", "week"}

LIKE_A_DATE = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d\S*)?")
COMPLETE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3}Z|[+-]\d\d:\d\d)")
IN_A_SENTENCE = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d[+-]\d\d:\d\d,?")

EXPLAIN = ["explain", "--service", "imap", "--port", "143", "--tls", "none", "--mechanism", "PLAIN",
           "--client", "18.9.22.69", "--user"]

QUESTIONS = [
    ["check-config"],
    ["check-config", "--at", day(-300)],
    [*EXPLAIN, "alice"],
    [*EXPLAIN, "bob", "--at", day(60)],
    ["offenders", "--unverified"],
    ["forecast"],
    ["forecast", "--at", "+31d"],
    ["status"],
    ["user", "alice"],
    ["user", "bob", "--at", "now"],
    ["exempt", "--list"],
    ["notices"],
    ["notify", "--dry-run"],
    ["notify", "--dry-run", "--at", "+27d"],
    ["notify", "--untold"],
    ["notify", "--call-list"],
]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    site = RecordedSite(tmp_path_factory.mktemp("site"), RULES)
    for user in ("alice@example.org", "bob@example.org"):
        site.record(user, "encryption", "mechanism=observe", mechanism="CRAM-MD5", days_ago=2)
        site.record(user, "pop3=enforce", service="pop3", port=110)
        site.record(user, verified=False, days_ago=3)
    # A server that has been silent since, which status says.
    site.record("carol@example.org", "encryption", host="mx2", days_ago=10)
    # One that judges by another edition, which status says as well.
    site.fine("carol@example.org", source="postfix", edition="0123456789abcdef", days_ago=-0.02)
    site.take()
    site.must("exempt", "alice", "encryption", "--from", day(1), "--until", day(40))
    site.must("exempt", "bob", "encryption", "--until", day(20))
    site.must("notify", "--quiet")
    return site


def strings(value, key=None):
    """(key, string) for each below a value."""
    if isinstance(value, dict):
        for name, item in value.items():
            yield from strings(item, name)
    elif isinstance(value, list):
        for item in value:
            yield from strings(item, key)
    elif isinstance(value, str):
        yield key, value


def check(key, text):
    """Returns whether it has a moment in it."""
    found = [match for match in LIKE_A_DATE.finditer(text) if match[1]]
    if LIKE_A_DATE.fullmatch(text):
        assert COMPLETE.fullmatch(text) or (key in DAYS and not found), (key, text)
    else:
        assert all(IN_A_SENTENCE.fullmatch(match[0]) for match in found), (key, text)
    return bool(found)


@pytest.mark.parametrize("zone", ZONES)
def test_all_times_in_json(site, zone):
    moments = set()
    for question in QUESTIONS:
        result = site.run(*question, "--json", environment={"TZ": zone})
        assert result.returncode in (0, 1) and result.stdout, result
        for key, text in strings(json.loads(result.stdout)):
            if check(key, text):
                moments.add((question[0], key))
    assert moments >= {
        ("check-config", "next_change"), ("check-config", "country_database_built"),
        ("explain", "why"), ("offenders", "first_seen"), ("offenders", "last_seen"),
        ("forecast", "at"), ("status", "at"), ("status", "next_change"), ("status", "text"), ("status", "since"),
        ("user", "at"), ("user", "enforce"), ("user", "first_seen"), ("user", "time"),
        ("notices", "time"), ("notify", "enforce"),
    }  # fmt: skip


def test_all_times_in_csv(site):
    text = site.must("offenders", "--csv", environment={"TZ": "Asia/Kolkata"})
    for row in csv.DictReader(io.StringIO(text)):
        assert all(check(key, value) for key, value in row.items() if key.endswith("_seen"))
        for key, value in row.items():
            check(key, value)


@pytest.mark.parametrize("zone, offset", ZONES.items())
def test_a_date_is_that_of_the_policy(site, zone, offset):
    # It warns of what client-settings recommend there.
    done = site.run("check-config", "--json", environment={"TZ": zone})
    assert done.returncode == 0, done
    answer = json.loads(done.stdout)
    changes = {rule["rule"]: rule["next_change"] for rule in answer["rules"]}
    assert re.fullmatch(f"{day(30)}T00:00:00{offset}", changes["encryption"])
    assert re.fullmatch(f"{day(2)}T12:30:00{offset}", changes["country"])
    assert changes["pop3"] is None


def test_what_was_recorded_is_the_same_everywhere(site):
    answers = {site.must("offenders", "--json", environment={"TZ": zone}) for zone in ZONES}
    assert len(answers) == 1
    [first, *_] = json.loads(answers.pop())
    assert first["first_seen"].endswith("Z")
    datetime.datetime.fromisoformat(first["first_seen"].replace("Z", "+00:00"))
