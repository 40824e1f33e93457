"""portcullis notify: the lists for the operator and the help desk, and the limits that are
to carry all who must be told."""

import csv
import io
import json
import re

from datetime import datetime, timedelta

import pytest

from recorded_site import day, fits_a_terminal, json_date
from test_notify import NOTICES, RULES, TEXTS, Site, bounce, mail_address  # noqa: F401

ENCRYPTION = """
rule encryption { observe = "%s" notify = "%s" enforce = "%s" }
"""


@pytest.fixture
def site(tmp_path):
    return Site(tmp_path)


def untold(site, at):
    return {entry["user"]: entry["why"]
            for entry in site.ask("notify", "--untold", "--at", day(at))}  # fmt: skip


def test_who_cannot_be_told(site):
    """Without an address, with one that nothing arrives at, and seen too late."""
    site.set('address-map = "file:%s/map"' % site.directory)
    (site.directory / "map").write_text(
        "".join(f"{user}@example.org {user}@example.org\n" for user in ("alice", "bob", "carol"))
    )
    for user in ("alice", "bob", "süß"):
        site.record(f"{user}@example.org", "encryption")
    site.record("dave@example.com", "encryption")
    site.fine("erin@example.org")
    site.take()
    # Those who can be told are not yet, and stand on no list.
    nobody = {"süß@example.org": "no address", "dave@example.com": "other domain"}
    assert untold(site, 1) == nobody
    done = site.notify(1)
    assert "2 cannot be told, or not in time" in done.stdout
    bounce(site, str(site.mails()["bob@example.org"]["Message-ID"])[1:-1])
    assert untold(site, 2) == {**nobody, "bob@example.org": "mail failed"}
    site.record("carol@example.org", "encryption", days_ago=-25)
    site.take_at(26)
    late = {**nobody, "bob@example.org": "mail failed", "carol@example.org": "seen too late"}
    assert untold(site, 26) == late
    # She is told, and stands there all the same until the date: it was late.
    site.notify(26)
    told = site.mails()
    assert set(told) == {"alice@example.org", "bob@example.org", "carol@example.org"}
    bounce(site, str(told["bob@example.org"]["Message-ID"])[1:-1])
    assert untold(site, 26) == late
    assert "carol@example.org" not in untold(site, 31)


def test_a_row_of_the_list_in_each_form(site):
    site.record("carol@example.org", "encryption", days_ago=-25)
    site.take_at(26)
    site.notify(26)
    assert list(site.mails()) == ["carol@example.org"]
    at = ("--at", day(26))
    [carol] = site.ask("notify", "--untold", *at)
    assert carol.pop("first_seen").startswith(day(25)[:7])
    assert carol == {
        "user": "carol@example.org", "address": "carol@example.org", "why": "seen too late",
        "mails": 1, "rules": ["encryption"], "devices": ["Thunderbird imap:143"],
        "enforce": json_date(day(30)),
    }  # fmt: skip
    rows = csv.DictReader(io.StringIO(site.must("notify", "--untold", "--csv", *at)))
    assert {row["user"]: row["why"] for row in rows} == {"carol@example.org": "seen too late"}
    table = site.show("notify", "--untold", *at)
    fits_a_terminal(table)
    assert "seen too late" in table and "Thunderbird imap:143" in table
    # Nothing of that was sent.
    assert site.raw_mails() == []


def test_status_says_how_many(site):
    site.record("alice@example.org", "encryption", days_ago=1)
    site.record("dave@example.com", "encryption", days_ago=1)
    site.take()
    checks = {check["check"]: check for check in site.ask("status")["health"]}
    assert checks["untold"]["text"].startswith("1 cannot be told, or not in time: ")
    assert checks["untold"]["healthy"]


def call_list(site, at):
    return site.ask("notify", "--call-list", "--at", day(at))


