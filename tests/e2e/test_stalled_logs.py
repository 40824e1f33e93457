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

import clients

from auth_client import AuthClient
from dovecot import release
from mailhost import SITE
from processes import children, command_name, wait_until

USER = "alice@example.org"
REFUSED = """rule encryption { enforce = "always" reject = "before-password" }"""

ATTEMPTS = 10000
# Dovecot before 2.3.14 delays each answer, whatever portion it belongs to.
PORTION = 100 if release() >= (2, 3, 14) else 1000

# Other people's logins, as many of each as are made during an attack, and at least so many.
LOGINS = {
    "imap": lambda: clients.imap(USER, tls="implicit"),
    "pop3": lambda: clients.pop3(USER, tls="implicit"),
    "smtp": lambda: clients.smtp(465, USER),
}
LOGINS_EACH = 20

# Seconds that a login may take; on a machine that is busy with other things, so many times
# as long as without a log that stands still. None ever waits for that: the defect was a
# complete stop.
QUICK = 0.1
SLOWER = 2
ROUNDS = 5
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


def _add_times_under_attack(times):
    """How long each login of other people takes while so many are refused, by protocol."""
    auth = AuthClient()
    enough = len(times["imap"]) + LOGINS_EACH
    try:
        with ThreadPoolExecutor(1) as pool:
            attack = pool.submit(_refuse, auth, ATTEMPTS)
            while not attack.done() or len(times["imap"]) < enough:
                for name, log_in in LOGINS.items():
                    times[name].append(_timed(log_in))
            attack.result()
    finally:
        auth.close()


def _of_most(times):
    """What 95 % of them are below."""
    return sorted(times)[len(times) * 95 // 100]


def _within_bounds(stalled, usual):
    return all(
        _of_most(stalled[name]) < max(QUICK, SLOWER * _of_most(usual[name])) for name in LOGINS
    )


def test_dovecots_log_stands_still(host):
    """The same attack with a log that stands still and without, by turns: on a machine that
    has other things to do, too, both come to the same when there is enough to compare."""
    host.apply(REFUSED)
    for log_in in LOGINS.values():
        assert log_in().accepted  # the first of each kind makes processes
    start = len(host.dovecot.log())
    usual, stalled = ({name: [] for name in LOGINS} for _ in range(2))
    for _ in range(ROUNDS):
        _add_times_under_attack(usual)
        with stopped(_log_process(host)):
            _add_times_under_attack(stalled)
        assert max(max(times) for times in stalled.values()) < PATIENCE, stalled
        if _within_bounds(stalled, usual):
            break
    else:
        raise AssertionError((stalled, usual))
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
