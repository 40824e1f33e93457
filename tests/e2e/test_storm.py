"""Many logins at once, while Dovecot is reloaded and its auth process is killed:
some then go unanswered, but nobody gets in who must not, and a refusal that a
client has read is recorded rightly."""

import imaplib
import os
import signal
import threading
import time

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from itertools import islice, product

import clients

from mmdb import CLIENTS
from processes import wait_until

RULES = """
rule encryption { enforce = "always" message = "no TLS" }
rule country    { services = { "imap" } allow = { "DE" } enforce = "always" message = "abroad" }
"""

LOGINS = 1200
CLIENTS_AT_ONCE = 50
USERS = {
    None: "alice@example.org",
    "PLAIN": "erin@example.org",
    "CRAM-MD5": "frank@example.org",
    "SCRAM-SHA-256": "grace@example.org",
}


def _attempts():
    """Password, TLS, country, family and mechanism in every combination."""
    combinations = list(
        product((clients.PASSWORD, "wrong"), ("starttls", "none"), ("DE", "US"), (0, 1), USERS)
    )
    return islice(combinations * (LOGINS // len(combinations) + 1), LOGINS)


def _log_in(attempt):
    """The server's reply, or None when there was none about the login."""
    password, tls, country, family, mechanism = attempt
    client = CLIENTS[country][family]
    try:
        reply = clients.imap(USERS[mechanism], password, client, tls, mechanism)
    except (OSError, imaplib.IMAP4.error):
        return None
    # Without its auth process, Dovecot says so, or hangs up.
    if not reply.accepted and ("[UNAVAILABLE]" in reply.text or "socket error" in reply.text):
        return None
    return reply


def test_reloaded_and_killed_under_load(host):
    host.apply(RULES)
    done = threading.Semaphore(0)

    def log_in(attempt):
        reply = _log_in(attempt)
        done.release()
        if reply is None:
            time.sleep(1)  # as a mail program does, however long the servers take to start
        return attempt, reply

    def wait_for(count):
        for _ in range(count):
            assert done.acquire(timeout=60)

    with ThreadPoolExecutor(CLIENTS_AT_ONCE) as pool:
        results = pool.map(log_in, _attempts())
        wait_for(LOGINS // 4)
        host.dovecot.reload()
        wait_for(LOGINS // 4)
        for pid in host.dovecot.processes("auth"):
            os.kill(pid, signal.SIGKILL)
        wait_for(LOGINS // 4)
        host.dovecot.reload()
        results = list(results)

    unanswered = sum(reply is None for _, reply in results)
    assert unanswered < LOGINS // 10
    refused = Counter()
    for (password, tls, country, _, _), reply in results:
        may = tls != "none" and country == "DE"
        right = password == clients.PASSWORD
        if reply is None:
            continue
        assert not reply.accepted or (right and may), (password, tls, country, reply)
        if not may:
            refused[right and country == "DE"] += 1

    # Whoever was not told may have been recorded; what the killed process had in
    # memory was not.
    recorded = Counter()

    def missing():
        for event in host.dovecot_journal.read():
            if event["rules"]:
                assert event["action"] == "reject", event
                recorded[event["verified"]] += 1
        return refused - recorded

    unknown = unanswered + CLIENTS_AT_ONCE
    wait_until(lambda: not any(count > unknown for count in missing().values()), "records")
    assert clients.imap(USERS[None], tls="starttls").accepted
    for verified, count in (recorded - refused).items():
        assert count <= unknown, (verified, recorded, refused)
