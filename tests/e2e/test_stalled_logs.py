"""No login waits for a log, and no stranger fills one: with Dovecot's log process
standing still everybody goes on, and is told later how many lines were dropped; what
names strangers invent is told of by so many lines a minute. test_policyd_hostile.py
has the daemon's log."""

import os
import re
import signal
import time

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

import clients

from auth_client import AuthClient
from mailhost import SITE
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


def test_strangers_do_not_fill_the_log(host):
    """Ten thousand names, of which a hundred a minute are told."""
    site = SITE.replace("combine          = 0 ", "#").replace("100000", "100")
    host.apply(REFUSED, site=site)
    start = len(host.dovecot.log())
    auth = AuthClient()
    try:
        _refuse(auth, ATTEMPTS)
    finally:
        auth.close()
    host.dovecot.stop()
    told = host.dovecot.log()[start:].splitlines()
    lines = [line for line in told if "portcullis: refused" in line]
    assert 100 < len(lines) < 500, len(lines)
    nameless = [line for line in lines if "user=<> client= " in line]
    counted = sum(int(re.search(r" count=(\d+) until=20", line)[1]) for line in nameless[1:])
    assert len(lines) - len(nameless[1:]) + counted == ATTEMPTS
    assert len(host.dovecot_journal.read()) < 500