def test_who_changes_nothing(site):
    """Four mails, and then the help desk."""
    site.set(rules=ENCRYPTION % (day(-60), day(-30), day(150)))
    mails = []
    for at in range(1, 120):
        site.record("alice@example.org", "encryption", days_ago=-(at - 0.2))
        site.take_at(at)
        # A mail leaves a little after its run began, and is that much younger.
        if site.told(f"{day(at)} {8 + at // 60:02}:{at % 60:02}"):
            mails.append(at)
        if at < 99:
            assert call_list(site, at) == []
    # 14, 28 and 56 days after the one before.
    assert mails == [1, 15, 43, 99]
    [alice] = call_list(site, 119)
    assert alice.pop("first_seen")
    assert alice == {
        "user": "alice@example.org", "address": "alice@example.org", "mails": 4,
        "rules": ["encryption"], "devices": ["Thunderbird imap:143"],
        "enforce": json_date(day(150)),
    }  # fmt: skip
    fits_a_terminal(site.show("notify", "--call-list", "--at", day(119)))
    # The last call, and that is all.
    site.record("alice@example.org", "encryption", days_ago=-140.5)
    site.take_at(141)
    assert site.told(141) == {} and site.told(142) == {}
    site.record("alice@example.org", "encryption", days_ago=-142.5)
    site.take_at(143)
    assert site.told(143) == {}
    site.record("alice@example.org", "encryption", days_ago=-147.5)
    site.take_at(148)
    assert len(site.told(148)) == 1
    assert site.told(149) == {}
    # Who changes it goes off the list.
    site.fine("alice@example.org", days_ago=-149)
    site.take_at(150)
    assert call_list(site, 150) == []


def test_who_was_never_told_goes_first(site):
    """Then by date, where there is a limit."""
    rules = (
        ENCRYPTION % (day(-60), day(-30), day(24))
        + ENCRYPTION.replace("encryption", "mechanism") % (day(-60), day(-30), day(60))
        + ENCRYPTION.replace("encryption", "implicit-tls") % (day(-60), day(-30), day(40))
    )
    site.set(rules=rules)
    site.record("told@example.org", "encryption", port=993, tls="none")
    site.take()
    assert len(site.told(1)) == 1
    site.record("late@example.org", "mechanism", port=993, tls="implicit",
                mechanism="CRAM-MD5", days_ago=-1)  # fmt: skip
    site.record("soon@example.org", "implicit-tls", tls="starttls", days_ago=-1)
    site.take_at(2)
    # It is the day of the last call before the date of who was told.
    due = [entry["user"] for entry in site.ask("notify", "--dry-run", "--at", day(16))]
    assert due == ["soon@example.org", "late@example.org", "told@example.org"]
    site.set("max-per-run = 1", rules)
    assert list(site.told(16)) == ["soon@example.org"]
    assert list(site.told(16)) == ["late@example.org"]
    assert list(site.told(16)) == ["told@example.org"]


def test_out_of_reach_when_a_rule_begins(site):
    """Whoever no mail came to three times is not tried again; somebody has to know."""
    mechanism = ENCRYPTION.replace("encryption", "mechanism") % (day(-60), day(60), day(150))
    site.set(rules=ENCRYPTION % (day(-60), day(-30), day(150)) + mechanism)
    site.record("alice@example.org", "encryption")
    site.take()
    (site.directory / "broken").write_text("67")
    # Each a little later in the day than a run that begins as soon as the time is over: the
    # mail before was refused some time after its run had begun.
    for at, hour in ((1, "08:00"), (15, "08:30"), (43, "09:00")):
        site.record("alice@example.org", "encryption", days_ago=-(at - 0.2))
        site.take_at(at)
        site.notify(f"{day(at)} {hour}", status=1)
    assert [notice["state"] for notice in site.ask("notices")] == ["failed"] * 3
    site.fine("alice@example.org", days_ago=-44)
    site.record("alice@example.org", "mechanism", port=993, tls="implicit",
                mechanism="CRAM-MD5", days_ago=-59.5)  # fmt: skip
    site.take_at(60)
    site.notify(60)
    [alice] = site.ask("notify", "--untold", "--at", day(61))
    assert alice["why"] == "mail failed" and alice["rules"] == ["mechanism"]
    dry = site.run("notify", "--dry-run", "--at", day(61)).stdout
    assert "cannot be told: see \"portcullis notify --untold\"" in dry


