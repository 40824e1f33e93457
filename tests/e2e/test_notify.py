"""portcullis notify: who is told what and when, by the journal of a site, with a
sendmail that keeps what it gets."""

import contextlib
import json
import os
import pty
import random
import re
import signal
import sqlite3
import subprocess
import time

from datetime import datetime, timedelta
from email import message_from_bytes
from email.headerregistry import Address
from email.policy import default

import pytest

import mmdb
import service_account

from mailhost import BUILD
from notices import TEXTS, Mail, words
from processes import wait_until
from recorded_site import (
    DAY,
    EX_CONFIG,
    EX_NOINPUT,
    EX_USAGE,
    RecordedSite,
    day,
    fits_a_terminal,
    json_date,
)

EX_NOUSER, EX_UNAVAILABLE, EX_TEMPFAIL = 67, 69, 75

RULES = """
rule encryption {
    observe = "%s" notify = "%s" enforce = "%s"
    brownouts = { "%s 10:00 +4h" }
}
rule mechanism { observe = "%s" }
""" % (day(-60), day(-30), day(30), day(10), day(-60))  # fmt: skip

NOTICES = """
notices {
    from = "Mail team <mail@example.org>"
    languages = { "en" }
    texts = "%s"
    transport = "sendmail:%s"
    max-per-hour = 0
    %s
}
"""

# Each call writes one file: its arguments, an empty line, and the mail. It is
# renamed when it is complete, as a mail system answers when it has the whole.
SENDMAIL = """#!/bin/sh
test ! -e {directory}/broken || {{ echo "no, thanks" >&2; exit $(cat {directory}/broken); }}
file={directory}/out/$$.$(date +%s%N)
{{ echo "$@"; echo; cat; }} >$file.part && mv $file.part $file.mail
"""


class Site(RecordedSite):
    def __init__(self, directory, notices="", rules=RULES):
        self.out = directory / "out"
        self.out.mkdir()
        self.sendmail = directory / "sendmail"
        self.sendmail.write_text(SENDMAIL.format(directory=directory))
        self.sendmail.chmod(0o755)
        super().__init__(directory, rules)
        self.set(notices, rules)

    def set(self, notices="", rules=RULES):
        self.write_rules(rules + NOTICES % (TEXTS, self.sendmail, notices))

    def take_at(self, days):
        """An import on another day: one of today would not believe its records."""
        self.must("import", "--quiet", "--at", day(days))

    def command(self, *words):
        return [BUILD / "portcullis", "-c", self.config, *words]

    def notify(self, at, *arguments, status=0):
        """Runs it on a day ("2024-06-01 08:00", or so many days from today)."""
        at = day(at) if isinstance(at, int) else at
        send = [] if "--to" in arguments else ["--send"]
        done = self.run("notify", "--at", at, *send, *arguments)
        assert done.returncode == status, done
        return done

    def raw_mails(self):
        """What sendmail got, as (arguments, mail); the mails are gone then."""
        found = []
        for path in sorted(self.out.glob("*.mail"), key=lambda path: path.stat().st_mtime_ns):
            arguments, mail = path.read_bytes().split(b"\n\n", 1)
            found.append((arguments.decode(), mail))
            path.unlink()
        return found

    def mails(self):
        """{recipient: Mail}, without the operator's summaries."""
        found = {}
        for arguments, raw in self.raw_mails():
            start, recipient = arguments.split(" -- ")
            assert start == "-i -f mail@example.org"
            if recipient == "mail@example.org":
                continue
            assert recipient not in found, "two mails in one run"
            found[recipient] = Mail(raw)
        return found

    def told(self, at, *arguments):
        """{user: subject} of what a run sends."""
        self.notify(at, *arguments)
        return {user: str(mail["Subject"]) for user, mail in self.mails().items()}


@pytest.fixture
def site(tmp_path):
    return Site(tmp_path)


# The subject of a first notice.
FIRST = re.compile("Mail access without encryption: switch-off on .*$")


def test_a_timetable(site):
    """As it goes on for one who changes nothing, one who does, and one who is let off."""
    for user in ("alice", "bob", "carol"):
        site.record(f"{user}@example.org", "encryption")
    site.fine("dave@example.org")
    site.exemptions.write_text(f"carol@example.org encryption {day(200)}\n")
    site.take()
    told = site.told(1)
    assert set(told) == {"alice@example.org", "bob@example.org"}
    assert all(FIRST.match(subject) for subject in told.values())
    assert site.told(1) == {}
    assert site.told(2) == {}
    # Bob's Thunderbird has its new settings; alice's was not seen again.
    site.fine("bob@example.org", days_ago=-2)
    site.take_at(3)
    # It is announced three days before 10 o'clock of the day.
    assert site.told(7) == {}
    [(user, subject)] = site.told(8).items()
    assert user == "alice@example.org" and subject.startswith("Trial switch-off on ")
    for at in (9, 11, 20, 21):
        assert site.told(at) == {}
    # Seven days and one day are left when the last calls have gone out.
    [(user, subject)] = site.told(f"{day(22)} 19:00").items()
    assert user == "alice@example.org" and subject.startswith("Switched off from ")
    assert site.told(24) == {}
    assert list(site.told(f"{day(28)} 19:00")) == ["alice@example.org"]
    for at in (29, 30, 60):
        assert site.told(at) == {}
    # After the date, with the right password, and refused.
    site.record("alice@example.org", "encryption=enforce", days_ago=-61)
    site.record("carol@example.org", "encryption=enforce", days_ago=-61, verified=False)
    site.take_at(62)
    [(user, subject)] = site.told(62).items()
    assert user == "alice@example.org"
    assert re.match(r"Refused on .*: Mail access without encryption$", subject)
    assert site.told(90) == {}
    # Carol's exemption ends on day 200.
    [(user, mail)] = (site.notify(194), site.mails())[1].items()
    assert user == "carol@example.org"
    assert mail["Subject"].startswith("Your exemption ends on ")
    assert "your exemption for the mailbox carol@example.org ends on" in words(mail.plain)


def with_date(enforce):
    return f"""
rule encryption {{ observe = "{day(-60)}" notify = "{day(-30)}" enforce = "{day(enforce)}" }}
"""


