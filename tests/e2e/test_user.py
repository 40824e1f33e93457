"""portcullis user: one person on one screen, for the help desk."""

import datetime
import time

import pytest

import mmdb

from recorded_site import EX_USAGE, RecordedSite, day, fits_a_terminal, json_date
from test_offenders import HOSTILE_NAMES

RULES = f"""
rule encryption {{ observe = "{day(-90)}" enforce = "{day(-1)}" }}
rule mechanism  {{ notify = "{day(-30)}" enforce = "{day(30)}" }}
rule abroad     {{ kind = "country" allow = {{ "DE" }} observe = "{day(-90)}" }}
rule pop3       {{ kind = "protocol" services = {{ "pop3" }} notify = "always" }}
"""


@pytest.fixture
def site(tmp_path):
    return RecordedSite(tmp_path, RULES)


def programs(answer):
    return [(program["client_id"], program["fine"], [rule["rule"] for rule in program["rules"]])
            for program in answer["programs"]]


def populate(site):
    site.record("alice@example.org", "encryption=observe", days_ago=5, count=2)
    site.record("alice@example.org", "encryption=enforce", days_ago=3)
    site.fine("alice@example.org", client_id="name=K-9 Mail version=6.8", days_ago=1)
    site.fine("alice@example.org", client_id="script", mechanism="CRAM-MD5", days_ago=2,
              rules={"mechanism": "notify"})
    site.record("alice@example.org", verified=False, client="18.9.22.69", country="US",
                client_id="", days_ago=4)
    site.record("bob@example.org", "encryption=enforce")
    site.take()


def test_programs(site):
    populate(site)
    answer = site.ask("user", "Alice")
    assert answer["user"] == "alice@example.org"
    # The latest first, and what is not known to be theirs at the end.
    assert programs(answer) == [
        ("name=K-9 Mail version=6.8", True, []),
        ("script", False, ["mechanism"]),
        ("name=Thunderbird version=115.3", False, ["encryption"]),
        ("", False, ["encryption", "abroad"]),
    ]
    thunderbird = answer["programs"][2]
    assert thunderbird["count"] == 3
    assert thunderbird["last_client"] == mmdb.CLIENTS["DE"][0]
    assert [program["verified"] for program in answer["programs"]] == [True] * 3 + [False]
    assert thunderbird["rules"] == [{"rule": "encryption", "phase": "enforce",
                                     "enforce": json_date(day(-1)), "exempt_until": None,
                                     "grace_until": None, "brownouts": []}]
    assert answer["programs"][1]["rules"] == [{"rule": "mechanism", "phase": "notify",
                                               "enforce": json_date(day(30)),
                                               "exempt_until": None, "grace_until": None,
                                               "brownouts": []}]
    assert answer["programs"][3]["rules"][1]["enforce"] is None


def test_devices(site):
    """Whatever their versions and countries; each judged by its own logins only."""
    for days_ago in (9, 8, 7):
        site.record("alice@example.org", "encryption=observe", days_ago=days_ago)
        site.record("alice@example.org", "encryption=observe", days_ago=days_ago, client_id="",
                    service="pop3", port=110)
    site.fine("alice@example.org", client_id="name=Thunderbird version=128.0", days_ago=6)
    site.fine("alice@example.org", client_id="name=Thunderbird version=115.10", days_ago=1)
    site.record("alice@example.org", "encryption=observe", days_ago=2,
                client_id="name=iPhone Mail version=16G77")
    site.fine("alice@example.org", days_ago=3, client_id="name=iPhone Mail version=21F79")
    site.fine("alice@example.org", days_ago=4, client_id="DESKTOP-33C70B8", source="postfix",
              service="submission", port=465)
    site.take()
    answer = site.ask("user", "alice")
    assert [(one["state"], one["purpose"], one["client_id"], one["port"], one["rules"])
            for one in answer["devices"]] == [
        ("repaired", "read", "name=Thunderbird version=128.0", 993, []),
        ("open", "read", "name=iPhone Mail version=21F79", 143, ["encryption"]),
        ("fine", "send", "DESKTOP-33C70B8", 465, []),
        ("rests", "read", "", 110, ["encryption", "pop3"]),
    ]
    assert [one["rhythm"] for one in answer["devices"]] == [1, None, None, 1]
    ways = {(way["client_id"], way["port"]): way["device"] for way in answer["programs"]}
    assert len({device for (program, _), device in ways.items() if "Thunderbird" in program}) == 1
    assert len(set(ways.values())) == 4
    rows = site.show("user", "alice").splitlines()[3:7]
    assert [row.split()[:2] for row in rows] == [
        ["repaired", "Thunderbird"], ["REFUSED", "iPhone"], ["fine", "DESKTOP-33C70B8"],
        ["rests", "?"]]


