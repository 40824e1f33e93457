"""Who is told, where a person has several devices: one is judged by its own logins only,
and whoever was never told of a rule is told of it."""

import pytest

from notices import TEXTS
from recorded_site import RecordedSite, day

IPHONE = "name=iPhone Mail version=%s"
THUNDERBIRD = "name=Thunderbird version=%s"
POP3 = {"service": "pop3", "client_id": ""}
SMTP = {"source": "postfix", "service": "submission"}

RULES = f"""
rule encryption {{ observe = "{day(-60)}" notify = "{day(-1)}" enforce = "{day(60)}" }}
notices {{ from = "mail@example.org" transport = "sendmail:/bin/false" texts = "{TEXTS}" }}
"""


@pytest.fixture
def site(tmp_path):
    return RecordedSite(tmp_path, RULES)


def due(site, *arguments):
    site.take()
    return [(one["user"], one["reason"]) for one in site.ask("notify", "--dry-run", *arguments)]


def told(*users):
    return [(f"{user}@example.org", "first") for user in users]


def fine_daily(site, user, **changes):
    for days_ago in range(30, 0, -1):
        site.fine(f"{user}@example.org", days_ago=days_ago, **changes)


def test_seen_in_observe_only(site):
    """By one who uses another program daily, long before the first mails."""
    for days_ago in (50, 49, 48):
        site.record("alice@example.org", "encryption=observe", days_ago=days_ago,
                    client_id=IPHONE % "16G77")  # fmt: skip
    fine_daily(site, "alice", client_id=THUNDERBIRD % "115.3")
    assert due(site) == told("alice")


def test_two_telephones(site):
    """The old one at half past three, the new one at five; which is updated, and was abroad."""
    for days_ago in (4, 3, 2):
        site.record("alice@example.org", "encryption", days_ago=days_ago, client_id=IPHONE % "16G77")
        site.fine("alice@example.org", days_ago=days_ago - 0.1, client_id=IPHONE % "21F79")
    site.fine("alice@example.org", days_ago=0.5, client_id=IPHONE % "21G93")
    site.fine("alice@example.org", days_ago=0.4, client_id=IPHONE % "21G93", country="FR")
    assert due(site) == told("alice")


@pytest.mark.parametrize("way", [
    POP3,
    SMTP | {"client_id": "localhost"},
    SMTP | {"client_id": "[192.168.0.7]"},
    SMTP | {"client_id": "192.168.0.7"},
])  # fmt: skip
def test_without_a_name(site, way):
    """Others that say as little are no evidence."""
    for days_ago in (20, 19, 18):
        site.record("alice@example.org", "encryption", days_ago=days_ago, port=110, **way)
    fine_daily(site, "alice", **way)
    assert due(site) == told("alice")


def test_a_host_with_a_name(site):
    way = SMTP | {"client_id": "DESKTOP-33C70B8"}
    site.record("alice@example.org", "encryption", days_ago=3, port=587, **way)
    site.record("bob@example.org", "encryption", days_ago=3, port=587, **way)
    site.fine("alice@example.org", days_ago=2, **way | {"port": 465})
    site.fine("bob@example.org", days_ago=2, **way | {"port": 465, "client_id": "DESKTOP-33C70B9"})
    assert due(site) == told("bob")


def test_repaired(site):
    """Whatever its version and country; and no more once it comes again."""
    for user in ("alice", "bob"):
        site.record(f"{user}@example.org", "encryption", days_ago=3, client_id=IPHONE % "21F79")
        site.fine(f"{user}@example.org", days_ago=2, client_id=IPHONE % "21G93", country="FR")
    site.record("bob@example.org", "encryption", days_ago=1, client_id=IPHONE % "21G93")
    assert due(site) == told("bob")


def test_seen_just_before_the_date(site):
    """Whom no mail could reach before it, and who was not refused yet."""
    site.write_rules(RULES.replace(f'notify = "{day(-1)}" enforce = "{day(60)}"',
                                   f'notify = "{day(-30)}" enforce = "{day()}"'))  # fmt: skip
    site.record("alice@example.org", "encryption", days_ago=1.5)
    assert due(site) == told("alice")