def test_a_date_that_moves(site):
    """Whoever was told the old date hears of the new one before it, later or earlier."""
    site.set(rules=with_date(30))
    site.record("alice@example.org", "encryption")
    site.take()
    assert list(site.told(22)) == ["alice@example.org"]
    site.record("bob@example.org", "encryption", days_ago=-22.9)
    site.take_at(23)
    # On the day of the last calls; bob, who was told nothing, hears the new date only.
    site.set(rules=with_date(60))
    told = site.told(23)
    assert told.pop("alice@example.org").startswith("New date ")
    [(user, subject)] = told.items()
    assert user == "bob@example.org" and FIRST.match(subject)
    for at in (24, 28, 29, 30):
        assert site.told(at) == {}
    # Earlier again.
    site.set(rules=with_date(50))
    told = site.told(36)
    assert set(told) == {"alice@example.org", "bob@example.org"}
    assert all(subject.startswith("New date ") for subject in told.values())
    # And off altogether.
    site.set(rules=with_date(50).replace(f'enforce = "{day(50)}"', ""))
    told = (site.notify(37), site.mails())[1]
    assert set(told) == {"alice@example.org", "bob@example.org"}
    for mail in told.values():
        assert mail["Subject"].startswith("No longer on ")
        assert "there is no new date yet" in words(mail.plain)
    assert site.told(49) == {}
    reasons = [notice["reason"] for notice in site.ask("notices", "--user", "alice")]
    assert reasons == ["last-call", "moved", "moved", "moved"]


def test_a_date_that_moves_with_its_phase(site):
    """Also when the rule is only observed again, until the new phase begins."""
    site.set(rules=with_date(30))
    site.record("alice@example.org", "encryption")
    site.take()
    assert list(site.told(1)) == ["alice@example.org"]
    site.set(rules=with_date(120).replace(day(-30), day(90)))
    assert [days for days in range(2, 40) if site.told(days)] == [15]
    [_, moved] = site.ask("notices", "--user", "alice")
    assert moved["reason"] == "moved"


def test_an_earlier_date(site):
    """Also for a device that rests when it is set."""
    site.set(rules=with_date(200))
    for days in (22, 12, 2):
        site.record("alice@example.org", "encryption", days_ago=days)
    site.take()
    assert list(site.told(1)) == ["alice@example.org"]
    assert site.told(100) == {}
    site.set(rules=with_date(130))
    [subject] = site.told(101).values()
    assert subject.startswith("New date ")


def test_one_of_two_devices_has_changed(site):
    """The next mail says which, and tells of the other only."""
    outlook = {"client_id": "name=Outlook version=16.0"}
    site.record("alice@example.org", "encryption", days_ago=1)
    site.record("alice@example.org", "encryption", days_ago=3, **outlook)
    site.record("alice@example.org", "encryption", **outlook)
    site.take()
    site.notify(1)
    text = words(site.mails()["alice@example.org"].plain)
    assert "Outlook 16.0: reading mail" in text and "Thunderbird 115.3: reading" in text
    assert "almost daily since" in text and "Already right" not in text
    site.fine("alice@example.org", days_ago=-2, client_id="name=Thunderbird version=128.0")
    site.record("alice@example.org", "encryption", days_ago=-7, **outlook)
    site.take_at(8)
    site.notify(8)
    text = words(site.mails()["alice@example.org"].plain)
    assert "Outlook 16.0: reading mail" in text and "Thunderbird 128.0: reading" not in text
    assert "Already right: Thunderbird 128.0. Thank you!" in text


def test_what_is_recorded(site):
    site.record("alice@example.org", "encryption")
    site.take()
    assert site.ask("notices") == []
    moment = time.time() // 60 * 60 + 7200
    then = time.strftime("%Y-%m-%d %H:%M", time.localtime(moment))
    site.notify(then)
    [mail] = site.mails().values()
    [notice] = site.ask("notices")
    assert notice.pop("time").startswith(time.strftime("%Y-%m-%dT%H:%M", time.gmtime(moment)))
    assert f'<{notice.pop("message_id")}>' == mail["Message-ID"]
    assert notice == {
        "user": "alice@example.org", "recipient": "alice@example.org", "reason": "first",
        "rules": ["encryption"], "state": "handed-over", "attempts": 1, "error": "",
    }  # fmt: skip
    assert site.ask("notices", "--user", "alice") == site.ask("notices")
    assert site.ask("notices", "--user", "bob") == []
    # The other questions know of it.
    forecast = site.ask("forecast")
    assert (forecast["told"], forecast["told_changed"]) == (1, 0)
    [told] = site.ask("user", "alice")["notices"]
    assert told["reason"] == "first" and told["state"] == "handed-over"
    table = site.show("notices")
    fits_a_terminal(table)
    assert then in table and "handed-over" in table
    # A person who is forgotten was told nothing.
    site.must("forget", "alice@example.org")
    assert site.ask("notices") == []


def test_good_news(site):
    site.set("confirm-fixed = true")
    site.record("alice@example.org", "encryption")
    site.take()
    assert len(site.told(1)) == 1
    site.fine("alice@example.org", days_ago=-1.5)
    site.take_at(3)
    assert site.told(5) == {"alice@example.org": "Done: Mail access without encryption"}
    assert site.told(6) == {}
    assert [notice["reason"] for notice in site.ask("notices")] == ["first", "fixed"]


def test_a_version_of_tls_that_is_too_old(site):
    """Nothing but the rule that was recorded says so."""
    rules = f"""rule encryption {{ minimum = "TLSv1.2" notify = "{day(-30)}"
                                  enforce = "{day(30)}" }}"""
    site.set(rules=rules)
    submission = {"service": "submission", "port": 587, "tls": "starttls", "source": "postfix"}
    site.record("alice@example.org", "encryption", **submission)
    site.record("bob@example.org", **submission)
    site.take()
    forecast = site.ask("forecast")
    assert (forecast["fine"], forecast["locked_out"]) == (1, 1)
    assert not site.ask("user", "alice")["programs"][0]["fine"]
    site.notify(1)
    [mail] = site.mails().values()
    assert mail["To"] == "alice@example.org"
    assert "Encryption older than TLSv1.2 stops working" in words(mail.plain)


def test_last_call_before_an_exemption_ends(site):
    """Also for who was last seen so long ago that the address is erased."""
    rules = f"""rule encryption {{ observe = "{day(-60)}" enforce = "{day(-10)}"
                                   except-networks = {{ "campus" }} }}"""
    site.set('last-calls = { "14d" }', rules)
    site.exemptions.write_text(f"alice@example.org encryption {day(6)}\n")
    site.record("alice@example.org", days_ago=20)
    site.record("campus@example.org", client="192.0.2.7", country="", days_ago=20)
    site.fine("today@example.org")
    site.take()
    assert site.ask("user", "alice")["programs"][0]["last_client"] == ""
    assert [(row["user"], row["reason"]) for row in site.ask("notify", "--dry-run")] == [
        ("alice@example.org", "last-call")
    ]


def test_an_exemption_from_one_of_two_rules(site):
    """The end of the exemption is not said of the rule that ends before it."""
    rules = "".join(
        f"""rule {title} {{ observe = "{day(-60)}" notify = "{day(-30)}" enforce = "{day(end)}" }}
        """
        for title, end in (("encryption", 10), ("mechanism", 24)))  # fmt: skip
    site.set(rules=rules)
    site.exemptions.write_text(f"alice@example.org encryption {day(30)}\n")
    site.record("alice@example.org", "encryption", "mechanism", mechanism="CRAM-MD5", days_ago=1)
    site.take()
    told = {days: subject for days in range(30) for subject in site.told(days).values()}
    assert "exemption" not in told[16] and "normal password" in told[16]
    assert [days for days in told if "exemption" in told[days]] == [29]
    assert told[29].startswith("Your exemption ends ") and "encryption" in told[29]


