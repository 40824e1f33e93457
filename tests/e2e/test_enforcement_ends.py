"""Where Portcullis' enforcement ends: sessions that run already, and the last step, by which
Dovecot itself refuses what no rule has to refuse any more."""

import subprocess

import pytest

import clients

from mailhost import EXAMPLES
from processes import wait_until

USERS = ("alice@example.org", "bob@example.org")


def kick(host, mask):
    """doveadm finds processes by number, so it has to count as Dovecot does."""
    command = ["nsenter", f"--target={host.dovecot.pid}", "--pid", "doveadm", "kick", mask]
    subprocess.run(command, check=True, capture_output=True)


def has_ended(connection):
    try:
        connection.noop()
    except (connection.abort, OSError):
        return True
    return False


@pytest.mark.parametrize("mask, ended", [(USERS[0], [True, False]), ("*", [True, True])])
def test_running_sessions_go_on_until_they_are_kicked(host, mask, ended):
    host.apply("""rule encryption { observe = "always" }""")
    sessions = []
    for user in USERS:
        session = clients.connect_imap(tls="none")
        session.login(user, clients.PASSWORD)
        sessions.append(session)
    host.write_policy("""rule encryption { enforce = "always" }""")
    host.reload()
    assert not clients.imap(USERS[0], tls="none").accepted
    assert not any(map(has_ended, sessions))
    kick(host, mask)
    wait_until(lambda: list(map(has_ended, sessions)) == ended, "end of the sessions")
    assert not clients.imap(USERS[0], tls="none").accepted


def series(host):
    return ".".join(map(str, host.dovecot.version))


def test_the_last_step(host):
    host.apply("", dovecot=(EXAMPLES / f"dovecot-{series(host)}/last-step.conf").read_text())
    refused = clients.imap(USERS[0], tls="none")
    assert not refused.accepted
    assert clients.imap(USERS[0], tls="starttls").accepted
    assert clients.pop3(USERS[0], tls="implicit").accepted


def test_the_last_step_takes_both(host):
    """What the README and last-step.conf say of Dovecot 2.4, whose local.conf allows
    passwords in clear here."""
    if host.dovecot.version < (2, 4):
        host.apply("", dovecot="ssl = required\n")
        return
    with pytest.raises(RuntimeError, match="does not start"):
        host.apply("", dovecot="ssl = required\n")