def test_one_screen(site):
    populate(site)
    text = site.show("user", "alice")
    fits_a_terminal(text)
    lines = text.splitlines()
    assert len(lines) <= 24
    assert lines[0] == "alice@example.org"
    rows = {line.split()[0]: line for line in lines[3:6]}
    assert rows["fine"].split()[1:3] == ["K-9", "Mail"]
    assert rows["REFUSED"].split()[1] == "Thunderbird"
    assert rows["ends"].split()[1] == day(30)
    # As it was, and as it will be.
    assert "REFUSED" not in site.must("user", "alice", "--at", day(-2)).split("With a wrong")[0]
    assert site.must("user", "alice", "--at", day(31)).count("REFUSED") == 3


def test_many_programs_still_fit(site):
    for number in range(30):
        site.record("alice@example.org", "encryption", client_id=f"name=Program{number}")
    site.take()
    text = site.must("user", "alice")
    assert len(text.splitlines()) <= 24
    assert "and 22 more" in text
    assert len(site.ask("user", "alice")["programs"]) == 30


def test_long_addresses_and_mechanisms_fit(site):
    site.record("alice@example.org", "encryption", service="submission", port=50587,
                tls="starttls", client="2a01:4f8:1111:2222:3333:4444:5555:6666",
                mechanism="SCRAM-SHA-256-PLUS", client_id="name=" + "A program " * 4)
    site.record("alice@example.org", "encryption", mechanism="A" * 200)
    site.take()
    text = site.show("user", "alice")
    fits_a_terminal(text)
    rows = text.splitlines()[3:5]
    assert all(row.split()[-1][:6] in ("mechan", "encryp") for row in rows)
    assert len([row for row in rows if "2a01:4f8:" in row]) == 1


def test_exemptions(site):
    populate(site)
    site.exemptions.write_text(
        f"alice encryption {day(5)}\n"
        f"alice abroad=US,CA {day(-9)}..{day(-5)}\n"
        f"bob encryption {day(9)}\n")
    answer = site.ask("user", "alice")
    assert answer["exemptions"] == [
        {"rule": "encryption", "countries": [], "from": None, "until": day(5), "line": 1},
        {"rule": "abroad", "countries": ["US", "CA"], "from": day(-9), "until": day(-5),
         "line": 2},
    ]
    thunderbird = answer["programs"][2]
    assert thunderbird["fine"]
    assert thunderbird["rules"][0]["exempt_until"] == day(5)
    text = site.must("user", "alice")
    assert f"encryption until {day(5)}\n" in text
    assert f"abroad=US,CA from {day(-9)} until {day(-5)}, which is over\n" in text
    assert "let off" in text
    # After it, the rule holds.
    assert "REFUSED" in site.must("user", "alice", "--at", day(6))


def test_many_exemptions_still_fit(site):
    """The legs of a journey; those that are over are the least of interest."""
    populate(site)
    site.exemptions.write_text("".join(
        f"alice abroad=US {day(leg)}..{day(leg)}\n" for leg in range(-20, 10)))
    text = site.must("user", "alice")
    assert text.count("abroad=US") == 4 and "which is over" not in text
    assert "  and 26 more; --json tells all\n" in text
    assert len(site.ask("user", "alice")["exemptions"]) == 30


def test_only_what_an_exemption_is_needed_for_is_let_off(site):
    populate(site)
    site.exemptions.write_text(f"alice encryption {day(5)}\n")
    # K-9 Mail has always used TLS.
    assert programs(site.ask("user", "alice"))[0] == ("name=K-9 Mail version=6.8", True, [])
    lines = site.must("user", "alice").splitlines()
    assert [line.split()[0] for line in lines[3:6]] == ["fine", "ends", "let"]


