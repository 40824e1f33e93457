"""What the other tests rely on when they start servers, end them, and read what
they say: it is there as soon as it is asked for, however slow they are."""

import os
import signal
import threading

from contextlib import contextmanager
from pathlib import Path

import pytest

import clients

from processes import CannotStart, Server, command_name, descendants

USER = "alice@example.org"
RULES = 'rule encryption { enforce = "always" message = "no TLS" }\n'


@contextmanager
def _stopped_for_a_while(server, name):
    """A process of the server's; it goes on when the block has been left."""
    [pid] = [pid for pid in descendants(server.pid) if command_name(pid) == name]
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        threading.Timer(0.3, os.kill, (pid, signal.SIGCONT)).start()


def test_lines_that_postlogd_has_yet_to_write(host):
    host.apply(RULES)
    assert clients.smtp(25).accepted
    offset = len(host.postfix.log())
    with _stopped_for_a_while(host.postfix, "postlogd"):
        assert clients.smtp(587, USER, tls="starttls").accepted
    assert f"sasl_username={USER}" in host.postfix.log()[offset:]


def test_lines_that_dovecots_log_process_has_yet_to_write(host):
    host.apply(RULES)
    offset = len(host.dovecot.log())
    with _stopped_for_a_while(host.dovecot, "log"):
        assert not clients.imap(USER).accepted
    assert "encryption:enforce" in host.dovecot.log()[offset:]


def test_lines_that_the_daemons_thread_has_yet_to_write(host):
    """It writes them while the client reads its answer: now and then it is later."""
    host.apply(RULES)
    for _ in range(200):
        offset = len(host.policyd.log())
        assert not clients.smtp(587, USER).accepted
        assert "encryption:enforce" in host.policyd.log()[offset:]


@pytest.mark.parametrize("name", ["dovecot", "policyd"])
def test_killed_servers_are_gone(host, name):
    host.apply(RULES)
    server = getattr(host, name)
    for _ in range(20):
        running = [server.pid, *descendants(server.pid)]
        server.kill()
        assert not [pid for pid in running if Path(f"/proc/{pid}").exists()]
        server.start()


def test_where_no_namespace_can_be_made(tmp_path):
    """What says so is no message of the server's, but it is not lost."""
    unshare = tmp_path / "unshare"
    unshare.write_text("#!/bin/sh\necho 'unshare: Operation not permitted' >&2\nexit 1\n")
    unshare.chmod(0o755)
    log = tmp_path / "log"
    with pytest.raises(CannotStart, match="unshare: Operation not permitted"):
        Server(["true"], {"PATH": f"{tmp_path}:{os.environ['PATH']}"}, log=log)
    assert log.read_bytes() == b""