def test_an_exemption_for_a_country_ends(site):
    """Who is abroad hears of it two weeks before, and is not refused without a word."""
    rules = f"""rule country {{ allow = {{ "DE" }}
                                observe = "{day(-60)}" notify = "{day(-30)}"
                                enforce = "{day(2)}" }}"""
    site.set(rules=rules)
    site.exemptions.write_text(f"bob@example.org country=US {day(40)}\n")
    abroad = {"client": mmdb.CLIENTS["US"][0], "country": "US"}
    site.fine("bob@example.org", days_ago=-9.5, **abroad)
    site.take_at(10)
    said = site.must("user", "bob", "--at", day(10))
    assert "\nlet off" in said, said
    assert f"let off in US until {day(40)}" in said, said
    [program] = site.ask("user", "bob", "--at", day(10))["programs"]
    assert [rule["exempt_until"] for rule in program["rules"]] == [day(40)]
    for days in (1, 2, 3, 10, 25):
        assert not site.told(days), days
    assert f'With --at "{day(26)}"' in site.must("notify", "--dry-run", "--at", day(10))
    site.notify(26)
    [mail] = site.mails().values()
    assert "Your exemption ends" in mail["Subject"]
    assert [days for days in range(27, 42) if site.told(days)] == [33, 39]


def test_forged_attempts_tell_nobody(site):
    """Ten thousand attempts with other people's names and wrong passwords."""
    event = site.record("nobody@example.org", "encryption", verified=False)
    line = (site.journal / "dovecot.jsonl").read_text().splitlines()[0]
    with open(site.journal / "dovecot.jsonl", "a") as file:
        for number in range(10000):
            file.write(line.replace("nobody@", f"user{number % 2500}@") + "\n")
    assert event
    # Among them some whose own programs are fine.
    for number in range(50):
        site.fine(f"user{number}@example.org")
    site.take()
    for at in (1, 8, 16, 23, 29, 31, 60):
        done = site.notify(at)
        assert done.stdout.startswith("Told                                      0\n")
    assert site.raw_mails() == []
    assert site.ask("notices") == []
    assert site.ask("notify", "--dry-run", "--at", day(1)) == []


def test_dry_run_preview_and_to(site):
    site.record("alice@example.org", "encryption")
    site.record("bob@example.org", "encryption")
    site.fine("carol@example.org")
    site.take()
    at = ("--at", day(1))
    assert site.ask("notify", "--dry-run", *at) == [
        {"user": f"{user}@example.org", "recipient": f"{user}@example.org", "reason": "first",
         "rules": ["encryption"], "enforce": json_date(day(30)), "left_out": None}
        for user in ("alice", "bob")
    ]  # fmt: skip
    table = site.show("notify", "--dry-run", *at)
    fits_a_terminal(table)
    assert table.count("first") == 2 and table.endswith("\nWould be told: 2.\n")
    mail = Mail(site.must("notify", "--preview", "alice", "--raw", *at, text=False))
    assert mail["To"] == "alice@example.org" and "Thunderbird" in mail.plain
    # What a person reads of it, by default.
    head, text = site.must("notify", "--preview", "alice", *at).split("\n\n", 1)
    assert head == f"To: alice@example.org\nSubject: {mail['Subject']}"
    assert text == mail.plain
    assert site.run("notify", "--preview", "carol", *at).returncode == 1
    # Nothing of that was sent or recorded; nor does the operator's own look count.
    assert site.raw_mails() == []
    site.notify(1, "--to", "postmaster@example.org", "--all")
    sent = site.raw_mails()
    assert len(sent) == 3  # and the summary
    assert all(arguments.endswith(" postmaster@example.org") for arguments, _ in sent)
    assert site.ask("notices") == []
    assert len(site.told(1)) == 2
    # Told already: the preview says so, and what it would be.
    again = site.run("notify", "--preview", "alice", *at)
    assert "nothing is due" in again.stderr and "Reminder" in again.stdout


def silence(site, *arguments):
    """What is said for nothing, without what the table says."""
    text = site.must("notify", "--dry-run", *arguments)
    first, *lines = text.splitlines()
    assert first == "Nobody is told anything now."
    return lines


def test_why_nobody_is_told(site):
    rules = f"""
rule encryption {{ observe = "{day(-60)}" notify = "{day(9)} 15:00" enforce = "{day(40)}" }}
rule mechanism  {{ observe = "{day(-60)}" }}
rule pop3 {{ kind = "protocol" services = {{ "pop3" }} notify = "{day(3)}" }}
"""
    site.set(rules=rules)
    site.fine("carol@example.org")
    site.take()
    nobody = ["Nobody was seen breaking a rule, with the right password."]
    assert silence(site) == nobody
    assert site.must("notify", "--dry-run", "--json") == "[]\n"
    site.record("alice@example.org", "encryption=observe")
    site.record("bob@example.org", "encryption=observe", "mechanism=observe",
                mechanism="CRAM-MD5")  # fmt: skip
    site.take()
    assert silence(site) == [
        "encryption: users who were seen breaking it: 2; it is observed only.",
        "mechanism: users who were seen breaking it: 1; it is observed only.",
        f'With --at "{day(9)} 15:00" there is something.',
    ]
    # It is true, and nothing is due before.
    assert len(site.ask("notify", "--dry-run", "--at", f"{day(9)} 15:00")) == 2
    assert silence(site, "--at", f"{day(9)} 14:59")[-1].startswith("With")
    done = site.run("notify", "--preview", "alice")
    assert done.returncode == 1 and done.stdout == ""
    assert done.stderr.splitlines() == [
        "portcullis notify: there is nothing to tell this user",
        "encryption: users who were seen breaking it: 1; it is observed only.",
        f'With --at "{day(9)} 15:00" there is something.',
    ]
    for user in ("carol", "nobody"):
        done = site.run("notify", "--preview", user)
        assert done.returncode == 1
        assert done.stderr.splitlines()[1:] == [
            "Not once was this user seen breaking a rule, with the right password."
        ]
    # All are told; then the last call is next, and the day of it is enough.
    assert len(site.told(f"{day(9)} 15:00")) == 2
    assert silence(site, "--at", f"{day(9)} 16:00") == [
        "encryption: users who were seen breaking it: 2; they were told, have changed it, or are"
        " let off.",
        "mechanism: users who were seen breaking it: 1; it is observed only.",
        f'With --at "{day(32)}" there is something.',
    ]
    site.set(rules=f'rule encryption {{ observe = "{day(-60)}" }}')
    assert silence(site)[-1] == "None of the dates to come changes that."


