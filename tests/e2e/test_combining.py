"""Equal sightings are one line of the journal with their number, and what strangers
invent does not make it grow; no person is missing from it, whatever happens."""

import os
import signal
import subprocess

import pytest

import clients

from journal import Journal
from mailhost import SITE
from mmdb import CLIENTS
from processes import wait_until

RULES = """
rule encryption { services = { "imap", "submission", "smtp" } notify = "always" }
"""


def portcullis(*words, status=0):
    done = subprocess.run(["portcullis", *words], capture_output=True, text=True, timeout=60)
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
