"""Equal sightings are one line of the journal with their number, and what strangers
invent does not make it grow; no person is missing from it, whatever happens."""

import os
import signal
import subprocess
import time

import pytest

import clients

from auth_client import AuthClient
from journal import Journal
from mailhost import SITE
from mmdb import CLIENTS
from processes import wait_until

# A line is on its way for some milliseconds; but a machine may be slow.
REST = 1

RULES = """
rule encryption { services = { "imap", "submission", "smtp" } notify = "always" }
"""


def portcullis(*words, status=0):
    done = subprocess.run(["portcullis", *words], capture_output=True, text=True, timeout=180)
    assert done.returncode == status, done.stdout + done.stderr
    return done


def _site(combine, unverified=600):
    text = SITE
    for key, value in {"combine": combine, "unverified-per-minute": unverified}.items():
        lines = text.splitlines()
        at = next(i for i, line in enumerate(lines) if line.startswith(f"{key} "))
        lines[at] = f'{key} = "{value}"'
        text = "\n".join(lines) + "\n"
    return text


def _log_in(times=1, user="alice@example.org", password=clients.PASSWORD):
    for number in range(times):
        # From another address each time.
        clients.imap(user, password, client=f"141.0.1.{number + 1}")


def _mail(times):
    for number in range(times):
        assert clients.smtp(25, client=f"141.0.1.{number + 1}").accepted


def _wait_for_count(journal, count):
    events = []

    def enough():
        events.extend(journal.read())
        return sum(event["count"] for event in events) >= count

    wait_until(enough, f"{count} sightings")
    assert sum(event["count"] for event in events) == count, events
    return events


def _assert_combined(events, count):
    first, others = events
    assert first["count"] == 1 and "until" not in first
    assert others["count"] == count - 1
    assert first["time"] <= others["time"] <= others["until"]
    assert first["client"] == "141.0.1.1" and others["client"] == f"141.0.1.{count}"
    for key in ("user", "verified", "action", "rules", "service", "port", "tls", "client_id"):
        assert first[key] == others[key]


def test_when_the_time_is_over(host):
    host.apply(RULES, site=_site("5s"))
    _log_in(4)
    _mail(4)
    for journal in (host.dovecot_journal, host.postfix_journal):
        events = _wait_for_count(journal, 4)
        # On a machine that stands still for long there may be more lines.
        assert len(events) < 4, events
        if len(events) == 2:
            _assert_combined(events, 4)


def test_when_the_server_ends(host):
    host.apply(RULES, site=_site("1h"))
    _log_in(4)
    _mail(4)
    assert [event["count"] for event in host.dovecot_journal.wait()] == [1]
    assert [event["count"] for event in host.postfix_journal.wait()] == [1]
    host.dovecot.reload()
    host.policyd.stop()
    assert [event["count"] for event in host.dovecot_journal.wait()] == [3]
    assert [event["count"] for event in host.postfix_journal.wait()] == [3]


def test_when_the_file_was_taken(host):
    host.apply(RULES, site=_site("1h"))
    _log_in(4)
    path = host.dovecot_journal.path
    wait_until(lambda: host.dovecot_journal.read(), "first line")
    os.rename(path, path.with_name("dovecot.jsonl-taken"))
    events = Journal("dovecot").wait()
    path.with_name("dovecot.jsonl-taken").unlink()
    assert [event["count"] for event in events] == [3]
    assert len(events[0]["edition"]) == 16


def test_a_kill_loses_nobody(host):
    host.apply(RULES, site=_site("1h"))
    users = ["alice@example.org", "erin@example.org", "frank@example.org"]
    for user in users:
        _log_in(3, user)
    events = host.dovecot_journal.wait(len(users))
    for pid in host.dovecot.processes("auth"):
        os.kill(pid, signal.SIGKILL)
    assert {event["user"] for event in events} == set(users)
    # The next is a first one again.
    wait_until(lambda: clients.imap(users[0], client=CLIENTS["DE"][0]).accepted, "login")
    assert host.dovecot_journal.wait()[0]["user"] == users[0]


def _log_in_and_kill(host, users, last):
    """All log in; the server is killed some time after them, and in the moment in which
    the last one has his answer."""
    auth = AuthClient()
    try:
        for user in users:
            assert auth.log_in([(user, clients.PASSWORD, "141.0.1.1")])[0][0] == "OK"
        time.sleep(REST)
        pids = host.dovecot.processes("auth")
        assert auth.log_in([(last, clients.PASSWORD, "141.0.1.1")])[0][0] == "OK"
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
    finally:
        auth.close()


