"""From real logins and mails to the operator's answers: servers, journal, import,
and then each question, compared with what this test did."""

import collections
import json
import subprocess

import pytest

import clients

from journal import DIRECTORY as JOURNAL
from mailhost import EXEMPTIONS
from mmdb import CLIENTS
from processes import wait_until
from recorded_site import day

RULES = f"""
rule encryption {{ observe = "{day(-9)}" notify = "{day(-1)}" enforce = "{day(30)}" }}
rule mechanism  {{ observe = "{day(-9)}" }}
rule abroad     {{
    kind = "country" services = {{ "imap", "pop3" }} allow = {{ "DE", "AT" }} enforce = "always"
}}
rule no-pop3    {{ kind = "protocol" services = {{ "pop3" }} notify = "{day(-1)}" }}
rule smtp-25    {{ kind = "submission-port" notify = "{day(-1)}" enforce = "{day(60)}" }}
"""
PHASES = {"encryption": "notify", "mechanism": "observe", "abroad": "enforce",
          "no-pop3": "notify", "smtp-25": "notify"}

Attempt = collections.namedtuple(
    "Attempt", "user service port tls mechanism country right_password broken")

ATTEMPTS = [
    # One device of two is old.
    Attempt("alice@example.org", "imap", 143, "none", "PLAIN", "DE", True, ["encryption"]),
    Attempt("alice@example.org", "imap", 143, "none", "PLAIN", "DE", True, ["encryption"]),
    Attempt("alice@example.org", "imap", 993, "implicit", "PLAIN", "DE", True, []),
    Attempt("bob@example.org", "imap", 143, "starttls", "LOGIN", "AT", True, []),
    # All that they have is old.
    Attempt("carol@example.org", "pop3", 995, "implicit", "PLAIN", "DE", True, ["no-pop3"]),
    Attempt("carol@example.org", "pop3", 110, "none", "PLAIN", "DE", True,
            ["encryption", "no-pop3"]),
    Attempt("frank@example.org", "imap", 993, "implicit", "CRAM-MD5", "DE", True, ["mechanism"]),
    Attempt("grace@example.org", "submission", 25, "starttls", "PLAIN", "US", True, ["smtp-25"]),
    Attempt("erin@example.org", "submission", 587, "starttls", "PLAIN", "US", True, []),
    Attempt("erin@example.org", "submission", 465, "implicit", "PLAIN", "DE", True, []),
    # Refused before the password: it may be anybody.
    Attempt("erin@example.org", "imap", 993, "implicit", "PLAIN", "US", True, ["abroad"]),
    Attempt("dave@example.org", "imap", 993, "implicit", "PLAIN", "DE", True, []),
    Attempt("dave@example.org", "imap", 143, "none", "PLAIN", "DE", False, ["encryption"]),
    Attempt("nobody@example.org", "imap", 143, "none", "PLAIN", "DE", False, ["encryption"]),
]


# Who logs in without a domain is recorded with one.
LOGIN_NAMES = {"dave@example.org": "dave"}


def verified(attempt):
    return attempt.right_password and "abroad" not in attempt.broken


def make(attempt):
    options = {"client": CLIENTS[attempt.country][0], "tls": attempt.tls,
               "mechanism": attempt.mechanism}
    if not attempt.right_password:
        options["password"] = "wrong"
    user = LOGIN_NAMES.get(attempt.user, attempt.user)
    if attempt.service == "submission":
        reply = clients.smtp(attempt.port, user, **options)
    else:
        reply = getattr(clients, attempt.service)(user, **options)
    assert reply.accepted == verified(attempt), (attempt, reply)


def portcullis(*arguments, status=0):
    result = subprocess.run(["portcullis", *arguments], capture_output=True, text=True, timeout=180)
    assert result.returncode == status, result
    assert result.stderr == "", result
    return result.stdout


def ask(*arguments):
    return json.loads(portcullis(*arguments, "--json"))


def take():
    """Waits until the servers have written everything, and imports it."""

    def imported():
        portcullis("import", "--quiet")
        checks = {check["check"]: check["text"] for check in _status()["health"]}
        return f"{len(ATTEMPTS)} lines in all" in checks["import"]

    wait_until(imported, "journal with every attempt")


def _status():
    result = subprocess.run(["portcullis", "status", "--json"], capture_output=True, text=True)
    return json.loads(result.stdout)


def ways(rows):
    """What is comparable of offenders."""
    keys = ("user", "rule", "phase", "service", "port", "tls", "mechanism", "country", "verified",
            "count", "last_client")
    return sorted(tuple(row[key] for key in keys) for row in rows)


