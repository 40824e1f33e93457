"""Dovecot's delay and growing penalty for an address whose logins fail: the gate's
refusals are spared them where they are few, and no more."""

import time

import clients

from mmdb import CLIENTS

RULES = """rule encryption { enforce = "always" reject = "before-password" message = "no TLS" }"""

# As they are without a word about them in the configuration.
DELAYS = """
auth_failure_delay = 2 secs
service anvil {
  unix_listener anvil-auth-penalty {
    mode = 0600
  }
}
"""
DELAY_SECONDS = 2

# portcullis.conf(5) says so.
PROMPT = 10

# Older ones may not be refused promptly: they would go on with what they have freed.
PROMPT_SINCE = (2, 3, 14)


def _refused(connection):
    try:
        connection.login("alice@example.org", "guess")
    except connection.error as error:
        assert "no TLS" in str(error)
    else:
        raise AssertionError("not refused")


def test_a_flood_is_slowed_down(host):
    host.apply(RULES, dovecot=DELAYS)
    office, other = CLIENTS["DE"][0], CLIENTS["DE"][1]
    connection = clients.connect_imap(client=office, tls="none")
    begin = time.monotonic()
    if host.dovecot.release < PROMPT_SINCE:
        _refused(connection)
        assert time.monotonic() - begin > DELAY_SECONDS / 2
        connection.shutdown()
        return
    for _ in range(PROMPT):
        _refused(connection)
    # By far less than with one delay each.
    assert time.monotonic() - begin < DELAY_SECONDS * PROMPT / 2

    count, begin = 0, time.monotonic()
    while time.monotonic() - begin < 3 * DELAY_SECONDS:
        _refused(connection)
        count += 1
    # A minute may end meanwhile, and there are as many again.
    assert count <= PROMPT + 4, count
    connection.shutdown()

    # Elsewhere nobody notices.
    begin = time.monotonic()
    connection = clients.connect_imap(client=other, tls="none")
    for _ in range(PROMPT):
        _refused(connection)
    assert time.monotonic() - begin < DELAY_SECONDS * PROMPT / 2
    connection.shutdown()


def test_a_country_is_no_office(host):
    """What a country rule refuses may be guessing: it is delayed from the first on."""
    rules = RULES.replace("encryption {", 'country { services = { "imap" } allow = { "DE" } ')
    host.apply(rules.replace('reject = "before-password"', ""), dovecot=DELAYS)
    connection = clients.connect_imap(client=CLIENTS["US"][0])
    begin = time.monotonic()
    for _ in range(2):
        _refused(connection)
    assert time.monotonic() - begin > DELAY_SECONDS * 2
    connection.shutdown()


def test_a_refusal_does_not_stop_auth(host):
    """Dovecot before 2.3.14, and 2.4.0 and 2.4.1 with SCRAM, go on with a request that was
    refused at once after they have freed it."""
    host.apply(RULES, dovecot="auth_failure_delay = 1 secs")
    auth = host.dovecot.processes("auth")
    for mechanism in ("CRAM-MD5", "SCRAM-SHA-256", "PLAIN", "LOGIN"):
        for client in CLIENTS["DE"]:
            reply = clients.imap(
                "frank@example.org", client=client, tls="none", mechanism=mechanism
            )
            assert not reply.accepted and "no TLS" in reply.text, reply
    assert clients.imap("alice@example.org", client=CLIENTS["DE"][0], tls="implicit").accepted
    assert host.dovecot.processes("auth") == auth
