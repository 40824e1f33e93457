"""Commands take dates in several forms; of one that is none they say why."""

import os
import subprocess

import pytest

from mailhost import BUILD
from recorded_site import EX_USAGE, RecordedSite, day

FORMS = ('a date is YYYY-MM-DD, "YYYY-MM-DD HH:MM", today, yesterday, tomorrow, now, '
         "7d (seven days ago) or +7d (in seven days)")


@pytest.mark.parametrize("command", ["announce", "check-config", "explain", "offenders", "forecast",
                                     "status", "user", "exempt", "notify", "import"])
@pytest.mark.parametrize("date, why", [
    ("soon", FORMS),
    ("always", FORMS),
    ("7", FORMS),
    ("7y", FORMS),
    ("7days", FORMS),
    ("+", FORMS),
    ("+-7d", FORMS),
    ("40000d", FORMS),
    ("99999999999999999999d", FORMS),
    ("", FORMS),
    ("2026-02-29", "there is no such day"),
    ("2026-03-01 24:00", "the time must be from 00:00 to 23:59"),
    ("2026-03-29 02:30", "this time does not exist: daylight saving skips it"),
])
def test_what_is_wrong_with_a_date(tmp_path, command, date, why):
    config = tmp_path / "portcullis.conf"
    config.write_text('rule encryption { observe = "always" }\n')
    result = subprocess.run(
        [BUILD / "portcullis", "-c", config, command, "--at", date],
        env=os.environ | {"TZ": "Europe/Berlin"},
        capture_output=True,
        text=True,
    )
    assert result.returncode == 64
    assert result.stderr.startswith(f"portcullis {command}: --at: {why}\n"), result.stderr


@pytest.fixture
def site(tmp_path):
    site = RecordedSite(tmp_path, f"""
        rule encryption {{ observe = "{day(-200)}" notify = "{day(3)}" enforce = "{day(30)}" }}
    """)
    for user, days_ago in [("now", 0.01), ("days", 6), ("week", 10), ("month", 29)]:
        site.record(f"{user}@example.org", "encryption=observe", days_ago=days_ago)
    site.take()
    return site


def users(site, since):
    return {row["user"].partition("@")[0] for row in site.ask("offenders", "--since", since)}


def test_since_looks_back(site):
    assert users(site, "7d") == {"now", "days"}
    assert users(site, "2w") == {"now", "days", "week"}
    assert users(site, "168h") == {"now", "days"}
    assert users(site, day(-7)) == {"now", "days"}
    assert users(site, "yesterday") == {"now"}
    assert users(site, "now") == set()
    assert users(site, "yesterday") == users(site, day(-1))


def test_since_the_begin_of_time_is_since_ever(site):
    """Which is the number 0 in UTC."""
    site.record("ever@example.org", "encryption=observe", days_ago=60)
    site.take()
    utc = {"environment": {"TZ": "UTC"}}
    for since in ("1970-01-01", "1969-12-31", "2000-01-01"):
        assert site.ask("forecast", "--since", since, **utc)["active_users"] == 5
        assert "ever@example.org\n" in site.must(
            "exempt", "--current-offenders", "encryption", "--until", "+30d", "--dry-run",
            "--since", since, **utc)  # fmt: skip
        assert len(site.ask("offenders", "--since", since, **utc)) == 5


@pytest.mark.parametrize("command", [
    ["offenders"],
    ["forecast", "--fail-above", "0"],
    ["exempt", "--current-offenders", "encryption", "--until", "+30d"],
])
@pytest.mark.parametrize("since", ["tomorrow", "+7d", "+1h", day(1), f"{day(9)} 12:00"])
def test_since_a_time_to_come_is_no_all_clear(site, command, since):
    result = site.run(*command, "--since", since)
    assert result.returncode == EX_USAGE
    assert result.stdout == ""
    assert result.stderr.splitlines()[0] == (
        f"portcullis {command[0]}: --since: that is still to come; 7d, without a plus sign, is "
        "seven days ago")
    assert site.exemptions.read_text() == ""


def test_at_looks_ahead_with_a_plus_sign(site):
    def phase(at):
        return site.ask("check-config", "--at", at)["rules"][0]["phase"]

    assert phase("now") == phase("today") == phase("7d") == "observe"
    assert phase("+2w") == "notify"
    assert phase("+31d") == "enforce"
    assert phase("365d") == "off"


def test_exempt_until_is_ahead(site):
    site.must("exempt", "now", "encryption", "--from", "today", "--until", "+30d")
    [row] = site.ask("exempt", "--list")
    assert (row["from"], row["until"]) == (day(), day(30))
    site.must("exempt", "days", "encryption", "--until", "tomorrow")
    assert f"{day(1)}\n" in site.exemptions.read_text()
    site.must("exempt", "week", "encryption", "--until", "+1w")
    assert f"{day(7)}\n" in site.exemptions.read_text()


@pytest.mark.parametrize("option", ["--until", "--from"])
@pytest.mark.parametrize("date, why", [
    # Whoever types it means ahead.
    ("30d", "that is so long ago; with a plus sign in front, it is ahead"),
    ("soon", "a day is YYYY-MM-DD, today, tomorrow, or +7d (in seven days)"),
    ("now", "a day is YYYY-MM-DD, today, tomorrow, or +7d (in seven days)"),
    ("2026-02-29", "there is no such day"),
])
def test_a_day_that_is_none(site, option, date, why):
    result = site.run("exempt", "now", "encryption", "--until", day(1), option, date)
    assert result.returncode == EX_USAGE
    assert result.stderr.startswith(f"portcullis exempt: {option}: {why}\n"), result.stderr
    assert site.exemptions.read_text() == ""


@pytest.mark.parametrize("command", ["offenders", "forecast", "exempt", "status", "notify"])
def test_the_help_says_the_forms(site, command):
    text = " ".join(site.must(command, "--help").split())
    assert "7d is seven days ago, +7d in seven days" in text
    assert "seven days ago" not in site.must("notices", "--help")