def true_ways(attempts):
    found = collections.Counter(
        (a.user, rule, PHASES[rule], a.service, a.port, a.tls, a.mechanism, a.country, verified(a))
        for a in attempts for rule in a.broken)
    return sorted((*way, count, CLIENTS[way[7]][0]) for way, count in found.items())


@pytest.fixture
def asked_host(host):
    host.dovecot.kill()
    host.policyd.stop()
    for path in JOURNAL.glob("*.jsonl*"):
        path.unlink()
    store = JOURNAL.parent / "portcullis.db"
    for path in store.parent.glob("portcullis.db*"):
        path.unlink()
    host.apply(RULES)
    yield host
    for path in store.parent.glob("portcullis.db*"):
        path.unlink()


def test_every_question(asked_host):
    for attempt in ATTEMPTS:
        make(attempt)
    take()
    _offenders()
    _forecast()
    _user()
    _phases()
    _letting_off(asked_host)


def _offenders():
    proven = [attempt for attempt in ATTEMPTS if verified(attempt)]
    assert ways(ask("offenders")) == true_ways(proven)
    assert ways(ask("offenders", "--unverified")) == true_ways(ATTEMPTS)
    assert ways(ask("offenders", "--rule", "encryption")) == [
        way for way in true_ways(proven) if way[1] == "encryption"]
    assert ways(ask("offenders", "--phase", "observe")) == [
        way for way in true_ways(proven) if way[1] == "mechanism"]
    assert ways(ask("offenders", "--user", "carol")) == [
        way for way in true_ways(proven) if way[0] == "carol@example.org"]


def _true_forecast(enforced):
    habits = collections.defaultdict(list)
    for attempt in ATTEMPTS:
        if verified(attempt):
            habits[attempt.user].append(not enforced.isdisjoint(attempt.broken))
    return {
        "active_users": len(habits),
        "fine": sum(not any(bad) for bad in habits.values()),
        "locked_out": sum(all(bad) for bad in habits.values()),
        "partly": sum(any(bad) and not all(bad) for bad in habits.values()),
    }


def _forecast():
    def figures(*options):
        answer = ask("forecast", *options)
        return {key: answer[key] for key in ("active_users", "fine", "locked_out", "partly")}

    everything = _true_forecast(set(PHASES))
    assert everything == {"active_users": 7, "fine": 3, "locked_out": 3, "partly": 1}
    assert figures() == everything
    for rule in PHASES:
        assert figures("--rule", rule) == _true_forecast({rule})
    assert figures("--at", day(29)) == _true_forecast({"abroad"})
    assert figures("--at", day(30)) == _true_forecast({"abroad", "encryption"})
    assert figures("--at", day(60)) == _true_forecast({"abroad", "encryption", "smtp-25"})
    answer = ask("forecast")
    assert {rule: row["users"] for rule, row in answer["rules"].items()} == {
        rule: len({a.user for a in ATTEMPTS if verified(a) and rule in a.broken})
        for rule in PHASES}
    assert answer["services"] == {"imap": 2, "pop3": 1, "submission": 1}
    assert answer["countries"] == {"DE": 3, "US": 1}
    portcullis("forecast", "--fail-above", "50", status=1)
    portcullis("forecast", "--fail-above", "58", status=0)


def _user():
    answer = ask("user", "alice")
    assert [(way["port"], way["tls"], way["count"], way["fine"]) for way in answer["programs"]] == [
        (993, "implicit", 1, True), (143, "none", 2, False)]
    assert [way["verified"] for way in ask("user", "erin")["programs"]] == [True, True, False]


def _phases():
    """offenders by what was recorded, phases by the file."""
    rules = {row["rule"]: row for row in _status()["rules"]}
    assert {title: row["phase"] for title, row in rules.items()} == PHASES
    assert {title: row["offenders"] for title, row in rules.items()} == {
        "encryption": 2, "mechanism": 1, "abroad": 0, "no-pop3": 1, "smtp-25": 1}
    assert rules["encryption"]["days"] == 30


def _letting_off(host):
    """Enforce today for everybody else."""
    stdout = portcullis("exempt", "--current-offenders", "encryption", "--until", day(90))
    assert stdout == f"Users let off encryption until {day(90)}: 2. Already let off: 0.\n"
    # The servers read the file as another user.
    exemptions = EXEMPTIONS.read_text()
    host.write_policy(RULES.replace(f'enforce = "{day(30)}"', f'enforce = "{day()}"'), exemptions)
    host.reload()
    assert clients.imap("alice@example.org").accepted
    assert clients.pop3("carol@example.org").accepted
    assert not clients.imap("bob@example.org").accepted
    portcullis("exempt", "--remove", "alice", "encryption")
    # Noticed by the servers themselves.
    wait_until(lambda: not clients.imap("alice@example.org").accepted, "end of the exemption")
    assert clients.pop3("carol@example.org").accepted