def test_a_rule_without_a_notify_phase(site):
    """Tells nobody but who is refused; nor does --dry-run say that anybody was told."""
    site.set(rules=f"""rule encryption {{ observe = "{day(-60)}" enforce = "{day(5)}" }}""")
    site.record("alice@example.org", "encryption=observe", days_ago=1)
    site.take()
    assert [site.told(days) for days in (1, 3, 4, 5, 7)] == [{}] * 5
    assert silence(site, "--at", day(7))[0] == (
        "encryption: users who were seen breaking it: 1; it has no notify phase, so only who is"
        " refused is told.")  # fmt: skip
    site.record("alice@example.org", "encryption=enforce", days_ago=-7.5)
    site.take_at(8)
    [subject] = site.told(8).values()
    assert subject.startswith("Refused on ")


def test_let_off_a_rule_without_a_date(site):
    """Nothing is said before there is one."""
    site.set(rules=f"""rule encryption {{ observe = "{day(-60)}" notify = "{day(-30)}" }}""")
    site.exemptions.write_text(f"alice@example.org encryption {day(99)}\n")
    site.record("alice@example.org", "encryption")
    site.take()
    assert site.told(1) == {}
    site.set(rules=with_date(120))
    assert list(site.told(2)) == ["alice@example.org"]


def announced(site, *arguments):
    """The --at with which there would be something; None: there is none."""
    last = silence(site, *arguments)[-1]
    if last == "None of the dates to come changes that.":
        return None
    return re.fullmatch('With --at "(.+)" there is something\\.', last).group(1)


def minute_before(at):
    """Or of a day alone: before its quiet hours end."""
    moment = datetime.fromisoformat(at if " " in at else f"{at} 08:00")
    return (moment - timedelta(minutes=1)).strftime("%Y-%m-%d %H:%M")


KINDS = ("encryption", "implicit-tls", "mechanism")


def staggered_rules():
    """Six rules, from observe to enforce, with two brown-outs each; and one that nobody
    breaks, with many."""
    text = ""
    for number in range(6):
        start = 4 + 9 * number
        text += f"""
rule rule-{number} {{ kind = "{KINDS[number % 3]}"
    observe = "{day(-60)}" notify = "{day(start)} 07:10" enforce = "{day(start + 40)} 11:11"
    brownouts = {{ "{day(start + 6)} 10:00 +4h", "{day(start + 16)} 10:00 +4h" }} }}
"""
    brownouts = ", ".join(f'"{day(2 * number + 3)} 10:00 +1h"' for number in range(50))
    return text + f"""
rule pop3 {{ kind = "protocol" services = {{ "pop3" }} notify = "{day(2)}"
    brownouts = {{ {brownouts} }} enforce = "{day(150)}" }}
"""


def test_when_somebody_is_told(site):
    """Through a whole timetable: what is announced is true, and nothing comes before it."""
    site.set(rules=staggered_rules())
    rules = {f"rule-{number}": "observe" for number in range(6)}
    site.record("alice@example.org", mechanism="CRAM-MD5", rules=rules)
    site.take()
    at, reasons = day(1), []
    while (at := announced(site, "--at", at)) is not None:
        assert "Nobody" in site.must("notify", "--dry-run", "--at", minute_before(at))
        [due] = site.ask("notify", "--dry-run", "--at", at)
        reasons.append(due["reason"])
        assert len(site.told(at)) == 1
        if " " not in at:
            at += " 08:00"
    # What is told of one rule, or of one date, may be told with another's; and after so many
    # mails there are few last calls.
    assert reasons == ["first", *["brown-out"] * 12]


def test_when_somebody_is_told_who_is_let_off(site):
    """Dozens of dates that are nothing to the only one who breaks the rules."""
    site.set(rules=staggered_rules())
    rules = {f"rule-{number}": "observe" for number in range(6)}
    site.record("alice@example.org", mechanism="CRAM-MD5", rules=rules)
    site.exemptions.write_text(
        f"alice@example.org {','.join(rules)} {day(299)}\n"
        f"alice@example.org rule-2 {day(300)}..{day(349)}\n"
    )
    site.take()
    # The day of an exemption is its last one, and two weeks before are promised.
    assert announced(site) == day(285)
    [due] = site.ask("notify", "--dry-run", "--at", day(285))
    assert due["reason"] == "first" and due["enforce"] == json_date(day(300))
    site.set("last-calls = {}", rules=staggered_rules())
    assert announced(site) == day(285)
    # When it has ended, she was told nothing yet.
    [due] = site.ask("notify", "--dry-run", "--at", day(350))
    assert due["reason"] == "first"


def test_when_somebody_is_told_again(site):
    """A reminder, for which a minute is not fine enough."""
    site.record("alice@example.org", "encryption")
    site.record("bob@example.org", "encryption")
    site.take()
    site.set('remind-every = "36h" last-calls = {}', rules=f"""
rule encryption {{ notify = "{day(-1)}" enforce = "{day(60)}" }}""")
    assert len(site.told(f"{day(1)} 09:30")) == 2
    assert announced(site, "--at", f"{day(1)} 09:31") is None
    site.record("bob@example.org", "encryption", days_ago=-2)
    site.take_at(2)
    at = announced(site, "--at", f"{day(2)} 12:00")
    assert at in (f"{day(2)} 21:30", f"{day(2)} 21:31")
    [due] = site.ask("notify", "--dry-run", "--at", at)
    assert due["user"] == "bob@example.org" and due["reason"] == "reminder"


def test_good_news_is_told_when(site):
    site.set("confirm-fixed = true last-calls = {}")
    site.record("alice@example.org", "encryption")
    site.take()
    assert len(site.told(1)) == 1
    site.fine("alice@example.org", days_ago=-1.5)
    site.take_at(2)
    at = announced(site, "--at", day(2))
    assert [due["reason"] for due in site.ask("notify", "--dry-run", "--at", at)] == ["fixed"]


def test_when_nobody_looked(site):
    """What a country's exemptions hold is known of one time only: there is an end to
    looking, and it is told."""
    ends = [day(3 * number + 1) for number in range(30)]
    site.exemptions.write_text("".join(f"alice@example.org abroad=JP {end}\n" for end in ends))
    site.set(rules=f"""
rule abroad {{ kind = "country" services = {{ "imap" }} allow = {{ "DE" }}
    notify = "{day(-9)}" enforce = "{day(-1)}" }}""")
    site.fine("alice@example.org", country="JP", client=mmdb.CLIENTS["JP"][0], rules={})
    site.take()
    last = silence(site)[-1]
    assert last == f'Until "{day(44)}" nothing changes that; what comes later was not looked at.'
    site.exemptions.write_text("".join(f"alice@example.org abroad=JP {end}\n" for end in ends[:9]))
    assert announced(site) == day(11)


