"""Logins by ANONYMOUS, and mail of who logged in so, are nobody's, whatever name they bear and
whatever was recorded of them; what only strangers did is told as theirs."""

import pytest

from recorded_site import RecordedSite, day

RULES = f"""
rule encryption {{ observe = "{day(-90)}" notify = "{day(-60)}" enforce = "{day(30)}" }}
rule pop3       {{ kind = "protocol" services = {{ "pop3" }} notify = "{day(-60)}"
                   enforce = "{day(40)}" }}
"""

NOBODY = "anonymous@example.org"


@pytest.fixture
def site(tmp_path):
    return RecordedSite(tmp_path, RULES)


@pytest.fixture
def anonymous(site):
    """As older versions recorded it: Postfix's with a right password."""
    for days_ago in (1, 40, 80):
        site.record(NOBODY, "encryption", days_ago=days_ago, mechanism="ANONYMOUS",
                    service="submission", port=587, source="postfix")
        site.record(NOBODY, "encryption", days_ago=days_ago, mechanism="Anonymous")
    site.take()
    return site


def test_nobody_is_an_offender(anonymous):
    assert anonymous.ask("offenders") == []
    assert anonymous.ask("offenders", "--user", NOBODY) == []
    strangers = anonymous.ask("offenders", "--unverified")
    assert [(way["user"], way["verified"], way["count"]) for way in strangers] == (
        [(NOBODY, False, 3)] * 2)
    table = anonymous.must("offenders", "--unverified").splitlines()[1:]
    assert [row.split()[0] for row in table] == [f"*{NOBODY}"] * 2


def test_nobody_is_counted(anonymous):
    forecast = anonymous.ask("forecast")
    assert (forecast["active_users"], forecast["locked_out"]) == (0, 0)
    assert all(week["active_users"] == week["affected"] == 0 for week in forecast["weeks"])
    assert forecast["rules"]["encryption"]["users"] == 0 and forecast["services"] == {}
    for rule in anonymous.ask("status")["rules"]:
        assert (rule["offenders"], rule["offenders_at_start"]) == (0, 0)


def test_nobody_is_let_off(anonymous):
    answer = anonymous.must("exempt", "--current-offenders", "encryption", "--until", day(9))
    assert answer == f"Users let off encryption until {day(9)}: 0. Already let off: 0.\n"
    assert anonymous.exemptions.read_text() == ""


def test_what_the_help_desk_sees_of_it(anonymous):
    answer = anonymous.ask("user", NOBODY)
    assert [program["verified"] for program in answer["programs"]] == [False, False]
    assert anonymous.must("user", NOBODY).splitlines()[2] == "Not seen."


def test_rules_that_only_strangers_broke(site):
    user = "alice@example.org"
    site.record(user, "encryption", days_ago=2)
    site.record(user, "pop3", verified=False, service="pop3", port=995, tls="implicit")
    site.record(user, "encryption", verified=False, days_ago=1, client_id="")
    site.record("bob@example.org", "pop3", verified=False, service="pop3", port=995,
                tls="implicit")
    site.take()
    lines = site.must("user", user).splitlines()
    [encryption] = [line for line in lines if line.startswith("encryption: ")]
    [pop3] = [line for line in lines if line.startswith("pop3: ")]
    assert encryption == f"encryption: now in phase notify, enforced from {day(30)} 00:00"
    assert pop3 == (f"pop3: now in phase notify, enforced from {day(40)} 00:00; broken only by "
                    "what may be someone else")
    # Of a person who was not seen at all, too.
    [pop3] = [line for line in site.must("user", "bob").splitlines() if line.startswith("pop3: ")]
    assert pop3.endswith("; broken only by what may be someone else")
