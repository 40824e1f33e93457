"""Before or after the password: what becomes of right and wrong ones, who gets
to see them, and what the client reads."""

import re

import pytest

import clients

from mailhost import HELP_URL
from mmdb import CLIENTS

USER = "alice@example.org"
MESSAGE = (
    "Access without encryption has been retired. "
    f"Please set your mail program to SSL/TLS. See {HELP_URL}"
)

AFTER = 'rule encryption { enforce = "always" }\n'
BEFORE = 'rule encryption { enforce = "always" reject = "before-password" }\n'

LOGINS = [
    (clients.imap, None),
    (clients.imap, "PLAIN"),
    (clients.imap, "CRAM-MD5"),
    (clients.imap, "SCRAM-SHA-256"),
    (clients.pop3, None),
    (clients.pop3, "CRAM-MD5"),
    (clients.pop3, "SCRAM-SHA-256"),
    (clients.sieve, "PLAIN"),
    (clients.submission, "CRAM-MD5"),
    (clients.submission, "SCRAM-SHA-256"),
]


@pytest.mark.parametrize("password", [clients.PASSWORD, "wrong"], ids=["right", "wrong"])
def test_after_the_password(host, password):
    """Both are refused with the same words; the record tells them apart."""
    host.apply(AFTER)
    right = password == clients.PASSWORD
    for login, mechanism in LOGINS:
        reply = login(USER, password, mechanism=mechanism)
        assert not reply.accepted, (login, mechanism)
        assert MESSAGE in reply.text, (login, mechanism, reply)
        if login is clients.imap:
            assert reply.text == ("[CONTACTADMIN] " if right else "[ALERT] ") + MESSAGE
        event = host.dovecot_journal.wait_one()
        assert event["verified"] == right, (login, mechanism, event)
        assert event["action"] == "reject" and event["rules"] == {"encryption": "enforce"}


def test_wrong_password_in_notify_is_not_verified(host):
    """Anyone can type somebody else's name; nobody shall be written to for it."""
    host.apply('rule encryption { notify = "2020-01-01" }\n')
    for login, mechanism in LOGINS:
        assert not login(USER, "wrong", mechanism=mechanism).accepted
        event = host.dovecot_journal.wait_one()
        assert not event["verified"], (login, mechanism, event)
        assert event["rules"] == {"encryption": "notify"}


def test_wrong_password_without_a_broken_rule_is_not_recorded(host):
    host.apply(AFTER)
    reply = clients.imap(USER, "wrong", tls="implicit")
    assert reply.text.startswith("[AUTHENTICATIONFAILED]")
    assert clients.imap(USER, tls="implicit").accepted
    event = host.dovecot_journal.wait_one()
    assert event["verified"] and event["rules"] == {} and event["action"] == "allow"


def test_before_the_password_nobody_asks_for_it(host):
    """With debugging on, the password database logs each lookup."""
    debug = {(2, 3): "auth_debug = yes\n", (2, 4): "log_debug = category=auth\n"}
    host.apply(BEFORE, dovecot=debug[host.dovecot.version])

    def lookups():
        return len(re.findall("passwd-file.*Performing passdb lookup", host.dovecot.log()))

    before = lookups()
    for login, mechanism in LOGINS:
        for password in (clients.PASSWORD, "wrong"):
            reply = login(USER, password, mechanism=mechanism)
            assert not reply.accepted
            assert MESSAGE in reply.text, (login, mechanism, reply)
            event = host.dovecot_journal.wait_one()
            assert not event["verified"] and event["action"] == "reject"
    assert lookups() == before
    # It would have shown.
    assert clients.imap(USER, tls="implicit").accepted
    assert lookups() == before + 1


def test_postfix_login_refused_before_the_password(host):
    """Country: by the gate, at AUTH; no policy daemon sees it."""
    host.apply('rule country { allow = { "DE" } enforce = "always" }\n')
    for version in (0, 1):
        reply = clients.smtp(587, USER, client=CLIENTS["US"][version], tls="starttls")
        assert reply.login.text.startswith("535 5.7.8 Error: authentication failed: Mail access ")
        event = host.dovecot_journal.wait_one()
        assert event["service"] == "submission" and event["country"] == "US"
        assert event["client"] == CLIENTS["US"][version] and not event["verified"]
        assert clients.smtp(587, USER, client=CLIENTS["DE"][version], tls="starttls").accepted
    assert not [event for event in host.recorded() if event["rules"]]


def test_smtp_enforcement_at_auth(host):
    """For sites without the daemon the gate refuses all by itself."""
    host.apply('smtp-enforcement = "auth"\n' + AFTER)
    reply = clients.smtp(587, USER, tls="none")
    assert reply.login.text == "535 5.7.8 Error: authentication failed: " + MESSAGE
    event = host.dovecot_journal.wait_one()
    assert event["service"] == "submission" and not event["verified"]
    assert clients.smtp(587, USER, tls="starttls").accepted

    # No rule is stronger than another then: the first one's message is told.
    host.apply(
        'smtp-enforcement = "auth"\n'
        'rule encryption { enforce = "always" message = "first" }\n'
        'rule protocol { services = { "submission" } enforce = "always" message = "second" }\n'
    )
    assert clients.smtp(587, USER, tls="none").login.text.endswith(": first")
    assert clients.smtp(587, USER, tls="starttls").login.text.endswith(": second")


def test_messages(host):
    """The operator's own words; a response code of his own where IMAP has them."""
    host.apply(
        """
rule privacy {
    kind     = "encryption"
    services = { "imap", "submission" }
    enforce  = "always"
    reject   = "before-password"
    message  = "[PRIVACYREQUIRED] Use TLS (SSL), ask 4711."
}
rule pop {
    kind     = "protocol"
    services = { "pop3" }
    enforce  = "always"
    message  = "POP3 is gone"
}
"""
    )
    assert clients.imap(USER).text == "[PRIVACYREQUIRED] Use TLS (SSL), ask 4711."
    assert clients.imap(USER, mechanism="CRAM-MD5").text.startswith("[PRIVACYREQUIRED] Use")
    assert clients.pop3(USER, tls="implicit").text == "-ERR [AUTH] POP3 is gone"


def test_the_strongest_outcome_wins(host):
    """Before beats after, whatever the order; among equals the file's order
    says whose message is told. The record names them all."""
    host.apply(
        """
rule encryption   { enforce = "always" message = "first" }
rule implicit-tls { enforce = "always" message = "second" }
rule mechanism    { notify  = "2020-01-01" }
rule country      { enforce = "always" allow = { "DE" } message = "third" }
"""
    )
    assert clients.imap(USER, mechanism="CRAM-MD5").text == "[CONTACTADMIN] first"
    assert host.dovecot_journal.wait_one()["rules"] == {
        "encryption": "enforce",
        "implicit-tls": "enforce",
        "mechanism": "notify",
    }
    assert clients.imap(USER, tls="starttls").text == "[CONTACTADMIN] second"
    assert host.dovecot_journal.wait_one()["rules"] == {"implicit-tls": "enforce"}
    reply = clients.imap(USER, mechanism="CRAM-MD5", client=CLIENTS["US"][1])
    assert reply.text == "[ALERT] third"
    assert host.dovecot_journal.wait_one()["rules"] == {
        "encryption": "enforce",
        "implicit-tls": "enforce",
        "mechanism": "notify",
        "country": "enforce",
    }