def test_samples(site):
    """--to sends one for each reason, of the many that there are."""
    for number in range(20):
        site.record(f"user{number}@example.org", "encryption")
    site.record("süß@example.org", "encryption")
    site.take()
    site.told(1)
    for number in range(20, 40):
        site.record(f"user{number}@example.org", "encryption", days_ago=-1.5)
    site.must("import", "--quiet", "--at", day(2))
    # Those who were told get a reminder when they come again; nobody else does.
    for number in range(5):
        site.record(f"user{number}@example.org", "encryption", days_ago=-18)
    site.must("import", "--quiet", "--at", day(19))
    before = site.ask("notices")
    done = site.notify(19, "--to", "postmaster@example.org")
    subjects = sorted(str(email_subject(raw)) for _, raw in site.raw_mails())
    assert len(subjects) == 3 and subjects[1].startswith("Portcullis: 2 told")
    assert FIRST.match(subjects[0])
    assert subjects[2].startswith("Reminder")
    assert re.search("Like one of these, and not sent +23\n", done.stdout), done.stdout
    assert "Left for the next run" not in done.stdout
    done = site.notify(19, "--to", "postmaster@example.org", "--all")
    assert len(site.raw_mails()) == 26
    assert site.ask("notices") == before


def email_subject(raw):
    return message_from_bytes(raw, policy=default)["Subject"]


def test_another_day_is_for_looking(site):
    """A false last call would be no help, and silence the true one."""
    site.record("alice@example.org", "encryption")
    site.take()
    for at in (day(29), f"{day(29)} 12:00", day(-1)):
        done = site.run("notify", "--at", at)
        assert done.returncode == EX_USAGE and "--send" in done.stderr.splitlines()[0]
    assert site.raw_mails() == [] and site.ask("notices") == []
    # Today is what it is.
    site.must("notify", "--at", f"{day()} 12:00", "--quiet")
    assert list(site.mails()) == ["alice@example.org"]
    # Who means it sends; what was told then is not known before it.
    assert list(site.told(29)) == ["alice@example.org"]
    assert site.told(5) == {}
    [subject] = site.told(23).values()
    assert subject.startswith("Switched off from ")


def test_notices_of_the_future_do_not_silence(site):
    site.record("alice@example.org", "encryption")
    site.take()
    assert list(site.told(20)) == ["alice@example.org"]
    [due] = site.ask("notify", "--dry-run", "--at", day(1))
    assert due["reason"] == "first"
    assert site.ask("forecast")["told"] == 0
    assert list(site.told(1)) == ["alice@example.org"]
    assert site.ask("forecast")["told"] == 1
    assert site.told(2) == {}
    # A clock that was an hour or a day ahead is no reason to write twice.
    site.record("bob@example.org", "encryption")
    site.take()
    assert list(site.told(f"{day(3)} 08:00")) == ["bob@example.org"]
    assert site.told(f"{day(2)} 09:00") == {}


def test_strangers_addresses(site):
    """Whoever logs in with a stranger's domain, which Dovecot may not look at, lets
    nobody write to the stranger."""
    site.record("alice@example.org", "encryption")
    site.record("mallory@victim.example", "encryption")
    site.record("süß@example.org", "encryption")
    site.record("anonymous", "encryption", mechanism="ANONYMOUS")
    site.take()
    at = ("--at", day(1))
    due = {row["user"]: (row["recipient"], row["left_out"])
           for row in site.ask("notify", "--dry-run", *at)}  # fmt: skip
    assert due == {
        "alice@example.org": ("alice@example.org", None),
        "mallory@victim.example": (None, "other domain"),
        "süß@example.org": (None, "no address"),
    }
    table = site.must("notify", "--dry-run", *at)
    fits_a_terminal(table)
    assert table.endswith("\nWould be told: 1. Without an address: 1. "
                          "In no domain that is written to: 1.\n")  # fmt: skip
    preview = site.run("notify", "--preview", "mallory@victim.example", *at)
    assert preview.returncode == EX_NOUSER and preview.stdout == ""
    assert "in none of the domains" in preview.stderr
    assert status_of_notices(site) == (
        True, "offenders in no domain that is written to: 1, whose last mail failed: 0")
    # Not even as a sample.
    done = site.notify(1, "--to", "postmaster@example.org", "--all")
    assert len(site.raw_mails()) == 2 and "victim" not in done.stdout.split("Not told:")[0]
    done = site.notify(1)
    assert list(site.mails()) == ["alice@example.org"]
    assert re.search("In no domain that is written to +1\n", done.stdout), done.stdout
    assert "mallory@victim.example: this user is in none of the domains" in done.stdout
    # The operator's own words, each in its way.
    for words_of_his in (
        'domains = { "example.org", "victim.example" }',
        'domains = "any"',
        f'domains = "file:{site.directory}/domains"',
        f'address-map = "file:{site.directory}/map"',
    ):
        (site.directory / "domains").write_text("example.org\nvictim.example OK\n")
        (site.directory / "map").write_text("mallory@victim.example m@private.example\n")
        site.set(words_of_his)
        rows = site.ask("notify", "--dry-run", *at)
        assert [row["left_out"] for row in rows] == [None, "no address"], words_of_his
    # A command is not asked about strangers.
    echo = site.directory / "echo"
    echo.write_text("#!/bin/sh\nexec sed -u ''\n")
    echo.chmod(0o755)
    site.set(f'address-map = "command:{echo}"')
    assert site.ask("notify", "--dry-run", *at)[0]["left_out"] == "other domain"


def status_of_notices(site):
    [finding] = [finding for finding in json.loads(site.run("status", "--json").stdout)["health"]
                 if finding["check"] == "notices"]  # fmt: skip
    return finding["healthy"], finding["text"]


def test_domains_must_be_known(site):
    site.record("alice@example.org", "encryption")
    site.take()
    text = site.config.read_text().replace('default-domain   = "example.org"', "")
    site.config.write_text(text)
    for arguments in (["notify"], ["notify", "--dry-run"]):
        done = site.run(*arguments)
        assert done.returncode == EX_CONFIG and done.stdout == ""
        [line] = [n for n, line in enumerate(text.splitlines(), 1) if line == "notices {"]
        assert done.stderr.startswith(f"{site.config}:{line}: notices need to know whose")
    done = site.run("check-config")
    assert done.returncode == 1 and "notices need to know whose" in done.stderr
    healthy, said = status_of_notices(site)
    assert not healthy and "check-config" in said
    site.config.write_text(text.replace("notices {", 'notices { domains = { "example.org" }'))
    assert site.run("check-config").stderr == ""
    assert len(site.ask("notify", "--dry-run", "--at", day(1))) == 1
    site.config.write_text(text.replace("notices {", 'notices { domains = "file:/missing"'))
    done = site.run("notify", "--dry-run")
    assert done.returncode == EX_CONFIG
    assert done.stderr == "/missing: No such file or directory\n"