def test_a_kill_loses_only_what_is_on_its_way(host):
    """No line is waited for before the kill."""
    host.apply(RULES, site=_site("1h"))
    *users, last = ["alice@example.org", "bob@example.org", "carol@example.org"]
    _log_in_and_kill(host, users, last)
    told = host.dovecot_journal.read()
    # The last one may be there.
    assert [event["user"] for event in told][: len(users)] == users
    assert all(event["count"] == 1 for event in told)
    # Whoever is not is at his next login.
    wait_until(lambda: clients.imap(last).accepted, "login")
    assert host.dovecot_journal.wait_one()["user"] == last


def test_a_kill_of_the_daemon(host):
    host.apply(RULES, site=_site("1h"))
    assert clients.smtp(587, "alice@example.org").accepted
    time.sleep(REST)
    assert clients.smtp(587, "carol@example.org").accepted
    host.policyd.kill()
    told = host.postfix_journal.read()
    assert told[0]["user"] == "alice@example.org" and told[0]["verified"]
    host.policyd.start()
    # An smtpd that was connected would rest for a second first.
    host.postfix.restart()
    assert clients.smtp(587, "carol@example.org").accepted
    assert host.postfix_journal.wait_one()["user"] == "carol@example.org"


def test_who_was_forgotten_is_not_counted_on(host):
    """What a server has only counted yet is forgotten, too."""
    host.apply(RULES, site=_site("1h"))
    _log_in(4)
    host.dovecot_journal.wait()
    assert portcullis("forget", "alice@example.org").stdout == "removed\n"
    host.dovecot.reload()
    _log_in(user="erin@example.org")
    Journal("dovecot").wait()
    portcullis("import")
    assert portcullis("forget", "alice@example.org", status=1).stdout == "nothing was known\n"
    assert portcullis("forget", "erin@example.org").stdout == "removed\n"


def test_each_program_that_breaks_nothing(host):
    """Whether a program was repaired is seen by its own logins only, so another one that was
    earlier that day must not stand for it."""
    host.apply(RULES, site=_site("1h"))
    programs = [f"name=Program version={number}" for number in range(8)]
    auth = AuthClient()
    try:
        for program in 3 * programs:
            fields = ("service=imap", "lport=993", "secured=tls", f"client_id={program}")
            person = [("alice@example.org", clients.PASSWORD, "141.0.1.1")]
            assert auth.log_in(person, fields)[0][0] == "OK"
    finally:
        auth.close()
    events = host.recorded()
    recorded = [event["client_id"] for event in events if event["user"] == "alice@example.org"]
    assert len(recorded) == len(set(recorded)) and set(recorded) <= set(programs)
    # Some may count as one on one day.
    assert len(recorded) >= 5


def test_the_longest_names(host):
    """What portcullis.conf(5) says of them, through the real auth process."""
    host.apply(RULES, site=_site("1h"))
    user, program = "x" * 1000 + "@example.org", "name=" + "y" * 1000
    auth = AuthClient()
    try:
        fields = ("service=imap", "lport=143", f"client_id={program}", "session=" + "z" * 500)
        assert auth.log_in([(user, "wrong", "2001:db8::1")], fields)[0][0] == "FAIL"
        assert auth.log_in([("alice@example.org", clients.PASSWORD, "141.0.1.1")], fields)[0][0] == "OK"
    finally:
        auth.close()
    stranger, known = host.dovecot_journal.wait(2)
    line = host.dovecot_journal.path.read_bytes().splitlines(keepends=True)[0]
    assert len(line) <= 1024 + len("encryption") + 14
    assert stranger["user"] == "x" * 320 + "…"
    assert stranger["client_id"] == program[:128] + "…"
    assert known["user"] == "alice@example.org" and known["client_id"] == program[:256] + "…"


@pytest.mark.parametrize("combine", ["1h", "0"])
def test_invented_names(host, combine):
    """Beyond the budget of a minute, strangers are counted; a person is not among them."""
    host.apply(RULES, site=_site(combine, unverified=3))
    for number in range(20):
        _log_in(user=f"invented{number}@example.org", password="wrong")
    _log_in()
    host.dovecot.reload()
    events = _wait_for_count(host.dovecot_journal, 21)
    named = [event for event in events if event["user"].startswith("invented")]
    nameless = [event for event in events if event["user"] == ""]
    # Twice the budget where a minute ends meanwhile.
    assert 3 <= len(named) <= 6
    assert 1 <= len(nameless) <= 4
    for event in nameless:
        assert event["client"] == event["client_id"] == event["session"] == ""
        assert event["verified"] is False and event["rules"] == {"encryption": "notify"}
    assert [event["user"] for event in events if event["verified"]] == ["alice@example.org"]