@pytest.mark.parametrize("exemptions, state, until", [
    # Over before the rule's date.
    ([f"alice mechanism {day(20)}"], f"ends {day(30)}", day(20)),
    # It begins with that.
    ([f"alice mechanism {day(30)}..{day(60)}"], "let off", day(60)),
    # One after the other, in any order.
    ([f"alice mechanism {day(36)}..{day(60)}", f"alice mechanism {day(35)}"], "let off", day(60)),
    # The longest of them.
    ([f"alice mechanism {day(5)}", f"alice mechanism {day(60)}"], "let off", day(60)),
    # A day too late.
    ([f"alice mechanism {day(31)}..{day(60)}"], f"ends {day(30)}", None),
])
def test_exemptions_count_at_the_date_of_the_rule(site, exemptions, state, until):
    populate(site)
    site.exemptions.write_text("\n".join(exemptions) + "\n")
    assert f"\n{state}" in site.must("user", "alice")
    script = site.ask("user", "alice")["programs"][1]
    assert [rule["exempt_until"] for rule in script["rules"]] == [until]


def brownouts(hours):
    """RULES with brown-outs that begin so many hours from now, for two hours."""
    texts = [time.strftime("%Y-%m-%d %H:%M", time.localtime(time.time() + begin * 3600))
             for begin in hours]  # fmt: skip
    rule = "rule mechanism  { brownouts = { " + ", ".join(f'"{text} +2h"' for text in texts) + " }"
    return RULES.replace("rule mechanism  {", rule), texts


def later(text, hours):
    begin = datetime.datetime.fromisoformat(text).astimezone()
    return (begin + datetime.timedelta(hours=hours)).astimezone()


def test_brownouts(site):
    rules, [over, now, soon, later_on] = brownouts((-75, -1, 50, 90))
    site.write_rules(rules)
    populate(site)

    def line(at="now"):
        [line] = [line for line in site.must("user", "alice", "--at", at).splitlines()
                  if line.startswith("mechanism: ")]  # fmt: skip
        return line.partition("mechanism: ")[2]

    def ends(text):
        return f"{later(text, 2):%Y-%m-%d %H:%M}"

    enforced = f", enforced from {day(30)} 00:00"
    after_now = f", next brown-out {soon} to {ends(soon)}"
    assert line() == f"now in phase enforce, a brown-out until {ends(now)}{after_now}{enforced}"
    # What comes next, at any moment before, also with the day alone.
    assert line(f"{later(now, 25):%Y-%m-%d %H:%M}") == f"now in phase notify{after_now}{enforced}"
    assert f"brown-out {soon} to {ends(soon)}" in line(soon[:10])
    assert line(soon).startswith(f"now in phase enforce, a brown-out until {ends(soon)}, next ")
    # Who was refused this morning asks in the afternoon.
    assert f", next brown-out {over} to {ends(over)}, " in line(over[:10])
    assert (f", last brown-out {over} to {ends(over)}, " if ends(over)[:10] == over[:10]
            else f", a brown-out until {ends(over)}, ") in line(f"{over[:10]} 23:59")
    assert line(f"{later(later_on, 30):%Y-%m-%d %H:%M}") == f"now in phase notify{enforced}"

    def told(at):
        answer = site.ask("user", "alice", "--at", at)
        return [(found["begin"], found["end"])
                for found in answer["programs"][1]["rules"][0]["brownouts"]]

    assert told("now") == [(json_date(begin), json_date(ends(begin))) for begin in (now, soon)]


def test_settings(site):
    populate(site)
    # POP3 is being retired, so nobody is sent there.
    assert site.ask("user", "alice")["settings"] == [
        {"service": "IMAP", "server": "imap.example.org", "port": 993, "encryption": "SSL/TLS"},
        {"service": "SMTP", "server": "smtp.example.org", "port": 587, "encryption": "STARTTLS"},
    ]
    text = site.must("user", "alice")
    assert "IMAP  imap.example.org, port 993, SSL/TLS, normal password" in text
    assert "User name: your whole address" in text
    assert "https://www.example.org/mail" in text


def test_stranger(site):
    populate(site)
    assert "Not seen.\n" in site.must("user", "nobody@example.org")
    assert site.ask("user", "nobody")["programs"] == []


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_names(site, name):
    site.record(name, "encryption", client_id=name)
    site.take()
    answer = site.ask("user", name)
    assert (answer["user"], answer["programs"][0]["client_id"]) == (name, name)
    fits_a_terminal(site.show("user", name))


def test_command_line(site):
    assert site.run("user").returncode == EX_USAGE
    assert site.run("user", "a", "b").returncode == EX_USAGE