def test_an_address_map_that_does_not_answer(site):
    """What a trial says is what the run will do."""
    site.record("alice@example.org", "encryption")
    site.take()
    site.set(f'address-map = "command:{site.directory}/missing"')
    at = ("--at", day(1))
    for arguments in (["--send"], ["--dry-run"], ["--dry-run", "--json"], ["--preview", "alice"]):
        done = site.run("notify", *at, *arguments)
        assert done.returncode == EX_UNAVAILABLE
        assert "the address-map command could not be started" in done.stderr
    assert site.raw_mails() == [] and site.ask("notices") == []
    # One that answers, but has no address for her.
    command = site.directory / "missing"
    command.write_text("#!/bin/sh\nwhile read user; do echo; done\n")
    command.chmod(0o755)
    assert site.ask("notify", "--dry-run", *at)[0]["recipient"] is None
    assert site.run("notify", *at, "--preview", "alice").returncode == EX_NOUSER


def test_the_same_people_everywhere(site):
    """forecast, status and the summary count those who will come again. One is repaired, one is
    over, one rests by its own rhythm, one is used."""
    for user, first, last, every in (("repaired", 40, 3, 1), ("over", 60, 25, 1),
                                     ("rests", 70, 10, 15), ("used", 40, 1, 2)):  # fmt: skip
        for days_ago in range(first, last - 1, -every):
            site.record(f"{user}@example.org", "encryption", days_ago=days_ago)
    site.record("repaired@example.org", days_ago=2, port=993, tls="implicit")
    site.take()
    done = site.notify(0)
    rule = site.ask("forecast", "--rule", "encryption")
    assert rule["affected"] == rule["rules"]["encryption"]["users"] == 2
    status = json.loads(site.run("status", "--json").stdout)["rules"]
    assert [found["offenders"] for found in status if found["rule"] == "encryption"] == [2]
    assert (
        "Expected to come again and break a rule, as of the beginning of the run: 2 people, "
        "of whom 0 had been told before."
    ) in done.stdout
    assert re.search("encryption +2", done.stdout)
    # Who was never told is told, though: see there.
    assert {notice["user"] for notice in site.ask("notices")} >= {
        "rests@example.org", "used@example.org"}  # fmt: skip


def test_summary_for_the_operator(site):
    site.set('reply-to = "helpdesk@example.org" address-map = "file:%s/map"' % site.directory)
    (site.directory / "map").write_text("bob@example.org robert@example.org\n")
    for user in ("alice@example.org", "bob@example.org", "süß@example.org"):
        site.record(user, "encryption")
    site.take()
    done = site.notify(1)
    sent = dict(site.raw_mails())
    assert set(sent) == {
        f"-i -f mail@example.org -- {address}@example.org"
        for address in ("alice", "robert", "helpdesk")
    }
    summary = sent["-i -f mail@example.org -- helpdesk@example.org"].decode()
    assert "Subject: Portcullis: 2 told, 3 expected again" in summary
    assert "Auto-Submitted: auto-generated" in summary
    for line in ("for the first time +2", "Without an address +1", "encryption +3"):
        assert re.search(line, done.stdout), done.stdout
    assert "süß@example.org: there is no address" in done.stdout
    # A run that does nothing sends nothing.
    site.notify(1)
    assert site.raw_mails() == []


def test_limits(site):
    for number in range(10):
        site.record(f"user{number}@example.org", "encryption")
    site.take()
    site.set("max-per-run = 3")
    assert len(site.told(1)) == 3
    site.set("max-per-run = 0")
    site.write_rules(RULES + NOTICES.replace("max-per-hour = 0", "max-per-hour = 5")
                     % (TEXTS, site.sendmail, ""))  # fmt: skip
    # Three of this hour are gone.
    first = site.notify("%s 07:10" % day(1))
    assert "max-per-hour is reached" in first.stdout
    assert len(site.mails()) == 2
    assert site.told("%s 07:20" % day(1)) == {}
    assert len(site.told("%s 08:30" % day(1))) == 5
    assert site.told("%s 09:40" % day(1)) == {}


def test_quiet_hours(site):
    site.record("alice@example.org", "encryption")
    site.take()
    for moment in ("00:00", "06:59", "20:00", "23:30"):
        done = site.notify(f"{day(1)} {moment}")
        assert "the quiet hours have begun" in done.stdout
        assert site.raw_mails() == []
    assert len(site.told(f"{day(1)} 19:59")) == 1


def test_hand_over_that_fails(site):
    broken = site.directory / "broken"
    for user in ("alice", "bob"):
        site.record(f"{user}@example.org", "encryption")
    site.take()
    # The way is broken: one is tried, and all remain.
    broken.write_text("78")
    done = site.notify(1, status=EX_UNAVAILABLE)
    assert "no, thanks" in done.stderr and "mail cannot be sent" in done.stdout
    [first] = site.ask("notices")
    assert first["state"] == "intended" and first["attempts"] == 1
    # Not now: with the same Message-ID again.
    broken.write_text("75")
    site.notify(1, status=1)
    assert {notice["state"] for notice in site.ask("notices")} == {"intended"}
    intended = {notice["user"]: notice["message_id"] for notice in site.ask("notices")}
    assert intended[first["user"]] == first["message_id"]
    broken.unlink()
    site.notify(1)
    sent = {user: str(mail["Message-ID"]) for user, mail in site.mails().items()}
    assert sent == {user: f"<{message_id}>" for user, message_id in intended.items()}
    # For good: not again and again, and the operator knows.
    site.record("eve@example.org", "encryption")
    site.take()
    broken.write_text("67")
    done = site.notify(2, status=1)
    assert re.search("Refused for good +1\n", done.stdout)
    assert "eve@example.org: sendmail ended with 67: no, thanks" in done.stdout
    broken.unlink()
    assert site.told(3) == {}
    # What was intended and is fixed meanwhile is not sent any more.
    site.record("frank@example.org", "encryption")
    site.take()
    broken.write_text("75")
    site.notify(3, status=1)
    broken.unlink()
    site.fine("frank@example.org", days_ago=-4)
    site.take_at(5)
    assert site.told(5) == {}
    [frank] = site.ask("notices", "--user", "frank")
    assert frank["state"] == "noted"


def test_one_run_at_a_time(site):
    site.sendmail.write_text(f"#!/bin/sh\ntouch {site.directory}/begun; sleep 60\n")
    site.record("alice@example.org", "encryption")
    site.take()
    command = site.command("notify", "--at", day(1), "--send")
    first = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                             start_new_session=True)  # fmt: skip
    try:
        wait_until((site.directory / "begun").exists, "mail in hand")
        second = site.run("notify", "--at", day(1), "--send")
        assert second.returncode == EX_TEMPFAIL and "another run" in second.stderr
        # Questions, and imports, go on.
        assert [notice["state"] for notice in site.ask("notices")] == ["intended"]
        site.fine("bob@example.org")
        site.take()
    finally:
        os.killpg(first.pid, signal.SIGKILL)
        first.communicate()