def test_full_mailboxes_take_nobodys_place(site):
    """They come behind who was not tried, wait longer and longer, and stand on the list."""
    site.set("max-per-run = 2", rules=ENCRYPTION % (day(-60), day(-30), day(60)))
    fine = site.sendmail.read_text()
    site.sendmail.write_text(
        fine.replace(
            "#!/bin/sh\n",
            '#!/bin/sh\ncase "$*" in *-full@*) echo over quota; exit 75;; esac\n',
            1,
        )
    )
    for user in ("a-full", "b-full", "y", "z"):
        site.record(f"{user}@example.org", "encryption", days_ago=1)
    site.take()
    site.notify(1, status=1)
    assert site.mails() == {} and untold(site, 1) == {}
    site.notify(2)
    assert set(site.mails()) == {"y@example.org", "z@example.org"}
    for at in range(3, 10):
        site.notify(at, status=1)
    full = {"a-full@example.org": "mail failed", "b-full@example.org": "mail failed"}
    assert untold(site, 9) == full
    # Both were tried eight times, and are not for 32 hours.
    waiting = site.notify(10)
    assert re.search(r"Waiting for their mailboxes +2\n", waiting.stdout)
    tried = min(datetime.fromisoformat(notice["time"].replace("Z", "+00:00"))
                for notice in site.ask("notices") if notice["user"] in full)  # fmt: skip
    dry = site.run("notify", "--dry-run", "--at", day(10)).stdout
    [room] = re.findall(r'With --at "(.*)" there is something\.', dry)
    waited = datetime.fromisoformat(room).astimezone() - tried
    assert timedelta(hours=32) <= waited <= timedelta(hours=32, minutes=1)
    # At last there is room.
    site.sendmail.write_text(fine)
    site.notify(15)
    assert {"a-full@example.org", "b-full@example.org"} <= set(site.mails())
    assert untold(site, 15) == {}


def limits(site):
    health = json.loads(site.run("status", "--json").stdout)["health"]
    return {check["check"]: check for check in health}["mail limits"]


@pytest.mark.sqlite
def test_limits_that_do_not_carry_all(site):
    rules = ENCRYPTION % (day(-60), day(-30), day(2))
    site.set("quiet-hours = never", rules=rules)
    for number in range(60):
        site.record(f"user{number}@example.org", "encryption", days_ago=0.1)
    site.take()
    assert limits(site)["text"] == "there are none"
    checked = site.run("check-config")
    assert "Mails:" not in checked.stdout and checked.stderr == ""
    # One an hour, for at most 48 hours.
    site.write_rules(
        rules + NOTICES.replace("max-per-hour = 0", "max-per-hour = 1")
        % (TEXTS, site.sendmail, "quiet-hours = never")
    )  # fmt: skip
    checked = site.run("check-config")
    assert checked.returncode == 0
    assert re.search(
        r":\d+: notices: 60 people are to be told before %s, and \d\d mails may leave until then, "
        r"1 an hour; [2-3] would do \(warning\)\n$" % day(2), checked.stderr,
    ), checked.stderr  # fmt: skip
    assert "Mails: at most 1 an hour, 24 a day, and" in checked.stdout
    assert not limits(site)["healthy"]
    assert limits(site)["text"].startswith(f"60 people are to be told before {day(2)}, ")
    # A run an hour is taken for granted; and without a store only the limits can be told.
    site.set("max-per-run = 50", rules=rules)
    assert site.run("check-config").stderr == ""
    assert limits(site)["healthy"]
    site.store.rename(site.store.with_suffix(".elsewhere"))
    site.set("max-per-run = 1", rules=rules)
    checked = site.run("check-config")
    assert checked.stderr == "" and "encryption is enforced on" in checked.stdout


def test_dates_far_ahead(site):
    """They neither take time nor make numbers that nobody can use."""
    site.write_rules(
        ENCRYPTION % (day(-60), day(-30), "9999-12-31")
        + NOTICES.replace("max-per-hour = 0", "max-per-hour = 10") % (TEXTS, site.sendmail, "")
    )
    site.record("alice@example.org", "encryption", days_ago=0.1)
    site.take()
    checked = site.run("check-config")
    assert "Mails: at most 10 an hour, 130 a day\n" in checked.stdout and checked.stderr == ""
    assert limits(site) == {
        "check": "mail limits", "healthy": True, "text": "at most 10 an hour, 130 a day",
    }  # fmt: skip
