"""No login waits for a log: with Dovecot's log process, the daemon's standard
error, or syslog standing still, everybody goes on, and is told later how many
lines were dropped."""

import os
import re
import signal
import time

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

import clients

from auth_client import AuthClient
from processes import children, command_name, wait_until

USER = "alice@example.org"
REFUSED = """rule encryption { enforce = "always" reject = "before-password" }"""

ATTEMPTS = 10000
PORTION = 100

# A login takes some 10 ms. The defect was a complete stop.
PATIENCE = 5


@contextmanager
def stopped(pid):
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def _log_process(host):
    (pid,) = [pid for pid in children(host.dovecot.pid) if command_name(pid) == "log"]
    return pid


def _refuse(auth, count):
    """Each from an address of its own, so that Dovecot delays none."""
    for start in range(0, count, PORTION):
        attempts = [
            (f"user{i}@example.org", "x", f"10.{i >> 16}.{i >> 8 & 255}.{i & 255}")
            for i in range(start, start + PORTION)
        ]
        for answer in auth.log_in(attempts):
            assert answer[0] == "FAIL"


def _timed(log_in):
    begin = time.monotonic()
    assert log_in().accepted
    return time.monotonic() - begin


def test_dovecots_log_stands_still(host):
    host.apply(REFUSED)
    logins = (
        lambda: clients.imap(USER, tls="implicit"),
        lambda: clients.pop3(USER, tls="implicit"),
        lambda: clients.smtp(465, USER),
    )
    usual = [_timed(log_in) for log_in in logins for _ in range(3)]
    start = len(host.dovecot.log())
    auth = AuthClient()
    try:
        with stopped(_log_process(host)), ThreadPoolExecutor(1) as pool:
            attack = pool.submit(_refuse, auth, ATTEMPTS)
            times = []
            while not attack.done() or len(times) < 9:
                times += map(_timed, logins)
            attack.result()
        assert max(times) < PATIENCE, (times, usual)
        # While the attack goes on, too, most logins are as quick as ever.
        assert sorted(times)[len(times) // 2] < 0.1 + 3 * max(usual), (times, usual)
    finally:
        auth.close()
    # What the log process then gets tells that it is not all.
    text = r"Warning: portcullis: \d+ log lines were dropped"
    wait_until(lambda: re.search(text, host.dovecot.log()[start:]), "count of dropped lines")
    assert host.dovecot.log()[start:].count("refused before the password") > 100