def test_what_root_tries_does_not_stop_the_service(site):
    """Whatever the umask: the lock belongs to whoever sends from then on."""
    site.take()
    service_account.give(site.directory)
    subprocess.run(site.command("notify", "--at", day(1), "--send"), umask=0o077, check=True)
    lock = (site.directory / "notify.lock").stat()
    assert (lock.st_uid, lock.st_gid) == (65534, 65533)


def test_ended_in_an_orderly_way(site):
    """SIGTERM lets it finish the mail in hand; nothing is repeated then."""
    # With the fifth mail in hand, it waits to be told to go on.
    site.sendmail.write_text(
        site.sendmail.read_text()
        + f"test $(ls {site.out} | wc -l) -ne 5 ||"
        + f" until test -e {site.directory}/go; do sleep 0.01; done\n"
    )
    for number in range(50):
        site.record(f"user{number}@example.org", "encryption")
    site.take()
    process = subprocess.Popen(site.command("notify", "--at", day(1), "--send"), stdout=subprocess.PIPE)
    wait_until(lambda: len(list(site.out.glob("*.mail"))) == 5, "fifth mail in hand")
    process.terminate()
    (site.directory / "go").touch()
    said = process.communicate()[0].decode()
    assert process.returncode == EX_TEMPFAIL and "the run was interrupted" in said
    first = site.mails()
    assert len(first) == 5
    assert {notice["state"] for notice in site.ask("notices")} == {"handed-over"}
    site.notify(1)
    rest = site.mails()
    assert len(first) + len(rest) == 50 and not set(first) & set(rest)


def test_progress_on_a_terminal(site):
    site.sendmail.write_text(site.sendmail.read_text() + "sleep 0.02\n")
    for number in range(30):
        site.record(f"user{number}@example.org", "encryption")
    site.take()
    terminal, other_side = pty.openpty()
    done = subprocess.run(site.command("notify", "--at", day(1), "--send", "--quiet"), stderr=other_side)
    os.close(other_side)
    assert done.returncode == 0
    shown = os.read(terminal, 65536).decode()
    os.close(terminal)
    assert re.search(r"\r\[#+ +\] +\d+ %", shown) and shown.endswith("\r\x1b[K")


def mail_address(text):
    """Read by Python, as it would be in a header."""
    return Address(addr_spec=text).addr_spec


def test_hostile_names(site):
    """Nothing that a stranger chose can add a header, a recipient or an option."""
    users = [
        "evil\r\nBcc: victim@example.net@example.org",
        "evil\nX-Evil: yes\n\nbody@example.org",
        "-odq@example.org",
        "-f root@example.org",
        "a@example.org,victim@example.net",
        "<victim@example.net>@example.org",
        '"; DROP TABLE notices; --@example.org',
        "x" * 900 + "@example.org",
        "\u202egro.elpmaxe@example.org",
    ]
    for user in users:
        site.record(user, "encryption", client_id="name=A\r\nBcc:victim@example.net\x1b[2J")
    site.take()
    done = site.run("notify", "--at", day(1), "--send")
    assert done.returncode == 0
    sent = site.raw_mails()
    assert sent
    for arguments, raw in sent:
        start, recipient = arguments.split(" -- ", 1)
        assert start == "-i -f mail@example.org"
        assert mail_address(recipient) != "victim@example.net"
        head = raw.split(b"\n\n")[0]
        names = [line.split(b":")[0] for line in head.split(b"\n") if line[:1] not in b" \t"]
        assert len(names) == len(set(names))
        assert not {b"Bcc", b"X-Evil", b"Cc"} & set(names)
        if b"multipart/alternative" in head:
            mail = Mail(raw)
            [address] = mail["To"].addresses
            assert mail_address(recipient) == address.addr_spec
            assert "\x1b" not in mail.plain and "victim" not in mail["Subject"]
    for text in (done.stdout, site.must("notices")):
        assert "\x1b" not in text and "\u202e" not in text


@pytest.mark.sqlite
def test_mistakes(site):
    for arguments in (
        ["--to", "nobody"], ["--at", "soon"], ["--json"], ["extra"], ["--dry-run", "--to", "a@b.c"],
        ["--dry-run", "--send"], ["--all"], ["--raw"], ["--raw", "--dry-run"],
    ):  # fmt: skip
        assert site.run("notify", *arguments).returncode == EX_USAGE
    assert site.run("notify").returncode == EX_NOINPUT  # nothing is imported
    site.take()
    site.write_rules(RULES)
    done = site.run("notify")
    assert done.returncode == EX_CONFIG and "from" in done.stderr


# ---- killed at any point ----

PEOPLE = 1000
KILLS = 100


def test_killed_a_hundred_times(site):
    """Nobody is left out; at most the one in flight comes twice, with the same
    Message-ID."""
    log = site.directory / "log"
    # One line for each mail that was taken, appended at once; and no machine is so
    # fast that all are taken before the hundredth kill.
    site.sendmail.write_text(
        "#!/bin/sh\n"
        "message=$(sed -n 's/^Message-I[dD]: //p;/^$/q'; cat >/dev/null)\n"
        "sleep 0.006\n"
        f'echo "$5 $message" >>{log}\n'
    )
    for number in range(PEOPLE):
        site.record(f"user{number}@example.org", "encryption")
    site.take()
    log.touch()
    chance = random.Random(20240920)
    kills = 0
    while kills < KILLS:
        process = subprocess.Popen(site.command("notify", "--at", day(1), "--send", "--quiet"),
                                   stderr=subprocess.PIPE)  # fmt: skip
        # Before it has done anything; or when it has handed over some mails more,
        # and got so far with the next.
        if chance.random() < 0.75:
            wanted = log.stat().st_size + chance.randrange(200)
            wait_until(
                lambda: log.stat().st_size >= wanted or process.poll() is not None, "more mails"
            )
        time.sleep(chance.uniform(0, 0.02))
        if process.poll() is None:
            process.kill()
            kills += 1
        assert process.communicate()[1] == b""
        assert process.returncode in (0, -signal.SIGKILL)
        if process.returncode == 0:
            break
    assert kills == KILLS
    assert 0 < len(log.read_text().splitlines()) < PEOPLE
    site.notify(1, "--quiet")
    taken = [line.split() for line in log.read_text().splitlines()]
    taken = [(user, message_id) for user, message_id in taken if user != "mail@example.org"]
    assert {user for user, _ in taken} == {f"user{number}@example.org" for number in range(PEOPLE)}
    # As many pairs as people: each always has the same Message-ID.
    assert len(set(taken)) == PEOPLE
    assert len({message_id for _, message_id in taken}) == PEOPLE
    assert len(taken) <= PEOPLE + KILLS
    notices = site.ask("notices")
    assert len(notices) == PEOPLE
    assert {notice["state"] for notice in notices} == {"handed-over"}
    assert {(n["recipient"], f'<{n["message_id"]}>') for n in notices} == set(taken)


