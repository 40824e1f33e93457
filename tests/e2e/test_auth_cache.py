"""Dovecot's auth cache remembers passwords, never a verdict: whoever was let in
from one place is judged again at the next, and whoever was refused as well."""

import pytest

import clients
import sql_users

from mmdb import CLIENTS

POLICY = """
rule country {
    services = { "imap" }
    allow    = { "DE" }
    enforce  = "always"
    message  = "wrong country"
}
rule implicit-tls {
    services = { "imap" }
    enforce  = "always"
    message  = "wrong port"
}
"""

# A cache hit is a debug message.
SETTINGS = {
    (2, 3): "auth_cache_size = 10M\nauth_debug = yes\n",
    (2, 4): "auth_cache_size = 10M\nlog_debug = category=auth\n",
}

GERMANY, AMERICA = CLIENTS["DE"][0], CLIENTS["US"][0]

# Where an attempt comes from, by which port, and the rules that it breaks.
FINE = (GERMANY, "implicit", {})
ABROAD = (AMERICA, "implicit", {"country": "enforce"})
STARTTLS = (GERMANY, "starttls", {"implicit-tls": "enforce"})
BOTH = (AMERICA, "starttls", {"country": "enforce", "implicit-tls": "enforce"})

ORDERS = [
    [FINE, ABROAD, STARTTLS, FINE, BOTH, STARTTLS, FINE],
    [ABROAD, FINE, STARTTLS, ABROAD, FINE],
    [STARTTLS, ABROAD, FINE, STARTTLS, FINE],
]


def _text(right, broken):
    """How the reply begins."""
    if "country" in broken:
        return "[ALERT] wrong country"
    if broken:
        return ("[CONTACTADMIN]" if right else "[ALERT]") + " wrong port"
    return "" if right else "[AUTHENTICATIONFAILED]"


def _check(host, user, mechanism, password, place):
    client, tls, broken = place
    right = password == clients.PASSWORD
    reply = clients.imap(user, password, client=client, tls=tls, mechanism=mechanism)
    what = f"{user} {mechanism} {password} {place}: {reply}"
    assert reply.accepted == (right and not broken), what
    assert reply.text.startswith(_text(right, broken)), what

    # Of what breaks no rule the day's first is recorded, and that may come late.
    events = []
    while broken and not events:
        events = [event for event in host.dovecot_journal.wait(1) if event["rules"]]
    if broken:
        assert len(events) == 1, f"{what} {events}"
        assert events[0]["rules"] == broken, f"{what} {events}"
        assert events[0]["verified"] == (right and "country" not in broken), f"{what} {events}"
        assert events[0]["client"] == client and events[0]["action"] == "reject"


@pytest.mark.parametrize("mechanism", [None, "CRAM-MD5", "SCRAM-SHA-256"])
def test_auth_cache_keeps_no_verdict(host, mechanism):
    """Each order with a user of its own, whom the cache does not know yet; then
    once more with a wrong password before each right one."""
    version = host.dovecot.version
    host.apply(POLICY, dovecot=SETTINGS[version] + sql_users.install(version))
    assert len(ORDERS) == len(sql_users.USERS)
    for user, order in zip(sql_users.USERS, ORDERS):
        before = host.dovecot.log().count("cache hit: ")
        for place in order:
            _check(host, user, mechanism, clients.PASSWORD, place)
        # The cache did answer, or nothing would be shown by all this.
        assert host.dovecot.log().count("cache hit: ") - before >= 2
    for place in ORDERS[0]:
        _check(host, user, mechanism, "wrong", place)
        _check(host, user, mechanism, clients.PASSWORD, place)
