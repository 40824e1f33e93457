"""Logins to Postfix that the gate tells apart by their port."""

import pytest

import clients

from mailhost import EXAMPLES, HELP_URL

USER = "alice@example.org"
MASTER_CF = "/etc/postfix/master.cf"


@pytest.fixture
def named_services(host):
    """Postfix that names its services to Dovecot."""
    with open(MASTER_CF, encoding="ascii") as file:
        before = file.read()
    host.postfix.run_example(EXAMPLES / "postfix/postconf-sasl-service.sh")
    host.postfix.restart()
    yield host
    with open(MASTER_CF, "w", encoding="ascii") as file:
        file.write(before)
    host.postfix.restart()


def _check(host, rules, refused):
    """Logs in on each port and expects the gate to refuse it on some. refused:
    by port, the title of the rule that it breaks."""
    host.apply(rules)
    for port, tls in ((25, "starttls"), (587, "starttls"), (465, "implicit")):
        reply = clients.smtp(port, USER, tls=tls)
        assert reply.accepted == (port not in refused), f"{port}: {reply}"
        if port not in refused:
            continue
        # At AUTH already, before any mail.
        assert reply.login.text.startswith("535 5.7.8 Error: authentication failed: ")
        assert reply.login.text.endswith(f" See {HELP_URL}"), reply
        event = host.dovecot_journal.wait_one()
        assert event["rules"] == {refused[port]: "enforce"} and event["action"] == "reject"
        assert event["port"] == port and event["tls"] == tls, event
        assert event["service"] == "submission" and event["user"] == USER, event
        assert event["mechanism"] == "PLAIN" and not event["verified"], event
    assert not [event for event in host.recorded() if event["source"] == "dovecot"]


BEFORE = 'enforce = "always" reject = "before-password"'


def test_no_login_on_port_25(named_services):
    rules = f"rule submission-port {{ {BEFORE} }}\n"
    _check(named_services, rules, {25: "submission-port"})


def test_no_login_with_starttls(named_services):
    rules = f'rule implicit-tls {{ {BEFORE} services = {{ "submission" }} }}\n'
    _check(named_services, rules, {25: "implicit-tls", 587: "implicit-tls"})


def test_a_rule_for_each_port(named_services):
    rules = """
smtp-enforcement = "auth"
rule clients-use-tls { kind = "implicit-tls" services = { "submission" } observe = "always" }
rule not-by-25 { kind = "submission-port" enforce = "always" allow-ports = { 587, 465 } }
rule not-by-465 { kind = "submission-port" enforce = "always" allow-ports = { 25, 587 } }
"""
    host = named_services
    host.apply(rules)
    for port, tls, broken in (
        (25, "starttls", {"clients-use-tls": "observe", "not-by-25": "enforce"}),
        (465, "implicit", {"not-by-465": "enforce"}),
    ):
        assert not clients.smtp(port, USER, tls=tls).login.accepted
        event = host.dovecot_journal.wait_one()
        assert event["rules"] == broken and event["port"] == port, event
    assert clients.smtp(587, USER, tls="starttls").accepted


def test_without_the_names_the_daemon_refuses(host):
    """The gate, not knowing the port, leaves it to the daemon."""
    host.apply(f"rule submission-port {{ {BEFORE} }}\n")
    reply = clients.smtp(25, USER, tls="starttls")
    assert reply.login.accepted and not reply.accepted
    assert host.postfix_journal.wait_one()["port"] == 25
    assert clients.smtp(587, USER, tls="starttls").accepted