# ---- what comes back ----

BOUNCE = """\
From MAILER-DAEMON  Sun Nov 29 08:00:00 2026
From: MAILER-DAEMON@mx1.example.org
Subject: Undelivered Mail Returned to Sender
To: mail@example.org
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b/mx1"

--b/mx1

I'm sorry.

--b/mx1
Content-Type: message/delivery-status

Reporting-MTA: dns; mx1.example.org

Final-Recipient: rfc822; alice@example.org
Action: {action}
Status: 5.1.1
Diagnostic-Code: smtp; 550 User unknown

--b/mx1
Content-Type: text/rfc822-headers

Message-ID: <{message_id}>

--b/mx1--
"""


def bounce(site, message_id, action="failed"):
    """Hands a report over as a mail system does; returns what its log would have."""
    mail = BOUNCE.format(message_id=message_id, action=action)
    return site.must("notices", "--bounce", input=mail).removeprefix("portcullis notices: ")


@pytest.mark.sqlite
def test_a_notice_that_comes_back(site):
    for user in ("alice", "bob"):
        site.record(f"{user}@example.org", "encryption")
    site.take()
    site.notify(1)
    ids = {name: str(mail["Message-ID"])[1:-1] for name, mail in site.mails().items()}
    alice = ids["alice@example.org"]
    assert site.ask("notices", "--failed") == []
    # Neither what is not final, nor what is about another mail, nor some other mail.
    before = site.ask("notices")
    assert "nothing has failed" in bounce(site, alice, "delayed")
    assert "no notice that is known" in bounce(site, "x" + alice)
    assert "no notice that is known" in bounce(site, "' OR 1=1 --@example.org")
    for mail in ("", "Subject: I am on holiday\nIn-Reply-To: <%s>\n\nBye\n" % alice,
                 "x" * 3_000_000):  # fmt: skip
        assert "no report about a mail" in site.must("notices", "--bounce", input=mail)
    assert site.ask("notices") == before

    said = bounce(site, alice)
    assert said == "alice@example.org was not told: it came back: 5.1.1 smtp; 550 User unknown\n"
    assert "is settled" in bounce(site, alice)
    [failed] = site.ask("notices", "--failed")
    assert failed["user"] == "alice@example.org" and failed["state"] == "failed"
    assert failed["time"] == before[0]["time"]
    assert site.ask("notices", "--failed", "--user", "bob") == []
    assert status_of_notices(site)[1].endswith("whose last mail failed: 1")
    table = site.must("notices", "--failed")
    assert "550 User unknown" in table and "bob" not in table
    # Not at once again; and she was not told.
    assert site.ask("forecast")["told"] == 1
    assert site.told(2) == {}
    site.record("carol@example.org", "encryption")
    site.take()
    done = site.notify(3)
    failed = 'The last mail to 1 who break a rule failed: see "portcullis notices --failed".'
    assert failed in done.stdout
    site.mails()
    [again] = site.told(16)
    assert again == "alice@example.org"
    # What a day to come has brought is not known yet.
    [failed] = site.ask("notices", "--failed")
    assert failed["user"] == "alice@example.org"
    with contextlib.closing(sqlite3.connect(site.store)) as store, store:
        store.execute("UPDATE notices SET intended = intended - ?1, settled = settled - ?1",
                      (16 * DAY * 1000,))  # fmt: skip
    assert site.ask("notices", "--failed") == []


def test_an_address_that_never_works(site):
    """It is tried three times, and then only when a day has come."""
    site.record("alice@example.org", "encryption")
    site.take()
    days = []
    site.set('remind-every = "12h"')
    for at in range(1, 31):
        site.notify(at)
        for mail in site.mails().values():
            days.append(at)
            bounce(site, str(mail["Message-ID"])[1:-1])
    assert days == [1, 2, 3, 8, 22, 28]


@pytest.mark.sqlite
def test_a_bounce_waits_for_the_store(site):
    """The mail system comes again when something is wrong here, and not with the mail."""
    site.record("alice@example.org", "encryption")
    site.take()
    mail = BOUNCE.format(message_id="1@example.org", action="failed")
    hidden = site.directory / "hidden"
    for path in (site.store, site.config):
        content = path.read_bytes()
        path.rename(hidden)
        path.write_text("nonsense, so far")
        done = site.run("notices", "--bounce", input=mail)
        assert done.returncode == EX_TEMPFAIL and done.stdout == "" and done.stderr
        hidden.rename(path)
        assert path.read_bytes() == content
    for arguments in (["--json"], ["--failed"], ["--user", "alice"]):
        assert site.run("notices", "--bounce", *arguments, input="").returncode == EX_USAGE
    assert "no notice that is known" in site.must("notices", "--bounce", input=mail)


@pytest.mark.sqlite
def test_a_bounce_that_is_faster(site):
    """Handed over and back before it is known that it was handed over."""
    site.sendmail.write_text(
        "#!/bin/sh\n"
        f"sed 's/^Message-I[dD]: /Message-ID: /' >{site.directory}/mail\n"
        f"id=$(sed -n 's/^Message-ID: <\\(.*\\)>/\\1/p;/^$/q' {site.directory}/mail)\n"
        f"sed \"s/MESSAGE_ID/$id/\" {site.directory}/bounce |"
        f" {BUILD}/portcullis -c {site.config} notices --bounce >>{site.directory}/said\n"
    )
    (site.directory / "bounce").write_text(
        BOUNCE.format(message_id="MESSAGE_ID", action="failed")
    )
    site.record("alice@example.org", "encryption")
    site.take()
    site.notify(1)
    said = (site.directory / "said").read_text()
    assert said.startswith("portcullis notices: alice@example.org was not told: "), said
    [failed] = site.ask("notices", "--failed")
    assert failed["state"] == "failed" and "550" in failed["error"]


def test_nobody_is_told_without_the_exemptions(site):
    """Whether the file is gone, or may not be read: the servers let everybody in then, and
    whom they would let off nobody knows."""
    site.record("alice@example.org", "encryption")
    site.take()
    site.exemptions.unlink()
    complaint = "portcullis notify: without the exemptions, the wrong people would be told\n"
    for leads_nowhere in (False, True):
        if leads_nowhere:
            site.exemptions.symlink_to(site.directory / "store.db" / "exemptions")
        for how in ([], ["--dry-run"], ["--preview", "alice@example.org"]):
            result = site.run("notify", *how)
            assert result.returncode == EX_CONFIG, result
            assert result.stderr.endswith(complaint), result
    assert site.mails() == {}
